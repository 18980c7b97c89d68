"""Who may open this host: people's public keys, which are all that root's `authorized_keys` holds."""

from __future__ import annotations

import re
from pathlib import Path

from deployer.host import files
from deployer.host.paths import Paths
from deployer.model.joining import Access

# What begins otherwise could be an option: a command that is run, or an environment.
KEY = re.compile(r"((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3})(?: .*)?")


def render(access: Access) -> str:
    """The file's text: a line for each key, with whose it is as its comment. What is no key is left out."""
    found = ((KEY.fullmatch(line.strip()), name) for name, line in sorted(access.keys.items()))
    return "".join(f"{key[1]} {re.sub(r'[^!-~]+', ' ', name)}\n" for key, name in found if key)


def let_in(paths: Paths, access: Access) -> bool:
    """Let exactly these keys in as root; whether that changed anything. What cloud-init wrote there goes."""
    folder = file_of(paths).parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return files.write(file_of(paths), render(access).encode(), 0o600)


def file_of(paths: Paths) -> Path:
    """root's file."""
    return paths.system / "root/.ssh/authorized_keys"
