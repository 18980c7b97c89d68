"""Hosts of a space in AWS that die, with a visitor outside who asks on and on, and nobody at a keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import CalledProcessError

import pytest

from tests.box.box import Box
from tests.box.laptop import Laptop
from tests.box.person import Person, at_work, visitor
from tests.infra.moto_here import REGION

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]
BACK = 120.0  # seconds until all is as before
MOVED = 180.0  # seconds until dynos have moved back: a minute of calm, and some looks of each host


@pytest.fixture(scope="module")
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with an app on two hosts behind a load balancer, a dyno on each."""
    with at_work(here, tmp_path_factory.mktemp("ada"), "shop", "python_flask_worker") as ada:
        ada.describes(2, "load-balancer = true")
        ada.does("git init -qb main . && git add . && git commit -qm first")
        ada.brings_up()
        ada.types("ps:scale", "web=2")
        yield ada


@contextmanager
def nobody_comes(here: Box) -> Iterator[None]:
    """AWS has no room for another host, so that the seat of a dead one stays its own."""
    zones = here.cloud.client("ec2", REGION).describe_subnets()["Subnets"]
    here.scaling.full |= {one["AvailabilityZone"] for one in zones}
    try:
        yield
    finally:
        here.scaling.full.clear()


def serving(here: Box) -> int:
    found = here.cloud.client("autoscaling", REGION).describe_auto_scaling_instances()["AutoScalingInstances"]
    return [one["LifecycleState"] for one in found].count("InService")


def dynos(ada: Person) -> set[tuple[str, str]]:
    """Instances with the host that each runs on, as hosts themselves say; one that boots or ends says nothing."""
    listed = "systemctl list-units --no-legend --state=active 'deployer-dyno-v1@*' | grep -o 'shop[^ ]*service'; true"
    found: set[tuple[str, str]] = set()
    for one in ada.here.instances():
        with suppress(LookupError, CalledProcessError):
            said = ada.here.run(one.id, "bash", "-c", listed).split()
            found |= {(one.id, name.removesuffix(".service")) for name in said}
    return found


def routed(ada: Person, host: str) -> set[str]:
    """The instances that a host's router leads to."""
    return set(re.findall(r"shop\.web\.\d\.v\d+", ada.here.run(host, "cat", "/srv/deployer/apps/shop/routes.json")))


def renewed(name: str) -> str:
    """The same dyno's instance of the next release."""
    dyno, _, release = name.rpartition(".v")
    return f"{dyno}.v{int(release) + 1}"


def test_a_push_of_a_change_loses_no_request(ada: Person) -> None:
    with visitor(ada) as seen:
        said = ada.does("sed -i 's/Hello/Good day/' app.py && git commit -qam change && git push deployer main")
    assert seen.keys() == {200} and seen[200] > 20, seen
    sent = re.search(r"Done: ([\d.]+)([BKM]) in", said)
    assert sent and (sent[2] == "B" or (sent[2] == "K" and float(sent[1]) < 10)), said
    assert ada.asks()[1].startswith("Good day from Flask")


def test_one_of_two_dies_and_the_other_serves_on(ada: Person) -> None:
    """Commands go on without it while its seat is still its own; who comes has the release that they made."""
    here = ada.here
    before = dynos(ada)
    assert len({host for host, _ in before}) == 2, before
    with visitor(ada) as seen:
        time.sleep(1)
        victim, other = (one.id for one in here.instances())
        with nobody_comes(here):
            here.terminate(victim, hard=True)
            here.wait(lambda: victim not in {one.id for one in here.instances()})
            ada.types("ps")
            assert goes_on_without(ada, victim) and "web." in ada.out, ada.err
            ada.types("run", "--no-tty", "true")
            ada.types("config:set", "DEATHS=1")
            assert goes_on_without(ada, victim), ada.err
            assert dynos(ada) == {(other, renewed(name)) for _, name in before}
        here.wait(lambda: serving(here) == 2, BACK)
        time.sleep(2)
    assert seen[200] > 20 and seen.total() - seen[200] <= 16, seen  # those that were with the dead one
    here.wait(lambda: {name for _, name in dynos(ada)} == {renewed(name) for _, name in before}, BACK)
    assert ada.asks()[0] == 200
    (newcomer,) = {one.id for one in here.instances()} - {other}
    assert routed(ada, newcomer) == {renewed(name) for _, name in before}
    ada.types("ps")
    assert not ada.err, "all is as before"


@pytest.mark.faults
def test_dynos_move_back_to_the_host_that_came_and_then_the_other_may_die(ada: Person) -> None:
    """So that one of two dies twice in a row, and requests are lost only that were with it."""
    here = ada.here
    with visitor(ada) as seen:
        here.wait(lambda: are_apart(ada), MOVED)
        time.sleep(2)
    assert seen.keys() == {200} and seen[200] > 20, seen
    assert "is out" not in ada.types("ps")
    before = dynos(ada)
    (victim,) = {host for host, name in before if ".web.1." in name}
    with visitor(ada) as seen:
        time.sleep(1)
        here.terminate(victim, hard=True)
        here.wait(lambda: are_back(ada, before, victim), BACK)
        time.sleep(2)
    assert seen[200] > 20 and seen.total() - seen[200] <= 16, seen


@pytest.mark.faults
def test_hosts_that_came_later_have_what_a_rollback_needs(ada: Person) -> None:
    """They fetch the layers of the current release alone as they join."""
    ada.here.wait(lambda: len({host for host, _ in dynos(ada)}) == 2, MOVED)
    with visitor(ada) as seen:
        ada.types("rollback", "v2")
    assert seen.keys() == {200} and ada.asks()[1].startswith("Hello from Flask"), (seen, ada.asks())


def are_back(ada: Person, before: set[tuple[str, str]], victim: str) -> bool:
    """Each of them runs, none on the dead one."""
    found = dynos(ada)
    return {name for _, name in found} == {name for _, name in before} and victim not in {host for host, _ in found}


def are_apart(ada: Person) -> bool:
    """Each of the two runs once, on a host of its own."""
    found = dynos(ada)
    return len(found) == len({name for _, name in found}) == len({host for host, _ in found}) == 2


def goes_on_without(ada: Person, victim: str) -> bool:
    """Whether the last command said so, once, and what comes in its place."""
    return ada.err.count(f"Going on without {victim}: it is gone (") == 1 and "its group starts another one" in ada.err


@pytest.mark.faults
def test_a_host_that_says_nothing_stops_a_change_until_its_group_sends_it_away(ada: Person) -> None:
    """As where its kernel hangs: EC2 finds out after minutes."""
    here, laptop = ada.here, Laptop("ada", ada.folder, ada.folder.parent / "home-of-deployer")
    here.wait(lambda: serving(here) == 2, MOVED)
    (other,) = {host for host, name in dynos(ada) if ".web.1." in name}
    (victim,) = {one.id for one in here.instances()} - {other}
    here.cut_off(victim)
    began = time.monotonic()
    ada.types("ps")
    assert f"{victim} does not answer (EC2: running; its group: InService, healthy)" in ada.err, ada.err
    assert "web.1: up" in ada.out
    ada.types("config:set", "HANGS=1", status=1)
    assert f"No answer from {victim}. Nothing was changed." in ada.err, ada.err
    assert "EC2: running; its group: InService, healthy" in ada.err, ada.err
    assert time.monotonic() - began < 40
    waiting = laptop.begins("config:set", "HANGS=2", "--wait", "90")
    here.scaling.seconds = {**here.scaling.seconds, "drain": 30.0}
    time.sleep(3)
    scaling = here.cloud.client("autoscaling", REGION)
    scaling.set_instance_health(InstanceId=victim, HealthStatus="Unhealthy")
    said = waiting.ends()
    seen = "EC2: running; its group: Terminating:Wait, unhealthy"
    assert f"Going on without {victim}: it is gone ({seen})" in said, said
    (newcomer,) = here.wait(lambda: {one.id for one in here.instances()} - {victim, other})
    here.wait(lambda: serving(here) == 2, BACK)
    (release,) = {name.rpartition(".")[2] for host, name in dynos(ada) if host != victim}
    assert {name.rpartition(".")[2] for name in routed(ada, newcomer)} == {release}
    here.scaling.seconds = {**here.scaling.seconds, "drain": 0.5}
    here.wait(lambda: victim not in {one.id for one in here.instances()}, BACK)
    assert ada.asks()[0] == 200
