"""Hosts of a space in AWS, with the user's own keys: through the endpoint, or directly."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deployer.errors.base import Failure
from deployer.errors.ledger import SpaceEmpty
from deployer.errors.remote import AuthenticationRefused, HostKeyChanged
from deployer.errors.ssh import NoKeyAccepted
from deployer.model.space import NO_HOST, Host, Pointer, StoreAddress
from deployer.operations.dialling import dialler
from deployer.remote import ssh_config
from deployer.remote.person import NOBODY
from deployer.spaces.aws import record
from deployer.spaces.aws.access import Access
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.record import Record
from deployer.store.s3 import S3Store
from infra.spec import Spec
from tests.infra.moto_here import ACCOUNT, REGION, moto
from tests.remote.agents_here import sshd
from tests.spaces.instance_connect import InstanceConnect, instance_connect, lend_credentials

pytestmark = pytest.mark.edge
ADDRESS = "10.0.1.7"


@dataclass
class Scene:
    """A space whose state bucket is in moto, and a host behind an endpoint; `config` is the user's ssh_config."""

    aws: InstanceConnect
    pointer: Pointer
    host: Host
    identity: Path
    config: Path

    def specify(self, *ssh_from: str) -> None:
        assert self.pointer.store is not None
        spec = Spec(REGION, ssh_from=ssh_from)
        record.save(S3Store(self.pointer.store), Record("production", spec, ACCOUNT, "0.1.0"))

    def says(self, host: Host) -> str:
        access = Access(self.pointer, NOBODY, lambda account, space: self.aws.endpoint, again=0.5)
        with access.connect(host) as session:
            return session.run(["echo", host.id], as_root=False).printed


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("access")
    with ExitStack() as stack:
        server, endpoint = stack.enter_context(sshd(folder)), stack.enter_context(moto())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        aws = stack.enter_context(instance_connect(folder, {ADDRESS: server.host.port}))
        lend_credentials(patch, folder)
        patch.setenv("DEPLOYER_HOME", str(folder / "home"))
        patch.setenv("DEPLOYER_SSH_CONFIG", str(folder / "ssh_config"))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        where = {"LocationConstraint": REGION}
        s3 = Account(REGION, endpoint).client("s3")
        s3.create_bucket(Bucket="state-of-tests", CreateBucketConfiguration=where)
        host = replace(server.host, address="", private_address=ADDRESS, port=22)
        store = StoreAddress("state-of-tests", "", endpoint, REGION)
        pointer = Pointer("production", "aws", NO_HOST, "", store=store)
        yield Scene(aws, pointer, host, server.identity, folder / "ssh_config")


@pytest.fixture(autouse=True)
def keys(scene: Scene) -> Iterator[None]:
    scene.config.write_text(f"IdentityFile {scene.identity}\nIdentitiesOnly yes\n")
    ssh_config.way_to.cache_clear()
    yield
    ssh_config.way_to.cache_clear()


def test_hosts_are_reached_through_the_endpoint(scene: Scene) -> None:
    scene.specify()
    before = len(scene.aws.asked)
    assert scene.says(scene.host) == "h1\n"
    assert len(scene.aws.asked) == before + 1


def test_hosts_are_reached_directly_where_the_specification_says_so(scene: Scene) -> None:
    scene.specify("203.0.113.0/24")
    before = len(scene.aws.asked)
    assert scene.says(replace(scene.host, address="127.0.0.1", port=scene.aws.behind[ADDRESS])) == "h1\n"
    assert len(scene.aws.asked) == before


def test_the_hosts_key_is_that_of_the_ledger_and_the_users_that_of_ssh(scene: Scene) -> None:
    scene.specify()
    with pytest.raises(HostKeyChanged):
        scene.says(replace(scene.host, host_key="ssh-ed25519 AAAA"))
    scene.config.write_text(f"IdentityFile {scene.config.parent}/absent\nIdentitiesOnly yes\n")
    ssh_config.way_to.cache_clear()
    with pytest.raises(NoKeyAccepted):
        scene.says(scene.host)


def test_a_key_of_this_machine_that_is_new_may_take_its_time(scene: Scene) -> None:
    """Hosts look for new ones every ten seconds; whose key is old is told at once."""
    scene.specify()
    authorized = scene.identity.parent / "authorized"
    before = authorized.read_bytes()
    mine = replace(scene, pointer=replace(scene.pointer, identity=str(scene.identity)))
    authorized.write_bytes(b"")
    made = time.time()
    os.utime(scene.identity, (made - 3600, made - 3600))
    with pytest.raises(AuthenticationRefused):
        mine.says(scene.host)
    os.utime(scene.identity)
    threading.Timer(1.0, authorized.write_bytes, (before,)).start()
    assert mine.says(scene.host) == "h1\n"


def test_a_space_without_an_endpoint_says_so(scene: Scene) -> None:
    scene.specify()
    with pytest.raises(Failure, match="its EC2 Instance Connect Endpoint is not there"):
        dialler(scene.pointer)(scene.host)


def test_a_state_bucket_without_a_space_says_so(scene: Scene) -> None:
    assert scene.pointer.store is not None
    elsewhere = replace(scene.pointer, store=replace(scene.pointer.store, prefix="nothing/"))
    with pytest.raises(SpaceEmpty):
        dialler(elsewhere)(scene.host)
