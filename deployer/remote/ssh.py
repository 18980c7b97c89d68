"""SSH, by paramiko; the only file that knows it.

The host's key must be the one that the space knows. TCP_NODELAY is set by us: paramiko leaves Nagle's algorithm on,
and every question to a host would then wait 40 ms for a delayed acknowledgement. sshd leaves it on, too, until a
program runs: what we receive is acknowledged at once.
"""

from __future__ import annotations

import logging
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from deployer.errors.remote import AuthenticationRefused, HostKeyChanged, HostUnreachable, IdentityUnreadable
from deployer.errors.ssh import NoKeyAccepted
from deployer.model.space import Host
from deployer.remote.connection import Broken

if TYPE_CHECKING:
    import paramiko

TIMEOUT = 10.0  # seconds to connect, and again for each step of SSH's beginning
DEAD_AFTER = 30_000  # milliseconds that sent bytes may stay unacknowledged
KEEPALIVE = 10  # seconds
REST = 3.0  # seconds for what a program wrote to arrive after its exit status
WINDOW = 1 << 26
PACKET = 1 << 17
RSA = ("rsa-sha2-512", "rsa-sha2-256")

Stream: TypeAlias = "socket.socket | paramiko.Channel"
Dial = Callable[[Host], Stream]


class _Prompt(socket.socket):
    """Acknowledges what it receives without the kernel's delay, which Linux wants to be told each time: sshd sends its
    host keys behind a login, and holds the answer to our first question back until it hears that they came (tcp(7))."""

    def recv(self, most: int, flags: int = 0) -> bytes:
        data = super().recv(most, flags)
        if hasattr(socket, "TCP_QUICKACK"):
            with suppress(OSError):  # the other end has just hung up: whoever reads next hears it
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data


def dial(host: Host) -> socket.socket:
    """A TCP connection straight to the host. Other ways (jump hosts, tunnels) are other functions of this type."""
    try:
        plain = socket.create_connection((host.address, host.port), TIMEOUT)
    except OSError as error:
        raise HostUnreachable(host.id, host.address, host.port, error.strerror or str(error)) from error
    connected = _Prompt(fileno=plain.detach())
    connected.settimeout(TIMEOUT)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER)
    return connected


def load() -> None:
    """Load paramiko, which every command that talks to a host needs first, without 120 of its 190 ms: invoke, with
    unittest.mock and asyncio, is for `Match exec` of ssh_config, and paramiko does without where it is missing;
    importlib.metadata, with all of email, is for its own version."""
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
    light = ModuleType("importlib.metadata")
    vars(light)["version"] = _installed_version
    sys.modules.setdefault(light.__name__, light)
    try:
        import paramiko  # noqa: F401 - where another thread has begun it, this waits
    finally:
        if sys.modules.get(light.__name__) is light:
            del sys.modules[light.__name__]


def _installed_version(name: str) -> str:
    """As importlib.metadata says it, of a package that has a folder of its name."""
    found = find_spec(name)
    assert found is not None, "it is being loaded"
    assert found.origin is not None, "it has a file"
    information = next(Path(found.origin).parent.parent.glob(f"{name}-*.dist-info"), None)
    return information.name.removesuffix(".dist-info").rpartition("-")[2] if information else "unknown"


def connect(host: Host, identity: Path, dial: Dial = dial) -> SshConnection:
    """An authenticated connection; HostUnreachable, HostKeyChanged, AuthenticationRefused or IdentityUnreadable."""
    stream = dial(host)  # before all else: the host gets ready while paramiko is imported here
    try:
        load()
        key = _load(identity)
        return log_in(host, [(str(identity), key)], [host.host_key], lambda host: stream)
    except NoKeyAccepted as error:
        raise AuthenticationRefused(host.id, host.user, host.address, host.port, str(identity)) from error
    except BaseException:
        stream.close()
        raise


def log_in(
    host: Host, keys: Iterable[tuple[str, paramiko.PKey]], known: Sequence[str], dial: Dial = dial
) -> SshConnection:
    """An authenticated connection with the first of these named keys that the host accepts, to a host that has one of
    the `known` host keys; HostUnreachable, HostKeyChanged or NoKeyAccepted."""
    transport = _transport(host, dial)
    try:
        _begin(transport, host, known)
        _authenticate(transport, host, keys)
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(KEEPALIVE)
    return SshConnection(transport)


def shown_key(host: Host, dial: Dial, known: Sequence[str] = ()) -> str:
    """The key that a host shows, as an OpenSSH line, of a kind that is known where one is; no more is said to it."""
    transport = _transport(host, dial)
    try:
        if known:
            _prefer(transport, known)
        return _handshake(transport, host)
    finally:
        transport.close()


def _transport(host: Host, dial: Dial) -> paramiko.Transport:
    load()
    import paramiko

    # It logs its own tracebacks, and Python prints what is logged to nobody. Our failures say it once, in words.
    logger = logging.getLogger("paramiko")
    logger.handlers = logger.handlers or [logging.NullHandler()]
    connected = dial(host)
    try:
        return paramiko.Transport(connected, default_window_size=WINDOW, default_max_packet_size=PACKET)
    except (paramiko.SSHException, OSError) as error:
        connected.close()
        raise HostUnreachable(host.id, host.address, host.port, str(error)) from error


def _load(identity: Path) -> paramiko.PKey:
    import paramiko

    try:
        return paramiko.PKey.from_path(identity)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise IdentityUnreadable(str(identity), str(error)) from error


def _begin(transport: paramiko.Transport, host: Host, known: Sequence[str]) -> None:
    from paramiko import ssh_exception

    transport.get_security_options().key_types = _kinds(known)
    try:
        found = _handshake(transport, host)
    except ssh_exception.IncompatiblePeer as error:
        raise HostKeyChanged(host.id, host.address, host.port, "\n    ".join(known), "of another kind") from error
    if found.split() not in [key.split()[:2] for key in known]:
        raise HostKeyChanged(host.id, host.address, host.port, "\n    ".join(known), found)


def _prefer(transport: paramiko.Transport, known: Sequence[str]) -> None:
    options, first = transport.get_security_options(), _kinds(known)
    options.key_types = [*first, *(kind for kind in options.key_types if kind not in first)]


def _kinds(known: Sequence[str]) -> list[str]:
    """Kinds of keys to ask a server for: those that are known, or one with several would show another one."""
    kinds = dict.fromkeys(key.split()[0] for key in known)
    return [name for kind in kinds for name in (RSA if kind == "ssh-rsa" else (kind,))]


def _handshake(transport: paramiko.Transport, host: Host) -> str:
    import paramiko
    from paramiko import ssh_exception

    transport.banner_timeout = TIMEOUT
    try:
        transport.start_client(timeout=TIMEOUT)
    except ssh_exception.IncompatiblePeer:
        raise
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise HostUnreachable(host.id, host.address, host.port, str(error) or "it hung up") from error
    shown = transport.get_remote_server_key()
    return f"{shown.get_name()} {shown.get_base64()}"


def _authenticate(transport: paramiko.Transport, host: Host, keys: Iterable[tuple[str, paramiko.PKey]]) -> None:
    import paramiko

    transport.auth_timeout = TIMEOUT
    tried: list[str] = []
    for label, key in keys:
        try:
            transport.auth_publickey(host.user, key)
            return
        except paramiko.AuthenticationException:
            tried.append(label)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if not tried:
                raise HostUnreachable(host.id, host.address, host.port, str(error) or "it hung up") from error
            tried.append(f"{label}: {str(error) or 'it hung up'}")  # a server lets nobody try for ever
            break
    names = "\n".join(f"    {label}" for label in tried) or "    (there is none: no agent, no file)"
    raise NoKeyAccepted(host.id, host.user, host.address, host.port, names)


class SshConnection:
    """A connection over which programs run."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport
        self.beneath: SshConnection | None = None  # a jump host's, which this one goes through

    def open(self, words: Sequence[str]) -> SshPipe:
        """Start a program; Broken where the connection is gone."""
        import paramiko

        try:
            channel = self._transport.open_session(window_size=WINDOW, max_packet_size=PACKET, timeout=TIMEOUT)
            channel.exec_command(shlex.join(words))  # for the shell that sshd starts: every word is quoted
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Broken(str(error) or "the connection ended") from error
        return SshPipe(channel)

    def forward(self, address: str, port: int) -> socket.socket | paramiko.Channel:
        """A stream to a port that the host reaches; Broken where the host refuses."""
        import paramiko

        try:
            return self._transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=TIMEOUT)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Broken(str(error) or "the connection ended") from error

    def close(self) -> None:
        """End it, and what it goes through."""
        self._transport.close()
        if self.beneath is not None:
            self.beneath.close()


class SshPipe:
    """A program at the other end of an SSH channel. paramiko says EOFError wherever it finds, as it sends something,
    that the connection has just ended: also as it acknowledges what it read."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def write(self, data: bytes) -> None:
        """Send bytes; Broken where the program or the connection is gone."""
        try:
            self._channel.sendall(data)
        except (OSError, EOFError) as error:
            raise Broken(str(error) or "the connection ended") from error

    def read(self, most: int) -> bytes:
        """What there is, at most `most` bytes; empty at the end."""
        try:
            return self._channel.recv(most)
        except EOFError:
            return b""

    def close_writing(self) -> None:
        """End the program's standard input."""
        try:
            self._channel.shutdown_write()
        except (OSError, EOFError) as error:
            raise Broken(str(error) or "the connection ended") from error

    def close(self) -> None:
        """Let go of the program."""
        with suppress(EOFError):
            self._channel.close()

    def errors(self) -> str:
        """What it wrote to standard error: so far, or all of it once it has ended."""
        self._await_rest()
        said = b""
        while self._channel.recv_stderr_ready():
            said += self._channel.recv_stderr(1 << 16)
        return said.decode(errors="replace")

    def _await_rest(self) -> None:
        """sshd tells a program's exit status before it has read all that the program wrote. A child that lives on may
        hold standard error for ever: there is an end to waiting."""
        until = time.monotonic() + REST
        while self._channel.exit_status_ready() and not (self._channel.eof_received or self._channel.closed):
            if time.monotonic() > until:
                return
            time.sleep(0.005)

    def ends_within(self, patience: float) -> bool:
        """Whether it ends, or the connection does, within `patience` seconds."""
        return self._channel.status_event.wait(patience)

    def wait(self) -> int:
        """Its exit status; -1 where the connection ended first."""
        return self._channel.recv_exit_status()
