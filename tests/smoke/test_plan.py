"""What a run plans, reckons, schedules and writes down: pure."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deployer.spaces.aws.proof import Left
from infra.bill import HOURS, bill
from infra.prices import load, shipped
from infra.read import parse
from infra.spec import Hosts, Spec
from smoke import costs
from smoke.__main__ import shown
from smoke.costs import TooDear
from smoke.ends import End, rights, trust
from smoke.leftovers import SPACE
from smoke.record import Record, files, redacted, stable
from smoke.rungs import NAMES, chosen, described, specs
from smoke.sweep import DELETES, ordered

ACCOUNT, REGION = "123456789012", "us-east-1"
FIRST = Spec(REGION, account=ACCOUNT)
TABLE = load(shipped())


def planned(*names: str, domain: str | None = "example.org") -> list[Spec]:
    return [spec for _, spec in specs(chosen(names), FIRST, domain)]


def test_each_rung_builds_on_those_before_it() -> None:
    assert [one.shape for one in planned()] == ["1 host", "1 host, RDS", *["2 hosts, ALB, RDS"] * 4]
    assert [one.sizes[0] for one in planned("kill", "roll")] == ["t4g.small", "t4g.medium"]
    assert [one.name for one in chosen(("roll", "one-host"))] == ["one-host", "roll"]
    assert planned("front", domain=None)[0].domain is None


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_the_file_says_the_specification(number: int) -> None:
    spec = planned()[number]
    told = tomllib.loads(described("smoke-0a1b2c", spec))["space"]["smoke-0a1b2c"]
    assert parse("smoke-0a1b2c", told) == spec


def test_the_dearest_rung_counts_for_all_hours_with_one_host_more() -> None:
    cost = costs.checked(planned(), TABLE, 3, Decimal(3))
    more = bill(Spec(REGION, Hosts("t4g.medium", 3), planned()[-1].database, load_balancer=True), TABLE)
    assert max(cost.hourly) == more.total / HOURS == cost.hourly[-1]
    assert Decimal("0.3") < cost.most < Decimal("0.6")
    stays = Decimal("0.0225") + 5 * Decimal("0.005")  # the load balancer, two addresses of it and three of hosts
    assert stays < cost.after < stays + Decimal("0.01")


def test_what_is_asked(golden: Callable[[str, str], None]) -> None:
    whole = list(specs(chosen(()), FIRST, "example.org"))
    cost = costs.checked(planned(), TABLE, 3, Decimal(3))
    end = End("smoke-0a1b2c", datetime(2026, 1, 2, 21, 5, tzinfo=UTC))
    golden("smoke/question.txt", "\n".join(shown(end.space, ACCOUNT, whole, cost, end, Decimal(3))) + "\n")


def test_above_the_cap_nothing_is_begun() -> None:
    with pytest.raises(TooDear, match=r"may cost \$\S+ in 12 h, and the cap is \$1:"):
        costs.checked(planned(), TABLE, 12, Decimal(1))


def test_where_prices_are_unknown_nothing_is_begun() -> None:
    spec = Spec("eu-north-1", account=ACCOUNT)
    with pytest.raises(TooDear, match=r"Some prices of eu-north-1 are not known: Hosts: t4g\.small;") as raised:
        costs.checked([spec], TABLE, 1, Decimal(100))
    assert "`deployer prices:update --region eu-north-1`" in str(raised.value)


def test_the_end_comes_daily_from_its_time_on() -> None:
    end = End("smoke-0a1b2c", datetime(2026, 1, 2, 21, 5, tzinfo=UTC))
    assert end.daily == "cron(5 21 * * ? *)"
    assert end.name == "deployer-smoke-0a1b2c-end"


def test_the_role_of_the_end_can_stop_databases_of_its_space_and_nothing_else() -> None:
    [may] = json.loads(rights(ACCOUNT, REGION, "smoke-0a1b2c"))["Statement"]
    assert (may["Action"], may["Effect"]) == ("rds:StopDBInstance", "Allow")
    assert may["Resource"] == f"arn:aws:rds:{REGION}:{ACCOUNT}:db:deployer-smoke-0a1b2c-*"
    [taken] = json.loads(trust(ACCOUNT))["Statement"]
    assert taken["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert taken["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("deployer-smoke-0a1b2c-hosts-0a1b2c3", "smoke-0a1b2c"),
        ("deployer-smoke-0a1b2c", "smoke-0a1b2c"),
        ("/deployer/smoke-0a1b2c/state", "smoke-0a1b2c"),
        ("rds:deployer-smoke-0a1b2c-0a1b2c3-2026-01-01-00-00", "smoke-0a1b2c"),
        ("deployer-smoke-test-hosts-0a1b2c3", None),
        ("deployer-smoke-0a1b2cd-hosts", None),
        ("my-deployer-smoke-0a1b2c-hosts", None),
    ],
)
def test_only_names_of_runs_are_those_of_runs(name: str, space: str | None) -> None:
    found = SPACE.search(name)
    assert (found and found[1]) == space


def test_things_go_in_the_order_in_which_aws_lets_them() -> None:
    kinds = ("VPC", "schedule", "parameter", "instance", "subnet", "state bucket", "database", "security group")
    found = [
        one.kind for one in ordered([Left(kind, "x") for kind in (*kinds, "Auto Scaling group", "automatic backup")])
    ]
    assert found[:3] == ["Auto Scaling group", "instance", "database"]
    assert found.index("security group") < found.index("subnet") < found.index("VPC")
    assert found[-3:] == ["state bucket", "parameter", "schedule"]
    assert list(DELETES)[-1] == "role of the end", "what ends the rest goes last"


def test_a_record_holds_no_secret_and_no_account(tmp_path: Path) -> None:
    written = Record(tmp_path, "smoke-0a1b2c", lambda text: None)
    written.add(
        "one-host",
        "up",
        said=["account 123456789012", "key AKIAIOSFODNN7EXAMPLE", "me@example.com", "Password: hunter2"],
        ids={"arn:aws:iam::123456789012:role/x": "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"},
    )
    [step] = files(tmp_path)
    assert step["said"] == ["account 000000000000", "key [key]", "[address]", "Password: [secret]"]
    assert step["ids"] == {"arn:aws:iam::000000000000:role/x": "[secret]"}
    assert "hunter2" not in "".join(path.read_text() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("deployer-smoke-9f8e7d-hosts-1234567", "deployer-smoke-0a1b2c-hosts-0a1b2c3"),
        ("deployer-smoke-9f8e7d-state-a1b2c3", "deployer-smoke-0a1b2c-state-0a1b2c"),
        ("vpc-0123456789abcdef0", "vpc-0a1b2c3d"),
        ("made, 12 s", "made, … s"),
        ("2026-11-30 07:10 UTC", "2026-01-01 12:00"),
    ],
)
def test_what_differs_between_runs_is_made_the_same(text: str, instead: str) -> None:
    assert stable({"said": [text], "seconds": 3.2}) == {"said": [instead], "seconds": 0}
    assert redacted(text) == text
