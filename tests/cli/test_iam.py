"""`iam:policy`: each role's policy word for word, and what it does not take."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from deployer.spaces.aws.roles import Role
from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]
HERE = ("--space", "production", "--account", "123456789012", "--region", "eu-central-1")


@pytest.mark.parametrize("role", Role)
def test_a_role_in_one_space(role: Role, machine: Machine, golden: Golden) -> None:
    golden(f"iam/{role}-production.json", policy(machine, role, *HERE))


@pytest.mark.parametrize("role", Role)
def test_a_role_everywhere(role: Role, machine: Machine, golden: Golden) -> None:
    golden(f"iam/{role}.json", policy(machine, role))


def policy(machine: Machine, *words: str) -> str:
    """What it prints: a policy and nothing else."""
    assert machine.run("iam:policy", *words) == 0
    assert not machine.err
    assert json.loads(machine.out)["Version"] == "2012-10-17"
    return machine.out


def test_a_role_that_there_is_not_is_named_with_those_that_there_are(machine: Machine) -> None:
    assert machine.run("iam:policy", "admin") == 2
    assert "'admin' is not one of 'owner', 'deployer', 'preview', 'ci', 'hosts'." in machine.err
    assert machine.run("iam:policy") == 2
    assert all(role in machine.err for role in Role)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--space", "No_Space"), "`No_Space` cannot name a space."),
        (("--account", "12345"), "`12345` is no account of AWS: it has 12 digits."),
        (("--region", "eu-centrl-1"), "`eu-centrl-1` is no region of AWS. Did you mean eu-central-1?"),
    ],
)
def test_what_cannot_be_is_named(words: tuple[str, ...], said: str, machine: Machine) -> None:
    assert machine.run("iam:policy", "owner", *words) == 2
    assert said in machine.err
    assert not machine.out
