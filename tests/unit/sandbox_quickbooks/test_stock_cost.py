"""Stock cost: what leaves, what it cost, what is left."""

from decimal import Decimal

import pytest

from sandbox.quickbooks_online.accounting import stock
from sandbox.quickbooks_online.company import Company, CompanySettings
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.seed import new_company
from sandbox.quickbooks_online.server import Server

DAY = "2026-03-01"


def company(**settings: object) -> Company:
    return new_company(Server(), "1", CompanySettings(**settings), "full")  # type: ignore[arg-type]


def pump(held: Company) -> dict[str, object]:
    found = held.get("Item", "11")
    assert found is not None
    return found


def bought(held: Company, quantity: str, value: str) -> None:
    stock.receive(held, pump(held), Decimal(quantity), Decimal(value), "b", DAY)


@pytest.mark.parametrize(("costing", "value"), [("average", "-360.00"), ("fifo", "-340.00")])
def test_layers_are_used_up_as_the_company_says(costing: str, value: str) -> None:
    held = company(costing=costing)
    before = stock.average(pump(held), held.layers["11"])
    assert before == 10
    held.layers["11"] = (stock.Layer("opening", Decimal(20), Decimal(10)),)
    bought(held, "20", "280")
    with held.step():
        move = stock.issue(held, pump(held), Decimal(30), DAY)
    assert move.value == Decimal(value)
    assert sum(layer.quantity for layer in held.layers["11"]) == 10


def test_a_refused_sale_leaves_stock_alone() -> None:
    held = company()
    held.settings.negative_stock = False
    layers = held.layers["11"]

    def sell_twice() -> None:
        with held.step():
            stock.issue(held, pump(held), Decimal(1), DAY)
            stock.issue(held, pump(held), Decimal(1000), DAY)

    with pytest.raises(Fault) as refused:
        sell_twice()
    assert refused.value.code == "6000"
    assert held.layers["11"] == layers


def test_a_sale_before_the_first_day_is_refused() -> None:
    held = company()
    with pytest.raises(Fault) as refused:
        stock.issue(held, pump(held), Decimal(1), "2014-12-31")
    assert refused.value.code == "6270"
