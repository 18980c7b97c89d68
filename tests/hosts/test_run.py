"""One-off dynos on a real host, attached with a terminal and without, and detached."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from deployer.remote.agent import Exchange, connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.host.router_bench import wait_for
from tests.hosts.machine import Machine

pytestmark = pytest.mark.hosts

UID = 20912
_NUMBERS = itertools.count(1000)


class Desk:
    """An app, `desk`, in which commands are run."""

    def __init__(self, machine: Machine, layers: list[str]) -> None:
        self.machine = machine
        self._layers = layers

    def request(self, command: str, **changes: Any) -> dict[str, Any]:
        return {
            "app": "desk",
            "uid": UID,
            "release": 3,
            "number": next(_NUMBERS),
            "layers": self._layers,
            "env": {"HOME": "/app", "TERM": "vt100", "GREETING": "it's\nme"},
            "command": command,
            "size": "Basic",
            "tty": False,
            "columns": 100,
            "rows": 40,
            "term": "vt100",
            "detached": False,
            **changes,
        }

    def start(self, command: str, **changes: Any) -> Exchange:
        return self.machine.session.exchange("run", self.request(command, **changes))

    def run(self, command: str, data: bytes = b"", **changes: Any) -> tuple[int, bytes, bytes]:
        """Status, standard output, standard error."""
        exchange = self.start(command, **changes)
        for at in range(0, len(data), 1 << 16):
            exchange.send({"data": True}, data[at : at + (1 << 16)])
        exchange.send({"end": True})
        return finish(exchange)

    def log(self, name: str) -> list[str]:
        lines: list[str] = []

        def hear(one: dict[str, Any], data: bytes) -> None:
            lines.append(f"{one['source']}: {one['text']}")

        self.machine.session.call("logs", {"app": "desk", "lines": 50, "follow": False, "dyno": name}, hear)
        return lines

    def traces(self) -> str:
        return self.machine.run(
            "ls /srv/deployer/dynos /srv/deployer/scratch /srv/deployer/tasks /etc/systemd/system;"
            "systemctl list-units --all --plain --no-legend 'deployer-run*' 'deployer-dyno-fs*'"
        )


def finish(exchange: Exchange, until: bytes | None = None) -> tuple[int, bytes, bytes]:
    """What comes until the end, or until `until` was printed."""
    printed = {"stdout": b"", "stderr": b""}
    while until is None or until not in printed["stdout"]:
        message, data = exchange.receive()
        if "result" in message:
            return message["result"]["status"], printed["stdout"], printed["stderr"]
        assert "error" not in message, message
        printed[message["stream"]] += data
    return -1, printed["stdout"], printed["stderr"]


@pytest.fixture(scope="module")
def desk(sandbox: Sandbox) -> Iterator[Desk]:
    machine = Machine(connect(sandbox.hosts[1], sandbox.identity))
    yield Desk(machine, machine.ship("desk", UID, {"a.txt": b"in the slug"}))
    machine.forget("desk")
    machine.session.close()


@pytest.fixture(autouse=True)
def clean(desk: Desk) -> Iterator[None]:
    """Nothing of a one-off dyno is left."""
    before = desk.traces()
    yield
    wait_for(lambda: desk.traces() == before)


def test_a_command_runs_in_the_slug_with_the_apps_environment_and_its_own_streams(desk: Desk) -> None:
    status, out, err = desk.run('cat a.txt; echo "$GREETING $DYNO"; echo oops >&2; exit 7', number=4821)
    assert (status, out, err) == (7, b"in the slugit's\nme run.4821\n", b"oops\n")


def test_input_is_passed_on_byte_for_byte_to_its_end(desk: Desk) -> None:
    data = bytes(range(256)) * 5000
    assert desk.run("cat", data) == (0, data, b"")


@pytest.mark.parametrize(
    ("command", "status"), [("true", 0), ("no-such-program", 127), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_status_is_what_a_shell_would_say(desk: Desk, command: str, status: int) -> None:
    assert desk.run(command)[0] == status


def test_a_terminal_has_the_users_size_and_type_and_its_keys_work(desk: Desk) -> None:
    shell = desk.start("bash --norc", tty=True)
    shell.send({"data": True}, b"stty size; tty; echo $TERM; sleep 100\n")
    _, out, _ = finish(shell, b"vt100")
    assert b"40 100" in out and b"/dev/pts/" in out
    shell.send({"resize": [120, 50]})
    shell.send({"data": True}, b"\x03stty size; echo $((40 + 2))end\n")
    assert b"50 120" in finish(shell, b"42end")[1]
    shell.send({"data": True}, b"exit 5\n")
    assert finish(shell)[0] == 5


def test_an_end_of_input_ends_a_shell_on_a_terminal(desk: Desk) -> None:
    shell = desk.start("bash --norc", tty=True)
    finish(shell, b"$ ")
    shell.send({"end": True})
    assert finish(shell)[0] == 0


def test_a_signal_is_heard_behind_input_that_nobody_reads(desk: Desk) -> None:
    exchange = desk.start("trap 'exit 9' INT; echo up; while :; do sleep 0.1; done")
    finish(exchange, b"up")
    for _ in range(100):
        exchange.send({"data": True}, b"x" * 65536)
    exchange.send({"signal": "INT"})
    assert finish(exchange)[0] == 9


@pytest.mark.parametrize("tty", [False, True])
def test_a_lost_connection_ends_the_dyno_even_one_that_ignores_sigterm(desk: Desk, tty: bool) -> None:
    second = desk.machine.session.second()
    request = desk.request("trap '' TERM; echo up; sleep 1000", tty=tty)
    finish(second.exchange("run", request), b"up")
    second.end_agent()
    wait_for(lambda: "deployer-run" not in desk.traces())
    lines = desk.log(f"run.{request['number']}")
    assert "heroku: Client connection closed. Sending SIGHUP to all processes" in lines


def test_a_detached_dyno_outlives_its_caller_and_prints_to_the_log(desk: Desk) -> None:
    second = desk.machine.session.second()
    request = desk.request("sleep 0.5; echo working; exit 4", detached=True)
    assert second.call("run", request) == {}
    second.end_agent()
    name = f"run.{request['number']}"
    wait_for(lambda: "heroku: State changed from up to complete" in desk.log(name))
    lines = desk.log(name)
    assert "app: working" in lines and "heroku: Process exited with status 4" in lines
    assert lines[0] == "heroku: Starting process with command `sleep 0.5; echo working; exit 4`"
    desk.run("true")  # the next one tidies up


def test_what_a_command_writes_reaches_no_other_dyno(desk: Desk) -> None:
    assert desk.run("echo dirt > a.txt; cat a.txt")[1] == b"dirt\n"
    assert desk.run("cat a.txt")[1] == b"in the slug"


def test_a_log_names_attached_commands_but_does_not_hold_their_output(desk: Desk) -> None:
    request = desk.request("echo secret")
    exchange = desk.machine.session.exchange("run", request)
    assert finish(exchange)[1] == b"secret\n"
    lines = desk.log(f"run.{request['number']}")
    assert lines[0] == "heroku: Starting process with command `echo secret`"
    assert "app: secret" not in lines
