"""Spaces of rented machines, as their user types it: bare systemd hosts reached over SSH, given back at the end."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployer.remote.known_hosts import fingerprint
from deployer.spaces.sandbox.sandbox import Sandbox
from deployer.store.base import List
from deployer.store.s3 import S3Store
from tests.hosts.afflicted import PROGRAM
from tests.hosts.outside import Outside
from tests.hosts.person import Person, with_app
from tests.hosts.processes import unreachable
from tests.hosts.rented import USER, Laptop, on, rent
from tests.store.s3_here import BUCKET, Door, s3

pytestmark = pytest.mark.hosts
# A sandbox's machine comes with a bounded file system where dynos will write.
OURS = "find /srv -mindepth 1 -not -path /srv/deployer -not -path /srv/deployer/scratch"


@pytest.fixture(scope="module")
def machines(home: Path) -> Iterator[Sandbox]:
    """Two machines on one network."""
    sandbox = rent("rented", 2)
    yield sandbox
    sandbox.destroy()


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """An S3 that outlives what its tests leave."""
    with s3() as door:
        yield door


@pytest.fixture
def laptop(machines: Sandbox, tmp_path: Path) -> Iterator[Laptop]:
    """A laptop that has never seen the machines. Whatever its test leaves on them goes."""
    laptop = Laptop(tmp_path / "laptop", machines)
    yield laptop
    for space in json.loads(laptop.person().types("deployer", "spaces", "--json").stdout):
        laptop.person().types("deployer", "spaces:destroy", space["name"], "--confirm", space["name"])


def test_a_day_on_one_rented_machine(laptop: Laptop, machines: Sandbox, tmp_path: Path) -> None:
    ada = laptop.person()
    unknown = ada.types("deployer", "spaces:create", "prod", "--host", "one", status=1)
    print_ = fingerprint(machines.hosts[0].host_key)
    assert f"--host-key {print_}" in unknown.stderr
    wrong = ada.types("deployer", "spaces:create", "prod", "--host", "one", "--host-key", "SHA256:no", status=1)
    assert "not the one that you trust" in wrong.stderr

    asked = ada.types("deployer", "spaces:create", "prod", "--host", "one", "--host-key", print_, status=2)
    assert "as safe as that one host" in asked.stderr
    assert on(machines, OURS) == "", "nothing was changed before the question was answered"
    words = ("spaces:create", "prod", "--host", "one", "--host-key", print_, "--confirm", "prod")
    created = ada.types("deployer", *words)
    url = f"http://APP.{laptop.address().replace('.', '-')}.sslip.io/"
    assert created.stdout.strip() == url

    info = json.loads(ada.types("deployer", "spaces:info", "prod", "--json").stdout)
    assert (info["kind"], info["apps"], [h["state"] for h in info["hosts"]]) == ("ssh", [], ["up"])
    _deploys_and_rolls_back(laptop, tmp_path)
    _another_laptop_joins(machines, tmp_path)
    _is_given_back(ada, machines)


def _deploys_and_rolls_back(laptop: Laptop, tmp_path: Path) -> None:
    ada = with_app(tmp_path, "python_django", "shop", 80)
    ada.env, ada.address = laptop.env, laptop.address()
    ada.host = f"shop.{laptop.address().replace('.', '-')}.sslip.io"
    ada.types("deployer", "create", "shop")
    ada.types("deployer", "addons:create", "heroku-postgresql:essential-0")
    pushed = ada.types("git", "push", "deployer", "main")
    assert "Applying auth.0001_initial... OK" in pushed.stderr
    ada.sees("Hello from Django v3 on web.1")
    _nobody_else_reaches_the_database(laptop)
    ada.types("deployer", "config:set", "COLOUR=blue")
    ada.types("deployer", "ps:scale", "web=2")
    assert ada.types("deployer", "run", "printenv COLOUR").stdout.strip() == "blue"
    assert "GET" in ada.types("deployer", "logs", "--num", "200").stdout
    ada.types("deployer", "rollback")
    ada.sees("Hello from Django v5")
    rebooted = ada.types("deployer", "hosts:reboot", "--space", "prod")
    assert rebooted.stderr.strip() == "Rebooting prod-h1... done"
    ada.sees("Hello from Django v5", patience=60)


def _nobody_else_reaches_the_database(laptop: Laptop) -> None:
    """Neither this machine nor another one of the same network gets as much as an answer; sshd gives one."""
    asks = f"timeout 3 bash -c ': < /dev/tcp/{laptop.address()}/PORT' 2>&1"
    for port, status in (("22", "0"), ("5432", "124")):
        assert on(laptop.sandbox, f"{asks.replace('PORT', port)}; echo $?", 1).split()[-1] == status, port
    with pytest.raises(TimeoutError):
        socket.create_connection((laptop.address(), 5432), 2)


def _another_laptop_joins(machines: Sandbox, tmp_path: Path) -> None:
    other = Laptop(tmp_path / "other", machines)
    other.knows()
    bob = other.person()
    joined = bob.types("deployer", "spaces:join", "one")
    assert "knows the space prod" in joined.stderr
    assert [app["name"] for app in json.loads(bob.types("deployer", "apps", "--json").stdout)] == ["shop"]
    taken = bob.types("deployer", "spaces:create", "mine", "--host", "one", status=1)
    assert "is a host of the space prod already" in taken.stderr
    bob.types("deployer", "spaces:destroy", "prod", "--forget", "--confirm", "prod")


def _is_given_back(ada: Person, machines: Sandbox) -> None:
    gone = ada.types("deployer", "spaces:destroy", "prod", "--confirm", "prod")
    assert "PostgreSQL" in gone.stderr
    left = on(
        machines,
        f"{OURS}; ls /etc/systemd/system | grep deployer; nft list tables; grep dyno2 /etc/passwd; "
        "pg_lsclusters -h; systemctl is-active haproxy; true",
    )
    assert left.split() == ["inactive"]
    assert json.loads(ada.types("deployer", "spaces", "--json").stdout) == []


def test_a_ledger_in_s3_is_shared_by_laptops_and_leaves_with_its_space(
    door: Door, laptop: Laptop, machines: Sandbox, tmp_path: Path
) -> None:
    ada, words = laptop.person(), ("--store", f"s3://{BUCKET}", "--store-endpoint", door.endpoint)
    laptop.knows()
    ada.types("deployer", "spaces:create", "prod", "--host", "one", *words, "--confirm", "prod")
    ada.types("deployer", "create", "shop", "--no-remote")
    ada.types("deployer", "config:set", "COLOUR=red", "-a", "prod/shop")
    other = Laptop(tmp_path / "other", machines)
    other.knows()
    bob = other.person()
    bob.types("deployer", "spaces:join", "one", *words)
    assert "COLOUR: red" in bob.types("deployer", "config", "-a", "prod/shop").stdout
    assert on(machines, "ls /srv/deployer | grep store; true") == ""
    ada.types("deployer", "spaces:destroy", "prod", "--confirm", "prod")
    assert S3Store(door.address("prod")).batch([List("")]).answers == ((),)


def test_two_machines_serve_each_others_dynos(laptop: Laptop, machines: Sandbox, tmp_path: Path) -> None:
    laptop.knows(0)
    laptop.knows(1)
    targets = [f"root@{laptop.address(0)}", f"{USER}@{laptop.address(1)}"]
    options = [word for target in targets for word in ("--host", target)]
    created = laptop.person().types(
        "deployer", "spaces:create", "pair", *options, "--domain", "apps.example", "--confirm", "pair"
    )
    assert f"reach each other at {laptop.address(0)}, {laptop.address(1)}" in created.stderr
    assert created.stdout.strip() == "http://APP.apps.example/"
    ada = _with_small_app(laptop, tmp_path, "shop.apps.example")
    ada.types("deployer", "ps:scale", "web=2")
    assert _dynos_that_answer(ada, laptop) == [{"web.1", "web.2"}] * 2


def test_machines_without_a_network_between_them_serve_their_own_dynos(
    laptop: Laptop, machines: Sandbox, tmp_path: Path
) -> None:
    for host in (0, 1):
        laptop.knows(host)
    with _kept_apart(machines):
        options = [word for host in (0, 1) for word in ("--host", f"{USER}@{laptop.address(host)}")]
        words = ("spaces:create", "apart", *options, "--confirm", "apart")
        created = laptop.person().types("deployer", *words)
        assert "The hosts have no private network" in created.stderr
        url = f"shop.{laptop.address(0).replace('.', '-')}.sslip.io"
        ada = _with_small_app(laptop, tmp_path, url)
        ada.types("deployer", "ps:scale", "web=2")
        assert sorted(_dynos_that_answer(ada, laptop), key=str) == [{"web.1"}, {"web.2"}]


@contextmanager
def _kept_apart(machines: Sandbox) -> Iterator[None]:
    """No machine reaches another one's dynos."""
    block = "nft add table inet apart; nft 'add chain inet apart input { type filter hook input priority 5; }'; "
    block += "nft add rule inet apart input iifname != lo ip saddr 10.0.0.0/8 tcp dport 7000-9999 drop"
    for host in (0, 1):
        on(machines, block, host)
    try:
        yield
    finally:
        for host in (0, 1):
            on(machines, "nft delete table inet apart", host)


def test_a_second_machine_joins_helps_and_leaves_while_users_ask(
    laptop: Laptop, machines: Sandbox, tmp_path: Path
) -> None:
    laptop.knows(0)
    laptop.person().types("deployer", "spaces:create", "prod", "--host", "one", "--confirm", "prod")
    ada = _with_small_app(laptop, tmp_path, f"shop.{laptop.address(0).replace('.', '-')}.sslip.io")
    target = f"{USER}@{laptop.address(1)}"
    words = ("deployer", "hosts:add", "--host", target, "--space", "prod")
    assert fingerprint(machines.hosts[1].host_key) in ada.types(*words, status=1).stderr
    laptop.knows(1)
    asked = ada.types(*words, status=2).stderr
    assert f"=== prod: one more host\nprod-h2  {target}" in asked
    assert on(machines, OURS, 1) == "", "nothing was changed before the question was answered"

    other = Laptop(tmp_path / "other", machines)
    other.knows(0)
    other.person().types("deployer", "spaces:join", "one")
    users = Outside(80, "shop", address=laptop.address(0), host=str(ada.host))
    with users.asking():
        assert ada.types(*words, "--confirm", "prod").stdout == "prod-h2\n"
        assert "is prod-h2 already" in ada.types(*words).stderr
        ada.types("deployer", "ps:scale", "web=2")
        assert _dynos_that_answer(ada, laptop) == [{"web.1", "web.2"}] * 2
        # The other laptop finds the new host in the ledger, and needs to trust nothing anew.
        other.person(ada.folder).types("deployer", "config:set", "COLOUR=blue", "-a", "prod/shop")
        assert _dynos_that_answer(ada, laptop) == [{"web.1", "web.2"}] * 2
        removed = ada.types("deployer", "hosts:remove", "prod-h2", "--space", "prod")
        assert "units: dynos and what they run on" in removed.stderr
    users.lost_nothing(at_least=100)
    assert [host["name"] for host in json.loads(ada.types("deployer", "hosts", "--json").stdout)] == ["prod-h1"]
    assert on(machines, f"{OURS}; grep dyno2 /etc/passwd; nft list tables; true", 1) == ""
    _joins_without_a_network(ada, laptop, machines, words)
    _is_removed_while_silent_and_returns(ada, laptop, machines, words)


def _joins_without_a_network(ada: Person, laptop: Laptop, machines: Sandbox, words: tuple[str, ...]) -> None:
    with _kept_apart(machines):
        apart = ada.types(*words, "--private-address", laptop.address(1), "--confirm", "prod", status=1).stderr
        assert f"Not all of prod reach it at {laptop.address(1)}." in apart
        alone = ada.types(*words, "--confirm", "prod")
    assert "The hosts have no private network" in alone.stderr
    assert _dynos_that_answer(ada, laptop)[0] == {"web.1", "web.2"}


def _is_removed_while_silent_and_returns(
    ada: Person, laptop: Laptop, machines: Sandbox, words: tuple[str, ...]
) -> None:
    ada.types("deployer", "ps:scale", "web=3")
    with unreachable(machines, machines.hosts[1]):
        silent = ada.types("deployer", "hosts:remove", "prod-h2", "--space", "prod")
        assert "what deployer put there is still on it" in silent.stderr
    listed = "ls /srv/deployer/apps; systemctl list-units --plain --no-legend 'deployer-dyno-v1@*'"
    assert "deployer-dyno-v1@shop.web." in on(machines, listed, 1), "it has heard of nothing"
    back = ada.types(*words, "--confirm", "prod")
    assert "take off what is left of the time" in back.stderr and back.stdout == "prod-h2\n"
    assert on(machines, listed, 1) == "shop\n", "it begins anew, with the code alone"
    ada.types("deployer", "ps:scale", "web=4")
    assert _dynos_that_answer(ada, laptop)[1] == {"web.4"}


def _dynos_that_answer(ada: Person, laptop: Laptop) -> list[set[str]]:
    """Through each machine's router."""
    answers = []
    for host in (0, 1):
        ada.address = laptop.address(host)
        answers.append({ada.asks()[1].partition(" ")[0] for _ in range(40)})
    return answers


def _with_small_app(laptop: Laptop, tmp_path: Path, host: str) -> Person:
    """Every answer begins with the dyno's name."""
    folder = tmp_path / "small"
    folder.mkdir()
    ada = Person(folder, "shop", 80, laptop.env, laptop.address(), host)
    files = {"Procfile": "web: python server.py $PORT $DYNO 0\n", "requirements.txt": ""}
    ada.commits(**files, **{"server.py": PROGRAM.read_text()})
    ada.types("deployer", "create", "shop")
    ada.types("git", "push", "deployer", "main")
    return ada


def test_machines_that_do_not_fit_are_named_with_all_reasons_and_left_alone(laptop: Laptop, machines: Sandbox) -> None:
    laptop.knows(0)
    laptop.knows(1)
    on(machines, f"sed -i 's/NOPASSWD: //' /etc/sudoers.d/{USER}", 1)
    on(machines, "systemd-run --unit=squatter --quiet python3 -m http.server 80", 0)
    try:
        targets = [f"{USER}@{laptop.address(0)}", f"{USER}@{laptop.address(1)}"]
        words = [word for target in targets for word in ("--host", target)]
        refused = laptop.person().types("deployer", "spaces:create", "pair", *words, status=1).stderr
    finally:
        on(machines, f"sed -i 's/ALL$/NOPASSWD: ALL/' /etc/sudoers.d/{USER}", 1)
        on(machines, "systemctl stop squatter", 0)
    assert "may not become root without a password" in refused
    assert re.search(r"python3 \(process \d+\) listens on port 80, the router's port for HTTP", refused)
    assert "nothing was changed on any host" in refused
    assert on(machines, OURS) == ""
