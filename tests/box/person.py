"""Somebody who works on a space in AWS, in the box: commands as typed, in a folder with an app."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from deployer.cli.main import run
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.operations.session import open_space
from deployer.spaces import pointers
from tests.box.box import Box

APPS = Path(__file__).parent.parent / "apps"
SPACE = """
app = "{app}"

[space.production]
region = "eu-central-1"
account = "123456789012"
hosts = {{ size = "t3.small", count = {count} }}
network = "{network}"
{more}
"""
QUIET = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **{f"GIT_{who}_{what}": f"ada@{what}".lower() for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
ARRIVAL = 120.0  # seconds that hosts get to join


@dataclass
class Person:
    """`out` and `err` are what the last command said."""

    here: Box
    folder: Path
    app: str
    near: dict[str, str]  # variables by which Pulumi asks nobody outside
    name: str = ""  # that the app answers to, once it is up
    out: str = ""
    err: str = ""

    def types(self, *words: str, status: int = 0) -> str:
        """Type `deployer WORDS`; what it printed. AssertionError with all that was said where it ends otherwise."""
        out, err = io.StringIO(), io.StringIO()
        tools = self.here.cloud.tools(self.folder.parent)
        tools = replace(tools, arrival=ARRIVAL, env={**tools.env, **self.near})
        shell = Shell(Output(out, err, False, False), {}, self.folder, pointers, open_space, tools=lambda: tools)
        ended = run(words, shell)
        self.out, self.err = out.getvalue(), err.getvalue()
        assert ended == status, f"{self.out}\n{self.err}\n{self._consoles()}"
        return self.out

    def does(self, command: str) -> str:
        """Run a command of the shell in the folder; all that it said. AssertionError where it fails."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env = {**own, **QUIET, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}\n{self._consoles()}"
        return done.stdout + done.stderr

    def brings_up(self) -> str:
        """Type `deployer up`; the app's URL."""
        url = self.types("up", "--space", "production", "--yes").splitlines()[-1]
        self.name = urlsplit(url).netloc
        return url

    def describes(self, count: int = 1, more: str = "") -> None:
        """Write deployer.toml."""
        text = SPACE.format(app=self.app, count=count, network=self.here.network, more=more)
        (self.folder / "deployer.toml").write_text(text)

    def asks(self, path: str = "/") -> tuple[int, str]:
        """What the front answers for the app: the status and the text; 0 where nobody does."""
        asked = urllib.request.Request(self.here.front_url() + path, headers={"Host": self.name})
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:  # nobody answers
            return 0, str(error)

    def _consoles(self) -> str:
        return "\n".join(f"--- {one.id}\n{one.console[-3000:]}" for one in self.here.instances())


@contextmanager
def at_work(here: Box, folder: Path, app: str, like: str) -> Iterator[Person]:
    """A person with a machine of their own and an app like one of tests/apps. Builds ask package indexes, and nothing
    else asks anybody outside: sockets of this process are watched, and Pulumi meets the proxy of the cloud."""
    near = {name: os.environ[name] for name in ("NO_PROXY", "no_proxy")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOYER_HOME", str(folder / "home-of-deployer"))
        for name in near:
            patch.setenv(name, f"{near[name]},*")
        shutil.copytree(APPS / like, folder / app)
        yield Person(here, folder / app, app, near)
        assert not here.cloud.asked, here.cloud.asked
