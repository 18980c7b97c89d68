"""Agents on this machine: as plain child processes, and behind an sshd of our own on loopback."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.remote.connection import Broken

HERE = Host("here", 1, "127.0.0.1", "127.0.0.1", "none")
SSHD_CONFIG = """
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


class ChildPipe:
    """A child process as a Pipe."""

    def __init__(self, words: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._stream(self.process.stdin).write(left) :]
        except (BrokenPipeError, ValueError) as error:
            raise Broken(str(error)) from error

    def read(self, most: int) -> bytes:
        return self._stream(self.process.stdout).read(most)

    def close_writing(self) -> None:
        self._stream(self.process.stdin).close()

    def close(self) -> None:
        self.close_writing()
        self.process.wait()
        self._stream(self.process.stdout).close()
        self._stream(self.process.stderr).close()

    def errors(self) -> str:
        self.process.wait()
        return self._stream(self.process.stderr).read().decode()

    def ends_within(self, patience: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        return self.process.returncode is not None

    def wait(self) -> int:
        return self.process.wait()

    @staticmethod
    def _stream(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream


class HereConnection:
    """Programs on this machine as a Connection; `pipes` are all that were opened."""

    def __init__(self) -> None:
        self.pipes: list[ChildPipe] = []

    def open(self, words: Sequence[str]) -> ChildPipe:
        self.pipes.append(ChildPipe(words))
        return self.pipes[-1]

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.close()


def session_here(root: Path, agents: Path | None = None, host: Host = HERE) -> Session:
    """A session with an agent whose folders lie below `root`; `agents` is where agents are installed already."""
    root.mkdir(exist_ok=True)
    if agents is not None and not (root / "agent").exists():
        (root / "agent").symlink_to(agents)
    return Session(host, HereConnection(), root=str(root))


@dataclass(frozen=True)
class Sshd:
    """An sshd on loopback: its host, the key that it lets in, its process."""

    host: Host
    identity: Path
    process: subprocess.Popen[bytes]


@contextmanager
def sshd(folder: Path, more: str = "") -> Iterator[Sshd]:
    """An sshd with keys of its own in `folder`, and `more` lines of configuration."""
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized").write_bytes((folder / "id.pub").read_bytes())
    (folder / "config").write_text(SSHD_CONFIG.format(folder=folder) + more)
    port = free_port()
    with (folder / "log").open("wb") as log:
        words = ["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "config"), "-p", str(port)]
        process = subprocess.Popen(words, stderr=log)
    try:
        wait_for_port(port)
        key = " ".join((folder / "host.pub").read_text().split()[:2])
        yield Sshd(Host("h1", 1, "127.0.0.1", "127.0.0.1", key, port=port), folder / "id", process)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    """Until somebody listens."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")
