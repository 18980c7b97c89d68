"""What was measured of a commit, part by part: a whole run takes half an hour, which a machine may not be quiet for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.report import Row, Section
from bench.site import ROOT

FOLDER = ROOT / ".cache/bench"


def keep(hosts: int, sections: Sequence[Section], profiles: Sequence[Section]) -> None:
    """Keep the part with so many hosts, of the commit that is checked out."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for left in set(FOLDER.iterdir()) - set(FOLDER.glob(f"{_commit()}-*")):
        left.unlink()
    _file(hosts).write_text(json.dumps([[asdict(one) for one in sections], [asdict(one) for one in profiles]]))


def kept(hosts: int) -> tuple[list[Section], list[Section]] | None:
    """The sections and profiles of that part; None where it was not measured of this commit."""
    if not _file(hosts).exists():
        return None
    sections, profiles = (
        [Section(one["title"], [Row(**row) for row in one["rows"]], one["notes"]) for one in part]
        for part in json.loads(_file(hosts).read_text())
    )
    return sections, profiles


def _file(hosts: int) -> Path:
    return FOLDER / f"{_commit()}-{hosts}.json"


def _commit() -> str:
    words = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
