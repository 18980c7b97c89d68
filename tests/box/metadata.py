"""Instance metadata, version 2 alone (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html):
one server for each instance, at the other end of a cable of its own, so that nobody else reaches it.

It cannot listen in the host's own namespace: whatever listens there at port 80 of all addresses would be in its way."""

from __future__ import annotations

import ctypes
import json
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.box.ground import ip

ADDRESS = ("169.254.169.254", 80)
TTL, TOKEN = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
LONGEST = 21_600  # seconds
NEWNET = 0x40000000  # the flag of unshare(2)
CABLE = "meta0"  # the host's end
Answers = Callable[[], Mapping[str, str]]


class Metadata(ThreadingHTTPServer):
    """`answers` are the texts by their path below /latest, asked for anew at each request."""

    daemon_threads = True

    def __init__(self, namespace: str, address: str, answers: Answers) -> None:
        """`namespace` is the host's, `address` its private one."""
        super().__init__(ADDRESS, _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = _listening(namespace, address)
        self.answers = answers
        self.tokens: dict[str, float] = {}  # until when, by the monotonic clock
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Metadata
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        asked = self.headers.get(TTL, "")
        if self.path != "/latest/api/token" or not asked.isdigit() or not 1 <= int(asked) <= LONGEST:
            self._say(400)
            return
        token = secrets.token_urlsafe(40)
        self.server.tokens[token] = time.monotonic() + int(asked)
        self._say(200, token, (TTL, asked))

    def do_GET(self) -> None:
        if self.server.tokens.get(self.headers.get(TOKEN, ""), 0) < time.monotonic():
            self._say(401)  # so is whoever asks in the manner of version 1
            return
        found = found_at(self.path.removeprefix("/latest/"), self.server.answers())
        self._say(404) if found is None else self._say(200, found)

    def _say(self, status: int, text: str = "", *headers: tuple[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "text/plain"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nobody reads it."""


def found_at(path: str, answers: Mapping[str, str]) -> str | None:
    """The text there, or the names below a folder."""
    if path in answers:
        return answers[path]
    inside = f"{path.rstrip('/')}/"
    below = {name.removeprefix(inside) for name in answers if name.startswith(inside)}
    return "\n".join(sorted({f"{one}/" if rest else one for one, _, rest in (n.partition("/") for n in below)})) or None


def credentials(made: Mapping[str, Any]) -> str:
    """What AssumeRole answered, as the metadata has it."""
    told = {
        "Code": "Success",
        "LastUpdated": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Type": "AWS-HMAC",
        "AccessKeyId": made["AccessKeyId"],
        "SecretAccessKey": made["SecretAccessKey"],
        "Token": made["SessionToken"],
        "Expiration": f"{made['Expiration']:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps(told, indent=2)


def _listening(namespace: str, address: str) -> socket.socket:
    """A socket in a namespace without a name, which lives as long as this socket, and the cable with it."""
    made: list[socket.socket | BaseException] = []
    thread = threading.Thread(target=_listen, args=(namespace, address, made))
    thread.start()
    thread.join()
    if isinstance(made[0], BaseException):
        raise made[0]
    return made[0]


def _listen(namespace: str, address: str, made: list[socket.socket | BaseException]) -> None:
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        ip("link", "add", "m0", "type", "veth", "peer", "name", CABLE, "netns", namespace)
        ip("addr", "add", f"{ADDRESS[0]}/32", "dev", "m0")
        ip("link", "set", "m0", "up")
        ip("route", "add", f"{address}/32", "dev", "m0")
        ip("-n", namespace, "link", "set", CABLE, "up")
        ip("-n", namespace, "route", "add", f"{ADDRESS[0]}/32", "dev", CABLE, "src", address)
        made.append(socket.create_server(ADDRESS, backlog=50))
    except (OSError, subprocess.CalledProcessError) as error:
        made.append(error)
