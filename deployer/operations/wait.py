"""Waiting until every dyno runs the current release."""

from __future__ import annotations

import time
from dataclasses import dataclass

from deployer.errors.deploy import NothingDeployed
from deployer.errors.dynos import DynosNotUp
from deployer.operations.ps import DynoLine, dynos, formation_of
from deployer.operations.session import OpenSpace
from deployer.store.ledger import AppState


@dataclass(frozen=True, slots=True)
class Which:
    """The dynos that are waited for: of one process type, or of all; one-off dynos only where they are asked for."""

    process_type: str | None = None
    with_run: bool = False


def await_all(space: OpenSpace, app: str, which: Which, *, every: float, at_most: float) -> int:
    """Look every so many seconds until all are up; how many they are. DynosNotUp after `at_most` seconds."""
    deadline = time.monotonic() + at_most
    while True:
        state, lines = dynos(space, app)
        if state.current is None or state.slug is None:
            raise NothingDeployed(app)
        release = state.current.release
        states = _states(state, lines, which)
        missing = [f"{name} {how}" for name, how in states.items() if how != "up"]
        if not missing:
            return len(states)
        if time.monotonic() + every > deadline:
            raise DynosNotUp(app, release, at_most, "\n".join(missing))
        time.sleep(every)


def _states(state: AppState, lines: list[DynoLine], which: Which) -> dict[str, str]:
    """Each dyno that there should be, `up` where it is so with the current release."""
    assert state.current is not None
    formation = formation_of(state).items()
    wanted = {f"{kind}.{number + 1}": "missing" for kind, one in formation for number in range(one.quantity)}
    for line in lines:
        if line.type != "release" and (line.type != "run" or which.with_run):
            wanted[line.name] = line.state if line.release == state.current.release else f"still of v{line.release}"
    return {name: how for name, how in wanted.items() if which.process_type in (None, name.rpartition(".")[0])}
