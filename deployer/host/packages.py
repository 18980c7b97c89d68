"""Debian packages that a host needs: installed where they are missing, whatever else apt is doing or was cut off in.

A machine that has just booted for the first time installs things of its own for minutes; a command that was killed may
have left dpkg in the middle of something."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.facts import parse_os_release
from deployer.model.platforms import host_packages

PATIENCE = 600.0  # seconds that somebody else may keep apt to itself
BETWEEN = 2.0  # seconds
LOCKED = ("Could not get lock", "Unable to acquire the dpkg frontend lock", "lock was locked by another process")
OPTIONS = ("--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold")
# Ubuntu's needrestart asks, or restarts services, after every installation.
ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_SUSPEND": "1",
    "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
# Read by Debian when PostgreSQL is installed: the cluster of a space is made when a space has a database.
NO_CLUSTER = "create_main_cluster = false\n"
LOCALE = "en_US.UTF-8"

Tell = Callable[[str], None]


def ensure(system: Path, changed: Tell, waiting: Tell, *, at_first_boot: bool = False) -> None:
    """Have all packages of a host, and its locale; `packages-missing` with apt's last words. A host that joins
    by itself is `at_first_boot`: cloud-init waits for it, not the other way round."""
    wanted = host_packages(parse_os_release((system / "etc/os-release").read_text()))
    missing = missing_packages(_listed(wanted), wanted)
    if missing:
        if "postgresql" in missing:
            _leave_out_cluster(system / "etc/postgresql-common/createcluster.d")
        install(missing, waiting, at_first_boot=at_first_boot)
        changed(f"packages {', '.join(missing)}")
    if LOCALE.lower().replace("-", "") not in _ran(["locale", "-a"]).stdout.lower():
        _make_locale(system / "etc/locale.gen")
        changed(f"locale {LOCALE}")


def for_builds(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call `build_tools`: what a build on this host needs beyond a host's own; events `changed`, `waiting`."""

    def tell(what: str) -> None:
        channel.event({"event": "changed", "what": what})

    has_image = any(Path(request["images"]).glob("*-build-*"))
    programs = {"bwrap": "bubblewrap", **({} if has_image else {"mmdebstrap": "mmdebstrap"})}
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    if missing:
        tell(f"installing {', '.join(missing)} on this host")
        install(missing, lambda what: tell(f"waiting for {what}"))
    return {"installed": missing}


def missing_packages(listed: str, wanted: tuple[str, ...]) -> list[str]:
    """Which of `wanted` dpkg-query does not list as installed; `listed` are lines `PACKAGE STATUS`."""
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def has(package: str) -> bool:
    """Whether it is installed."""
    return not missing_packages(_listed((package,)), (package,))


def is_offered(package: str) -> bool:
    """Whether apt knows where to get it: what it has heard so far."""
    return any(
        line.split()[1:2] != ["(none)"]
        for line in _ran(["apt-cache", "policy", package]).stdout.splitlines()
        if line.strip().startswith("Candidate:")
    )


def is_locked(said: str) -> bool:
    """Whether apt or dpkg gave up because another process has it."""
    return any(words in said for words in LOCKED)


def _listed(wanted: tuple[str, ...]) -> str:
    # It fails where one package is unknown, and lists the others all the same.
    return _ran(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *wanted]).stdout


def _leave_out_cluster(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deployer.conf").write_text(NO_CLUSTER)


def install(packages: list[str], waiting: Tell, *, at_first_boot: bool = False) -> None:
    """Install them; `packages-missing` with apt's last words."""
    install = ["apt-get", "install", *OPTIONS, *packages]
    if shutil.which("cloud-init") and not at_first_boot:
        waiting("the machine's first boot to end (cloud-init)")
        subprocess.run(["timeout", str(int(PATIENCE)), "cloud-init", "status", "--wait"], capture_output=True)
    if _mended(install, waiting).returncode == 0:
        return
    _patiently(["apt-get", "update"], waiting)
    done = _mended(install, waiting)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise HostFailure("packages-missing", {"packages": packages, "lines": last})


def _mended(words: list[str], waiting: Tell) -> subprocess.CompletedProcess[str]:
    """Run it, after what another dpkg was killed in the middle of has come to its end."""
    _patiently(["dpkg", "--configure", "-a", "--force-confold"], waiting)
    return _patiently(words, waiting)


def _patiently(words: list[str], waiting: Tell) -> subprocess.CompletedProcess[str]:
    """Run it, again and again while another process keeps apt or dpkg to itself."""
    deadline, told = time.monotonic() + PATIENCE, False
    while is_locked((done := _ran(words)).stderr) and time.monotonic() < deadline:
        if not told:
            waiting(next(line for line in done.stderr.splitlines() if is_locked(line)).removeprefix("E: "))
        told = True
        time.sleep(BETWEEN)
    return done


def _make_locale(file: Path) -> None:
    line = f"{LOCALE} UTF-8\n"
    if not file.exists() or line not in file.read_text().splitlines(keepends=True):
        with file.open("a") as listed:
            listed.write(line)
    _ran(["locale-gen"])


def _ran(words: list[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **ENVIRONMENT}
    return subprocess.run(words, env=env, capture_output=True, text=True, errors="replace", check=False)
