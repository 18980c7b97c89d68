"""What is read of a space's hosts: of its group and its store in a region on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deployer.cli.cloud_inside import as_json, rows
from deployer.host import myself, seat
from deployer.model.events import Detail, Event, Warn
from deployer.model.joining import AgentRef, JoinFailure
from deployer.model.space import Host, Space
from deployer.operations import cloud_inside
from deployer.operations.cloud_group import look
from deployer.operations.cloud_hosts import Arrivals
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.record import Record
from deployer.store import keys, record
from deployer.store.entries import Claim
from infra.spec import Spec
from tests.host.aws_here import BUCKET, GROUP, SPACE, Region, region
from tests.infra.moto_here import ACCOUNT, REGION

pytestmark = pytest.mark.edge
KNOWN = Record(SPACE, Spec(REGION), ACCOUNT, "0.1.0", outputs={"group": GROUP}, bucket=BUCKET)


@pytest.fixture
def here() -> Iterator[Region]:
    with region(3) as here:
        said = Space(SPACE, "aws", "debian-13-arm64", "http://{app}.example", "2026", "1", seats=3)
        here.put(keys.SPACE, record.dump(said))
        yield here


def test_what_the_group_and_the_store_say_of_hosts(here: Region) -> None:
    here.put(keys.AGENT, record.dump(AgentRef("0a", "00", "0.1.0")))
    with here.instances("InService") as found:
        first, second, third = (myself.who(here.order(one)) for one in found)
        for one in (first, second):
            number = seat.take(one)
            seat.register(one, Host(one.instance, number, "", f"10.0.0.{number}", "ssh-ed25519 AAAA", user="root"))
        here.put(keys.REBOOT, record.dump(Claim(first.instance)))  # which stands beside the seats, and is none
        here.set_state(second.instance, "InService", healthy=False)
        here.set_state(third.instance, "Pending:Wait")
        third.write("failed", JoinFailure(third.instance, "2026-09-30T14:05:06Z", "seat", "no-seat: all are taken"))
        here.put(
            "hosts/AROA:i-0gone/failed", record.dump(JoinFailure("i-0gone", "2026-09-29T14:05:06Z", "seat", "old"))
        )
        seen = look(Account(REGION, here.endpoint), KNOWN)
        inside = cloud_inside.look(Account(REGION, here.endpoint), KNOWN)
    assert seen.wanted == 3 and seen.untold is None
    assert {one.id: (one.state, one.is_well) for one in seen.instances} == {
        first.instance: ("InService", True),
        second.instance: ("InService", False),
        third.instance: ("Pending:Wait", True),
    }
    assert seen.seats == {1: first.instance, 2: second.instance}
    assert [host.id for host in seen.counting] == [first.instance]
    assert [(one.host, one.reason) for one in seen.failures] == [(third.instance, "no-seat: all are taken")]
    assert seen.gone == frozenset()
    assert replace(seen, instances=seen.instances[:0]).gone == {first.instance, second.instance}
    assert seen.agent == AgentRef("0a", "00", "0.1.0")
    words = {host.name: (host.seat, host.address, host.word) for host in inside.hosts or ()}
    assert words == {
        first.instance: (1, "10.0.0.1", "serves"),
        second.instance: (None, "10.0.0.2", "is ill, as AWS sees it"),
        third.instance: (None, "", "boots, and joins"),
    }
    shown = rows(inside)
    assert shown["Hosts"].splitlines()[0] == f"{first.instance} seat 1, 10.0.0.1 (InService: serves)"
    assert f"{third.instance} no seat (Pending:Wait: boots, and joins)" in shown["Hosts"]
    assert shown["Apps"] == "none" and as_json(inside)["apps"] == []


def test_one_that_ec2_has_ended_does_not_serve_whatever_its_group_thinks(here: Region) -> None:
    with here.instances("InService") as found:
        here.end(found[0].id)
        inside = cloud_inside.look(Account(REGION, here.endpoint), KNOWN)
    words = {host.name: host.word for host in inside.hosts or ()}
    assert words == {found[0].id: "is gone (EC2: terminated)", **{one.id: "serves" for one in found[1:]}}


def test_what_nobody_says_is_not_known(here: Region) -> None:
    inside = cloud_inside.look(Account(REGION, here.endpoint), replace(KNOWN, bucket="somebody-elses"))
    assert rows(inside)["Hosts"].startswith("not known: ")
    assert as_json(inside) == {"hosts": None, "apps": None}
    nothing = cloud_inside.look(Account(REGION, here.endpoint), replace(KNOWN, outputs={}))
    assert rows(nothing)["Apps"] == "not known: it is not made to its end"


def test_who_waits_for_hosts_hears_what_is_new_once(here: Region) -> None:
    told: list[Event] = []
    here.put("hosts/AROA:i-0gone/failed", record.dump(JoinFailure("i-0gone", "2026-09-29T14:05:06Z", "seat", "old")))
    with here.instances("Pending:Wait") as found:
        third = myself.who(here.order(found[2]))
        arrivals = Arrivals(Account(REGION, here.endpoint), KNOWN, told.append, wanted=2)
        assert not arrivals.look() and arrivals.serving == frozenset()
        third.write("failed", JoinFailure(third.instance, "2026-09-30T14:05:06Z", "seat", "no-seat: all are taken"))
        for one in found[:2]:
            here.set_state(one.id, "InService")
        assert arrivals.look() and arrivals.serving == {one.id for one in found[:2]}
        arrivals.look()
    lines = [one.text for one in told if isinstance(one, (Detail, Warn))]
    assert len(lines) == 6 and lines.count(f"{found[0].id} serves") == 1
    assert [one.text for one in told if isinstance(one, Warn)] == [
        f"{third.instance} could not join (seat): no-seat: all are taken"
    ], "of a host that is gone for long nobody wants to hear"
    assert f"{third.instance}: boots, and joins" in arrivals.lines()
