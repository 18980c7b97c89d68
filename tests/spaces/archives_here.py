"""Small archives as Pulumi makes them, and a server on loopback that has them, or misbehaves."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deployer.spaces.aws.archives import COMMAND, PROVIDER, Archive

SCRIPT = b"#!/bin/sh\necho v3.260.0\n"
FILLING = bytes(range(256)) * 4096  # 1 MB, so that there is a half of it to be cut off at


def packed(members: Mapping[str, bytes], *more: tarfile.TarInfo, level: int = 0) -> bytes:
    """A tar.gz of programs with these contents, and of members of any kind; hardly packed, so that it has a size."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=level) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755 if content.startswith(b"#!") else 0o644
            tar.addfile(member, io.BytesIO(content))
        for one in more:
            tar.addfile(one)
    return out.getvalue()


COMMAND_TGZ = packed({"pulumi/pulumi": SCRIPT, "pulumi/pulumi-language-python": SCRIPT, "pulumi/filling": FILLING})
PROVIDER_TGZ = packed({"LICENSE": b"Apache", "pulumi-resource-aws": b"#!/bin/sh\n", "filling": FILLING})


@dataclass
class Server:
    """What it has, by path. Of `cut` it sends half and ends; of `held` it sends half, says so, and waits for `go`. To
    what is `silent` it says nothing before `go`. It answers as a proxy does, too: for any host."""

    url: str = ""
    has: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    half: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def command(self, content: bytes = COMMAND_TGZ, version: str = "3.260.0", digest: str = "") -> Archive:
        """An archive of the command, which the server has."""
        path = f"/sdk/pulumi-v{version}.tar.gz"
        self.has[path] = content
        digest = digest or hashlib.sha256(content).hexdigest()
        return Archive(f"Pulumi {version}", version, self.url + path, digest, "pulumi", COMMAND)

    def provider(self, content: bytes = PROVIDER_TGZ, version: str = "7.48.0") -> Archive:
        """One of the provider."""
        path = f"/plugins/pulumi-resource-aws-v{version}.tar.gz"
        self.has[path] = content
        digest = hashlib.sha256(content).hexdigest()
        return Archive(f"Pulumi's provider for AWS {version}", version, self.url + path, digest, "", PROVIDER)


@contextmanager
def serving() -> Iterator[Server]:
    """The server, until the block ends."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("//")[2].partition("/")[2] if "//" in self.path else self.path[1:]
            path = f"/{path}"
            server.asked.append(self.path)
            if path in server.silent:
                server.go.wait()
                return
            if (content := server.has.get(path)) is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            middle = len(content) // 2
            self.wfile.write(content[:middle])
            self.wfile.flush()
            server.half.set()
            if path in server.cut:
                return
            if path in server.held:
                server.go.wait()
            self.wfile.write(content[middle:])

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Those that were killed do not listen to the end."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go.set()
            http.shutdown()
            thread.join()
