"""The merchant fee that stands on an order: only where a processor took money, and never twice (section 13)."""

import pytest
from tests.unit.mapper.samples import D, configuration, example_a, line, mapped, only, order, tender, unpaid
from tests.unit.mapper.test_shipments import RULES

from common.messages.orders import FinancialStatus, FulfillmentStatus, Order, TenderKind
from common.messages.transactions import DocumentKind, LineKind
from mapper.mapping.history import History
from mapper.mapping.postings import trial_balance

FEES = {"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
INVOICES = "invoices_payments_if_paid"


def sold_for_cards(*tenders: tuple[str, TenderKind]) -> Order:
    paid = tuple(tender(amount, f"t{n}", kind=kind) for n, (amount, kind) in enumerate(tenders))
    return order(lines=(line("l1", "LAMP", "80.00"),), total=D("80.00"), tenders=paid)


def test_a_customer_who_has_not_paid_owes_the_whole_total() -> None:
    part = example_a(tenders=(tender("30.00"),), financial_status=FinancialStatus.PARTIALLY_PAID)
    for source in (unpaid(), part):
        invoice = only(mapped(source, configuration(INVOICES, fees=FEES)), DocumentKind.INVOICE)
        assert invoice.total == D("77.00")
        assert not [one for one in invoice.lines if one.kind is LineKind.FEE]


def test_a_sales_order_shows_what_was_sold_and_its_invoice_the_fee() -> None:
    result = mapped(example_a(), configuration("sales_orders_invoices_payments_if_paid", fees=FEES))
    assert only(result, DocumentKind.SALES_ORDER).total == D("77.00")
    assert only(result, DocumentKind.INVOICE).total == D("74.47")
    assert only(result, DocumentKind.PAYMENT).total == D("74.47")


@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_a_gift_card_costs_no_fee_and_is_used_up_whole(mode: str) -> None:
    result = mapped(sold_for_cards(("80.00", TenderKind.GIFT_CARD)), configuration(mode, fees=FEES))
    assert trial_balance(list(result.documents)) == {"GIFT": D("80.00"), "INC": D("-80.00")}
    by_expense = mapped(
        sold_for_cards(("80.00", TenderKind.GIFT_CARD)), configuration(mode, fees=FEES | {"on_order": "expense"})
    )
    assert not [one for one in by_expense.documents if one.kind is DocumentKind.EXPENSE]


@pytest.mark.parametrize("gift_last", [True, False])
@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_the_processor_keeps_its_fee_from_its_own_money(mode: str, gift_last: bool) -> None:
    tenders = [("50.00", TenderKind.MONEY), ("30.00", TenderKind.GIFT_CARD)]
    result = mapped(sold_for_cards(*(tenders if gift_last else tenders[::-1])), configuration(mode, fees=FEES))
    assert trial_balance(list(result.documents)) == {
        "UF": D("47.38"),
        "FEES": D("2.62"),
        "GIFT": D("30.00"),
        "INC": D("-80.00"),
    }


@pytest.mark.parametrize("on_order", ["negative_line", "expense"])
def test_an_order_shipped_in_parts_has_one_fee(on_order: str) -> None:
    shipped = example_a(fulfillment_status=FulfillmentStatus.FULFILLED)
    before = History(mapped=True, invoiced=True, shipments=({"l1": D(1)},))
    settings = configuration("sales_orders_invoices_payments_if_paid", fees=FEES | {"on_order": on_order})
    result = mapped(shipped, settings, history=before, rules=RULES)
    assert len([one for one in result.documents if one.kind is DocumentKind.INVOICE]) == 2
    assert trial_balance(list(result.documents))["FEES"] == D("2.53")
