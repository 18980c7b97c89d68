"""What a host of AWS says of itself to the others, and what they have said: `hosts/USERID/state`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from deployer.host import dyno_files, facts, myself, router
from deployer.host.dyno_files import Placed
from deployer.host.myself import Myself, Others
from deployer.host.paths import Paths
from deployer.model.formation import SIZES
from deployer.model.joining import HostState, Standing
from deployer.model.placement import room
from deployer.model.places import Place, is_sound
from deployer.store import keys


def state(paths: Paths, host: str, coming: Sequence[Standing] = ()) -> HostState:
    """What is so now. `coming` are dynos that this host is about to start: others should not start them too."""
    used = sum(one.limits.memory for one in dyno_files.read_all(paths))
    used += sum(SIZES[one.size.lower()].memory for one in coming)
    standing = tuple(Standing(one.instance, one.size, one.port) for one in in_force(paths))
    routes, leaving = tuple(router.all_routes(paths)), paths.leaving.exists()
    return HostState(host, room(facts.memory()) - used, (*standing, *coming), routes, leaving)


def in_force(paths: Paths) -> list[Placed]:
    """The dynos that a switch has put in force: those that start at the host's boot."""
    folder = paths.units / "multi-user.target.wants"
    return [one for one in dyno_files.read_all(paths) if (folder / one.unit).is_symlink()]


def places(me: Myself, known: Others, own: HostState) -> list[Place]:
    """The hosts that count, with what they said. One that has not said anything yet is as this one, and empty."""
    found = []
    for host in known.counting:
        state = own if host.id == me.instance else said(me, known.users[host.id])
        found.append(Place(host.seat, host.private_address, state or HostState(host.id, room(facts.memory()))))
    return found


def leaving(me: Myself, known: Others, own: HostState) -> list[Place]:
    """The hosts that do not count any more and serve until others do: the group sends them away, or they have said
    so. Their seats are gone."""
    counting = {host.id for host in known.counting}
    found = []
    for host in [one for one in known.registered if one.id not in counting]:
        state = own if host.id == me.instance else said(me, known.users[host.id])
        if state and (state.leaving or host.id in known.going):
            found.append(Place(0, host.private_address, state))
    return found


def said(me: Myself, user: str) -> HostState | None:
    """What a host has said of itself; None where it says nothing, or nothing that makes sense."""
    with suppress(ValueError, TypeError):
        found = myself.read(me, HostState, keys.own(user, "state"))
        return found if found and is_sound(found) else None
    return None
