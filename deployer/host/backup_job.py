"""A backup or a restore at work on this host: its order, its unit, how far it is, and how it ended.

Its folder `/srv/deployer/backups/work/APP.b001` holds `order`, which its unit reads as its input and removes, then
`progress`, then `outcome`. A unit of its own: whoever watches may go, and nothing of it is in the arguments of a
process.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import files, systemd, units
from deployer.host.backup_dumps import file_of
from deployer.host.paths import Paths
from deployer.host.task import ALIVE
from deployer.model import codec
from deployer.model.backup import Outcome

UNIT = "deployer-backup-{}.service"
LONGEST = "24h"
STOPS_WITHIN = 60  # seconds for a program to end, and for the store to hear of it
KEPT = 20  # of the work of an app, how many traces stay


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, as an app's user `uid`, in the database `database` at `url`. Of a restore: `server` is that
    of RDS with its master, and `source` is `{backup: [APP, NAME], original}` or `{url}`; a backup whose name begins
    with `u` is a file that somebody has sent for this. `storage` is what RDS's has room for, in bytes."""

    app: str
    name: str
    uid: int
    database: str
    url: str = field(repr=False)
    addon: str = ""
    server: dict[str, Any] | None = field(default=None, repr=False)
    source: dict[str, Any] | None = field(default=None, repr=False)
    storage: int = 0

    @property
    def unit(self) -> str:
        """The unit that does it."""
        return unit_of(self.app, self.name)


@dataclass(frozen=True, slots=True)
class Traces:
    """The folder of one."""

    folder: Path

    @property
    def order(self) -> Path:
        """What its unit reads."""
        return self.folder / "order"

    @property
    def upload(self) -> Path:
        """The dump that a URL led to."""
        return self.folder / "upload"

    @property
    def canceled(self) -> Path:
        """There where somebody has canceled it."""
        return self.folder / "canceled"

    def reached(self, count: int) -> None:
        """Say how far it is, in bytes."""
        aside = self.folder / ".progress"
        aside.write_text(str(count))
        aside.rename(self.folder / "progress")

    def progress(self) -> int:
        """How far it is."""
        try:
            return int((self.folder / "progress").read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def end(self, outcome: Outcome) -> None:
        """Say how it ended, and keep nothing else."""
        files.write(self.folder / "outcome", json.dumps(codec.encode(outcome)).encode(), 0o600)
        for path in (self.order, self.upload, self.upload.with_name(".upload.part")):
            path.unlink(missing_ok=True)

    def outcome(self) -> Outcome | None:
        """How it ended."""
        with suppress(FileNotFoundError):
            return codec.decode(Outcome, json.loads((self.folder / "outcome").read_text()))
        return None


def traces(paths: Paths, app: str, name: str) -> Traces:
    """Those of one; `bad-request` for a name that leads elsewhere."""
    file_of(paths, app, name)
    return Traces(paths.backups / "work" / f"{app}.{name}")


def unit_of(app: str, name: str) -> str:
    """The unit of one."""
    return UNIT.format(f"{app}-{name}")


def is_at_work(app: str, name: str) -> bool:
    """Whether its unit still has something to do."""
    unit = unit_of(app, name)
    return systemd.show([unit], ["ActiveState"]).get(unit, {}).get("ActiveState") in ALIVE


def begin(paths: Paths, job: Job) -> None:
    """Start its unit, which outlives whoever asks for it."""
    own = traces(paths, job.app, job.name)
    own.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.backups.chmod(0o700)
    files.write(own.order, json.dumps({"job": codec.encode(job)}).encode() + b"\n", 0o600)
    done = subprocess.run(words(paths, job, own), capture_output=True, text=True, check=False)
    if done.returncode:
        own.order.unlink(missing_ok=True)
        raise HostFailure("backup-failed", {"said": done.stderr.strip()})


def words(paths: Paths, job: Job, own: Traces) -> list[str]:
    """The command that starts the unit: the agent that is at work now, behind what serves."""
    properties: list[units.Property] = [
        ("Description", f"Backup {job.name} of {job.app}"),
        ("Slice", units.BUILDS_SLICE),
        ("StandardInput", f"file:{own.order}"),
        ("Nice", "10"),
        ("OOMScoreAdjust", "500"),
        ("RuntimeMaxSec", LONGEST),
        ("TimeoutStopSec", str(STOPS_WITHIN)),
        ("KillMode", "mixed"),
        ("CollectMode", "inactive-or-failed"),
    ]
    agent = [sys.executable, "-I", sys.path[0], f"--root={paths.root}", f"--system={paths.system}", "backup_work"]
    start = ["systemd-run", "--quiet", "--service-type=exec", f"--unit={job.unit}"]
    return [*start, *units.run_words(properties), "--", *agent]


def forget_old(paths: Paths, app: str) -> None:
    """Keep the traces of the last ones only."""
    found = [path for path in (paths.backups / "work").glob(f"{app}.*") if (path / "outcome").exists()]
    for path in sorted(found, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
