"""What an ELF file needs and offers: machine, libraries, its own name. As in elf(5), little-endian only."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\x7fELF"
MACHINES = {62: "amd64", 183: "arm64"}
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NEEDED, DT_STRTAB, DT_SONAME = 1, 5, 14
Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Elf:
    """`machine` in Debian's spelling; `needed` are names of libraries, `soname` is the file's own."""

    machine: str
    needed: tuple[str, ...] = ()
    soname: str | None = None


def read(content: Buffer) -> Elf | None:
    """What the file says; None for what is no 64-bit ELF file of a machine that we know, or a broken one."""
    try:
        return _read(content)
    except (struct.error, ValueError, StopIteration, OverflowError):
        return None


def _read(content: Buffer) -> Elf | None:
    if bytes(content[:6]) != MAGIC + b"\x02\x01":  # 64 bit, little-endian
        return None
    (machine,) = struct.unpack_from("<H", content, 18)
    if machine not in MACHINES:
        return None
    segments = list(_segments(content))
    dynamic = next((segment for segment in segments if segment[0] == PT_DYNAMIC), None)
    if dynamic is None:
        return Elf(MACHINES[machine])
    entries = list(_dynamic(content, dynamic[1], dynamic[3]))
    strings = _offset(segments, next(value for tag, value in entries if tag == DT_STRTAB))
    names = {tag: [_text(content, strings + v) for t, v in entries if t == tag] for tag in (DT_NEEDED, DT_SONAME)}
    return Elf(MACHINES[machine], tuple(names[DT_NEEDED]), next(iter(names[DT_SONAME]), None))


def _segments(content: Buffer) -> Iterator[tuple[int, int, int, int]]:
    """(type, offset, address, bytes) of every program header."""
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for i in range(count):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", content, table + i * size)
        yield kind, offset, address, length


def _dynamic(content: Buffer, offset: int, length: int) -> Iterator[tuple[int, int]]:
    for at in range(offset, offset + length - 15, 16):
        tag, value = struct.unpack_from("<QQ", content, at)
        if tag == 0:
            return
        yield tag, value


def _offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, length in segments:
        if kind == PT_LOAD and start <= address < start + length:
            return address - start + offset
    raise ValueError(address)


def _text(content: Buffer, at: int) -> str:
    piece = bytes(content[at : at + 512])
    return piece[: piece.index(b"\0")].decode("ascii", "replace")
