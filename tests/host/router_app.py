"""PORT WORD DELAY: a small app. `/wait/S` answers after S seconds, `/close` closes without an answer, `/garbage`
answers with no HTTP, `/cut` ends in the middle of its answer, `/stall/S` pauses in the middle, `/echo` upgrades to an
echo, `/headers` shows what came. SIGTERM: no new connections, the open ones end, as app servers do."""

from __future__ import annotations

import json
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    word = "hello"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        first, _, rest = self.path.lstrip("/").partition("/")
        name = first.partition("?")[0]
        getattr(self, f"do_path_{name}", self.do_path_)(rest)

    do_GET = do_POST = do_HEAD = do_PUT = answer

    def do_path_(self, rest: str) -> None:
        self.say(f"{self.word} {self.path}")

    def do_path_wait(self, rest: str) -> None:
        time.sleep(float(rest))
        self.say(f"{self.word} {self.path}")

    def do_path_headers(self, rest: str) -> None:
        self.say(json.dumps(self.headers.items()))

    def do_path_status(self, rest: str) -> None:
        self.say(self.word, int(rest))

    def do_path_close(self, rest: str) -> None:
        self.close_connection = True

    def do_path_garbage(self, rest: str) -> None:
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True

    def do_path_cut(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        self.close_connection = True

    def do_path_stall(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf")
        time.sleep(float(rest))
        self.wfile.write(b"full")

    def do_path_echo(self, rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        while line := self.rfile.readline():
            self.wfile.write(self.word.encode() + b" " + line)
        self.close_connection = True

    def say(self, text: str, status: int = 200) -> None:
        body = text.encode() + b"\n"
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class App(socketserver.ThreadingMixIn, HTTPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def main(port: int, word: str, delay: float) -> None:
    time.sleep(delay)
    Handler.word = word
    Handler.timeout = 3
    app = App(("0.0.0.0", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=app.shutdown).start())
    app.serve_forever(0.02)
    app.socket.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
