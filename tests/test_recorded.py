"""What came of tests is written down, and merged with what earlier runs have written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.recorded import Outcome, load, save, told

CONFTEST = """
from tests.recorded import add_option as pytest_addoption, configure as pytest_configure
"""
TESTS = """
import pytest
@pytest.mark.parametrize("link", ["1 Mbit/s"])
def test_passes(link): pass
def test_fails(): assert False
@pytest.fixture
def users():
    yield
    assert False, "lost a request"
def test_fails_at_its_end(users): pass
@pytest.mark.skip
def test_is_skipped(): pass
"""


def test_a_run_writes_down_what_came_of_each_test_and_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    earlier = Outcome("passed", "2026-01-01", "0123456", 3.0)
    save(file, {"test_other.py::test_other": earlier, "test_these.py::test_fails": earlier})
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_these.py").write_text(TESTS)
    words = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "--record", str(file), str(tmp_path)]
    here = Path(__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=here, capture_output=True, check=False, text=True
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = load(file)
    assert found.pop("test_other.py::test_other") == earlier
    assert {name.partition("::")[2]: one.outcome for name, one in found.items()} == {
        "test_passes[1 Mbit/s]": "passed",
        "test_fails": "failed",
        "test_fails_at_its_end": "failed",
        "test_is_skipped": "skipped",
    }
    assert all(one.date > earlier.date and one.commit != earlier.commit for one in found.values())


def test_of_several_outcomes_the_worst_and_oldest_is_told() -> None:
    passed, older = Outcome("passed", "2026-02-01", "bbbbbbb", 2.0), Outcome("passed", "2026-01-01", "aaaaaaa", 3.4)
    assert told([]) == told([None]) == "not run yet"
    assert told([passed, older]) == "passed on 2026-01-01 (aaaaaaa), 5 s"
    assert told([older, Outcome("failed", "2026-02-02", "ccccccc+", 0)]) == "failed on 2026-02-02 (ccccccc+), 3 s"
