"""What stands before hosts, as HAProxy's configuration: the pure part."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.box.front_config import SLOTS, Balancer, Forward, Front, Listener, Targets, render

SOCKET = Path("/run/box.sock")
HOSTS = Targets("targets-1", "/-/ready", 1000, 5000, 2, 2, "200-299")
HTTP = Listener(80, "targets-1")
TO_HTTPS = Listener(80, to="https://%[hdr(host),field(1,:)]:443%[pathq]", code=301)
FRONT = Front(
    (Forward("127.78.1.1", "10.217.0.5"),), (Balancer("front", "127.79.1.1", "10.217.0.4", (HTTP,)),), (HOSTS,)
)


def test_a_front_becomes_a_configuration(golden: Callable[[str, str], None]) -> None:
    golden("box/front.cfg", render(FRONT, SOCKET, {"targets-1": {2: "10.217.0.5:80"}}))


def test_targets_that_nobody_leads_to_are_left_out() -> None:
    redirects = replace(FRONT, balancers=(replace(FRONT.balancers[0], listeners=(TO_HTTPS,)),))
    text = render(redirects, SOCKET)
    assert "backend" not in text and f"redirect location {TO_HTTPS.to} code 301" in text


def test_every_target_group_has_all_slots() -> None:
    assert render(FRONT, SOCKET).count("127.0.0.1:1 disabled") == SLOTS


@pytest.mark.edge
def test_haproxy_reads_it(tmp_path: Path) -> None:
    both = replace(FRONT, balancers=(replace(FRONT.balancers[0], listeners=(TO_HTTPS, replace(HTTP, port=443))),))
    (tmp_path / "front.cfg").write_text(render(both, tmp_path / "socket", {"targets-1": {1: "10.217.0.5:80"}}))
    done = subprocess.run(
        ["haproxy", "-c", "-f", tmp_path / "front.cfg"], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
