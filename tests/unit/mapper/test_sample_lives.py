"""Whole lives of sample shops, mapped, against books added up from what happened and never from what was sent."""

from datetime import date
from decimal import Decimal

import pytest
from tests.connectors.conftest import Shelf, account
from tests.connectors.test_sample_shops import KINDS, fetched_refunds, parts_of
from tests.unit.mapper.samples import ALL_CAPABILITIES, configuration, ledger

from common.messages.transactions import SetOutcome
from ingest.channels import BY_NAME
from mapper.mapping.orders import map_order
from mapper.mapping.postings import trial_balance
from sandbox.shops.expectation import Expectation, ExpectedOrder
from sandbox.shops.life import ShopLife
from sandbox.shops.shop import SHOPS, Kind

ORDERS = 60
PLAIN = ALL_CAPABILITIES - {"deposit_to_liability", "refund_receipt"}
MONEY = ("UF", "CLR", "GIFT")


@pytest.mark.parametrize("capabilities", [ALL_CAPABILITIES, PLAIN], ids=["all", "plain"])
@pytest.mark.parametrize("shop", sorted(SHOPS))
@pytest.mark.parametrize("kind", KINDS)
def test_the_books_of_a_life_are_right_to_the_cent(kind: Kind, shop: str, capabilities: frozenset[str]) -> None:
    life = ShopLife(11, kind, shop, date(2026, 3, 1))
    shelf = Shelf(BY_NAME[kind], account(life.shop.timezone, fetches=True))
    for snapshot in life.snapshots(ORDERS):
        if kind == "woocommerce":
            shelf.take(fetched_refunds(snapshot))
        for event in snapshot.events:
            shelf.take(parts_of(event))
    expected = life.expectation(ORDERS)
    for order_id, wanted in expected.orders.items():
        order = shelf.order(order_id)
        file = ledger(home_currency=order.currency, capabilities=capabilities)
        for mode in ("sales_receipts", "invoices_payments_if_paid"):
            where = f"{kind} {order_id} {wanted.scenario} {mode}"
            result = map_order(order, configuration(mode, file=file))
            assert result.outcome is SetOutcome.MAPPED, (where, result.reason)
            balance = trial_balance([one for one in result.documents if one.hold is None])
            money = sum((balance.get(role, Decimal(0)) for role in MONEY), Decimal(0))
            waits = any(one.hold is not None and one.hold.code == "WAITING_FOR_PAYMENT" for one in result.documents)
            assert money == (0 if waits else _money_kept(wanted, expected)), where
            if mode == "invoices_payments_if_paid":
                assert balance.get("AR", Decimal(0)) == _still_owed(wanted, expected), where


def _money_kept(wanted: ExpectedOrder, expected: Expectation) -> Decimal:
    """What came in and stayed, less gift cards sold: those are owed to whoever holds them."""
    if wanted.paid == 0:
        return Decimal(0)
    return expected.money(wanted.paid - wanted.refunded - wanted.gift_cards_sold)


def _still_owed(wanted: ExpectedOrder, expected: Expectation) -> Decimal:
    return Decimal(0) if wanted.cancelled else expected.money(wanted.balance)
