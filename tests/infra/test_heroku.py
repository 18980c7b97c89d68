"""The same formation on Heroku."""

from __future__ import annotations

from decimal import Decimal

from deployer.model.formation import Quantity
from infra import heroku, prices

TABLE = prices.load(prices.shipped())


def test_dynos_and_add_ons_are_added_up() -> None:
    formation = {"web": Quantity(2, "Standard-2X"), "worker": Quantity(1), "clock": Quantity(0)}
    found = heroku.bill(formation, ["heroku-postgresql:essential-1"], TABLE)
    assert [line.amount for line in found.lines] == [Decimal("100.00"), Decimal("7.00"), Decimal("9.00")]
    assert found.total == Decimal("116.00")


def test_several_basic_dynos_of_a_type_are_not_to_be_had_there() -> None:
    [line] = heroku.bill({"web": Quantity(2)}, [], TABLE).lines
    assert line.item.what == "web=2:Standard-1X (Basic runs one)"
    assert line.amount == Decimal("50.00")


def test_a_retired_plan_costs_what_its_successor_does() -> None:
    [line] = heroku.bill({}, ["heroku-postgresql:hobby-dev"], TABLE).lines
    assert (line.item.what, line.amount) == ("heroku-postgresql:essential-0", Decimal("5.00"))


def test_an_add_on_without_a_price_is_unknown() -> None:
    [line] = heroku.bill({}, ["heroku-kafka:basic-0"], TABLE).lines
    assert line.amount is None
