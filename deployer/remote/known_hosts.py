"""Host keys that the user knows already: OpenSSH's known_hosts files, and one of ours for those accepted through us.

`ssh-keygen -F` reads them: hashed names and all. Keys are OpenSSH lines, `ssh-ed25519 AAAA...`."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deployer.build import folders


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key and the file that has it."""

    key: str
    file: str


def lookup(name: str, files: Iterable[str]) -> list[KnownKey]:
    """The keys of a host by its name in known_hosts (`web1`, `[web1]:2222`), in the order of the files."""
    found = []
    for file in files:
        if Path(file).is_file():
            words = ["ssh-keygen", "-F", name, "-f", file]
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            found += [KnownKey(key, file) for key in parse(done.stdout)]
    return found


def parse(printed: str) -> list[str]:
    """Keys out of `NAME KIND KEY [COMMENT]` lines; revoked ones and authorities do not count."""
    lines = [line.split() for line in printed.splitlines() if line and not line.startswith(("#", "@"))]
    return [" ".join(words[1:3]) for words in lines if len(words) >= 3]


def own_file() -> str:
    """Ours."""
    return str(folders.config_folder() / "known_hosts")


def remember(name: str, key: str) -> None:
    """Add a key that the user has accepted to our file."""
    path = Path(own_file())
    folders.make(path.parent)
    with path.open("a") as file:
        file.write(f"{name} {key}\n")
    folders.hand_over(path)


def fingerprint(key: str) -> str:
    """As OpenSSH prints it: `SHA256:...`."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def kind_of(key: str) -> str:
    """`ED25519` of `ssh-ed25519 AAAA...`."""
    name = key.split()[0]
    return name.removeprefix("ssh-").removeprefix("ecdsa-sha2-").upper() if "nistp" not in name else "ECDSA"
