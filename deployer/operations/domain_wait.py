"""Waiting until DNS leads domains to their space and their certificates are in force. Changes nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Sequence

from deployer.errors.domains import DomainNotReady
from deployer.model.domains import WILDCARD
from deployer.model.events import Tell
from deployer.model.tls import HTTP_ONLY, OK
from deployer.operations.domain_lines import DomainLine, of_app
from deployer.operations.session import OpenSpace

EVERY = 5.0  # seconds between two looks
AT_MOST = 1800.0  # seconds: DNS servers believe what they knew for as long as its record says, often half an hour


def await_ready(
    space: OpenSpace, app: str, names: Collection[str], *, at_most: float = AT_MOST, every: float = EVERY
) -> list[DomainLine]:
    """Look every so many seconds until these domains answer as they should; how they stand then. DomainNotReady."""
    deadline = time.monotonic() + at_most
    while True:
        lines = [line for line in of_app(space, app)[1] if line.name in names]
        missing = {line.name: why for line in lines if (why := lacking(line))}
        if not missing:
            return lines
        if time.monotonic() + every > deadline:
            seen = "\n".join(f"{name}: {why}" for name, why in missing.items())
            raise DomainNotReady(", ".join(missing), app, at_most, seen)
        time.sleep(every)


def meet(space: OpenSpace, app: str, tell: Tell) -> None:
    """Say which certificates of the app AWS has issued that its load balancer does not show yet."""
    if space.space.has_load_balancer:
        from deployer.operations import cloud_domains  # of no use elsewhere, and loads much

        cloud_domains.meet(space, app, tell)


def lacking(line: DomainLine) -> str:
    """What a domain waits for; empty where it waits for nothing. Where its certificate was issued DNS leads here, even
    if this machine does not see it yet."""
    if line.standing.word == OK:
        return ""
    if line.standing.word == HTTP_ONLY:
        return misled(line) if line.added else ""
    return f"{line.standing.word}: {line.standing.reason}" if line.standing.reason else misled(line) or _ordered(line)


def misled(line: DomainLine) -> str:
    """Why DNS, as this machine sees it, does not lead a domain to its space; empty where it does."""
    found = _addresses(line.name.replace(WILDCARD, "any."))
    wanted = _addresses(line.pointing.target)
    target = f"{line.pointing.kind} {line.pointing.target}"
    if not found:
        return f"DNS does not know it yet: its record should be {target}"
    if not wanted.intersection(found):
        return f"DNS leads to {', '.join(sorted(found))}, and its record should be {target}"
    return ""


def _ordered(line: DomainLine) -> str:
    return f"{line.standing.word}: its certificate is not issued yet"


def _addresses(name: str) -> set[str]:
    try:
        found: Sequence[tuple[object, ...]] = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {str(one[4][0]) for one in found if isinstance(one[4], tuple)}
