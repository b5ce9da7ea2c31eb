"""Section 9: invoices that follow the shipments of a sales order."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    ORDER_DAY,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    order,
    refunded,
    tax,
    tender,
    unpaid,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import FinancialStatus, FulfillmentStatus, Lifecycle, Order, RefundLine, TenderKind
from common.messages.transactions import DocumentKind, TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.postings import trial_balance

MODE = "sales_orders_invoices_payments_if_paid"
RULES = compiled(rule("do_not_create_invoice", "", ("fulfillment_status", "equals", "unfulfilled")))


def shipped(source: Order, status: FulfillmentStatus, **quantities: str) -> Order:
    lines = tuple(
        one.model_copy(update={"fulfilled_quantity": D(quantities.get(one.external_id, "0"))}) for one in source.lines
    )
    return source.model_copy(update={"lines": lines, "fulfillment_status": status})


def step(source: Order, history: History, settings: Configuration | None = None) -> tuple[TransactionSet, History]:
    result = mapped(source, settings or configuration(MODE), rules=RULES, history=history)
    return result, History.of(result)


def test_each_shipment_is_an_invoice_and_the_last_one_closes_the_order() -> None:
    waiting, history = step(example_a(), FIRST_TIME)
    assert kinds(waiting) == ["sales_order", "payment"]
    first, history = step(shipped(example_a(), FulfillmentStatus.PARTIAL, l1="1"), history)
    assert kinds(first) == ["sales_order", "invoice", "payment"]
    assert first.documents[1].closes == ()
    assert [one.quantity for one in first.documents[1].lines if one.source_line_id == "l1"] == [D(1)]
    again, history = step(shipped(example_a(), FulfillmentStatus.PARTIAL, l1="1"), history)
    assert again.documents == first.documents, "the same state changes nothing"
    last, history = step(shipped(example_a(), FulfillmentStatus.FULFILLED, l1="2", l2="1"), history)
    assert kinds(last) == ["sales_order", "invoice", "invoice", "payment"]
    sales_order, one, two, payment = last.documents
    assert one == first.documents[1]
    assert two.closes == (sales_order.key,)
    assert (one.number, two.number) == ("1001", "1001-1")
    assert one.total + two.total == D("77.00")
    assert [(part.document_key, part.amount) for part in payment.applications] == [
        (one.key, one.total),
        (two.key, two.total),
    ]
    assert trial_balance(list(last.documents)) == trial_balance(
        list(mapped(example_a(), configuration("invoices_payments_if_paid")).documents)
    )
    assert (
        step(shipped(example_a(), FulfillmentStatus.FULFILLED, l1="2", l2="1"), history)[0].documents == last.documents
    )


@pytest.mark.vector_core
def test_vector_10_an_invoice_forty_days_later_still_closes_the_sales_order() -> None:
    late = tender("77.00", captured_on=ORDER_DAY + timedelta(days=40))
    source = example_a(tenders=(late,), fulfillment_status=FulfillmentStatus.FULFILLED)
    result, _ = step(source, FIRST_TIME)
    assert kinds(result) == ["sales_order", "invoice", "payment"]
    assert result.documents[1].closes == (result.documents[0].key,)


def test_an_order_that_was_invoiced_as_a_whole_stays_so() -> None:
    whole = History.of(mapped(example_a(), configuration(MODE)))
    before = History(mapped=True, invoiced=whole.invoiced)
    result = mapped(
        shipped(example_a(), FulfillmentStatus.PARTIAL, l1="1"), configuration(MODE), rules=RULES, history=before
    )
    assert [one.total for one in result.documents if one.kind is DocumentKind.INVOICE] == [D("77.00")]


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9_999), st.integers(0, 999)), min_size=1, max_size=3),
    st.data(),
)
def test_part_invoices_add_up_to_the_order(lines: list[tuple[int, int, int]], data: st.DataObject) -> None:
    sold = tuple(
        line(f"l{n}", f"S{n}", "1.00", str(quantity), amount=Decimal(cents) / 100, taxes=(tax(f"{charged / 100:.2f}"),))
        for n, (quantity, cents, charged) in enumerate(lines)
    )
    tax_total = sum((one.taxes[0].amount for one in sold), Decimal(0))
    total = sum((one.amount for one in sold), tax_total)
    source = order(lines=sold, tax_total=tax_total, total=total, tenders=(tender(f"{total}"),))
    history = FIRST_TIME
    done = {one.external_id: 0 for one in sold}
    for _ in range(data.draw(st.integers(0, 3))):
        for one in sold:
            done[one.external_id] = data.draw(st.integers(done[one.external_id], int(one.quantity)))
        if any(done.values()):
            _, history = step(
                shipped(source, FulfillmentStatus.PARTIAL, **{key: str(value) for key, value in done.items()}), history
            )
    result, _ = step(source.model_copy(update={"fulfillment_status": FulfillmentStatus.FULFILLED}), history)
    invoices = [one for one in result.documents if one.kind is DocumentKind.INVOICE]
    assert sum(one.total for one in invoices) == total
    assert "AR" not in trial_balance(list(result.documents))
    assert sum(bool(one.closes) for one in invoices) == 1


def test_tax_of_a_part_stays_with_its_agency() -> None:
    of_city = tax("1.00").model_copy(update={"jurisdiction": "Providence"})
    source = order(
        lines=(line("l1", "A", "10.00", "2", taxes=(of_city,)),),
        taxes=(of_city,),
        tax_total=D("1.00"),
        total=D("21.00"),
        tenders=(tender("21.00"),),
    )
    result, _ = step(shipped(source, FulfillmentStatus.PARTIAL, l1="1"), FIRST_TIME)
    (charged,) = next(one for one in result.documents if one.kind is DocumentKind.INVOICE).taxes
    assert (charged.amount, charged.account.qualifier) == (D("0.50"), "Providence")


def test_a_gift_card_pays_for_later_shipments_what_the_first_left_of_it() -> None:
    card = tender("50.00", "g", kind=TenderKind.GIFT_CARD, method="gift_card")
    source = example_a(tenders=(card, tender("27.00")))
    settings = configuration(MODE, file=ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"}))
    _, history = step(shipped(source, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME, settings)
    result, _ = step(shipped(source, FulfillmentStatus.FULFILLED), history, settings)
    invoices = [one for one in result.documents if one.kind is DocumentKind.INVOICE]
    assert [one.total for one in invoices] == [D("0.00"), D("27.00")]
    balance = trial_balance(list(result.documents))
    assert (balance.get("AR"), balance["GIFT"], balance["UF"]) == (None, D("50.00"), D("27.00"))


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
def test_what_a_marketplace_keeps_of_the_tax_goes_with_the_tax_of_each_shipment(remitted: str) -> None:
    source = example_a(tax_remitted=D("4.06"), tenders=(tender("72.94"),))
    settings = configuration(MODE, tax={"remitted": remitted})
    first, history = step(shipped(source, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME, settings)
    result, _ = step(shipped(source, FulfillmentStatus.FULFILLED), history, settings)
    for one in (first, result):
        assert "TAX" not in trial_balance(list(one.documents))
    assert [one.total for one in result.documents if one.kind is DocumentKind.INVOICE] == [D("22.94"), D("50.00")]


HAMMERS = first_refund(
    lines=(RefundLine(line_external_id="l1", quantity=D(2), amount=D("46.43"), discount=D("3.57"), tax=D("2.90")),),
    tax=D("2.90"),
    transactions=(refunded("49.33", "rt1"),),
)


@pytest.mark.parametrize("paid", [True, False])
def test_what_goes_back_unshipped_takes_off_no_more_than_was_invoiced(paid: bool) -> None:
    sold = example_a() if paid else unpaid()
    back = HAMMERS if paid else HAMMERS.model_copy(update={"transactions": ()})
    _, history = step(shipped(sold, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME)
    given_up = shipped(sold, FulfillmentStatus.PARTIAL, l2="1").model_copy(update={"refunds": (back,)})
    result, history = step(given_up, history)
    assert [one.total for one in result.documents if one.kind is DocumentKind.INVOICE] == [D("24.10"), D("52.90")]
    balance = trial_balance(list(result.documents))
    assert (balance["INC"], balance["TAX"], balance["DISC"]) == (D("-19.99"), D("-1.16"), D("1.43"))
    assert balance.get("AR", D(0)) == (D(0) if paid else D("27.67"))
    assert step(given_up, history)[0].documents == result.documents


def cancelled(source: Order) -> Order:
    changes = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 20)}
    return source.model_copy(update=changes)


def test_a_cancelled_order_that_was_shipped_and_paid_in_part_owes_no_rest_of_its_invoices() -> None:
    sold = example_a(tenders=(tender("30.00"),), financial_status=FinancialStatus.PARTIALLY_PAID)
    _, history = step(shipped(sold, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME)
    both = shipped(sold, FulfillmentStatus.PARTIAL, l1="1", l2="1")
    _, history = step(both, history)
    result, history = step(cancelled(both), history)
    assert kinds(result) == ["sales_order closed", "invoice", "invoice", "payment", "credit_memo"]
    _, one, two, payment, memo = result.documents
    assert [(part.document_key, part.amount) for part in payment.applications] == [
        (one.key, D("24.10")),
        (two.key, D("5.90")),
    ]
    assert [(part.document_key, part.amount) for part in memo.applications] == [(two.key, D("20.55"))]
    assert (memo.total, memo.date) == (D("20.55"), date(2026, 3, 20))
    assert payment.depends_on == memo.depends_on == (one.key, two.key)
    assert "AR" not in trial_balance(list(result.documents))
    assert step(cancelled(both), history)[0].documents == result.documents


def test_a_cancelled_order_that_was_shipped_in_part_is_credited_where_its_period_is_closed() -> None:
    settings = configuration(MODE)
    sold = shipped(unpaid(), FulfillmentStatus.PARTIAL, l2="1")
    _, history = step(sold, FIRST_TIME, settings)
    assert kinds(step(cancelled(sold), history, settings)[0]) == ["sales_order closed"]
    closed = configuration(MODE, books=company(closed_through=date(2026, 3, 15)))
    result, history = step(cancelled(sold), history, closed)
    assert kinds(result) == ["sales_order closed", "invoice", "credit_memo"]
    assert (result.documents[2].total, result.documents[2].date) == (D("24.10"), date(2026, 3, 20))
    assert result.documents[1].depends_on == ()
    assert trial_balance(list(result.documents)) == {}
    assert step(cancelled(sold), history, settings)[0].documents == result.documents
