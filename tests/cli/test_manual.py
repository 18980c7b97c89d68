"""docs/commands.md cannot drift from the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.cli.manual import manual


def test_the_manual_is_up_to_date() -> None:
    written = Path(__file__).parents[2].joinpath("docs/commands.md").read_text()
    assert written == manual(), "scripts/commands-doc writes it anew"


def test_the_manual_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    first = manual()
    monkeypatch.setenv("COLUMNS", "200")
    assert manual() == first
