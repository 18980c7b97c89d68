"""Processes are known again by number and start: a foreign one is never ended."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.spaces.sandbox.process import Process


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    found = Process(tmp_path / "process.json", tmp_path / "log")
    yield found
    found.stop(1)


def test_it_outlives_its_starter_and_ends_when_asked(process: Process) -> None:
    pid = process.start(["sleep", "60"])
    assert process.pid == pid
    process.stop(2)
    assert process.pid is None
    assert not process.record.exists()


def test_one_that_ignores_the_question_is_killed(process: Process) -> None:
    process.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"])
    while process.log.read_text() != "ready\n":
        pass
    process.stop(0.2)
    assert process.pid is None


@pytest.mark.parametrize("wrong", [{"started": "1"}, {"boot": "of yesterday"}])
def test_a_number_that_another_process_has_got_is_not_it(process: Process, wrong: dict[str, str]) -> None:
    with subprocess.Popen(["sleep", "60"]) as foreign:
        process.start(["true"])
        known = json.loads(process.record.read_text())
        start = Path(f"/proc/{foreign.pid}/stat").read_text().rpartition(")")[2].split()[19]
        process.record.write_text(json.dumps({**known, "pid": foreign.pid, "started": start, **wrong}))
        assert process.pid is None
        process.stop(0.1)
        assert foreign.poll() is None
        foreign.kill()


def test_half_a_record_means_that_nothing_runs(process: Process) -> None:
    process.record.write_text('{"pid": ' + str(os.getpid()))
    assert process.pid is None


def test_the_end_of_what_it_said_is_kept_for_the_failure(process: Process) -> None:
    with subprocess.Popen(["true"]):
        pass
    process.start(["sh", "-c", "seq 100; exit 3"])
    while process.pid is not None:
        pass
    assert process.end_of_log(2) == "99\n100"
