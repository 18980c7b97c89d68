"""The same work on several hosts at the same time."""

from __future__ import annotations

import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

from deployer.errors.base import Failure
from deployer.errors.host import OldEpoch
from deployer.errors.hosts import EpochTaken
from deployer.errors.remote import SeveralHostsFailed
from deployer.remote.agent import UNDONE, Session

T = TypeVar("T")
OF_SPACE = (OldEpoch, EpochTaken)
STOP_AGAIN = 0.1  # seconds


def fan_out(sessions: Sequence[Session], work: Callable[[Session], T]) -> list[T]:
    """What `work` returns for each session, in their order, after all have ended. The failure of one host is raised
    as it is, those of several as SeveralHostsFailed; one that is about the space, and not the host, stands for all.
    Interrupted, it ends the agents, and so the calls."""
    if len(sessions) <= 1:
        return [work(session) for session in sessions]
    with ThreadPoolExecutor(len(sessions)) as pool:
        futures: list[Future[T]] = []
        try:
            with _interrupts_later():
                futures += [pool.submit(work, session) for session in sessions]
            wait(futures)
        except BaseException:
            _stop(sessions, futures)
            raise
    return _results(sessions, futures)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold back what would interrupt the block. In the middle of a thread's start it would leave a thread that nobody
    waits for, and that goes on calling."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: found for number in signals if callable(found := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for late in came:
        signal.raise_signal(late)


def _stop(sessions: Sequence[Session], futures: Sequence[Future[T]]) -> None:
    """End the calls, again and again: a thread may only be about to begin one. The threads hear when agents have undone
    what was half done; one that takes too long is left alone."""
    going_on = dict(zip(futures, sessions, strict=False))
    deadline = time.monotonic() + UNDONE
    while going_on:
        for future, session in going_on.items():
            if not future.cancel():
                session.hang_up() if time.monotonic() < deadline else session.end_agent()
        going_on = {future: going_on[future] for future in wait(going_on, STOP_AGAIN).not_done}
    for session in sessions:
        session.end_agent()  # an agent that was hung up on hears no further call


def _results(sessions: Sequence[Session], futures: Sequence[Future[T]]) -> list[T]:
    failed = {session.host.id: e for session, f in zip(sessions, futures, strict=True) if (e := f.exception())}
    for error in failed.values():
        if len(failed) == 1 or not isinstance(error, Failure) or isinstance(error, OF_SPACE):
            raise error
    if failed:
        raise SeveralHostsFailed(len(failed), len(sessions), _paragraphs(failed)) from next(iter(failed.values()))
    return [future.result() for future in futures]


def _paragraphs(failed: dict[str, BaseException]) -> str:
    return "\n\n".join(f"{host}:\n{textwrap.indent(str(error), '  ')}" for host, error in failed.items())
