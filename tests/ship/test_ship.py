"""Shipping to agents that are child processes: what arrives, what it costs, what happens where it goes wrong."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from deployer.errors.host import ShipmentRefused, Superseded
from deployer.model.slug import Built, Slug
from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.ship.remembered import Remembered
from deployer.ship.ship import Shipped, ship
from tests.remote.agents_here import HereConnection, session_here
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")

UID = 20007
FILES: dict[str, File] = {
    "web.sh": b"#!/bin/sh\nexec python3 -m http.server $PORT\n",
    "static/big": random.Random(1).randbytes(300_000),
    "static/again": b"the same twice",
    "static/twice": b"the same twice",
    "static/script.sh": b"the same twice",
    "bin/python": "/usr/bin/python3",
    "with\nnewline": b"",
    "tmp": None,
}
MANY: dict[str, File] = {f"package{n % 30}/module{n}.py": b"name = %d\n" % n for n in range(1000)}


class Shop:
    """The app `shop` on hosts: ships slugs from folders below `root`."""

    def __init__(self, root: Path, *sessions: Session) -> None:
        self.root = root
        self.sessions = sessions
        self.remembered = Remembered(root / "cache")

    def slug(self, name: str, *layers: dict[str, File]) -> Built:
        return built(*(layer(self.root / f"{name}{n}", f"layer{n}", files) for n, files in enumerate(layers)))

    def ship(self, slug: Built, base: Slug | None = None, token: int = 1) -> Shipped:
        return ship(self.sessions, "shop", UID, token, slug, base, remembered=self.remembered)

    def folder(self, host: str = "host") -> Path:
        return self.root / host / "apps/shop"

    def stands(self, slug: Built, number: int = 0, host: str = "host") -> object:
        return tree(self.folder(host) / "layers" / slug.slug.layers[number].digest)


@pytest.fixture
def shop(tmp_path: Path, session: Session) -> Shop:
    return Shop(tmp_path, session)


def test_a_layer_stands_on_the_host_as_it_was_built(shop: Shop) -> None:
    slug = shop.slug("a", FILES)
    shipped = shop.ship(slug)
    assert shop.stands(slug) == expected(FILES, UID)
    assert shipped.blobs == 6
    assert 300_000 < shipped.bytes < 302_000
    assert not (shop.folder() / "incoming").exists()


def test_files_with_the_same_bytes_are_one_on_the_disk(shop: Shop) -> None:
    slug = shop.slug("a", FILES, {"other": b"the same twice"})
    shop.ship(slug)
    layers = [shop.folder() / "layers" / one.digest / "app" for one in slug.slug.layers]
    paths = [layers[0] / "static/again", layers[0] / "static/twice", layers[1] / "other"]
    assert len({path.stat().st_ino for path in paths}) == 1
    assert (layers[0] / "static/script.sh").stat().st_ino != paths[0].stat().st_ino


def test_what_a_host_has_costs_nothing(shop: Shop) -> None:
    slug = shop.slug("a", MANY, FILES)
    shop.ship(slug)
    assert shop.ship(slug, slug.slug).blobs == 0
    assert shop.ship(slug, slug.slug).bytes < 500


def test_a_changed_line_costs_less_than_a_kilobyte(shop: Shop) -> None:
    before = shop.slug("a", MANY, FILES)
    after = shop.slug("b", {**MANY, "package1/module1.py": b"name = 'another'\n"}, FILES)
    shop.ship(before)
    shipped = shop.ship(after, before.slug)
    assert shipped.blobs == 1
    assert shipped.bytes < 1000
    assert shop.stands(after) == expected({**MANY, "package1/module1.py": b"name = 'another'\n"}, UID)


def test_a_machine_that_never_shipped_the_base_sends_the_manifest_whole(shop: Shop, tmp_path: Path) -> None:
    before, after = shop.slug("a", MANY), shop.slug("b", {**MANY, "new": b"new"})
    shop.ship(before)
    shop.remembered = Remembered(tmp_path / "another machine")
    shipped = shop.ship(after, before.slug)
    assert shipped.blobs == 1
    assert 10_000 < shipped.bytes < 100_000
    assert shop.stands(after) == expected({**MANY, "new": b"new"}, UID)


def test_a_host_that_lacks_the_base_asks_for_the_manifest(tmp_path: Path, agents: Path) -> None:
    hosts = [Host(name, 1, "", "", "none") for name in ("h1", "h2")]
    first, second = (session_here(tmp_path / host.id, agents, host) for host in hosts)
    shop = Shop(tmp_path, first)
    before, after = shop.slug("a", MANY), shop.slug("b", {**MANY, "new": b"new"})
    shop.ship(before)
    shop.sessions = (first, second)
    assert shop.ship(after, before.slug).blobs == 1001
    for host in hosts:
        assert shop.stands(after, host=host.id) == expected({**MANY, "new": b"new"}, UID)
    for session in (first, second):
        assert session.call("facts")["tokens"] == {"shop": 1}, "both agents serve on"
        session.close()


def test_a_file_that_changed_since_the_build_is_noticed(shop: Shop, tmp_path: Path) -> None:
    slug = shop.slug("a", FILES)
    (tmp_path / "a0/app/static/big").write_bytes(b"shorter")
    with pytest.raises(ShipmentRefused, match="a file changed while it was sent"):
        shop.ship(slug)
    assert not (shop.folder() / "layers").exists()
    assert not (shop.folder() / "incoming").exists()
    assert not (shop.folder() / "blobs").exists()


def test_a_failure_on_one_host_leaves_the_other_ready(tmp_path: Path, agents: Path) -> None:
    sessions = [session_here(tmp_path / name, agents, Host(name, 1, "", "", "none")) for name in ("h1", "h2")]
    shop = Shop(tmp_path, *sessions)
    sessions[1].call("prune", {"app": "shop", "token": 9, "keep": []})
    slug = shop.slug("a", FILES)
    with pytest.raises(Superseded):
        shop.ship(slug)
    assert shop.ship(slug, token=9).blobs == 6
    assert shop.stands(slug, host="h1") == shop.stands(slug, host="h2") == expected(FILES, UID)
    for session in sessions:
        session.close()


@pytest.mark.edge
def test_an_agent_killed_while_it_receives_leaves_nothing_half_made(shop: Shop) -> None:
    files = {f"file{n}": random.Random(n).randbytes(100_000) for n in range(400)}
    slug = shop.slug("a", {**files})
    (session,) = shop.sessions
    assert isinstance(session.connection, HereConnection)
    session.call("facts")
    agent, incoming = session.connection.pipes[0].process, shop.folder() / "incoming/blobs"

    def kill() -> None:
        while not incoming.is_dir() or len(list(incoming.iterdir())) < 50:
            time.sleep(0.001)
        agent.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(Exception, match="Lost the connection"):
        shop.ship(slug)
    killer.join()
    assert not (shop.folder() / "layers").exists()
    assert not (shop.folder() / "blobs").exists()
    assert shop.ship(slug, token=2).blobs == 400
    assert shop.stands(slug) == expected({**files}, UID)
    assert not incoming.exists()


def test_only_manifests_that_this_machine_shipped_lately_are_remembered(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "cache")
    remembered.remember((f"{n:064}", b"%d" % n) for n in range(100))
    for age, path in enumerate(sorted((tmp_path / "cache").iterdir())):
        os.utime(path, (1000 + age, 1000 + age))
    remembered.remember([(f"{0:064}", b"0"), (f"{100:064}", b"100")])
    recalled = [remembered.recall(f"{n:064}") for n in (0, 1, 2, 100)]
    assert recalled == [b"0", None, b"2", b"100"]
