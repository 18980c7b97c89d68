"""What commands are given: streams, environment, folder, terminal, spaces. Tests give others."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from deployer.cli.narrate import Narrator
from deployer.cli.output import Output, standard
from deployer.model.events import Doing, Done, Warn
from deployer.model.space import Host, Pointer

if TYPE_CHECKING:
    from deployer.operations.session import OpenSpace
    from deployer.remote.agent import Session
    from deployer.remote.person import Person
    from deployer.spaces.aws.tools import Tools


class Pointers(Protocol):
    """The spaces that this machine knows: deployer.spaces.pointers, or a folder of a test's."""

    def load(self, name: str) -> Pointer:
        """One pointer."""
        ...

    def names(self) -> list[str]:
        """All names."""
        ...


@dataclass
class Shell:
    """Where a command runs. `ask` is None where nobody can be asked, `secret` where nobody can type unseen."""

    output: Output
    env: Mapping[str, str]
    folder: Path
    pointers: Pointers
    open_space: Callable[[Pointer], AbstractContextManager[OpenSpace]]
    dialler: Callable[[Pointer], Callable[[Host], Session]] = lambda pointer: _dialler(pointer)
    ask: Callable[[str], str] | None = None
    secret: Callable[[str], str] | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    tools: Callable[[], Tools] | None = None  # that make things in AWS; None for those of this machine
    leave_out: tuple[str, ...] = ()  # hosts that may be left out where they do not answer
    wait: float | None = None  # seconds that a host gets to answer
    tell: Narrator = field(init=False)

    def __post_init__(self) -> None:
        self.tell = Narrator(self._write, verbose=lambda: self.output.verbose)

    @property
    def person(self) -> Person:
        """Who can be asked about host keys and for passphrases."""
        from deployer.remote.person import Person

        return Person(self.ask, self.secret)

    @contextmanager
    def doing(self, text: str) -> Iterator[list[str]]:
        """`Creating app... done, ⬢ name` on stderr; what the block appends to the list stands after `done`."""
        words: list[str] = []
        self.tell(Doing(text))
        try:
            yield words
        except BaseException:
            self.tell.break_off()
            raise
        self.tell(Done(", ".join(words)))

    @contextmanager
    def opening(self, pointer: Pointer) -> Iterator[OpenSpace]:
        """A space, open; what is done about hosts that do not answer is what the command line says, the environment, or
        whoever sits at the terminal."""
        with self.open_space(pointer) as space:
            from deployer.cli.absent import absence_of  # loads much: not before a host is dialled

            space.absence, space.notice = absence_of(self), self.tell
            if space.moved_from:
                self.tell(Warn(f"{space.first.host.id} is the first host now, no longer {space.moved_from}"))
            yield space

    def _write(self, text: str) -> None:
        self.output.err.write(text)
        self.output.err.flush()


class _OwnPointers:
    """This machine's own; the module is loaded when the first one is asked for."""

    def load(self, name: str) -> Pointer:
        from deployer.spaces import pointers

        return pointers.load(name)

    def names(self) -> list[str]:
        from deployer.spaces import pointers

        return pointers.names()


def this_shell() -> Shell:
    """The one that the user typed in."""
    return Shell(
        output=standard(os.environ),
        env=os.environ,
        folder=Path.cwd(),
        pointers=_OwnPointers(),
        open_space=_open_space,
        ask=_ask if sys.stdin.isatty() and sys.stderr.isatty() else None,
        secret=_secret if _has_terminal() else None,
    )


@contextmanager
def _open_space(pointer: Pointer) -> Iterator[OpenSpace]:
    """The first host is dialled, and its agent starts, while the rest of what is needed is loaded."""
    from deployer.operations.dialling import begun, loading

    dial = _dialler(pointer)
    with loading("deployer.operations.session"):
        if pointer.store is None:
            dial = begun(dial, pointer.first)
    from deployer.operations.session import open_space

    with open_space(pointer, dial) as space:
        yield space


def _dialler(pointer: Pointer) -> Callable[[Host], Session]:
    from deployer.operations.dialling import dialler
    from deployer.remote.person import Person

    return dialler(pointer, Person(secret=_secret if _has_terminal() else None))


def _has_terminal() -> bool:
    """Also where git has our standard input: a passphrase is typed at the terminal itself."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _secret(prompt: str) -> str:
    from getpass import getpass

    return getpass(prompt)


def _ask(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl-D: what comes next begins a line of its own
        sys.stderr.write("\n")
    return answer.strip()
