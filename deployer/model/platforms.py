"""The operating systems that slugs run on; the run list is what every host has, the build list a superset of it."""

from __future__ import annotations

import platform as machine_platform
from dataclasses import dataclass

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, spelled `debian-13-amd64`."""

    system: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.system}-{self.architecture}"

    @property
    def codename(self) -> str:
        """Debian's suite of this platform."""
        return SYSTEMS[self.system].codename

    @property
    def python(self) -> str:
        """The minor version of the platform's own python3."""
        return SYSTEMS[self.system].python


@dataclass(frozen=True, slots=True)
class System:
    """What differs between the supported releases of Debian."""

    codename: str
    python: str


SYSTEMS = {"debian-13": System("trixie", "3.13"), "debian-12": System("bookworm", "3.11")}
DEFAULT_SYSTEM = "debian-13"


def parse(text: str) -> Platform:
    """`debian-13-arm64` or, for this machine's architecture, `debian-13`; ValueError for anything else."""
    system, _, architecture = text.rpartition("-")
    if text in SYSTEMS:
        system, architecture = text, this_architecture()
    if system not in SYSTEMS or architecture not in ARCHITECTURES.values():
        raise ValueError(text)
    return Platform(system, architecture)


def this_architecture() -> str:
    """This machine's architecture in Debian's spelling; as the kernel says it where Debian has none."""
    machine = machine_platform.machine()
    return ARCHITECTURES.get(machine, machine)
