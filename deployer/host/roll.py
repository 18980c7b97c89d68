"""The call `roll`, and what this host knows of who counts in its space.

A host that a command cannot reach is left out: the others are told, with a number that grows. The one that is left out
asks them by itself (host/roll_lua.py) and tells the front that it does not want its traffic. Until it counts again
nobody gives away a port that its router may still send requests to.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import files
from deployer.host.channel import Channel
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.model import codec
from deployer.model.roll import Roll


def roll(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: learn who counts, and which `hosts` (addresses) are the space's. An older list is ignored."""
    from deployer.host import firewall, router, walls

    paths, told = channel.paths, read_told(request)
    with host_lock(paths):
        if not learn(paths, told):
            return {"ignored": True, "number": read(paths).number}
        walls.set_hosts(paths, request["hosts"])
        if walls.save(paths):
            firewall.load()
        router.follow_maps(router.of_host(paths))
    return {"number": told.number}


def learn(paths: Paths, told: Roll) -> bool:
    """Remember it, unless a newer one is known; whether it was remembered. Needs the host's lock."""
    from deployer.host import ports

    known = read(paths)
    if told.number < known.number:
        return False
    held = {*known.ports, *ports.routed(paths)} if told.out else ()
    save(paths, replace(told, ports=tuple(sorted(held))))
    return True


def read(paths: Paths) -> Roll:
    """What this host was told last; number 0 where it never was."""
    with suppress(FileNotFoundError, ValueError, TypeError):
        return codec.decode(Roll, json.loads(_file(paths).read_text()))
    return Roll()


def save(paths: Paths, known: Roll) -> None:
    """Remember it."""
    files.write(_file(paths), json.dumps(codec.encode(known), sort_keys=True).encode() + b"\n")


def read_told(request: dict[str, Any]) -> Roll:
    """The list in a request."""
    try:
        return codec.decode(Roll, request["roll"])
    except (KeyError, TypeError, ValueError) as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error


def _file(paths: Paths) -> Path:
    return paths.root / "roll.json"
