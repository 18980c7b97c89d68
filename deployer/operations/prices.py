"""Prices of today: read from AWS, kept in a table of the user's, which counts more than those that came with us."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from deployer.build import folders
from deployer.errors.preview import PricesUnreadable
from infra import price_list, prices
from infra.price_list import QUESTIONS, Found
from infra.prices import Table

Ask = Callable[[str, Mapping[str, str]], Iterable[str]]
"""A search of the Price List: a service and attributes; products as JSON texts."""


def path() -> Path:
    """Where the user's own table lies."""
    return folders.data_folder() / "prices.json"


def load() -> Table:
    """All prices that are known here. Raises PricesUnreadable."""
    try:
        return prices.load((*prices.shipped(), path()))
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise PricesUnreadable(str(path()), f"{type(error).__name__}: {error}") from error


def update(region: str, ask: Ask) -> list[str]:
    """Read the prices of a region and keep them; the keys of those that were found. Nothing is kept of an answer that
    has no price at all."""
    found = [one for question in QUESTIONS for one in _answered(question, region, ask)]
    if found:
        earlier = json.loads(path().read_text()) if path().exists() else None
        folders.make(path().parent)
        aside = path().with_suffix(".new")
        aside.write_text(json.dumps(price_list.table(region, found, earlier), indent=1) + "\n")
        folders.hand_over(aside)
        aside.rename(path())
    return sorted({one.key for one in found})


def expected() -> set[str]:
    """The keys of all that one region's prices should have, sizes apart: not every region has all of them."""
    return {"ebs/gp3", "ipv4", "alb", "alb/lcu", "rds/storage", "secret", "s3/storage", "s3/get", "between-zones"}


def _answered(question: price_list.Question, region: str, ask: Ask) -> Iterable[Found]:
    return price_list.read(question, ask(question.service, question.filters(region)))
