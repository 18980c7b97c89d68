"""Every amount and sum on the golden screens of `preview`, worked out by hand from the tables of prices.

Nothing of ours reckons here: what is paid for and how much of it stands below, prices are read as they lie in
infra/data, and the screens are read as a person reads them.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCREENS = ROOT / "tests/golden/commands"
HOURS = 730
# (what the screen calls it, its price in the table, how many hours, GB, secrets or thousands of requests a month)
Items = list[tuple[str, str, Fraction | int]]


def hosts(size: str, count: int) -> Items:
    """Each has a disk of 20 GB and an address, and asks the store every ten seconds, 262,800 times a month."""
    return [
        (f"Hosts: {size}", f"ec2/{size}", HOURS * count),
        ("Their disks, 20 GB each", "ebs/gp3", 20 * count),
        ("Their public IPv4 addresses", "ipv4", HOURS * count),
        ("Its requests, by the hosts", "s3/get", Fraction("262.8") * count),
        ("Store (S3), 5 GB", "s3/storage", 5),
    ]


def database(size: str, storage: int) -> Items:
    return [
        (f"PostgreSQL (RDS): {size}", f"rds/{size}", HOURS),
        (f"Its storage, {storage} GB", "rds/storage", storage),
        ("Its password in Secrets Manager", "secret", 1),
    ]


BALANCER: Items = [
    ("Load balancer (ALB)", "alb", HOURS),
    ("Its capacity units, for traffic", "alb/lcu", HOURS * Fraction("0.1")),
    ("Its public IPv4 addresses, 2 zones", "ipv4", HOURS * 2),
]
BETWEEN: Items = [("Traffic between zones", "between-zones", 5 + 5)]  # GB, there and back
SMALL = [*hosts("t4g.small", 2), *BALANCER, *database("db.t4g.micro", 20), *BETWEEN]
SPACES: dict[str, Items] = {
    "one-host": hosts("t4g.small", 1),
    "database": [*hosts("t4g.small", 1), *database("db.t4g.small", 50), *BETWEEN],
    "two-hosts": [*hosts("t4g.medium", 2), *BALANCER, *database("db.t4g.micro", 20), *BETWEEN],
    "domain": SMALL,  # certificates and records in a zone cost nothing
}
CHOICES: dict[str, Items] = {
    "1 host": hosts("t4g.small", 1),
    "1 host, RDS": [*hosts("t4g.small", 1), *database("db.t4g.micro", 20), *BETWEEN],
    "2 hosts, ALB, RDS": SMALL,
}
DYNO, DATABASE = "dyno/Basic", "addon/heroku-postgresql:essential-0"
ON_HEROKU = {"one-host": [DYNO], "database": [DYNO, DATABASE], "1 host": [DYNO], "1 host, RDS": [DYNO, DATABASE]}


def price(table: str, place: str, key: str) -> Fraction:
    """US dollars for one."""
    return Fraction(json.loads((ROOT / "infra/data" / f"{table}.json").read_text())["prices"][place][key][0])


def cents(dollars: Fraction) -> int:
    """Half a cent is a whole one."""
    return int(dollars * 100 + Fraction(1, 2))


def by_hand(items: Items) -> dict[str, int]:
    """Cents a month, by what the screen calls it."""
    return {what: cents(price("aws", "us-east-1", key) * quantity) for what, key, quantity in items}


def on_heroku(case: str) -> int:
    return sum(cents(price("heroku", "heroku", key)) for key in ON_HEROKU.get(case, [DYNO, DATABASE]))


def shown(screen: str) -> list[list[str]]:
    """The table of a screen: its cells, which gaps of two blanks keep apart."""
    text = (SCREENS / screen).read_text()
    return [re.split(r" {2,}", line.strip()) for line in text.partition("\n\n=== ")[0].splitlines() if line]


def dollars(text: str) -> int:
    """`$17.74`, or `12.26`, in cents."""
    assert re.fullmatch(r"\$?\d+\.\d\d", text), text
    return int(text.lstrip("$").replace(".", ""))


@pytest.mark.parametrize("space", SPACES)
def test_the_bill_of_a_space(space: str) -> None:
    rows = {row[0]: row for row in shown(f"preview-space-{space}.txt")}
    expected = by_hand(SPACES[space])
    assert {what: dollars(rows[what][3]) for what in expected} == expected
    assert dollars(rows["Sum"][1]) == sum(expected.values())
    assert dollars(rows["This app on Heroku"][1]) == on_heroku(space)
    priced = [name for name, row in rows.items() if len(row) == 5 and row[4].startswith("[")]
    assert sorted(priced) == sorted(expected)


def test_the_three_bills_of_a_folder_without_a_space() -> None:
    rows = shown("preview.txt")
    [titles] = [row for row in rows if row[0] in CHOICES]
    assert titles == list(CHOICES)
    for column, choice in enumerate(titles, 1):
        expected = by_hand(CHOICES[choice])
        amounts = {row[0]: row[column] for row in rows if len(row) == 5 and row[4].startswith("[")}
        heroku = amounts.pop("The same on Heroku")
        assert {what: dollars(text) for what, text in amounts.items() if text != "-"} == expected
        [total] = [row[column] for row in rows if row[0] == "Sum"]
        assert dollars(total) == sum(expected.values())
        assert dollars(heroku) == on_heroku(choice)


@pytest.mark.parametrize(
    ("space", "budget"), [("database", "$60 a month: $12.65 of it are left"), ("domain", "EXCEEDED by $14.15")]
)
def test_what_is_left_of_a_budget(space: str, budget: str) -> None:
    left = 60_00 - sum(by_hand(SPACES[space]).values())
    assert f"${abs(left) / 100:.2f}" in budget
    assert ("EXCEEDED" in budget) == (left < 0)
    assert budget in (SCREENS / f"preview-space-{space}.txt").read_text()
