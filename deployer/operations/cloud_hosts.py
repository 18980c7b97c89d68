"""The hosts of a space in AWS as they come: which of them have joined, what keeps the others, until when to wait."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from deployer.errors.cloud import HostsNotThere
from deployer.model.events import Detail, Doing, Done, Step, Tell, Warn
from deployer.operations import cloud_group
from deployer.operations.cloud_group import HOUR, SERVING, Seen
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.record import Record

LOOK_EVERY = 2.0  # seconds


@dataclass
class Arrivals:
    """What was seen of the hosts of a space until now. `wanted` are so many, or its count; of what the group did, and
    of hosts that could not join, what began `since` (seconds since 1970), or within the last hour."""

    account: Account
    known: Record
    tell: Tell
    wanted: int | None = None
    since: float | None = None
    seen: Seen | None = None
    problems: list[str] = field(default_factory=list)  # what AWS or a host said, each once

    def look(self) -> bool:
        """Whether as many hosts serve as are wanted; what is new is told."""
        before, self.seen = self.seen, cloud_group.look(self.account, self.known)
        known = {one.id: one.state for one in before.instances} if before else {}
        for one in self.seen.instances:
            if known.get(one.id) != one.state:
                self.tell(Detail(f"{one.id} {one.word}"))
        self._note_problems(self.seen)
        return len(self.serving) >= (self.wanted or self.known.spec.hosts.count)

    @property
    def serving(self) -> frozenset[str]:
        """The hosts that were in service."""
        return frozenset(one.id for one in self.seen.instances if one.state == SERVING) if self.seen else frozenset()

    def lines(self) -> str:
        """A line for each host, and for each problem."""
        hosts = [f"{one.id}: {one.word}" for one in self.seen.instances] if self.seen else []
        return "\n".join([*(hosts or ["No host is there."]), *self.problems])

    def _note_problems(self, seen: Seen) -> None:
        """A group waits in silence where AWS has no room, or the account may have no more."""
        since = seen.now - HOUR if self.since is None else self.since
        told = [f"AWS: {one}" for one in reversed(seen.refused(since))]
        told += [f"{one.host} could not join ({one.step}): {one.reason}" for one in seen.failed(since)]
        for text in [one for one in dict.fromkeys(told) if one not in self.problems]:
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
            raise HostsNotThere(known.name, f"{patience / 60:.0f}", arrivals.lines())
        time.sleep(LOOK_EVERY)
    hosts = arrivals.seen.counting if arrivals.seen else ()
    tell(Doing("Who has a seat"))
    tell(Done(", ".join(f"{host.seat}: {host.id}" for host in hosts) or "nobody"))


def _counted(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
