"""Measures deploys beside `rsync && systemctl restart && curl until 200`, on the same hosts in the same run.

Prints every table as soon as it is measured, and writes docs/performance.md: of all in one run, or with `--hosts` of
what was measured of this commit. `--quick` measures the most important rows alone, and writes nothing.
"""

from __future__ import annotations

import argparse
import compileall
import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench import machine, parts, report
from bench.cell import Cell, Counts
from bench.place import NAME, Place
from bench.report import Section
from bench.site import LOCKED, ROOT
from deployer.build.folders import cache_folder
from deployer.spaces.sandbox import sandbox as sandboxes

PREFIX = "deployer-bench-"
LATENCY = 0.040  # seconds of a round trip
HOSTS = 4
TIME = 1.5  # of the time on one host, for four
FULL = {1: Counts(one_line=5, others=2), HOSTS: Counts(one_line=3, others=1)}
QUICK = Counts(one_line=5, others=3, brief=True)


def main() -> int:
    """The exit status: 1 where something could not be measured."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="one host, no latency, the most important rows")
    arguments.add_argument("--once", action="store_true", help="each thing once, to see that all of it works")
    arguments.add_argument("--document", type=Path, default=report.DOCUMENT, help="where the page goes")
    arguments.add_argument("--hosts", type=int, choices=FULL, help="the part with so many hosts; the rest another time")
    options = arguments.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    _compile()
    wanted = {options.hosts: FULL[options.hosts]} if options.hosts else FULL
    with _folder() as folder:
        run = _Run(folder)
        if options.quick or options.once:
            run.everything({1: QUICK} if options.quick else dict.fromkeys(wanted, Counts(1, 1)))
        else:
            for hosts, counts in wanted.items():
                run.part(hosts, counts)
    if run.problems:
        print(f"\nNot measured: {'; '.join(run.problems)}.", file=sys.stderr)
        return 1
    if not options.quick and not options.once:
        _write(options.document)
    return 0


def _write(document: Path) -> None:
    """The page, with all parts that are measured of this commit; it says which are missing."""
    found = {hosts: parts.kept(hosts) for hosts in FULL}
    measured = [part for part in found.values() if part]
    missing = [f"{hosts} {'host' if hosts == 1 else 'hosts'}" for hosts, part in found.items() if not part]
    sections = [section for part, _ in measured for section in part]
    profiles = [profile for _, part in measured for profile in part]
    packages = sum(line[0].isalnum() for line in LOCKED.read_text().splitlines() if line)
    document.write_text(report.document([*sections, *_compared(sections), *profiles], packages, missing))
    print(f"Written: {document}", file=sys.stderr)


def _compared(sections: list[Section]) -> list[Section]:
    """Four hosts beside one, where both are measured."""
    found = {section.title: section for section in sections}
    rows = []
    for latency in ("0", "40"):
        few, many = (found.get(f"{words}, {latency} ms of latency") for words in ("1 host", f"{HOSTS} hosts"))
        for one, four in zip(few.rows if few else [], many.rows if many else [], strict=False):
            if one.what == four.what and one.what.startswith("one line") and one.what.endswith("served"):
                what = f"{one.what}, {latency} ms; beside: on one host"
                rows.append(report.Row(what, "s", four.value, one.value, four.value / one.value, TIME))
    return [Section(f"{HOSTS} hosts beside one", rows, ["All hosts share this machine's cores."])] if rows else []


class _Run:
    """What is measured so far, and what could not be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sections: list[Section] = []
        self.profiles: list[Section] = []
        self.problems: list[str] = []

    def part(self, hosts: int, counts: Counts) -> None:
        """All that is measured on so many hosts, printed and kept."""
        self.sections, self.profiles, before = [], [], len(self.problems)
        self.everything({hosts: counts})
        if len(self.problems) == before:
            parts.keep(hosts, self.sections, self.profiles)

    def everything(self, counts: Mapping[int, Counts]) -> None:
        """Each section as often as `counts` says by number of hosts, printed when it is there."""
        for hosts, times in counts.items():
            with self._reported(f"{hosts} hosts"):
                self._on_hosts(hosts, (0.0,) if times.brief else (0.0, LATENCY), times)
            if hosts == HOSTS:
                with self._reported("the router"):
                    self._add(machine.router())

    def _on_hosts(self, hosts: int, latencies: tuple[float, ...], counts: Counts) -> None:
        place = Place(self.folder, hosts)
        try:
            if hosts == 1:
                self._add(machine.memory(place))
            for latency in latencies:
                with self._reported(f"{hosts} hosts, {latency * 1000:.0f} ms"), place.with_latency(latency):
                    self._measure(place, latency, counts)
        finally:
            place.destroy()

    def _measure(self, place: Place, latency: float, counts: Counts) -> None:
        cell = Cell(place, latency, counts)
        try:
            cell.measure()
        finally:  # what was measured before something failed is worth something
            self._add(cell.section)
            self.profiles.append(cell.profile)
            print(report.markdown([cell.profile]), flush=True)
        if len(place.hosts) == 1 and not latency:
            self._add(machine.start_up(place, cell.app, counts.others))
        cell.close()

    def _add(self, section: Section) -> None:
        self.sections.append(section)
        print(report.markdown([section]), flush=True)

    @contextmanager
    def _reported(self, what: str) -> Iterator[None]:
        """Whatever fails is told, and the rest is measured all the same."""
        begun = time.monotonic()
        try:
            yield
        except Exception:
            traceback.print_exc()
            self.problems.append(what)
        print(f"{what}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this run's own, with its own spaces; those of runs that were killed go first."""
    for left in Path("/var/tmp").glob(f"{PREFIX}*"):
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/var/tmp"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.environ.update(
            DEPLOYER_CACHE=str(cache_folder()), DEPLOYER_HOME=str(folder / "home"), DEPLOYER_DATA=str(folder / "data")
        )
        try:
            yield folder
        finally:
            _destroy(folder)


def _sweep(folder: Path) -> None:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another run works in it
        _destroy(folder)


def _destroy(folder: Path) -> None:
    sandbox = folder / "data/sandbox" / NAME
    if sandbox.exists():
        sandboxes.destroy(sandbox)
    shutil.rmtree(folder)


def _compile() -> None:
    """As an installation has it, whatever the environment says about byte code."""
    for package in ("deployer", "buildpacks"):
        compileall.compile_dir(ROOT / package, quiet=1)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
