"""Bare `deployer`."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Machine, release
from tests.cli.test_commands import with_dynos

Golden = Callable[[str, str], None]


def test_where_the_app_stands_fits_on_one_screen(deployed: Machine, golden: Golden) -> None:
    golden("commands/status.txt", with_dynos(deployed).shown())
    assert deployed.out.count("\n") <= 24


def test_without_a_space_the_first_command_is_told(machine: Machine) -> None:
    assert machine.run() == 0
    assert "$ deployer spaces:create sandbox" in machine.out


def test_without_an_app_the_next_command_is_create(sandbox: Machine) -> None:
    assert sandbox.run() == 0
    assert "$ deployer create" in sandbox.out


def test_before_the_first_deploy_the_next_command_is_a_push(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run() == 0
    assert "Next: git push deployer main" in sandbox.out


def test_after_a_failed_deploy_its_output_is_next(deployed: Machine) -> None:
    release(deployed.ledger(), {}, "Deploy ffffffff", failed="it failed")
    assert deployed.run() == 0
    assert "Next: deployer releases:output v4" in deployed.out
    assert "Last deploy: v4 by alice@laptop" in deployed.out and ", failed" in deployed.out


def test_with_no_web_dyno_scaling_is_next(deployed: Machine) -> None:
    assert deployed.run() == 0
    assert "Next: deployer ps:scale web=1" in deployed.out
