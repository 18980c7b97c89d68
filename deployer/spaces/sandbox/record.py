"""What a sandbox is: a value, and the file that it stands in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from deployer.model.codec import decode, encode

FIRST_ADDRESS = 11  # the last number of host 1's address; the bridge has 1


@dataclass(frozen=True, slots=True)
class Machine:
    """One host: a systemd-nspawn machine in a network namespace of its own. `host_key` is its public SSH key."""

    number: int
    name: str
    address: str
    host_key: str

    @property
    def id(self) -> str:
        """The host's id in the ledger."""
        return self.name


@dataclass(frozen=True, slots=True)
class Record:
    """`sandbox.json`. `prefix` (`10.213.7`) is the first three numbers of every address; `tag` stands in the names of
    everything that the kernel knows of this sandbox."""

    name: str
    platform: str
    image: str
    port: int
    prefix: str
    tag: str
    machines: tuple[Machine, ...]
    schema: int = 1

    @property
    def bridge(self) -> str:
        """The bridge's name; the kernel allows 15 characters."""
        return f"dpl{self.tag}"

    @property
    def hardware_address(self) -> str:
        """The bridge's. Without one of its own it takes a cable's, another one whenever hosts come or go, and those
        that stay do not find this machine for up to twenty seconds."""
        return ":".join(["02", "64", "70", *(self.tag[n : n + 2] for n in (0, 2, 4))])

    @property
    def gateway(self) -> str:
        """The bridge's own address: from there this machine reaches the hosts."""
        return f"{self.prefix}.1"

    def namespace(self, machine: Machine) -> str:
        """The network namespace of a host."""
        return f"dpl{self.tag}-h{machine.number}"

    def link(self, machine: Machine) -> str:
        """The bridge's end of the cable to a host."""
        return f"dpl{self.tag}h{machine.number}"


def tag_of(folder: Path) -> str:
    """Six hex digits that no other sandbox on this machine has, since no other lies in this folder."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:6]


def load(folder: Path) -> Record:
    """The sandbox in a folder; FileNotFoundError where there is none."""
    return decode(Record, json.loads((folder / "sandbox.json").read_text()))


def save(folder: Path, record: Record) -> None:
    """Write it, all or nothing."""
    aside = folder / "sandbox.json.new"
    aside.write_text(json.dumps(encode(record), indent=2) + "\n")
    aside.rename(folder / "sandbox.json")
