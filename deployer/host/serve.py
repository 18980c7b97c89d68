"""The agent's frame: reads requests, runs calls behind the fence, answers with a result or a typed error."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from deployer.errors.base import HostFailure
from deployer.host.calls import CALLS, Call
from deployer.host.channel import Channel, ChannelClosed, read_message
from deployer.host.fence import fenced
from deployer.host.paths import Paths

USAGE = "usage: python3 -I AGENT [--root=FOLDER] [--system=FOLDER] serve|CALL"


def main(argv: list[str]) -> int:
    """Run one call, or `serve` calls until end of file; the exit status."""
    options = dict(word[2:].partition("=")[::2] for word in argv if word.startswith("--"))
    words = [word for word in argv if not word.startswith("--")]
    if len(words) != 1 or not options.keys() <= {"root", "system"}:
        print(USAGE, file=sys.stderr)
        return 2
    paths = Paths(**{name: Path(value) for name, value in options.items()})
    os.umask(0o022)
    _hold_own_folder()
    reader, writer = _take_over_standard_streams()
    return serve(reader, writer, paths) if words[0] == "serve" else once(words[0], reader, writer, paths)


def serve(reader: IO[bytes], writer: IO[bytes], paths: Paths, calls: Mapping[str, Call] = CALLS) -> int:
    """Answer calls until the channel closes."""
    channel = Channel(reader, writer, paths)
    channel.start()
    try:
        while True:
            request, _ = channel.receive()
            if "call" in request:  # else a late message of the call before: a key pressed as the program ended
                answer(request, channel, calls)
    except ChannelClosed:
        return 0


def once(call: str, reader: IO[bytes], writer: IO[bytes], paths: Paths) -> int:
    """One call from a timer or by hand: the request, if any, is all there is to read; nothing interrupts it."""
    received = read_message(reader)
    request = received[0] if received else {}
    return 0 if answer({**request, "call": call}, Channel(reader, writer, paths)) else 1


def answer(request: dict[str, Any], channel: Channel, calls: Mapping[str, Call] = CALLS) -> bool:
    """Run one call and send its result or its error; whether it was a result."""
    try:
        call = calls.get(request["call"])
        if call is None:
            raise HostFailure("unknown-call", {"call": request["call"]})
        function = call.load()
        with channel.guarding(survives=call.survives), fenced(request, channel.paths, required=call.fenced):
            result = function(request, channel)
    except HostFailure as failure:
        channel.error(failure.code, failure.details)
    except Exception as error:
        # The outermost frame: the caller learns everything, and the agent goes on serving.
        channel.error(*_unforeseen(request["call"], error))
    else:
        channel.result(result)
        return True
    return False


def _unforeseen(call: str, error: Exception) -> tuple[str, dict[str, Any]]:
    """The code and facts of what no call expects: a disk may be full or read-only wherever something is written, all
    else is a defect of ours."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no-space", {"call": call, "reason": error.strerror}
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return "read-only", {"call": call, "reason": error.strerror}
    return "defect", {"call": call, "traceback": "".join(traceback.format_exception(error))}


def _hold_own_folder() -> None:
    """Say that this version of the agent is in use: a lock for as long as it runs, and the time of its last start."""
    folder = Path(sys.path[0])
    if (folder / "__main__.py").exists():
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.utime(folder)


def _take_over_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the channel for ourselves: programs that the agent runs must neither read from it nor write to it."""
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(reader, "rb", 1 << 18), os.fdopen(writer, "wb")
