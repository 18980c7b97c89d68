"""The call `doctor`: what of this host could be wrong, as facts. The caller judges them, and knows the ledger."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from deployer.host import certificates, firewall, ps, systemd, units, walls
from deployer.host.channel import Channel
from deployer.host.journal_reader import OUT_OF_MEMORY
from deployer.host.log_lines import dyno_of
from deployer.host.paths import Paths
from deployer.host.router_service import UNIT as ROUTER

SAMPLE = 1.0  # seconds of hashing
PIECE = 1 << 20
CERTIFICATES = ("postgresql/tls/server.crt", "ca/ca.crt")  # below our root, besides the one that programs trust


def doctor(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Facts; `deep` has every blob hashed instead of as many as a second allows. Times in seconds since 1970."""
    paths = channel.paths
    return {
        "time": time.time(),
        "disks": disks(paths),
        "killed": killed(_lines("journalctl", *OOM_WORDS)),
        "failed": failed(_lines("systemctl", *FAILED_WORDS)),
        "reboot": reboot(paths.system),
        "certificates": certificate_ends(paths),
        "blobs": rehash(paths, None if request.get("deep") else SAMPLE),
        "firewall": firewall.is_loaded(),
        "closed": walls.not_open(paths),
        "router": systemd.show([ROUTER], ["ActiveState"])[ROUTER]["ActiveState"],
        "routes": routes(paths),
        "dynos": ps.ps({}, channel)["dynos"],
    }


def disks(paths: Paths) -> list[dict[str, Any]]:
    """The file systems that fill up: the system's, ours, the dynos'; bytes and inodes."""
    folders = {path.stat().st_dev: path for path in (paths.scratch, paths.root, paths.system) if path.is_dir()}
    return [_disk(path) for path in folders.values()]


def _disk(path: Path) -> dict[str, Any]:
    found, space = os.statvfs(path), shutil.disk_usage(path)
    return {
        "path": str(path),
        "total": space.total,
        "free": space.free,
        "inodes": found.f_files,
        "left": found.f_favail,
    }


OOM_WORDS = ("--quiet", "--no-pager", "--output=json", "--since=-24h", f"MESSAGE_ID={OUT_OF_MEMORY}")


def killed(lines: list[str]) -> list[list[str]]:
    """Of what the kernel killed a process for want of memory in the last day, one for each time: `[app, dyno]`, or
    `["", unit]` where it was no dyno."""
    units_ = [json.loads(line).get("UNIT", "") for line in lines]
    return [[dyno.app, dyno.name] if (dyno := dyno_of(unit)) else ["", unit] for unit in units_]


FAILED_WORDS = ("list-units", "--failed", "--plain", "--no-legend", "--full", "--all")


def failed(lines: list[str]) -> list[str]:
    """Units that failed; dynos are told of elsewhere."""
    prefixes = tuple(template.split("{}")[0] for template in (units.DYNO, units.DYNO_FS, units.TASK, units.RUN))
    return [unit for line in lines if not (unit := line.split()[0]).startswith(prefixes)]


def reboot(system: Path) -> str:
    """What waits for a reboot: the mark that Debian's upgrades leave, or a kernel whose modules are gone."""
    if (system / "run/reboot-required").exists():
        return "an upgrade"
    kernels = [path.name.removeprefix("vmlinuz-") for path in (system / "boot").glob("vmlinuz-*")]
    if kernels and os.uname().release not in kernels:
        return f"kernel {max(kernels, key=_version)}"
    return ""


def _version(kernel: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", kernel)]


def certificate_ends(paths: Paths) -> dict[str, float]:
    """When certificates of ours end, by path."""
    found = [*(paths.root / name for name in CERTIFICATES), paths.system / certificates.TRUSTED]
    return {str(path): end for path in found if path.exists() and (end := _end_of(path))}


def _end_of(path: Path) -> float:
    words = ["openssl", "x509", "-noout", "-enddate", "-in", str(path)]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return ssl.cert_time_to_seconds(said.strip().removeprefix("notAfter=")) if said else 0.0


def rehash(paths: Paths, seconds: float | None) -> dict[str, Any]:
    """Hash blobs again, in an order of chance, for so many seconds or all: `{checked, total, bad: [[app, blob]]}`."""
    every = list(blobs(paths))
    random.shuffle(every)
    checked, bad, deadline = 0, [], time.monotonic() + (seconds or 0)
    for app, path in every:
        if seconds is not None and time.monotonic() > deadline:
            break
        with suppress(FileNotFoundError):  # pruned meanwhile
            name = path.parent.name + path.name
            if not _is_whole(path, name):
                bad.append([app, name])
            checked += 1
    return {"checked": checked, "total": len(every), "bad": bad}


def blobs(paths: Paths) -> Iterator[tuple[str, Path]]:
    """Every blob and its app."""
    for app in paths.apps.glob("*"):
        for path in paths.app(app.name).blobs.glob("??/*"):
            yield app.name, path


def _is_whole(path: Path, name: str) -> bool:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            hashed.update(piece)
    return hashed.hexdigest() == name[:64]


def routes(paths: Paths) -> dict[str, int]:
    """The generation of each app's routes in force."""
    found = {}
    for app in paths.apps.glob("*"):
        with suppress(FileNotFoundError, json.JSONDecodeError):
            found[app.name] = int(json.loads(paths.app(app.name).routes.read_text())["generation"])
    return found


def _lines(*words: str) -> list[str]:
    said = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False).stdout
    return [line for line in said.splitlines() if line.strip()]
