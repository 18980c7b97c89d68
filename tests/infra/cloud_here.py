"""A cloud on loopback: moto, the stand-in for the AWS provider, and the real `pulumi` command.

Nothing leaves loopback: whatever asks another address over HTTP meets a proxy of ours, which answers nobody and keeps
what it was asked; sockets of this process are watched by tests/conftest.py.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from deployer.build.folders import cache_folder
from deployer.spaces.aws.tools import Tools
from infra.engine import Engine
from tests.infra.gate import Gate
from tests.infra.moto_here import LOOKS, REGION, Mend, moto
from tests.infra.recorder import LOADED
from tests.infra.standin.functions import FUNCTIONS
from tests.infra.standin.kind import client
from tests.infra.standin.kinds import KINDS
from tests.infra.standin.provider import Provider, serving

ROOT = Path(__file__).parent.parent.parent
# `deployer`, but for the cloud that it makes things in.
DEPLOYER = """
import os, sys
from pathlib import Path
from deployer.cli.main import run
from deployer.cli.shell import this_shell
from deployer.spaces.aws.tools import Tools
root, home, endpoint, providers, *words = sys.argv[1:]
env = {"PULUMI_DEBUG_PROVIDERS": providers, "AWS_ENDPOINT_URL": endpoint}
shell = this_shell()
shell.tools = lambda: Tools(Path(root), Path(home), endpoint, env, patience=0.0, arrival=0.0)
status = run(words, shell)
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)
"""


@dataclass
class Cloud:
    """`asked` is what anybody asked of the world outside: nothing. All calls of AWS come through the `gate`."""

    endpoint: str
    provider: Provider
    port: int
    root: Path
    asked: list[str] = field(default_factory=list)
    gate: Gate = field(default_factory=Gate)

    def engine(self, folder: Path) -> Engine:
        """The engine, with its state in a folder."""
        home, state = folder / "home", folder / "state"
        for one in (home, state):
            one.mkdir(exist_ok=True)
        env = {"PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}", "AWS_ENDPOINT_URL": self.endpoint}
        # Without the files that Pulumi puts beside each state: it writes them in place, and a kill leaves half of one.
        return Engine(self.root, f"file://{state}?metadata=skip", "of-tests", home, env)

    def tools(self, folder: Path) -> Tools:
        """What commands make things with, and states in buckets."""
        run = self.engine(folder)
        return Tools(run.root, run.home, self.endpoint, run.env, patience=0.0, arrival=0.0)

    def client(self, service: str, region: str = REGION) -> Any:
        return client(service, region, self.endpoint)

    def there(self, region: str = REGION) -> dict[str, set[str]]:
        """All that is in the account, by kind; what AWS makes by itself is left out."""
        ask = partial(self.client, region=region)
        return {kind: found for kind, look in LOOKS.items() if (found := set(look(ask)))}


@contextmanager
def cloud(at: str = "127.0.0.1", further: Sequence[Mend] = ()) -> Iterator[Cloud]:
    """A cloud with nothing in it but Debian's images. AWS answers `at` an address of this machine; `further` mends of
    moto are those of whoever makes more of it than calls."""
    root, gate = command(), Gate()
    with _trap() as (proxy, asked), pytest.MonkeyPatch.context() as patch, moto(gate, at, further) as endpoint:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, proxy)
            patch.setenv(name.lower(), proxy)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, ",".join(dict.fromkeys(("127.0.0.1", "localhost", at))))
        assert LOADED  # pulumi_aws warns of itself when its modules are first used: not inside a program
        provider = Provider(KINDS, FUNCTIONS, endpoint, version("pulumi-aws"))
        with serving(provider) as port:
            yield Cloud(endpoint, provider, port, root, asked, gate)


def command() -> Path:
    """The folder of the `pulumi` command that scripts/pulumi-command has built."""
    module = (ROOT / "scripts/pulumi/go.mod").read_text()
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", module)
    assert found
    root = cache_folder() / f"pulumi-{found[1]}"
    if not (root / "bin/pulumi").exists():
        pytest.skip("the pulumi command is not there: `make pulumi` builds it where there is a Go toolchain")
    return root


@contextmanager
def _trap() -> Iterator[tuple[str, list[str]]]:
    """A proxy that refuses everything, and keeps what was asked of it."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        over = threading.Event()
        thread = threading.Thread(target=_refuse, args=(listener, over, asked), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            over.set()
            thread.join()


def _refuse(listener: socket.socket, over: threading.Event, asked: list[str]) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(2)
            asked.append(connection.recv(400).decode(errors="replace").partition("\r\n")[0])
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
