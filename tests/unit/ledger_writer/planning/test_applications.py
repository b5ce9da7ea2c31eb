"""Money is applied up to what is open, and the rest stays unapplied."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.documents import DocumentState as S
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import OperationKind
from ledger_writer.planning.model import Effect, Later, Settle, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

D = Decimal


def planned(make: Any, documents: list[Any], known: list[Any], **terms: Any) -> list[Any]:
    return plan(documents, {one.key: one for one in known}, replace(make.TERMS, **terms))


@pytest.mark.parametrize(
    ("tender", "open_balance", "applied"),
    [("77.00", "77.00", "77.00"), ("80.00", "77.00", "77.00"), ("30.00", "77.00", "30.00"), ("77.00", "7.00", "7.00")],
)
def test_a_payment_is_capped_to_the_open_balance(make: Any, tender: str, open_balance: str, applied: str) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D(open_balance))
    payment = make.document(K.PAYMENT, tender, applies=[(invoice.key, tender)])
    (step,) = planned(make, [make.desired(payment)], [invoice])
    assert step.operation.applications == ((invoice.key, D(applied)),)
    notices = [notice.code for notice in step.notices]
    assert notices == ([] if tender == applied else ["PARTLY_UNAPPLIED"])


def test_a_payment_of_a_paid_invoice_is_written_unapplied(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("0.00"))
    payment = make.document(K.PAYMENT, "77.00", applies=[(invoice.key, "77.00")])
    (step,) = planned(make, [make.desired(payment)], [invoice])
    assert step.operation.applications == ()
    assert [notice.code for notice in step.notices] == ["PARTLY_UNAPPLIED"]


def test_two_payments_of_one_batch_share_the_open_balance(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("77.00"))
    payments = [
        make.document(K.PAYMENT, "50.00", applies=[(invoice.key, "50.00")], ordinal=ordinal) for ordinal in (0, 1)
    ]
    steps = planned(make, [make.desired(one) for one in payments], [invoice])
    assert [dict(step.operation.applications)[invoice.key] for step in steps] == [D("50.00"), D("27.00")]


def test_a_payment_can_be_spread_over_invoices_but_never_exceeds_itself(make: Any) -> None:
    first = make.known("a" * 32, open_balance=D("50.00"))
    second = make.known("b" * 32, open_balance=D("50.00"))
    payment = make.document(K.PAYMENT, "77.00", applies=[(first.key, "50.00"), (second.key, "50.00")])
    (step,) = planned(make, [make.desired(payment)], [first, second])
    assert step.operation.applications == ((first.key, D("50.00")), (second.key, D("27.00")))


def test_without_a_known_balance_the_order_is_believed(make: Any) -> None:
    order = make.known(make.key_of(K.SALES_ORDER), K.SALES_ORDER)
    payment = make.document(K.PAYMENT, "77.00", applies=[(order.key, "77.00")])
    (step,) = planned(make, [make.desired(payment)], [order])
    assert step.operation.applications == ((order.key, D("77.00")),)


def test_money_received_before_the_invoice_is_applied_when_it_arrives(make: Any) -> None:
    early = make.document(K.PAYMENT, "100.00")
    invoice = make.document(K.INVOICE, "250.00")
    now = make.document(K.PAYMENT, "100.00", applies=[(invoice.key, "100.00")])
    there = make.known(invoice.key, open_balance=D("250.00"))
    (step,) = planned(make, [make.desired(now, written=make.written(early), hold_edits=True)], [there])
    assert isinstance(step, Write)
    assert step.operation.applications == ((invoice.key, D("100.00")),)
    assert step.operation.previous_applications == ()


def test_while_the_invoice_is_missing_the_written_payment_stays_as_it_is(make: Any) -> None:
    applies = [(make.key_of(K.INVOICE), "100.00")]
    payment = make.document(K.PAYMENT, "100.00", applies=applies)
    (step,) = planned(make, [make.desired(payment, written=make.written(payment))], [])
    assert step == Settle(payment.key, Event.UNCHANGED)


def test_more_is_applied_when_the_balance_opens_again(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("3.00"))
    payment = make.document(K.PAYMENT, "80.00", applies=[(invoice.key, "80.00")])
    stands = make.written(payment, applications=((invoice.key, D("77.00")),))
    (step,) = planned(make, [make.desired(payment, written=stands)], [invoice])
    assert step.operation.applications == ((invoice.key, D("80.00")),)


def test_an_invoice_that_grows_in_the_same_batch_takes_more(make: Any) -> None:
    before, after = make.document(K.INVOICE, "50.00"), make.document(K.INVOICE, "77.00")
    invoice = make.known(before.key, open_balance=D("50.00"))
    payment = make.document(K.PAYMENT, "77.00", applies=[(before.key, "77.00")])
    batch = [make.desired(payment), make.desired(after, written=make.written(before))]
    steps = planned(make, batch, [invoice], links_ahead=True)
    assert steps[1].operation.applications == ((before.key, D("77.00")),)


def test_side_by_side_the_difference_is_paid_once_the_invoice_has_grown(make: Any) -> None:
    before, after = make.document(K.INVOICE, "50.00"), make.document(K.INVOICE, "77.00")
    invoice = make.known(before.key, open_balance=D("0.00"))
    payment = make.document(K.PAYMENT, "27.00", applies=[(before.key, "27.00")])
    steps = planned(make, [make.desired(payment), make.desired(after, written=make.written(before))], [invoice])
    assert isinstance(steps[0], Write)
    assert steps[1] == Later(payment.key, after.key)


def test_side_by_side_the_invoice_shrinks_once_the_money_is_off_it(make: Any) -> None:
    before, after = make.document(K.INVOICE, "77.00"), make.document(K.INVOICE, "50.00")
    invoice = make.known(before.key, open_balance=D("0.00"))
    payment = make.document(K.PAYMENT, "77.00", applies=[(before.key, "77.00")])
    stands = make.written(payment, applications=((before.key, D("77.00")),))
    batch = [make.desired(after, written=make.written(before)), make.desired(payment, written=stands)]
    steps = {step.key if isinstance(step, Later) else "payment": step for step in planned(make, batch, [invoice])}
    assert steps[after.key] == Later(after.key, payment.key)
    taken_off = steps["payment"]
    assert isinstance(taken_off, Write)
    assert taken_off.operation.applications == ((before.key, D("50.00")),)


@pytest.mark.parametrize("links_ahead", [True, False])
def test_money_that_comes_another_way_takes_the_place_of_what_is_voided(make: Any, links_ahead: bool) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("0.00"))
    applies = [(invoice.key, "77.00")]
    card, cash = (make.document(K.PAYMENT, "77.00", applies=applies, ordinal=ordinal) for ordinal in (1, 0))
    stands = make.written(card, applications=((invoice.key, D("77.00")),))
    batch = [make.desired(cash), make.desired(card, written=stands, removed=True)]
    first, second = planned(make, batch, [invoice], links_ahead=links_ahead)
    assert isinstance(first, Write)
    assert first.operation.document_key == card.key
    if links_ahead:
        assert isinstance(second, Write)
        assert second.operation.applications == ((invoice.key, D("77.00")),)
    else:
        assert second == Later(cash.key, card.key)


@pytest.mark.parametrize(("state", "waits"), [(S.RETRY_WAIT, True), (S.UNKNOWN, True), (S.ACTION_REQUIRED, False)])
def test_money_waits_for_room_only_while_the_invoices_edit_is_on_its_way(make: Any, state: S, waits: bool) -> None:
    invoice = make.known(make.key_of(K.INVOICE), state=state, there=True, open_balance=D("0.00"))
    payment = make.document(K.PAYMENT, "27.00", applies=[(invoice.key, "27.00")])
    (step,) = planned(make, [make.desired(payment)], [invoice])
    if waits:
        assert isinstance(step, Settle)
        assert (step.event, step.blocked_by) == (Event.WAITS, invoice.key)
    else:
        assert isinstance(step, Write)
        assert [notice.code for notice in step.notices] == ["PARTLY_UNAPPLIED"]


def test_a_new_invoice_and_its_payments_in_one_batch_are_capped_to_its_total(make: Any) -> None:
    invoice = make.document(K.INVOICE, "77.00")
    payment = make.document(K.PAYMENT, "80.00", applies=[(invoice.key, "80.00")])
    steps = planned(make, [make.desired(invoice), make.desired(payment)], [], links_ahead=True)
    assert steps[1].operation.applications == ((invoice.key, D("77.00")),)


def test_what_an_edited_payment_applied_before_is_open_to_it_and_to_those_after_it(make: Any) -> None:
    """An invoice of 77.00: 50.00 is applied, and 27.00 is open."""
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("27.00"))
    before = make.document(K.PAYMENT, "50.00", applies=[(invoice.key, "50.00")])
    after = make.document(K.PAYMENT, "60.00", applies=[(invoice.key, "60.00")])
    others = [
        make.document(K.PAYMENT, amount, applies=[(invoice.key, amount)], ordinal=ordinal)
        for ordinal, amount in ((1, "5.00"), (2, "40.00"))
    ]
    stands = make.written(before, applications=((invoice.key, D("50.00")),))
    batch = [make.desired(after, written=stands), *map(make.desired, others)]
    steps = planned(make, batch, [invoice])
    assert [dict(step.operation.applications)[invoice.key] for step in steps] == [D("60.00"), D("5.00"), D("12.00")]


def test_what_a_void_payment_had_applied_is_open_already(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("50.00"))
    again, other = (
        make.document(K.PAYMENT, amount, applies=[(invoice.key, amount)], ordinal=ordinal)
        for ordinal, amount in ((0, "20.00"), (1, "40.00"))
    )
    void = make.written(again, effect=Effect.VOID, applications=((invoice.key, D("50.00")),))
    for batch, applied in (
        ([make.desired(again, written=void), make.desired(other)], {again.key: "20.00", other.key: "30.00"}),
        ([make.desired(other), make.desired(again, written=void)], {other.key: "40.00", again.key: "10.00"}),
    ):
        steps = planned(make, batch, [invoice])
        found = [(one.operation.document_key, one.operation.applications) for one in steps]
        assert found == [(key, ((invoice.key, D(amount)),)) for key, amount in applied.items()], "in the given order"


def test_money_applied_to_one_document_in_two_parts_is_taken_off_by_neither(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("0.00"))
    whole = make.document(K.PAYMENT, "50.00", applies=[(invoice.key, "50.00")])
    parts = make.document(K.PAYMENT, "50.00", applies=[(invoice.key, "30.00"), (invoice.key, "20.00")], note="N")
    other = make.document(K.PAYMENT, "5.00", ordinal=1)
    stands = make.written(whole, applications=((invoice.key, D("50.00")),))
    steps = planned(make, [make.desired(other), make.desired(parts, written=stands)], [invoice])
    assert [one.operation.document_key for one in steps] == [other.key, parts.key], "in the given order"


def test_all_that_is_voided_of_one_invoice_is_open_again(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("0.00"))
    cards = [
        make.document(K.PAYMENT, amount, applies=[(invoice.key, amount)], ordinal=ordinal)
        for ordinal, amount in ((1, "30.00"), (2, "47.00"))
    ]
    cash = make.document(K.PAYMENT, "77.00", applies=[(invoice.key, "77.00")])
    batch = [
        make.desired(one, written=make.written(one, applications=((invoice.key, one.total),)), removed=True)
        for one in cards
    ]
    steps = planned(make, [*batch, make.desired(cash)], [invoice], links_ahead=True)
    assert steps[2].operation.applications == ((invoice.key, D("77.00")),)


def test_side_by_side_a_payment_waits_for_its_invoice_whatever_is_written_between_them(make: Any) -> None:
    before, after = make.document(K.INVOICE, "50.00"), make.document(K.INVOICE, "77.00")
    invoice = make.known(before.key, open_balance=D("0.00"))
    other = make.document(K.PAYMENT, "5.00", ordinal=1)
    payment = make.document(K.PAYMENT, "27.00", applies=[(before.key, "27.00")])
    batch = [make.desired(after, written=make.written(before)), make.desired(other), make.desired(payment)]
    steps = planned(make, batch, [invoice])
    assert [isinstance(step, Write) for step in steps] == [True, True, False]
    assert steps[2] == Later(payment.key, after.key)


def test_side_by_side_a_payment_that_is_to_pay_more_waits_for_its_invoice_to_grow(make: Any) -> None:
    before, after = make.document(K.INVOICE, "50.00"), make.document(K.INVOICE, "77.00")
    invoice = make.known(before.key, open_balance=D("0.00"))
    paid, more = (make.document(K.PAYMENT, amount, applies=[(before.key, amount)]) for amount in ("50.00", "77.00"))
    stands = make.written(paid, applications=((before.key, D("50.00")),))
    batch = [make.desired(after, written=make.written(before)), make.desired(more, written=stands)]
    assert planned(make, batch, [invoice])[1] == Later(more.key, after.key)


def test_side_by_side_an_edited_payment_that_applies_no_more_than_before_waits_for_nothing(make: Any) -> None:
    before, after = make.document(K.INVOICE, "50.00"), make.document(K.INVOICE, "77.00")
    invoice = make.known(before.key, open_balance=D("0.00"))
    applied = [(before.key, "50.00")]
    payment = make.document(K.PAYMENT, "50.00", applies=applied)
    renamed = make.document(K.PAYMENT, "50.00", applies=applied, note="N")
    stands = make.written(payment, applications=((before.key, D("50.00")),))
    batch = [make.desired(after, written=make.written(before)), make.desired(renamed, written=stands)]
    steps = planned(make, batch, [invoice])
    assert [isinstance(step, Write) for step in steps] == [True, True]


def out_of_scope(make: Any, amount: str = "77.00", *more: Reason) -> Any:
    """The payment as it is wanted once its invoice is before the customer's horizon."""
    return make.document(K.PAYMENT, amount, notices=(Reason(code="INVOICE_OUT_OF_SCOPE", text=""), *more))


def test_a_horizon_that_is_moved_forward_leaves_posted_money_where_it_is_applied(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), there=True, open_balance=D("0.00"))
    stood = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    there = make.written(stood, applications=((invoice.key, D("77.00")),))
    wanted = out_of_scope(make)
    assert planned(make, [make.desired(wanted, written=there)], [invoice]) == [Settle(wanted.key, Event.UNCHANGED)]
    look = Reason(code="NAME_TRUNCATED", text="shortened")
    (step,) = planned(make, [make.desired(out_of_scope(make, "70.00", look), written=there)], [invoice])
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.UPDATE
    assert step.operation.applications == ((invoice.key, D("70.00")),)
    assert [notice.code for notice in step.notices] == ["NAME_TRUNCATED"]


def test_a_change_without_an_answer_is_made_once_more_with_the_money_where_it_is(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), there=True, open_balance=D("0.00"))
    stood = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    there = make.written(stood, applications=((invoice.key, D("77.00")),))
    due = make.desired(out_of_scope(make), written=there, unanswered=True)
    (step,) = planned(make, [due], [invoice])
    assert isinstance(step, Write)
    assert step.operation.applications == ((invoice.key, D("77.00")),)


def test_money_that_was_never_applied_keeps_saying_why(make: Any) -> None:
    wanted = out_of_scope(make, "80.00")
    there = make.written(make.document(K.PAYMENT))
    (step,) = planned(make, [make.desired(wanted, written=there)], [])
    assert isinstance(step, Write)
    assert (step.operation.applications, step.notices) == ((), wanted.notices)


def test_money_that_left_an_invoice_for_another_reason_is_taken_off(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), there=True, open_balance=D("0.00"))
    stood = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    there = make.written(stood, applications=((invoice.key, D("77.00")),))
    (step,) = planned(make, [make.desired(make.document(K.PAYMENT), written=there)], [invoice])
    assert isinstance(step, Write)
    assert step.operation.applications == ()


def test_money_that_is_still_wanted_elsewhere_is_counted_once(make: Any) -> None:
    first, second = (make.known(key * 32, there=True, open_balance=D("0.00")) for key in "ab")
    there = make.written(
        make.document(K.PAYMENT, applies=[(first.key, "50.00"), (second.key, "27.00")]),
        applications=((first.key, D("50.00")), (second.key, D("27.00"))),
    )
    wanted = out_of_scope(make).model_copy(
        update={"applications": make.document(applies=[(second.key, "27.00")]).applications}
    )
    (step,) = planned(make, [make.desired(wanted, written=there, unanswered=True)], [first, second])
    assert isinstance(step, Write)
    assert step.operation.applications == ((second.key, D("27.00")), (first.key, D("50.00")))
