"""One-off dynos: a command in the current release's slug and config vars, attached to this terminal or detached."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployer.errors.apps import AppNotFound
from deployer.errors.base import Failure
from deployer.errors.deploy import NothingDeployed
from deployer.model.formation import DEFAULT_SIZE
from deployer.model.process import platform_env
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Exchange
from deployer.store.ledger import AppState


class Terminal(Protocol):
    """Where a one-off dyno's input comes from and where its output goes."""

    tty: bool
    columns: int
    rows: int
    term: str

    def read(self) -> bytes:
        """The next bytes of input; none at its end. Blocks."""
        ...

    def write(self, data: bytes, stream: str) -> None:
        """Bytes for `stdout` or `stderr`."""
        ...

    def on_resize(self, tell: Any) -> None:
        """Have `tell(columns, rows)` called whenever the window changes."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. A command whose first word is a process type stands for that type's command."""

    command: str
    size: str = DEFAULT_SIZE
    env: dict[str, str] = field(default_factory=dict)
    detached: bool = False


@dataclass(frozen=True, slots=True)
class OneOff:
    """A one-off dyno that has been ordered: its name, and the conversation with the host that runs it."""

    name: str
    exchange: Exchange

    def attend(self, terminal: Terminal) -> int:
        """Carry input and output until the command ends; its exit status. An interrupt is passed on to it."""
        threading.Thread(target=self._feed, args=(terminal,), daemon=True).start()
        terminal.on_resize(lambda columns, rows: self.exchange.send({"resize": [columns, rows]}))
        while True:
            try:
                message, data = self.exchange.receive()
            except KeyboardInterrupt:
                self.exchange.send({"signal": "INT"})
                continue
            if "result" in message:
                status: int = message["result"]["status"]
                return status
            if message.get("event") == "data":
                terminal.write(data, message.get("stream", "stdout"))

    def _feed(self, terminal: Terminal) -> None:
        with suppress(Failure, OSError):  # the command may end before its input does
            while data := terminal.read():
                self.exchange.send({"data": True}, data)
            self.exchange.send({"end": True})


def start(space: OpenSpace, app: str, order: Order, terminal: Terminal) -> OneOff:
    """Order a one-off dyno from the current release; NothingDeployed where there is none."""
    state = space.ledger.state(app)
    if state is None:
        raise AppNotFound(app, space.space.name)
    if state.slug is None or state.release is None:
        raise NothingDeployed(app)
    number = random.randint(1000, 9999)
    session = space.first
    request = _request(state, order, terminal, number) | {"epoch": space.space.epoch}
    return OneOff(f"run.{number}", session.exchange("run", request))


def captured(space: OpenSpace, app: str, command: str, tell_line: Callable[[str], None]) -> int:
    """Run a command without a terminal and without input; give its output by lines; its exit status."""
    terminal = _Lines(tell_line)
    status = start(space, app, Order(command), terminal).attend(terminal)
    terminal.end()
    return status


class _Lines:
    """A terminal that nobody sits at."""

    tty, columns, rows, term = False, 80, 24, "dumb"

    def __init__(self, tell_line: Callable[[str], None]) -> None:
        self._tell = tell_line
        self._rest = b""

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes, stream: str) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line.decode("utf-8", "replace"))

    def end(self) -> None:
        if self._rest:
            self.write(b"\n", "stdout")

    def on_resize(self, tell: Any) -> None:
        pass


def _request(state: AppState, order: Order, terminal: Terminal, number: int) -> dict[str, Any]:
    assert state.slug is not None and state.release is not None
    window = {"TERM": terminal.term, "COLUMNS": str(terminal.columns), "LINES": str(terminal.rows)}
    return {
        "app": state.app.name,
        "uid": state.app.uid,
        "release": state.release.number,
        "number": number,
        "layers": [layer.digest for layer in state.slug.layers],
        "env": {
            **platform_env(state.app, state.release),
            **state.config,
            **(window if terminal.tty else {}),
            **order.env,
        },
        "command": expand(order.command, state.slug.process_types),
        "size": order.size,
        "tty": terminal.tty and not order.detached,
        "columns": terminal.columns,
        "rows": terminal.rows,
        "term": terminal.term,
        "detached": order.detached,
    }


def expand(command: str, process_types: dict[str, str]) -> str:
    """The command with a process type's name in its first word replaced by what that type runs, as on Heroku."""
    first, space, rest = command.partition(" ")
    return process_types.get(first, first) + space + rest
