"""Make the hosts what the ledger says an app is.

One function finishes what a dead command began after its commit point and undoes what it began before: the ledger's
`current` and formation are the truth either way. It is also how a failed or interrupted release is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from deployer.errors.base import Failure
from deployer.model.app import App, Current
from deployer.model.events import Detail, Step, Warn
from deployer.model.formation import Formation
from deployer.model.process import Process, health_of, process_of
from deployer.model.release import Release
from deployer.operations import phases
from deployer.operations.change import Change, uninterrupted
from deployer.operations.phases import Placed, Switched

OF_THE_RECORD = ("maintenance", "change of domains", "change of the redirect")
"""Kinds of operations that are in force once the app's record says so."""
NO_RELEASE = ("scale", *OF_THE_RECORD)  # kinds of operations that make none


def finish_or_undo(change: Change) -> None:
    """Bring to an end what another command left in the middle, if any did."""
    operation = change.state.operation
    if operation is None:
        return
    committed = operation.is_in(change.state.current)
    verb = "Finishing" if committed or operation.kind in OF_THE_RECORD else "Undoing"
    change.tell(
        Step(f"{verb} a {operation.kind} of v{operation.release} that was cut off in its phase {operation.phase}")
    )
    if operation.phase == "release":
        change.tell(Detail("waiting for its release command, where it still runs"))
        phases.settle(change.space, change.fence)
    if committed:
        converge(change, operation.formation)
    else:
        change.undo()
        converge(change)
    if operation.kind not in NO_RELEASE:
        reason = None if committed else f"cut off in its phase {operation.phase}"
        change.space.ledger.end_release(change.app.name, operation.release, reason)
    change.leave()


@contextmanager
def taken_back_unless_committed(change: Change, release: Release | None = None) -> Iterator[None]:
    """Whatever ends the block before the commit, the hosts are made again what the ledger says, and `release`
    has failed.

    Taking back is best effort: where a host or the lease is gone, the operation's record stays, and the next command
    for the app takes back what this one could not."""
    before, reason = change.state.current, "interrupted"
    try:
        yield
    except Failure as failure:
        reason = failure.paragraphs()[0]
        raise
    finally:
        if change.state.current == before:
            with uninterrupted(), _telling_why_not(change):
                change.undo()
                converge(change)
                if release is not None:
                    change.space.ledger.end_release(change.app.name, release.number, reason)
                change.leave()


@contextmanager
def _telling_why_not(change: Change) -> Iterator[None]:
    try:
        yield
    except (Failure, OSError) as failure:
        why = failure.paragraphs()[0] if isinstance(failure, Failure) else str(failure)
        change.tell(Warn(f"Taking it back did not come to its end; the next command for the app does it. {why}"))


def converge(change: Change, formation: Formation | None = None) -> None:
    """Start what is missing of the current release, route to it, and retire everything else. `formation` is one that
    was committed to and does not stand in the app's record yet."""
    formation = change.app.formation if formation is None else formation
    current, slug, release = change.state.current, change.state.slug, change.state.release
    survey = phases.survey(change.space, change.app.name)
    present = survey.present
    if current is None or slug is None or release is None:
        phases.retire(change.fence, present, drain=0)
        return
    wanted = phases.place_dynos(change.space, change.app.name, current.release, formation, survey)
    difference = phases.compare(present, wanted, crashed_anew=True)
    if missing := difference.missing:
        change.tell(Detail("starting " + ", ".join(p.dyno.name for p in missing) + f" of v{current.release}"))
    process = process_of(change.app, release, slug, change.state.config)
    started = start(change, process, release, missing, present)
    switch_to(change, current.release, formation, [*difference.kept, *started])
    phases.retire(change.fence, difference.extra)
    phases.restart(change.fence, difference.resized)


def lacks_dynos(change: Change) -> bool:
    """Whether hosts that count run less of the current release than the formation asks for."""
    current = change.state.current
    if current is None or change.state.slug is None:
        return False
    survey = phases.survey(change.space, change.app.name)
    wanted = phases.place_dynos(change.space, change.app.name, current.release, change.app.formation, survey)
    return bool(phases.compare(survey.present, wanted).missing)


def start(
    change: Change, process: Process, release: Release, dynos: Sequence[Placed], present: Sequence[Placed]
) -> list[Placed]:
    """Boot the dynos with a port beside what runs; put the others in the place of those of their type and number."""
    with_port = [p for p in dynos if p.dyno.process_type == "web"]
    without = [p for p in dynos if p.dyno.process_type != "web"]
    health = health_of(release, change.domains[0])
    started = phases.boot(change.fence, process, with_port, health, change.tell)
    if without:
        names = {p.dyno.name for p in without}
        old = [found for found in present if found.dyno.name in names and found.dyno.release != process.release]
        started += phases.replace(change.fence, process, without, old, change.tell)
    return started


def switch_to(
    change: Change, release: int, formation: Formation, dynos: Sequence[Placed], record: App | None = None
) -> Switched:
    """Validate the routes to these dynos everywhere, commit, and put them in force. Nothing stops it half-way. Where
    the app's `record` is to be another one it is written before the commit: a command that finds no more of it brings
    the routers to it."""
    current = change.state.current
    generation = current.generation + 1 if current else 1
    app = replace(record or change.app, formation=formation)
    routes = phases.routes_to(dynos, app, generation, change.space.space.domains(app))
    phases.stage(change.space, change.fence, routes)
    with uninterrupted():
        if record is not None:
            change.save(app)
        change.state = change.space.ledger.commit(change.state, app, Current(release, generation), change.held)
        return phases.switch(change.space, change.fence, routes, dynos)
