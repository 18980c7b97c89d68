"""The ports that dynos listen on, handed out in a circle, so that one comes back as late as possible."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import roll, sockets
from deployer.host.firewall import PORTS
from deployer.host.paths import Paths

FIRST, LAST = PORTS


def choose(taken: Set[int], last: int, count: int) -> list[int]:
    """`count` free ports after `last`, the port that was given away before; `no-ports` where there are not enough."""
    size = LAST - FIRST + 1
    circle = (FIRST + (last - FIRST + step) % size for step in range(1, size + 1))
    free = [port for port in circle if port not in taken][:count]
    if len(free) < count:
        raise HostFailure("no-ports", {"wanted": count, "free": len(free)})
    return free


def allocate(paths: Paths, used: Set[int], count: int) -> list[int]:
    """`count` ports that no dyno uses, no process listens on and no router may still name. Needs the host's lock."""
    if not count:
        return []
    state = paths.root / "last-port"
    last = _number(state, LAST)
    taken = {*used, *routed(paths), *roll.read(paths).ports, *(listener.port for listener in sockets.listeners())}
    ports = choose(taken, last, count)
    state.write_text(f"{ports[-1]}\n")
    return ports


def _number(file: Path, otherwise: int) -> int:
    """What the file says: only where to begin, so that one that was lost does no harm."""
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return otherwise


def routed(paths: Paths) -> Iterator[int]:
    """The ports in all routes, in force or staged: of other hosts too, which is more than needed and does no harm."""
    for file in (*paths.apps.glob("*/routes.json"), *paths.apps.glob("*/staged.json")):
        for server in _servers(file):
            yield server["port"]


def _servers(file: Path) -> list[dict[str, int]]:
    try:
        servers: list[dict[str, int]] = json.loads(file.read_text()).get("servers", [])
    except FileNotFoundError:  # gone between the listing and the reading
        return []
    return servers
