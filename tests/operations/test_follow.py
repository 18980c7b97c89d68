"""Log lines that are followed across connections that end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from deployer.errors.base import Failure
from deployer.errors.remote import ConnectionLost, HostKeyChanged, HostUnreachable
from deployer.model.events import Event, Warn
from deployer.model.log_line import LogLine
from deployer.model.space import Host
from deployer.operations.follow import LASTED, Follower
from deployer.remote.agent import Session

HOST = Host("h1", 1, "10.0.0.1", "10.0.0.1", "key")
BROKEN = ConnectionLost("h1", "logs", "The connection ended.")
AWAY = HostUnreachable("h1", "10.0.0.1", 22, "Connection refused")
OTHER = HostKeyChanged("h1", "10.0.0.1", 22, "a", "b")


@dataclass
class Journal:
    """A host's session: says these lines, then fails, or ends the test."""

    lines: list[int]
    fails: Failure | None = BROKEN
    lasts: float = 0.0
    host: Host = HOST
    asked: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass
class Following:
    """What becomes of a follower whose connections are these, one after the other; failures are those to connect."""

    connections: list[Journal | Failure]
    told: list[Event] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    now: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, tries: int = 3, gone: str = "") -> Following:
        first = self.again(cast(Session, None))
        follower = Follower(
            self.again, first, {"lines": 100}, self.lines.append, self.told.append, self.ended, (0,) * tries, self.clock
        )
        follower.why_gone = lambda host: gone
        follower.follow()
        assert follower.is_gone == bool(gone)
        return self

    def clock(self) -> float:
        return self.now

    def again(self, lost: Session) -> Session:
        next_one = self.connections.pop(0)
        if isinstance(next_one, Failure):
            raise next_one
        return cast(Session, Asked(self, next_one))

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Warn)]


@dataclass
class Asked:
    scene: Following
    journal: Journal
    host: Host = HOST

    def call(self, call: str, request: Mapping[str, Any], on_event: Any) -> None:
        self.journal.asked.append(dict(request))
        for n in self.journal.lines:
            on_event({"time": n, "source": "app", "dyno": "web.1", "text": f"{n}", "cursor": f"c{n}"}, b"")
        self.scene.now += self.journal.lasts
        if self.journal.fails is None:
            self.scene.ended.set()
            return
        raise self.journal.fails


def test_it_goes_on_after_the_last_line_that_arrived() -> None:
    first, second = Journal([1, 2]), Journal([3], fails=None)
    scene = Following([first, second]).run()
    assert [line.time for line in scene.lines] == [1, 2, 3]
    assert (first.asked, second.asked) == ([{"lines": 100}], [{"lines": 100, "cursor": "c2"}])
    assert scene.warnings == ["h1: the connection ended. Connecting again..."]


def test_where_no_line_has_arrived_the_same_is_asked_again() -> None:
    second = Journal([1], fails=None)
    Following([Journal([]), second]).run()
    assert second.asked == [{"lines": 100}]


def test_a_host_that_is_away_for_a_while_is_tried_again() -> None:
    scene = Following([Journal([1]), AWAY, AWAY, Journal([2], fails=None)]).run()
    assert [line.time for line in scene.lines] == [1, 2]


def test_a_host_that_stays_away_is_given_up_and_said() -> None:
    scene = Following([Journal([1]), AWAY, AWAY, AWAY]).run()
    assert scene.warnings[-1] == "h1: Could not reach host h1. What it writes does not stand here any more."
    assert not scene.connections


def test_nobody_waits_for_a_host_that_is_gone() -> None:
    scene = Following([Journal([1]), AWAY, Journal([2])]).run(gone="it is gone (EC2: terminated)")
    assert scene.warnings[-1] == "h1: it is gone (EC2: terminated). What it writes does not stand here any more."
    assert len(scene.connections) == 1


def test_a_host_that_lets_in_and_hangs_up_is_not_asked_for_ever() -> None:
    scene = Following([Journal([1]), Journal([]), Journal([]), Journal([])]).run()
    assert "Lost the connection" in scene.warnings[-1]
    assert not scene.connections


def test_a_quiet_app_is_followed_for_as_long_as_its_connections_last() -> None:
    hours = [Journal([], lasts=LASTED * 60) for _ in range(12)]
    assert Following([*hours, Journal([1], fails=None)]).run().lines


def test_another_machine_in_its_place_is_not_tried_twice() -> None:
    scene = Following([Journal([1]), OTHER, Journal([2])]).run()
    assert "is not the one that this space knows" in scene.warnings[-1]
    assert len(scene.connections) == 1


def test_when_nobody_listens_any_more_nothing_is_said() -> None:
    scene = Following([Journal([1], fails=None)]).run()
    assert scene.told == []
