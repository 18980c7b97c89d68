"""The moments after a switch: a release that does badly is switched back, one that does well or no worse stays."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import PROGRAM, Afflicted
from tests.hosts.outside import Habit, Outside, talking

pytestmark = pytest.mark.hosts
MAIN = 'if __name__ == "__main__":'
WAYS = """
import itertools, os, time
FAILS, DIES, TAKES = {fails}, {dies}, {takes}
asked = itertools.count(1)

def answer(self, rest):
    time.sleep(TAKES)
    deployers = self.headers.get("user-agent") == "deployer"
    bad = FAILS and not deployers and next(asked) % FAILS == 0
    self.say(self.word + " " + self.path, 500 if bad else 200)

Handler.do_path_ = answer
if DIES:
    threading.Timer(DIES, lambda: (print("no way out", flush=True), os._exit(3))).start()
"""
TIME = r"([0-9.]+ m?s)"
LATENCY = rf" {{7}}latency: median {TIME}, slowest {TIME} \(before: median {TIME}, slowest {TIME}\)\n"
HABITS = (Habit("keep-alive GET", 20), Habit("fresh GET", 20, fresh=True))


@dataclass
class Moody(Afflicted):
    """A person whose app can be made to do badly."""

    def turns(self, fails: int = 0, dies: float = 0, worker: str = "sleep 100000", takes: float = 0) -> None:
        """From the next deploy on every so many-th request fails, each takes so long, or its process dies after so many
        seconds."""
        ways = WAYS.format(fails=fails, dies=dies, takes=takes) + f"# {time.monotonic_ns()}\n\n"
        (self.folder / "app.py").write_text(PROGRAM.read_text().replace(MAIN, ways + MAIN))
        web = "web: python3 app.py $PORT $HEROKU_RELEASE_VERSION 0.2"
        (self.folder / "Procfile").write_text(f"{web}\nworker: {worker}\n")

    def deploys(self, *more: str, status: int = 0) -> str:
        """Deploy; what it said on standard error."""
        return self.types("deployer", "deploy", *self.here, *more, status=status).stderr

    def is_switched_back(self, said: str, release: int, why: str) -> None:
        """Whether this release, and every trace of the next one, is as if nothing had been."""
        assert f"v{self.newest} of {self.app} was switched back to v{release}: " in said, said
        assert why in said, said
        assert said.strip().splitlines()[-1].startswith(f" !     v{release} still serving at"), said
        current = self.is_whole(30).current
        assert current and current.release == release
        assert self.succeeded(self.newest) is False
        assert "switched back" in self.types("deployer", "releases", *self.here).stdout


@pytest.fixture(scope="module")
def moody(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moody]:
    person = Moody(tmp_path_factory.mktemp("watch") / "moody", "moody", sandbox.record.port)
    person.opens()
    yield person
    person.closes()


@pytest.fixture
def users(moody: Moody) -> Iterator[Outside]:
    """Users who ask during the whole test, of a release that does well, and so does the one that it ends with."""
    moody.turns()
    moody.deploys()
    users = Outside(moody.port, moody.app, HABITS)
    with users.asking():
        time.sleep(2)
        yield users


def test_a_release_that_fails_every_third_request_is_switched_back(moody: Moody, users: Outside) -> None:
    before = _current(moody)
    moody.turns(fails=3)
    said = moody.deploys(status=1)
    moody.is_switched_back(said, before, "requests failed, 0 of ")
    failed = len(users.failures)
    time.sleep(1)
    assert 5 <= failed == len(users.failures), users.failures
    assert {failure.split(": ")[1].split()[0] for failure in users.failures} == {"500"}


def test_a_release_that_crashes_two_seconds_after_the_switch_is_switched_back(moody: Moody, users: Outside) -> None:
    before = _current(moody)
    moody.turns(dies=2.8)
    said = moody.deploys(status=1)
    moody.is_switched_back(said, before, "web.")
    assert "exited with status 3 on hosts-h" in said
    assert "no way out" in said, "its last lines"


def test_a_worker_that_crashes_in_the_watch_takes_its_release_back_with_it(moody: Moody, users: Outside) -> None:
    before = _current(moody)
    moody.turns(worker="sleep 4.5")
    moody.is_switched_back(moody.deploys(status=1), before, "worker.1 exited with status 0")
    users.lost_nothing()


def test_a_good_release_stays_and_says_what_users_felt(moody: Moody, users: Outside) -> None:
    before = _current(moody)
    moody.turns(takes=0.3)
    said = moody.deploys()
    assert f"Watching v{before + 1}..." in said
    assert " requests failed meanwhile" in said and "       0 of " in said, said
    latency = re.search(LATENCY, said)
    assert latency, said
    median, slowest, median_before, _ = (_milliseconds(text) for text in latency.groups())
    assert median_before < 300 <= slowest and median <= slowest, "the new release is slower"
    assert "stayed with the old dynos" not in said
    users.lost_nothing(at_least=100)
    moody.is_whole()


@pytest.mark.faults
def test_connections_that_stay_with_old_dynos_are_told(moody: Moody) -> None:
    moody.turns()
    with talking(moody.port, moody.app) as conversation:
        said = moody.deploys()
    assert "       1 connection stayed with the old dynos, 1 cut after 30 s\n" in said, said
    assert conversation.lines > 30 * 2, "until then both sides heard each other"


def test_what_failed_before_may_fail_as_often_afterwards(moody: Moody, users: Outside) -> None:
    moody.turns(fails=20)
    moody.deploys("--watch", "0")
    time.sleep(3)
    before = _current(moody)
    moody.turns(fails=20)
    moody.deploys()
    assert _current(moody) == before + 1
    assert users.failures


def test_nobody_waits_for_an_app_that_nobody_asks_and_zero_seconds_are_no_watch(moody: Moody) -> None:
    moody.turns()
    assert "Watching" not in moody.deploys()
    began = time.monotonic()
    moody.types("deployer", *moody.words("config:set"), "--watch", "5")
    assert time.monotonic() - began > 5
    moody.turns(fails=1)
    before = _current(moody)
    assert "Watching" not in moody.deploys("--watch", "0")
    assert _current(moody) == before + 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_a_watch_that_is_cut_off_leaves_the_new_release(moody: Moody, users: Outside, name: str) -> None:
    before = _current(moody)
    moody.turns()
    killed = name == "SIGKILL"
    status = -signal.SIGKILL if killed else 0
    said = moody.types(*moody.meets("during:watch", name, "deploy", *moody.here), status=status).stderr
    if killed:
        moody.types("deployer", *moody.words("ps:scale"))
    else:
        assert f"Interrupted: v{before + 1} stays" in said
    assert moody.is_whole(10).current.release == before + 1  # type: ignore[union-attr]
    users.lost_nothing()


def test_a_command_that_dies_as_it_switches_back_is_brought_to_its_end_by_the_next(
    moody: Moody, users: Outside
) -> None:
    before = _current(moody)
    moody.turns(fails=2, worker="sleep 99999")
    point = f"before:put-{moody.newest + 1:08d}.result"
    moody.types(*moody.meets(point, "SIGKILL", "deploy", *moody.here), status=-signal.SIGKILL)
    assert _current(moody) == before
    failed = len(users.failures)
    moody.types("deployer", *moody.words("ps:scale"))
    assert _current(moody) == before
    assert moody.succeeded(moody.newest) is False
    moody.is_whole(10)
    assert len(users.failures) == failed


def _current(moody: Moody) -> int:
    current = moody.state().current
    assert current
    return current.release


def _milliseconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * (1000 if unit == "s" else 1)
