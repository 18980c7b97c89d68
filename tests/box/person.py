"""Somebody who works on a space in AWS, in the box: commands as typed, in a folder with an app."""

from __future__ import annotations

import io
import os
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
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
PAUSE, VISITORS = 0.1, 4  # seconds between two requests of each visitor; how many there are
ARRIVAL = 120.0  # seconds that hosts get to join


@dataclass
class Person:
    """`out` and `err` are what the last command said."""

    here: Box
    folder: Path
    app: str
    near: dict[str, str]  # variables by which Pulumi asks nobody outside
    watching: Callable[[str], object] = lambda text: None  # gets what is on the screen as it comes
    name: str = ""  # that the app answers to, once it is up
    out: str = ""
    err: str = ""
    arrival: float = ARRIVAL

    def types(self, *words: str, status: int = 0) -> str:
        """Type `deployer WORDS`; what it printed. AssertionError with all that was said where it ends otherwise."""
        out, err = _Screen(self.watching), _Screen(self.watching)
        tools = self.here.cloud.tools(self.folder.parent)
        tools = replace(tools, arrival=self.arrival, env={**tools.env, **self.near})
        shell = Shell(Output(out, err, False, False), {}, self.folder, pointers, open_space, tools=lambda: tools)
        ended = run(words, shell)
        self.out, self.err = out.getvalue(), err.getvalue()
        assert ended == status, f"{self.out}\n{self.err}\n{self._consoles()}"
        return self.out

    def does(self, command: str) -> str:
        """Run a command of the shell in the folder; all that it said. AssertionError where it fails."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env = {**own, **QUIET, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        words, said = ["bash", "-c", command], _Screen(self.watching)
        with subprocess.Popen(
            words, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as done:
            assert done.stdout is not None
            for line in done.stdout:
                said.write(line)
        assert done.returncode == 0, f"{command}: {said.getvalue()}\n{self._consoles()}"
        return said.getvalue()

    def brings_up(self) -> str:
        """Type `deployer up`; the app's URL."""
        url = self.types("up", "--space", "production", "--yes").splitlines()[-1]
        self.name = urlsplit(url).netloc
        return url

    def describes(self, count: int = 1, more: str = "") -> None:
        """Write deployer.toml."""
        text = SPACE.format(app=self.app, count=count, network=self.here.network, more=more)
        (self.folder / "deployer.toml").write_text(text)

    def asks(self, path: str = "/", *, secure: bool = False) -> tuple[int, str]:
        """What the front answers for the app: the status and the text; 0 where nobody does. Nobody trusts the
        certificates of the box."""
        url = self.here.front_url(secure=secure) + path
        asked = urllib.request.Request(url, headers={"Host": self.name})
        try:
            with urllib.request.urlopen(asked, timeout=20, context=ssl._create_unverified_context()) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:  # nobody answers
            return 0, str(error)

    def _consoles(self) -> str:
        return "\n".join(f"--- {one.id}\n{one.console[-3000:]}" for one in self.here.instances())


class _Screen(io.StringIO):
    """Keeps what is written, and passes it on."""

    def __init__(self, watching: Callable[[str], object]) -> None:
        super().__init__()
        self._watching = watching

    def write(self, text: str) -> int:
        self._watching(text)
        return super().write(text)


@contextmanager
def at_work(here: Box, folder: Path, app: str, like: str | None) -> Iterator[Person]:
    """A person with a machine of their own and an app like one of tests/apps, or one that is there already. Builds ask
    package indexes, and nothing else asks anybody outside: sockets of tests are watched, and Pulumi meets the proxy of
    the cloud."""
    near = {name: os.environ[name] for name in ("NO_PROXY", "no_proxy")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOYER_HOME", str(folder / "home-of-deployer"))
        for name in near:
            patch.setenv(name, f"{near[name]},*")
        if like:
            shutil.copytree(APPS / like, folder / app)
        yield Person(here, folder / app, app, near)
        assert not here.cloud.asked, here.cloud.asked


@contextmanager
def visitor(person: Person, *, secure: bool = False) -> Iterator[Counter[int]]:
    """Some people outside who ask for the app all the time; what was answered, by status (0: nothing was). One who asks
    a host that has died waits until the front gives up on it."""
    seen: Counter[int] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(PAUSE):
            seen[person.asks(secure=secure)[0]] += 1

    threads = [threading.Thread(target=ask) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()
