"""The router of real hosts: deploys, restarts, crashes and reboots under requests; and the log that tells of them."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deployer.errors.base import Failure
from deployer.model.codec import encode
from deployer.model.routes import Routes, Server
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.host.router_bench import Load, wait_for
from tests.hosts.machine import Machine

pytestmark = pytest.mark.hosts

UID = 20911
PROGRAM = Path(__file__).parent.parent / "host" / "router_app.py"
DOMAIN = "till.localhost"


class Till:
    """An app, `till`, on one host, with as many releases as a test asks for."""

    def __init__(self, machine: Machine, layers: list[str]) -> None:
        self.machine = machine
        self.layers = layers
        self.release = 0
        self.generation = 0
        self.dynos: list[str] = []

    @property
    def address(self) -> str:
        return self.machine.session.host.private_address

    def boot(self, command: str = "python3 app.py $PORT v{release} 0", count: int = 1) -> dict[str, dict[str, Any]]:
        self.release += 1
        dynos = [
            {"type": "web", "number": n, "size": "Basic", "command": command.format(release=self.release), "port": True}
            for n in range(1, count + 1)
        ]
        order = {"uid": UID, "release": self.release, "layers": self.layers, "dynos": dynos, "env": {}}
        health = {"path": "/", "timeout": 20, "host": DOMAIN}
        booted: dict[str, dict[str, Any]] = self.machine.call("boot", "till", **order, health=health)["dynos"]
        return booted

    def routes(self, booted: dict[str, dict[str, Any]]) -> Routes:
        servers = tuple(Server(name, self.address, one["port"], one["instance"]) for name, one in booted.items())
        return Routes("till", self.generation, (DOMAIN,), "running" if servers else "none", servers)

    def switch(self, booted: dict[str, dict[str, Any]], *others: Machine) -> None:
        self.generation += 1
        routes, self.dynos = encode(self.routes(booted)), [one["instance"] for one in booted.values()]
        for machine in (self.machine, *others):
            machine.call("stage", "till", routes=routes)
            links = self.dynos if machine is self.machine else []
            machine.call("switch", "till", routes=routes, links=links)

    def deploy(self, command: str = "python3 app.py $PORT v{release} 0") -> None:
        """Boot, switch, retire: what a deploy does."""
        old = self.dynos
        self.switch(self.boot(command))
        self.machine.call("retire", "till", instances=old, drain=20)

    def get(self, path: str = "/", address: str | None = None, port: int = 80) -> tuple[int, str]:
        connection = http.client.HTTPConnection(address or self.address, port, timeout=60)
        connection.request("GET", path, headers={"Host": DOMAIN})
        response = connection.getresponse()
        status, text = response.status, response.read().decode()
        connection.close()
        return status, text

    def load(self) -> Load:
        return Load(80, 3, address=self.address, host=DOMAIN)

    def log(self, **request: Any) -> list[str]:
        lines: list[str] = []
        order = {"app": "till", "lines": 50, "follow": False, **request}

        def hear(one: dict[str, Any], data: bytes) -> None:
            lines.append(f"{one['source']}[{one['dyno']}]: {one['text']}")

        self.machine.session.call("logs", order, hear)
        return lines


@pytest.fixture(scope="module")
def machine(sandbox: Sandbox) -> Iterator[Machine]:
    one = Machine(connect(sandbox.hosts[1], sandbox.identity))
    yield one
    one.session.close()


@pytest.fixture(scope="module")
def till(machine: Machine) -> Iterator[Till]:
    yield Till(machine, machine.ship("till", UID, {"app.py": PROGRAM.read_bytes()}))
    machine.forget("till")


@pytest.fixture
def other(sandbox: Sandbox) -> Iterator[Machine]:
    """The first host, which runs no dyno of the app and routes to it."""
    one = Machine(connect(sandbox.hosts[0], sandbox.identity))
    yield one
    one.forget("till")
    one.session.close()


@pytest.fixture
def serving(till: Till) -> Till:
    till.deploy()
    return till


def test_no_request_fails_over_deploys_under_load(serving: Till) -> None:
    with serving.load() as load:
        for _ in range(5):
            serving.deploy()
        wait_for(lambda: f"v{serving.release}" in load.answers)
    assert load.failures == []
    assert len(set(load.answers)) == 6


def test_no_request_fails_on_any_router_while_the_only_dyno_restarts(serving: Till, other: Machine) -> None:
    serving.switch(serving.boot(), other)
    near, far = serving.load(), Load(80, 3, address=other.session.host.private_address, host=DOMAIN)
    with near, far:
        for _ in range(3):
            serving.machine.call("restart", "till", instances=serving.dynos)
            before = len(near.answers), len(far.answers)
            wait_for(lambda: len(near.answers) > before[0] + 20 and len(far.answers) > before[1] + 20)  # noqa: B023
    assert near.failures == far.failures == []


def test_the_routers_of_all_hosts_lead_to_a_dyno_and_the_front_to_them(
    serving: Till, other: Machine, sandbox: Sandbox
) -> None:
    serving.switch(serving.boot(), other)
    word = f"v{serving.release}"
    assert serving.get(address=sandbox.hosts[0].private_address) == (200, f"{word} /\n")
    wait_for(lambda: serving.get(address="127.0.0.1", port=sandbox.record.port)[0] == 200)
    status, headers = serving.get("/headers", address="127.0.0.1", port=sandbox.record.port)
    assert status == 200 and '["x-forwarded-for", "127.0.0.1"]' in headers.lower()
    other.forget("till")
    assert serving.get(address=sandbox.hosts[0].private_address)[0] == 404


def test_a_crash_is_told_by_the_log_and_its_requests_wait(serving: Till) -> None:
    unit = f"deployer-dyno-v1@{serving.dynos[0]}"
    serving.machine.run(f"systemctl kill -s KILL {unit}; sleep 0.2")
    assert serving.get()[0] == 200
    lines = serving.log()
    assert "heroku[web.1]: Process exited with status 137" in lines
    assert any(line.startswith("heroku[web.1]: State changed from ") and line.endswith(" to crashed") for line in lines)
    assert "heroku[web.1]: State changed from crashed to starting" in lines
    assert lines[-1].startswith("heroku[router]: at=info method=GET ")


def test_the_log_is_filtered_before_it_is_counted(serving: Till) -> None:
    for _ in range(30):
        serving.get()
    assert len(serving.log(lines=5)) == 5
    web = serving.log(lines=3, dyno="web.1")
    assert len(web) == 3 and all(line.startswith("heroku[web.1]: ") for line in web)
    assert serving.log(lines=3, source="app") == []
    assert serving.log(lines=3, type="router")[0].startswith("heroku[router]: ")


def test_the_log_goes_on_as_things_happen(serving: Till) -> None:
    second = Machine(serving.machine.session.second())
    heard: list[str] = []
    request = {"app": "till", "lines": 1, "follow": True}
    following = second.session.exchange("logs", request)
    threading.Thread(target=lambda: _listen(following, heard), daemon=True).start()
    time.sleep(0.5)
    serving.get("/seen")
    wait_for(lambda: any('path="/seen"' in line for line in heard), 5)
    second.session.end_agent()
    wait_for(lambda: "journalctl" not in serving.machine.run("ps -e -o comm"))


def _listen(following: Any, heard: list[str]) -> None:
    with suppress(Failure, OSError):
        while True:
            heard.append(following.receive()[0].get("text", ""))


def test_a_router_that_is_killed_comes_back_with_its_routes(serving: Till) -> None:
    serving.machine.run("systemctl kill -s KILL haproxy")
    wait_for(lambda: _answers(serving))
    assert serving.get() == (200, f"v{serving.release} /\n")


def test_a_router_that_was_stopped_is_started_by_the_next_switch(serving: Till) -> None:
    serving.machine.run("systemctl stop haproxy")
    serving.deploy()
    assert serving.get() == (200, f"v{serving.release} /\n")


def _answers(till: Till) -> bool:
    try:
        return till.get()[0] == 200
    except OSError:
        return False


@pytest.fixture
def reboot(machine: Machine, sandbox: Sandbox) -> Callable[[], None]:
    def again() -> None:
        machine.session.close()
        sandbox.reboot(sandbox.record.machines[1].name)
        machine.session = connect(sandbox.hosts[1], sandbox.identity)

    return again


def test_after_a_reboot_requests_wait_for_the_dyno_with_nobody_present(
    serving: Till, reboot: Callable[[], None]
) -> None:
    serving.deploy("sleep 2; python3 app.py $PORT slow 0")
    reboot()
    wait_for(lambda: _answers(serving))
    assert serving.get() == (200, "slow /\n")
    assert [line for line in serving.log(type="router") if "at=error" in line and "H2" in line] == []
