"""Apps of other shapes than Django with pip: each goes from its folder to real hosts with one command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.person import Person, with_app

pytestmark = pytest.mark.hosts


def deployed(tmp_path: Path, fixture: str, space: Pointer, sandbox: Sandbox) -> Person:
    app = fixture.replace("_", "-")
    person = with_app(tmp_path, fixture, app, sandbox.record.port)
    person.types("deployer", "create", app, "--space", space.name)
    person.types("git", "push", "deployer", "main")
    return person


def test_a_node_app_is_built_pruned_and_served(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> None:
    ada = deployed(tmp_path, "node_express", space, sandbox)
    ada.sees('"app":"node_express"')
    answer = json.loads(ada.asks()[1])
    assert (answer["dyno"], answer["release"], answer["mode"]) == ("web.1", "v2", "production")
    assert answer["node"].startswith("24.")
    listed = ada.types("deployer", "run", "--", "ls", "node_modules").stdout.split()
    assert "express" in listed
    assert "semver" not in listed, "packages that only the build needs are not shipped"
    ada.types("deployer", "apps:destroy", "--confirm", ada.app)


def test_a_django_site_gets_its_assets_from_node(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> None:
    ada = deployed(tmp_path, "node_then_python", space, sandbox)
    ada.sees("Hello from **Django**")
    page = ada.asks()[1]
    asset = re.search(r'"(/[^"]+\.css)"', page)
    assert asset, page
    status, css = ada.asks(asset[1])
    assert (status, "{" in css) == (200, True)
    assert ada.asks("/rendered/")[0] == 200, "Node is there at run time, too"
    buildpacks = ada.types("deployer", "buildpacks").stdout
    assert buildpacks.index("heroku/nodejs") < buildpacks.index("heroku/python")
    ada.types("deployer", "apps:destroy", "--confirm", ada.app)


def test_an_asgi_app_with_a_worker_runs_its_formation(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> None:
    ada = deployed(tmp_path, "fastapi_worker", space, sandbox)
    ada.types("deployer", "ps:scale", "worker=1")
    ada.types("deployer", "config:set", "GREETING=hello you")
    assert json.loads(ada.asks("/env/GREETING")[1]) == {"GREETING": "hello you"}
    dynos = json.loads(ada.types("deployer", "ps", "--json").stdout)
    assert {dyno["name"]: dyno["state"] for dyno in dynos} == {"web.1": "up", "worker.1": "up"}
    lines = ada.types("deployer", "logs", "-p", "worker", "-s", "app").stdout.splitlines()
    assert lines
    assert all("app[worker.1]:" in line for line in lines)
    ada.types("deployer", "apps:destroy", "--confirm", ada.app)
