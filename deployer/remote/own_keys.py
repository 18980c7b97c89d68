"""The keys of the person who types: those of the agent first, then files; a passphrase is asked for once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors.remote import IdentityUnreadable
from deployer.errors.ssh import PassphraseNeeded
from deployer.remote.ssh_config import Way

if TYPE_CHECKING:
    import paramiko

Candidate = tuple[str, "paramiko.PKey"]
TRIES = 3  # at a passphrase, as ssh allows
AskSecret = Callable[[str], str]


class Keyring:
    """What opens hosts. `ask` is None where nobody can type a passphrase."""

    def __init__(self, ask: AskSecret | None = None) -> None:
        self._ask = ask
        self._opened: dict[str, paramiko.PKey] = {}
        self._lock = threading.Lock()

    def candidates(self, way: Way) -> Generator[Candidate, None, None]:
        """Keys to try for a host, each with its name for people, in OpenSSH's order: the agent's that the configuration
        names, the agent's others, files; those with a passphrase last."""
        named = {public: path for path in way.identities if (public := _public_half(path))}
        with _keys_of_agent(way.agent) as agents:
            first = [(label, key) for label, key in agents if key.get_base64() in named]
            yield from first
            if not way.identities_only:
                yield from ((label, key) for label, key in agents if key.get_base64() not in named)
            offered = {key.get_base64() for _, key in first}
        files = [path for path in way.identities if Path(path).is_file() and _public_half(path) not in offered]
        yield from ((path, key) for path in files if (key := _load(path)))
        yield from ((path, self._unlocked(path)) for path in files if _is_locked(path))

    def _unlocked(self, path: str) -> paramiko.PKey:
        with self._lock:
            if path not in self._opened:
                self._opened[path] = self._asked(path)
            return self._opened[path]

    def _asked(self, path: str) -> paramiko.PKey:
        if self._ask is None:
            raise PassphraseNeeded(path)
        import paramiko

        for _ in range(TRIES):
            try:
                typed = self._ask(f"Passphrase for {path}: ").encode()  # bytes: what reads the key wants them
                return paramiko.PKey.from_path(path, typed)  # type: ignore[arg-type]
            except (ValueError, TypeError, paramiko.SSHException):
                continue
        raise IdentityUnreadable(path, "Not its passphrase.")


def _load(path: str) -> paramiko.PKey | None:
    """The key in a file; None where it has a passphrase, or is of a kind that paramiko does not know."""
    import paramiko

    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException):
        return None


def _is_locked(path: str) -> bool:
    """Whether a key has a passphrase."""
    import paramiko

    try:
        paramiko.PKey.from_path(path)
    except (TypeError, paramiko.PasswordRequiredException):
        return True
    except (OSError, ValueError, paramiko.SSHException):
        return False
    return False


def _public_half(path: str) -> str | None:
    """The key in base64 of `PATH.pub`, where that is there."""
    try:
        return Path(f"{path}.pub").read_text().split()[1]
    except (OSError, IndexError, UnicodeDecodeError):
        return None


@contextmanager
def _keys_of_agent(path: str | None) -> Iterator[list[Candidate]]:
    """The keys that an agent holds, usable in the block; none where it does not answer."""
    import paramiko
    from paramiko.agent import AgentSSH

    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path or "")
            agent = AgentSSH()
            agent._connect(connection)  # type: ignore[attr-defined]  # as paramiko's Agent does with its own socket
        except (OSError, paramiko.SSHException):
            agent = None
        found = agent.get_keys() if agent else ()
        yield [(f"{key.comment or key.get_name()} (agent)", key) for key in found]
