"""TCP to a host's private address through an EC2 Instance Connect Endpoint: a websocket whose address is signed.

AWS documents what an endpoint takes, and not how to ask it; that is told by AWS's own client (awscli 2, customizations/
ec2instanceconnect: eicesigner.py, eicefetcher.py, websocket.py): a GET of `wss://NAME/openTunnel`, presigned for the
service `ec2-instance-connect` and for 60 s; then binary frames, both ways. A refusal is JSON with `ErrorCode` and
`Message`, an end that is not due to anybody's wish a close frame with another code than 1000, and the reason. Where
nobody answers at an address, that is `Unable to connect to target` (github.com/aws/aws-cdk/issues/26226); after how
long, and whether sooner for an instance that has ended, nobody has written down: operations/cloud_gone.py asks.

Limits (EC2 user guide, `Connect using EC2 Instance Connect Endpoint`, `Limitations`): ports 22 and 3389, 20 connections
for each endpoint, 3,600 s each, then it ends; large transfers are throttled. How AWS words that there are too many
connections, nobody has written down: it is known by its status (429), by a code of a limit, or by its words.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from deployer.errors.aws import AwsDenied, AwsDeniedInCode, AwsQuota, AwsRefused, AwsUnreachable, CredentialsMissing
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
from deployer.remote.ssh import DEAD_AFTER, TIMEOUT, Dial
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.credentials import NOWHERE
from deployer.spaces.aws.proof import TAG, carries, pages
from deployer.version import VERSION
from infra.refusals import Refusal, failure_of

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

SERVICE = "ec2-instance-connect"
MOST = 20  # tunnels through one endpoint
VALID = 60  # seconds that a signature is good for
FRAME = 65_000  # bytes that AWS's own client sends in one
LARGEST = 1 << 24  # bytes of a frame that comes
USABLE = ("create-complete", "update-in-progress", "update-complete", "update-failed")  # states: eicefetcher.py
TOO_MANY_REQUESTS = 429
TOO_MANY = re.compile(
    r"(?:exceed|maximum|limit|too many)[^.]* (?:connection|tunnel)s?\b"
    r"|\b(?:connection|tunnel)s?\b[^.]*(?:exceed|maximum|limit)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint's id and the name that it answers to (with a port in tests alone)."""

    id: str
    name: str
    region: str


def find(account: Account, space: str) -> Endpoint:
    """The endpoint of a space; EndpointMissing."""
    mine = [{"Name": f"tag:{TAG}", "Values": [space]}]
    with asking():
        call, key = "describe_instance_connect_endpoints", "InstanceConnectEndpoints"
        found = [one for one in pages(account.client("ec2"), call, key, Filters=mine) if carries(one["Tags"], space)]
    for one in found:
        if one["State"] in USABLE:
            return Endpoint(one["InstanceConnectEndpointId"], one["DnsName"], account.region)
    states = [f"{one['InstanceConnectEndpointId']} is {one['State']}. {one.get('StateMessage', '')}" for one in found]
    raise EndpointMissing(space, "\n".join(states).strip() or f"No endpoint in {account.region} carries its tag.")


def dialler(endpoint: Endpoint) -> Dial:
    """Streams to hosts through this endpoint. They end when either side does, at the latest after an hour."""
    return lambda host: _dial(endpoint, host)


def signed(endpoint: Endpoint, host: Host, credentials: Any, seconds: int | None = None) -> str:
    """What opens a tunnel to a host, for `seconds` at most. It is as good as a password for a minute."""
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    asked = {
        "instanceConnectEndpointId": endpoint.id,
        "remotePort": host.port,
        "privateIpAddress": host.private_address,
    }
    if seconds is not None:
        asked["maxTunnelDuration"] = seconds
    request = AWSRequest("GET", url=f"wss://{endpoint.name}/openTunnel?{urlencode(asked)}")
    SigV4QueryAuth(credentials, SERVICE, endpoint.region, expires=VALID).add_auth(request)
    return str(request.url)


def _dial(endpoint: Endpoint, host: Host) -> socket.socket:
    """One end of a pair of sockets, when the SSH server at the other end of the tunnel has said its first words: a
    tunnel may open, and end because nobody is there."""
    try:
        import websockets.asyncio.client  # noqa: F401 - what the thread needs
    except ImportError as error:
        raise TunnelLibraryMissing from error
    credentials, tls = _trusted()
    url = signed(endpoint, host, credentials)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    opened: Future[None] = Future()
    Thread(target=lambda: asyncio.run(_carry(url, tls, theirs, opened)), name="tunnel", daemon=True).start()
    try:
        opened.result()
    except BaseException as error:
        ours.close()
        if isinstance(error, Exception) and not isinstance(error, CancelledError):
            raise _failure(endpoint, host, error) from error
        raise
    ours.settimeout(TIMEOUT)
    return ours


def _trusted() -> tuple[Any, ssl.SSLContext]:
    """Credentials, and the certificates that boto3 believes."""
    from botocore.httpsession import get_cert_path
    from botocore.session import get_session

    with asking():
        session = get_session()
        found = session.get_credentials()
        if found is None:
            raise CredentialsMissing(NOWHERE)
        bundle = session.get_config_variable("ca_bundle")
        return found.get_frozen_credentials(), ssl.create_default_context(cafile=get_cert_path(bundle or True))


async def _carry(url: str, tls: ssl.SSLContext, end: socket.socket, opened: Future[None]) -> None:
    """Open a tunnel and carry bytes to and fro until either side ends. No pings: whether AWS answers them is written
    nowhere, and SSH has its own."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    try:
        async with connect(
            url,
            ssl=tls,
            compression=None,
            ping_interval=None,
            open_timeout=TIMEOUT,
            close_timeout=TIMEOUT,
            max_size=LARGEST,
            user_agent_header=f"deployer/{VERSION}",
        ) as websocket:
            _notice_silence(websocket)
            async with asyncio.timeout(TIMEOUT):
                first = await websocket.recv(decode=False)
            await asyncio.get_running_loop().sock_sendall(end, first)
            opened.set_result(None)
            await _both_ways(websocket, end)
    except (OSError, WebSocketException) as error:
        if not opened.done():
            opened.set_exception(error)
    finally:
        opened.cancel()  # where it was neither: nobody waits for ever
        end.close()


def _notice_silence(websocket: ClientConnection) -> None:
    """A network that is gone ends it, as it does for hosts that are reached directly."""
    connected = websocket.transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER)


async def _both_ways(websocket: ClientConnection, end: socket.socket) -> None:
    """What came before the end still arrives. Who is slow is waited for: neither side's bytes pile up here."""
    loop = asyncio.get_running_loop()
    up = asyncio.create_task(_up(websocket, end))
    try:
        async for data in websocket:
            await loop.sock_sendall(end, data if isinstance(data, bytes) else data.encode())
    finally:
        up.cancel()
        with suppress(asyncio.CancelledError):
            await up


async def _up(websocket: ClientConnection, end: socket.socket) -> None:
    """Until our side closes its end; where it had not read all, that is ECONNRESET."""
    from websockets.exceptions import ConnectionClosed

    with suppress(OSError, ConnectionClosed):
        while data := await asyncio.get_running_loop().sock_recv(end, FRAME):
            await websocket.send(data)
    await websocket.close()


def _failure(endpoint: Endpoint, host: Host, error: Exception) -> Failure:
    """What became of a tunnel that did not open."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    if isinstance(error, InvalidStatus):
        return _refused(endpoint, host, error.response.status_code, bytes(error.response.body or b""))
    place = (host.id, host.private_address, host.port)
    if isinstance(error, ConnectionClosed):
        told = error.rcvd
        reason = f"AWS ended the tunnel ({told.code}): {told.reason or 'it says no more.'}" if told else "It broke off."
        return _too_many(endpoint, reason) or HostSilent(*place, reason, endpoint.id)
    if isinstance(error, TimeoutError) and not str(error):
        return HostSilent(*place, f"nothing came within {TIMEOUT:.0f} s", endpoint.id)
    return AwsUnreachable(f"{endpoint.name}: {error}")


def _refused(endpoint: Endpoint, host: Host, status: int, body: bytes) -> Failure:
    """What AWS answered instead of opening it."""
    code, reason = _told(status, body)
    failure = failure_of(Refusal(SERVICE, "OpenTunnel", code, reason))
    if status == TOO_MANY_REQUESTS or isinstance(failure, AwsQuota):
        return TunnelsTaken(endpoint.id, MOST, f"{code}: {reason}")
    if isinstance(failure, AwsRefused):
        refused = TunnelRefused(host.id, host.private_address, host.port, reason, endpoint.id, code)
        return _too_many(endpoint, f"{code}: {reason}") or refused
    if isinstance(failure, AwsDenied) and not isinstance(failure, AwsDeniedInCode):
        return TunnelDenied(failure.call, failure.action, failure.reason)
    return failure


def _told(status: int, body: bytes) -> tuple[str, str]:
    """AWS's code and words; the status where it has no code."""
    text = body.decode(errors="replace").strip()
    with suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict) and told.get("ErrorCode"):
            return str(told["ErrorCode"]), str(told.get("Message", ""))
    return str(status), text[:500]


def _too_many(endpoint: Endpoint, reason: str) -> TunnelsTaken | None:
    return TunnelsTaken(endpoint.id, MOST, reason) if TOO_MANY.search(reason) else None
