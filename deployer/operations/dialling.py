"""How hosts of a space are reached from this machine. It loads little: a host takes its time to answer, in which a
command loads the rest of what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread

from deployer.errors.base import Failure
from deployer.model.space import Host, Pointer
from deployer.remote import ssh
from deployer.remote.agent import Session, connect
from deployer.remote.person import NOBODY, Person
from deployer.spaces.sandbox.state import check_runs

Connect = Callable[[Host], Session]


def dialler(pointer: Pointer, person: Person = NOBODY) -> Connect:
    """By the space's own key, or with the user's as ssh would; `person` can be asked for a passphrase."""
    if pointer.kind == "ssh":
        from deployer.remote.reach import Reach

        return Reach(person, pointer.targets).connect
    if pointer.kind == "aws":
        from deployer.spaces.aws.access import Access

        return Access(pointer, person).connect
    return partial(_dial, pointer)


def _dial(pointer: Pointer, host: Host) -> Session:
    check_runs(pointer, first=host.id == pointer.first.id)
    return connect(host, Path(pointer.identity))


def begun(dial: Connect, host: Host) -> Connect:
    """`dial`, which has reached this host already, or failed to, when it is first asked for it; its agent starts."""
    answers: list[Session | Failure] = []
    try:
        session = dial(host)
        session.begin()
        answers.append(session)
    except Failure as failure:
        answers.append(failure)

    def once(wanted: Host) -> Session:
        if wanted != host or not answers:
            return dial(wanted)
        answer = answers.pop()
        if isinstance(answer, Failure):
            raise answer
        return answer

    return once


def aside(work: Callable[[], None]) -> Future[None]:
    """It is done in a thread that the end of the program does not wait for: who dials a dead host may be long at it."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
            done.set_result(None)
        except BaseException as error:
            done.set_exception(error)
            raise

    Thread(target=run, daemon=True).start()
    return done


@contextmanager
def loading(module: str) -> Iterator[None]:
    """Load a module meanwhile, after what SSH needs."""

    def load() -> None:
        ssh.load()
        import_module(module)

    thread = Thread(target=load, daemon=True)
    thread.start()
    yield
    thread.join()
