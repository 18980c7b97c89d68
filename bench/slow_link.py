"""A link with latency and little width, where the kernel has no netem: TCP ports on loopback that lead elsewhere.

What goes in comes out half a round trip later, in order, no faster than the link is wide; both directions are apart.
`python -m bench.slow_link SECONDS BYTES ADDRESS:PORT...` prints a port for each and carries until its input ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CHUNK, WIDE = 1 << 12, 1 << 16  # bytes at a time
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Link:
    """`latency`: the seconds of a round trip. `width`: bytes a second in each direction; 0 is as wide as it comes."""

    latency: float
    width: float = 0


@contextmanager
def slow_links(link: Link, targets: Sequence[str]) -> Iterator[list[int]]:
    """Ports on loopback that lead to `targets` (`ADDRESS:PORT`) for as long as the block, or this process, lasts."""
    words = [sys.executable, "-m", "bench.slow_link", str(link.latency), str(link.width), *targets]
    # In a session of its own: a Ctrl-C is for those who use the links, and they still need them to clean up.
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as carrier:
        assert carrier.stdin and carrier.stdout
        try:
            yield [int(carrier.stdout.readline()) for _ in targets]
        finally:
            carrier.stdin.close()


async def serve(link: Link, targets: Sequence[str]) -> None:
    """Carry until the standard input ends."""
    for target in targets:
        address, _, port = target.rpartition(":")
        server = await asyncio.start_server(Carrier(link, address, int(port)).carry, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


class Carrier:
    """Connections over a link to one place."""

    def __init__(self, link: Link, address: str, port: int) -> None:
        self._link, self._address, self._port = link, address, port

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions of one connection, until both have ended; its handshake takes a round trip too."""
        await asyncio.sleep(self._link.latency)
        with suppress(OSError):
            there, here = await asyncio.open_connection(self._address, self._port)
            await asyncio.gather(self._direction(reader, here), self._direction(there, writer))
            here.close()
        writer.close()

    async def _direction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        delivery = asyncio.create_task(self._deliver(due, writer))
        now, free, data = asyncio.get_running_loop().time, 0.0, b"x"
        while data:
            data = b""
            with suppress(OSError):
                data = await reader.read(CHUNK if self._link.width else WIDE)
            free = max(free, now()) + (len(data) / self._link.width if self._link.width else 0.0)
            await due.put((free + self._link.latency / 2, data))
        await delivery

    async def _deliver(self, due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        data = b"x"
        while data:
            at, data = await due.get()
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            with suppress(OSError):  # nobody hears any more: what comes is still taken, so that nobody waits
                writer.write(data) if data else writer.write_eof()
                await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(Link(float(sys.argv[1]), float(sys.argv[2])), sys.argv[3:]))
