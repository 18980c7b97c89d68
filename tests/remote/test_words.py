"""The words for failures on the way to hosts and for what agents answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deployer.errors.base import Failure, HostFailure
from deployer.errors.host import failure
from deployer.errors.remote import (
    AgentNotInstalled,
    AuthenticationRefused,
    ConnectionLost,
    HostKeyChanged,
    HostUnreachable,
    IdentityUnreadable,
    SeveralHostsFailed,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
FAILURES = {
    "unreachable": HostUnreachable("sandbox-h1", "10.77.0.11", 22, "Connection refused"),
    "key-changed": HostKeyChanged("sandbox-h1", "10.77.0.11", 22, f"{KEY}known", f"{KEY}found"),
    "refused": AuthenticationRefused("h1", "admin", "192.0.2.7", 2222, "/home/ada/.ssh/id_ed25519"),
    "identity": IdentityUnreadable("/home/ada/.ssh/id_ed25519", "No such file or directory"),
    "lost": ConnectionLost("h1", "boot", "The connection ended."),
    "not-installed": AgentNotInstalled("h1", 127, "sh: 1: /usr/bin/python3: not found"),
    "several": SeveralHostsFailed(2, 3, "h1:\n  Could not reach host h1.\n\nh3:\n  Could not reach host h3."),
}
ANSWERS: dict[str, dict[str, Any]] = {
    "defect": {"call": "boot", "traceback": "Traceback (most recent call last):\nZeroDivisionError: one by {none}\n"},
    "bad-request": {"reason": "'x' is no digest"},
    "unknown-call": {"call": "fly"},
    "lease-lost": {"app": "shop", "token": 7, "highest": 8},
    "old-epoch": {"epoch": 3, "known": 4},
    "epoch-taken": {"epoch": 4, "known": 4},
    "no-copy": {"at": 0, "store": False},
    "disk-full": {"path": "/srv/deployer/apps/shop", "needed": 123_456_789, "free": 1_234_567},
    "read-only": {"call": "store", "reason": "Read-only file system"},
    "no-space": {"call": "store", "reason": "No space left on device"},
    "bad-manifest": {"reason": "b'etc/passwd' lies outside app/"},
    "bad-blob": {"reason": "the stream was cut off"},
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_on_the_way_to_a_host_read_well(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/remote/{name}.txt", f"{FAILURES[name]}\n")


@pytest.mark.parametrize("code", ANSWERS)
def test_what_an_agent_answers_reads_well(code: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/host/{code}.txt", f"{failure('h1', code, ANSWERS[code])}\n")


def test_a_code_without_words_is_shown_as_it_came() -> None:
    shown = failure("h1", "on-strike", {"since": "noon"})
    assert isinstance(shown, HostFailure)
    assert str(shown) == "The agent answered on-strike.\n\n{'host': 'h1', 'since': 'noon'}"


def test_facts_that_another_versions_agent_does_not_send_are_missed_without_a_crash() -> None:
    shown = failure("h1", "disk-full", {"path": "/srv"})
    assert "disk-full" in str(shown)
    more = failure("h1", "disk-full", {"path": "/srv", "needed": 2, "free": 1, "color": "blue"})
    assert "/srv needs 2 bytes, and 1 are free." in str(more)


def test_a_defect_of_the_agent_is_ours() -> None:
    assert failure("h1", "defect", ANSWERS["defect"]).exit_status == 70
    assert isinstance(failure("h1", "defect", ANSWERS["defect"]), Failure)
