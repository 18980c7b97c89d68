"""ELF files, out of bytes that the test puts together, and of this machine."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deployer.build import elf
from deployer.build.elf import Elf

STRINGS = b"\0libc.so.6\0libpq.so.5\0libmine.so.1\0"
BASE = 0x1000


def library(machine: int = 62) -> bytes:
    """A shared library that needs two others: header, two program headers, dynamic section, strings."""
    dynamic_at, strings_at = 64 + 2 * 56, 64 + 2 * 56 + 5 * 16
    entries = [(1, 1), (1, 11), (14, 22), (5, BASE + strings_at), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    size = strings_at + len(STRINGS)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 4096)
    about = struct.pack("<IIQQQQQQ", 2, 6, dynamic_at, BASE + dynamic_at, 0, len(dynamic), len(dynamic), 8)
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    )
    return header + load + about + dynamic + STRINGS


def test_needed_libraries_and_the_own_name_are_read() -> None:
    assert elf.read(library()) == Elf("amd64", ("libc.so.6", "libpq.so.5"), "libmine.so.1")


def test_the_machine_is_told_in_debians_words() -> None:
    found = elf.read(library(machine=183))
    assert found is not None
    assert found.machine == "arm64"


def test_other_machines_and_other_files_are_none_of_ours() -> None:
    assert elf.read(library(machine=40)) is None
    assert elf.read(b"#!/bin/sh\n") is None
    assert elf.read(b"") is None


def test_this_pythons_own_file_needs_the_c_library() -> None:
    found = elf.read(Path(sys.executable).resolve().read_bytes())
    assert found is not None
    assert any(name.startswith("libc.so") for name in found.needed)


@given(st.integers(0, len(library())), st.binary(max_size=8))
def test_broken_files_are_no_failure(at: int, garbage: bytes) -> None:
    whole = library()
    elf.read(whole[:at])
    elf.read(whole[:at] + garbage + whole[at + len(garbage) :])
