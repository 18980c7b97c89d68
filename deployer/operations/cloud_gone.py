"""What AWS says of hosts that do not answer: which of them are gone for good, and what comes in their place.

Gone is whom EC2 ends or has ended; and whom the group sends away, where it does not answer: one that does hands over.
Neither comes back from there (EC2 user guide, `Amazon EC2 instance state changes`), and the group takes a host from the
load balancer before its hooks begin (Auto Scaling user guide, `How lifecycle hooks work`, 4). One that is ill, has
stopped, or says nothing may be back in a moment, with requests and what it knew: that one is not gone. No clock is
looked at.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from deployer.model.space import Host, StoreAddress
from deployer.operations.cloud_group import Instance, members
from deployer.spaces.aws import record
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.credentials import PATIENCE, TRIES
from deployer.store.s3 import S3Store

OVER = ("shutting-down", "terminated")  # states of EC2 from which none comes back


@dataclass(frozen=True, slots=True)
class Fate:
    """What AWS says of a host: `said` in its words, whether it `is_over`, and whether its group sends it away."""

    host: str
    said: str
    is_over: bool = False
    is_going: bool = False


@dataclass(frozen=True, slots=True)
class Fates:
    """Those of hosts that have not answered yet. `coming` is what comes in the place of one that is gone; empty where
    nothing is to."""

    of: tuple[Fate, ...] = ()
    coming: str = ""

    def gone(self, silent: Container[str]) -> dict[str, str]:
        """What is said of each that is gone, by its id: AWS's words, and what comes. `silent` are those that failed to
        answer."""
        found = [one for one in self.of if one.is_over or (one.is_going and one.host in silent)]
        coming = f"; {self.coming}" if self.coming else ""
        return {one.host: f"it is gone ({one.said}){coming}" for one in found}


def look(state: StoreAddress, silent: Sequence[Host], known: Sequence[Host]) -> Fates:
    """Ask AWS about hosts that do not answer, of those that the ledger has. `state` is the space's state bucket."""
    found = record.load(S3Store(state))
    if found is None or "group" not in found.outputs:
        return Fates()
    account = Account(found.spec.region, state.endpoint, TRIES, PATIENCE)
    with asking():
        wanted, there = members(account, found.outputs["group"])
        states = states_of(account, [host.id for host in silent])
    if not there and not states:  # another account, say: who knows neither knows nothing
        return Fates()
    return judged([host.id for host in silent], [host.id for host in known], wanted, there, states)


def judged(
    silent: Sequence[str], known: Sequence[str], wanted: int, there: Sequence[Instance], states: Mapping[str, str]
) -> Fates:
    """What follows from what was read: the group wants so many and has those that are `there`; `states` are EC2's."""
    by_id = {one.id: one for one in there}
    return Fates(
        tuple(_judged(name, by_id.get(name), states.get(name)) for name in silent),
        _coming(known, wanted, there, states),
    )


def _judged(name: str, member: Instance | None, state: str | None) -> Fate:
    if state in OVER or (state is None and member is None):
        return Fate(name, f"EC2: {state}" if state else "AWS has it no more", is_over=True)
    if member is None:
        return Fate(name, f"EC2: {state}; no group has it any more")
    health = "healthy" if member.is_well else "unhealthy"
    return Fate(name, f"EC2: {state or 'unknown'}; its group: {member.state}, {health}", is_going=member.is_going)


def _coming(known: Sequence[str], wanted: int, there: Sequence[Instance], states: Mapping[str, str]) -> str:
    alive = [one for one in there if one.is_alive and states.get(one.id) not in OVER]
    new = [f"{one.id} {one.word}" for one in alive if one.id not in known]
    if new:
        return ", ".join(new)
    return "" if len(alive) >= wanted else "its group starts another one"


def states_of(account: Account, names: Sequence[str]) -> dict[str, str]:
    """Their states by id, as EC2 calls them. Inside `asking`. By a filter: one that EC2 has forgotten is no error
    then."""
    ours = [{"Name": "instance-id", "Values": list(names)}]
    told = account.client("ec2").describe_instances(Filters=ours)["Reservations"]
    return {one["InstanceId"]: one["State"]["Name"] for group in told for one in group["Instances"]}
