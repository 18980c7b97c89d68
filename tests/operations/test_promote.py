"""Making another host the first one, when the first is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployer.errors.base import Failure
from deployer.errors.hosts import (
    FirstHostAnswers,
    FirstHostAway,
    FirstHostMoved,
    NoCopyLeft,
    OthersMustAnswer,
    PromotionUnfinished,
)

WORDS: dict[str, Failure] = {
    "first-away": FirstHostAway("prod-h1", "prod", "192.0.2.1 port 22: No route to host", "prod-h2"),
    "first-answers": FirstHostAnswers("prod-h1", "prod", "prod-h2"),
    "others-must-answer": OthersMustAnswer("prod-h2", "prod-h3", "prod-h3: Could not reach host prod-h3."),
    "no-copy-left": NoCopyLeft("prod", "prod-h2, prod-h3"),
    "first-moved": FirstHostMoved("prod", "prod-h1", "prod-h2"),
    "promotion-unfinished": PromotionUnfinished("prod", "prod-h1", "prod-h2"),
}


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/hosts/{name}.txt", f"{WORDS[name]}\n")
