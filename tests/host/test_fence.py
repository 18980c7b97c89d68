"""Tokens and epochs, without processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from deployer.errors.base import HostFailure
from deployer.host.fence import fenced, read_token, started
from deployer.host.paths import Paths


def refusal(request: dict[str, Any], root: Path, *, required: bool = True) -> str:
    """The code with which a request is refused; empty where it may pass."""
    try:
        with fenced(request, Paths(root), required=required):
            return ""
    except HostFailure as failure:
        return failure.code


def test_the_highest_token_stays_and_lower_ones_are_refused(tmp_path: Path) -> None:
    assert [refusal({"app": "shop", "token": token}, tmp_path) for token in (3, 3, 12, 4)] == ["", "", "", "lease-lost"]
    assert read_token(Paths(tmp_path).app("shop")) == 12
    assert refusal({"app": "blog", "token": 1}, tmp_path) == ""


@pytest.mark.parametrize(
    "request_", [{"token": 1}, {"app": "shop"}, {"app": "../shop", "token": 1}, {"app": "shop", "token": "1"}]
)
def test_a_changing_call_names_an_app_and_a_lease(tmp_path: Path, request_: dict[str, Any]) -> None:
    assert refusal(request_, tmp_path) == "bad-request"
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_changes_nothing_needs_no_token(tmp_path: Path) -> None:
    assert refusal({"app": "shop"}, tmp_path, required=False) == ""


def test_older_epochs_are_refused_and_newer_ones_pass(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("4\n")
    lease = {"app": "shop", "token": 1}
    refusals = [refusal({**lease, **epoch}, tmp_path) for epoch in ({"epoch": 3}, {"epoch": 4}, {"epoch": 5}, {})]
    assert refusals == ["old-epoch", "", "", ""]


def test_a_dead_agents_record_is_removed_and_nobody_is_ended_for_it(tmp_path: Path) -> None:
    at_work = Paths(tmp_path).app("shop").at_work
    at_work.mkdir(parents=True)
    recycled = at_work / f"{os.getppid()}.1"  # a number that another process has now
    recycled.write_text("1")
    assert refusal({"app": "shop", "token": 2}, tmp_path) == ""
    assert list(at_work.iterdir()) == []
    assert started(os.getppid())


def test_a_process_that_is_gone_has_no_start(tmp_path: Path) -> None:
    assert started(2**22 + 1) == ""
    assert started(os.getpid()).isdigit()
