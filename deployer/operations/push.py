"""`git push` without a server: git's receive-pack runs here, and its hook has us build and release the commit.

The app's lease is held from before git sees the refs until the push is over: a second push waits, and then is judged
against what the first one made. receive-pack runs in a session of its own, so that an interrupt reaches this process
alone: before the commit point the release is undone and the push rejected, after it both come to their end.
"""

from __future__ import annotations

import json
import os
import selectors
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import deployer.git_hook
from deployer.operations.push_repository import clean_environment

DEPLOYED = ("refs/heads/main", "refs/heads/master")
ABSENT = frozenset("0")  # git's name for no commit consists of zeros, as long as its digests are


@dataclass(frozen=True, slots=True)
class Pushed:
    """One commit that is to be deployed, readable with the hook's git environment (its objects are in quarantine)."""

    commit: str
    env: dict[str, str]


class Hook:
    """The other end of the hook's socket. Writing to one that is gone is no error: the release goes on."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rw", encoding="utf-8", errors="surrogateescape")
        asked = json.loads(self._stream.readline())
        self.refs: list[list[str]] = asked["refs"]
        self.env: dict[str, str] = clean_environment() | asked["env"]
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print in the pusher's terminal, behind `remote: `."""
        self._send({"out": text})

    def end(self, status: int) -> None:
        """Accept the push with 0, reject it otherwise."""
        self._send({"exit": status})

    def _send(self, message: dict[str, object]) -> None:
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()


def hook_text(address: Path) -> str:
    """The pre-receive hook that speaks to the socket at `address`."""
    words = (sys.executable, "-I", "-S", deployer.git_hook.__file__, str(address))
    return "#!/bin/sh\nexec " + " ".join(shlex.quote(word) for word in words) + "\n"


@contextmanager
def listening() -> Iterator[tuple[Path, socket.socket]]:
    """A socket in a folder that only this user can enter, and its path."""
    with tempfile.TemporaryDirectory(prefix="deployer-push-") as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder, "hook")
        listener.bind(str(address))
        listener.listen(1)
        yield address, listener


def receive(bare: Path, listener: socket.socket, deploy: Callable[[Pushed, Hook], int]) -> int:
    """Run receive-pack on our own standard streams; call `deploy` for what its hook was given; return its status."""
    words = ["git", "receive-pack", str(bare)]
    with subprocess.Popen(words, env=clean_environment(), start_new_session=True) as process:
        if _hook_came(process, listener):
            connection, _ = listener.accept()
            with connection:
                hook = Hook(connection)
                status = 1
                try:
                    status = _answer(hook, deploy)
                finally:
                    hook.end(status)
        return process.wait()


def _hook_came(process: subprocess.Popen[bytes], listener: socket.socket) -> bool:
    """Wait for the hook to connect; False where receive-pack ended without it (nothing to do, or refused)."""
    ended, ends = os.pipe()

    def watch() -> None:
        process.wait()
        os.close(ends)

    threading.Thread(target=watch, daemon=True).start()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            return listener in {key.fileobj for key, _ in selector.select()}
    finally:
        os.close(ended)


def _answer(hook: Hook, deploy: Callable[[Pushed, Hook], int]) -> int:
    for _, new, ref in hook.refs:
        if set(new) == ABSENT:
            hook.say(f" !     {ref.removeprefix('refs/heads/')} cannot be deleted: it is what serves.\n")
            return 1
    wanted = [new for _, new, ref in hook.refs if ref in DEPLOYED]
    for _, _, ref in hook.refs:
        if ref not in DEPLOYED:
            hook.say(f"       Pushed to non-main branch {ref.removeprefix('refs/heads/')}, skipping build.\n")
    if len(set(wanted)) > 1:
        hook.say(" !     main and master were pushed with different commits: push one of them.\n")
        return 1
    return deploy(Pushed(wanted[0], hook.env), hook) if wanted else 0
