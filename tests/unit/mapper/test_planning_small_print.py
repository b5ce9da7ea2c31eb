"""Plans where a cent, a missing invoice or a ledger without refund receipts decides (section 6)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    only,
    order,
    refunded,
    second_refund,
    tender,
)
from tests.unit.mapper.test_mode_small_print import WAITS, WITH_INVOICE

from common.messages.orders import FinancialStatus, Refund
from common.messages.transactions import DocumentKind, LineKind
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex

PLAIN = ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"})
"""A ledger where a refund is a credit memo and the money that leaves against it."""


def of_money(amount: str) -> Refund:
    return first_refund(lines=(), tax=D("0.00"), transactions=(refunded(amount, "rt1"),))


def test_a_part_paid_order_with_half_a_dollar_refunded_is_invoiced_where_receipts_are_written() -> None:
    source = example_a(
        tenders=(tender("20.00"),), refunds=(of_money("0.50"),), financial_status=FinancialStatus.PARTIALLY_PAID
    )
    result = mapped(source, configuration("sales_receipts"))
    assert kinds(result) == ["invoice", "payment", "refund_receipt"]


def test_half_a_dollar_refunded_closes_a_sales_order_that_no_invoice_follows() -> None:
    for refunds, wanted in (((), "sales_order"), ((of_money("0.50"),), "sales_order closed")):
        result = mapped(example_a(refunds=refunds), configuration("sales_orders"))
        assert kinds(result) == [wanted]


@pytest.mark.parametrize("policy", ["unapplied", "tip", "stop"])
def test_an_overpayment_is_nothing_to_an_invoice_whose_mode_keeps_no_payments(policy: str) -> None:
    source = example_a(tenders=(tender("80.00"),))
    (invoice,) = mapped(source, configuration("invoices_only", overpayment_policy=policy)).documents
    assert (invoice.hold, invoice.total) == (None, D("77.00"))
    assert LineKind.TIP not in {one.kind for one in invoice.lines}


def test_the_money_of_a_refund_waits_for_its_memo_and_the_memo_for_the_summary() -> None:
    source = example_a(refunds=(first_refund(),))
    result = mapped(source, configuration("summary_sales_receipt", file=PLAIN))
    assert kinds(result) == ["credit_memo", "refund_payment"]
    memo, money = result.documents
    assert money.depends_on == (memo.key,)
    assert len(memo.depends_on) == 1
    assert memo.depends_on != money.depends_on


def test_a_refund_that_nobody_understands_waits_for_the_sales_order_as_well() -> None:
    odd = first_refund(transactions=(refunded("50.00", "rt1"),))
    result = mapped(example_a(refunds=(odd,)), configuration("sales_orders_payments_if_paid"))
    assert kinds(result) == ["sales_order closed", "payment", "credit_memo"]
    sales_order, _, memo = result.documents
    assert memo.hold is not None
    assert memo.depends_on == (sales_order.key,)


GIVEN_UP: list[tuple[dict[str, Any], str]] = [
    ({"total": "0.50", "paid": "0.50", "back": "0.50"}, "sales_order closed"),
    ({"total": "0.50", "paid": "0.50", "back": ""}, "sales_order"),
    ({"total": "0.00", "paid": "", "back": ""}, "sales_order"),
    ({"total": "0.50", "paid": "", "back": ""}, "sales_order"),
]


@pytest.mark.parametrize(("amounts", "wanted"), GIVEN_UP)
def test_a_waiting_sales_order_is_closed_once_all_its_money_went_back(amounts: dict[str, str], wanted: str) -> None:
    source = order(
        lines=(line("l1", "A", amounts["total"]),),
        total=D(amounts["total"]),
        tenders=(tender(amounts["paid"]),) if amounts["paid"] else (),
        refunds=(of_money(amounts["back"]),) if amounts["back"] else (),
        financial_status=FinancialStatus.PENDING,
    )
    result = mapped(source, configuration(WITH_INVOICE), rules=WAITS)
    assert kinds(result)[0] == wanted


def test_only_the_sales_order_of_an_order_given_up_is_closed_for_it() -> None:
    items = ItemIndex([CatalogItem("i1", "HAMMER", "HAMMER", preferred_vendor="Smith", purchase_cost=D("11.00"))])
    settings = configuration("sales_orders_invoices_po")
    source = example_a(refunds=(first_refund(), second_refund()))
    result = mapped(source, settings, Catalog(items=items), rules=WAITS)
    assert kinds(result)[:3] == ["sales_order closed", "purchase_order", "payment"]
    assert len({one.key for one in result.documents}) == len(result.documents)
    assert only(result, DocumentKind.PURCHASE_ORDER).total == D("22.00")
