"""What scripts/aws-smoke does in an account of AWS, in the box: hosts boot, join, end, and are rolled."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.spec import Hosts, Spec
from smoke import emulated
from smoke.ends import End
from smoke.place import Place
from smoke.record import Record
from smoke.run import Run, play
from smoke.rungs import chosen
from tests.box.box import Box
from tests.box.person import at_work
from tests.infra.cloud_here import DEPLOYER, ROOT
from tests.infra.moto_here import ACCOUNT, REGION

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(900)]
ARRIVAL = 120.0  # seconds that hosts get to join
NEAR = ("NO_PROXY", "no_proxy")  # Pulumi asks nobody outside, a build asks package indexes
APART = "env = {", f"env = {{**{{name: os.environ[name].removesuffix(',*') for name in {NEAR}}}, "


def the_place(here: Box, folder: Path) -> Place:
    """The emulator, with hosts."""
    found = emulated.place(here.cloud, folder, REGION, None)
    python, option, _, *words = found.deployer
    program = DEPLOYER.replace("arrival=0.0", f"arrival={ARRIVAL}").replace(*APART)
    assert (python, option) == (sys.executable, "-c")
    return replace(
        found, deployer=(python, option, program, *words), domain=None, prove=None, hidden={}, joins=True, name="box"
    )


def test_the_rungs_with_an_app_hold_where_hosts_are_real(here: Box, tmp_path: Path) -> None:
    told: list[str] = []
    before = here.cloud.there()
    work = tmp_path / "work"
    work.mkdir()
    end = End("smoke-0f1e2d", (datetime.now(UTC) + timedelta(hours=3)).replace(second=0, microsecond=0))
    with at_work(here, tmp_path, "none", None), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        one = Run(
            the_place(here, tmp_path), end, work, Record(tmp_path / "record", end.space, told.append), told.append
        )
        first = Spec(REGION, Hosts("t3.small", 1), account=ACCOUNT, network=here.network)
        status = play(one, chosen(["one-host", "app", "kill", "roll"]), first)
    assert status == 0, "".join(told)
    summary = json.loads((tmp_path / "record/summary.json").read_text())
    assert [rung["rung"] for rung in summary["rungs"]] == ["one-host", "app", "kill", "roll"]
    assert "all hosts are new ones of the new size" in "".join(told)
    assert here.cloud.there() == before and not here.instances()
