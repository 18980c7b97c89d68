"""`make demo-cloud`: the whole life of a space in AWS, typed as a person types it, in an AWS that is played on this
machine: the real `pulumi` command, moto, and a stand-in for Pulumi's provider. It has no account and asks nobody."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.transcript import Typed
from deployer.cli.main import run
from deployer.cli.output import Output, columns
from deployer.cli.shell import Shell
from deployer.spaces import pointers
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.moto_here import issue_certificates

REGION = "us-east-1"  # all of its prices are known
ZONE = "example.org"  # which the account's Route 53 has
CHANGING = ("create", "update", "delete")
DESCRIBED = f"""\
[space.production]
region = "{REGION}"
account = "123456789012"
hosts = {{ size = "t4g.small", count = 2 }}
database = {{ size = "db.t4g.micro" }}
load-balancer = true
domain = "example.com"
budget = {{ monthly = 150, email = "me@example.com" }}
"""
PREVIEW, UP = "deployer preview --space production", "deployer up --space production --yes"
DOWN = "deployer down --space production --confirm production"
ISSUED = "# DNS proves the domain, and AWS issues the certificate"
LIFE = (
    "cat deployer.toml",
    PREVIEW,
    UP,
    UP,
    "sed -i 's/t4g.small/t4g.medium/' deployer.toml",
    UP,
    UP,
    "sed -i 's/count = 2/count = 3/' deployer.toml",
    UP,
    UP,
    "sed -i 's/db.t4g.micro/db.t4g.small/' deployer.toml",
    UP,
    UP,
    ISSUED,
    UP,
    UP,
    "sed -i 's/example.com\"$/example.org\"/' deployer.toml",
    UP,
    UP,
    DOWN,
)


def in_readme(session: Sequence[Typed]) -> list[Typed]:
    """The first `up`, a change, HTTPS, and the end; without those that do nothing, but for the first of them."""
    changed, issued = LIFE.index(UP, 4), LIFE.index(ISSUED)
    return [*session[: changed + 1], *session[issued : issued + 2], session[-1]]


@dataclass(frozen=True, slots=True)
class Played:
    """A command, its exit status, and how often it has created, updated or deleted something in AWS."""

    typed: Typed
    status: int
    did: Counter[str]

    @property
    def text(self) -> str:
        return "\n".join(self.typed.lines)


@dataclass(frozen=True)
class Stage:
    """A folder with a deployer.toml, before a cloud; `write` gets what is on the screen as it comes."""

    here: Cloud
    folder: Path
    write: Callable[[str], object]
    width: int = 0  # of the terminal, if there is one

    def play(self, commands: tuple[str, ...] = LIFE) -> Iterator[Played]:
        """Type the commands, one after another."""
        for command in commands:
            self.write(f"$ {command}\n")
            screen = _Screen(self.write)
            status = self._type(command, screen)
            did = Counter(call.what for call in self.here.provider.calls if call.done and call.what in CHANGING)
            self.here.provider.calls.clear()
            yield Played(Typed(command, tuple(screen.getvalue().splitlines())), status, did)

    def _type(self, command: str, screen: io.StringIO) -> int:
        if command == ISSUED:
            issue_certificates(REGION)
            return 0
        if command.startswith("deployer "):
            return run(command.split()[1:], self._shell(screen))
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False)
        screen.write(done.stdout + done.stderr)
        return done.returncode

    def _shell(self, screen: io.StringIO) -> Shell:
        return Shell(
            output=Output(screen, screen, width=self.width),
            env={},
            folder=self.folder,
            pointers=pointers,
            open_space=_no_host,
            tools=lambda: self.here.tools(self.folder.parent),
        )


class _Screen(io.StringIO):
    """Keeps what is written, and passes it on."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self._write = write

    def write(self, text: str) -> int:
        self._write(text)
        return super().write(text)


def _no_host(pointer: object) -> Any:
    raise AssertionError("no host is dialled")


def stage(here: Cloud, folder: Path, write: Callable[[str], object], width: int = 0) -> Stage:
    """A folder below `folder`, and the zone of the second domain in the account."""
    work = folder / "work"
    work.mkdir()
    (work / "deployer.toml").write_text(DESCRIBED)
    here.client("route53").create_hosted_zone(Name=ZONE, CallerReference="the demo")
    return Stage(here, work, write, width)


def left_over(here: Cloud, before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is in AWS and was not before, by kind; without the snapshots, which `down` says that it keeps."""
    now = {kind: found - before.get(kind, set()) for kind, found in here.there(REGION).items() if kind != "snapshot"}
    return {kind: found for kind, found in now.items() if found}


def main() -> int:
    """Show it all on this terminal; 0 where all commands did what they should, and nothing is left."""
    with own_folders() as folder, cloud() as here:
        shown = stage(here, folder, lambda text: print(text, end="", flush=True), columns(sys.stdout))
        before = here.there(REGION)
        for played in shown.play():
            print(flush=True)
            if played.status:
                print(f"-----> Stopped: {played.typed.command!r} ended with status {played.status}")
                return 1
        left = left_over(here, before)
        if here.asked or left:
            print(f"-----> Asked of the world outside: {here.asked or 'nothing'}. Left in AWS: {left or 'nothing'}")
            return 1
    print("-----> All of that was on this machine: nothing left it, and nothing of it is left")
    return 0


@contextmanager
def own_folders() -> Iterator[Path]:
    """Its own names of spaces, and its own prices: this machine's stay as they are."""
    with tempfile.TemporaryDirectory(prefix="deployer-demo-") as name:
        own = {"DEPLOYER_HOME": f"{name}/names", "DEPLOYER_DATA": f"{name}/data"}
        before = {key: os.environ.get(key) for key in own}
        os.environ.update(own)
        try:
            yield Path(name)
        finally:
            for key, value in before.items():
                os.environ.pop(key) if value is None else os.environ.update({key: value})
