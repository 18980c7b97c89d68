"""What is in a space in AWS: its hosts and its apps, for `spaces:info`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.errors.base import Failure
from deployer.operations import cloud_group
from deployer.operations.cloud_gone import OVER, states_of
from deployer.operations.cloud_ledger import ledger_of
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.record import Record


@dataclass(frozen=True, slots=True)
class There:
    """A host of the group: `seat` is None where it does not count, `address` is empty before it has registered, `state`
    in the group's words (`Pending:Wait`), `word` in ours."""

    name: str
    seat: int | None
    address: str
    state: str
    word: str


@dataclass(frozen=True, slots=True)
class Inside:
    """None stands for what is not known; `why` says the reason."""

    hosts: tuple[There, ...] | None
    apps: tuple[str, ...] | None
    why: str = ""


def look(account: Account, known: Record) -> Inside:
    """Ask AWS and the store; what either does not answer is not known."""
    if "group" not in known.outputs or not known.bucket:
        return Inside(None, None, "it is not made to its end")
    hosts: tuple[There, ...] | None = None
    apps: tuple[str, ...] | None = None
    why = ""
    try:
        ledger = ledger_of(account, known)
        apps = tuple(app.name for app in ledger.apps()) if ledger else ()
        seen = cloud_group.look(account, known)
        hosts = _hosts(seen, _over(account, seen))
    except Failure as failure:
        why = failure.paragraphs()[0]
    return Inside(hosts, apps, why)


def _over(account: Account, seen: cloud_group.Seen) -> dict[str, str]:
    """What EC2 says of those that it has ended: their group may take minutes to see that."""
    try:
        with asking():
            states = states_of(account, [one.id for one in seen.instances])
    except Failure:  # whoever may not ask that gets the group's word alone
        return {}
    return {name: f"is gone (EC2: {state})" for name, state in states.items() if state in OVER}


def _hosts(seen: cloud_group.Seen, over: Mapping[str, str]) -> tuple[There, ...]:
    """Those that count first, by seat."""
    addresses = {host.id: host.address or host.private_address for host in seen.registered}
    found = [
        There(one.id, seen.seat_of(one.id), addresses.get(one.id, ""), one.state, over.get(one.id, one.word))
        for one in seen.instances
    ]
    return tuple(sorted(found, key=lambda one: (one.seat is None, one.seat or 0, one.name)))
