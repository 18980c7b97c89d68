"""The archives of Pulumi's command and of its provider for AWS that this version knows, each by its SHA-256.

They stand in archives.json, with where their sums come from; docs/decisions says why they are pinned, and
scripts/pulumi-archives renews them. How Pulumi lays out what is in them: the command's has the folder `pulumi` with the
programs in it (get.pulumi.com/install.sh copies it to `bin`), the provider's the program itself, without a folder.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.model.platforms import this_architecture

COMMAND, PROVIDER = "bin/pulumi", "pulumi-resource-aws"  # the programs, below the places where they are unpacked
DATA = Path(__file__).with_name("archives.json")


@dataclass(frozen=True, slots=True)
class Archive:
    """`what` it is, in words with its version; `sha256` in hex digits; `top` is the folder in it that counts, "" for
    all of it; `program` is what has to be there when it is unpacked, below its place."""

    what: str
    version: str
    url: str
    sha256: str
    top: str
    program: str


@dataclass(frozen=True, slots=True)
class Pins:
    """Those of one kind of machine (`linux-arm64`); None where there are none for it."""

    machine: str
    command: Archive | None
    provider: Archive | None


def this_machine() -> str:
    """The kind of this one: `linux-amd64`, `darwin-arm64`."""
    return f"{platform.system().lower()}-{this_architecture()}"


def pinned(machine: str | None = None) -> Pins:
    """Those for a kind of machine, else for this one."""
    data = json.loads(DATA.read_text())
    machine = machine or this_machine()
    return Pins(
        machine,
        _archive(data["command"], machine, "Pulumi", "pulumi", COMMAND),
        _archive(data["provider"], machine, "Pulumi's provider for AWS", "", PROVIDER),
    )


def _archive(data: dict[str, Any], machine: str, what: str, top: str, program: str) -> Archive | None:
    found, version = data["archives"].get(machine), data["version"]
    return Archive(f"{what} {version}", version, found["url"], found["sha256"], top, program) if found else None
