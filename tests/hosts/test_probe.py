"""An app that tries everything against its host, deployed as any other: docs/security.md is made from this."""

from __future__ import annotations

import hashlib
import json
import re
import selectors
import socket
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deployer.host.hold_lua import HELD_AT_MOST
from deployer.host.router_settings import MOST_CONNECTIONS
from deployer.model.space import Host, Pointer
from deployer.operations import phases, spaces
from deployer.operations.session import open_space
from deployer.operations.spaces import Wanted
from deployer.remote.agent import connect
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.attempts import ATTEMPTS, EXPOSURE, METADATA, METADATA_6, Attempt
from tests.hosts.conftest import ignore
from tests.hosts.machine import Machine
from tests.hosts.mishaps import Owner, owner
from tests.hosts.outside import Habit, Outside
from tests.hosts.person import APPS, Person, with_app

pytestmark = pytest.mark.hosts
FOLDER, PROBE, VICTIM = "probe_that_tries_everything", "probe", "probe-victim"
LISTENER = f"""
ip address add {METADATA}/32 dev lo; ip address add {METADATA_6}/128 dev lo
for address in {METADATA} {METADATA_6}; do
    python3 -m http.server -b $address 80 > /dev/null 2>&1 &
    echo $! >> /run/metadata.pid
done
"""
LOCKS = r"find /srv/deployer -xdev -name '*lock' -o -name token -o -path '*/agent' -o -path '*/agent/*' -prune"
GONE = f"""
kill $(cat /run/metadata.pid); rm /run/metadata.pid
ip address del {METADATA}/32 dev lo; ip address del {METADATA_6}/128 dev lo
"""


@dataclass
class Scene:
    """The probe and its victim, an app with a dyno on each host; what the probe may know of them, and its host."""

    probe: Person
    victim: Owner
    here: Machine
    elsewhere: Host
    facts: dict[str, str]

    def tries(self, function: str, **facts: str) -> str:
        """Have the probe's web dyno make an attempt; what it saw."""
        return self._asks(function, self._known(facts))

    def tries_every(self, attempts: Sequence[Attempt]) -> dict[str, str]:
        """What each saw, by id."""
        orders = [(attempt.function, self._known(attempt.facts)) for attempt in attempts]
        seen = self._asks("every", {"attempts": orders}).splitlines()
        return dict(zip([attempt.id for attempt in attempts], seen, strict=True))

    def _known(self, facts: Mapping[str, str]) -> dict[str, str]:
        return {name: self.facts.get(value, value) for name, value in facts.items()}

    def _asks(self, function: str, facts: Mapping[str, Any]) -> str:
        status, body = self.probe.asks(f"/try/{function}?{urllib.parse.quote(json.dumps(facts))}")
        assert status == 200, body
        return body


@pytest.fixture(scope="module")
def scene(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Both deployed; nothing of them is left at the end."""
    folder = tmp_path_factory.mktemp("probe")
    victim = owner(folder / VICTIM, VICTIM, sandbox)
    victim.types("deployer", "ps:scale", "web=2", "-a", f"{space.name}/{VICTIM}")
    probe = with_app(folder, FOLDER, PROBE, sandbox.record.port)
    probe.types("deployer", "create", PROBE, "--space", space.name, "--no-remote")
    probe.types("deployer", "deploy", "-a", f"{space.name}/{PROBE}")
    probe.sees("ok")
    index, facts = whereabouts(space)
    with connect(sandbox.hosts[index], sandbox.identity) as session:
        here = Machine(session)
        unit = f"deployer-dyno-v1@{facts['INSTANCE']}.service"
        facts["PID"] = here.run(f"systemctl show -p MainPID --value {unit}").strip()
        yield Scene(probe, victim, here, sandbox.hosts[1 - index], facts)
    for app in (PROBE, VICTIM):
        victim.types("deployer", "apps:destroy", "-a", f"{space.name}/{app}", "--confirm", app)


def whereabouts(space: Pointer) -> tuple[int, dict[str, str]]:
    """Which host the probe is on; that host's and the other's address, and the ports of the victim's dynos there."""
    with open_space(pointers.load(space.name)) as opened:
        (probe,) = phases.survey(opened, PROBE).present
        victims = {found.session.host.id: found for found in phases.survey(opened, VICTIM).present}
        mine = victims.pop(probe.session.host.id)
        (others,) = victims.values()
        facts = {
            "OWN": probe.session.host.private_address,
            "OTHER": others.session.host.private_address,
            "PORT_HERE": str(mine.port),
            "PORT_THERE": str(others.port),
            "INSTANCE": mine.dyno.instance,
            "PROBE": probe.dyno.instance,
        }
        return [one.host.id for one in opened.sessions].index(probe.session.host.id), facts


@pytest.fixture(scope="module")
def metadata(scene: Scene) -> Iterator[None]:
    """A cloud's metadata service, in the host's own namespace: root gets an answer."""
    scene.here.run(LISTENER)
    try:
        for address in (METADATA, f"[{METADATA_6}]"):
            scene.here.run(f"curl -sSg --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://{address}/")
        yield
    finally:
        scene.here.run(GONE)


EVERY = [attempt for group in ATTEMPTS.values() for attempt in group]


@pytest.fixture(scope="module")
def seen(scene: Scene, metadata: None) -> dict[str, str]:
    """What every attempt saw, by id: asked for at once, for a request line takes only so many."""
    return {
        name: saw for at in range(0, len(EVERY), 20) for name, saw in scene.tries_every(EVERY[at : at + 20]).items()
    }


@pytest.mark.parametrize("attempt", EVERY, ids=lambda attempt: attempt.id)
def test_a_dyno_sees_of_its_host_what_it_should(seen: dict[str, str], attempt: Attempt) -> None:
    assert seen[attempt.id] == attempt.seen, attempt.tries


@pytest.fixture
def meanwhile(scene: Scene) -> Iterator[None]:
    """Users ask the victim all the time, and lose nothing."""
    outside = Outside(scene.victim.port, VICTIM, (Habit("GET", 5), Habit("fresh GET", 5, fresh=True)))
    with outside.asking():
        yield
    outside.lost_nothing()


def test_the_slug_is_as_it_was_whatever_a_dyno_writes_into_it(scene: Scene) -> None:
    scene.tries("slug")
    sums = scene.here.run(f"find /srv/deployer/apps/{PROBE}/layers/*/app -name probe.py -exec sha256sum {{}} +").split()
    assert sums[0] == hashlib.sha256((scene.probe.folder / "probe.py").read_bytes()).hexdigest()


def test_no_user_of_the_host_holds_a_lock_that_commands_wait_for(scene: Scene) -> None:
    """Not even outside of a dyno: a host may have other users than ours. Older agents left some locks to everybody."""
    scene.here.run("chmod 644 /srv/deployer/lock /srv/deployer/prepare.lock && chmod 755 /srv/deployer/agent")
    scene.here.call("prepare", hosts=[scene.here.session.host.private_address, scene.elsewhere.private_address])
    locks = scene.here.run(LOCKS).split()
    assert {"/srv/deployer/lock", "/srv/deployer/prepare.lock", "/srv/deployer/agent"} < set(locks)
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups flock --nonblock --shared"
    held = scene.here.run(f"for one in {' '.join(locks)}; do {nobody} $one echo $one 2>&1 || true; done")
    assert held.count("Permission denied") == len(locks), held


def test_systemd_finds_the_unit_hardly_exposed(scene: Scene) -> None:
    unit = f"deployer-dyno-v1@{scene.facts['PROBE']}.service"
    *_, last = scene.here.run(f"systemd-analyze security --no-pager {unit}").strip().splitlines()
    assert float(last.split(": ")[1].split()[0]) <= EXPOSURE, last


def test_no_dyno_is_heard_on_a_port_that_is_not_its_own(scene: Scene, sandbox: Sandbox) -> None:
    own = scene.facts["OWN"]
    with connect(scene.elsewhere, sandbox.identity) as session, ThreadPoolExecutor() as threads:
        for port, asking in (("9990", scene.here), ("9991", Machine(session)), ("18000", Machine(session))):
            listening = threads.submit(scene.tries, "listen", port=port, seconds="4")
            scene.here.run(f"until ss -ltn | grep -q :{port}; do sleep 0.05; done")
            asking.run(f"! curl -s --max-time 2 -o /dev/null http://{own}:{port}/")
            assert listening.result() == "nobody came"


def test_a_dyno_fills_neither_the_disk_of_its_host_nor_keeps_others_from_starting(
    scene: Scene, meanwhile: None
) -> None:
    if "scratch" not in scene.here.run("findmnt --noheadings --output TARGET /srv/deployer/scratch || true"):
        pytest.skip("this machine has no loop devices: a sandbox's dynos write to its disk")
    for folder in ("/tmp", "/app"):
        assert re.fullmatch(r"ENOSPC after 1\d{3}", scene.tries("fill", folder=folder, mebibytes="4000"))
        try:
            scene.here.run("echo x > /srv/deployer/room && rm /srv/deployer/room")
            scene.victim.types("deployer", "ps:restart", "-a", f"hosts/{VICTIM}")
        finally:
            scene.tries("unfill", folder=folder)


def test_a_flood_of_lines_is_cut_and_leaves_other_logs_as_they_are(scene: Scene, meanwhile: None) -> None:
    words = ("deployer", "logs", "-a", f"hosts/{VICTIM}", "-n", "2000", "--source", "heroku")
    before = scene.victim.types(*words).stdout.splitlines()[:10]
    scene.tries("flood", lines="100000", length="200")
    assert set(before) <= set(scene.victim.types(*words).stdout.splitlines())
    counted = f"journalctl --sync; journalctl --quiet -o cat DEPLOYER_APP={PROBE} -g '^flood' | wc -l"
    assert 5_000 < int(scene.here.run(counted)) < 60_000


def test_requests_that_an_app_does_not_answer_leave_the_router_to_others(scene: Scene, meanwhile: None) -> None:
    refused = crowd(scene.facts["OWN"], "/sleep/8", MOST_CONNECTIONS // 2 + 100)
    assert 50 <= refused <= 200


def test_requests_that_wait_for_a_dyno_leave_the_router_to_others(scene: Scene, meanwhile: None) -> None:
    unit = f"deployer-dyno-v1@{scene.facts['PROBE']}.service"
    scene.here.run(f"systemctl stop {unit}")
    try:
        refused = crowd(scene.facts["OWN"], "/", HELD_AT_MOST + 50)
    finally:
        scene.here.run(f"systemctl start {unit}")
    assert 40 <= refused <= 60
    scene.probe.sees("ok")


def crowd(address: str, path: str, count: int) -> int:
    """Make so many requests at the same time to a router, and wait three seconds; how many were refused with H11."""
    asked = f"GET {path} HTTP/1.1\r\nHost: {PROBE}.localhost\r\n\r\n".encode()
    refused = 0
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(count):
            one = stack.enter_context(socket.create_connection((address, 80), 20))
            one.sendall(asked)
            selector.register(one, selectors.EVENT_READ)
        deadline = time.monotonic() + 3
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                selector.unregister(key.fileobj)
                refused += b" 503 " in key.fileobj.recv(100)  # type: ignore[union-attr]
    return refused


@pytest.fixture(scope="module")
def bounded(home: Path) -> Iterator[Machine]:
    """A host that counts memory and tasks on machines of both kinds; two apps on it, the probe and its victim."""
    spaces.create(Wanted("bounded", "debian-12"), ignore)
    sandbox = spaces.sandbox_of("bounded")
    try:
        with connect(sandbox.hosts[0], sandbox.identity) as session:
            yield Machine(session)
    finally:
        sandbox.destroy()


def booted(machine: Machine, app: str, uid: int) -> int:
    """The port of a web dyno of an app that is made of the probe's program."""
    layers = machine.ship(app, uid, {"probe.py": (APPS / FOLDER / "probe.py").read_bytes()})
    web = {"type": "web", "number": 1, "size": "Basic", "command": "python3 probe.py", "port": True}
    health = {"path": "/", "timeout": 20, "host": "localhost"}
    order = {"uid": uid, "release": 1, "layers": layers, "dynos": [web], "env": {}, "health": health}
    port: int = machine.call("boot", app, **order)["dynos"]["web.1"]["port"]
    return port


def test_a_fork_bomb_and_a_glutton_end_at_their_dynos_size(bounded: Machine) -> None:
    port, victim = booted(bounded, PROBE, 20951), booted(bounded, VICTIM, 20952)
    asked = "curl -sS --max-time 60 http://127.0.0.1:{}{}"
    if bounded.dynos(PROBE)[f"{PROBE}.web.1.v1"]["memory"] is None:
        pytest.skip("this machine counts neither memory nor tasks")
    with ThreadPoolExecutor() as threads:
        for attempt, seen in (("fork_bomb", r"EAGAIN after 2\d\d"), ("memory?%7B%22mebibytes%22:700%7D", "SIGKILL|")):
            trying = threads.submit(bounded.run, f"{asked.format(port, f'/try/{attempt}')} || true")
            while not trying.done():
                assert bounded.run(asked.format(victim, "/")) == "ok"
            assert re.fullmatch(seen, trying.result())
    assert bounded.run(f"until {asked.format(port, '/')}; do sleep 0.5; done") == "ok"
