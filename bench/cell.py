"""Changes of one app on some hosts with some latency: ours and the baseline in turns, on the same hosts."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.client import Client, Run, timed
from bench.place import NAME, Place, run
from bench.plain import Plain
from bench.report import Row, Section, alone, failed, paired, profile_rows
from bench.site import RAISED, Site, raised_version

STEP = re.compile(r"^ +([a-z][a-z ]*): (\d+\.\d+) s(?:, (\d+) bytes sent)?$", re.MULTILINE)
ONE_LINE = 1.0  # budget, of the baseline's time
UNCHANGED = 1.0  # seconds, on one host
BYTES = 10_000  # of a one-line change, to one host
RAISED_BYTES = 2.0  # of the package's compressed size


@dataclass(frozen=True, slots=True)
class Counts:
    """How often what is measured. `brief`: only one-line changes and the deploy that changes nothing."""

    one_line: int
    others: int
    brief: bool = False


class Cell:
    """One app on a place, deployed both ways."""

    def __init__(self, place: Place, latency: float, counts: Counts) -> None:
        self.place, self.counts = place, counts
        self.hosts = len(place.hosts)
        self.app = f"site-{self.hosts}-{round(latency * 1000)}"
        self.here = ("-a", f"{NAME}/{self.app}")
        title = f"{self.hosts} host{'s' * (self.hosts > 1)}, {latency * 1000:.0f} ms of latency"
        self.section = Section(title)
        self.profile = Section(f"One line by step: {title}")
        self.folder = place.folder / self.app
        self.folder.mkdir()
        self.site = Site(self.folder / "site")
        self.plain = Plain(place, self.site.folder)
        self.versions = ["Hello"]

    def measure(self) -> None:
        """All rows of `section`, and the steps of a one-line change for `profile`."""
        section = self.section
        section.rows.append(self._first())
        section.rows += self._one_line("one line", profiled=True)
        unchanged = [self._seconds(self._deploy) for _ in range(self.counts.others)]
        section.rows.append(alone("nothing changed", unchanged, UNCHANGED if self.hosts == 1 else None))
        self._set_release_line(True)
        section.rows += self._one_line("one line, with migrate")
        self._set_release_line(False)
        if not self.counts.brief:
            section.rows += self._raised()
            section.rows.append(self._config())
            section.rows += self._rollback()
            section.rows.append(self._scaled())

    def close(self) -> None:
        """The app and its folder go."""
        self.place.deployer("apps:destroy", *self.here, "--confirm", self.app)
        shutil.rmtree(self.folder)

    def _first(self) -> Row:
        """The app with its database, deployed, with one dyno for all routers; then the same site the other way,
        dependencies included. From then on each host has a dyno."""
        self.place.deployer("create", self.app, "--space", NAME, "--no-remote")
        self.place.deployer("addons:create", "heroku-postgresql:essential-0", *self.here)
        ours = timed(self._clients(), "Hello", self._deploy)
        if self.hosts > 1:
            self._quietly("ps:scale", f"web={self.hosts}")
        url = self.place.deployer("config:get", "DATABASE_URL", *self.here).stdout.strip()
        self.plain.install({"DATABASE_URL": url})
        self.plain.fetch_dependencies(self.app)
        beside = timed(self.plain.clients(), "Hello", partial(self.plain.deploy_with_dependencies, "Hello"))
        return paired("first deploy, served", [ours.live], [beside.live])

    def _one_line(self, what: str, *, profiled: bool = False) -> list[Row]:
        """Pairs, one version each way in turns; the first pair warms both up and does not count."""
        ours, beside, steps = [], [], []
        for _ in range(self.counts.one_line + 1):
            greeting = self._change()
            by_hand = partial(self.plain.deploy, greeting, migrate=not profiled)
            beside.append(timed(self.plain.clients(), greeting, by_hand))
            steps.append(dict[str, float]())
            greeting = self._change()
            ours.append(timed(self._clients(), greeting, partial(self._deploy, steps[-1])))
        ours, beside = ours[1:], beside[1:]
        rows = [
            paired(f"{what}, served", [one.live for one in ours], [one.live for one in beside], ONE_LINE),
            paired(f"{what}, returned", [one.returned for one in ours], [one.returned for one in beside], ONE_LINE),
            failed(ours, beside),
        ]
        if profiled:
            self.profile.rows = profile_rows(steps[1:], [one.returned for one in ours])
            own = [one.returned - step.get("watch", 0.0) for one, step in zip(ours, steps[1:], strict=True)]
            rows.append(paired(f"{what}, returned, without its watch", own, [one.returned for one in beside]))
            sent = [one.sent / self.hosts for one in ours]
            rows.append(alone(f"{what}, sent to each host", sent, BYTES, "bytes"))
        return rows

    def _raised(self) -> list[Row]:
        """One dependency raised, once: the second time nothing would be new."""
        self.site.raise_dependency()
        greeting = self._change()
        ours = timed(self._clients(), greeting, self._deploy)
        self.plain.fetch_dependencies(self.app)
        beside = timed(self.plain.clients(), greeting, partial(self.plain.deploy_with_dependencies, greeting))
        sent, wheel = ours.sent / self.hosts, self._wheel_size()
        return [
            paired("one dependency raised, served", [ours.live], [beside.live]),
            Row("the same, sent to each host; beside: its wheel", "bytes", sent, wheel, sent / wheel, RAISED_BYTES),
        ]

    def _config(self) -> Row:
        greeting, ours, beside = self.versions[-1], [], []
        self.plain.deploy(greeting)
        for number in range(self.counts.others):
            beside.append(self._seconds(partial(self.plain.configure, f"NUMBER={number}", greeting)))
            ours.append(self._seconds(partial(self._quietly, "config:set", f"NUMBER={number}")))
        return paired("config change, returned", ours, beside)

    def _rollback(self) -> list[Row]:
        """To the release before; the baseline deploys the older source again."""
        ours: list[Run] = []
        beside: list[Run] = []
        for _ in range(self.counts.others):
            before, greeting = self.versions[-1], self._change()
            self._quietly("deploy", "--watch", "0")
            self.plain.deploy(greeting)
            ours.append(timed(self._clients(), before, partial(self._quietly, "rollback")))
            self.site.say(before)
            beside.append(timed(self.plain.clients(), before, partial(self.plain.deploy, before)))
            self.versions.append(before)
        served = paired("rollback, served", [one.live for one in ours], [one.live for one in beside])
        return [served, failed(ours, beside)]

    def _scaled(self) -> Row:
        seconds = self._seconds(partial(self._quietly, "ps:scale", f"web={2 * self.hosts}"))
        self._quietly("ps:scale", f"web={self.hosts}")
        return alone(f"web from {self.hosts} to {2 * self.hosts} dynos", [seconds])

    def _change(self) -> str:
        self.versions.append(self.site.change())
        return self.versions[-1]

    def _set_release_line(self, migrates: bool) -> None:
        self.site.migrates(migrates)
        greeting = self._change()
        self._quietly("deploy", "--watch", "0")
        self.plain.deploy(greeting, migrate=migrates)

    def _deploy(self, steps: dict[str, float] | None = None) -> int:
        """Deploy the folder; bytes sent to all hosts. Seconds by step are added to `steps`."""
        said = self.place.deployer("deploy", *self.here, "--verbose", folder=self.site.folder).stderr
        found = STEP.findall(said)
        if steps is not None:
            steps.update({name: float(seconds) for name, seconds, _ in found})
        return sum(int(sent or 0) for _, _, sent in found)

    def _quietly(self, *words: str) -> None:
        self.place.deployer(words[0], *self.here, *words[1:], folder=self.site.folder)

    def _clients(self) -> list[Client]:
        """One for each host's router."""
        return [Client(host.address, 80, f"{self.app}.localhost") for host in self.place.hosts]

    def _seconds(self, work: Callable[[], object]) -> float:
        begun = time.monotonic()
        work()
        return time.monotonic() - begun

    def _wheel_size(self) -> int:
        """The compressed size of the raised package, as the index has it."""
        folder = self.folder / "wheel"
        run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "-d",
                str(folder),
                f"{RAISED}=={raised_version()}",
            ]
        )
        return next(folder.iterdir()).stat().st_size
