"""What a release command wrote, read again."""

from __future__ import annotations

import io
import json
from pathlib import Path

from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.host.task_output import task_output


def asked(root: Path, release: int) -> tuple[dict[str, object], list[str]]:
    """The result, and the lines told."""
    sent = io.BytesIO()
    result = task_output({"app": "shop", "release": release}, Channel(io.BytesIO(), sent, Paths(root)))
    return result, [json.loads(line)["line"] for line in sent.getvalue().splitlines()]


def test_lines_come_back_as_they_were_written(tmp_path: Path) -> None:
    folder = tmp_path / "tasks/shop.release.1.v7"
    folder.mkdir(parents=True)
    (folder / "output").write_bytes("Applying migrations\n  é\xff\nno newline at the end".encode("latin-1"))
    assert asked(tmp_path, 7) == (
        {"found": True},
        ["Applying migrations", "  \udce9\udcff", "no newline at the end"],
    )


def test_a_release_that_this_host_never_ran_a_command_for(tmp_path: Path) -> None:
    assert asked(tmp_path, 7) == ({"found": False}, [])
