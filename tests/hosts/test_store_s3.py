"""A space whose ledger lies in S3: the same commands, and a first host without which it still can be read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.lease import Lease
from deployer.operations import spaces
from deployer.spaces.sandbox.sandbox import Sandbox
from deployer.store import keys, record
from deployer.store.base import Get, List, Put, Stored
from deployer.store.s3 import S3Store
from tests.hosts.mishaps import Owner, owner
from tests.hosts.person import Person
from tests.store.s3_here import BUCKET, Door, Says, once, s3

pytestmark = pytest.mark.hosts
SPACE = "vault"


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with s3() as door:
        yield door


@pytest.fixture(autouse=True)
def open_door(door: Door) -> Iterator[None]:
    yield
    door.is_open()


@pytest.fixture(scope="module")
def store(door: Door) -> S3Store:
    """The space's, to look into."""
    return S3Store(door.address(SPACE))


@pytest.fixture(scope="module")
def vault(home: Path, door: Door, store: S3Store) -> Iterator[Sandbox]:
    """The space; nothing of it is left, in S3 neither."""
    person = Person(home, "none", 0)
    person.types(*_create(door, SPACE, "--hosts", "2"))
    yield spaces.sandbox_of(SPACE)
    person.types("deployer", "spaces:destroy", SPACE, "--confirm", SPACE)
    assert store.batch([List("")]).answers == ((),)


@pytest.fixture(scope="module")
def ada(vault: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Owner:
    return owner(tmp_path_factory.mktemp("vault") / "safe", "safe", vault)


def _create(door: Door, name: str, *more: str) -> list[str]:
    return ["deployer", "spaces:create", name, "--store", f"s3://{BUCKET}", "--store-endpoint", door.endpoint, *more]


def test_deploys_rollbacks_and_config_changes_as_in_every_space(ada: Owner, vault: Sandbox, store: S3Store) -> None:
    here = ("-a", f"{SPACE}/{ada.app}")
    ada.sees("GREETING from v2")
    ada.types("deployer", "config:set", "COLOUR=red", *here)
    ada.types("deployer", "rollback", "v2", *here)
    ada.sees("GREETING from v4")
    assert "v4" in ada.types("deployer", "releases", *here).stdout
    assert f"s3://{BUCKET}/{SPACE} at http://127" in ada.types("deployer", "spaces:info", SPACE).stdout
    assert keys.current(ada.app) in str(store.batch([List("apps/")]).answers)
    assert not (vault.folder / f"hosts/{vault.hosts[0].id}/srv/deployer/store").exists()


@pytest.mark.parametrize("off", [0, 3600, -3600])
def test_leases_are_judged_by_the_clock_of_s3_alone(ada: Owner, door: Door, store: S3Store, off: int) -> None:
    """Whether it is right, an hour ahead or an hour behind of laptop and hosts."""
    door.clock = lambda: time.time() + off
    key, here = keys.lease(f"app-{ada.app}"), ("-a", f"{SPACE}/{ada.app}")
    stored = store.batch([Get(key)]).answers[0]
    assert isinstance(stored, Stored)
    token = record.load(Lease, stored).token + 1
    store.batch([Put(key, record.dump(Lease(token, "x", "bob", "ci-7", 4711, "deploy", door.clock() + 60)))])
    ada.is_refused("deployer", "config:set", "A=1", *here, says=("bob on ci-7 is changing ⬢ safe",))
    store.batch([Put(key, record.dump(Lease(token, "x", "bob", "ci-7", 4711, "deploy", door.clock() - 1)))])
    ada.types("deployer", "config:set", f"A={off}", *here)
    assert ada.looks()["config"]["A"] == str(off)


def test_a_store_that_cannot_be_written_changes_nothing(ada: Owner, door: Door) -> None:
    """It answers, and refuses the commit: the release before serves on, and the next command clears up."""
    commits = Says(403, "AccessDenied", "not authorized to perform s3:PutObject")
    door.fault = lambda asked: commits if asked.method == "PUT" and asked.path.endswith("/current") else None
    serving = f"v{ada.current} still serving"
    said = ada.types("deployer", "config:set", "B=2", "-a", f"{SPACE}/{ada.app}", status=1).stderr
    assert "does not allow PutObject" in said and serving in said, said
    door.is_open()
    assert "B" not in ada.looks()["config"]
    ada.types("deployer", "config:set", "B=3", "-a", f"{SPACE}/{ada.app}")
    assert ada.looks()["operation"] is None


def test_a_commit_whose_answer_was_lost_is_a_commit(ada: Owner, door: Door) -> None:
    lost = once("PUT", Says(None, after=True))
    door.fault = lambda asked: lost(asked) if asked.path.endswith("/current") else None
    ada.types("deployer", "config:set", "C=1", "-a", f"{SPACE}/{ada.app}")
    assert ada.looks()["config"]["C"] == "1"


def test_a_store_without_an_answer_is_named_and_the_app_serves_on(ada: Owner, door: Door) -> None:
    door.fault = lambda asked: Says(None)
    said = ada.types("deployer", "config:set", "D=1", "-a", f"{SPACE}/{ada.app}", status=1).stderr
    assert "Could not reach the store s3://" in said, said
    ada.sees("GREETING")


def test_the_ledger_can_be_read_while_the_first_host_is_down(ada: Owner, vault: Sandbox) -> None:
    here = ("-a", f"{SPACE}/{ada.app}")
    ada.types("deployer", "ps:scale", "web=2", *here)
    vault._named(vault.hosts[0].id).stop()
    try:
        assert "web: python" not in ada.types("deployer", "releases", *here).stdout
        assert "C: 1" in ada.types("deployer", "config", *here).stdout
        ada.sees("GREETING")
    finally:
        vault.start()
    ada.types("deployer", "ps:scale", "web=1", *here)
    assert ada.looks()["operation"] is None


def test_a_store_is_claimed_once_and_only_one_that_keeps_its_word(home: Path, door: Door, ada: Owner) -> None:
    person = Person(home, "none", 0)
    words = ["deployer", "spaces:create", "second", "--store", f"s3://{BUCKET}/{SPACE}"]
    taken = person.types(*words, "--store-endpoint", door.endpoint, status=1).stderr
    assert f"holds the space {SPACE} already" in taken
    door.deaf = ("if-match",)
    ignored = person.types(*_create(door, "third"), status=1).stderr
    assert "does not honour conditional writes" in ignored
    assert not list(home.glob("data/sandbox/second")) + list(home.glob("data/sandbox/third"))
