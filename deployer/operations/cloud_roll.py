"""Replaces hosts of a space in AWS one after the other, and no request is lost: one more comes and serves, then one
goes, whose dynos others have by then (host/drain.py). Never is there more than one host too many.

What is cut off is finished by the same command: whoever is old is seen from AWS, nothing else is noted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployer.errors.cloud import HostNotReplaced, HostStays, NoSuchInstance, SpaceNotMade
from deployer.model.events import Detail, Step, Tell, Warn
from deployer.operations import cloud
from deployer.operations.cloud_group import SERVING
from deployer.operations.cloud_hosts import LOOK_EVERY, Arrivals
from deployer.spaces.aws import newer
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.furnish import address_of
from deployer.spaces.aws.record import Record
from deployer.spaces.aws.tools import Tools
from deployer.store import keys
from deployer.store.base import List
from deployer.store.s3 import S3Store

COMMAND = "deployer hosts:roll"
NO_ROOM = ("VcpuLimitExceeded", "more vCPU capacity than your current")  # what the account may not have does not come
LEAVES = 900.0  # seconds that a host gets to hand over; it takes ten minutes at most


@dataclass(frozen=True, slots=True)
class Made:
    """What a host is made of: an image, what AWS calls it, a size, and the version of the template that says all of
    it."""

    image: str
    size: str
    version: str
    called: str = ""

    def __str__(self) -> str:
        return f"{self.image} ({self.called}), {self.size}" if self.called else f"{self.image}, {self.size}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A host that is to be replaced, and what it is made of."""

    host: str
    made: Made


@dataclass(frozen=True, slots=True)
class Roll:
    """What a roll would do: `turns` in their order; hosts are `wanted` so. `spare` is how many more hosts than its
    count the group is to have, as of a roll that was cut off; `gone` are those that were asked for and that are there
    no more."""

    known: Record
    wanted: Made
    turns: tuple[Turn, ...]
    spare: int = 0
    gone: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.turns and not self.spare


def look(tools: Tools, name: str, region: str, chosen: Sequence[str] = ()) -> Roll:
    """What is to be replaced: the `chosen` hosts, or else those that are not what the next one would be. Changes
    nothing. SpaceNotMade, NoSuchInstance."""
    known = cloud.info(tools, name, region)
    if "group" not in known.outputs:
        raise SpaceNotMade(name, known.account, region)
    account = tools.account(region)
    group = _group(account, known)
    made, wanted = _made(account, group), _wanted(account, group)
    there = [one["InstanceId"] for one in group["Instances"] if _stays(one)]
    gone = tuple(one for one in chosen if one not in there)
    _refuse_unknown(account, known, gone, there)
    old = [one for one in there if one in chosen] if chosen else [one for one in there if made[one] != wanted]
    spare = max(0, group["DesiredCapacity"] - known.spec.hosts.count)
    return Roll(known, wanted, tuple(Turn(one, made[one]) for one in old), spare, gone)


def roll(tools: Tools, name: str, region: str, chosen: Sequence[str], tell: Tell) -> Roll:
    """Do it, under the space's lease; what was done. HostNotReplaced, HostStays, SpaceBusy. Can be repeated after any
    failure."""
    account = tools.account(region)
    with cloud.leased(account, name, COMMAND), cloud.going_on(_again(name, chosen)):
        found = look(tools, name, region, chosen)
        rolling = _Rolling(account, found.known, tell, tools.arrival)
        for number, turn in enumerate(found.turns, 1):
            tell(Step(f"Replacing {turn.host}, {number} of {len(found.turns)}"))
            rolling.replace(turn.host)
        rolling.settle()
    return found


def _again(name: str, chosen: Sequence[str]) -> str:
    return " ".join([COMMAND, "--space", name, *(f"--host {one}" for one in chosen)])


@dataclass
class _Rolling:
    """A roll at work."""

    account: Account
    known: Record
    tell: Tell
    patience: float  # seconds that a new host gets to serve

    @property
    def count(self) -> int:
        return self.known.spec.hosts.count

    def replace(self, host: str) -> None:
        """Have one more, wait until it serves, send this one away and wait until it is gone."""
        for one in [one["InstanceId"] for one in self._instances() if one["LifecycleState"].startswith("Terminating")]:
            self._await_end(one)  # as of a roll that was cut off
        began = datetime.now(UTC)
        with self._taken_back(host):
            self._desire(self.count + 1)
            self._await_newcomer(host, began)
        with asking():
            self.account.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=host, ShouldDecrementDesiredCapacity=True
            )
        self.tell(Detail(f"{host} hands its dynos to the others"))
        self._await_end(host)

    def settle(self) -> None:
        """As many as there should be: also where a roll was cut off whose host has died meanwhile."""
        if _group(self.account, self.known)["DesiredCapacity"] > self.count:
            self._desire(self.count)

    def _desire(self, count: int) -> None:
        with asking():
            self.account.client("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=self.known.outputs["group"], DesiredCapacity=count
            )

    def _await_newcomer(self, host: str, began: datetime) -> None:
        since = began.timestamp()
        arrivals = Arrivals(self.account, self.known, self.tell, wanted=self.count + 1, since=since)
        deadline = time.monotonic() + self.patience
        while not (arrivals.look() and self._is_in_front(arrivals.serving)):
            refused = any(word in problem for problem in arrivals.problems for word in NO_ROOM)
            if refused or time.monotonic() > deadline:
                raise HostNotReplaced(self.known.name, host, arrivals.lines())
            time.sleep(LOOK_EVERY)

    def _is_in_front(self, serving: frozenset[str]) -> bool:
        """Whether the load balancer, where there is one, sends requests to all that serve."""
        elb = self.account.client("elbv2")
        with asking():
            for arn in _group(self.account, self.known)["TargetGroupARNs"]:
                found = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
                healthy = {one["Target"]["Id"] for one in found if one["TargetHealth"]["State"] == "healthy"}
                if not serving <= healthy:
                    return False
        return True

    @contextmanager
    def _taken_back(self, host: str) -> Iterator[None]:
        """Where the new one does not come there are as many as before, and those that serve stay."""
        try:
            yield
        except HostNotReplaced:
            scaling = self.account.client("autoscaling")
            coming = [one for one in self._instances() if one["LifecycleState"].startswith("Pending")]
            for one in coming:
                with asking():
                    scaling.terminate_instance_in_auto_scaling_group(
                        InstanceId=one["InstanceId"], ShouldDecrementDesiredCapacity=True
                    )
            serving = sum(one["LifecycleState"] == SERVING for one in self._instances())
            if serving <= self.count:  # else AWS would choose which of those that serve goes
                self._desire(self.count)
            self.tell(Warn(f"{host} stays, and serves"))
            raise

    def _await_end(self, host: str) -> None:
        deadline = time.monotonic() + LEAVES
        while host in [one["InstanceId"] for one in self._instances()]:
            if time.monotonic() > deadline:
                raise HostStays(self.known.name, host, f"{LEAVES / 60:.0f}")
            time.sleep(LOOK_EVERY)
        self.tell(Detail(f"{host} is gone"))

    def _instances(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _group(self.account, self.known)["Instances"]
        return found


def _group(account: Account, known: Record) -> dict[str, Any]:
    with asking():
        found = account.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[known.outputs["group"]]
        )["AutoScalingGroups"]
    if not found:
        raise SpaceNotMade(known.name, known.account, known.spec.region)
    group: dict[str, Any] = found[0]
    return group


def _stays(instance: dict[str, Any]) -> bool:
    """Whether a host is there, and nobody has sent it away."""
    return not instance["LifecycleState"].startswith(("Terminat", "Pending"))


def _made(account: Account, group: dict[str, Any]) -> dict[str, Made]:
    """What each host of the group is made of."""
    versions = {one["InstanceId"]: one.get("LaunchTemplate", {}).get("Version", "") for one in group["Instances"]}
    if not versions:
        return {}
    with asking():
        found = account.client("ec2").describe_instances(InstanceIds=list(versions))["Reservations"]
    instances = [one for reservation in found for one in reservation["Instances"]]
    called = newer.names(account, {one["ImageId"] for one in instances})
    return {
        one["InstanceId"]: Made(
            one["ImageId"], one["InstanceType"], versions[one["InstanceId"]], called.get(one["ImageId"], "")
        )
        for one in instances
    }


def _wanted(account: Account, group: dict[str, Any]) -> Made:
    """What the next host will be made of."""
    template = group["LaunchTemplate"]
    with asking():
        found = account.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
        )["LaunchTemplateVersions"][0]
    data = found["LaunchTemplateData"]
    called = newer.names(account, [data["ImageId"]])
    return Made(data["ImageId"], data["InstanceType"], str(found["VersionNumber"]), called.get(data["ImageId"], ""))


def _refuse_unknown(account: Account, known: Record, gone: Sequence[str], there: Sequence[str]) -> None:
    """NoSuchInstance for what never was a host of this space; one that was has been replaced."""
    if not gone:
        return
    listed = S3Store(address_of(account, known.bucket)).batch([List(keys.HOSTS)]).answers[0]
    assert isinstance(listed, tuple)
    once = {keys.host_of(key) for key in listed if keys.is_host(key)}
    for one in gone:
        if one not in once:
            raise NoSuchInstance(one, known.name, ", ".join(sorted(there)) or "none")
