"""TCP with latency, where the kernel has no netem: what goes in comes out later, in order, in both directions.

`python -m bench.slow_link SECONDS ADDRESS:PORT...` prints a local port for each and carries bytes until its standard
input ends. `SECONDS` are those of a round trip. A connection's own handshake takes one too.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

CHUNK = 1 << 16


@contextmanager
def slow_links(seconds: float, targets: Sequence[str]) -> Iterator[list[int]]:
    """Local ports that lead to `targets` (`ADDRESS:PORT`), for as long as the block lasts, or this process."""
    words = [sys.executable, "-m", "bench.slow_link", str(seconds), *targets]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as links:
        assert links.stdin and links.stdout
        try:
            yield [int(links.stdout.readline()) for _ in targets]
        finally:
            links.stdin.close()


async def serve(seconds: float, targets: Sequence[str]) -> None:
    """Listen for each target until the standard input ends."""
    for target in targets:
        address, _, port = target.rpartition(":")
        link = _Link(seconds, address, int(port))
        server = await asyncio.start_server(link.carry, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


class _Link:
    def __init__(self, seconds: float, address: str, port: int) -> None:
        self._seconds, self._address, self._port = seconds, address, port

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions of one connection, until both have ended."""
        await asyncio.sleep(self._seconds)
        with suppress(OSError):
            there, here = await asyncio.open_connection(self._address, self._port)
            await asyncio.gather(self._pump(reader, here), self._pump(there, writer))
            here.close()
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read at once, write half a round trip later."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(waiting, writer))
        data = b"x"
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            waiting.put_nowait((loop.time() + self._seconds / 2, data))
        await delivery

    async def _deliver(self, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(due - loop.time())
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), sys.argv[2:]))
