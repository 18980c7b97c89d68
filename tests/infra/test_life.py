"""The whole life of a space in AWS, as `make demo-cloud` types it: the real engine, the stand-in for the AWS provider,
moto. Every screen, what was done in AWS, and the picture in the README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo import cloud as demo
from demo.cloud import DOWN, ISSUED, LIFE, PREVIEW, UP, Played
from demo.cloud_picture import picture
from demo.transcript import placed
from tests.infra.cloud_here import ROOT, Cloud

pytestmark = [pytest.mark.edge, pytest.mark.timeout(900)]
MADE = LIFE.index(UP) + 1  # commands
NOTHING = "Nothing to do: production is as it should be."
# What each change of deployer.toml makes `up` say and do.
CHANGES = {
    "t4g.medium": (
        ("  ~ launch template deployer-production-host\n      instanceType: t4g.small -> t4g.medium",),
        ("Hosts that run stay as they are; those that AWS starts from then on are new.",),
        {"update": 2},
    ),
    "count = 3": (
        ("      desiredCapacity: 2 -> 3\n",),
        ("AWS starts 1 host more.",),
        {"update": 1},
    ),
    "db.t4g.small": (
        ("      instanceClass: db.t4g.micro -> db.t4g.small\n",),
        ("The database restarts: apps are without it for some minutes.",),
        {"update": 1},
    ),
    ISSUED: (
        ("  + listener https\n",),
        ("HTTPS begins, and HTTP leads to it.",),
        {"create": 1},
    ),
    "example.org": (
        ("  ! certificate\n      domainName: example.com -> example.org (replaces it)\n", "  - listener https\n"),
        (
            "HTTPS stops.",
            "Apps answer at APP.example.org from then on, and no more at APP.example.com.",
            "The records of example.org are made in Route 53, in the zone example.org.",
        ),
        {"create": 3, "delete": 2},
    ),
}


@pytest.fixture
def stage(shared: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[demo.Stage]:
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "names"))
    yield demo.stage(shared, tmp_path, lambda text: None)
    assert shared.asked == []


def test_the_whole_life_of_a_space(stage: demo.Stage, golden: Callable[[str, str], None]) -> None:
    before = stage.here.there(demo.REGION)
    played = list(stage.play(LIFE[:MADE]))
    assert {"VPC", "database", "load balancer", "certificate"} <= demo.left_over(stage.here, before).keys()
    played += stage.play(LIFE[MADE:])
    assert [one.status for one in played] == [0] * len(LIFE), played[-1].text
    life = iter(played)
    is_made(life)
    for change, expected in CHANGES.items():
        is_changed(life, change, *expected)
    is_gone(life, stage, before)
    readme = picture(demo.in_readme([one.typed for one in played]))
    golden("../../README.md", placed((ROOT / "README.md").read_text(), readme, "demo-cloud"))


def is_made(life: Iterator[Played]) -> None:
    """A preview that asks AWS nothing, and `up`, which does what it said."""
    next(life)
    plan, made = typed(life, PREVIEW), typed(life, UP)
    assert "=== What it consists of: 28 resources, 3 more on a condition\n" in plan.text
    assert "Sum                                                                  $74.15\n" in plan.text
    assert "28 resources would be made.\n" in made.text and "  $74.15\n" in made.text
    assert "Add the DNS records above where the DNS of example.com is." in made.text
    assert (plan.did, set(made.did)) == (Counter(), {"create"})
    assert made.did["create"] == sum(" made, " in line for line in made.typed.lines)
    does_nothing(life)


def is_changed(
    life: Iterator[Played], change: str, differs: tuple[str, ...], stops: tuple[str, ...], does: dict[str, int]
) -> None:
    """`up` shows the old and the new, and what stops; it does that, and nothing else; the next one does nothing."""
    assert change in next(life).typed.command
    made = typed(life, UP)
    assert [one for one in (*differs, *stops) if one not in made.text] == [], made.text
    assert made.did == does
    does_nothing(life)


def does_nothing(life: Iterator[Played]) -> None:
    again = typed(life, UP)
    assert again.text.startswith(NOTHING)
    assert again.did == Counter()


def is_gone(life: Iterator[Played], stage: demo.Stage, before: dict[str, set[str]]) -> None:
    """`down` says that AWS has nothing but the snapshots; so does AWS."""
    down = typed(life, DOWN)
    assert set(down.did) == {"update", "delete"}
    assert "Asking AWS what is left of production... done, nothing but what was kept" in down.text
    assert "Nothing else of production is left in AWS." in down.text
    assert all(name in down.text for name in stage.here.there(demo.REGION)["snapshot"])
    assert demo.left_over(stage.here, before) == {}


def typed(life: Iterator[Played], command: str) -> Played:
    found = next(life)
    assert found.typed.command == command
    return found
