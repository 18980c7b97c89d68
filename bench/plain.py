"""The baseline, as a person without deployer does it: rsync, systemctl restart, curl until the new version answers.

It has downtime by its nature. On several hosts it works on all at the same time.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from uv import find_uv_bin

from bench.client import PATIENCE, Client
from bench.place import Place, run
from deployer.model.space import Host

PORT = 6001
UNIT = f"""[Service]
User=nobody
WorkingDirectory=/opt/plain/app
EnvironmentFile=/opt/plain/env
Environment=PYTHONPATH=/opt/plain/dependencies PORT={PORT} PYTHONUNBUFFERED=1 WEB_CONCURRENCY=2
ExecStart=/usr/bin/python3 -m gunicorn config.wsgi --bind 0.0.0.0:{PORT} --worker-tmp-dir /tmp
Restart=always
"""
MIGRATE = (
    "cd /opt/plain/app && set -a && . /opt/plain/env && "
    "PYTHONPATH=/opt/plain/dependencies python3 manage.py migrate --noinput"
)


class Plain:
    """The same app on the same hosts, beside deployer's."""

    def __init__(self, place: Place, source: Path) -> None:
        self.place = place
        self.source = source
        self.dependencies = place.folder / "dependencies"

    def install(self, env: dict[str, str]) -> None:
        """The unit and its environment, on every host."""
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in env.items())
        words = (
            "mkdir -p /opt/plain/app /opt/plain/dependencies; "
            f"printf %s {shlex.quote(text)} > /opt/plain/env; "
            f"printf %s {shlex.quote(UNIT)} > /etc/systemd/system/plain.service; systemctl daemon-reload"
        )
        self._everywhere(lambda way: self.place.shell(way, words))

    def fetch_dependencies(self, app: str) -> None:
        """Take what deployer's build installed last, byte code included, so that both run the same."""
        layers = f"/srv/deployer/apps/{app}/layers"
        newest = f"$(ls -td {layers}/*/app/.heroku/python/lib/python3*/site-packages | head -1)"
        way = self.place.hosts[0]
        self.dependencies.mkdir(exist_ok=True)
        folder = self.place.shell(way, f"echo {newest}").strip()
        self._rsync(way, f"root@{way.address}:{folder}/", f"{self.dependencies}/")

    def deploy(self, greeting: str, *, migrate: bool = False, dependencies: bool = False) -> None:
        """Copy, restart, and ask until every host answers with the greeting."""

        def one(way: Host) -> None:
            target = f"root@{way.address}:/opt/plain"
            self._rsync(way, f"{self.source}/", f"{target}/app/", "--exclude=.git")
            if dependencies:
                self._rsync(way, f"{self.dependencies}/", f"{target}/dependencies/")
            first = migrate and way is self.place.ways[0]
            self.place.shell(way, f"{MIGRATE} && systemctl restart plain" if first else "systemctl restart plain")

        self._everywhere(one)
        self.wait_for(greeting)

    def configure(self, line: str, greeting: str) -> None:
        """Add a line to the environment, and restart."""
        words = f"echo {shlex.quote(line)} >> /opt/plain/env && systemctl restart plain"
        self._everywhere(lambda way: self.place.shell(way, words))
        self.wait_for(greeting)

    def deploy_with_dependencies(self, greeting: str) -> None:
        """Install what requirements.txt names for the hosts' Python, and deploy all of it. What is copied is what
        `fetch_dependencies` brought: it has byte code, too."""
        folder, requirements = self.place.folder / "installed", self.source / "requirements.txt"
        python = ["--python-version", "3.13", "--only-binary", ":all:"]
        words = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(folder), *python, "-r", str(requirements)]
        run(words)
        shutil.rmtree(folder)
        self.deploy(greeting, dependencies=True)

    def clients(self) -> list[Client]:
        """One for each host."""
        return [Client(host.address, PORT, "plain") for host in self.place.hosts]

    def wait_for(self, greeting: str) -> None:
        """curl until 200, on every host."""
        deadline = time.monotonic() + PATIENCE
        for client in self.clients():
            while True:
                try:
                    if greeting in client.once()[1]:
                        break
                except OSError:
                    pass
                if time.monotonic() > deadline:
                    raise TimeoutError("the baseline never came up")
                time.sleep(0.004)

    def _rsync(self, way: Host, source: str, target: str, *options: str) -> None:
        ssh = shlex.join(self.place.ssh(way))
        run(["rsync", "-a", "--delete", *options, "-e", ssh, source, target], env=dict(os.environ))

    def _everywhere(self, work: Callable[[Host], object]) -> None:
        ways: Sequence[Host] = self.place.ways
        if len(ways) == 1:
            work(ways[0])
            return
        with ThreadPoolExecutor(len(ways)) as threads:
            list(threads.map(work, ways))
