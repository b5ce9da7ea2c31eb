"""Settings that could only hold every order they are for: refused with field, value and cure, on any ledger."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.settings_checks import Books, check_connection
from api.settings_conflicts import conflicts
from common.messages.control import ConnectionSettings, ProductSettings, TransactionMode
from common.messages.transactions import AccountRole

ACCOUNTS = {role: f"Account of {role.value}" for role in AccountRole}
LEDGER = ("sales_receipt", "invoice", "journal_entry", "bill", "expense", "next_number", "creates_items")
ITEMS = [name for name in ProductSettings.model_fields if name.endswith("_item")]


def settings(**more: Any) -> ConnectionSettings:
    values: dict[str, Any] = {"connection_id": "c", "channel": "custom", "name": "Shop", "company_id": "f"}
    return ConnectionSettings(**(values | {"start_date": date(2026, 11, 20)} | more))


def refused(**more: Any) -> list[tuple[str, str, str]]:
    return [(one.field, one.value or "", one.cure) for one in conflicts(settings(**more))]


def test_a_tolerance_below_zero_is_refused_even_where_the_connection_is_off() -> None:
    cure = "no difference is that small: give 0 or more, or leave it out for the currency's own"
    assert refused(rounding_tolerance=Decimal(-1)) == [("body.rounding_tolerance", "-1", cure)]
    assert refused(rounding_tolerance=Decimal("-0.01"), enabled=False) == [("body.rounding_tolerance", "-0.01", cure)]
    for fine in (None, Decimal(0), Decimal("0.05"), Decimal("2.00")):
        assert refused(rounding_tolerance=fine) == []


@pytest.mark.parametrize("mode", [TransactionMode.JOURNAL_ENTRIES, TransactionMode.SUMMARY_PAYOUT])
def test_a_mode_that_writes_by_payout_needs_payouts(mode: TransactionMode) -> None:
    cure = "it writes orders with their payouts: switch payouts.enabled on, or choose another mode"
    assert refused(mode=mode) == [("body.mode", mode.value, cure)]
    assert refused(mode=mode, payouts={"enabled": True}) == []
    assert refused(mode=mode, enabled=False) == []
    assert refused(mode=TransactionMode.SUMMARY_JOURNAL_ENTRY) == []


def test_a_fee_written_as_a_bill_needs_a_vendor() -> None:
    cure = "a bill is a vendor's: name who gets the fee, or write the fee as an expense"
    assert refused(fees={"on_order": "bill", "payee": " "}) == [("body.fees.payee", " ", cure)]
    assert refused(fees={"on_order": "bill", "payee": "Processor"}) == []
    assert refused(fees={"on_order": "expense"}) == []
    assert refused(fees={"on_order": "bill"}, enabled=False) == []


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_without_a_name_is_refused(item: str) -> None:
    cure = "name an item of the ledger, or leave it out for its default"
    for blank in ("", "  "):
        assert refused(products={item: blank}) == [(f"body.products.{item}", blank, cure)]
    assert refused(products={item: ""}, enabled=False) == []


def test_the_save_of_settings_refuses_each_conflict_once() -> None:
    wrong = settings(rounding_tolerance=Decimal(-1), products={"shipping_item": ""})
    problems = check_connection(wrong, LEDGER, ACCOUNTS, Books(items={}))
    assert [one.field for one in problems] == ["body.rounding_tolerance", "body.products.shipping_item"]
