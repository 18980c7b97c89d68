"""Commands that are cut off, at every point: the app serves on, and the next command leaves nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted, all_served, living
from tests.hosts.cases import CASES, Case

pytestmark = pytest.mark.hosts
INTERRUPTED = 130
TRIED = [pytest.param(one, id=one.id, marks=() if one.is_quick else pytest.mark.faults) for one in CASES]


@pytest.fixture(scope="module")
def job(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    with living(tmp_path_factory.mktemp("faults") / "job", sandbox.record.port) as person:
        yield person


@pytest.fixture(autouse=True)
def users(job: Afflicted) -> Iterator[None]:
    """Users who ask during the whole test, and lose nothing."""
    with all_served(job):
        yield


@pytest.mark.parametrize("case", TRIED)
def test_a_command_that_is_cut_off_is_finished_or_undone(job: Afflicted, case: Case) -> None:
    before, newest = job.state(), job.newest
    words = job.words(case.command, fewer="retire" in case.point)
    done = job.types(*job.meets(case.point, case.signal, *words), status=None)
    assert done.returncode in _statuses(case), done.stderr
    said, is_committed = done.stderr, case.is_committed or done.returncode == 0
    if case.then:
        said = job.types("deployer", *job.words(case.then)).stderr

    after = job.is_whole()
    assert before.current and after.current
    if case.command == "ps:scale":
        if case.then != "ps:scale":
            assert (after.app.formation != before.app.formation) == is_committed, said
    elif case.command != "ps:restart" and "receive" not in case.point:
        assert job.succeeded(newest + 1) in ((True,) if is_committed else (False, None)), said
    job.sees(f"v{after.current.release} ")


def _statuses(case: Case) -> tuple[int, ...]:
    """How the command may end. The middle of a call may be its end on a busy machine: then it is committed."""
    if case.signal == "SIGKILL":
        return (-signal.SIGKILL,)
    if case.signal == "AGENT":
        return 0, 1
    if case.signal == "CUT":
        return (1,)
    if case.is_committed:
        return (0,)
    return (0, INTERRUPTED) if case.point == "during:boot" else (INTERRUPTED,)
