"""What a run does to hosts: waits until they have joined, and ends one to see another come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from deployer.spaces.aws.account import asking
from smoke import look
from smoke.place import Place

HOOK, HELD, SERVING = "join", "Pending:Wait", "InService"


@dataclass(frozen=True, slots=True)
class Ended:
    """A host that was ended by its id, the hosts before and after by id and kind, and the seconds between."""

    victim: str
    before: dict[str, str]
    after: dict[str, str]
    seconds: float

    @property
    def new(self) -> dict[str, str]:
        """The hosts that came."""
        return {name: kind for name, kind in self.after.items() if name not in self.before}

    def as_json(self) -> dict[str, Any]:
        facts = {"victim": self.victim, "before": self.before, "after": self.after}
        return {**facts, "seconds": round(self.seconds, 1)}


def settle(place: Place, group: str, count: int) -> bool:
    """Wait until so many hosts serve, in the word of their group. Where none boots this says for them that they have
    joined, as AWS would give them up after a quarter of an hour."""

    def served() -> bool:
        found = look.states(place.account, group)
        for name in (one for one, state in found.items() if state == HELD and not place.joins):
            with asking():
                place.account.client("autoscaling").complete_lifecycle_action(
                    AutoScalingGroupName=group,
                    LifecycleHookName=HOOK,
                    InstanceId=name,
                    LifecycleActionResult="CONTINUE",
                )
        return len(found) == count and set(found.values()) == {SERVING}

    return place.wait(served)


def end_one(place: Place, group: str, count: int) -> Ended:
    """End the first host in EC2, behind its group's back, and wait until the group has as many again."""
    before = look.hosts(place.account, group)
    victim = next(iter(before))
    began = time.monotonic()
    with asking():
        place.account.client("ec2").terminate_instances(InstanceIds=[victim])
    place.wait(lambda: victim not in look.states(place.account, group))
    settle(place, group, count)
    return Ended(victim, before, look.hosts(place.account, group), time.monotonic() - began)
