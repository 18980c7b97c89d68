"""What `spaces:create`, `up` and `down` refuse before anything in AWS is asked."""

from __future__ import annotations

import pytest

from deployer.cli.space_options import described
from tests.cli.conftest import Machine

NONE = dict.fromkeys(
    ("aws_region", "account", "domain", "size", "hosts", "database", "load_balancer", "budget", "email")
)


def test_options_are_what_deployer_toml_would_say() -> None:
    given = {**NONE, "aws_region": "eu-central-1", "hosts": 2, "load_balancer": True, "database": "db.t4g.micro"}
    assert described(given) == {
        "region": "eu-central-1",
        "hosts": {"count": 2},
        "load-balancer": True,
        "database": {"size": "db.t4g.micro"},
    }
    assert described({**NONE, "aws_region": "eu-central-1"}) == {"region": "eu-central-1"}


def test_all_that_is_wrong_in_options_is_told(machine: Machine) -> None:
    assert machine.run("spaces:create", "production", "--region", "mars", "--hosts", "2", "--budget", "60") == 2
    assert "These options describe a space that cannot be:" in machine.err
    for path in ("region", "load-balancer", "budget.email"):
        assert f"space.production.{path}: " in machine.err


@pytest.mark.parametrize(
    "words", [("--region", "eu-central-1", "--port", "8080"), ("--size", "t4g.small"), ("--host", "web1", "--yes")]
)
def test_options_of_two_kinds_of_spaces_are_not_mixed(words: tuple[str, ...], machine: Machine) -> None:
    assert machine.run("spaces:create", "production", *words) == 2
    assert machine.err


def test_a_variable_that_leads_elsewhere_is_refused(machine: Machine) -> None:
    (machine.folder / "deployer.toml").write_text('[space.production]\nregion = "eu-central-1"\n')
    machine.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:4566"
    for words in (("up", "--yes"), ("down", "--confirm", "production")):
        assert machine.run(words[0], "--space", "production", *words[1:]) == 1
        assert "AWS_ENDPOINT_URL leads everything that is meant for AWS to http://127.0.0.1:4566." in machine.err


def test_keeping_data_is_for_spaces_in_aws(sandbox: Machine) -> None:
    assert sandbox.run("down", "sandbox", "--keep-data") == 2
