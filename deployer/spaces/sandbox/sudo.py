"""The line that does the same as root: sudo keeps neither PATH nor the variables that move our folders."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

# Where sudo looks for programs on Debian (`secure_path`).
SECURE_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
MOVES = ("DEPLOYER_HOME", "DEPLOYER_DATA", "DEPLOYER_CACHE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")


def line(words: Sequence[str], program: str, env: Mapping[str, str]) -> str:
    """`sudo deployer WORDS`, with the program's whole path and the variables where sudo would not find it with them."""
    found = Path(program).absolute().with_name("deployer")  # also where git runs us, as git-remote-deployer
    name = found.name if str(found.parent) in SECURE_PATH else str(found)
    moved = [f"{variable}={env[variable]}" for variable in MOVES if env.get(variable)]
    return shlex.join(["sudo", *(["env", *moved] if moved else []), name, *words])
