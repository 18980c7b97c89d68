"""Calling agents that are child processes: installation, calls, failures, and what is left after each."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from deployer.errors.host import Superseded
from deployer.errors.remote import ConnectionLost
from deployer.model.space import Host
from deployer.remote import ssh
from deployer.remote.agent import UNDONE, Session
from deployer.remote.bundle import bundle
from deployer.remote.store import HostStore
from deployer.store.base import Get, List, Lost, Put, Stored
from tests.remote.agents_here import HereConnection, Sshd, session_here


def pids(session: Session) -> list[int]:
    """The agents that this session's connection started, dead or alive."""
    assert isinstance(session.connection, HereConnection)
    return [pipe.process.pid for pipe in session.connection.pipes]


def kill_agent(session: Session) -> None:
    assert isinstance(session.connection, HereConnection)
    session.connection.pipes[-1].process.kill()


@pytest.mark.edge
def test_the_first_call_puts_the_agent_on_the_host(tmp_path: Path) -> None:
    with session_here(tmp_path / "host") as session:
        assert session.call("facts")["agent"] == bundle().name
        installed = tmp_path / "host/agent" / bundle().name
        assert {path.name for path in installed.parent.iterdir()} == {bundle().name}
        assert list((installed / "deployer/host/__pycache__").glob("serve.*.pyc"))


def test_calls_follow_each_other_in_one_agent(session: Session) -> None:
    assert session.call("facts")["hostname"] == session.call("facts")["hostname"]
    assert len(pids(session)) == 1
    assert session.sent == 2 * len('{"call":"facts"}\n')


def test_a_call_that_was_cut_off_before_anybody_could_leave_it_gives_no_answer_to_the_next(session: Session) -> None:
    """An interrupt may come right after a request was sent."""
    session.exchange("facts")
    assert session.call("store", {"ops": []})["answers"] == []
    assert len(pids(session)) == 2


def test_an_agents_error_is_a_failure_with_words(session: Session) -> None:
    prune = {"app": "shop", "keep": []}
    session.call("prune", {**prune, "token": 8})
    with pytest.raises(Superseded) as caught:
        session.call("prune", {**prune, "token": 7})
    assert (caught.value.host, caught.value.highest) == ("here", 8)
    assert session.call("facts")["tokens"] == {"shop": 8}


def test_an_agent_that_dies_in_a_call_is_a_lost_connection_and_the_next_call_starts_another(session: Session) -> None:
    session.call("facts")
    with session.exchange("receive", {"app": "shop", "token": 1, "uid": 0, "layers": [], "deltas": 1}) as exchange:
        kill_agent(session)
        with pytest.raises(ConnectionLost) as caught:
            exchange.receive()
    assert caught.value.seen_last == "The agent ended with exit status -9."
    assert session.call("facts")["cpus"]


def test_what_a_dying_agent_said_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "host/agent" / bundle().name
    broken.mkdir(parents=True)
    (broken / "__main__.py").write_text("raise SystemExit('no room on this host')")
    with session_here(tmp_path / "host") as session, pytest.raises(ConnectionLost) as caught:
        session.call("facts")
    assert caught.value.seen_last == "no room on this host"


def test_a_call_that_is_left_early_ends_and_the_next_one_is_not_confused(session: Session, tmp_path: Path) -> None:
    request = {"app": "shop", "token": 1, "uid": 0, "layers": [{"digest": "0" * 64}], "deltas": 0}
    with session.exchange("receive", request) as exchange:
        assert exchange.receive()[0]["event"] == "manifests"
        assert len(list((tmp_path / "host/apps/shop/at-work").iterdir())) == 1
    assert list((tmp_path / "host/apps/shop/at-work").iterdir()) == []
    assert session.call("facts")["tokens"] == {"shop": 1}


SLOW = """\
import pathlib, sys, time
print('{"event": "begun"}', flush=True)
sys.stdin.read()
time.sleep(0.5)
pathlib.Path(ROOT, "undone").touch()
"""


@pytest.mark.edge
def test_a_call_that_is_left_early_is_undone_before_anything_else_happens(server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "agent" / bundle().name).mkdir(parents=True)
    (tmp_path / "agent" / bundle().name / "__main__.py").write_text(SLOW.replace("ROOT", repr(str(tmp_path))))
    with Session(server.host, ssh.connect(server.host, server.identity), root=str(tmp_path)) as session:
        with session.exchange("boot") as exchange:
            assert exchange.receive()[0] == {"event": "begun"}
        assert (tmp_path / "undone").exists()


@pytest.mark.edge
def test_nobody_waits_for_an_agent_whose_connection_is_gone(server: Sshd, tmp_path: Path) -> None:
    with Session(server.host, ssh.connect(server.host, server.identity), root=str(tmp_path)) as session:
        began = time.monotonic()
        with pytest.raises(ConnectionLost), session.exchange("receive") as exchange:
            session.connection.close()
            exchange.receive()
        assert time.monotonic() - began < UNDONE / 2


def test_a_second_agent_answers_while_the_first_is_busy(session: Session) -> None:
    with session.exchange("receive", {"app": "shop", "token": 1, "uid": 0, "layers": [], "deltas": 1}):
        second = session.second()
        assert second.call("facts")["cpus"]
        second.close()
    assert len(pids(session)) == 2
    assert session.call("facts")["cpus"], "closing the second leaves the connection"


def test_the_first_hosts_store_is_a_store(session: Session) -> None:
    store = HostStore(session)
    body = b'{"not": "text: \xff"}'
    put, got, keys = store.batch([Put("a/b", body, if_absent=True), Get("a/b"), List("a/")]).answers
    assert isinstance(got, Stored)
    assert (got.body, got.etag, keys) == (body, put, ("a/b",))
    with pytest.raises(Lost) as caught:
        store.batch([Get("a/b"), Put("a/b", b"", if_match="another")])
    assert caught.value.key == "a/b"


def test_a_login_that_is_not_root_goes_through_sudo(tmp_path: Path) -> None:
    words: list[list[str]] = []

    class Listening(HereConnection):
        def open(self, line):  # type: ignore[no-untyped-def]
            words.append(list(line))
            return super().open(["true"])

    session = Session(Host("h1", 1, "127.0.0.1", "127.0.0.1", "none", user="admin"), Listening())
    with pytest.raises(ConnectionLost):
        session.call("facts")
    assert words[0][:3] == ["sudo", "-n", "sh"]
    session.close()
