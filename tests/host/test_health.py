"""Health of real processes of this user; what needs systemd is tested on hosts."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from deployer.errors.base import HostFailure
from deployer.host import health
from deployer.host.dyno_files import Placed
from deployer.host.health import Health, Started
from deployer.model.dyno import Dyno

SERVER = """
import http.server, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    answers = [int(word) for word in sys.argv[2].split(",")]
    def do_GET(self):
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status); self.end_headers(); self.wfile.write(self.headers["Host"].encode())
    def log_message(self, *words): pass
time.sleep(0.05)
http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
    return number


@pytest.fixture
def serve(port: int) -> Iterator[subprocess.Popen[bytes]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(answers: str) -> Started:
        running.append(subprocess.Popen([sys.executable, "-c", SERVER, str(port), answers]))
        placed = Placed(Dyno("shop", "web", 1, 1), os.geteuid(), "Basic", "serve", (), port)
        return Started(placed, running[-1].pid, "", time.monotonic())

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_dyno_that_listens_and_answers_is_healthy(serve):
    assert health.watch(serve("200"), Health(timeout=10), threading.Event()) > 0


def test_an_app_that_does_not_know_the_path_is_healthy(serve):
    health.watch(serve("404"), Health("/up", 10), threading.Event())


def test_an_app_whose_neighbours_are_not_there_yet_is_waited_for(serve):
    seconds = health.watch(serve("503,503,200"), Health(timeout=10), threading.Event())
    assert seconds > 2 * health.ASK_AGAIN


def test_an_app_that_is_never_warm_fails_at_the_deadline_with_its_last_answer(serve):
    with pytest.raises(HostFailure) as failure:
        health.watch(serve("503"), Health("/up", 4.0), threading.Event())
    assert (failure.value.code, failure.value.details["answer"]) == ("dyno-unhealthy", "503")


@pytest.mark.parametrize(
    ("status", "age", "final"),
    [(500, 1.0, False), (500, 4.0, True), (503, 40.0, False), (404, 40.0, False), (0, 40.0, False)],
)
def test_a_500_is_believed_after_some_seconds(status, age, final):
    assert health.is_final(status, age) == final


def test_when_another_dyno_has_failed_nobody_waits_any_longer(serve):
    abort = threading.Event()
    threading.Timer(0.2, abort.set).start()
    began = time.monotonic()
    health.watch(serve("503"), Health(timeout=30), abort)
    assert time.monotonic() - began < 5


def test_the_end_of_a_process_is_seen_and_never_mistaken_for_anothers(serve, port):
    started = serve("200")
    process = health.Process(started.pid)
    assert not process.has_exited()
    os.kill(started.pid, 9)
    deadline = time.monotonic() + 5
    while not process.has_exited():
        assert time.monotonic() < deadline
    process.close()
    assert health.Process(0).has_exited()
