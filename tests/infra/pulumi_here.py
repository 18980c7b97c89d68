"""The `pulumi` command as a person types it in a project's folder, in a cloud on loopback."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.engine import QUIET
from tests.infra import language_host
from tests.infra.cloud_here import Cloud


@dataclass(frozen=True)
class Project:
    """A folder with Pulumi.yaml. `backend` is where states lie, None for what Pulumi.yaml says."""

    here: Cloud
    folder: Path
    home: Path
    passphrase: str = "of-tests"
    backend: str | None = None

    def pulumi(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Type `pulumi WORDS`."""
        language = language_host.install(self.home / "bin")
        env = {
            **os.environ,
            **QUIET,
            **self.here.engine(self.home).env,
            "PATH": os.pathsep.join([str(self.here.root / "bin"), str(language), os.environ["PATH"]]),
            "PULUMI_HOME": str(self.home / "pulumi"),
            "PULUMI_CONFIG_PASSPHRASE": self.passphrase,
            **({"PULUMI_BACKEND_URL": self.backend} if self.backend else {}),
        }
        return subprocess.run(
            ["pulumi", "--non-interactive", *words],
            cwd=cwd or self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
