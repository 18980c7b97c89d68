"""Shipping to agents that are child processes: what arrives, what it costs, what happens where it goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployer.errors.host import HostDiskFull, ShipmentRefused, Superseded
from deployer.remote.agent import Session
from deployer.ship.remembered import Remembered
from deployer.ship.ship import Shipped, ship
from tests.remote.agents_here import session_here
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")

UID = 20007
FILES: dict[str, File] = {
    "web.sh": b"#!/bin/sh\nexec python3 -m http.server $PORT\n",
    "static/big": os.urandom(300_000),
    "static/again": b"the same twice",
    "static/twice": b"the same twice",
    "bin/python": "/usr/bin/python3",
    "with\nnewline": b"",
    "tmp": None,
}


def test_a_layer_stands_on_the_host_as_it_was_built(tmp_path: Path, session: Session) -> None:
    slug = built(layer(tmp_path / "app", "app", FILES))
    shipped = ship([session], "shop", UID, 1, slug, None, remembered=Remembered(tmp_path / "cache"))
    stands = tmp_path / "host/apps/shop/layers" / slug.slug.layers[0].digest
    assert tree(stands) == expected(FILES, UID)
    assert shipped.blobs == 5
    assert shipped.bytes > 300_000
