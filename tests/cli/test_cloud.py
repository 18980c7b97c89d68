"""Commands on a space in AWS, as a person types them, in a cloud on loopback with its state in a bucket."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.cli.main import run
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.model.lease import Lease
from deployer.operations.session import open_space
from deployer.spaces import pointers
from deployer.spaces.aws import bootstrap, record
from deployer.spaces.aws.foreign import foreign
from deployer.spaces.aws.pulumi_lock import STATES, locks
from deployer.store import keys
from deployer.store import lease as leases
from deployer.store import record as records
from deployer.store.base import Put
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.standin.provider import Call

pytestmark = pytest.mark.edge
SPACE = """
[space.production]
region = "eu-central-1"
account = "123456789012"
database = { size = "db.t4g.micro" }
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@dataclass
class Laptop:
    """A person's machine: `answer` is what is typed when something is asked."""

    here: Cloud
    folder: Path
    answer: str | None = None
    out: str = ""
    err: str = ""

    def run(self, *words: str) -> int:
        """Type `deployer WORDS`; the exit status."""
        out, err = io.StringIO(), io.StringIO()
        shell = Shell(
            output=Output(out, err, False, False),
            env={},
            folder=self.folder,
            pointers=pointers,
            open_space=open_space,
            ask=None if self.answer is None else lambda prompt: str(self.answer),
            tools=lambda: self.here.tools(self.folder.parent),
        )
        status = run(words, shell)
        self.out, self.err = out.getvalue(), err.getvalue()
        return status

    def says(self, text: str = SPACE) -> None:
        (self.folder / "deployer.toml").write_text(text)


@contextmanager
def at_work(here: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """A laptop with folders of its own, whose commands ask nothing outside of the cloud here."""
    monkeypatch.setenv("DEPLOYER_HOME", str(folder / "home-of-deployer"))
    (folder / "work").mkdir()
    yield Laptop(here, folder / "work")
    assert not here.asked


@pytest.fixture
def laptop(shared: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with at_work(shared, tmp_path, monkeypatch) as one:
        yield one


def versions(here: Cloud) -> list[str]:
    """Of everything in the state bucket: whoever writes there leaves one."""
    s3 = here.client("s3")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"] if "-state-" in one["Name"]]
    found = s3.list_object_versions(Bucket=bucket)
    return sorted(one["VersionId"] for one in [*found["Versions"], *found.get("DeleteMarkers", [])])


def test_a_day_with_a_space(laptop: Laptop) -> None:
    laptop.says()
    before = laptop.here.there()
    assert laptop.run("up", "--space", "production") == 1
    assert "would be made" in laptop.err and "--yes" in laptop.err
    laptop.answer = "no"
    assert laptop.run("up", "--space", "production") == 1
    assert "Nothing of production was changed." in laptop.err
    assert laptop.here.there() == before

    laptop.answer = "yes"
    assert laptop.run("up", "--space", "production") == 0, laptop.err
    assert "database: RDS for PostgreSQL deployer-production made" in laptop.err
    laptop.answer = None
    assert laptop.run("up", "--space", "production") == 0, laptop.err
    assert "Nothing to do: production is as it should be." in laptop.err

    assert laptop.run("spaces:refresh", "production", "--detailed-exitcode") == 0, laptop.err
    assert "Everything is as deployer left it." in laptop.out
    assert_unlocks(laptop)
    assert_looks(laptop)

    laptop.says(SPACE + 'hosts = { size = "t4g.medium" }\n')
    seen = versions(laptop.here)
    assert laptop.run("preview", "--space", "production", "--detailed-exitcode") == 2, laptop.err
    assert "instanceType: t4g.small -> t4g.medium" in laptop.out
    assert versions(laptop.here) == seen
    assert laptop.run("hosts", "--space", "production") == 1
    assert "No host of production has joined it." in laptop.err

    laptop.here.provider.fault = one_that_writes_until_it_ends(laptop.here)
    assert laptop.run("down", "--space", "production", "--confirm", "production") == 0, laptop.err
    assert "Once more, with what the hosts had written to the store before they ended" in laptop.err
    laptop.here.provider.fault = lambda call: None
    left = laptop.here.there()
    [snapshot] = [one for one in left.pop("snapshot") if not one.startswith("rds:")]
    assert f"Kept: last snapshot {snapshot}, 20 GB, its price is unknown." in laptop.err
    assert left == before
    assert pointers.names() == []


def one_that_writes_until_it_ends(here: Cloud) -> Callable[[Call], None]:
    """A host: its group is deleted once it has ended, which takes minutes in AWS."""

    def fault(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("delete", "aws:autoscaling/group:Group", False):
            s3 = here.client("s3")
            [store] = [one["Name"] for one in s3.list_buckets()["Buckets"] if "-store" in one["Name"]]
            s3.put_object(Bucket=store, Key="hosts/i-1/last", Body=b"{}")

    return fault


def assert_looks(laptop: Laptop) -> None:
    """`spaces:info` and `doctor` say what the group has; here nobody boots, so that nobody takes a seat."""
    assert laptop.run("spaces:info", "production") == 0, laptop.err
    assert " no seat (InService: serves)" in laptop.out and "none" in laptop.out
    assert laptop.run("spaces:info", "production", "--json") == 0, laptop.err
    told = json.loads(laptop.out)
    assert [one["state"] for one in told["hosts"]] == ["InService"] and told["apps"] == []
    assert laptop.run("doctor", "--space", "production") == 1
    assert "hosts: 0 of 1 serve" in laptop.out and "it serves, as AWS sees it, and has no seat" in laptop.out
    assert laptop.run("doctor", "--space", "production", "--json") == 1
    [host] = [one for one in json.loads(laptop.out) if one["where"].startswith("i-")]
    assert host["advice"].startswith("aws autoscaling set-instance-health")


def assert_unlocks(laptop: Laptop) -> None:
    """Where nothing is locked it says so; what another laptop has left is shown, and taken away after a question."""
    assert laptop.run("spaces:unlock", "production") == 0, laptop.err
    assert "Nothing of production is locked" in laptop.err
    account = laptop.here.tools(laptop.folder.parent).account("eu-central-1")
    state = bootstrap.find(account, "production")
    assert state
    other = Lease(9, "ab12", "ana", "laptop-2", 7, "deployer up", expires=time.time() + 50)
    record.store_of(account, state).batch([Put(keys.lease("space"), records.dump(other))])
    key = f"{STATES}/.pulumi/locks/organization/deployer/production/1.json"
    held = {"pid": 8, "username": "ana", "hostname": "laptop-2", "timestamp": "2026-11-25T08:00:00Z"}
    account.client("s3").put_object(Bucket=state.bucket, Key=key, Body=json.dumps(held).encode())
    assert laptop.run("spaces:unlock", "production") == 1
    assert "held by ana on laptop-2, process 7, with `deployer up`" in laptop.err
    assert "Pulumi's lock is held by ana on laptop-2, process 8, since 2026-11-25T08:00:00Z." in laptop.err
    assert laptop.run("spaces:unlock", "production", "--yes") == 0, laptop.err
    assert not locks(account, state)
    assert leases.look(record.store_of(account, state), "space") is None


def test_what_others_put_into_the_network_is_named_and_stops_down(laptop: Laptop) -> None:
    laptop.says(SPACE.replace("database", "load-balancer = true\ndatabase"))
    assert laptop.run("up", "--space", "production", "--yes") == 0, laptop.err
    account = laptop.here.tools(laptop.folder.parent).account("eu-central-1")
    assert foreign(account, "production") == []
    elbv2 = laptop.here.client("elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    assert laptop.run("spaces:refresh", "production", "--detailed-exitcode") == 2, laptop.err
    assert "1 thing is not as deployer left it." in laptop.out and "listener http is not there" in laptop.out
    assert laptop.run("spaces:refresh", "production", "--json") == 0, laptop.err
    assert [(one["noun"], one["what"]) for one in json.loads(laptop.out)["drift"]] == [("load-balancer", "missing")]

    ec2 = laptop.here.client("ec2")
    mine = [{"Name": "tag:deployer:space", "Values": ["production"]}]
    subnet = ec2.describe_subnets(Filters=mine)["Subnets"][0]
    group = ec2.create_security_group(GroupName="by-hand", Description="by hand", VpcId=subnet["VpcId"])["GroupId"]
    interface = ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[group], Description="a firewall")
    number = interface["NetworkInterface"]["NetworkInterfaceId"]

    leave = ("down", "--space", "production", "--delete-data")
    assert laptop.run(*leave) == 2
    named = f"  security group {group} (by-hand)\n", f"  network interface {number} (a firewall)\n"
    assert all(one in laptop.err for one in named), laptop.err
    assert laptop.run(*leave, "--confirm", "production") == 1
    assert "could be done" in laptop.err and all(one in laptop.err for one in named), laptop.err

    ec2.delete_network_interface(NetworkInterfaceId=number)
    ec2.delete_security_group(GroupId=group)
    assert laptop.run(*leave, "--confirm", "production") == 0, laptop.err
