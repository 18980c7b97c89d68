"""Hosts of AWS join their space by themselves: prepared, seated, with the dynos and the routes that the ledger says."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deployer.model.app import Current
from deployer.model.formation import Formation, Quantity
from deployer.model.joining import Access, AgentRef, HostState, JoinOrder
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.model.space import Host, Space, StoreAddress
from deployer.remote.bundle import Bundle, bundle, bundle_of
from deployer.ship.archive import write
from deployer.spaces.aws.user_data import render
from deployer.store import keys, record
from deployer.store.base import Get, List, Put, Stored
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from deployer.version import VERSION
from tests.box.box import Box, box
from tests.box.ordered import BUCKET, GROUP, Ordered, allow, keep, order
from tests.infra.moto_here import REGION
from tests.ship.slugs import layer

pytestmark = pytest.mark.hosts
SPACE, APP, HOST = "production", "shop", "shop.example"
WEB = b"""#!/bin/sh
mkdir www && echo "$DYNO $GREETING" > www/index.html && exec python3 -m http.server --directory www "$PORT"
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"
EACH_ONCE = ["shop.web.1.v2", "shop.web.2.v2", "shop.worker.1.v2"]
JOINS = 240.0  # seconds


@dataclass
class Joined:
    """A space whose hosts join by themselves."""

    made: Ordered
    store: S3Store
    ledger: Ledger
    address: str

    def loaded(self, kind: type[Any], key: str) -> Any:
        stored = self.store.batch([Get(key)]).answers[0]
        return record.load(kind, stored) if isinstance(stored, Stored) else None

    def registered(self) -> dict[str, Host]:
        """By instance; also those that are gone."""
        found = [key for key in self.listed(keys.HOSTS) if key.count("/") == 1]
        return {host.id: host for host in (self.loaded(Host, key) for key in found)}

    def listed(self, prefix: str) -> tuple[str, ...]:
        found = self.store.batch([List(prefix)]).answers[0]
        assert isinstance(found, tuple)
        return found

    def states(self) -> dict[str, HostState]:
        """What hosts say of themselves, by instance."""
        found = [self.loaded(HostState, key) for key in self.listed(keys.HOSTS) if key.endswith("/state")]
        return {one.host: one for one in found}

    def seats(self) -> dict[int, str]:
        found = self.listed(keys.SEATS)
        bodies = [one for one in self.store.batch([Get(key) for key in found]).answers if isinstance(one, Stored)]
        return {
            int(key.removeprefix(keys.SEATS)): json.loads(b.body)["owner"] for key, b in zip(found, bodies, strict=True)
        }

    def standing(self) -> list[str]:
        """What hosts in service say that runs there."""
        serving = [one for one, state in self.made.states().items() if state == "InService"]
        there = [state for host, state in self.states().items() if host in serving]
        return sorted(dyno.instance for state in there for dyno in state.dynos)

    def holder(self) -> str:
        """The instance that the space's address leads to."""
        found = self.made.client("ec2").describe_addresses(AllocationIds=[self.address])["Addresses"]
        return str(found[0].get("InstanceId", ""))

    def asked(self, instance: str, path: str = "/", host: str = HOST) -> tuple[int, str]:
        """What a host's router answers."""
        address = self.registered()[instance].private_address
        request = urllib.request.Request(f"http://{address}{path}", headers={"Host": host})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def heard(self, instance: str, times: int = 20) -> set[str]:
        """Which dynos answer at a host's router."""
        with suppress(OSError, KeyError):
            return {text for status, text in (self.asked(instance) for _ in range(times)) if status == 200}
        return set()

    def hears(self, instance: str, *dynos: str) -> bool:
        """Whether these answer there, and no others."""
        return self.heard(instance) == set(dynos)


@pytest.fixture(scope="module")
def here() -> Iterator[Box]:
    with box() as made:
        yield made


@pytest.fixture(scope="module")
def joined(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Joined:
    made = order(here)
    allow(made, (0, 65_535), group=made.walls)
    allow(made, (0, 65_535), network=f"{here.gateway}/32")
    store = S3Store(StoreAddress(BUCKET, endpoint=here.cloud.endpoint, region=REGION))
    ledger = Ledger(store, "ada@laptop")
    ledger.save_space(Space(SPACE, "aws", "debian-13-amd64", "http://{app}.example", "2026", "1", seats=3))
    publish(store)
    tag = {"ResourceType": "elastic-ip", "Tags": [{"Key": "deployer:space", "Value": SPACE}]}
    address = made.client("ec2").allocate_address(Domain="vpc", TagSpecifications=[tag])["AllocationId"]
    told = JoinOrder(SPACE, BUCKET, REGION, has_front=False, endpoint=here.cloud.endpoint)
    joined = Joined(made, store, ledger, address)
    types, formation = {"web": "./web.sh", "worker": "sleep infinity"}, {"web": Quantity(2), "worker": Quantity(1)}
    release(joined, tmp_path_factory.mktemp("built"), APP, types, formation)
    keep(made, render(told), 2)
    return joined


def publish(store: S3Store, agent: Bundle | None = None, tool: str = VERSION) -> None:
    """What `deployer up` writes before there are hosts."""
    agent = agent or bundle()
    archive, name = agent.archive(), agent.name
    ref = AgentRef(name, hashlib.sha256(archive).hexdigest(), tool)
    people = Access({"ada@laptop": f"{KEY}a"})
    store.batch(
        [Put(keys.agent(name), archive), Put(keys.AGENT, record.dump(ref)), Put(keys.ACCESS, record.dump(people))]
    )


def release(joined: Joined, folder: Path, name: str, types: dict[str, str], formation: Formation) -> None:
    """An app with a release, as a deploy leaves it."""
    ledger, packed = joined.ledger, io.BytesIO()
    built = layer(folder, "app", {"web.sh": WEB})
    write(built, packed)
    joined.store.batch([Put(keys.layer(built.layer.digest), packed.getvalue())])
    slug = Slug("debian-13-amd64", (built.layer,), types, (), 100)
    app = ledger.create_app(name, space=SPACE)
    state = ledger.state(name)
    assert state is not None
    draft = Release(0, ledger.save_slug(slug), ledger.save_config(name, {"GREETING": "hello"}), "Deploy", "", "")
    number = ledger.new_release(name, draft).number
    ledger.commit(state, replace(app, formation=formation), Current(number, 2))
    ledger.end_release(name, number)


def test_two_hosts_join_and_serve(joined: Joined) -> None:
    made = joined.made
    made.here.wait(lambda: list(made.states().values()) == ["InService"] * 2, JOINS)
    first, second = made.states()
    assert sorted(joined.seats().items()) in ([(1, first), (2, second)], [(1, second), (2, first)])
    hosts = joined.registered()
    assert {one: host.seat for one, host in hosts.items()} == {owner: seat for seat, owner in joined.seats().items()}
    for one in made.here.instances():
        assert hosts[one.id].private_address == one.address
        assert made.here.run(one.id, "cat", "/root/.ssh/authorized_keys") == f"{KEY}a ada@laptop\n"
        key = made.here.run(one.id, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
        assert key.startswith(hosts[one.id].host_key)
        assert joined.asked(one.id, "/-/ready", "router") == (200, "ready\n")
        assert '{"event":"step","step":"complete"}' in one.console
        assert joined.heard(one.id) == {"web.1 hello\n", "web.2 hello\n"}, "at once: only then it is in service"
    assert joined.standing() == EACH_ONCE
    assert all(len(state.dynos) in (1, 2) for state in joined.states().values()), "on both"


def test_one_that_ends_is_followed_by_another_on_its_seat(joined: Joined) -> None:
    made = joined.made
    made.here.wait(lambda: list(made.states().values()) == ["InService"] * 2, JOINS)
    owner = joined.seats()[1]
    made.here.terminate(owner, hard=True)
    made.here.wait(lambda: owner not in made.states(), 60)
    made.here.wait(lambda: list(made.states().values()) == ["InService"] * 2, JOINS)
    (newcomer,) = [one for one in made.states() if one not in (owner, joined.seats()[2])]
    assert joined.seats() == {1: newcomer, 2: joined.seats()[2]}
    assert joined.holder() == newcomer
    for instance in made.states():
        made.here.wait(partial(joined.hears, instance, "web.1 hello\n", "web.2 hello\n"), 60)
    assert joined.standing() == EACH_ONCE


def test_peoples_keys_follow_the_store(joined: Joined) -> None:
    made = joined.made
    made.serving(2)
    joined.store.batch([Put(keys.ACCESS, record.dump(Access({"bob@desk": f"{KEY}b"})))])
    for one in made.here.instances():
        read = partial(made.here.run, one.id, "cat", "/root/.ssh/authorized_keys")
        made.here.wait(lambda read=read: read() == f"{KEY}b bob@desk\n")


def test_hosts_follow_a_newer_agent_and_no_older_one(joined: Joined) -> None:
    made, own = joined.made, bundle()
    made.serving(2)
    newer = bundle_of({**own.files, "deployer/host/units.py": own.files["deployer/host/units.py"] + b"# newer\n"})
    look = ("readlink", "/srv/deployer/agent/current")
    publish(joined.store, newer, VERSION)
    for one in made.states():
        made.here.wait(lambda one=one: made.here.run(one, *look).strip() == newer.name, 60)
    publish(joined.store, own, "0.0.1")
    for one in made.states():
        made.here.wait(lambda one=one: looked_since(joined, one))
        assert made.here.run(one, *look).strip() == newer.name
        made.here.wait(partial(joined.hears, one, "web.1 hello\n", "web.2 hello\n"), 60)
    publish(joined.store, newer, VERSION)


def looked_since(joined: Joined, instance: str) -> bool:
    """Whether a host knows what `agent/current` is now."""
    stored = joined.store.batch([Get(keys.AGENT)]).answers[0]
    assert isinstance(stored, Stored)
    known = json.loads(joined.made.here.run(instance, "cat", "/srv/deployer/converge.json"))["etags"]
    return bool(known.get(keys.AGENT, "").strip('"') == stored.etag.strip('"'))


def test_a_host_that_was_booted_again_as_it_joined_goes_on(joined: Joined) -> None:
    made = joined.made
    one = made.serving(2)[0]
    made.here.run(one, "touch", "/etc/deployer/joining")
    looks = partial(made.here.run, one, "find", "/etc/deployer/joining")
    with pytest.raises(subprocess.CalledProcessError):
        made.here.wait(lambda: not looks())
    assert joined.asked(one, "/-/ready", "router") == (200, "ready\n")


@pytest.mark.faults
def test_neither_a_broken_app_nor_a_command_at_work_keeps_a_host_from_joining(joined: Joined, tmp_path: Path) -> None:
    made, here = joined.made, joined.made.here
    made.serving(2)
    release(joined, tmp_path, "broken", {"web": "exit 3"}, {"web": Quantity(1)})
    seat, owner = next((seat, one) for seat, one in joined.seats().items() if joined.states()[one].dynos)
    with hold(joined.store, f"app-{APP}", command="scale", wait=0, second_store=lambda: joined.store):
        here.terminate(owner, hard=True)
        here.wait(lambda: owner not in made.states(), 60)
        here.wait(lambda: list(made.states().values()) == ["InService"] * 2, JOINS)
        newcomer = joined.seats()[seat]
        assert newcomer in made.states()
        assert joined.standing() != EACH_ONCE, "a command is at it: what is missing is its business"
        assert joined.asked(newcomer, "/-/ready", "router") == (200, "ready\n")
    read = ("journalctl", "--no-pager", "-u", "deployer-converge-v1")
    here.wait(lambda: any("broken: dyno-" in here.run(one, *read) for one in made.states()), 60)
    here.wait(lambda: joined.standing() == EACH_ONCE, 60)
    for instance in made.states():
        here.wait(partial(joined.hears, instance, "web.1 hello\n", "web.2 hello\n"), 60)


def test_what_a_host_had_starts_elsewhere_as_soon_as_it_is_sent_away(joined: Joined) -> None:
    """Its requests may end; nobody has come in its place."""
    made, here = joined.made, joined.made.here
    made.serving(2)
    made.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=GROUP, DesiredCapacity=1)
    (leaving,) = here.wait(lambda: [one for one, state in made.states().items() if state == "Terminating:Wait"])
    (left,) = [one for one in made.states() if one != leaving]
    here.wait(lambda: joined.standing() == EACH_ONCE, 90)
    here.wait(partial(joined.hears, left, "web.1 hello\n", "web.2 hello\n"))
    here.wait(lambda: joined.holder() == left)
    here.wait(lambda: not any("worker" in dyno.instance for dyno in joined.states()[leaving].dynos), 60)
    here.wait(lambda: len(made.states()) == 1, 60)  # it says itself that it may end
    made.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    here.wait(lambda: list(made.states().values()) == ["InService"] * 2, JOINS)
    assert joined.standing() == EACH_ONCE
