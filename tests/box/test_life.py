"""A person's day with a space in AWS, in the box: nothing, one command, an app that serves, nothing again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box.box import Box, box
from tests.box.person import at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def here() -> Iterator[Box]:
    with box(hooks={"drain": 0.5}) as made:
        yield made


def test_from_an_empty_account_to_a_url_and_back(here: Box, tmp_path: Path) -> None:
    before = here.cloud.there()
    with at_work(here, tmp_path, "shop", "python_flask_worker") as ada:
        ada.describes()
        url = ada.brings_up()
        assert url == f"http://shop.{here.front_address().replace('.', '-')}.sslip.io/"
        assert "1 host to join production" in ada.err and "web.1 is up" in ada.err
        status, text = ada.asks()
        assert (status, text) == (200, "Hello from Flask, dyno web.1, release v2\n")
        [one] = here.instances()
        assert f"{one.id}  1" in ada.types("hosts", "--space", "production")
        assert "web.1: up" in ada.types("ps")
        assert "Nothing changed" in (ada.types("up", "--space", "production", "--yes"), ada.err)[1]
        ada.types("down", "production", status=2)
        assert "Its apps go with it: shop." in ada.err
        ada.types("down", "production", "--confirm", "production")
        assert "Nothing of production is left in AWS: $0.00." in ada.err
    assert here.cloud.there() == before and not here.instances()
