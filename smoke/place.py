"""Where a run takes place: an account of AWS, or the emulator; and how `deployer` is typed there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deployer.errors.cloud import EndpointSet
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.tools import astray, library_missing

NOT_OURS = ("GIT_", "COLUMNS", "DEPLOYER_SPACE", "DEPLOYER_APP")


@dataclass(frozen=True)
class Place:
    """`deployer` are the words that stand for the command, none where it cannot be typed; `env` what it needs beside
    this process's variables. `pace` are the seconds between two looks at AWS, `patience` those that it may take for
    something. `prove` does what DNS and ACM do for a domain, None where they do it themselves. `hidden` says by rung
    what cannot be seen here, `tools` in which versions all of it runs. `joins`: hosts boot, and join their space."""

    account: Account
    deployer: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    pace: float = 10.0
    patience: float = 1200.0
    domain: str | None = None
    prove: Callable[[], None] | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    name: str = "AWS"
    joins: bool = True

    def wait(self, what: Callable[[], bool]) -> bool:
        """Until it holds; whether it came to that."""
        end = time.monotonic() + self.patience
        while not (holds := what()) and time.monotonic() < end:
            time.sleep(self.pace)
        return holds


@dataclass(frozen=True, slots=True)
class Typed:
    """One command, its exit status, how many seconds it took, and what it said; `out` is its stdout where only that is
    of use."""

    words: tuple[str, ...]
    status: int
    seconds: float
    lines: tuple[str, ...]
    out: str = ""

    @property
    def command(self) -> str:
        return " ".join(("deployer", *self.words))


def type_one(place: Place, folder: Path, words: Sequence[str], write: Callable[[str], object]) -> Typed:
    """Type `deployer WORDS` in the folder, and show what it says as it comes. With `--json` among the words its stdout
    is kept apart, and not shown."""
    write(f"$ deployer {' '.join(words)}\n")
    apart = "--json" in words
    began = time.monotonic()
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [*place.deployer, *words],
            cwd=folder,
            env=environment(place),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors if apart else subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        lines = _read(process, (lambda text: None) if apart else write)
        if apart:
            errors.seek(0)
            said = errors.read()
            write(said)
            out, lines = "".join(lines), said.splitlines(keepends=True)
    seconds = time.monotonic() - began
    told = tuple(line.rstrip("\n") for line in lines)
    return Typed(tuple(words), process.returncode, seconds, told, out if apart else "")


def _read(process: subprocess.Popen[str], write: Callable[[str], object]) -> list[str]:
    """All its lines, to its end. A Ctrl-C reaches it as well: it ends in good order, which may take minutes."""
    assert process.stdout
    lines: list[str] = []
    interrupted: KeyboardInterrupt | None = None
    while True:
        try:
            for line in process.stdout:
                write(line)
                lines.append(line)
            process.wait()
            break
        except KeyboardInterrupt as interrupt:
            interrupted = interrupt
    process.stdout.close()
    if interrupted:
        raise interrupted
    return lines


def environment(place: Place) -> dict[str, str]:
    """The user's, without what would change the screens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}
    return {**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **place.env}


def bare(region: str) -> Place:
    """An account of AWS, for `clean` where Pulumi's library is not here: no command of deployer's can be typed."""
    return Place(Account(region), ())


def real(region: str, home: Path, domain: str | None) -> Place:
    """An account of AWS, with the `deployer` of this environment, which gets itself what is missing of the engine, and
    names of spaces of its own in `home`. EndpointSet, EngineMissing."""
    if name := astray(os.environ):
        raise EndpointSet(name, os.environ[name])
    if find_spec("pulumi_aws") is None:
        raise library_missing()
    told = {"pulumi-aws": version("pulumi-aws"), "pulumi": version("pulumi")}
    command = (str(Path(sys.executable).parent / "deployer"),)
    return Place(Account(region), command, {"DEPLOYER_HOME": str(home)}, domain=domain, tools=told)
