"""What came of tests when they last ran: `pytest --record FILE` writes it down, and leaves what other runs have written
of other tests. docs/reliability.md shows it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WORST = ("passed", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passed`, `skipped` or `failed`; the day; the commit, with `+` where files differed from it; how long it took."""

    outcome: str
    date: str
    commit: str
    seconds: float


def add_option(parser: pytest.Parser) -> None:
    """`--record FILE`."""
    parser.addoption("--record", metavar="FILE", type=Path, help="write down in this JSON file what comes of each test")


def configure(config: pytest.Config) -> None:
    """Record, where the option says so."""
    if file := config.getoption("--record"):
        config.pluginmanager.register(Recorder(file, commit(HERE), f"{datetime.now(UTC):%Y-%m-%d}"))


class Recorder:
    """Hears of every test's end, and writes at the end of the run: also of one that is interrupted."""

    def __init__(self, file: Path, commit: str, date: str) -> None:
        self._file, self._commit, self._date = file, commit, date
        self._seen: dict[str, Outcome] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Set-up, call and end of a test: the worst of them counts."""
        name = key(report.nodeid)
        before = self._seen.get(name, Outcome("passed", self._date, self._commit, 0))
        outcome = max(before.outcome, report.outcome, key=WORST.index)
        seconds = round(before.seconds + (report.duration if report.when == "call" else 0), 1)
        self._seen[name] = Outcome(outcome, self._date, self._commit, seconds)

    def pytest_sessionfinish(self) -> None:
        """Merge into the file."""
        save(self._file, {**load(self._file), **self._seen})


def key(nodeid: str) -> str:
    """A test's name in the file: its module's name without folders, then as pytest has it."""
    module, _, rest = nodeid.partition("::")
    return f"{Path(module).name}::{rest}"


def load(file: Path) -> dict[str, Outcome]:
    """What the file has; nothing where there is none."""
    if not file.exists():
        return {}
    return {name: Outcome(**facts) for name, facts in json.loads(file.read_text()).items()}


def save(file: Path, outcomes: Mapping[str, Outcome]) -> None:
    """One line a test, so that differences can be read."""
    lines = (f"{json.dumps(name)}: {json.dumps(asdict(outcomes[name]))}" for name in sorted(outcomes))
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def told(outcomes: Iterable[Outcome | None]) -> str:
    """Of one or several tests that are one line of the page: `passed on 2026-11-25 (209198f), 4 s`; the worst counts,
    and of them the oldest. What never ran says so."""
    known = [one for one in outcomes if one]
    if not known:
        return "not run yet"
    worst = max(WORST.index(one.outcome) for one in known)
    shown = min((one for one in known if WORST.index(one.outcome) == worst), key=lambda one: one.date)
    seconds = sum(one.seconds for one in known)
    return f"{shown.outcome} on {shown.date} ({shown.commit}), {max(1, round(seconds))} s"


def commit(folder: Path) -> str:
    """The checkout's commit, short; `+` behind it where files differ."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False).stdout

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/deployer", ":/tests", ":/buildpacks")
    return git("rev-parse", "--short=7", "HEAD").strip() + ("+" if changed else "")
