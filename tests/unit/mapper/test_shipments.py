"""Section 9: invoices that follow the shipments of a sales order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.mapper.samples import ORDER_DAY, D, configuration, example_a, kinds, line, mapped, order, tax, tender
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import FulfillmentStatus, Order
from common.messages.transactions import DocumentKind, TransactionSet
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.postings import trial_balance

MODE = "sales_orders_invoices_payments_if_paid"
RULES = compiled(rule("do_not_create_invoice", "", ("fulfillment_status", "equals", "unfulfilled")))


def shipped(source: Order, status: FulfillmentStatus, **quantities: str) -> Order:
    lines = tuple(
        one.model_copy(update={"fulfilled_quantity": D(quantities.get(one.external_id, "0"))}) for one in source.lines
    )
    return source.model_copy(update={"lines": lines, "fulfillment_status": status})


def step(source: Order, history: History) -> tuple[TransactionSet, History]:
    result = mapped(source, configuration(MODE), rules=RULES, history=history)
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
