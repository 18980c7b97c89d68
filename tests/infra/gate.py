"""A gate before moto: it can answer a call as AWS answers, instead of doing it."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[\w-]+)/")
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: `operation` is S3's method and path where the service is S3. `key` is the id of who asks; `words` are the
    parameters, where they come as a form; of S3 those of the URL, and the condition `If-None-Match`."""

    service: str
    operation: str
    key: str = field(default="", compare=False)
    words: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Says:
    """An answer that is an error."""

    status: int
    code: str
    message: str


EXPIRED = Says(403, "ExpiredToken", "The security token included in the request is expired")
SLOW_DOWN = Says(503, "SlowDown", "Please reduce your request rate.")
DENIED = Says(403, "AccessDenied", "Access Denied")
CUT = Says(0, "", "the connection ends, and nothing is said")


@dataclass
class Gate:
    """`answer` is asked before each call, and lets it pass with None. `met` are the calls that it did not let pass.
    Before that `holds` is asked, whatever a test answers."""

    answer: Callable[[Asked], Says | None] = lambda asked: None
    holds: Callable[[Asked], Says | None] = lambda asked: None
    met: list[tuple[float, Asked]] = field(default_factory=list)

    def around(self, app: Wsgi) -> Wsgi:
        """The application behind the gate."""

        def gated(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            asked, is_form = _asked(environ)
            says = self.holds(asked) or self.answer(asked)
            if says is None:
                return app(environ, start)
            self.met.append((time.monotonic(), asked))
            if says is CUT:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            kind, body = _worded(says, asked.service, is_form=is_form)
            start(f"{says.status} Refused", [("Content-Type", kind), ("x-amzn-RequestId", "0123abcd")])
            return [body]

        return gated

    def refuse(self, service: str, operation: str, says: Says, *, times: int | None = None) -> None:
        """Answer so to this call, some times or always."""
        left = [times]

        def answer(asked: Asked) -> Says | None:
            if asked != Asked(service, operation) or left[0] == 0:
                return None
            if left[0] is not None:
                left[0] -= 1
            return says

        self.answer = answer

    def open(self) -> None:
        """Let everything pass again."""
        self.answer = lambda asked: None
        self.met.clear()


class GatedServer(ThreadedMotoServer):
    """moto's server, with a gate before it."""

    def __init__(self, gate: Gate, at: str = "127.0.0.1") -> None:
        super().__init__(at, 0, verbose=False)
        self._gate = gate

    def _server_entry(self) -> None:
        app = self._gate.around(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(self._ip_address, self._port, app, True)
        self._server_ready_event.set()
        self._server.serve_forever()


def _asked(environ: dict[str, Any]) -> tuple[Asked, bool]:
    """What is asked, and whether it is in a form; its body is there afterwards as before."""
    signed = environ.get("HTTP_AUTHORIZATION") or unquote(environ.get("QUERY_STRING", ""))  # the latter of URLs
    scope = SCOPE.search(signed)
    service, key = (scope["service"], scope["key"]) if scope else ("", "")
    if service == "s3" or not service:
        words = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", ""), True).items()}
        if condition := environ.get("HTTP_IF_NONE_MATCH"):
            words["If-None-Match"] = condition
        return Asked(service, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", key, words), False
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Asked(service, target.rpartition(".")[2], key), False
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    words = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    return Asked(service, words.get("Action", ""), key, words), True


def _worded(says: Says, service: str, *, is_form: bool) -> tuple[str, bytes]:
    """The answer in the service's own form."""
    error = f"<Code>{says.code}</Code><Message>{says.message}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>0123abcd</RequestID></Response>"
    elif is_form:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>0123abcd</RequestId></ErrorResponse>"
        )
    elif service == "s3":
        text = f"<Error>{error}<RequestId>0123abcd</RequestId><HostId>d2</HostId></Error>"
    else:
        return "application/x-amz-json-1.1", json.dumps({"__type": says.code, "message": says.message}).encode()
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
