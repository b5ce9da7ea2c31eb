"""Section 6 of the domain reference, cell by cell."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    order,
    second_refund,
    tender,
    unpaid,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.base import Severity
from common.messages.control import TransactionMode
from common.messages.orders import FinancialStatus, Lifecycle, Order
from common.messages.transactions import SetOutcome
from mapper.mapping.modes import TABLE

PARTLY = example_a(financial_status=FinancialStatus.PARTIALLY_PAID, tenders=(tender("30.00"),))
ZERO = order(lines=(line("l1", "GIFT", "10.00", amount=D("0.00"), discount=D("10.00")),), total=D("0.00"))
CANCELLED = unpaid(lifecycle=Lifecycle.CANCELLED)
REFUNDED = example_a(financial_status=FinancialStatus.REFUNDED, refunds=(first_refund(), second_refund()))
SITUATIONS: dict[str, Order] = {
    "unpaid": unpaid(),
    "partly": PARTLY,
    "paid": example_a(),
    "zero": ZERO,
    "cancelled": CANCELLED,
    "refunded": REFUNDED,
}

CELLS: dict[str, dict[str, list[str]]] = {
    "none": {name: [] for name in SITUATIONS},
    "sales_receipts": {
        "unpaid": ["sales_receipt held"],
        "partly": ["sales_receipt held"],
        "paid": ["sales_receipt"],
        "zero": ["sales_receipt"],
        "cancelled": [],
        "refunded": ["sales_receipt", "refund_receipt", "refund_receipt"],
    },
    "invoices_only": {
        "unpaid": ["invoice"],
        "partly": ["invoice"],
        "paid": ["invoice"],
        "zero": ["invoice"],
        "cancelled": ["invoice void"],
        "refunded": ["invoice", "credit_memo", "credit_memo"],
    },
    "invoices_payments_if_paid": {
        "unpaid": ["invoice"],
        "partly": ["invoice", "payment"],
        "paid": ["invoice", "payment"],
        "zero": ["invoice", "payment held"],
        "cancelled": ["invoice void"],
        "refunded": ["invoice", "payment", "refund_receipt", "refund_receipt"],
    },
    "sales_orders": {
        "unpaid": ["sales_order"],
        "partly": ["sales_order"],
        "paid": ["sales_order"],
        "zero": ["sales_order"],
        "cancelled": ["sales_order closed"],
        "refunded": ["sales_order closed"],
    },
    "sales_orders_payments_if_paid": {
        "unpaid": ["sales_order"],
        "partly": ["sales_order", "payment"],
        "paid": ["sales_order", "payment"],
        "zero": ["sales_order"],
        "cancelled": ["sales_order closed"],
        "refunded": ["sales_order closed", "payment", "refund_payment", "refund_payment"],
    },
    "sales_orders_invoices_payments_if_paid": {
        "unpaid": ["sales_order", "invoice"],
        "partly": ["sales_order", "invoice", "payment"],
        "paid": ["sales_order", "invoice", "payment"],
        "zero": ["sales_order", "invoice", "payment held"],
        "cancelled": ["sales_order closed", "invoice void"],
        "refunded": ["sales_order", "invoice", "payment", "refund_receipt", "refund_receipt"],
    },
    "estimates": {
        "unpaid": ["estimate"],
        "partly": ["estimate"],
        "paid": ["estimate"],
        "zero": ["estimate"],
        "cancelled": ["estimate closed"],
        "refunded": ["estimate"],
    },
    "payments_only": {
        "unpaid": [],
        "partly": ["invoice found", "payment"],
        "paid": ["invoice found", "payment"],
        "zero": [],
        "cancelled": [],
        "refunded": ["invoice found", "payment"],
    },
    "credit_memos_only": {
        "unpaid": [],
        "partly": [],
        "paid": [],
        "zero": [],
        "cancelled": [],
        "refunded": ["credit_memo", "credit_memo"],
    },
}


def shown(source: Order, mode: str, **changes: Any) -> list[str]:
    result = mapped(source, configuration(mode, **changes))
    assert result.outcome is not SetOutcome.HELD, result.reason
    return [
        kind + (" held" if document.hold else "")
        for kind, document in zip(kinds(result), result.documents, strict=True)
    ]


@pytest.mark.parametrize(
    ("mode", "situation", "wanted"),
    [(mode, situation, wanted) for mode, row in CELLS.items() for situation, wanted in row.items()],
)
def test_each_cell_of_the_mode_table_gives_its_documents(mode: str, situation: str, wanted: list[str]) -> None:
    assert shown(SITUATIONS[situation], mode) == wanted


def test_every_mode_has_a_row() -> None:
    assert set(TABLE) == set(TransactionMode)


def test_modes_for_purchase_feeds_are_refused_with_a_reason() -> None:
    result = mapped(example_a(), configuration("bills"))
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "MODE_NOT_SUPPORTED"


def test_an_estimate_stands_in_where_the_ledger_has_no_sales_orders() -> None:
    file = ledger(capabilities=ledger().capabilities - {"sales_order"})
    assert shown(example_a(), "sales_orders_invoices_payments_if_paid", file=file) == ["estimate", "invoice", "payment"]
    none = ledger(capabilities=frozenset())
    result = mapped(example_a(), configuration("sales_orders", file=none))
    assert result.reason is not None
    assert result.reason.code == "MODE_NOT_SUPPORTED"


def test_the_final_invoice_closes_the_sales_order_and_waits_for_it() -> None:
    result = mapped(example_a(), configuration("sales_orders_invoices_payments_if_paid"))
    sales_order, invoice, payment = result.documents
    assert invoice.closes == (sales_order.key,)
    assert invoice.depends_on == (sales_order.key,)
    assert payment.depends_on == (invoice.key,)
    assert [(one.document_key, one.amount) for one in payment.applications] == [(invoice.key, D("77.00"))]
    assert sales_order.number == invoice.number == "1001"


def test_a_receipt_waits_for_the_payment_and_says_so() -> None:
    held = mapped(PARTLY, configuration()).documents[0].hold
    assert held is not None
    assert held.code == "WAITING_FOR_PAYMENT"
    assert "30.00 of 77.00 USD" in held.text


@pytest.mark.parametrize("status", ["paid", "refunded"])
@pytest.mark.parametrize("tolerance", ["0.00", "0.05"])
def test_an_order_that_the_channel_calls_paid_says_what_is_missing_and_asks_for_it(status: str, tolerance: str) -> None:
    short = example_a(financial_status=FinancialStatus(status), tenders=(tender("76.99"),))
    (receipt,) = mapped(short, configuration(rounding_tolerance=D(tolerance))).documents
    assert receipt.hold is not None
    assert (receipt.hold.code, receipt.hold.field, receipt.hold.value) == ("PAYMENTS_SHORT", "financial_status", status)
    assert f"is {status}, and its payments come to 76.99 of 77.00 USD: 0.01 USD is missing." in receipt.hold.text
    assert "missing payment" in receipt.hold.cure
    assert receipt.hold.severity is Severity.ERROR, "the overview counts it as a warning, as it waits for nothing"


def test_a_receipt_that_a_rule_or_the_channel_calls_unpaid_waits_without_a_warning() -> None:
    unpaid_by_rule = compiled(rule("mark_as_unpaid"))
    for source, rules in ((example_a(tenders=(tender("76.99"),)), unpaid_by_rule), (PARTLY, compiled())):
        (receipt,) = mapped(source, configuration(), rules=rules).documents
        assert receipt.hold is not None
        assert receipt.hold.code == "WAITING_FOR_PAYMENT"


def test_unpaid_in_receipt_mode_can_be_invoiced_instead() -> None:
    changes = {"unpaid_in_receipt_mode": "invoice"}
    assert shown(unpaid(), "sales_receipts", **changes) == ["invoice"]
    assert shown(PARTLY, "sales_receipts", **changes) == ["invoice", "payment"]
    assert shown(example_a(), "sales_receipts", **changes) == ["sales_receipt"]


def test_zero_totals_are_filtered_where_settings_say_so() -> None:
    result = mapped(ZERO, configuration(sync_zero_total_orders=False))
    assert result.outcome is SetOutcome.FILTERED
    assert result.reason is not None
    assert result.reason.code == "ZERO_TOTAL"


def test_an_order_may_name_its_own_mode() -> None:
    assert shown(example_a(invoice_mode="invoices_only"), "sales_receipts") == ["invoice"]
    result = mapped(example_a(invoice_mode="by_carrier_pigeon"), configuration())
    assert result.reason is not None
    assert result.reason.code == "MODE_NOT_SUPPORTED"


def test_tax_lines_are_refused_in_sales_order_modes() -> None:
    """Vector 13."""
    result = mapped(example_a(), configuration("sales_orders", tax={"method": "tax_line"}))
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "TAX_LINE_IN_SALES_ORDER"


@pytest.mark.parametrize("mode", ["summary_sales_receipt", "summary_invoice"])
def test_summary_modes_take_paid_orders_and_leave_unpaid_ones(mode: str) -> None:
    included = mapped(example_a(), configuration(mode))
    assert included.outcome is SetOutcome.MAPPED
    assert included.reason is not None
    assert included.reason.code == "IN_SUMMARY"
    left_out = mapped(unpaid(), configuration(mode))
    assert left_out.documents == ()
    assert left_out.reason is not None
    assert left_out.reason.code == "NO_DOCUMENTS"
