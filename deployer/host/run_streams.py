"""The input and output of a one-off dyno on their way between its process and the channel."""

from __future__ import annotations

import fcntl
import os
import queue
import select
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from deployer.host.channel import Channel

CHUNK = 1 << 16
INPUT_AHEAD = 512  # messages of input kept while the process does not read: keys and signals behind them get through
SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "KILL")


class Terminal:
    """A terminal of the host's for the process; the user's own one only passes on keys and shows bytes."""

    def __init__(self, columns: int, rows: int) -> None:
        # The other side stays open here too: without any reader the master would report an end before the beginning.
        self._master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)
        self.outputs = {self._master: "stdout"}
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the process the size of the user's window; the kernel sends SIGWINCH."""
        with suppress(OSError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, data: bytes) -> None:
        """Keys."""
        _write_all(self._master, data)

    def end(self) -> None:
        """The input is over: what Ctrl-D says on a terminal."""
        _write_all(self._master, _end_of_file_key(self._slave))

    def close(self) -> None:
        """Hang up."""
        for descriptor in (self._master, self._slave):
            os.close(descriptor)


class Pipes:
    """Three pipes: input, and both outputs apart."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._input = process.stdin
        self.outputs = {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}

    def resize(self, columns: int, rows: int) -> None:
        """There is no window."""

    def write(self, data: bytes) -> None:
        """Bytes of the input."""
        with suppress(BrokenPipeError, ValueError):  # the process may end before its input does
            self._input.write(data)
            self._input.flush()

    def end(self) -> None:
        """End of file."""
        with suppress(BrokenPipeError):
            self._input.close()

    def close(self) -> None:
        """Nothing of it stays open."""
        self.end()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()


Streams = Terminal | Pipes


class Input:
    """What the caller sends, given to the process in order by a thread of its own: a process that reads nothing must
    not keep a signal, a new window size or the end of the channel from being heard."""

    def __init__(self, streams: Streams, kill: Callable[[str], None]) -> None:
        self._streams = streams
        self._kill = kill
        self._waiting: queue.Queue[bytes | None] = queue.Queue(INPUT_AHEAD)
        threading.Thread(target=self._feed, daemon=True).start()

    def hear(self, message: Mapping[str, Any], data: bytes) -> None:
        """One message: `{data, bytes}`, `{end}`, `{resize: [columns, rows]}` or `{signal: "INT"}`."""
        if "resize" in message:
            columns, rows = (max(1, min(int(size), 9999)) for size in message["resize"])
            self._streams.resize(columns, rows)
        elif message.get("signal") in SIGNALS:
            self._kill(message["signal"])
        elif data:
            self._waiting.put(data)
        elif "end" in message:
            self._waiting.put(None)

    def _feed(self) -> None:
        with suppress(OSError):
            while (data := self._waiting.get()) is not None:
                self._streams.write(data)
            self._streams.end()


def pump(streams: Streams, process: subprocess.Popen[bytes], channel: Channel) -> None:
    """Send what the process prints until it has ended and all of it is sent."""
    watched = os.pidfd_open(process.pid)
    try:
        opened = dict(streams.outputs)
        while opened:
            ready, _, _ = select.select([*opened, watched], [], [])
            for descriptor in [one for one in ready if one != watched]:
                if not _pass_on(descriptor, opened[descriptor], channel):
                    del opened[descriptor]
            if ready == [watched] and isinstance(streams, Terminal):
                return  # its other side is open here too, so that no end of file comes
    finally:
        os.close(watched)


def _pass_on(descriptor: int, stream: str, channel: Channel) -> bool:
    """Send what is there; False at the end."""
    try:
        data = os.read(descriptor, CHUNK)
    except OSError:
        return False
    if data:
        channel.event({"event": "data", "stream": stream}, data)
    return bool(data)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _end_of_file_key(descriptor: int) -> bytes:
    control = termios.tcgetattr(descriptor)[6]
    key = control[termios.VEOF]
    return key if isinstance(key, bytes) else bytes([key])
