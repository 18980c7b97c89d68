"""The right to change one app, and what an operation has at hand while it holds it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import monotonic

from deployer.errors.apps import AppNotFound
from deployer.errors.lease import LeaseHeld
from deployer.model.app import App, Operation
from deployer.model.events import Tell, Timing, Warn
from deployer.model.formation import Formation
from deployer.operations.phases import Fence
from deployer.operations.serving import named_at_the_end
from deployer.operations.session import OpenSpace
from deployer.store.lease import Held, Waiting, hold
from deployer.store.ledger import AppState


@dataclass
class Change:
    """An app whose lease is held. `state` is what the ledger said when it was last read or written."""

    space: OpenSpace
    held: Held
    state: AppState
    tell: Tell

    @property
    def app(self) -> App:
        """The app as the ledger knows it."""
        return self.state.app

    @property
    def fence(self) -> Fence:
        """What makes this change's calls refusable."""
        return Fence(self.app.name, self.held.token, self.space.space.epoch)

    @property
    def domains(self) -> tuple[str, ...]:
        """The host names that the routers send to this app."""
        return self.space.space.domains(self.app)

    def enter(self, kind: str, phase: str, release: int, formation: Formation) -> None:
        """Write down what comes next, so that another laptop can finish or undo it; LeaseLost where it is not ours."""
        current = self.state.current
        previous, generation = (current.release, current.generation + 1) if current else (None, 1)
        self._save(Operation(kind, phase, release, previous, self.held.token, formation, generation))

    def undo(self) -> None:
        """Write down that the operation, if there is one, is being taken back: what commits from now on is not it."""
        if self.state.operation is None:
            self.held.check()
        else:
            self._save(replace(self.state.operation, phase="undo", token=self.held.token))

    def _save(self, operation: Operation) -> None:
        self.space.ledger.save_operation(self.app.name, operation, self.held)
        self.state = replace(self.state, operation=operation)

    def save(self, app: App) -> None:
        """Write the app's record."""
        self.space.ledger.save_app(app, self.held)
        self.state = replace(self.state, app=app)

    def leave(self) -> None:
        """Forget the operation: it is done, or undone."""
        self.space.ledger.clear_operation(self.app.name)
        self.state = replace(self.state, operation=None)


@contextmanager
def changing(
    space: OpenSpace, app: str, command: str, tell: Tell, wait: float | None = None, *, of_dynos: bool = True
) -> Iterator[Change]:
    """Hold the app's lease, read its state, and first finish or undo what a dead command began. `wait` is for how many
    seconds somebody else may hold it before LeaseHeld; ToolTooOld where a newer deployer changed the space. Where the
    change is one of dynos, a host that does not answer is named first, and whatever fails says what serves then."""
    from deployer.operations.attendance import attend

    with ExitStack() as stack:
        if of_dynos:
            stack.enter_context(named_at_the_end(space, app))
            attend(space, tell, but=None if command == "ps:restart" else app)
        yield stack.enter_context(holding_change(space, app, command, tell, wait))


@contextmanager
def holding_change(space: OpenSpace, app: str, command: str, tell: Tell, wait: float | None) -> Iterator[Change]:
    """`changing` for a caller that knows that the hosts answer."""
    from deployer.operations.attendance import check_unchanged
    from deployer.operations.converge import finish_or_undo

    before = monotonic()
    space.begin_change()
    space.ledger.expect_state(app)
    with holding_app(space, app, command, wait, tell) as held:
        state = space.ledger.state(app)
        if state is None:
            raise AppNotFound(app, space.space.name)
        check_unchanged(space, state)
        change = Change(space, held, state, tell)
        tell(Timing("lease", monotonic() - before))
        finish_or_undo(change)
        yield change
        space.ledger.audit(command, app)


@contextmanager
def holding_app(
    space: OpenSpace, app: str, command: str, wait: float | None, tell: Tell = lambda event: None
) -> Iterator[Held]:
    """Hold an app's lease, and no more."""
    with hold(
        space.ledger.store,
        f"app-{app}",
        command=command,
        wait=wait,
        second_store=space.second_store,
        waiting=_telling_once(tell),
        time_to_live=space.time_to_live,
        renew_every=space.renew_every,
    ) as held:
        yield held


def _telling_once(tell: Tell) -> Waiting:
    """Name each holder that is waited for, once."""
    told: set[tuple[str, int]] = set()

    def waiting(held: LeaseHeld) -> None:
        if (held.host, held.pid) not in told:
            told.add((held.host, held.pid))
            tell(Warn(f"Waiting for {held.user} on {held.host}, who is changing {held.subject}: `{held.command}`"))

    return waiting


@contextmanager
def heeding_interrupts() -> Iterator[threading.Event]:
    """After a commit point, where waiting may be cut short: a signal interrupts nothing, and sets the event."""
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda number, frame: came.set()) for number in signals]
    try:
        yield came
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """After a commit point no signal stops what has to be finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
