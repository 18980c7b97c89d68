"""The journal's entries about one app: backwards from now, or as they come.

`journalctl -o json` gives text as a string, as a list of byte values where a line has control or invalid bytes, and a
field that is there twice as a list of those.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Entry = dict[str, Any]

# systemd's own messages about units (sd-messages.h).
PROCESS_EXIT = "98e322203f7a4ed290d09fe03c09fe15"
RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3"
STARTED = "39f53479d3a045ac8e11786248231fbf"
SUCCEEDED = "7ad2d189f7e94e70a38c781354912448"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
FIELDS = (
    "MESSAGE,MESSAGE_ID,DEPLOYER_APP,DEPLOYER_DYNO,DEPLOYER_SOURCE,"
    "_SYSTEMD_UNIT,_UID,_PID,UNIT,EXIT_CODE,EXIT_STATUS,SYSLOG_IDENTIFIER"
)


def matches(app: str) -> list[str]:
    """What may be about the app: entries that carry its name, the router's, and systemd's about units' ends."""
    kinds = (PROCESS_EXIT, RESTART_SCHEDULED, STARTED, SUCCEEDED, FAILED, OUT_OF_MEMORY)
    systemd = ["_PID=1", *(f"MESSAGE_ID={one}" for one in kinds)]
    return [f"DEPLOYER_APP={app}", "+", "_SYSTEMD_UNIT=haproxy.service", "+", *systemd]


def words(app: str, *options: str) -> list[str]:
    """The command."""
    common = ["journalctl", "--quiet", "--no-pager", "--all", "--output=json", f"--output-fields={FIELDS}"]
    return [*common, *options, *matches(app)]


def newest_first(app: str) -> Iterator[Entry]:
    """The entries from the newest to the oldest; whoever has enough stops asking."""
    with _entries(words(app, "--reverse")) as entries:
        yield from entries


def coming(app: str, cursor: str | None) -> Iterator[Entry]:
    """Entries after `cursor`, or from now on, as they come, without an end."""
    start = ["--lines=all", f"--after-cursor={cursor}"] if cursor else ["--lines=0"]
    with _entries(words(app, "--follow", *start)) as entries:
        yield from entries


def last_ends(unit: str) -> list[Entry]:
    """What systemd said of the last end of a unit: its status, before it that it was killed for its memory."""
    kinds = (f"MESSAGE_ID={OUT_OF_MEMORY}", f"MESSAGE_ID={PROCESS_EXIT}")
    command = ["journalctl", "--quiet", "--no-pager", "--output=json", "--lines=2", "_PID=1", f"UNIT={unit}", *kinds]
    with _entries(command) as entries:
        return list(entries)


def text(entry: Entry, field: str) -> str:
    """A field's text; of one that is there several times the last, which journald itself added."""
    value = entry.get(field)
    if isinstance(value, list) and value and not isinstance(value[0], int):
        value = value[-1]
    if isinstance(value, list):
        return bytes(value).decode(errors="surrogateescape")
    return value or ""


@contextmanager
def _entries(command: list[str]) -> Iterator[Iterator[Entry]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield (json.loads(line) for line in process.stdout if line.strip())
        finally:
            process.kill()
