"""The line that a person without root is told to type."""

from __future__ import annotations

import pytest

from deployer.spaces.sandbox.sudo import line

HOME = {"HOME": "/home/ada", "LANG": "C"}


@pytest.mark.parametrize(
    ("program", "env", "said"),
    [
        ("/usr/bin/deployer", HOME, "sudo deployer spaces:stop box"),
        ("/home/ada/.local/bin/deployer", HOME, "sudo /home/ada/.local/bin/deployer spaces:stop box"),
        ("/home/ada/.local/bin/git-remote-deployer", HOME, "sudo /home/ada/.local/bin/deployer spaces:stop box"),
        ("/home/a b/deployer", HOME, "sudo '/home/a b/deployer' spaces:stop box"),
        (
            "/usr/bin/deployer",
            {**HOME, "DEPLOYER_HOME": "/home/ada/here", "XDG_DATA_HOME": ""},
            "sudo env DEPLOYER_HOME=/home/ada/here deployer spaces:stop box",
        ),
    ],
)
def test_sudo_finds_the_program_and_the_folders(program: str, env: dict[str, str], said: str) -> None:
    assert line(("spaces:stop", "box"), program, env) == said
