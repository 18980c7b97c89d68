"""Deploys of a one-line change beside `rsync && systemctl restart && curl until 200`, in pairs on the same host.

Both run the same Django app with gunicorn over plain SSH; the baseline has downtime by its nature. An outside client
asks every few milliseconds which version answers: `live` is from the command's start until it sees the new one,
`returned` until the command ends (old dynos drained and gone). Prints medians and the ratio pair by pair.
"""

from __future__ import annotations

import argparse
import compileall
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deployer.build.folders import cache_folder
from deployer.model.events import Event
from deployer.operations import spaces
from deployer.operations.spaces import Wanted
from deployer.spaces.sandbox.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
APP = "bench"
PLAIN_PORT = 6001
PLAIN_UNIT = f"""[Service]
User=nobody
WorkingDirectory=/opt/plain/app
Environment=PYTHONPATH=/opt/plain/dependencies PORT={PLAIN_PORT} PYTHONUNBUFFERED=1 WEB_CONCURRENCY=2
ExecStart=/usr/bin/python3 -m gunicorn config.wsgi --bind 0.0.0.0:{PLAIN_PORT} --worker-tmp-dir /tmp
Restart=always
"""


@dataclass
class Run:
    """The seconds of one deploy, and what users of the app saw of it."""

    live: float
    returned: float
    asked: int
    failed: int


@dataclass
class Client:
    """Somebody outside who asks again and again; remembers when an answer first held a text."""

    port: int
    host: str
    asked: int = 0
    failed: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[Client]:
        thread = threading.Thread(target=self._ask, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            self.asked += 1
            try:
                status, body = self.once()
            except OSError:
                status, body = 0, ""
            if status == 200:
                self.seen.setdefault(body, time.monotonic())
            else:
                self.failed += 1
            time.sleep(0.004)

    def once(self) -> tuple[int, str]:
        address, _, _ = self.host.partition(":")
        connection = http.client.HTTPConnection(address, self.port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": f"{APP}.localhost"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def first(self, text: str, patience: float = 30.0) -> float:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for body, when in list(self.seen.items()):
                if text in body:
                    return when
            time.sleep(0.002)
        raise TimeoutError(f"{text} never came")


class Site:
    """The app's folder; every change makes a new greeting, of another length (rsync compares sizes and seconds)."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "tests/apps/python_django", folder)
        self.folder = folder
        self.views = folder / "blog/views.py"
        self.text = self.views.read_text()
        procfile = folder / "Procfile"
        procfile.write_text("".join(line for line in procfile.open() if not line.startswith("release")))
        self.count = 0

    def change(self) -> str:
        self.count += 1
        greeting = f"Greeting{'!' * self.count}."
        self.views.write_text(self.text.replace("Hello", greeting))
        return greeting


def timed(client: Client, greeting: str, work: Callable[[], object]) -> Run:
    """Run a deploy while the client asks."""
    with client.asking():
        begun = time.monotonic()
        work()
        returned = time.monotonic() - begun
        live = client.first(greeting) - begun
    return Run(live, returned, client.asked, client.failed)


class Bench:
    """A sandbox with one host, the app deployed both ways."""

    def __init__(self, folder: Path) -> None:
        spaces.create(Wanted("bench", "debian-13"), ignore)
        self.sandbox: Sandbox = spaces.sandbox_of("bench")
        self.host = self.sandbox.hosts[0]
        self.site = Site(folder / "site")
        self.known = folder / "known_hosts"
        self.known.write_text(f"{self.host.address} {self.host.host_key}\n")
        options = f"-o UserKnownHostsFile={self.known} -o IdentitiesOnly=yes"
        self.ssh = f"ssh -i {self.sandbox.identity} {options}"
        self.target = f"root@{self.host.address}"

    def prepare(self) -> None:
        self.deployer("create", APP, "--space", "bench", "--no-remote")
        self.deployer("deploy", "-a", f"bench/{APP}")
        self.shell("mkdir -p /opt/plain/dependencies && cp -r /srv/deployer/apps/*/layers/*/app/.heroku/python/lib/"
                   "python3*/site-packages/. /opt/plain/dependencies/ && chmod -R a+rX /opt/plain")  # fmt: skip
        self.shell(f"cat > /etc/systemd/system/plain.service <<'END'\n{PLAIN_UNIT}END\nsystemctl daemon-reload")
        self.plain("Hello")

    def deployer(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(Path(sys.executable).parent / "deployer"), *words]
        return subprocess.run(command, cwd=self.site.folder, check=True, capture_output=True)

    def shell(self, text: str) -> None:
        subprocess.run([*self.ssh.split(), self.target, text], check=True, stdout=subprocess.DEVNULL)

    def plain(self, greeting: str) -> None:
        """The baseline, as a person would type it: two connections, then ask until the new version answers."""
        source = f"{self.site.folder}/"
        copy = ["rsync", "-a", "--delete", "--exclude=.git", "-e", self.ssh, source, f"{self.target}:/opt/plain/app/"]
        subprocess.run(copy, check=True)
        self.shell("systemctl restart plain")
        client = Client(PLAIN_PORT, self.host.address)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if greeting in client.once()[1]:
                    return
            except OSError:
                pass
            time.sleep(0.004)
        raise TimeoutError("the baseline never came up")

    def pair(self) -> tuple[Run, Run]:
        greeting = self.site.change()
        plain = timed(Client(PLAIN_PORT, self.host.address), greeting, lambda: self.plain(greeting))
        greeting = self.site.change()
        client = Client(self.sandbox.record.port, "127.0.0.1")
        return plain, timed(client, greeting, lambda: self.deployer("deploy", "-a", f"bench/{APP}"))

    def unchanged(self) -> float:
        begun = time.monotonic()
        self.deployer("deploy", "-a", f"bench/{APP}")
        return time.monotonic() - begun


def ignore(event: Event) -> None:
    """A `tell` that hears nothing."""


def report(pairs: list[tuple[Run, Run]], unchanged: list[float]) -> str:
    """The table."""
    plain, ours = [p for p, _ in pairs], [o for _, o in pairs]
    rows = [
        ("one-line change, new version live", [p.live for p in plain], [o.live for o in ours]),
        ("one-line change, command returned", [p.returned for p in plain], [o.returned for o in ours]),
    ]
    lines = [
        f"{'':36} {'rsync + restart':>16} {'deployer':>10} {'ratio':>7}   (medians of {len(pairs)} pairs, seconds)"
    ]
    for name, theirs, own in rows:
        ratio = statistics.median(o / t for o, t in zip(own, theirs, strict=True))
        lines.append(f"{name:36} {statistics.median(theirs):>16.2f} {statistics.median(own):>10.2f} {ratio:>7.2f}")
    asked = f"{sum(r.failed for r in plain)} of {sum(r.asked for r in plain)}"
    lines.append(
        f"{'requests failed meanwhile':36} {asked:>16} {sum(r.failed for r in ours):>3} of {sum(r.asked for r in ours)}"
    )
    lines.append(f"{'nothing changed':36} {'':>16} {statistics.median(unchanged):>10.2f}")
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=7)
    pairs = arguments.parse_args().pairs
    compileall.compile_dir(ROOT / "deployer", quiet=1)  # as an installation has it, whatever the environment says
    compileall.compile_dir(ROOT / "buildpacks", quiet=1)
    with tempfile.TemporaryDirectory(prefix="deployer-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        os.environ.update(
            DEPLOYER_CACHE=str(cache_folder()), DEPLOYER_HOME=str(folder / "home"), DEPLOYER_DATA=str(folder / "data")
        )
        try:
            bench = Bench(folder)
            bench.prepare()
            bench.pair()  # warms both up
            print(report([bench.pair() for _ in range(pairs)], [bench.unchanged() for _ in range(3)]))
        finally:
            spaces.destroy("bench", ignore)


if __name__ == "__main__":
    main()
