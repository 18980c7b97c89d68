"""What a server of RDS in the box is filled from: a copy of another's data, and its write-ahead log since."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Origin:
    """What a new server is filled from: a copy, and all that was `written` since, up to a moment where one is said."""

    copy: Path
    written: Path | None = None
    until: str = ""

    def fill(self, folder: Path) -> None:
        subprocess.run(["cp", "-a", str(self.copy), str(folder / "data")], check=True)
        for name in ("postgresql.auto.conf", "pg_hba.conf"):
            (folder / "data" / name).write_text("")
        if self.written:
            subprocess.run(["cp", "-a", str(self.written), str(folder / "past")], check=True)
            (folder / "data/recovery.signal").touch()

    def settings(self) -> str:
        """Of the recovery."""
        if self.written is None:
            return ""
        until = f"recovery_target_time = '{self.until}'\nrecovery_target_action = promote\n" if self.until else ""
        return f"restore_command = 'cp /srv/past/%f %p'\n{until}"
