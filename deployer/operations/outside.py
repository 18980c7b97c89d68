"""Whether an app answers through what stands before its hosts, asked from this machine.

The front is dialled by its own address, with the app's name in the request: a domain may not lead there yet."""

from __future__ import annotations

import http.client
import secrets
import time
from dataclasses import dataclass

from deployer.model.events import Doing, Done, Tell, Warn
from deployer.operations.serving import dialled

PATIENCE = 120.0  # seconds: a load balancer looks at a new host some times before it sends it requests
LOOK_EVERY = 1.0
TIMEOUT = 10.0
NOT_YET = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before a space's hosts: an address or a name, and whether it is a load balancer, which ends TLS."""

    name: str
    ends_tls: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What came: the status and the reason, the first bytes of the text, where it leads; status 0 where nothing did."""

    status: int
    reason: str
    text: bytes = b""
    location: str = ""


def check(front: str, name: str, tell: Tell, patience: float = PATIENCE) -> bool:
    """Wait until the front (an address or a name) answers for the app at the host name `name`; whether it did. What it
    says instead is a warning: the release serves, as its hosts see it."""
    tell(Doing(f"Asking {name} from here"))
    deadline = time.monotonic() + patience
    while True:
        seen = ask(front, name)
        if _is_answer(front, seen):
            tell(Done(f"{seen.status} {seen.reason}".strip()))
            return True
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY)
    tell(Done("not yet"))
    tell(Warn(f"{front} did not answer for {name} within {patience:.0f} s: {_described(seen)}"))
    return False


def ask(front: str, name: str) -> Answered:
    """One request for `/`, and over TLS where plain HTTP leads there."""
    found = _asked(front, name, secure=False)
    return _asked(front, name, secure=True) if found.location == f"https://{name}/" else found


def _asked(front: str, name: str, *, secure: bool) -> Answered:
    connection = http.client.HTTPConnection(front, timeout=TIMEOUT)
    try:
        connection.sock = dialled(front, None, name, secure=secure, patience=TIMEOUT)
        connection.request("GET", "/", headers={"Host": name, "User-Agent": "deployer"})
        answer = connection.getresponse()
        location = answer.getheader("Location", "")
        return Answered(answer.status, answer.reason, answer.read(1 << 16), location)
    except (OSError, http.client.HTTPException) as error:
        return Answered(0, str(error) or type(error).__name__)
    finally:
        connection.close()


def _is_answer(front: str, seen: Answered) -> bool:
    """Not from a front that has no host yet, and not what routers say of apps that they do not know."""
    if seen.status in (0, *NOT_YET):
        return False
    return seen.status != 404 or seen.text != ask(front, f"{secrets.token_hex(8)}.invalid").text


def _described(seen: Answered) -> str:
    if seen.status == 404:
        return "it does not know that app"
    return f"it said {seen.status} {seen.reason}" if seen.status else seen.reason
