"""What section 6 says beside its table: orders that are given up late, invoices that stay, terms that say a date."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    mapped,
    only,
    second_refund,
    tender,
    unpaid,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import FulfillmentStatus, Lifecycle, TenderKind, TenderStatus
from common.messages.transactions import DocumentKind, SetOutcome, WantedState
from mapper.mapping.history import History
from mapper.mapping.postings import trial_balance
from mapper.mapping.terms import days_of

CANCELLED: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 9)}
WITH_INVOICE = "sales_orders_invoices_payments_if_paid"
WAITS = compiled(rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled")))


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("sales_orders", ["sales_order closed"]),
        ("sales_orders_payments_if_paid", ["sales_order closed", "payment"]),
        ("estimates", ["estimate closed"]),
        (WITH_INVOICE, ["sales_order", "invoice", "payment"]),
    ],
)
def test_an_order_that_is_cancelled_after_payment_leaves_no_order_form_open(mode: str, wanted: list[str]) -> None:
    assert kinds(mapped(example_a(**CANCELLED), configuration(mode))) == wanted


def test_where_the_ledger_has_no_sales_orders_an_estimate_is_closed_with_its_order() -> None:
    settings = configuration("sales_orders", file=ledger(capabilities=ALL_CAPABILITIES - {"sales_order"}))
    assert kinds(mapped(example_a(), settings)) == ["estimate"]
    assert kinds(mapped(example_a(**CANCELLED), settings)) == ["estimate closed"]


def test_an_order_form_says_until_when_its_order_is_to_be_paid() -> None:
    for mode in ("sales_orders", "estimates"):
        (form,) = mapped(unpaid(terms="Net 10"), configuration(mode)).documents
        assert (form.terms, form.due_date) == ("Net 10", date(2026, 3, 12))


@pytest.mark.parametrize("given_up", [CANCELLED, {"refunds": (first_refund(), second_refund())}])
def test_an_order_given_up_before_its_invoice_closes_its_sales_order(given_up: dict[str, Any]) -> None:
    result = mapped(example_a(**given_up), configuration(WITH_INVOICE), rules=WAITS)
    assert kinds(result)[:2] == ["sales_order closed", "payment"]
    assert only(result, DocumentKind.PAYMENT).depends_on == (), "its order may never have been written"
    one_item = mapped(example_a(refunds=(first_refund(),)), configuration(WITH_INVOICE), rules=WAITS)
    assert kinds(one_item)[:2] == ["sales_order", "payment"], "the rest is still to be shipped"
    assert only(one_item, DocumentKind.PAYMENT).depends_on == (one_item.documents[0].key,)


def test_goods_that_come_back_do_not_take_an_invoice_away() -> None:
    approved = company(approved_at=datetime(2026, 1, 1, tzinfo=UTC))
    settings = configuration(WITH_INVOICE, books=approved)
    sent = mapped(example_a(fulfillment_status=FulfillmentStatus.FULFILLED), settings, rules=WAITS)
    assert kinds(sent) == ["sales_order", "invoice", "payment"]
    returned = example_a(
        fulfillment_status=FulfillmentStatus.UNFULFILLED, refunds=(first_refund(), second_refund()), revision=2
    )
    result = mapped(returned, settings, rules=WAITS, history=History.of(sent))
    assert kinds(result) == ["sales_order", "invoice", "payment", "refund_receipt", "refund_receipt"]
    assert result.documents[1].key == sent.documents[1].key
    assert trial_balance(list(result.documents)) == {}


def test_before_the_first_approval_an_invoice_still_follows_a_new_rule() -> None:
    settings = configuration(WITH_INVOICE)
    before = History.of(mapped(example_a(), settings))
    assert before.invoiced
    assert kinds(mapped(example_a(), settings, rules=WAITS, history=before)) == ["sales_order", "payment"]


def test_an_invoice_that_is_credited_needs_no_sales_order_that_was_never_written() -> None:
    result = mapped(unpaid(**CANCELLED), configuration(WITH_INVOICE, unpaid_cancel="credit_memo"))
    assert kinds(result) == ["sales_order closed", "invoice", "credit_memo"]
    invoice = only(result, DocumentKind.INVOICE)
    assert (invoice.closes, invoice.depends_on) == ((result.documents[0].key,), ())


@pytest.mark.parametrize(
    ("terms", "days"),
    [
        ("NET 30", 30),
        ("Net30", 30),
        ("net-60", 60),
        ("2/10 net 30", 30),
        ("n/15", 15),
        ("14 days", 14),
        ("Due on receipt", 0),
        ("COD", 0),
        ("Fixed date", None),
        ("Internet 5", None),
        ("", None),
    ],
)
def test_terms_are_read_by_their_usual_names(terms: str, days: int | None) -> None:
    assert days_of(terms) == days


def test_an_invoice_is_due_by_its_own_terms_before_those_of_the_connection() -> None:
    settings = configuration("invoices_payments_if_paid", terms_days=14)
    due = [
        only(mapped(unpaid(**said), settings), DocumentKind.INVOICE).due_date
        for said in ({"terms": "NET 30"}, {"terms": "Due on receipt"}, {"terms": "Fixed date"}, {})
    ]
    assert due == [date(2026, 4, 1), date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 16)]
    stated = unpaid(terms="NET 30", due_on=date(2026, 3, 5))
    assert only(mapped(stated, settings), DocumentKind.INVOICE).due_date == date(2026, 3, 5)


def test_payments_alone_are_applied_to_the_invoice_that_somebody_else_writes() -> None:
    two = (tender("30.00", "t1"), tender("50.00", "t2"))
    result = mapped(example_a(tenders=two, tax_remitted=D("4.06")), configuration("payments_only"))
    invoice, first, second = result.documents
    assert (invoice.kind, invoice.wanted) == (DocumentKind.INVOICE, WantedState.FOUND)
    assert (invoice.number, invoice.total, invoice.lines) == ("1001", D("72.94"), ())
    assert (invoice.customer_key, invoice.date) == (first.customer_key, date(2026, 3, 2))
    assert invoice.receivable == first.receivable
    assert invoice.key == mapped(example_a(), configuration("invoices_only")).documents[0].key
    applied = [[(one.document_key, one.amount) for one in each.applications] for each in (first, second)]
    assert applied == [[(invoice.key, D("30.00"))], [(invoice.key, D("42.94"))]]
    assert (first.depends_on, second.depends_on, second.total) == ((), (), D("45.94"))
    assert trial_balance([invoice]) == {}, "it is not ours to post"


def test_what_was_paid_above_somebody_elses_invoice_holds_the_order_or_stays_unapplied() -> None:
    twice = example_a(tenders=(tender("70.00", "t1"), tender("17.00", "t2")))
    stopped = mapped(twice, configuration("payments_only", overpayment_policy="stop"))
    assert stopped.reason is not None
    assert (stopped.outcome, stopped.documents, stopped.reason.code) == (SetOutcome.HELD, (), "OVERPAYMENT")
    for policy, codes in (("tip", ["TIP_UNAPPLIED"]), ("unapplied", [])):
        _, first, second = mapped(twice, configuration("payments_only", overpayment_policy=policy)).documents
        assert ([one.amount for one in second.applications], second.total) == ([D("7.00")], D("17.00"))
        assert ([one.code for one in second.notices], first.notices) == (codes, ())
        assert all("10.00 USD" in one.text for one in second.notices)
    exact = mapped(example_a(), configuration("payments_only", overpayment_policy="stop"))
    assert exact.outcome is SetOutcome.MAPPED


def test_where_somebody_else_writes_the_invoice_gift_cards_and_fees_are_theirs_too() -> None:
    gift = (tender("57.00", "t1"), tender("20.00", "g", kind=TenderKind.GIFT_CARD))
    settings = configuration("payments_only", fees={"on_order": "negative_line", "percent": D("2.9")})
    assert [str(one.total) for one in mapped(example_a(tenders=gift), settings).documents] == ["77.00", "57.00"]
    voided = (tender("77.00", "t0", status=TenderStatus.VOIDED), tender("77.00", "t1"))
    assert kinds(mapped(example_a(tenders=voided), settings)) == ["invoice found", "payment", "payment void"]
