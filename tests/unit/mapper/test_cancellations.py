"""A cancelled order: voided while its period is open, else credited, and only what nobody gave back yet (6, 11)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ORDER_DAY,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    kinds,
    line,
    mapped,
    only,
    order,
    refunded,
    tender,
    unpaid,
)

from common.messages.orders import FinancialStatus, Lifecycle, Order, RefundLine, ShippingLine
from common.messages.transactions import Document, DocumentKind, LineKind
from mapper.mapping.history import History
from mapper.mapping.postings import trial_balance

MODE = "invoices_payments_if_paid"
CANCELLED: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 12)}
PART_PAID: dict[str, Any] = {"tenders": (tender("10.00"),), "financial_status": FinancialStatus.PARTIALLY_PAID}


@pytest.mark.parametrize(
    ("closed_through", "wanted"),
    [
        (date(2026, 3, 1), ["invoice void"]),
        (date(2026, 3, 2), ["invoice", "credit_memo"]),
        (date(2026, 3, 11), ["invoice", "credit_memo"]),
    ],
)
def test_an_invoice_of_a_closed_period_is_credited_in_the_open_one(closed_through: date, wanted: list[str]) -> None:
    settings = configuration(MODE, books=company(closed_through=closed_through))
    result = mapped(unpaid(**CANCELLED), settings, history=History(mapped=True, invoiced=True))
    assert kinds(result) == wanted


def test_the_credit_of_a_cancelled_order_waits_for_what_its_invoice_waits_for() -> None:
    settings = configuration(MODE, unpaid_cancel="credit_memo", products={"missing": "stop_and_queue"})
    result = mapped(unpaid(**CANCELLED), settings)
    invoice, credit = result.documents
    assert credit.kind is DocumentKind.CREDIT_MEMO
    assert invoice.hold is not None
    assert credit.hold == invoice.hold


def test_the_credit_of_an_order_of_nothing_pays_nothing() -> None:
    free = order(lines=(line("l1", "A", "0.00"),), total=D("0.00"), **CANCELLED)
    result = mapped(free, configuration(MODE, unpaid_cancel="credit_memo"))
    assert kinds(result) == ["invoice", "credit_memo"]
    assert result.documents[1].applications == ()


def credit_of(source: Order, mode: str = MODE) -> Document:
    result = mapped(source, configuration(mode))
    (memo,) = [one for one in result.documents if one.source_kind == "order" and one.kind is DocumentKind.CREDIT_MEMO]
    return memo


def amounts(document: Document, kind: LineKind) -> list[tuple[str, str]]:
    return [(one.source_line_id, str(one.amount)) for one in document.lines if one.kind is kind]


def returned(external_id: str, day: int, *lines: RefundLine, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "external_id": external_id,
        "created_at": datetime(2026, 3, day, 9, tzinfo=UTC),
        "refunded_on": date(2026, 3, day),
        "lines": lines,
        "tax": D("0.00"),
        "transactions": (),
    }
    return first_refund(**(values | changes))


def piece(line_id: str, amount: str) -> RefundLine:
    return RefundLine(line_external_id=line_id, quantity=D(1), amount=D(amount), discount=D(0), tax=D(0), restock=True)


def test_goods_that_came_back_before_are_not_credited_again_and_no_other_goods_for_them() -> None:
    source = order(
        lines=(line("l1", "A", "20.00", "3"), line("l2", "B", "5.00", "2"), line("l3", "C", "0.50")),
        total=D("70.50"),
        refunds=(
            returned("r1", 4, piece("l1", "20.00")),
            returned("r2", 5, piece("l1", "20.00"), piece("l3", "0.50")),
            returned("r3", 6, piece("l2", "5.00")),
        ),
        **PART_PAID,
        **CANCELLED,
    )
    memo = credit_of(source)
    assert memo.total == D("15.00")
    shares = amounts(memo, LineKind.PRODUCT)
    assert shares == [("l1", "12.00"), ("l2", "3.00")], "what is left of each, in proportion to what was paid"
    assert trial_balance(list(mapped(source, configuration(MODE)).documents))["INC"] == D("-10.00")


def test_shipping_and_tax_that_went_back_are_taken_off_once() -> None:
    charged = tuple(
        ShippingLine(external_id=name, title="Post", amount=D(amount), discount=D(0))
        for name, amount in (("s1", "4.00"), ("s2", "3.00"))
    )
    source = order(
        lines=(line("l1", "A", "20.00"),),
        shipping_lines=charged,
        total=D("27.00"),
        refunds=(returned("r1", 4, shipping=D("4.00")),),
        **PART_PAID,
        **CANCELLED,
    )
    memo = credit_of(source)
    assert memo.total == D("13.00")
    assert [name for name, _ in amounts(memo, LineKind.SHIPPING)] == ["s2"]


def test_tax_given_back_by_several_refunds_leaves_the_rest_of_it() -> None:
    result = mapped(
        example_a(
            tenders=(tender("70.00"),),
            financial_status=FinancialStatus.PARTIALLY_PAID,
            refunds=(
                first_refund(),
                first_refund(
                    external_id="r2",
                    created_at=datetime(2026, 3, 11, 9, tzinfo=UTC),
                    transactions=(refunded("24.66", "rt2"),),
                ),
            ),
            **CANCELLED,
        ),
        configuration(MODE),
    )
    memo = next(one for one in result.documents if one.kind is DocumentKind.CREDIT_MEMO)
    assert memo.total == D("7.00")
    # 77.00 less twice 24.66 leaves 27.68, of which 1.16 is tax; a share of 7.00 / 27.68 of it is credited.
    assert [str(one.amount) for one in memo.taxes] == ["0.29"]
    assert trial_balance(list(result.documents))["TAX"] == D("-0.87")


def test_a_payment_of_nothing_left_needs_no_credit() -> None:
    result = mapped(example_a(**CANCELLED), configuration(MODE))
    assert only(result, DocumentKind.PAYMENT).total == D("77.00")
    assert not [one for one in result.documents if one.kind is DocumentKind.CREDIT_MEMO]


def test_an_invoice_that_was_only_ever_held_has_nothing_to_credit_when_its_period_is_closed() -> None:
    stops: dict[str, Any] = {"products": {"missing": "stop_and_queue"}}
    held = mapped(unpaid(), configuration(MODE, **stops))
    assert [one.hold is not None for one in held.documents] == [True]
    closed = configuration(MODE, books=company(closed_through=date(2026, 3, 31)), **stops)
    assert kinds(mapped(unpaid(**CANCELLED), closed, history=History.of(held))) == ["invoice void"]
    later = configuration(MODE, books=company(closed_through=date(2026, 3, 11)), unpaid_cancel="credit_memo", **stops)
    assert kinds(mapped(unpaid(**CANCELLED), later, history=History.of(held))) == ["invoice void"], "cancelled since"


@pytest.mark.parametrize(("cancelled_on", "wanted"), [(None, ORDER_DAY), (date(2026, 3, 5), date(2026, 3, 5))])
def test_a_credit_memo_whose_day_was_not_kept_stays_on_the_orders_own(cancelled_on: date | None, wanted: date) -> None:
    closed = configuration(MODE, books=company(closed_through=date(2026, 3, 31)))
    earlier = History(mapped=True, invoiced=True, cancellation="credit")
    cancelled = unpaid(**CANCELLED | {"cancelled_on": cancelled_on})
    assert only(mapped(cancelled, closed, history=earlier), DocumentKind.CREDIT_MEMO).date == wanted
