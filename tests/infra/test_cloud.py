"""The engine in a cloud on loopback: what is refused, and what would leave loopback. A space's life: test_life.py."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.cloud import CloudBroken
from infra import engine
from infra.program import Settings
from infra.spec import Budget, Database, Hosts, Spec
from tests.infra.cloud_here import Cloud
from tests.infra.moto_here import ACCOUNT, REGION

pytestmark = pytest.mark.edge
# Everything that the program knows.
LARGE = Spec(
    REGION,
    Hosts("t4g.small", 2),
    Database(),
    load_balancer=True,
    account=ACCOUNT,
    domain="example.com",
    budget=Budget(60, "me@example.com"),
)
SETTINGS = Settings("production", LARGE, "#cloud-config\n", snapshot="production-1")
CHANGING = ("create", "update", "delete")


@pytest.fixture
def here(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    assert not shared.asked
    shared.provider.calls.clear()


def changing(here: Cloud) -> Counter[str]:
    """What was done in AWS since somebody looked last."""
    found = Counter(call.what for call in here.provider.calls if call.done and call.what in CHANGING)
    here.provider.calls.clear()
    return found


def test_nothing_is_made_in_another_account(here: Cloud, tmp_path: Path) -> None:
    settings = replace(SETTINGS, spec=Spec(REGION, account="999999999999"))
    with pytest.raises(CloudBroken, match=f"AWS account ID not allowed: {ACCOUNT}"):
        engine.up(here.engine(tmp_path), settings)
    assert not changing(here)


def test_what_the_program_says_wrongly_is_told_in_a_line(here: Cloud, tmp_path: Path) -> None:
    settings = replace(SETTINGS, spec=Spec(REGION), image="ami-0123456789abcdef0")
    with pytest.raises(CloudBroken) as raised:
        engine.preview(here.engine(tmp_path), settings)
    assert raised.value.problems.startswith("getAmi: Your query returned no results.")


def test_what_would_leave_loopback_is_caught(shared: Cloud, tmp_path: Path) -> None:
    """Of this process, and of the command: it finds no plugin where it asks for one."""
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen("http://192.0.2.1/", timeout=10)
    env = {**os.environ, "PULUMI_HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    words = [shared.root / "bin/pulumi", "plugin", "install", "resource", "random", "4.16.0"]
    assert subprocess.run(words, env=env, capture_output=True, timeout=60, check=False).returncode != 0
    assert "GET http://192.0.2.1/ HTTP/1.1" in shared.asked
    assert any(line.startswith("CONNECT ") for line in shared.asked)
    shared.asked.clear()
