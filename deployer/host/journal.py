"""The platform's own lines about a dyno, written to journald and read back from it."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from contextlib import suppress
from typing import Any

SOCKET = "/run/systemd/journal/socket"


def encode(fields: dict[str, str]) -> bytes:
    """One entry of journald's native protocol: `KEY=value`, or key, length and bytes where the value has lines."""
    entry = b""
    for key, text in fields.items():
        value = text.encode(errors="surrogateescape")
        if b"\n" in value:
            entry += key.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
        else:
            entry += key.encode() + b"=" + value + b"\n"
    return entry


def fields(app: str, dyno: str, text: str, source: str = "heroku") -> dict[str, str]:
    """What an entry about a dyno carries."""
    return {
        "MESSAGE": text,
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "deployer",
        "DEPLOYER_APP": app,
        "DEPLOYER_DYNO": dyno,
        "DEPLOYER_SOURCE": source,
    }


def say(app: str, dyno: str, text: str, source: str = "heroku") -> None:
    """Write a line about a dyno. A journal that does not listen must not stop a deploy."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
        sender.sendto(encode(fields(app, dyno, text, source)), SOCKET)


def last_lines(invocation: str, count: int = 20) -> list[str]:
    """The last lines that one run of a unit printed; `invocation` is systemd's InvocationID."""
    if not invocation:
        return []
    # The unit's own output only: what systemd says about it has another transport.
    return _read(count, f"_SYSTEMD_INVOCATION_ID={invocation}", "_TRANSPORT=stdout")


def dyno_lines(unit: str, count: int) -> list[str]:
    """The last lines that a dyno itself printed, over all its starts."""
    return _read(count, f"_SYSTEMD_UNIT={unit}", "_TRANSPORT=stdout")


def unit_lines(unit: str, count: int) -> list[str]:
    """The last lines of a unit and of systemd about it."""
    return _read(count, "--boot", f"--unit={unit}")


def _read(count: int, *which: str) -> list[str]:
    subprocess.run(["journalctl", "--sync"], check=False, capture_output=True)
    words = ["journalctl", "--quiet", "--no-pager", "-o", "json", "--all", "-n", str(count)]
    done = subprocess.run([*words, *which], check=False, capture_output=True)
    return [message(json.loads(line)) for line in done.stdout.splitlines() if line.strip()]


def message(entry: dict[str, Any]) -> str:
    """The text of an entry: journald gives a list of byte values where a line has control or invalid bytes."""
    text = entry.get("MESSAGE")
    if isinstance(text, list):
        return bytes(text).decode(errors="surrogateescape")
    return text or ""
