"""Hosts that the user already has, reached as the user's own OpenSSH would: by ~/.ssh/config, jump hosts, agent, keys.

Host keys are always checked. One that is known (to the space, or to known_hosts) is used; one that is not is asked
about once, with its fingerprint."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from deployer.errors.ssh import (
    HostKeyRefused,
    HostKeyUnknown,
    JumpRefused,
    KnownKeyDiffers,
    ProxyCommandFailed,
)
from deployer.model.space import Host
from deployer.remote import known_hosts, ssh
from deployer.remote.agent import Session
from deployer.remote.connection import Broken
from deployer.remote.known_hosts import fingerprint, kind_of
from deployer.remote.own_keys import Keyring
from deployer.remote.person import NOBODY, Person
from deployer.remote.ssh_config import Way, parse_target, way_to


@dataclass
class Reach:
    """`targets` are what the user calls hosts, by their ids: names of ssh_config, where those differ from addresses.
    `trusted` are fingerprints that the user has named."""

    person: Person = NOBODY
    targets: Mapping[str, str] = field(default_factory=dict)
    trusted: Collection[str] = ()

    def __post_init__(self) -> None:
        self._keys = Keyring(self.person.secret)

    def connect(self, host: Host) -> Session:
        """A session with a host of a space, whose key the space knows."""
        way = way_to(self.targets.get(host.id) or target_of(host))
        return self.log_in(replace(host, user=way.user), way)

    def log_in(self, host: Host, way: Way) -> Session:
        """A session with a host by this way."""
        return Session(host, self._through(way, host, [host.host_key]))

    def through(self, dial: ssh.Dial, host: Host) -> Session:
        """A session with a host of a space that is dialled so: of ssh_config only who lets in counts."""
        way = way_to(target_of(replace(host, address=host.private_address)))
        return Session(host, self._opened(way, host, [host.host_key], dial))

    def meet(self, target: str, host_id: str, seat: int) -> tuple[Host, Way]:
        """A host that is to be one of a space, with its key, which is accepted from now on; KnownKeyDiffers,
        HostKeyUnknown, HostKeyRefused."""
        way = way_to(target)
        host = Host(host_id, seat, way.address, way.address, "", way.user, way.port)
        return replace(host, host_key=self._accepted(way)), way

    def _accepted(self, way: Way) -> str:
        """The key that a host shows, where it is known or the user takes it for the right one."""
        known = known_hosts.lookup(way.name, [*way.known_hosts, known_hosts.own_file()])
        shown = self._shown(way, [one.key for one in known])
        if any(one.key == shown for one in known) or fingerprint(shown) in self.trusted:
            return shown
        if known:
            listed = "\n    ".join(f"{kind_of(one.key)} {fingerprint(one.key)}" for one in known)
            raise KnownKeyDiffers(way.target, way.address, way.port, fingerprint(shown), known[0].file, listed)
        self._ask_about(way, shown)
        known_hosts.remember(way.name, shown)
        return shown

    def _shown(self, way: Way, known: Sequence[str]) -> str:
        place = Host(way.target, 0, way.address, "", "", way.user, way.port)
        beneath: list[ssh.SshConnection] = []
        try:
            return ssh.shown_key(place, lambda _: self._dial(way, beneath), known)
        finally:
            for connection in beneath:
                connection.close()

    def _ask_about(self, way: Way, shown: str) -> None:
        kind, print_ = kind_of(shown), fingerprint(shown)
        if self.trusted:
            raise HostKeyRefused(way.target, print_)
        if self.person.answer is None:
            raise HostKeyUnknown(way.target, way.address, way.port, kind, print_)
        asked = f"{way.address} port {way.port} is not known here. Its {kind} key is {print_}\nIs that right? (yes/no) "
        if self.person.answer(asked).lower() != "yes":
            raise HostKeyRefused(way.target, print_)

    def _through(self, way: Way, host: Host, known: Sequence[str]) -> ssh.SshConnection:
        beneath: list[ssh.SshConnection] = []
        try:
            connection = self._opened(way, host, known, lambda _: self._dial(way, beneath))
        except BaseException:
            for jump in beneath:
                jump.close()
            raise
        connection.beneath = beneath[-1] if beneath else None
        return connection

    def _opened(self, way: Way, host: Host, known: Sequence[str], dial: ssh.Dial) -> ssh.SshConnection:
        with closing(self._keys.candidates(way)) as keys:  # with them goes the connection to the agent
            return ssh.log_in(host, keys, known, dial)

    def _dial(self, way: Way, beneath: list[ssh.SshConnection]) -> ssh.Stream:
        """A stream to the host's sshd; the connection to its last jump host is put into `beneath`."""
        if way.proxy_command:
            return _proxied(way)
        if not way.jumps:
            return ssh.dial(Host(way.target, 0, way.address, "", "", port=way.port))
        for jump in way.jumps:
            beneath.append(self._jumped(way_to(jump), beneath[-1] if beneath else None))
        return _forwarded(beneath[-1], way.jumps[-1], way)

    def _jumped(self, way: Way, before: ssh.SshConnection | None) -> ssh.SshConnection:
        """A connection to a jump host, through the one before it."""
        place = Host(way.target, 0, way.address, "", "", way.user, way.port)
        files = [*way.known_hosts, known_hosts.own_file()]
        known = [one.key for one in known_hosts.lookup(way.name, files)] or [self._accepted(way)]
        if before is None:
            return self._through(way, place, known)
        connection = self._opened(way, place, known, lambda _: _forwarded(before, way.target, way))
        connection.beneath = before
        return connection


def target_of(host: Host) -> str:
    """How a host of a space is called where this machine has no name of its own for it."""
    address = f"[{host.address}]" if ":" in host.address else host.address
    return f"{host.user}@{address}:{host.port}"


def _forwarded(jump: ssh.SshConnection, name: str, way: Way) -> ssh.Stream:
    try:
        return jump.forward(way.address, way.port)
    except Broken as error:
        raise JumpRefused(name, way.address, way.port, str(error)) from error


def _proxied(way: Way) -> socket.socket:
    """Both ends of a socket: one for us, one for the command, which ends when ours is closed."""
    values = {"%h": way.address, "%p": str(way.port), "%r": way.user, "%n": parse_target(way.target).host, "%%": "%"}
    command = str(way.proxy_command)
    for token, value in values.items():
        command = command.replace(token, value)
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
            )
    except OSError as error:
        ours.close()
        raise ProxyCommandFailed(way.target, command, str(error)) from error
    threading.Thread(target=process.wait, daemon=True).start()
    return ours
