"""Layers from host to host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployer.errors.base import Failure
from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.ship.relay import relay
from deployer.ship.ship import ship
from tests.remote.agents_here import session_here
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root")
REQUEST = {"app": "shop", "token": 1, "uid": 20007}


def host(folder: Path, name: str, agents: Path) -> Session:
    return session_here(folder / name, agents, Host(name, 1, "", "", "none"))


def test_a_host_gets_what_another_one_has(tmp_path: Path, agents: Path) -> None:
    runtime: dict[str, File] = {"bin/tool.sh": os.urandom(700_000), "link": "bin/tool.sh", "empty": None}
    code: dict[str, File] = {"web.py": b"print()", "none": b""}
    made = built(layer(tmp_path / "a", "runtime", runtime), layer(tmp_path / "b", "app", code))
    with host(tmp_path, "h1", agents) as first, host(tmp_path, "h2", agents) as second:
        ship([first], "shop", 20007, 1, made, None)
        digests = [one.digest for one in made.slug.layers]
        relay(first, second, REQUEST, [*digests, "0" * 64])
        for digest, files in zip(digests, (runtime, code), strict=True):
            assert tree(tmp_path / "h2/apps/shop/layers" / digest) == expected(files, 20007)
        before = second.sent
        relay(first, second, REQUEST, digests)
        assert second.sent - before < 1000, "what is there already is not sent again"


def test_nothing_is_given_by_a_name_that_leads_elsewhere(tmp_path: Path, agents: Path) -> None:
    with host(tmp_path, "h1", agents) as first:
        for request in ({"app": "../shop", "layers": []}, {"app": "shop", "layers": ["../x"]}):
            with pytest.raises(Failure):
                first.call("give", request)
