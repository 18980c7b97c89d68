"""SSH through an EC2 Instance Connect Endpoint on loopback, to a real sshd."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from deployer.errors import aws as words
from deployer.errors.base import Failure
from deployer.errors.remote import HostKeyChanged
from deployer.errors.tunnel import (
    EndpointMissing,
    HostSilent,
    TunnelDenied,
    TunnelLibraryMissing,
    TunnelRefused,
    TunnelsTaken,
)
from deployer.model.space import Host
from deployer.remote import ssh
from deployer.remote.connection import Broken
from deployer.spaces.aws import tunnel
from deployer.spaces.aws.account import Account
from tests.infra import moto_here
from tests.infra.standin.walls import ABOUT
from tests.remote.agents_here import Sshd, free_port, sshd
from tests.spaces.instance_connect import InstanceConnect, Says, instance_connect, lend_credentials

pytestmark = pytest.mark.edge
ADDRESS, SILENT = "10.0.1.7", "10.0.1.8"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def aws(tmp_path: Path, server: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstanceConnect]:
    """An endpoint that leads to the server, and credentials."""
    with instance_connect(tmp_path, {ADDRESS: server.host.port, SILENT: free_port()}) as here:
        lend_credentials(monkeypatch, tmp_path)
        yield here


@pytest.fixture
def host(server: Sshd) -> Host:
    """The server's host as a space in AWS knows it."""
    return replace(server.host, address="", private_address=ADDRESS, port=22)


@pytest.fixture
def connection(aws: InstanceConnect, host: Host, server: Sshd) -> Iterator[ssh.SshConnection]:
    connection = ssh.connect(host, server.identity, tunnel.dialler(aws.endpoint))
    yield connection
    connection.close()


def failed(aws: InstanceConnect, host: Host, server: Sshd) -> Failure:
    with pytest.raises(Failure) as raised:
        ssh.connect(host, server.identity, tunnel.dialler(aws.endpoint))
    return raised.value


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_programs_run_through_a_tunnel(aws: InstanceConnect, connection: ssh.SshConnection) -> None:
    pipe = connection.open(["sh", "-c", "cat; echo no >&2; exit 3"])
    pipe.write(b"hello")
    pipe.close_writing()
    assert pipe.read(100) == b"hello"
    assert (pipe.wait(), pipe.errors()) == (3, "no\n")
    asked = aws.asked[0]
    assert (asked["privateIpAddress"], asked["remotePort"], asked["X-Amz-Expires"]) == (ADDRESS, "22", "60")
    assert "maxTunnelDuration" not in asked, "AWS's own limit holds, which is an hour"


def test_what_a_program_says_after_its_exit_status_is_heard_too(connection: ssh.SshConnection) -> None:
    pipe = connection.open(["sh", "-c", "(sleep 0.3; echo late >&2) & exit 3"])
    assert (pipe.wait(), pipe.errors()) == (3, "late\n")


def test_megabytes_go_both_ways_at_once_and_a_slow_reader_is_waited_for(connection: ssh.SshConnection) -> None:
    size = 6 << 20
    given = bytes(range(256)) * (size // 256)
    loud, echo = connection.open(["head", "-c", str(size), "/dev/zero"]), connection.open(["sha256sum"])
    echo.write(given)  # while nobody reads what the other one says
    echo.close_writing()
    assert echo.read(64).decode() == hashlib.sha256(given).hexdigest()
    got = 0
    while data := loud.read(1 << 14):
        got += len(data)
        time.sleep(0.0005)
    assert (got, loud.wait()) == (size, 0)


def test_another_host_key_is_refused_through_a_tunnel_too(
    aws: InstanceConnect, host: Host, server: Sshd, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    assert isinstance(failed(aws, replace(host, host_key=other), server), HostKeyChanged)


def test_a_tunnel_that_is_cut_in_the_middle_ends_what_runs(aws: InstanceConnect, connection: ssh.SshConnection) -> None:
    pipe = connection.open(["sh", "-c", "echo begun; exec sleep 60"])
    assert pipe.read(100) == b"begun\n"
    aws.cut()
    assert (pipe.read(100), pipe.wait()) == (b"", -1)
    with pytest.raises(Broken):
        connection.open(["true"])


def test_a_tunnel_ends_after_its_time_and_all_that_came_before_has_arrived(
    aws: InstanceConnect, connection: ssh.SshConnection
) -> None:
    pipe = connection.open(["sh", "-c", "head -c 3000000 /dev/zero; exec sleep 60"])
    wait_until(lambda: aws.sent > 3_000_000)
    aws.expire()
    assert sum(len(data) for data in iter(lambda: pipe.read(1 << 16), b"")) == 3_000_000
    assert pipe.wait() == -1


def test_a_tunnel_is_given_back_when_its_connection_closes(aws: InstanceConnect, host: Host, server: Sshd) -> None:
    aws.most = 1
    for _ in range(3):
        connection = ssh.connect(host, server.identity, tunnel.dialler(aws.endpoint))
        connection.close()
        wait_until(lambda: not aws.live)
    assert len(aws.asked) == 3


def test_more_tunnels_than_there_may_be_are_said_as_such(
    aws: InstanceConnect, connection: ssh.SshConnection, host: Host, server: Sshd
) -> None:
    aws.most = 1
    failure = failed(aws, host, server)
    assert isinstance(failure, TunnelsTaken)
    assert "has 20 at most" in str(failure)


def test_a_host_behind_which_nobody_listens_is_unreachable(aws: InstanceConnect, host: Host, server: Sshd) -> None:
    failure = failed(aws, replace(host, private_address=SILENT), server)
    assert isinstance(failure, HostSilent)
    assert "AWS ended the tunnel (1011): The instance does not answer." in str(failure)


def test_an_endpoint_that_does_not_answer_is_said_as_such(aws: InstanceConnect, host: Host, server: Sshd) -> None:
    aws.port = free_port()
    assert isinstance(failed(aws, host, server), words.AwsUnreachable)


def test_an_endpoint_whose_certificate_is_not_trusted_hears_nothing(
    aws: InstanceConnect, host: Host, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    assert "certificate" in str(failed(aws, host, server))
    assert not aws.asked


def test_a_port_that_aws_does_not_take_is_refused_in_its_words(aws: InstanceConnect, host: Host, server: Sshd) -> None:
    failure = failed(aws, replace(host, port=2222), server)
    assert isinstance(failure, TunnelRefused)
    assert "InvalidParameter: The specified RemotePort is not valid." in str(failure)


def test_a_wrong_secret_is_no_valid_signature(
    aws: InstanceConnect, host: Host, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert isinstance(failed(aws, host, server), words.CredentialsUnknown)


NOT_ALLOWED = (
    "User: arn:aws:iam::123456789012:user/a is not authorized to perform: ec2-instance-connect:OpenTunnel on resource: "
    "arn:aws:ec2:eu-central-1:123456789012:instance-connect-endpoint/eice-1"
)


@pytest.mark.parametrize(
    ("says", "kind", "told"),
    [
        (Says(403, "AccessDenied", NOT_ALLOWED), TunnelDenied, "may not do ec2-instance-connect:OpenTunnel"),
        (Says(403, "UnauthorizedOperation", ""), TunnelDenied, "may not do ec2-instance-connect:OpenTunnel"),
        (Says(403, "ExpiredTokenException", "It has expired."), words.CredentialsExpired, "It has expired."),
        (Says(400, "ServiceQuotaExceededException", "No more connections."), TunnelsTaken, "No more connections."),
        (Says(400, "InvalidParameter", "Maximum number of connections reached"), TunnelsTaken, "Maximum number"),
        (Says(400, "InvalidParameter", "The address is of no instance."), TunnelRefused, "The address is of no"),
        (Says(503, "ServiceUnavailable", "Later."), words.AwsBroken, "Later."),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do(
    aws: InstanceConnect, host: Host, server: Sshd, says: Says, kind: type[Failure], told: str
) -> None:
    aws.says = says
    failure = failed(aws, host, server)
    assert type(failure) is kind
    assert told in str(failure)
    assert "X-Amz" not in str(failure)


def test_a_deployer_without_the_library_says_how_to_get_it(
    aws: InstanceConnect, host: Host, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    assert isinstance(failed(aws, host, server), TunnelLibraryMissing)


def test_the_endpoint_of_a_space_is_found_by_its_tag() -> None:
    with moto_here.moto() as address:
        account = Account(moto_here.REGION, address)
        ec2 = account.client("ec2")
        network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        with pytest.raises(EndpointMissing, match="No endpoint in eu-central-1 carries its tag"):
            tunnel.find(account, "production")
        tags = [{"Key": "deployer:space", "Value": "production"}]
        made = ec2.create_network_interface(
            SubnetId=subnet,
            Description=ABOUT,
            TagSpecifications=[{"ResourceType": "network-interface", "Tags": tags}],
        )["NetworkInterface"]["NetworkInterfaceId"]
        found = tunnel.find(account, "production")
        assert found.id == made.replace("eni-", "eice-")
        assert found.name == f"{found.id}.ec2-instance-connect-endpoint.{moto_here.REGION}.amazonaws.com"
        with pytest.raises(EndpointMissing):
            tunnel.find(account, "staging")


def test_a_proxy_leads_to_the_endpoint(
    aws: InstanceConnect, host: Host, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        Thread(target=connect_for, args=(proxy, aws.port, asked), daemon=True).start()
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        connection = ssh.connect(host, server.identity, tunnel.dialler(aws.endpoint))
        assert connection.open(["echo", "hello"]).read(100) == b"hello\n"
        connection.close()
    assert asked[0].startswith(f"CONNECT localhost:{aws.port} HTTP/1.1\r\n".encode())
    assert b"X-Amz" not in asked[0], "the address that opens a tunnel is for AWS alone"


def connect_for(proxy: socket.socket, port: int, asked: list[bytes]) -> None:
    """One connection of a proxy's."""
    client = proxy.accept()[0]
    with client, socket.create_connection(("127.0.0.1", port)) as there:
        asked.append(client.recv(1 << 16))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = Thread(target=pump, args=(there, client), daemon=True)
        back.start()
        pump(client, there)
        back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
