"""The hosts of a space in AWS as its group and its store have them. Nothing is changed, and no host is asked."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from deployer.errors.base import Failure
from deployer.model.joining import AgentRef, JoinFailure
from deployer.model.membership import counting
from deployer.model.space import Host
from deployer.operations.cloud_ledger import store_of
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.record import Record
from deployer.store import keys, record
from deployer.store.base import Get, List, Stored
from deployer.store.entries import Claim
from deployer.store.s3 import S3Store

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
HOUR = 3600.0  # seconds in which what failed is news
MOST = 50  # reports of hosts that are read where nobody says which are news
INSTANCE = re.compile(r"\bi-[0-9a-z]+\b")


@dataclass(frozen=True, slots=True)
class Instance:
    """One of the group; `state` as Auto Scaling calls it."""

    id: str
    state: str
    is_well: bool

    @property
    def is_going(self) -> bool:
        """Whether the group ends it, from which none comes back."""
        return self.state.startswith("Terminat")

    @property
    def is_alive(self) -> bool:
        """Whether it may hold a seat."""
        return self.is_well and not self.is_going and not self.state.startswith("Detach")

    @property
    def word(self) -> str:
        """What it does now."""
        return WORDS.get(self.state, self.state) if self.is_well else "is ill, as AWS sees it"


@dataclass(frozen=True, slots=True)
class Activity:
    """What the group has done, or tried: in AWS's words, and when it began (seconds since 1970)."""

    what: str
    status: str
    message: str
    began: float

    @property
    def instance(self) -> str:
        """The instance that it is about; empty where there came none."""
        found = INSTANCE.search(self.what)
        return found.group() if found else ""

    @property
    def is_launch(self) -> bool:
        """Whether a host was to come."""
        return self.what.startswith("Launching")


@dataclass(frozen=True, slots=True)
class Seen:
    """`wanted` is how many hosts are to be there; `seats` are the claims; `failures` are of the hosts that are there
    and of those of the last hour; `untold` is why nobody says what the group did, None where it does; `now` in seconds
    since 1970."""

    wanted: int
    instances: tuple[Instance, ...]
    activities: tuple[Activity, ...]
    registered: tuple[Host, ...]
    seats: dict[int, str]
    failures: tuple[JoinFailure, ...]
    agent: AgentRef | None
    now: float
    untold: Failure | None = None

    @property
    def counting(self) -> tuple[Host, ...]:
        """The hosts that count, by seat."""
        return counting(self.registered, self.seats, {one.id for one in self.instances if one.is_alive})

    @property
    def gone(self) -> frozenset[str]:
        """Who still has a seat, and is not in the group any more: nobody answers there."""
        return frozenset(self.seats.values()) - {one.id for one in self.instances}

    def seat_of(self, instance: str) -> int | None:
        """The seat of a host that counts."""
        return next((host.seat for host in self.counting if host.id == instance), None)

    def refused(self, since: float) -> list[str]:
        """What AWS has said since then of hosts that did not come, or go."""
        return [one.message for one in self.activities if one.began >= since and one.status in FAILED and one.message]

    def failed(self, since: float) -> list[JoinFailure]:
        """Why hosts could not join that are there, or that the group began to start since then."""
        news = {one.id for one in self.instances} | {one.instance for one in self.activities if one.began >= since}
        return [one for one in self.failures if one.host in news]

    def launched(self, instance: str) -> float | None:
        """When the group began to start it."""
        return next((one.began for one in self.activities if one.is_launch and one.instance == instance), None)


def look(account: Account, known: Record) -> Seen:
    """Ask AWS and the store; a failure where either does not answer, but for what the group did (`untold`)."""
    group = known.outputs["group"]
    with asking():
        wanted, instances = members(account, group)
    now, untold = datetime.now(UTC).timestamp(), None
    activities: tuple[Activity, ...] = ()
    try:
        with asking():
            activities = _activities(account, group)
    except Failure as failure:
        untold = failure
    store = store_of(account, known)
    assert store is not None, "a group is made after the bucket"
    agent, listed = store.batch([Get(keys.AGENT), List(keys.HOSTS)]).answers
    assert isinstance(listed, tuple)
    there = {one.id for one in instances}
    recent = None if untold else there | {one.instance for one in activities if now - one.began < HOUR}
    return Seen(
        wanted,
        instances,
        activities,
        _registered(store, listed, there),
        _seats(store),
        _failures(store, listed, recent),
        record.found(AgentRef, agent),
        now,
        untold,
    )


def members(account: Account, group: str) -> tuple[int, tuple[Instance, ...]]:
    """How many the group wants, and those that it has, by id. Inside `asking`."""
    answer = account.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    found = answer["AutoScalingGroups"]
    instances = (one for each in found for one in each["Instances"])
    members = (
        Instance(one["InstanceId"], one["LifecycleState"], one["HealthStatus"] == "Healthy") for one in instances
    )
    return sum(one["DesiredCapacity"] for one in found), tuple(sorted(members, key=lambda one: one.id))


def _activities(account: Account, group: str) -> tuple[Activity, ...]:
    """The newest first."""
    answer = account.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=100)
    found = (
        Activity(one["Description"], one["StatusCode"], one.get("StatusMessage", ""), one["StartTime"].timestamp())
        for one in answer["Activities"]
    )
    return tuple(sorted(found, key=lambda one: -one.began))


def _seats(store: S3Store) -> dict[int, str]:
    listed = store.batch([List(keys.SEATS)]).answers[0]
    assert isinstance(listed, tuple)
    names = [name for name in listed if keys.seat_number(name)]  # seats/reboot is no seat
    found = zip(names, store.batch([Get(name) for name in names]).answers, strict=True)
    claims = {key: record.load(Claim, one) for key, one in found if isinstance(one, Stored)}
    return {keys.seat_number(key): claim.owner for key, claim in claims.items()}


def _registered(store: S3Store, listed: Sequence[str], there: Container[str]) -> tuple[Host, ...]:
    """Of those that are there, by seat. Of a host there are two: its own word, and after it what people say of it."""
    names = [key for key in listed if keys.is_host(key) and keys.host_of(key) in there]
    found = zip(names, store.batch([Get(name) for name in names]).answers, strict=True) if names else ()
    loaded = [(key, record.load(Host, one)) for key, one in found if isinstance(one, Stored)]
    hosts = {host.id: host for key, host in loaded if keys.host_of(key) == host.id}
    return tuple(sorted(hosts.values(), key=lambda host: host.seat))


def _failures(store: S3Store, listed: Sequence[str], wanted: Container[str] | None) -> tuple[JoinFailure, ...]:
    """Of these instances: what hosts leave stays in the store for long."""
    names = [key for key in listed if key.endswith("/failed")]
    if wanted is not None:
        names = [key for key in names if keys.host_of(key.removesuffix("/failed")) in wanted]
    found = store.batch([Get(key) for key in names[:MOST]]).answers if names else ()
    loaded = [record.load(JoinFailure, one) for one in found if isinstance(one, Stored)]
    return tuple(sorted(loaded, key=lambda one: one.at))
