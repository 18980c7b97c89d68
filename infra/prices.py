"""What one unit of a thing costs, with its source and date: tables in JSON files, the later ones before the earlier.

    {"sources": {"ID": {"title": "AWS Price List ...", "date": "2026-09-24"}},
     "prices": {"us-east-1": {"ec2/t4g.small": ["0.0168", "ID"]}}}

US dollars for an hour (`ec2/`, `rds/db.`, `ipv4`, `alb`, `alb/lcu`, `rds/cpu-credit`), for a GB and month (`ebs/`,
`rds/storage`, `rds/backup`, `s3/storage`), for a GB (`data-out`, `between-zones`), for a month (`secret`; dynos and
add-ons in the table of Heroku), for 1,000 requests (`s3/put`, `s3/get`). What stands in no table has no price: None.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

DATA = Path(__file__).parent / "data"
HEROKU = "heroku"  # stands where the region does in the prices of Heroku


@dataclass(frozen=True, slots=True)
class Source:
    """Where prices were read, and when: `2026`, `2026-09` or `2026-09-24`, as exactly as it is known."""

    title: str
    date: str


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one unit."""

    usd: Decimal
    source: Source


@dataclass(frozen=True, slots=True)
class Table:
    """Prices by region and key."""

    prices: Mapping[tuple[str, str], Price]

    def find(self, region: str, key: str) -> Price | None:
        """The price, where there is one."""
        return self.prices.get((region, key))


def shipped() -> tuple[Path, ...]:
    """The tables that come with deployer."""
    return DATA / "heroku.json", DATA / "aws.json"


def load(paths: Iterable[Path]) -> Table:
    """The tables of these files, as one; files that are not there hold nothing."""
    found: dict[tuple[str, str], Price] = {}
    for path in paths:
        if path.exists():
            found |= parse(path.read_text())
    return Table(found)


def parse(text: str) -> dict[tuple[str, str], Price]:
    """The prices of one table."""
    data = json.loads(text)
    sources = {name: Source(one["title"], one["date"]) for name, one in data["sources"].items()}
    return {
        (region, key): Price(Decimal(usd), sources[source])
        for region, prices in data["prices"].items()
        for key, (usd, source) in prices.items()
    }
