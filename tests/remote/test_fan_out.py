"""Work on several hosts: order, failures, and an interruption."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from deployer.errors.remote import HostUnreachable, SeveralHostsFailed
from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out
from tests.remote.agents_here import HereConnection, session_here


def sessions(*names: str) -> list[Session]:
    return [Session(Host(name, 1, "127.0.0.1", "127.0.0.1", "none"), HereConnection()) for name in names]


def down(session: Session) -> str:
    if session.host.id.startswith("down"):
        raise HostUnreachable(session.host.id, "10.0.0.1", 22, "No route to host")
    return session.host.id


def test_answers_stand_in_the_order_of_the_hosts() -> None:
    names = [f"h{number}" for number in range(20)]

    def slowly(session: Session) -> str:
        time.sleep(0.02 if session.host.id == "h0" else 0)
        return session.host.id

    assert fan_out(sessions(*names), slowly) == names
    assert fan_out([], slowly) == []


def test_all_hosts_work_at_the_same_time() -> None:
    everyone = threading.Barrier(30)
    fan_out(sessions(*(f"h{number}" for number in range(30))), lambda session: everyone.wait(10))


def test_one_hosts_failure_is_raised_as_it_is_when_all_have_ended() -> None:
    ended: list[str] = []

    def work(session: Session) -> None:
        down(session)
        time.sleep(0.02)
        ended.append(session.host.id)

    with pytest.raises(HostUnreachable):
        fan_out(sessions("down", "h1", "h2"), work)
    assert sorted(ended) == ["h1", "h2"]


def test_several_hosts_failures_are_all_named() -> None:
    with pytest.raises(SeveralHostsFailed) as caught:
        fan_out(sessions("down1", "h1", "down2"), down)
    text = str(caught.value)
    assert text.startswith("2 of 3 hosts failed.\n\ndown1:\n  Could not reach host down1.")
    assert "down2:" in text


def test_a_defect_is_not_hidden_behind_failures() -> None:
    def work(session: Session) -> None:
        if session.host.id == "h1":
            raise ZeroDivisionError
        down(session)

    with pytest.raises(ZeroDivisionError):
        fan_out(sessions("down1", "h1", "down2"), work)


@pytest.mark.edge
def test_an_interruption_ends_the_calls_on_all_hosts(tmp_path: Path, agents: Path) -> None:
    both = [session_here(tmp_path / name, agents, Host(name, 1, "", "", "none")) for name in ("h1", "h2")]
    request = {"app": "shop", "token": 1, "uid": 0, "layers": [], "deltas": 1}  # waits for a delta that never comes
    main = threading.main_thread().ident or 0
    threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fan_out(both, lambda session: session.call("receive", request))
    assert time.monotonic() - begun < 5
    for session in both:
        session.close()


@pytest.mark.edge
def test_hosts_can_be_called_again_after_an_interruption(tmp_path: Path, agents: Path) -> None:
    """Also one whose call was just over."""
    both = [session_here(tmp_path / name, agents, Host(name, 1, "", "", "none")) for name in ("h1", "h2")]
    main, interrupted = threading.main_thread().ident or 0, threading.Event()

    def work(session: Session) -> None:
        session.call("facts")
        if session is both[0]:
            signal.pthread_kill(main, signal.SIGINT)
        interrupted.wait(1)

    with pytest.raises(KeyboardInterrupt):
        fan_out(both, work)
    for session in both:
        assert session.call("facts")["cpus"]
        session.close()


def test_an_interrupt_while_the_threads_start_comes_when_all_have_started() -> None:
    """Else a thread that nobody waits for would go on calling."""
    begun: list[str] = []
    gate = threading.Event()

    def work(session: Session) -> None:
        if not begun:
            signal.raise_signal(signal.SIGINT)  # for the main thread, which is at work on the other starts
        begun.append(session.host.id)
        gate.wait(10)

    threading.Timer(0.2, gate.set).start()
    with pytest.raises(KeyboardInterrupt):
        fan_out(sessions(*(f"h{number}" for number in range(50))), work)
    assert begun  # those that had not begun yet never do
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]
