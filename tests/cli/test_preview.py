"""A price without an account: what `preview` shows in folders of all sorts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]
APP_JSON = {
    "addons": ["heroku-postgresql:hobby-dev", "heroku-kafka:basic-0"],
    "formation": {"web": {"quantity": 2}, "worker": {"quantity": 1, "size": "Standard-2X"}},
}


def with_procfile(machine: Machine, text: str = "web: gunicorn shop\nworker: ./work\nrelease: ./migrate\n") -> Machine:
    (machine.folder / "Procfile").write_text(text)
    (machine.folder / "deployer.toml").write_text('app = "shop"\n')
    return machine


def test_a_folder_with_a_procfile(machine: Machine, golden: Golden) -> None:
    golden("commands/preview.txt", with_procfile(machine).shown("preview"))


def test_a_folder_that_declares_a_formation_and_add_ons(machine: Machine, golden: Golden) -> None:
    (machine.folder / "app.json").write_text(json.dumps(APP_JSON))
    golden("commands/preview-declared.txt", with_procfile(machine).shown("preview"))


def test_a_region_with_prices_of_some_things(machine: Machine, golden: Golden) -> None:
    golden("commands/preview-frankfurt.txt", with_procfile(machine).shown("preview", "--region", "eu-central-1"))


def test_a_region_without_prices_costs_unknown_and_not_nothing(machine: Machine) -> None:
    machine.env["AWS_REGION"] = "sa-east-1"
    assert with_procfile(machine).run("preview") == 0
    [total] = [line for line in machine.out.splitlines() if line.startswith("Sum")]
    assert total.split() == ["Sum", "unknown", "unknown", "unknown"]
    assert "$0.00" not in machine.out
    assert "the sums are without them" in machine.err


def test_an_empty_folder_is_reckoned_with_one_web_dyno(machine: Machine) -> None:
    assert machine.run("preview") == 0
    assert "web=1:Basic (this folder has no Procfile)" in machine.out


def test_an_app_without_web_is_reckoned_with_one_dyno_of_each_type(machine: Machine) -> None:
    assert with_procfile(machine, "worker: ./work\nclock: ./tick\n").run("preview") == 0
    assert "worker=1:Basic clock=1:Basic" in machine.out


def test_json_says_every_line_and_its_source(machine: Machine) -> None:
    assert with_procfile(machine).run("preview", "--json", "--region", "eu-central-1") == 0
    found = json.loads(machine.out)
    assert found["region"] == "eu-central-1"
    assert found["formation"] == {"web": {"quantity": 1, "size": "Basic"}, "worker": {"quantity": 0, "size": "Basic"}}
    for choice in found["choices"]:
        for bill in (choice["aws"], choice["heroku"]):
            known = [line for line in bill["lines"] if line["amount"] is not None]
            assert round(sum(line["amount"] for line in known), 2) == bill["sum"]
            assert bill["unknown"] == len(bill["lines"]) - len(known)
            assert all(line["source"]["title"] and line["source"]["date"] for line in known)
    assert machine.err == ""


@pytest.mark.parametrize(
    ("region", "hint"), [("eu-centrl-1", "Did you mean eu-central-1?"), ("mars", "is no region of AWS.\n")]
)
def test_a_region_that_is_none(region: str, hint: str, machine: Machine) -> None:
    assert machine.run("preview", "--region", region) == 2
    assert hint in machine.err


def test_a_broken_procfile_is_said(machine: Machine) -> None:
    assert with_procfile(machine, "nonsense\n").run("preview") == 1
    assert "The Procfile cannot be read." in machine.err


SPACES = """
app = "shop"
[space.one-host]
region = "us-east-1"
[space.database]
region = "us-east-1"
account = "123456789012"
database = { size = "db.t4g.small", storage = 50 }
budget = { monthly = 60, email = "me@example.com" }
[space.two-hosts]
region = "us-east-1"
hosts = { size = "t4g.medium", count = 2 }
database = { size = "db.t4g.micro", storage = 20 }
load-balancer = true
[space.domain]
region = "us-east-1"
hosts = { size = "t4g.small", count = 2 }
database = { size = "db.t4g.micro", storage = 20 }
load-balancer = true
domain = "example.com"
budget = { monthly = 60, email = "me@example.com" }
access = { ssh-from = ["203.0.113.7"] }
[space.far]
region = "sa-east-1"
hosts = { size = "m7i.large" }
budget = { monthly = 60, email = "me@example.com" }
[space.wrong]
region = "mars"
hosts = { count = 2 }
"""


def with_spaces(machine: Machine) -> Machine:
    with_procfile(machine)
    (machine.folder / "deployer.toml").write_text(SPACES)
    return machine


@pytest.mark.parametrize("space", ["one-host", "database", "two-hosts", "domain", "far", "wrong", "staging"])
def test_a_space_of_deployer_toml(space: str, machine: Machine, golden: Golden) -> None:
    golden(f"commands/preview-space-{space}.txt", with_spaces(machine).shown("preview", "--space", space))


def test_json_of_a_space_has_its_resources(machine: Machine) -> None:
    assert with_spaces(machine).run("preview", "--space", "domain", "--json") == 0
    found = json.loads(machine.out)
    assert found["specification"]["hosts"] == {"size": "t4g.small", "count": 2}
    assert found["budget_left"] == round(60 - found["aws"]["sum"], 2)
    balancer = {"noun": "load balancer", "kind": "ALB", "name": "deployer-domain", "about": "", "when": ""}
    assert balancer in found["resources"]


def test_the_region_of_a_space_is_its_own(machine: Machine) -> None:
    machine.env["AWS_REGION"] = "eu-west-3"
    assert with_spaces(machine).run("preview", "--space", "one-host") == 0
    assert "us-east-1" in machine.out
    assert machine.run("preview", "--space", "one-host", "--region", "eu-west-1") == 2
    assert "stands in deployer.toml" in machine.err
