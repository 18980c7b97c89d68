"""What hosts of a space in AWS find in its store, against moto's S3 on loopback."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.joining import Access, AgentRef
from deployer.model.space import Space, StoreAddress
from deployer.remote.bundle import bundle
from deployer.spaces.aws import own_key
from deployer.spaces.aws.bootstrap import State
from deployer.spaces.aws.furnish import Furnisher, bucket_of, furnish
from deployer.spaces.aws.record import Record
from deployer.store import keys, record
from deployer.store.base import Get, Put, Stored
from deployer.store.s3 import S3Store
from deployer.version import VERSION
from infra.spec import Hosts, Spec
from tests.store.s3_here import BUCKET, s3

pytestmark = pytest.mark.edge
SPEC = Spec("eu-central-1", Hosts("t3.small", 1))
KNOWN = Record("production", SPEC, "123456789012", VERSION, outputs={"address": "203.0.113.9"}, bucket=BUCKET)
NOW = "2026-01-02T03:04:05Z"


@pytest.fixture(scope="module")
def address() -> Iterator[StoreAddress]:
    with s3() as door:
        yield door.address("furnish")


@pytest.fixture
def store(address: StoreAddress) -> S3Store:
    found = S3Store(address)
    found.clear([""])
    return found


def read(store: S3Store, key: str) -> Stored:
    found = store.batch([Get(key)]).answers[0]
    assert isinstance(found, Stored), key
    return found


def test_a_host_finds_space_agent_and_keys(store: S3Store) -> None:
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    space = record.load(Space, read(store, keys.SPACE))
    assert (space.name, space.kind, space.platform, space.created) == ("production", "aws", "debian-13-amd64", NOW)
    assert space.url == "http://{app}.203-0-113-9.sslip.io/"
    agent = record.load(AgentRef, read(store, keys.AGENT))
    assert agent.name == bundle().name
    assert hashlib.sha256(read(store, keys.agent(agent.name)).body).hexdigest() == agent.sha256
    assert record.load(Access, read(store, keys.ACCESS)).keys == {"ada@laptop": "ssh-ed25519 AAAA"}


def test_what_stands_there_already_is_not_written_again(store: S3Store) -> None:
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    before = [read(store, key) for key in (keys.SPACE, keys.AGENT, keys.ACCESS)]
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", "2027-01-01T00:00:00Z")
    assert [read(store, key) for key in (keys.SPACE, keys.AGENT, keys.ACCESS)] == before


def test_a_second_machine_is_let_in_beside_the_first(store: S3Store) -> None:
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    furnish(store, KNOWN, "bob@desk", "ssh-ed25519 BBBB", NOW)
    assert set(record.load(Access, read(store, keys.ACCESS)).keys) == {"ada@laptop", "bob@desk"}


def test_what_the_ledger_says_of_its_hosts_stays(store: S3Store) -> None:
    """The roll, the epoch: a run of `up` knows nothing of them."""
    store.batch([Put(keys.SPACE, record.dump(Space("production", "aws", "x", "", NOW, "0.0.1", epoch=3, roll=7)))])
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    space = record.load(Space, read(store, keys.SPACE))
    assert (space.epoch, space.roll, space.tool, space.platform) == (3, 7, VERSION, "debian-13-amd64")


def test_an_older_deployer_leaves_a_newer_agent(store: S3Store) -> None:
    newer = AgentRef("ab12", "cd34", "99.0.0")
    store.batch([Put(keys.AGENT, record.dump(newer))])
    furnish(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    assert record.load(AgentRef, read(store, keys.AGENT)) == newer


def test_the_bucket_is_waited_for(store: S3Store) -> None:
    missing = S3Store(replace(store.address, bucket="deployer-production-store-none"))
    waits = Furnisher(missing, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW)
    assert not waits.try_once()
    with waits.working():
        pass  # it ends with the block, whether it came or not
    with Furnisher(store, KNOWN, "ada@laptop", "ssh-ed25519 AAAA", NOW).working():
        deadline = time.monotonic() + 20
        while store.batch([Get(keys.SPACE)]).answers[0] is None and time.monotonic() < deadline:
            time.sleep(0.05)
    assert read(store, keys.SPACE)


def test_a_space_keeps_the_bucket_that_it_has() -> None:
    state = State("production", "deployer-production-state-ab12cd", "", 3)
    new = replace(KNOWN, bucket="", outputs={})
    assert bucket_of(new, state) == "deployer-production-store-affe57e"
    assert bucket_of(replace(new, outputs={"bucket": "deployer-production-store-90dc5a3"}), state).endswith("90dc5a3")
    assert bucket_of(KNOWN, state) == BUCKET


def test_a_machine_has_one_key_for_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path))
    path, public = own_key.ensure("production")
    assert own_key.ensure("production") == (path, public)
    assert public.startswith("ssh-ed25519 ") and len(public.split()) == 2
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert own_key.ensure("staging")[1] != public
    own_key.remove("production")
    assert own_key.ensure("production")[1] != public
