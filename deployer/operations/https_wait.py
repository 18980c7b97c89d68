"""Waiting for the certificate that a space's host orders for an app's own name. Changes nothing."""

from __future__ import annotations

import time

from deployer.model.certificate import FAILING, Certificate
from deployer.model.events import Doing, Done, Tell, Warn
from deployer.operations.session import OpenSpace

PATIENCE = 60.0  # seconds; a few are usual, and half a minute where the host still installs certbot
LOOK_EVERY = 1.0
NOT_ASKED = "its host has not ordered one yet"


def await_certificate(space: OpenSpace, name: str, tell: Tell, patience: float = PATIENCE) -> None:
    """Wait until the certificate of a name is in force. Why it is not is a warning: HTTP serves."""
    if (found := _look(space, name)) and found.is_in_force:
        return
    tell(Doing(f"Waiting for the certificate of {name}"))
    deadline = time.monotonic() + patience
    while not _is_settled(found) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
        found = _look(space, name)
    if found and found.is_in_force:
        tell(Done("in force"))
        return
    tell(Done("not yet"))
    tell(Warn(f"No HTTPS yet, plain HTTP meanwhile: {found.reason if found and found.reason else NOT_ASKED}"))


def _look(space: OpenSpace, name: str) -> Certificate | None:
    return space.ledger.certificates([name]).get(name)


def _is_settled(found: Certificate | None) -> bool:
    """Whether it is there, or will not come soon."""
    return found is not None and (found.is_in_force or found.status == FAILING)
