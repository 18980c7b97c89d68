"""`doctor` on real hosts: each thing is broken, named, and whole again as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deployer.host.journal_reader import OUT_OF_MEMORY
from deployer.model.app import Operation
from deployer.model.space import Pointer
from deployer.operations.session import OpenSpace, open_space
from deployer.remote.agent import connect
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from deployer.store.lease import hold
from tests.hosts.machine import Machine
from tests.hosts.mishaps import Owner, another_key_in_ledger, owner

pytestmark = pytest.mark.hosts
APP = "patient"
HERE = ("-a", f"hosts/{APP}")
BLOB = "$(ls /srv/deployer/apps/patient/blobs/*/* | head -1)"
UNIT = "deployer-dyno-v1@patient.web.*.service"
ROUTES = "/srv/deployer/apps/patient/routes.json"
CERTIFICATE = "/srv/deployer/ca/ca.crt"
SHORT_LIVED = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 3 -keyout /dev/null"
)


@pytest.fixture(scope="module")
def kim(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """A person whose app has a dyno on each of the two hosts."""
    person = owner(tmp_path_factory.mktemp("doctor") / APP, APP, sandbox)
    person.types("deployer", "ps:scale", "web=2", *HERE)
    yield person
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


@pytest.fixture(scope="module")
def machine(sandbox: Sandbox) -> Iterator[Machine]:
    """The second host, which mends nothing by itself."""
    with connect(sandbox.hosts[1], sandbox.identity) as session:
        second = Machine(session)
        with second.unrepaired():
            yield second


def problems(person: Owner, *words: str, status: int | None = None) -> dict[str, str]:
    """The problems that `doctor` finds, with their advice."""
    said = person.types("deployer", "doctor", *HERE, "--json", *words, status=status)
    found: list[dict[str, Any]] = json.loads(said.stdout)
    wrong = {f"{one['where']}: {one['problem']}": one["advice"] for one in found if not one["ok"]}
    assert said.returncode == bool(wrong)
    return wrong


def the_dyno(machine: Machine) -> str:
    """The name of the app's only dyno there."""
    (row,) = machine.dynos(APP).values()
    return f"{row['type']}.{row['number']}"


def test_a_space_that_is_well_has_no_problem(kim: Owner) -> None:
    said = kim.types("deployer", "doctor", "--space", "hosts", "--deep")
    assert " !  " not in said.stdout
    for host in ("hosts-h1", "hosts-h2"):
        assert f"ok  {host}" in said.stdout


@pytest.mark.parametrize(
    ("breaking", "problem"),
    [
        ("nft delete table inet deployer", "hosts-h2: the rules that keep dynos apart are not loaded"),
        ("nft flush set inet deployer own", "hosts-h2: its rules do not give dynos their ports "),
        ("systemctl stop haproxy", "hosts-h2: HAProxy is inactive"),
        (f"systemctl stop '{UNIT}'", "patient: DYNO is down on hosts-h2"),
        (f'sed -i \'s/"generation": *[0-9]*/"generation": 1/\' {ROUTES}', "patient: the router of hosts-h2 is behind"),
    ],
    ids=["firewall", "ports", "router", "dyno", "routes"],
)
def test_what_is_broken_is_named_and_repaired(kim: Owner, machine: Machine, breaking: str, problem: str) -> None:
    name = the_dyno(machine)
    machine.run(breaking)
    ((said, advice),) = [
        (said, advice) for said, advice in problems(kim).items() if said.startswith(problem.replace("DYNO", name))
    ]
    assert advice == "deployer doctor --repair --space hosts"
    assert problems(kim, "--repair", status=0) == {}, said
    kim.sees("GREETING")


@pytest.mark.parametrize(
    ("breaking", "problem", "mending"),
    [
        (
            "systemd-run --quiet --unit=doomed --wait false || true",
            "hosts-h2: doomed.service has failed",
            "systemctl reset-failed doomed",
        ),
        ("touch /run/reboot-required", "hosts-h2: an upgrade waits for a reboot", "rm /run/reboot-required"),
        (
            f"mkdir -p /srv/deployer/ca; {SHORT_LIVED} -out {CERTIFICATE} 2> /dev/null",
            f"hosts-h2: {CERTIFICATE} ends in 3 days",
            "rm -r /srv/deployer/ca",
        ),
        (
            f"cp -a {BLOB} /root/kept; echo dirt >> {BLOB}",
            "hosts-h2: 1 file of patient are not what was shipped",
            f"cat /root/kept > {BLOB}",
        ),
    ],
    ids=["unit", "reboot", "certificate", "file"],
)
def test_what_is_broken_is_named_with_what_to_do(
    kim: Owner, machine: Machine, breaking: str, problem: str, mending: str
) -> None:
    machine.run(breaking)
    try:
        assert problem in problems(kim, "--deep", status=1)
    finally:
        machine.run(mending)
    assert problems(kim, "--deep", status=0) == {}


def test_a_full_scratch_is_named(kim: Owner, machine: Machine) -> None:
    if "scratch" not in machine.run("findmnt --noheadings --output TARGET /srv/deployer/scratch || true"):
        pytest.skip("this machine has no loop devices: a sandbox's dynos write to its disk")
    filler = "/srv/deployer/scratch/filler"
    machine.run(f"fallocate -l $(($(stat -fc '%a*%S' /srv/deployer/scratch) / 100 * 95)) {filler}")
    try:
        (said,) = problems(kim, status=1)
        assert said.startswith("hosts-h2: 9") and said.endswith("% of /srv/deployer/scratch is full")
    finally:
        machine.run(f"rm {filler}")


def test_a_dyno_that_ran_out_of_memory_is_named_with_the_size_to_take(kim: Owner, machine: Machine) -> None:
    entry = f"MESSAGE_ID={OUT_OF_MEMORY}\\nUNIT=deployer-dyno-v1@{APP}.web.2.v2.service\\nMESSAGE=killed"
    machine.run(f"printf '{entry}' | logger --journald; journalctl --sync")
    try:
        wrong = {f"hosts-h2: web.2 of {APP} ran out of memory 1 time in the last day"}
        assert problems(kim, status=1).keys() == wrong
    finally:
        machine.run("journalctl --rotate --quiet; journalctl --vacuum-time=1s --quiet")


def test_a_dyno_that_is_gone_runs_nowhere_until_repaired(kim: Owner, machine: Machine) -> None:
    token, name = machine.call("facts")["tokens"][APP], the_dyno(machine)
    machine.call("retire", **{"app": APP, "token": token, "instances": list(machine.dynos(APP)), "drain": 0})
    assert f"{APP}: {name} runs nowhere" in problems(kim, status=1)
    assert problems(kim, "--repair", status=0) == {}
    assert [row["state"] for row in machine.dynos(APP).values()] == ["up"]


def test_dynos_of_an_app_that_nobody_knows_are_removed(kim: Owner, machine: Machine) -> None:
    layers = machine.ship("stranger", 20961, {"a": b"a"})
    web = {"type": "web", "number": 1, "size": "Basic", "command": "python3 -m http.server $PORT", "port": True}
    order = {"uid": 20961, "release": 1, "layers": layers, "dynos": [web], "env": {}}
    health = {"path": "/", "timeout": 20, "host": "localhost"}
    machine.call("boot", "stranger", **order, health=health)
    said = kim.types("deployer", "doctor", "--space", "hosts", status=1).stdout
    assert "1 dyno of stranger, which the ledger does not know" in said
    kim.types("deployer", "doctor", "--space", "hosts", "--repair")
    assert machine.dynos("stranger") == {}


def test_a_host_that_does_not_answer_is_named_and_the_others_are_looked_at(kim: Owner) -> None:
    with another_key_in_ledger():
        said = kim.types("deployer", "doctor", *HERE, status=1).stdout
    assert " !  hosts-h2" in said and "reach: Host hosts-h2 is not the one" in said
    assert "ok  hosts-h1" in said


def test_who_changes_an_app_is_named(kim: Owner) -> None:
    with (
        _ledger() as opened,
        hold(opened.ledger.store, f"app-{APP}", command="deploy", wait=None, second_store=opened.second_store),
    ):
        assert "is changing it: `deploy`" in kim.types("deployer", "doctor", *HERE).stdout


def test_a_change_that_was_cut_off_is_named_and_undone(kim: Owner) -> None:
    with _ledger() as opened:
        state = opened.ledger.state(APP)
        assert state is not None and state.current is not None
        operation = Operation("scale", "boot", state.current.release, None, 1, state.app.formation, 10**6)
        opened.ledger.save_operation(APP, operation)
    name = f"v{state.current.release}"
    assert [f"{APP}: a scale of {name} was cut off in its phase boot"] == list(problems(kim, status=1))
    assert problems(kim, "--repair", status=0) == {}


@contextmanager
def _ledger() -> Iterator[OpenSpace]:
    with open_space(pointers.load("hosts")) as opened:
        yield opened
