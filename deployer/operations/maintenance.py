"""Maintenance: the routers answer with a page in the app's place, whose dynos run on."""

from __future__ import annotations

from dataclasses import replace

from deployer.model.events import Tell
from deployer.operations import phases
from deployer.operations.change import changing
from deployer.operations.converge import switch_to
from deployer.operations.session import OpenSpace


def turn(space: OpenSpace, app: str, tell: Tell, *, on: bool, wait: float | None = None) -> None:
    """Turn it on or off. What the ledger says comes first: cut off behind that, the next command brings the routers to
    it. Makes no release, and stays over deploys."""
    with changing(space, app, f"maintenance:{'on' if on else 'off'}", tell, wait) as change:
        state = change.state
        if state.app.maintenance == on:
            return
        wanted = replace(state.app, maintenance=on)
        if state.current is None or state.slug is None:
            space.ledger.save_app(wanted)
            return
        change.enter("maintenance", "switch", state.current.release, wanted.formation)
        space.ledger.save_app(wanted)
        change.state = replace(change.state, app=wanted)
        present = phases.survey(space, app).present
        serving = [one for one in present if one.dyno.release == state.current.release]
        switch_to(change, state.current.release, wanted.formation, serving)
        change.leave()
