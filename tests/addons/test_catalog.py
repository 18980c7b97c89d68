"""Services, plans and prices as data."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from deployer.addons.catalog import PROVIDERS, find
from deployer.addons.names import COLOURS, SHAPES, new_colour, new_name
from deployer.addons.postgresql import Postgresql, url
from deployer.addons.provider import Plan
from deployer.host.postgres_sql import checked


@pytest.mark.parametrize("typed", ["heroku-postgresql", "postgresql", "postgres"])
def test_a_service_without_a_plan_means_herokus_default_plan(typed: str) -> None:
    provider, plan = find(typed)
    assert (provider.service, plan.name) == ("heroku-postgresql", "essential-0")


@pytest.mark.parametrize("name", ["hobby-dev", "mini", "essential-0", "essential-1", "essential-2"])
def test_every_plan_that_files_name_is_there(name: str) -> None:
    assert find(f"heroku-postgresql:{name}")[1].limits["connections"] >= 20


@pytest.mark.parametrize(
    ("cents", "price"), [(0, "free"), (500, "~$0.007/hour (max $5/month)"), (1250, "~$0.017/hour (max $12.5/month)")]
)
def test_prices_read_like_herokus(cents: int, price: str) -> None:
    assert Plan("x", cents).price == price


def test_names_of_services_mean_one_provider_each() -> None:
    names = [name for provider in PROVIDERS for name in (provider.service, *provider.aliases)]
    assert len(names) == len(set(names))


def test_drafts_are_names_that_the_agent_takes_and_never_the_same() -> None:
    drafts = [Postgresql().draft() for _ in range(100)]
    assert all(checked(draft["name"]) for draft in drafts)
    assert all(len(draft["password"]) == 48 for draft in drafts)
    assert len({draft["name"] for draft in drafts} | {draft["password"] for draft in drafts}) == 200


def test_a_url_is_read_back_part_by_part() -> None:
    parts = urlsplit(url("u1", "ab", "fd00::1", 5433))
    assert (parts.scheme, parts.username, parts.password, parts.hostname, parts.port, parts.path) == (
        "postgresql",
        "u1",
        "ab",
        "fd00::1",
        5433,
        "/u1",
    )
    assert parse_qs(parts.query) == {"sslmode": ["verify-full"], "sslrootcert": ["/etc/ssl/deployer/space-ca.pem"]}


def test_names_avoid_what_is_taken() -> None:
    taken = {f"HEROKU_POSTGRESQL_{colour}_URL" for colour in COLOURS if colour != "TEAL"}
    assert new_colour("HEROKU_POSTGRESQL", taken) == "HEROKU_POSTGRESQL_TEAL"
    assert new_colour("HEROKU_POSTGRESQL", taken | {"HEROKU_POSTGRESQL_TEAL_URL"}) not in {
        u.removesuffix("_URL") for u in taken
    }
    shape = new_name("postgresql", ()).split("-")
    assert shape[0] == "postgresql"
    assert shape[1] in SHAPES
    assert 10000 <= int(shape[2]) < 100000
