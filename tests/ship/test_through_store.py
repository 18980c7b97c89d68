"""Layers by way of a store: S3 of moto, agents that are child processes and take them from there by their role."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.errors.remote import SeveralHostsFailed
from deployer.model import codec
from deployer.model.slug import Built
from deployer.model.space import Host, StoreAddress
from deployer.remote.agent import Session
from deployer.ship.through_store import ship_through
from deployer.store import keys
from deployer.store.base import List
from deployer.store.s3 import S3Store
from tests.host.aws_here import BUCKET, Region, region
from tests.infra.moto_here import REGION
from tests.remote.agents_here import session_here
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = [
    pytest.mark.edge,
    pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root"),
]
UID = 20007
SMALL: dict[str, File] = {"web.sh": b"#!/bin/sh\n", "lib/a": b"a", "link": "lib/a", "tmp": None}
LARGE: dict[str, File] = {f"lib/{n}": os.urandom(900) * 400 for n in range(3)}


@pytest.fixture(scope="module")
def here() -> Iterator[Region]:
    with region(2) as here:
        yield here


@pytest.fixture
def store(here: Region) -> S3Store:
    found = S3Store(StoreAddress(BUCKET, "", here.endpoint, REGION))
    found.clear(["layers/"])
    return found


@pytest.fixture
def hosts(here: Region, tmp_path: Path) -> Iterator[list[Session]]:
    """Two hosts that have joined; their agents take credentials from a metadata server of their own."""
    with here.instances() as instances:
        sessions = []
        for n, one in enumerate(instances):
            root = tmp_path / f"host{n}"
            root.mkdir()
            (root / "join.json").write_text(json.dumps(codec.encode(here.order(one))))
            sessions.append(session_here(root, None, Host(one.id, n + 1, "", "", "")))
        yield sessions
        for session in sessions:
            session.close()


def slug(root: Path) -> Built:
    return built(layer(root / "a", "app", SMALL), layer(root / "b", "packages", LARGE))


def stands(root: Path, made: Built) -> list[object]:
    return [tree(root / "apps/shop/layers" / one.layer.digest) for one in made.layers]


def request(token: int = 1) -> dict[str, object]:
    return {"app": "shop", "token": token, "uid": UID}


def _listed(store: S3Store) -> list[str]:
    found = store.batch([List("layers/")]).answers[0]
    assert isinstance(found, tuple)
    return list(found)


WHOLE = [expected(SMALL, UID), expected(LARGE, UID)]


def test_what_was_built_here_goes_up_once_and_stands_on_every_host(
    store: S3Store, hosts: list[Session], tmp_path: Path
) -> None:
    made = slug(tmp_path / "built")
    shipped = ship_through(store, hosts, request(), made, None)
    assert [stands(tmp_path / f"host{n}", made) for n in range(2)] == [WHOLE, WHOLE]
    assert shipped.blobs == 6 and 0 < shipped.bytes < 20_000
    assert _listed(store) == sorted(keys.layer(one.layer.digest) for one in made.layers)
    assert ship_through(store, hosts, request(), made, None).bytes == 0, "the store has it, and so have the hosts"


def test_what_a_host_has_built_goes_to_the_others_from_there(
    store: S3Store, hosts: list[Session], tmp_path: Path
) -> None:
    made = slug(tmp_path / "built")
    ship_through(store, hosts[:1], request(), made, None)
    store.clear(["layers/"])
    shipped = ship_through(store, hosts, request(), made, hosts[0])
    assert stands(tmp_path / "host1", made) == WHOLE
    assert shipped.bytes > 0 and len(_listed(store)) == 2


def test_a_little_that_is_new_goes_by_ssh_and_a_host_has_the_store_have_all_of_it(
    store: S3Store, hosts: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOYER_CACHE", str(tmp_path / "cache"))
    files: dict[str, File] = {**LARGE, "web.sh": b"#!/bin/sh\n"}
    first = built(layer(tmp_path / "a", "app", files))
    whole = ship_through(store, hosts, request(), first, None)
    second = built(layer(tmp_path / "b", "app", {**files, "web.sh": b"#!/bin/sh\nexec true\n"}))
    changed = ship_through(store, hosts, request(), second, None, first.slug)
    assert changed.blobs == 1 and changed.bytes < 3000 < whole.bytes, (changed, whole)
    assert [tree(tmp_path / f"host{n}" / "apps/shop/layers" / second.layers[0].layer.digest) for n in range(2)] == [
        expected({**files, "web.sh": b"#!/bin/sh\nexec true\n"}, UID)
    ] * 2
    assert len(_listed(store)) == 2
    (tmp_path / "cache" / "manifests" / first.layers[0].layer.digest).unlink()
    third = built(layer(tmp_path / "c", "app", {**files, "web.sh": b"#!/bin/sh\nexec false\n"}))
    assert ship_through(store, hosts, request(), third, None, first.slug).bytes > 3000, "nobody knows what is new in it"
    assert len(_listed(store)) == 3


def test_much_that_is_new_goes_into_the_store(
    store: S3Store, hosts: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOYER_CACHE", str(tmp_path / "cache"))
    first = built(layer(tmp_path / "a", "app", SMALL))
    ship_through(store, hosts, request(), first, None)
    second = built(layer(tmp_path / "b", "app", {**SMALL, "large": os.urandom(1 << 21)}))
    before = [session.sent for session in hosts]
    ship_through(store, hosts, request(), second, None, first.slug)
    assert all(now - then < 3000 for now, then in zip([one.sent for one in hosts], before, strict=True))


def test_an_older_command_ships_nothing(store: S3Store, hosts: list[Session], tmp_path: Path) -> None:
    made = slug(tmp_path / "built")
    ship_through(store, hosts, request(7), made, None)
    with pytest.raises(SeveralHostsFailed, match="has seen lease 7; this command held lease 6"):
        ship_through(store, hosts, request(6), made, None)
