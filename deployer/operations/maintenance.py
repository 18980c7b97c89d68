"""Maintenance: the routers answer with a page in the app's place, whose dynos run on."""

from __future__ import annotations

from dataclasses import replace

from deployer.model.events import Tell
from deployer.operations.change import changing
from deployer.operations.record import follow
from deployer.operations.session import OpenSpace


def turn(space: OpenSpace, app: str, tell: Tell, *, on: bool, wait: float | None = None) -> None:
    """Turn it on or off. Makes no release, and stays over deploys."""
    with changing(space, app, f"maintenance:{'on' if on else 'off'}", tell, wait) as change:
        if change.app.maintenance != on:
            follow(change, "maintenance", replace(change.app, maintenance=on))
