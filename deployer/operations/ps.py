"""What an app runs: its dynos on all hosts, and its formation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployer.model.formation import Formation, after_deploy
from deployer.model.moment import spelled
from deployer.operations.apps import state_of
from deployer.operations.session import OpenSpace
from deployer.remote.fan_out import fan_out
from deployer.store.ledger import AppState


@dataclass(frozen=True, slots=True)
class DynoLine:
    """One dyno as `ps` shows it. `since` is ISO 8601; None where it never started. `reason` says why it crashed."""

    name: str
    type: str
    size: str
    state: str
    since: str | None
    command: str
    release: int
    host: str
    restarts: int = 0
    memory: int | None = None
    reason: str | None = None


def dynos(space: OpenSpace, app: str) -> tuple[AppState, list[DynoLine]]:
    """The app, and its dynos by type and number, one-off dynos first."""
    state = state_of(space, app)
    commands = state.slug.process_types if state.slug else {}

    def ask(session: Any) -> list[tuple[str, dict[str, Any]]]:
        return [(session.host.id, dyno) for dyno in session.call("ps", {"app": app})["dynos"]]

    found = [entry for answers in fan_out(space.answering, ask) for entry in answers]
    return state, sorted((_line(host, dyno, commands) for host, dyno in found), key=_order)


def formation_of(state: AppState) -> Formation:
    """How many dynos of each declared process type; what was never scaled is 0."""
    return after_deploy(state.app.formation, state.slug.process_types) if state.slug else {}


def types(lines: Sequence[DynoLine]) -> list[str]:
    """The process types that run, in order."""
    return list(dict.fromkeys(line.type for line in lines))


def _line(host: str, dyno: dict[str, Any], commands: dict[str, str]) -> DynoLine:
    since = dyno.get("since")
    return DynoLine(
        name=f"{dyno['type']}.{dyno['number']}",
        type=dyno["type"],
        size=dyno["size"],
        state=dyno["state"],
        since=spelled(datetime.fromtimestamp(since, UTC)) if since else None,
        command=dyno.get("command") or commands.get(dyno["type"], ""),
        release=dyno["release"],
        host=host,
        restarts=dyno.get("restarts", 0),
        memory=dyno.get("memory"),
        reason=dyno.get("reason"),
    )


def _order(line: DynoLine) -> tuple[bool, str, int]:
    return line.type != "run", line.type, int(line.name.rpartition(".")[2])
