"""HAProxy as a program and as a service: its version, its verdict on a configuration, its start and its reload."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from deployer.host import router_socket, systemd
from deployer.host.router_socket import RouterIsDown

UNIT = "haproxy.service"
PROGRAM = "/usr/sbin/haproxy"
DROPIN = """\
[Service]
# Before the router the kernel takes dynos, which have a positive score.
OOMScoreAdjust=-800
Restart=always
RestartSec=100ms
LimitNOFILE=65536
# roll.lua: what has just started asks the other hosts whether this one counts, before it is ready.
ExecStartPre=/usr/bin/touch /run/haproxy/starting
ExecStartPost=/usr/bin/rm -f /run/haproxy/starting
# A line for every request: journald's default drops from 10,000 in 30 s on.
LogRateLimitIntervalSec=30s
LogRateLimitBurst=1000000
"""
_VERDICTS = ("Fatal errors found in configuration.",)  # after the alerts that say which


class Service(Protocol):
    """Whoever keeps HAProxy running."""

    def start(self) -> None:
        """Start it where it does not run."""
        ...

    def reload(self) -> None:
        """Have it read its files again, keeping connections. May return before it has."""
        ...


class Systemd:
    """The distribution's haproxy.service."""

    def start(self) -> None:
        """A unit that gave up starting is let start again."""
        subprocess.run(["systemctl", "reset-failed", UNIT], check=False, capture_output=True)
        systemd.start([UNIT])

    def reload(self) -> None:
        """USR2 to the master process; starts the service where it does not run."""
        subprocess.run(["systemctl", "reload-or-restart", UNIT], check=False, capture_output=True)


def version(socket: Path) -> tuple[int, int]:
    """Major and minor version, of the running process where there is one: its answer comes in under a millisecond."""
    try:
        text = router_socket.ask(socket, "show info")
    except RouterIsDown:
        text = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=True).stdout
    return parse_version(text)


def parse_version(text: str) -> tuple[int, int]:
    """(2, 6) from `Version: 2.6.12-1+deb12u4` or from `HAProxy version 2.6.12-1+deb12u4 2026/10/17`."""
    found = re.search(r"[Vv]ersion:? ([0-9]+)\.([0-9]+)", text)
    if found is None:
        raise ValueError(f"no version: {text[:200]!r}")
    return int(found[1]), int(found[2])


def refusal(folder: Path, text: str) -> str:
    """What HAProxy says against a configuration; empty where it takes it."""
    with tempfile.NamedTemporaryFile("w", prefix=".candidate-", suffix=".cfg", dir=folder) as file:
        file.write(text)
        file.flush()
        done = subprocess.run([PROGRAM, "-c", "-f", file.name], capture_output=True, text=True, check=False)
    return parse_alerts(done.stderr, file.name) if done.returncode else ""


def parse_alerts(text: str, file: str) -> str:
    """HAProxy's own words, without its clock, its process id and the candidate's name."""
    alerts = re.findall(r"\[ALERT\]\s+\(\d+\) : (.*)", text)
    lines = [line.replace(f"[{file}:", "[haproxy.cfg:") for line in alerts if not line.endswith(_VERDICTS)]
    return "\n".join(line for line in lines if file not in line) or text.strip()


def prepare(units: Path, changed: Callable[[str], None]) -> None:
    """The service as we want it: survives memory pressure, starts again, starts at boot."""
    dropin = units / f"{UNIT}.d" / "deployer.conf"
    if not dropin.exists() or dropin.read_text() != DROPIN:
        dropin.parent.mkdir(parents=True, exist_ok=True)
        dropin.write_text(DROPIN)
        systemd.reload()
        changed(f"settings of {UNIT}")
    if not (units / "multi-user.target.wants" / UNIT).exists():
        subprocess.run(["systemctl", "enable", UNIT], check=True, capture_output=True)
        changed(f"{UNIT} starts at boot")
