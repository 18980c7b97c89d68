"""Commands that are nothing for spaces in AWS say what to do there instead."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.conftest import Machine

COMMANDS = (
    ("hosts:add", "--space", "production"),
    ("hosts:remove", "i-0123", "--space", "production"),
    ("hosts:promote", "i-0123", "--space", "production"),
    ("spaces:start", "production"),
    ("spaces:stop", "production"),
    ("spaces:join", "production"),
    ("spaces:destroy", "production", "--confirm", "production"),
)


def test_each_says_what_to_do_there(machine: Machine, golden: Callable[[str, str], None]) -> None:
    (machine.folder / "deployer.toml").write_text('[space.production]\nregion = "eu-central-1"\n')
    golden("commands/not-in-aws.txt", "\n".join(machine.shown(*words) for words in COMMANDS))
