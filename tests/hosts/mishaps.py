"""An app that something goes wrong with: a small server, and what must be as it was when the mishap is over."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deployer.operations import phases
from deployer.operations.session import open_space
from deployer.spaces import pointers
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.person import Person

SERVER = """
import http.server, json, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = json.dumps({os.fsdecode(key): value.hex() for key, value in os.environb.items()})
        body = told if self.path == "/env" else "GREETING from " + os.environ["HEROKU_RELEASE_VERSION"]
        self.send_response(int(os.environ.get("STATUS", "200"))); self.end_headers(); self.wfile.write(body.encode())
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Answer).serve_forever()
"""
QUICK = '{"healthchecks": {"timeout": 3}}'
ANOTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
GOOD = {"server.py": SERVER, "requirements.txt": "", "Procfile": "web: python server.py\n", "app.json": QUICK}


@dataclass
class Owner(Person):
    """A person whose app serves."""

    space: str = "hosts"

    def writes(self, **files: str | None) -> None:
        """Make the folder the good app with these files changed (None: gone); `__` is a slash, `_dot_` a dot."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if ".git" not in path.relative_to(self.folder).parts:
                path.rmdir() if path.is_dir() else path.unlink()
        changed = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
        for name, text in {**GOOD, **changed}.items():
            if text is not None:
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                path.chmod(0o755)

    def deploys(self, status: int = 0, **files: str | None) -> str:
        """Deploy the good app with these files changed; what was said on standard error."""
        self.writes(**files)
        return self.types("deployer", "deploy", "-a", f"{self.space}/{self.app}", status=status).stderr

    def is_refused(self, *words: str, says: tuple[str, ...], status: int = 1, stdin: bytes = b"") -> str:
        """Type a command that must fail in these words and change nothing; all that it said on standard error."""
        with self.unchanged():
            said = self.types(*words, status=status, stdin=stdin).stderr
        for text in says:
            assert text in said, f"`{text}` is not in:\n{said}"
        return said

    def fails_to_deploy(self, *says: str, **files: str | None) -> None:
        """Deploy what cannot work: said in these words, and that the release before serves on."""
        self.writes(**files)
        current = self.current
        said = self.is_refused("deployer", "deploy", "-a", f"{self.space}/{self.app}", says=says)
        self.told_still_serving(said, current)

    def told_still_serving(self, said: str, release: int) -> None:
        """Whether the last line says that this release serves, where, and what to type next."""
        last = said.strip().splitlines()[-1]
        assert f"v{release} still serving at http://{self.app}.localhost:{self.port}/" in last, said
        assert f"Next: `deployer releases -a {self.app}`" in last, said

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """After the block the app is what it was before, and answers."""
        before = self.looks()
        yield
        assert self.looks() == before
        self.sees(f"GREETING from v{before['current']}")

    @property
    def current(self) -> int:
        """The number of the release that serves."""
        return int(self.looks()["current"])

    @property
    def newest(self) -> int:
        """The number of the newest release, whether it serves or failed."""
        with open_space(pointers.load(self.space)) as space:
            return space.ledger.releases(self.app, 1)[0].release.number

    def looks(self) -> dict[str, Any]:
        """What must not change: the current release, its config vars and formation, an operation in the middle, the
        dynos on hosts and what lies there of others."""
        with open_space(pointers.load(self.space)) as space:
            state = space.ledger.state(self.app)
            assert state is not None
            present = phases.survey(space, self.app).present
            return {
                "current": state.current.release if state.current else 0,
                "config": state.config,
                "formation": state.app.formation,
                "operation": state.operation,
                "traces": traces(Path(pointers.load(self.space).folder or ""), self.app),
                "dynos": sorted((p.dyno.instance, p.session.host.id, p.port, p.state) for p in present),
            }


def owner(folder: Path, app: str, sandbox: Sandbox) -> Owner:
    """A person whose app serves, with one web dyno."""
    folder.mkdir()
    person = Owner(folder, app, sandbox.record.port, space=sandbox.record.name)
    person.types("deployer", "create", app, "--space", sandbox.record.name, "--no-remote")
    person.deploys()
    person.sees("GREETING")
    return person


def traces(folder: Path, app: str) -> list[str]:
    """What the hosts of the sandbox in `folder` have on disk of an app's dynos and of shipments that did not arrive."""
    halves = (f"srv/deployer/apps/{app}/{place}/*" for place in ("incoming", "at-work", "staged.json"))
    hosts = folder / "hosts"
    found = (path for p in (f"srv/deployer/dynos/{app}.*", *halves) for path in hosts.glob(f"*/{p}"))
    return sorted(str(path.relative_to(hosts)) for path in found)


def until_read(process: subprocess.Popen[bytes], text: str) -> str:
    """Read what a command says on standard error until it has said this; all of it so far."""
    assert process.stderr
    seen = b""
    while text.encode() not in seen:
        fresh = os.read(process.stderr.fileno(), 1 << 16)
        assert fresh, seen.decode()
        seen += fresh
    return seen.decode()


@contextmanager
def another_key_in_ledger() -> Iterator[None]:
    """The ledger knows the second host by a key that is not its own. The space is open meanwhile: what is written needs
    both hosts."""
    with open_space(pointers.load("hosts")) as space:
        host = space.ledger.hosts()[1]
        space.ledger.save_host(replace(host, host_key=ANOTHER_KEY))
        try:
            yield
        finally:
            space.ledger.save_host(host)
