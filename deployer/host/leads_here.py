"""Whether a name leads to this host, as the host's own resolver says it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection

Lookup = Callable[[str], Collection[str]]


def addresses(name: str) -> Collection[str]:
    """All addresses of a name; none where it has none."""
    try:
        found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return sorted({str(one[4][0]) for one in found})


def problem(name: str, own: Collection[str], lookup: Lookup = addresses) -> str:
    """Why ACME would not find its way here; empty where it would. It may take any of a name's addresses."""
    found = lookup(name)
    here = " or ".join(sorted(own))
    if not found:
        return f"DNS does not lead here: {name} has no address, and should lead to {here}"
    if others := [address for address in found if address not in own]:
        return f"DNS does not lead here: {name} leads to {', '.join(others)}, and should lead to {here} alone"
    return ""
