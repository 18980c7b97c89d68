"""What serves now: the last word of a change that failed. The ledger names the release; whether it answers is asked at
the app's address, as its users would."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from deployer.errors.base import Failure
from deployer.model.process import health_of
from deployer.operations.session import OpenSpace
from deployer.operations.web_url import web_url
from deployer.store.ledger import AppState

PATIENCE = 5.0  # seconds for one answer
ROUTERS_OWN = "X-Deployer-Code"  # the header of answers that a router gives because no dyno does


@contextmanager
def named_at_the_end(space: OpenSpace, app: str) -> Iterator[None]:
    """Whatever fails or is interrupted in the block gets a note that says what serves now."""
    try:
        yield
    except (Failure, KeyboardInterrupt) as error:
        # Where even the ledger cannot be reached, the failure itself says so.
        with suppress(Failure, OSError):
            if state := space.ledger.state(app):
                error.add_note(told(space, state))
        raise


def told(space: OpenSpace, state: AppState) -> str:
    """`v12 still serving`, or that nothing does, and the next command to type."""
    app = state.app.name
    if state.current is None or state.slug is None or state.release is None:
        return f"NOTHING SERVING: {app} has no release with code yet. Next: `deployer deploy -a {app}`"
    name, url = state.release.name, web_url(space, app)
    if not _has_web(state):
        return f"{name} still in force, without a web dyno. Next: `deployer ps -a {app}`"
    path = health_of(state.release, space.space.app_host(app))["path"]
    if state.app.maintenance or answers(url, path):
        return f"{name} still serving at {url}. Next: `deployer releases -a {app}`"
    return f"NOTHING SERVING at {url}, where {name} should. Next: `deployer logs -a {app}`"


def answers(url: str, path: str) -> bool:
    """Whether an app answers there, whatever it says; a router that speaks in its place does not count."""
    import http.client  # with ssl and email 20 ms, which only failures need

    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=PATIENCE)
    try:
        host = place.hostname or ""
        connection.sock = dialled(_resolved(host), place.port, host, secure=place.scheme == "https", patience=PATIENCE)
        connection.request("GET", path, headers={"Host": place.netloc, "User-Agent": "deployer"})
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.getheader(ROUTERS_OWN) is None


def dialled(address: str, port: int | None, name: str, *, secure: bool, patience: float) -> socket.socket:
    """A connection there, over TLS by the name where it is to be `secure`. Whether the certificate is one that is
    trusted is not asked here: what serves is."""
    plain = socket.create_connection((address, port or (443 if secure else 80)), patience)
    if not secure:
        return plain
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=name)


def _resolved(host: str) -> str:
    """Names that say by themselves where they lead: not every resolver knows, or is asked in time."""
    if host.endswith(".localhost"):  # RFC 6761: every name below localhost is this machine
        return "127.0.0.1"
    found = re.search(r"(?:^|\.)(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.sslip\.io$", host)
    return ".".join(found.groups()) if found else host


def _has_web(state: AppState) -> bool:
    web = state.app.formation.get("web")
    return state.slug is not None and "web" in state.slug.process_types and (web is None or web.quantity > 0)
