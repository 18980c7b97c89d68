"""A person with a terminal, a folder and a space: types real commands and reads what they print."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from deployer.operations.push_repository import clean_environment

APPS = Path(__file__).parent.parent / "apps"
COMMANDS = Path(sys.executable).parent
NAMES = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass
class Person:
    """`folder` is where they work; `app` the app they mean, which answers at `address` under `host` or a name of its
    own below localhost."""

    folder: Path
    app: str
    port: int
    env: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    host: str | None = None

    def types(
        self, *words: str, status: int | None = 0, stdin: bytes = b"", timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; fails, with what it printed, where it ends with another status (None: any)."""
        done = subprocess.run(
            words, cwd=self.folder, env=self._env(), input=stdin, capture_output=True, timeout=timeout, check=False
        )
        said = subprocess.CompletedProcess(
            words, done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace")
        )
        assert status in (None, said.returncode), f"{words} ended with {said.returncode}:\n{said.stdout}\n{said.stderr}"
        return said

    def starts(self, *words: str) -> subprocess.Popen[bytes]:
        """Begin a command, in a session of its own, to do something to it."""
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self._env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def commits(self, **files: str) -> str:
        """Write files and commit them; the commit."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if not (self.folder / ".git").exists():
            self.types("git", "init", "-q", "-b", "main")
        self.types("git", "add", "-A")
        self.types("git", "commit", "-q", "--allow-empty", "-m", "change")
        return self.types("git", "rev-parse", "HEAD").stdout.strip()

    def asks(self, path: str = "/", host: str | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask the front, as a browser would; status and body."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=90)
        try:
            connection.request(
                "GET", path, headers={"Host": host or self.host or f"{self.app}.localhost", **(headers or {})}
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def sees(self, text: str, path: str = "/", patience: float = 10.0) -> None:
        """Ask until the answer holds `text`: the front's checks take a moment after a start."""
        deadline = time.monotonic() + patience
        while text not in (seen := self.asks(path)[1]):
            assert time.monotonic() < deadline, f"`{text}` never came, the last answer was: {seen[:500]}"
            time.sleep(0.1)

    def _env(self) -> dict[str, str]:
        kept = {key: value for key, value in clean_environment().items() if not key.startswith("PYTEST")}
        config = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return {**kept, **NAMES, **config, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "COLUMNS": "120", **self.env}


def with_app(tmp_path: Path, fixture: str, app: str, port: int) -> Person:
    """A person with a copy of one of tests/apps, committed."""
    folder = tmp_path / app
    shutil.copytree(APPS / fixture, folder)
    person = Person(folder, app, port)
    person.commits()
    return person
