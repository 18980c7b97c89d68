"""What opens a tunnel, and the words where none opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from deployer.errors.base import Failure
from deployer.errors.tunnel import (
    EndpointMissing,
    HostSilent,
    TunnelDenied,
    TunnelLibraryMissing,
    TunnelRefused,
    TunnelsTaken,
)
from deployer.model.space import Host
from deployer.spaces.aws import tunnel

ID = "eice-0123456789abcdef0"


def test_the_signature_is_that_of_awss_own_client() -> None:
    """awscli, tests/functional/ec2instanceconnect/test_opentunnel.py: what its client asks at that second."""
    from botocore import auth
    from botocore.credentials import ReadOnlyCredentials

    name = "eice-123.ec2-instance-connect-endpoint.us-west-2.amazonaws.com"
    host = Host("h1", 1, "", "10.0.0.0", "")
    before, clock = auth.get_current_datetime, datetime(2020, 1, 1, 1, 1, 1)
    theirs: Any = auth
    theirs.get_current_datetime = lambda *given, **named: clock
    try:
        credentials = ReadOnlyCredentials("access_key", "secret_key", None)
        url = tunnel.signed(tunnel.Endpoint("eice-123", name, "us-west-2"), host, credentials, 1)
    finally:
        theirs.get_current_datetime = before
    assert url == (
        f"wss://{name}/openTunnel?instanceConnectEndpointId=eice-123&remotePort=22&privateIpAddress=10.0.0.0&"
        "maxTunnelDuration=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        "X-Amz-Credential=access_key%2F20200101%2Fus-west-2%2Fec2-instance-connect%2Faws4_request&"
        "X-Amz-Date=20200101T010101Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"
        "X-Amz-Signature=3a56740422a5b9aebd22d860b7a30c729e459a6f71a83bc0de3a2b44b7353f28"
    )


def test_the_words_where_no_tunnel_opens(golden: Callable[[str, str], None]) -> None:
    place = ("i-0123456789abcdef0", "10.0.1.7", 22)
    made: list[Failure] = [
        TunnelLibraryMissing(),
        EndpointMissing("production", f"{ID} is create-in-progress."),
        TunnelRefused(*place, "The address is of no instance.", ID, "InvalidParameter"),
        HostSilent(*place, "nothing came within 10 s", ID),
        TunnelsTaken(ID, tunnel.MOST, "TooManyConnections: it has 20."),
        TunnelDenied("ec2-instance-connect:OpenTunnel", "ec2-instance-connect:OpenTunnel", "AWS says no."),
    ]
    golden("errors/tunnel.txt", "\n".join(f"=== {type(one).__name__}\n{one}\n" for one in made))
