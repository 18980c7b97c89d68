"""A sandbox that cannot answer is not dialled."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.spaces import SpaceFolderGone, SpaceStopped
from deployer.model.space import Host, Pointer
from deployer.spaces.sandbox.process import note
from deployer.spaces.sandbox.state import check_runs

HOST = Host("box-h1", 1, "10.0.0.1", "10.0.0.1", "ssh-ed25519 AAAA")


def test_one_whose_folder_is_gone_can_only_be_forgotten(tmp_path: Path) -> None:
    with pytest.raises(SpaceFolderGone, match="spaces:destroy box"):
        check_runs(Pointer("box", "sandbox", HOST, "/key", str(tmp_path / "box")))


def test_one_that_is_stopped_says_the_line_that_starts_it(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{}")
    with pytest.raises(SpaceStopped, match="spaces:start box"):
        check_runs(Pointer("box", "sandbox", HOST, "/key", str(tmp_path)))


def test_one_that_runs_and_a_space_of_another_kind_are_let_through(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{}")
    (tmp_path / "hosts/box-h1").mkdir(parents=True)
    note(tmp_path / "hosts/box-h1/process.json", os.getpid())
    pointer = Pointer("box", "sandbox", HOST, "/key", str(tmp_path))
    check_runs(pointer)
    check_runs(replace(pointer, kind="ssh", folder=None))
