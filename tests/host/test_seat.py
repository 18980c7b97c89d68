"""Hosts of AWS take their seats: of many at a time no two have one, and one that is gone leaves its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import converge, drain, myself, report, seat
from deployer.host.myself import Myself
from deployer.host.paths import Paths
from deployer.model.joining import Access, HostState
from deployer.model.space import Host, Space
from deployer.store import keys, record
from tests.host.aws_here import SPACE, Region, region

pytestmark = pytest.mark.edge


@pytest.fixture
def here() -> Iterator[Region]:
    with region(4) as here:
        space(here, 4)
        yield here


def space(here: Region, seats: int) -> None:
    """Have the ledger say that the space has so many seats."""
    said = Space(SPACE, "aws", "debian-13-arm64", "http://{app}.example", "2026", "1", roll=3, seats=seats)
    here.put(keys.SPACE, record.dump(said))


@pytest.fixture
def hosts(here: Region) -> Iterator[list[Myself]]:
    with here.instances() as found:
        yield [myself.who(here.order(one)) for one in found]


def paths_of(tmp_path: Path, me: Myself) -> Paths:
    paths = Paths(tmp_path / me.instance, tmp_path / me.instance)
    key = paths.system / seat.HOST_KEY
    key.parent.mkdir(parents=True)
    key.write_text(f"ssh-ed25519 AAAA{me.instance} root@ip-10-0-0-1\n")
    return paths


def test_of_four_that_come_at_once_each_has_its_own_seat(here: Region, hosts: list[Myself]) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(seat.take, hosts)) == [1, 2, 3, 4]
    assert [seat.take(one) for one in hosts] == [seat.take(one) for one in hosts], "who sits keeps it"


def test_a_seat_of_one_that_ends_or_is_ill_is_for_the_next_alone(here: Region, hosts: list[Myself]) -> None:
    first, second, third, fourth = hosts
    assert [seat.take(one) for one in (first, second)] == [1, 2]
    here.set_state(first.instance, "Terminating:Wait")
    here.set_state(second.instance, "InService", healthy=False)
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(seat.take, (third, fourth))) == [1, 2]


def test_there_is_none_where_all_are_taken(here: Region, hosts: list[Myself]) -> None:
    space(here, 1)
    here.put(keys.seat(1), b'{"owner": "' + hosts[0].instance.encode() + b'", "schema": 1}')
    with here.instances() as (_, one, *_others), pytest.raises(HostFailure) as failure:
        seat.take(myself.who(here.order(one)))
    assert (failure.value.code, failure.value.details["reason"]) == (
        "no-seat",
        f"All seats are taken. 1: {hosts[0].instance}",
    )


def test_a_seat_that_people_cleared_is_free(here: Region, hosts: list[Myself]) -> None:
    here.put(keys.seat(1), b"")  # what a conditional delete leaves in S3
    assert seat.take(hosts[0]) == 1


def test_who_has_registered_is_known_to_the_others(here: Region, hosts: list[Myself], tmp_path: Path) -> None:
    for one in hosts[:2]:
        seat.register(one, seat.registration(one, paths_of(tmp_path, one), seat.take(one)))
    known = myself.others(hosts[2])
    assert [(host.id, host.seat, host.user) for host in known.counting] == [
        (hosts[0].instance, 1, "root"),
        (hosts[1].instance, 2, "root"),
    ]
    assert known.counting[0].host_key == f"ssh-ed25519 AAAA{hosts[0].instance}"
    assert len(known.addresses) == 2
    assert converge.roll_of(hosts[0], known).peers == (known.counting[1].private_address,)
    assert converge.roll_of(hosts[0], known).number == 3
    here.set_state(hosts[0].instance, "Terminating:Wait")
    known = myself.others(hosts[2])
    assert [host.id for host in known.counting] == [hosts[1].instance]
    assert len(known.addresses) == 2, "until it is gone it may end what it is at"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": 1}', None])
def test_a_registration_that_makes_no_sense_is_nobodys(here: Region, hosts: list[Myself], body: bytes | None) -> None:
    one = Host(hosts[0].instance, 1, "", "10.0.0.1; drop", "ssh-ed25519 AAAA")
    here.put(keys.host(hosts[0].user_id), body or record.dump(one))
    seat.take(hosts[0])
    assert myself.others(hosts[1]).counting == ()
    here.put(keys.host(hosts[1].user_id), record.dump(replace(one, private_address="10.0.0.1")))
    assert myself.others(hosts[1]).addresses == (), "and nobody registers for somebody else"


def test_who_is_in_no_group_does_not_join(here: Region, hosts: list[Myself]) -> None:
    here.client("autoscaling").detach_instances(
        InstanceIds=[hosts[0].instance], AutoScalingGroupName=hosts[0].group.name, ShouldDecrementDesiredCapacity=True
    )
    with pytest.raises(HostFailure) as failure:
        myself.others(hosts[0])
    assert failure.value.code == "not-in-group"


def test_a_store_without_a_space_is_waited_for(here: Region, hosts: list[Myself]) -> None:
    here.client("s3").delete_object(Bucket=hosts[0].order.bucket, Key="space")
    with pytest.raises(HostFailure) as failure:
        myself.others(hosts[0])
    assert failure.value.code == "store-empty"


def test_exactly_the_keys_of_the_store_open_a_host(here: Region, hosts: list[Myself], tmp_path: Path) -> None:
    paths = paths_of(tmp_path, hosts[0])
    file = paths.system / "root/.ssh/authorized_keys"
    file.parent.mkdir(parents=True)
    file.write_text('no-port-forwarding,command="echo Please login as admin" ssh-rsa AAAA\n')
    assert not converge.let_people_in(hosts[0], paths), "nothing is changed where nobody has written any"
    people = {
        "bob@desk": "ssh-ed25519 AAAAC3Nza1 someone",
        "ada@laptop": "ssh-ed25519 AAAAC3Nza2\n",
        "eve@x\nssh-rsa AAAA": "ecdsa-sha2-nistp256 AAAA=",
        "options": 'command="sh" ssh-rsa AAAA',
        "lines": "ssh-rsa AAAA\nssh-rsa BBBB",
    }
    here.put(keys.ACCESS, record.dump(Access(people)))
    assert [converge.let_people_in(hosts[0], paths) for _ in range(2)] == [True, False]
    assert file.read_text() == (
        "ssh-ed25519 AAAAC3Nza2 ada@laptop\n"
        "ssh-ed25519 AAAAC3Nza1 bob@desk\n"
        "ecdsa-sha2-nistp256 AAAA= eve@x ssh-rsa AAAA\n"
    )
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_leaves_gives_its_seat_up_and_is_known_until_it_is_gone(
    here: Region, hosts: list[Myself], tmp_path: Path
) -> None:
    first, second, third, _ = hosts
    for one in (first, second):
        seat.register(one, seat.registration(one, paths_of(tmp_path, one), seat.take(one)))
    own = HostState(second.instance, 1000)
    here.set_state(second.instance, "InService")
    assert [host.id for host in myself.others(first).next_to(first.instance)] == [second.instance]
    assert myself.others(second).next_to(second.instance) == [], "one that still joins serves nobody"
    seat.give_up(first, myself.others(first))
    seat.give_up(first, myself.others(first))
    known = myself.others(second)
    assert (known.seat_of(first.instance), report.leaving(second, known, own)) == (None, [])
    for said in (HostState(first.instance, 1000, leaving=True), HostState(first.instance, 1000)):
        first.write("state", said)
        found = [(one.seat, one.state.host) for one in report.leaving(second, known, own)]
        assert found == ([(0, first.instance)] if said.leaving else [])
    here.set_state(first.instance, "Terminating:Wait")
    assert len(report.leaving(second, myself.others(second), own)) == 1, "the group sends it away, and it is well"
    here.set_state(first.instance, "Terminating:Wait", healthy=False)
    assert report.leaving(second, myself.others(second), own) == [], "nobody waits for one that is dead"
    assert seat.take(third) == 1


def test_whom_its_group_sends_away_sees_it_in_its_metadata(here: Region) -> None:
    with here.instances() as (one, *_):
        me = myself.who(here.order(one))
        assert not drain.is_sent_away(me)
        one.says(drain.WANTED, "InService")
        assert not drain.is_sent_away(me)
        one.says(drain.WANTED, "Terminated")
        assert drain.is_sent_away(me)
