"""One more machine for a space of rented machines, and one less.

It is looked at first, and nothing is changed before the user has agreed. Then it is written down as a host that is left
out, so that whatever cuts this off, the next command brings it up to date; only then do the others' firewalls let it
in, and all try whether they reach each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from deployer.errors.rented import HostApart, HostUnfit, MixedPlatforms
from deployer.model.events import Doing, Done, Step, Tell, Warn
from deployer.model.space import Host, Pointer
from deployer.operations.attendance import attend, take_back
from deployer.operations.first_host import noted
from deployer.operations.hosts import forget, register
from deployer.operations.prepare import prepare_host
from deployer.operations.rented import check_from_outside, numeric, other_address, replace_host
from deployer.operations.rented_hosts import dismantle, wait_until_ready
from deployer.operations.roll_call import holding_space
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.reach import Reach
from deployer.spaces import pointers
from deployer.spaces.ssh import addresses
from deployer.spaces.ssh.inspect import Found, inspect, private_candidates, problems


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A machine that is to join `hosts`, as it was found. `local_only` says that routers will know the dynos of their
    own host alone; `former` that it has been a host of this space, and was removed while it did not answer."""

    target: str
    host: Host
    found: Found
    hosts: tuple[Host, ...]
    local_only: bool
    former: bool


Approve = Callable[[Newcomer], None]


def add(
    space: OpenSpace, pointer: Pointer, target: str, private: str | None, reach: Reach, approve: Approve, tell: Tell
) -> Host:
    """Make a machine a host of a space; `approve` raises where the user does not agree. The host, also where it is one
    already. HostUnfit, MixedPlatforms, HostApart."""
    attend(space, tell)
    host, way = reach.meet(target, _free_id(space), 0)
    with reach.log_in(host, way) as session:
        tell(Doing(f"Looking at {target}"))
        found = inspect(session, target)
        if (known := _known(space, host, found)) is not None:
            tell(Done(f"it is {known.id} already"))
            return known
        newcomer = _newcomer(space, session, found, private)
        tell(Done())
        approve(newcomer)
        pointer = replace(pointer, targets={**pointer.targets, host.id: target})
        pointers.save(pointer)
        space.connect = Reach(reach.person, pointer.targets).connect
        try:
            _join(space, replace_host(session, newcomer.host), newcomer, tell)
        except BaseException:
            _let_go(space, newcomer)
            raise
        check_from_outside(session, tell)
    space.ledger.audit(f"hosts:add {host.id}")
    pointers.save(noted(pointer, space.space, space.hosts))
    return newcomer.host


def _free_id(space: OpenSpace) -> str:
    taken = {host.id for host in space.hosts}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{space.space.name}-h{number}") not in taken)


def _known(space: OpenSpace, host: Host, found: Found) -> Host | None:
    """The host of the space that this machine is."""
    if found.space != space.space.name:
        return None
    here = {host.address, *found.addresses}
    return next((one for one in space.hosts if one.host_key == host.host_key or one.private_address in here), None)


def _newcomer(space: OpenSpace, session: Session, found: Found, private: str | None) -> Newcomer:
    name, target = space.space.name, found.target
    former = found.taken and found.space == name
    if why := problems(replace(found, taken=found.taken and not former), name):
        raise HostUnfit(target, name, "\n".join(why))
    if str(found.platform) != space.space.platform:
        raise MixedPlatforms(name, f"{name}: {space.space.platform}\n{target}: {found.platform}")
    address, local_only = _address(space, session, found, private)
    host = replace(session.host, private_address=address)
    return Newcomer(target, host, found, space.hosts, local_only, former)


def _address(space: OpenSpace, session: Session, found: Found, private: str | None) -> tuple[str, bool]:
    """The address at which the others will reach it, and whether routers then send requests to their own host's dynos
    alone: as they do already, or as they must where a single host has no network but the internet."""
    public = other_address(session.host, found, shared=True)
    if space.space.local_only:
        return public, True
    candidates = [private] if private else private_candidates(found)
    if chosen := addresses.choose_for(session, space.sessions, candidates):
        return chosen, False
    alone = len(space.hosts) == 1 and space.hosts[0].private_address == numeric(space.hosts[0].address)
    if alone and not private:
        return public, True
    tried = ", ".join(candidates) or f"an address of a network of their own: {found.target} has none"
    raise HostApart(found.target, space.space.name, f"Not all of {space.space.name} reach it at {tried}.")


def _join(space: OpenSpace, session: Session, newcomer: Newcomer, tell: Tell) -> None:
    host = newcomer.host
    tell(Step(f"Preparing {host.id}"))
    if newcomer.former:
        dismantle(session, tell, data=False)
    _routing(space, local_only=newcomer.local_only)
    register(space, host)
    if not newcomer.local_only:
        _try_out(space, session, newcomer)
    prepare_host(session, space.hosts, space.space.epoch, tell, space.space.name)
    take_back(space, tell)
    wait_until_ready(session)


def _routing(space: OpenSpace, *, local_only: bool) -> None:
    if space.space.local_only != local_only:
        with holding_space(space, "add a host"):
            space.space = replace(space.space, local_only=local_only)
            space.ledger.save_space(space.space)


def _try_out(space: OpenSpace, session: Session, newcomer: Newcomer) -> None:
    others = [one for one in space.answering if one.host.id != session.host.id]
    if apart := addresses.unreached([*others, session]):
        seen = "\n".join(f"{a.id} does not reach {b.id} at {b.private_address}." for a, b in apart)
        raise HostApart(newcomer.target, space.space.name, seen)


def _let_go(space: OpenSpace, newcomer: Newcomer) -> None:
    """As it was before."""
    if any(host.id == newcomer.host.id for host in space.ledger.hosts()):
        forget(space, newcomer.host.id)
    if newcomer.local_only and len(newcomer.hosts) == 1:
        _routing(space, local_only=False)


@dataclass
class Rented:
    """Machines that are given back to their owner when they leave a space."""

    space: OpenSpace
    pointer: Pointer
    tell: Tell
    hosts: Sequence[Host] = ()  # besides those that the ledger knows

    def remove_host(self, name: str) -> None:
        """Take what is ours off it, if it answers."""
        if session := self.space.session_of(name):
            dismantle(session, self.tell, data=True)
        else:
            self.tell(Warn(f"{name} does not answer: what deployer put there is still on it, and it may still run"))
        targets = {host: target for host, target in self.pointer.targets.items() if host != name}
        pointers.save(noted(replace(self.pointer, targets=targets), self.space.space, self.space.hosts))
