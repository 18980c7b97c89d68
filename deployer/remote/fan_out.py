"""The same work on several hosts at the same time."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from deployer.errors.base import Failure
from deployer.errors.remote import SeveralHostsFailed
from deployer.remote.agent import Session

T = TypeVar("T")


def fan_out(sessions: Sequence[Session], work: Callable[[Session], T]) -> list[T]:
    """What `work` returns for each session, in their order, after all have ended. The failure of one host is raised
    as it is, those of several as SeveralHostsFailed. Interrupted, it ends the agents, and so the calls."""
    if len(sessions) <= 1:
        return [work(session) for session in sessions]
    with ThreadPoolExecutor(len(sessions)) as pool:
        futures = [pool.submit(work, session) for session in sessions]
        try:
            wait(futures)
        except BaseException:
            _stop(sessions, futures)
            raise
    return _results(sessions, futures)


def _stop(sessions: Sequence[Session], futures: Sequence[Future[T]]) -> None:
    for session, future in zip(sessions, futures, strict=True):
        if not future.cancel():
            session.end_agent()


def _results(sessions: Sequence[Session], futures: Sequence[Future[T]]) -> list[T]:
    failed = {session.host.id: e for session, f in zip(sessions, futures, strict=True) if (e := f.exception())}
    for error in failed.values():
        if len(failed) == 1 or not isinstance(error, Failure):
            raise error
    if failed:
        raise SeveralHostsFailed(len(failed), len(sessions), _paragraphs(failed)) from next(iter(failed.values()))
    return [future.result() for future in futures]


def _paragraphs(failed: dict[str, BaseException]) -> str:
    return "\n\n".join(f"{host}:\n{textwrap.indent(str(error), '  ')}" for host, error in failed.items())
