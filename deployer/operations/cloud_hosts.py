"""The hosts of a space in AWS as they come: which of them have joined, what keeps the others, until when to wait."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from deployer.errors.cloud import HostsNotThere
from deployer.model.events import Detail, Doing, Done, Step, Tell, Warn
from deployer.model.joining import JoinFailure
from deployer.operations.session import whoami
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.furnish import address_of
from deployer.spaces.aws.record import Record
from deployer.store import keys, record
from deployer.store.base import Get, List, Stored
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store

LOOK_EVERY = 2.0  # seconds
SERVING, FAILED = "InService", ("Failed", "Cancelled")
WORDS = {
    "Pending": "starts",
    "Pending:Wait": "boots, and joins",
    "Pending:Proceed": "has joined",
    SERVING: "serves",
    "Terminating": "goes",
    "Terminating:Wait": "goes, when its requests have ended",
    "Terminating:Proceed": "goes",
}


@dataclass
class Arrivals:
    """What was seen of the hosts of a space until now. `wanted` are so many, or its count; of the group's activities
    those that began `since`."""

    account: Account
    known: Record
    tell: Tell
    wanted: int | None = None
    since: datetime | None = None
    states: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)  # what AWS or a host said, each once

    def look(self) -> bool:
        """Whether as many hosts serve as are wanted; what is new is told."""
        group, wanted = self.known.outputs["group"], self.wanted or self.known.spec.hosts.count
        with asking():
            self._note_states(group)
            self._note_activities(group)
        self._note_failures()
        return sum(state == SERVING for state in self.states.values()) >= wanted

    def seen(self) -> str:
        """A line for each host, and for each problem."""
        hosts = [f"{name}: {self.word(name)}" for name in sorted(self.states)] or ["No host is there."]
        return "\n".join([*hosts, *self.problems])

    def word(self, name: str) -> str:
        """What a host does now."""
        return WORDS.get(self.states[name], self.states[name])

    def _note_states(self, group: str) -> None:
        scaling = self.account.client("autoscaling")
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
        before, self.states = self.states, {}
        for one in (instance for each in found for instance in each["Instances"]):
            self.states[one["InstanceId"]] = one["LifecycleState"]
            if before.get(one["InstanceId"]) != one["LifecycleState"]:
                self.tell(Detail(f"{one['InstanceId']} {self.word(one['InstanceId'])}"))

    def _note_activities(self, group: str) -> None:
        """A group waits in silence where AWS has no room, or the account may have no more."""
        scaling = self.account.client("autoscaling")
        for one in scaling.describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=10)["Activities"]:
            is_new = self.since is None or one["StartTime"] >= self.since
            if is_new and one["StatusCode"] in FAILED and (told := one.get("StatusMessage")):
                self._note(f"AWS: {told}")

    def _note_failures(self) -> None:
        """What hosts have left that could not join."""
        store = S3Store(address_of(self.account, self.known.bucket))
        listed = store.batch([List(keys.HOSTS)]).answers[0]
        assert isinstance(listed, tuple)
        names = [key for key in listed if key.endswith("/failed")]
        for found in store.batch([Get(key) for key in names]).answers:
            if isinstance(found, Stored):
                failure = record.load(JoinFailure, found)
                self._note(f"{failure.host} could not join ({failure.step}): {failure.reason}")

    def _note(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)
            self.tell(Warn(text))


def await_hosts(account: Account, known: Record, tell: Tell, patience: float) -> None:
    """Wait until all hosts of a space serve; HostsNotThere after `patience` seconds. Nobody waits with none."""
    if not patience or "group" not in known.outputs:
        return
    tell(Step(f"Waiting for {_counted(known.spec.hosts.count)} to join {known.name}"))
    arrivals, deadline = Arrivals(account, known, tell), time.monotonic() + patience
    while not arrivals.look():
        if time.monotonic() > deadline:
            raise HostsNotThere(known.name, f"{patience / 60:.0f}", arrivals.seen())
        time.sleep(LOOK_EVERY)
    ledger = Ledger(S3Store(address_of(account, known.bucket)), whoami())
    hosts = ledger.seated_hosts()
    tell(Doing("Who has a seat"))
    tell(Done(", ".join(f"{host.seat}: {host.id}" for host in hosts) or "nobody"))


def _counted(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
