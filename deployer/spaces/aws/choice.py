"""Which `pulumi` command and which provider for AWS are used on this machine.

The command on PATH where its version is one that deployer drives, else the pinned one. The provider is always the one
that belongs to the library, and lies where the engine looks for it: Pulumi installs it there, too.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from deployer.errors.cloud import EngineMissing
from deployer.spaces.aws.archives import COMMAND, PROVIDER, Pins
from deployer.spaces.aws.download import Order, is_there
from deployer.version import is_older
from infra.engine import QUIET

OLDEST, TOO_NEW = "3.259", "4"  # of the command: what was tried, and what nobody has tried
WAIT = 10  # seconds that `pulumi version` may take
INSTALL = f"install Pulumi {OLDEST} or later (not {TOO_NEW}) yourself, so that `pulumi version` answers."


@dataclass(frozen=True, slots=True)
class Choice:
    """What is used, and where it lies; `order` is its download, None where it is there. `passed_over` says why the one
    on PATH is not used, where there is one."""

    version: str
    place: Path
    order: Order | None = None
    passed_over: str = ""


def command(env: Mapping[str, str], home: Path, pins: Pins, wait: float = WAIT) -> Choice:
    """The command's: `place` holds bin/pulumi. `wait` is how many seconds one on PATH may take to say its version.
    EngineMissing where there is none, and no archive for this machine."""
    path, passed_over = command_on_path(env), ""
    if path is not None:
        said, passed_over = _asked(path, env, wait)
        root = _root(path)
        if not passed_over and root:
            return Choice(said, root)
        passed_over = passed_over or f"{path} leads to {path.resolve()}, which is in no folder `bin`"
    if pins.command is None:
        raise command_missing(pins.machine, passed_over)
    place = home / f"command-{pins.command.version}"
    order = None if is_there(place, COMMAND) else Order(pins.command, place, INSTALL)
    return Choice(pins.command.version, place, order, passed_over)


def provider(home: Path, pins: Pins) -> Choice:
    """The provider's. EngineMissing where it is not there, and no archive has it; PackageNotFoundError: no library."""
    wanted, place = version("pulumi-aws"), provider_in(home)
    if is_there(place, PROVIDER):
        return Choice(wanted, place)
    if pins.provider is None or pins.provider.version != wanted:
        raise provider_missing(home)
    return Choice(wanted, place, Order(pins.provider, place, install_provider(home)))


def command_on_path(env: Mapping[str, str]) -> Path | None:
    """The `pulumi` command on PATH."""
    found = shutil.which("pulumi", path=env.get("PATH", ""))
    return Path(found) if found else None


def _asked(path: Path, env: Mapping[str, str], wait: float) -> tuple[str, str]:
    """The version that it says, and what is wrong with it."""
    try:
        answer = subprocess.run(
            [path, "version"],
            env={**env, **QUIET},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=wait,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"`{path} version` says nothing for {wait:g} seconds"
    except OSError as error:
        return "", f"{path} does not run: {error.strerror}"
    found = answer.stdout.strip().removeprefix("v")
    if answer.returncode != 0 or not found[:1].isdigit():
        return "", f"`{path} version` does not say its version"
    if is_older(found, OLDEST) or not is_older(found, TOO_NEW):
        return found, f"{path} is {found}: deployer drives {OLDEST} up to, not including, {TOO_NEW}"
    return found, ""


def _root(path: Path) -> Path | None:
    """The folder whose bin/pulumi it is, links followed where they lead to one: the engine is given that folder."""
    for one in (path.resolve(), path.absolute()):
        if (one.parent.name, one.name) == ("bin", "pulumi"):
            return one.parent.parent
    return None


def provider_in(home: Path) -> Path:
    """Where the provider for AWS lies that our library asks for."""
    return home / "plugins" / f"resource-aws-v{version('pulumi-aws')}"


def install_provider(home: Path) -> str:
    """How to get it from Pulumi: with any `pulumi`."""
    return (
        f"type `PULUMI_HOME={home} pulumi plugin install resource aws {version('pulumi-aws')}`, some hundred MB, once."
    )


def command_missing(machine: str, passed_over: str) -> EngineMissing:
    """The failure that says what to install."""
    seen = f"{passed_over}. " if passed_over else ""
    return EngineMissing("The pulumi command", f"{seen}deployer knows no archive of it for {machine}: {INSTALL}")


def provider_missing(home: Path) -> EngineMissing:
    """The failure that says how to get it."""
    line = install_provider(home)
    return EngineMissing("Pulumi's provider for AWS", f"deployer knows no archive of it: {line}")
