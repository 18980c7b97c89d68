"""Changes of an app's record that its routers follow, without a release and without a restart."""

from __future__ import annotations

from deployer.model.app import App
from deployer.operations import phases
from deployer.operations.change import Change
from deployer.operations.converge import switch_to, taken_back_unless_committed


def follow(change: Change, kind: str, wanted: App) -> None:
    """Have the app's record be `wanted` and every router route by it; `kind` is what the operation is called. Of an app
    that has no release with code yet it is only noted."""
    state = change.state
    if state.current is None or state.slug is None:
        change.save(wanted)
        return
    number = state.current.release
    change.enter(kind, "switch", number, wanted.formation)
    present = phases.survey(change.space, wanted.name).present
    serving = [one for one in present if one.dyno.release == number]
    with taken_back_unless_committed(change):
        switch_to(change, number, wanted.formation, serving, wanted)
    change.leave()
