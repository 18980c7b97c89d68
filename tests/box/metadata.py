"""Instance metadata, version 2 alone (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html):
one server for each instance, in its namespace, so that nobody else reaches it."""

from __future__ import annotations

import ctypes
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ADDRESS = ("169.254.169.254", 80)
TTL, TOKEN = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
LONGEST = 21_600  # seconds
NEWNET = 0x40000000
Answers = Callable[[], Mapping[str, str]]


class Metadata(ThreadingHTTPServer):
    """`answers` are the texts by their path below /latest, asked for anew at each request."""

    daemon_threads = True

    def __init__(self, namespace: Path, answers: Answers) -> None:
        super().__init__(ADDRESS, _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = _listening(namespace)
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


def _listening(namespace: Path) -> socket.socket:
    """A socket of that namespace: one keeps the namespace of the thread that made it."""
    made: list[socket.socket] = []
    thread = threading.Thread(target=_listen, args=(namespace, made))
    thread.start()
    thread.join()
    return made[0]


def _listen(namespace: Path, made: list[socket.socket]) -> None:
    with namespace.open() as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    made.append(socket.create_server(ADDRESS, backlog=50))
