"""Dynos on a real host: booted by its agent, under its systemd, behind its firewall."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deployer.errors.base import Failure
from deployer.errors.dynos import DynoBoundElsewhere, DynoExited, DynoNeverBound, DynoUnhealthy
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.machine import Machine

pytestmark = pytest.mark.hosts

SHOP, BLOG = 20901, 20902
SERVER = b"""
import http.server, json, os, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(int(os.environ.get("STATUS", "200"))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
address = os.environ.get("ADDRESS", "0.0.0.0"), int(os.environ.get("OTHER_PORT", os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Answer).serve_forever()
"""
PROBE = b"""
import socket, sys
for target in sys.argv[1:]:
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close()
        print(target, "open")
    except OSError as error:
        print(target, "closed")
"""
LIMITS = b"""
import ctypes, mmap, multiprocessing, multiprocessing.shared_memory, os, sqlite3, tempfile
multiprocessing.Lock()
multiprocessing.shared_memory.SharedMemory(create=True, size=1 << 20).unlink()
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
assert "MemTotal" in open("/proc/meminfo").read() and open("/proc/self/maps").read()
database = sqlite3.connect("/app/db.sqlite3"); database.execute("pragma journal_mode=wal"); database.close()
tempfile.TemporaryFile().write(b"x"); os.rename("/app/static", "/app/moved")
for path in ("/srv/deployer/dynos", "/root", "/run/haproxy", "/etc/deployer"):
    try:
        os.listdir(path)
    except OSError:
        continue
    raise SystemExit(path + " can be read")
print("fits", len(os.listdir("/srv/deployer/scratch")) if os.path.exists("/srv/deployer/scratch") else 0)
"""
METADATA = """
ip address add 169.254.169.254/32 dev lo
python3 -m http.server -b 169.254.169.254 80 > /dev/null 2>&1 &
echo $! > /run/metadata.pid; sleep 0.5
"""
FILES = {
    "server.py": SERVER,
    "probe.py": PROBE,
    "limits.py": LIMITS,
    "static/a": b"a",
    ".profile.d/a.sh": b"export P=1",
}
SERVE = "python3 server.py"


@pytest.fixture(scope="module")
def machine(sandbox: Sandbox) -> Iterator[Machine]:
    """The second host: nothing of the space itself lies there."""
    one = Machine(connect(sandbox.hosts[1], sandbox.identity))
    yield one
    one.session.close()


@pytest.fixture
def reboot(machine: Machine, sandbox: Sandbox) -> Callable[[], None]:
    """Shut the host down and boot it again."""

    def again() -> None:
        machine.session.close()
        sandbox.reboot(sandbox.record.machines[1].name)
        machine.session = connect(sandbox.hosts[1], sandbox.identity)

    return again


@pytest.fixture(scope="module")
def shop(machine: Machine) -> Iterator[list[str]]:
    """An app's layers on the host; the app is removed at the end."""
    yield machine.ship("shop", SHOP, dict(FILES))
    machine.forget("shop")


@pytest.fixture
def clean(machine: Machine, shop: list[str]) -> Iterator[str]:
    """What the host has of dynos is after a test what it was before."""
    before = traces(machine)
    yield before
    for app in ("shop", "blog"):
        machine.call("retire", app, instances=list(machine.dynos(app)), drain=0)
    assert traces(machine) == before


def traces(machine: Machine) -> str:
    """Everything that a dyno can leave behind."""
    return machine.run(
        """
        ls /srv/deployer/dynos /srv/deployer/scratch /etc/systemd/system
        grep -c 'deployer-dyno\\|deployer-task' /proc/mounts
        nft list set inet deployer own
        systemctl list-units --plain --no-legend 'deployer-dyno*' 'deployer-task*'
        """
    )


def web(command: str = SERVE, number: int = 1, process_type: str = "web") -> dict[str, Any]:
    port = process_type == "web"
    return {"type": process_type, "number": number, "size": "Basic", "command": command, "port": port}


def order(layers: list[str], release: int, *dynos: dict[str, Any], uid: int = SHOP, **changes: Any) -> dict[str, Any]:
    health = {"path": "/", "timeout": changes.pop("timeout", 20), "host": "shop.localhost"}
    env = changes.pop("env", {})
    return {
        "uid": uid,
        "release": release,
        "layers": layers,
        "dynos": list(dynos),
        "env": env,
        "health": health,
        **changes,
    }


def test_a_dyno_serves_with_its_config_vars_byte_for_byte(machine, shop, clean):
    values = {
        "LINES": "a\nb\r\n\n",
        "QUOTES": "'\"`$(id)\\",
        "ODD": b"\xff\x00"[:1].decode(errors="surrogateescape"),
        "BIG": "x" * 100_000,
    }
    booted = machine.call("boot", "shop", **order(shop, 1, web(), env={**values, "EMPTY": ""}))
    row = machine.dynos("shop")["shop.web.1.v1"]
    assert (row["state"], row["port"]) == ("up", booted["dynos"]["web.1"]["port"])
    seen = machine.fetch(row["port"])
    assert {name: seen[name] for name in values} == values
    assert (seen["PORT"], seen["DYNO"], seen["HOME"], seen["P"], seen["EMPTY"]) == (
        str(row["port"]),
        "web.1",
        "/app",
        "1",
        "",
    )


def test_what_a_dyno_writes_is_gone_after_a_restart_and_never_in_the_slug(machine, shop, clean):
    machine.call("boot", "shop", **order(shop, 1, web("echo dirt > dirt; echo x > static/a; touch /tmp/t; " + SERVE)))
    root = "/srv/deployer/scratch/shop.web.1.v1/root/app"
    assert "dirt" in machine.run(f"ls {root}; rm {root}/dirt; touch {root}/before")
    machine.call("restart", "shop", instances=["shop.web.1.v1"])
    assert "before" not in machine.run(f"ls {root}")
    assert machine.run(f"cat /srv/deployer/apps/shop/layers/{shop[0]}/app/static/a") == "a"


@pytest.mark.parametrize(
    ("command", "failure", "told"),
    [
        ("echo dying; exit 3", DynoExited, {"status": 3, "lines": ["dying"]}),
        ("true", DynoExited, {"status": 0}),
        ("no-such-program", DynoExited, {"status": 127}),
        ("kill -SEGV $$", DynoExited, {"status": 139}),
        ("sleep 60", DynoNeverBound, {"seconds": 2}),
        (f"OTHER_PORT=18000 {SERVE}", DynoBoundElsewhere, {"found": ["0.0.0.0:18000"]}),
        (f"ADDRESS=127.0.0.1 {SERVE}", DynoBoundElsewhere, {}),
        (f"STATUS=500 {SERVE}", DynoUnhealthy, {"answer": "500"}),
    ],
)
def test_a_dyno_that_does_not_come_up_says_why_and_leaves_nothing(machine, shop, clean, command, failure, told):
    began = time.monotonic()
    with pytest.raises(failure) as caught:
        machine.call("boot", "shop", **order(shop, 2, web(command), timeout=2))
    facts = caught.value.facts()
    assert {name: facts[name] for name in told} == told
    assert time.monotonic() - began < (2 if failure is DynoExited else 8)
    assert traces(machine) == clean


def test_a_dyno_that_takes_more_memory_than_its_size_is_killed_and_says_so(machine, shop, clean):
    machine.call("boot", "shop", **order(shop, 1, web()))
    if machine.dynos("shop")["shop.web.1.v1"]["memory"] is None:
        pytest.skip("this host counts no memory: it has no memory controller")
    with pytest.raises(DynoExited) as caught:
        machine.call("boot", "shop", **order(shop, 2, web("python3 -c 'bytearray(700 << 20)'")))
    assert caught.value.status == 137
    assert "more memory" in str(caught.value)


def test_what_a_killed_agent_left_is_cleared_away_by_the_next_boot(machine, shop, clean):
    second = machine.session.second()
    exchange = second.exchange("boot", {**machine.fence("shop"), **order(shop, 3, web("sleep 60"), timeout=60)})
    wait_for(lambda: machine.dynos("shop").get("shop.web.1.v3", {}).get("state") == "starting")
    machine.run("pkill -KILL -n -f 'agent/[0-9a-f]* .*serve'")
    with pytest.raises(Failure):
        exchange.result()
    assert machine.dynos("shop")["shop.web.1.v3"]["state"] == "starting"
    booted = machine.call("boot", "shop", **order(shop, 3, web()))
    assert machine.fetch(booted["dynos"]["web.1"]["port"])["DYNO"] == "web.1"


def test_one_dyno_that_fails_takes_its_new_neighbours_with_it_but_no_old_ones(machine, shop, clean):
    machine.call("boot", "shop", **order(shop, 1, web()))
    with pytest.raises(DynoExited):
        machine.call("boot", "shop", **order(shop, 2, web(), web("sleep 0.5; exit 1", number=2)))
    assert {name: row["state"] for name, row in machine.dynos("shop").items()} == {"shop.web.1.v1": "up"}


def test_a_caller_that_is_gone_leaves_nothing_of_its_boot(machine, shop, clean):
    second = machine.session.second()
    exchange = second.exchange("boot", {**machine.fence("shop"), **order(shop, 3, web("sleep 60"), timeout=60)})
    wait_for(lambda: "shop.web.1.v3" in machine.run("systemctl list-units --plain --no-legend 'deployer-dyno*'"))
    second.end_agent()
    del exchange
    wait_for(lambda: traces(machine) == clean)


def test_programs_of_all_kinds_run_inside_and_see_nothing_of_the_host(machine, shop, clean):
    task = {"uid": SHOP, "release": 50, "type": "release", "number": 1, "layers": shop, "env": {}, "size": "Basic"}
    assert machine.call("task", "shop", command="python3 limits.py", **task) == {"status": 0}, machine.events


def test_a_release_dyno_runs_once_and_outlives_its_caller(machine, shop, clean):
    command = "echo one; echo $$ >> /dev/null; sleep 1; echo two; exit 7"
    task = {"uid": SHOP, "release": 51, "type": "release", "number": 2, "layers": shop, "env": {}, "size": "Basic"}
    request = {**task, "command": command}
    second = machine.session.second()
    second.exchange("task", {**machine.fence("shop"), **request})
    wait_for(lambda: "one" in machine.run("cat /srv/deployer/tasks/shop.release.2.v51/output 2>/dev/null || true"))
    second.end_agent()
    for _ in range(2):
        assert machine.call("task", "shop", **request) == {"status": 7}
        assert [event["line"] for event in machine.events] == ["one", "two"]


def test_a_crashed_dyno_is_started_again_after_growing_pauses_and_at_once_when_asked(machine, shop, clean):
    machine.call("boot", "shop", **order(shop, 1, web()))
    unit = "deployer-dyno-v1@shop.web.1.v1"
    for _ in range(4):
        machine.run(f"systemctl kill -s KILL {unit}")
        wait_for(lambda: machine.run(f"systemctl show -p SubState --value {unit}").strip() == "running")
    assert machine.dynos("shop")["shop.web.1.v1"]["state"] == "crashed"
    began = time.monotonic()
    machine.call("restart", "shop", instances=["shop.web.1.v1"])
    assert time.monotonic() - began < 3
    wait_for(lambda: machine.dynos("shop")["shop.web.1.v1"]["state"] == "up")
    assert machine.run("grep -c '^deployer-dyno ' /proc/mounts").strip() == "1"


def test_processes_without_a_port_are_replaced_one_after_the_other(machine, shop, clean):
    worker = web("sleep 600", process_type="worker")
    machine.call("replace", "shop", **order(shop, 1, worker))
    machine.call("replace", "shop", **order(shop, 2, worker), old=["shop.worker.1.v1"])
    states = {name: row["state"] for name, row in machine.dynos("shop").items()}
    assert states == {"shop.worker.1.v1": "down", "shop.worker.1.v2": "up"}
    with pytest.raises(DynoExited):
        failing = web("sleep 1; exit 1", process_type="worker")
        machine.call("replace", "shop", **order(shop, 3, failing), old=["shop.worker.1.v2"])
    assert machine.dynos("shop")["shop.worker.1.v2"]["state"] == "up"


@pytest.fixture
def blog(machine: Machine) -> Iterator[list[str]]:
    yield machine.ship("blog", BLOG, dict(FILES))
    machine.forget("blog")


def probe(machine: Machine, app: str, uid: int, layers: list[str], release: int, *targets: str) -> dict[str, str]:
    """Which targets are open to a process of an app."""
    task = {
        "uid": uid,
        "release": release,
        "type": "release",
        "number": 3,
        "layers": layers,
        "env": {},
        "size": "Basic",
    }
    machine.call("task", app, command=f"python3 probe.py {' '.join(targets)}", **task)
    return dict(event["line"].split() for event in machine.events)


def test_only_hosts_of_the_space_reach_a_dyno_and_dynos_reach_no_other_host(machine, sandbox, shop, clean):
    port = machine.call("boot", "shop", **order(shop, 1, web()))["dynos"]["web.1"]["port"]
    own, other = machine.session.host.private_address, sandbox.hosts[0].private_address
    with pytest.raises(TimeoutError):
        socket.create_connection((own, port), 1)
    first = Machine(connect(sandbox.hosts[0], sandbox.identity))
    try:
        assert "PORT" in first.fetch(port, own)
    finally:
        first.session.close()
    assert probe(machine, "shop", SHOP, shop, 63, f"{other}:22") == {f"{other}:22": "closed"}


def test_an_app_reaches_neither_metadata_nor_sshd_nor_another_apps_dynos(machine, shop, clean, blog):
    port = machine.call("boot", "shop", **order(shop, 1, web()))["dynos"]["web.1"]["port"]
    own = machine.session.host.private_address
    machine.run(METADATA)
    try:
        targets = ["169.254.169.254:80", "127.0.0.1:22", f"{own}:22", "::1:22", f"127.0.0.1:{port}", f"{own}:{port}"]
        assert set(probe(machine, "blog", BLOG, blog, 60, *targets).values()) == {"closed"}
        opened = probe(machine, "shop", SHOP, shop, 61, f"127.0.0.1:{port}", f"{own}:{port}", f"{own}:80")
        assert set(opened.values()) == {"open"}
        machine.run("curl -sS --max-time 3 -o /dev/null http://169.254.169.254/")
    finally:
        machine.run("kill $(cat /run/metadata.pid); ip address del 169.254.169.254/32 dev lo")


def test_a_port_of_another_app_can_be_bound_but_not_served(machine, shop, clean, blog):
    port = machine.call("boot", "shop", **order(shop, 1, web()))["dynos"]["web.1"]["port"]
    machine.run("systemctl stop deployer-dyno-v1@shop.web.1.v1")
    task = {"uid": BLOG, "release": 62, "type": "release", "number": 4, "layers": blog, "env": {}, "size": "Basic"}
    second = Machine(machine.session.second())
    squatter = threading.Thread(
        target=second.call, args=["task", "blog"], kwargs={**task, "command": f"PORT={port} timeout 4 {SERVE}"}
    )
    squatter.start()
    wait_for(lambda: f":{port} " in machine.run("ss -ltn"))
    with pytest.raises(AssertionError, match="timed out"):
        machine.run(f"curl -sS --max-time 1 http://127.0.0.1:{port}/")
    assert machine.dynos("shop")["shop.web.1.v1"]["state"] == "down"
    squatter.join()


def test_the_firewall_comes_back_with_its_ports_after_a_flush(machine, shop, clean):
    port = machine.call("boot", "shop", **order(shop, 1, web()))["dynos"]["web.1"]["port"]
    machine.run("systemctl start nftables; systemctl reload nftables")
    assert f". {port}" in machine.run("nft list set inet deployer own")
    machine.run("systemctl stop nftables")
    assert f". {port}" in machine.run("nft list set inet deployer own")
    machine.run("nft flush ruleset; systemctl restart deployer-dyno-v1@shop.web.1.v1")
    assert f". {port}" in machine.run("nft list set inet deployer own")


def test_a_second_preparation_changes_nothing(machine):
    hosts = machine.run("cat /srv/deployer/hosts").strip()[1:-1].replace('"', "").split(", ")
    assert machine.call("prepare", hosts=hosts, epoch=1) == {"changed": 0}, machine.events


def test_only_the_dynos_of_the_committed_release_start_with_the_host(machine, shop, clean, reboot):
    machine.call("boot", "shop", **order(shop, 1, web()))
    machine.call("boot", "shop", **order(shop, 2, web()))
    wants = "/etc/systemd/system/multi-user.target.wants"
    machine.run(f"ln -s ../deployer-dyno-v1@.service {wants}/deployer-dyno-v1@shop.web.1.v1.service")
    machine.run("mkdir -p /srv/deployer/scratch/orphan")
    reboot()
    wait_for(lambda: machine.dynos("shop")["shop.web.1.v1"]["state"] == "up")
    assert machine.dynos("shop")["shop.web.1.v2"]["state"] == "down"
    assert machine.run("ls /srv/deployer/scratch").split() == ["shop.web.1.v1"]


def test_a_dyno_that_comes_back_under_its_old_name_has_its_new_size(machine, shop, clean):
    machine.call("boot", "shop", **order(shop, 1, web()))
    unit = "deployer-dyno-v1@shop.web.1.v1"
    # What a target wants stays in systemd's memory with its settings, also when it has long ended.
    machine.run(f"systemctl add-wants multi-user.target {unit}; rm /etc/systemd/system/multi-user.target.wants/{unit}*")
    machine.call("boot", "shop", **order(shop, 1, {**web(), "size": "Standard-2X"}))
    assert machine.run(f"systemctl show -p TasksMax --value {unit}").strip() == "512"


def test_nothing_is_left_of_a_removed_app(machine, blog):
    before = traces(machine)
    machine.call("boot", "blog", **order(blog, 1, web(), uid=BLOG))
    machine.forget("blog")
    assert traces(machine) == before
    assert "blog" not in machine.run("ls /srv/deployer/tasks; ls /srv/deployer/apps/blog; ls /home")


def wait_for(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def test_failures_have_words(machine, shop):
    with pytest.raises(Failure, match="does not have all files"):
        machine.call("boot", "shop", **order(["0" * 64], 1, web()))
