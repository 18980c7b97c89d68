"""Loops that Pulumi's library has left open."""

from __future__ import annotations

import asyncio
import threading

from infra.event_loops import Loops, closing_loops


async def _noting(loops: Loops) -> None:
    loops.note()


def test_a_loop_that_was_left_open_is_closed() -> None:
    loop = asyncio.new_event_loop()
    with closing_loops() as loops:
        loop.run_until_complete(_noting(loops))
        assert not loop.is_closed()
    assert loop.is_closed()


def test_one_that_is_closed_already_is_no_failure() -> None:
    with closing_loops() as loops:
        asyncio.run(_noting(loops))


def test_one_that_still_runs_is_waited_for() -> None:
    loop, noted = asyncio.new_event_loop(), threading.Event()

    async def work(loops: Loops) -> None:
        loops.note()
        noted.set()
        await asyncio.sleep(0.2)

    with closing_loops() as loops:
        thread = threading.Thread(target=lambda: loop.run_until_complete(work(loops)))
        thread.start()
        noted.wait()
    thread.join()
    assert loop.is_closed()
