"""A config var appears nowhere but in the ledger, in the app's own processes, and where somebody asks for it: after
everything that a person does with an app, all of it is searched, on hosts and on the machine of the person."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployer.build.folders import cache_folder
from deployer.model.space import Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.machine import Machine
from tests.hosts.mishaps import Owner, owner

pytestmark = pytest.mark.hosts
APP = "secretive"
HOSTS_DISKS = re.compile(r"/data/sandbox/[^/]+/hosts/")  # searched from within
LARGE = 64 << 20  # bytes
HERE = ("-a", f"hosts/{APP}")
# Says where it finds the value, which it gets in pieces: its own arguments must not hold it.
SEARCH = r"""
import os, subprocess, sys
needle = bytes.fromhex("@NEEDLE@")
def lines(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
def found(where, text):
    if needle in text:
        print(where)
found("the journal", lines("journalctl", "--output=export", "--all", "--no-pager"))
found("systemctl show", lines("systemctl", "show", "--all", "*"))
found("systemctl cat", lines("systemctl", "cat", "*"))
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ", "comm"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                found(f"{name} of a process of uid {os.stat(f'/proc/{pid}').st_uid}", file.read())
        except OSError:
            pass
for top in ("/etc", "/run", "/tmp", "/var", "/root", "/home", "/srv", "/usr/local", "/dev/shm", "/opt"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            try:
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                with open(path, "rb") as file:
                    if needle in file.read():
                        closed = os.stat(path).st_mode & 0o007 == 0  # those of the group are the mask of an ACL
                        print("file", path, "" if closed else "for all to read")
            except OSError:
                pass
"""
ALLOWED = (
    r"environ of a process of uid @UID@",
    rf"file /srv/deployer/store(-copy)?/apps/{APP}/config/[0-9a-f]{{64}} ?",
    rf"file /srv/deployer/dynos/{APP}\.[a-z]+\.\d+\.v\d+/env ?",
    rf"file /run/credentials/deployer-[a-z0-9-]+@?{APP}\.[a-z]+\.\d+\.v\d+\.service/env ?",
)


@dataclass
class Teller:
    """A person, and all that our commands said to them."""

    person: Owner
    said: list[str] = field(default_factory=list)

    def types(self, *words: str, status: int | None = 0, asked_for: bool = False) -> None:
        """Type a command; what it prints is kept, its data not where they were asked for."""
        done = self.person.types("deployer", words[0], *HERE, *words[1:], status=status)
        self.said += [done.stderr] if asked_for else [done.stdout, done.stderr]

    def deploys(self, status: int, **files: str) -> None:
        """Deploy the good app with these files changed."""
        self.person.writes(**files)
        self.types("deploy", "--verbose", status=status)


@pytest.fixture
def ann(space: Pointer, sandbox: Sandbox, tmp_path: Path) -> Iterator[Teller]:
    """A person whose app has a dyno on each host."""
    person = owner(tmp_path / APP, APP, sandbox)
    person.types("deployer", "ps:scale", "web=2", *HERE)
    yield Teller(person)
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


def test_a_config_var_is_nowhere_but_where_it_belongs(ann: Teller, sandbox: Sandbox, home: Path) -> None:
    needle, began = f"needle{secrets.token_hex(12)}", time.time()
    lives(ann, needle)
    assert [part for part in ann.said if needle in part] == []
    uid = only_uid(sandbox)
    allowed = [re.compile(one.replace("@UID@", uid)) for one in ALLOWED]
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            search = SEARCH.replace("@NEEDLE@", needle.encode().hex())
            places = Machine(session).run(f"python3 -c '{quoted(search)}'").splitlines()
        assert [place for place in places if not any(one.fullmatch(place) for one in allowed)] == []
        assert any("/env" in place for place in places), "the search finds what is there"
    assert on_this_machine(needle, began, ann.person.folder.parent, home) == []


def lives(ann: Teller, needle: str) -> None:
    """All that a person does with an app, and all that goes wrong with it."""
    pair = f"TOKEN={needle}"
    ann.types("config:set", pair, "--verbose", asked_for=True)
    ann.types("config:get", "TOKEN", asked_for=True)
    ann.types("run", "-e", f"OTHER={needle}", "--", "sh", "-c", "test $TOKEN = $OTHER")
    ann.types("run:detached", "-e", f"OTHER={needle}", "--", "sleep", "20")
    ann.deploys(0, Procfile='release: test "$TOKEN"\nweb: python server.py\nworker: sleep 1000\n')
    ann.types("ps:scale", "worker=1")
    ann.deploys(1, Procfile="release: exit 3\nweb: python server.py\n")
    ann.deploys(1, Procfile="web: exit 4\n")
    ann.deploys(1, Procfile="web: PORT=8000 python server.py\n")
    ann.deploys(1, requirements_dot_txt="no-such-package-of-ours==1\n")
    ann.types("config:set", f"ANOTHER={needle}", "STATUS=500", status=1)
    ann.types("config:set", f"1BAD={needle}", status=2)
    ann.types("ps:restart", "--verbose")
    ann.types("rollback")
    for words in (("ps",), ("releases",), ("releases:info",), ("apps:info",), ("logs", "-n", "1500"), ("doctor",)):
        asked = words == ("releases:info",)  # which shows them, as Heroku does
        ann.types(*words, status=None, asked_for=asked)
        if words != ("doctor",):
            ann.types(*words, "--json", status=None, asked_for=asked)
    ann.types("ps:scale", "web=banana", status=2)


def only_uid(sandbox: Sandbox) -> str:
    """The user of the app."""
    with connect(sandbox.hosts[0], sandbox.identity) as session:
        return Machine(session).run(f"stat -c %u /srv/deployer/apps/{APP}/blobs/*/* | head -1").strip()


def quoted(program: str) -> str:
    """As it stands between single quotes of a shell."""
    return program.replace("'", "'\\''")


def on_this_machine(needle: str, began: float, folder: Path, home: Path) -> list[str]:
    """Where the value is in files that are newer than the test, hosts' own disks apart, and in processes' words."""
    # Of folders that others fill too, those that were touched since then.
    shared = [
        *Path(tempfile.gettempdir()).iterdir(),
        *cache_folder().glob(f"builds/*/{APP}*"),
        cache_folder() / "manifests",
    ]
    places = [folder, home, *(path for path in shared if path.lstat().st_mtime >= began or APP in path.name)]
    found = [str(path) for place in places for path in newer(place, began) if needle.encode() in content(path)]
    words = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [path for path in found if not HOSTS_DISKS.search(path)] + [
        line for line in words.splitlines() if needle in line
    ]


def newer(place: Path, began: float) -> Iterator[Path]:
    """Files below a folder that changed since then."""
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if not HOSTS_DISKS.search(f"{folder}/{name}/")]
        for name in names:
            path = Path(folder, name)
            with suppress(OSError):
                if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= began:
                    yield path


def content(path: Path) -> bytes:
    """Its bytes; none of what is gone again, or is larger than anything that we write there."""
    with suppress(OSError):
        return path.read_bytes() if path.stat().st_size < LARGE else b""
    return b""
