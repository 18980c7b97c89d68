"""An EC2 Instance Connect Endpoint on loopback: a real websocket server with TLS that holds callers to what AWS's
client does, keeps the limits of AWS's documentation, and leads to ports of this machine (in tests/box to hosts).

What AWS answers where a limit is reached or nobody is at home is written nowhere: those words are ours."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from deployer.spaces.aws.tunnel import Endpoint

REGION = "eu-central-1"
KEY, SECRET, TOKEN = "of-tests", "secret-of-tests", "token-of-tests"
ID = "eice-0123456789abcdef0"
# AWS's own words, in github.com/aidansteele/rdsconn/issues/5.
BAD_PORT = "The specified RemotePort is not valid. Specify either 22 or 3389 as the RemotePort and retry your request."
EMPTY = hashlib.sha256(b"").hexdigest()
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Says:
    """An answer to whoever asks for a tunnel."""

    status: int
    code: str
    message: str


@dataclass
class InstanceConnect:
    """`behind` are ports of this machine, by private address; `reach` leads elsewhere, by the ids of endpoints that are
    `known`, and by address. A tunnel lives for `duration` seconds; `most` live at once. `says` is answered instead of
    opening one. `asked` are the parameters of all that opened."""

    behind: Mapping[str, int]
    duration: float = 3600
    most: int = 20
    says: Says | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    live: set[ServerConnection] = field(default_factory=set)
    sent: int = 0  # bytes that came from behind it
    known: Callable[[], Collection[str]] = lambda: (ID,)
    reach: Callable[[str, str], Awaitable[Streams]] | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(ID, f"localhost:{self.port}", REGION)

    def cut(self) -> None:
        """All connections break, without a word."""
        for one in list(self.live):
            self._loop.call_soon_threadsafe(one.transport.abort)

    def expire(self) -> None:
        """As if the time of all tunnels were over."""

        def end_all() -> None:
            self._over.set()
            self._over = asyncio.Event()  # for those that come

        self._loop.call_soon_threadsafe(end_all)

    def run(self, folder: Path, begun: Future[None]) -> None:
        """Until `stop`; in a thread of its own."""
        self._loop.run_until_complete(self._serve(folder, begun))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)

    async def _serve(self, folder: Path, begun: Future[None]) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._server: Server = await serve(
            self._carry, "127.0.0.1", 0, ssl=tls, process_request=self._admit, compression=None, ping_interval=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        begun.set_result(None)
        await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        found = self.says or self._wrong(request)
        if found is None:
            return None
        told = {"ErrorCode": found.code, "Message": found.message}
        return connection.respond(HTTPStatus(found.status), json.dumps(told))

    def _wrong(self, request: Request) -> Says | None:
        """What AWS would not take."""
        asked = dict(parse_qsl(urlsplit(request.path).query))
        if signature(request.path, request.headers["Host"], asked) != asked.get("X-Amz-Signature"):
            return Says(403, "SignatureDoesNotMatch", "The request signature does not match.")
        signed_at = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((datetime.now(UTC) - signed_at).total_seconds()) > int(asked["X-Amz-Expires"]):
            return Says(403, "SignatureDoesNotMatch", "Signature expired: it is too old.")
        if asked["X-Amz-Security-Token"] != TOKEN:
            return Says(403, "InvalidClientTokenId", "The security token is invalid.")
        if asked["instanceConnectEndpointId"] not in self.known():
            return Says(404, "ResourceNotFound", "There is no such endpoint.")
        if asked["remotePort"] not in ("22", "3389"):
            return Says(400, "InvalidParameter", BAD_PORT)
        if len(self.live) >= self.most:
            return Says(429, "TooManyConnections", f"{ID} has {self.most} connections.")
        return None

    async def _carry(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        asked = dict(parse_qsl(urlsplit(connection.request.path).query))
        self.asked.append(asked)
        try:
            reader, writer = await self._reached(asked["instanceConnectEndpointId"], asked["privateIpAddress"])
        except (KeyError, OSError):
            await connection.close(1011, "The instance does not answer.")
            return
        self.live.add(connection)
        flows = (self._down(connection, reader), _up(connection, writer), self._over.wait())
        ways = [asyncio.create_task(flow) for flow in flows]
        await asyncio.wait(ways, timeout=self.duration, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        writer.transport.abort()
        await connection.close(1000, "")
        self.live.discard(connection)

    async def _reached(self, endpoint: str, address: str) -> Streams:
        if self.reach:
            return await self.reach(endpoint, address)
        return await asyncio.open_connection("127.0.0.1", self.behind[address])

    async def _down(self, connection: ServerConnection, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionClosed, OSError):
            while data := await reader.read(1 << 16):
                await connection.send(data)
                self.sent += len(data)


async def _up(connection: ServerConnection, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionClosed, OSError):
        async for data in connection:
            assert isinstance(data, bytes), "AWS takes binary frames"
            writer.write(data)
            await writer.drain()


def signature(path: str, host: str, asked: Mapping[str, str]) -> str:
    """By the book (AWS Signature Version 4, `Authenticating requests: using query parameters`), not by botocore."""
    day, scope = asked["X-Amz-Date"][:8], asked["X-Amz-Credential"].partition("/")[2]
    pairs = sorted((quote(k, "-_.~"), quote(v, "-_.~")) for k, v in asked.items() if k != "X-Amz-Signature")
    query = "&".join(f"{key}={value}" for key, value in pairs)
    canonical = f"GET\n{urlsplit(path).path}\n{query}\nhost:{host}\n\nhost\n{EMPTY}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{asked['X-Amz-Date']}\n{scope}\n{hashed}"
    key = f"AWS4{SECRET}".encode()
    region = scope.split("/")[1]
    for part in (day, region, "ec2-instance-connect", "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


@contextmanager
def instance_connect(folder: Path, behind: Mapping[str, int]) -> Iterator[InstanceConnect]:
    """A running one; its certificate is `folder`/tls.crt."""
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 3"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt"]
    subprocess.run([*words.split(), *files], check=True, capture_output=True)
    here, begun = InstanceConnect(behind), Future[None]()
    thread = Thread(target=here.run, args=(folder, begun))
    thread.start()
    try:
        begun.result(10)
        yield here
    finally:
        here.stop()
        thread.join()


def lend_credentials(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """What it takes, and trust in its certificate."""
    patch.setenv("AWS_ACCESS_KEY_ID", KEY)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    patch.setenv("AWS_SESSION_TOKEN", TOKEN)
    patch.setenv("AWS_CA_BUNDLE", str(folder / "tls.crt"))
    patch.setenv("NO_PROXY", "localhost")
