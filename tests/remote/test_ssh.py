"""The transport over a real sshd on loopback."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.remote import (
    AuthenticationRefused,
    ConnectionLost,
    HostKeyChanged,
    HostUnreachable,
    IdentityUnreadable,
)
from deployer.model.space import Host
from deployer.remote import ssh
from deployer.remote.agent import Session, connect
from deployer.remote.connection import Broken
from tests.remote.agents_here import Sshd, free_port

pytestmark = pytest.mark.edge


def session_over(server: Sshd, root: Path, agents: Path, dial: ssh.Dial = ssh.dial) -> Session:
    root.mkdir()
    (root / "agent").symlink_to(agents)
    return Session(server.host, ssh.connect(server.host, server.identity, dial), root=str(root))


def test_calls_work_over_ssh_and_none_waits_for_a_delayed_acknowledgement(
    server: Sshd, tmp_path: Path, agents: Path
) -> None:
    with session_over(server, tmp_path / "host", agents) as session:
        assert session.call("facts")["cpus"]
        took = []
        for _ in range(11):
            begun = time.monotonic()
            session.call("facts")
            took.append(time.monotonic() - begun)
    assert statistics.median(took) < 0.02, "40 ms: TCP_NODELAY is not set"


def test_words_reach_the_host_as_they_are(server: Sshd) -> None:
    connection = ssh.connect(server.host, server.identity)
    words = ["", "a b", "$HOME", "`id`", "it's", 'say "hi"', "*", "a\nb", "ä", ";true", "\\"]
    pipe = connection.open(["printf", "%s\\0", *words])
    said = b""
    while got := pipe.read(1000):
        said += got
    assert said.decode().split("\0")[:-1] == words
    assert pipe.wait() == 0
    connection.close()


def test_another_host_key_is_refused_before_anything_is_sent(server: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    with pytest.raises(HostKeyChanged) as caught:
        connect(replace(server.host, host_key=other), server.identity)
    assert (caught.value.known, caught.value.found) == (other, server.host.host_key)
    assert f"ssh-keyscan -p {server.host.port} 127.0.0.1" in str(caught.value)


def test_a_server_without_the_known_kind_of_key_is_refused(server: Sshd) -> None:
    with pytest.raises(HostKeyChanged):
        connect(replace(server.host, host_key="ecdsa-sha2-nistp256 AAAA"), server.identity)


def test_a_key_that_the_host_does_not_accept_is_named(server: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger"], check=True)
    with pytest.raises(AuthenticationRefused) as caught:
        connect(server.host, tmp_path / "stranger")
    assert caught.value.identity == str(tmp_path / "stranger")


def test_an_identity_that_cannot_be_read_is_named(server: Sshd, tmp_path: Path) -> None:
    with pytest.raises(IdentityUnreadable, match="No such file"):
        connect(server.host, tmp_path / "absent")
    (tmp_path / "nonsense").write_text("no key at all")
    with pytest.raises(IdentityUnreadable):
        connect(server.host, tmp_path / "nonsense")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "locked"], check=True)
    with pytest.raises(IdentityUnreadable):
        connect(server.host, tmp_path / "locked")


def test_a_port_where_nobody_listens_is_an_unreachable_host(server: Sshd) -> None:
    with pytest.raises(HostUnreachable, match="Connection refused"):
        connect(replace(server.host, port=free_port()), server.identity)


CONNECT_BADLY = """
import sys
from pathlib import Path
from deployer.errors.remote import HostUnreachable
from deployer.model.space import Host
from deployer.remote.ssh import connect
try:
    connect(Host("h1", 1, "127.0.0.1", "", sys.argv[2], port=int(sys.argv[1])), Path(sys.argv[3]))
except HostUnreachable:
    print("unreachable")
"""


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.9\r\n"])
def test_a_server_that_hangs_up_is_an_unreachable_host_and_nothing_else_is_said(server: Sshd, says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        words = [sys.executable, "-c", CONNECT_BADLY, str(rude.getsockname()[1]), server.host.host_key]
        client = subprocess.Popen([*words, str(server.identity)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        connected = rude.accept()[0]
        connected.sendall(says)
        connected.close()
        assert client.communicate(timeout=20)[0] == b"unreachable\n"


def test_a_connection_that_breaks_in_a_call_is_told_as_such(server: Sshd, tmp_path: Path, agents: Path) -> None:
    dialled: list[socket.socket] = []

    def dial(host: Host) -> socket.socket:
        dialled.append(ssh.dial(host))
        return dialled[-1]

    with session_over(server, tmp_path / "host", agents, dial) as session:
        session.call("facts")
        request = {"app": "shop", "token": 1, "uid": 0, "layers": [], "deltas": 1}
        with session.exchange("receive", request) as exchange:
            dialled[0].shutdown(socket.SHUT_RDWR)
            with pytest.raises(ConnectionLost) as caught:
                exchange.receive()
        assert (caught.value.host, caught.value.call) == ("h1", "receive")
        with pytest.raises(ConnectionLost):
            session.call("facts")


def test_a_stream_reaches_a_port_of_the_host(server: Sshd) -> None:
    connection = ssh.connect(server.host, server.identity)
    with socket.create_server(("127.0.0.1", 0)) as service:
        stream = connection.forward("127.0.0.1", service.getsockname()[1])
        peer = service.accept()[0]
        peer.sendall(b"hello")
        assert stream.recv(100) == b"hello"
        peer.close()
    with pytest.raises(Broken):
        connection.forward("127.0.0.1", free_port())
    connection.close()
