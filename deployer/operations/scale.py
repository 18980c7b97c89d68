"""How many dynos of each process type run, and starting them anew."""

from __future__ import annotations

from collections.abc import Callable

from deployer.errors.deploy import NothingDeployed
from deployer.model.events import Tell
from deployer.model.formation import Formation
from deployer.model.process import process_of
from deployer.operations import phases
from deployer.operations.change import changing, uninterrupted
from deployer.operations.converge import start, switch_to, taken_back_unless_committed
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out


def scale(
    space: OpenSpace, app: str, wanted: Callable[[Formation], Formation], tell: Tell, *, wait: float | None = None
) -> Formation:
    """Change the formation to `wanted(formation)`: new dynos serve before the routers know them, and those that go have
    no requests left. Makes no release."""
    with changing(space, app, "ps:scale", tell, wait) as change:
        state = change.state
        if state.slug is None or state.release is None or state.current is None:
            raise NothingDeployed(app)
        formation = wanted(change.app.formation)
        survey = phases.survey(space, app)
        dynos = phases.place_dynos(space, app, state.release.number, formation, survey)
        change.enter("scale", "boot", state.release.number, formation)
        present = survey.present
        difference = phases.compare(present, dynos)
        process = process_of(change.app, state.release, state.slug, state.config)
        with taken_back_unless_committed(change):
            started = start(change, process, state.release, difference.missing, present)
            switch_to(change, state.release.number, formation, [*difference.kept, *started])
        with uninterrupted():
            phases.retire(change.fence, difference.extra)
            phases.restart(change.fence, difference.resized)
            change.leave()
        return formation


def restart(
    space: OpenSpace, app: str, chosen: Callable[[str, int], bool], tell: Tell, *, wait: float | None = None
) -> list[str]:
    """Stop and start the dynos for which `chosen(process type, number)`; requests wait at the router. Their names."""
    with changing(space, app, "ps:restart", tell, wait) as change:
        dynos = [
            found for found in phases.survey(space, app).present if chosen(found.dyno.process_type, found.dyno.number)
        ]
        phases.restart(change.fence, dynos)
        return [found.dyno.name for found in dynos]


def stop(
    space: OpenSpace, app: str, chosen: Callable[[str, int], bool], tell: Tell, *, wait: float | None = None
) -> list[str]:
    """End one-off dynos for good and restart those of the formation for which `chosen(process type, number)`. Their
    names."""

    def end(session: Session) -> list[str]:
        found = [dyno for dyno in session.call("ps", {"app": app})["dynos"] if dyno["type"] == "run"]
        mine = [dyno for dyno in found if chosen(dyno["type"], dyno["number"])]
        if mine:
            session.call("stop_run", {"app": app, "instances": [dyno["instance"] for dyno in mine]})
        return [f"{dyno['type']}.{dyno['number']}" for dyno in mine]

    stopped = [name for names in fan_out(space.sessions, end) for name in names]
    return stopped or restart(space, app, chosen, tell, wait=wait)
