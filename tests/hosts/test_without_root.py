"""A person who is not root: the sandbox is made with sudo, everything else works without."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployer.build import platform_image
from deployer.model import platforms
from deployer.spaces.sandbox import sandbox as sandboxes
from deployer.spaces.sandbox.record import tag_of
from tests.hosts.conftest import ignore
from tests.hosts.person import NAMES, Person
from tests.hosts.sweep import new_folder

pytestmark = pytest.mark.hosts

ROOT = Path(__file__).parents[2]
UID = 61_234  # nobody has it: no entry in /etc/passwd, no group, no home but the one below
DROPPED = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs")


@dataclass
class Ada:
    """`home` belongs to UID; commands run as that uid, or as root the way sudo would run them."""

    home: Path

    @property
    def person(self) -> Person:
        """Without root; commands are typed behind DROPPED."""
        env = {
            "HOME": str(self.home),
            "USER": "ada",
            "LOGNAME": "ada",
            "PATH": f"{self.home}/bin:/usr/bin:/bin",
            **self._folders(),
            **NAMES,
        }
        return Person(self.home / "quiet", "quiet", 0, env)

    def types(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.person.types(*DROPPED, *words, status=status)

    def sudo(self, *words: str) -> None:
        env = {"SUDO_UID": str(UID), **self._folders()}
        Person(self.home, "quiet", 0, env).types(str(self.home / "bin/deployer"), *words)

    def _folders(self) -> dict[str, str]:
        return {f"DEPLOYER_{name}": str(self.home / name.lower()) for name in ("HOME", "DATA", "CACHE")}


@pytest.fixture
def ada(home: Path) -> Iterator[Ada]:
    """A home in which there is a small app, and the platform image for its builds: making one takes a minute."""
    platform = platforms.parse("debian-13")
    images = [platform_image.ensure(platform, kind, ignore) for kind in ("build", "host")]
    with new_folder() as own:
        yield from _settled(own, images)


def _settled(own: Path, images: Sequence[Path]) -> Iterator[Ada]:
    app = own / "quiet"
    (own / "cache/platforms").mkdir(parents=True)
    app.mkdir()
    write_commands(own / "bin")
    (app / "Procfile").write_text("web: python -m http.server $PORT\n")
    (app / "requirements.txt").write_text("")
    (app / "index.html").write_text("quiet\n")
    mounted = [own / "cache/platforms" / image.name for image in images]
    for path in (own, app, own / "cache", own / "cache/platforms", *app.iterdir()):
        os.chown(path, UID, UID)
    try:
        for image, place in zip(images, mounted, strict=True):
            place.mkdir()
            subprocess.run(["mount", "--bind", image, place], check=True)
        yield Ada(own)
    finally:
        for folder in own.glob("data/sandbox/*"):
            sandboxes.destroy(folder)
        for place in mounted:
            subprocess.run(["umount", place], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", own], check=True)


def write_commands(folder: Path) -> None:
    """The commands, for a Python that everybody may run: this one may lie in root's home."""
    start = f"import sys; sys.path[:0] = {[str(ROOT), *site.getsitepackages()]}; from deployer.cli"
    able = [python for python in (sys.executable, "/usr/bin/python3") if _imports(python, f"{start} import load")]
    if not able:
        pytest.skip("no Python that another user could run has what deployer imports")
    folder.mkdir()
    for name, module in (("deployer", "main"), ("git-remote-deployer", "git_remote")):
        (folder / name).write_text(f"#!{able[0]}\n{start}.{module} import run; sys.exit(run())\n")
        (folder / name).chmod(0o755)


def _imports(python: str, program: str) -> bool:
    # Through a shell: setpriv itself may still reach into root's home.
    words = [*DROPPED, "sh", "-c", 'exec "$@"', "sh", python, "-c", program]
    return subprocess.run(words, cwd="/", check=False, capture_output=True).returncode == 0


def test_a_sandbox_is_made_with_sudo_and_used_without(ada: Ada) -> None:
    refused = ada.types("deployer", "spaces:create", "quietly", status=1)
    assert f"Type: sudo env DEPLOYER_HOME={ada.home}/home" in refused.stderr
    assert f"{ada.home}/bin/deployer spaces:create quietly" in refused.stderr
    ada.sudo("spaces:create", "quietly")
    key = next(ada.home.glob("data/sandbox/*/id_ed25519")).stat()
    assert (key.st_uid, key.st_mode & 0o777) == (UID, 0o600)
    ada.types("git", "init", "-q", "-b", "main")
    ada.types("deployer", "create", "quiet")
    ada.types("git", "add", "-A")
    ada.types("git", "commit", "-q", "-m", "Say nothing")
    ada.types("git", "push", "deployer", "main")
    url = json.loads(ada.types("deployer", "spaces:info", "--json").stdout)["url"]
    front = Person(ada.home, "quiet", int(url.rstrip("/").rpartition(":")[2]))
    front.sees("quiet")
    assert ada.types("deployer", "run", "id", "-un").stdout.strip() != "root"
    assert "web.1: up" in ada.types("deployer", "ps").stdout
    stopped = ada.types("deployer", "spaces:stop", status=1)
    assert "deployer spaces:stop quietly" in stopped.stderr
    assert front.asks()[0] == 200
    ada.sudo("spaces:stop", "quietly")
    down = ada.types("deployer", "ps", status=1)
    assert "deployer spaces:start quietly" in down.stderr


def test_a_sandbox_whose_folder_was_deleted_is_forgotten_and_nothing_of_it_runs_on(ada: Ada) -> None:
    ada.sudo("spaces:create", "quietly")
    folder = next(ada.home.glob("data/sandbox/*"))
    subprocess.run(["rm", "-rf", folder], check=True)
    assert "spaces:destroy quietly" in ada.types("deployer", "hosts", status=1).stderr
    assert "sudo" in ada.types("deployer", "spaces:destroy", "quietly", status=1).stderr
    ada.sudo("spaces:destroy", "quietly", "--confirm", "quietly")
    assert json.loads(ada.types("deployer", "spaces", "--json").stdout) == []
    tag = tag_of(folder)
    left = [path for place in ("/run/netns", "/sys/class/net") for path in Path(place).glob(f"dpl{tag}*")]
    assert left + list(Path("/sys/fs/cgroup").glob(f"**/dpl{tag}*")) == []
