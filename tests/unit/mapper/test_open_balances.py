"""What goes back or is credited takes from each payment and invoice no more than is left of it (sections 8.5, 9.5, 11).

Order 1001 in shipments: the nails with shipping and the coupon are 24.10, each hammer 26.45, together 77.00.
"""

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
    order,
    refunded,
    tender,
    unpaid,
)
from tests.unit.mapper.test_refund_small_print import amount_only
from tests.unit.mapper.test_shipments import HAMMERS, MODE, RULES, cancelled, shipped, step

from common.messages.orders import FinancialStatus, FulfillmentStatus, Order, OrderDiscount, Refund, TenderKind
from common.messages.transactions import DocumentKind, TransactionSet
from mapper.mapping.closing import parts_of
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.postings import trial_balance

INVOICES = "invoices_payments_if_paid"


def unnamed(*amounts: str, external_id: str = "r1") -> Refund:
    """Money back of which the channel does not say by which payment it came."""
    back = tuple(refunded(amount, f"{external_id}-{n}", tender_external_id=None) for n, amount in enumerate(amounts))
    return first_refund(external_id=external_id, lines=(), tax=D("0.00"), transactions=back)


def applied(result: TransactionSet, kind: DocumentKind) -> list[list[tuple[str, str]]]:
    """Of each document of a kind: the tender or number of what it is applied to, and how much."""
    names = {one.key: one.source_id if one.kind is DocumentKind.PAYMENT else one.number for one in result.documents}
    return [
        [(str(names[part.document_key]), str(part.amount)) for part in one.applications]
        for one in result.documents
        if one.kind is kind
    ]


@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_money_paid_too_much_goes_back_once_and_the_rest_is_a_return(mode: str) -> None:
    backs = (amount_only("2.00"), amount_only("2.00", "r2"), amount_only("1.00", "r3"))
    result = mapped(example_a(tenders=(tender("80.00"),), refunds=backs), configuration(mode))
    assert kinds(result)[2:] == ["refund_payment", "refund_receipt", "refund_payment"]
    assert trial_balance(list(result.documents))["UF"] == D("75.00")


@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_money_for_an_order_of_nothing_is_the_customers_own(mode: str) -> None:
    free = order(
        lines=(line("l1", "HAMMER", "25.00"),),
        discounts=(OrderDiscount(code="FREE", amount=D("25.00")),),
        tenders=(tender("3.00"),),
        refunds=(amount_only("3.00"),),
    )
    result = mapped(free, configuration(mode))
    assert kinds(result)[1:] == ["payment", "refund_payment"]
    assert "UF" not in trial_balance(list(result.documents))


@pytest.mark.parametrize(("paid", "policy"), [("77.00", "unapplied"), ("80.00", "tip")])
def test_money_that_waits_for_the_next_shipment_was_not_paid_too_much(paid: str, policy: str) -> None:
    source = example_a(tenders=(tender(paid),), refunds=(amount_only("3.00"),))
    settings = configuration(MODE, overpayment_policy=policy)
    result, _ = step(shipped(source, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME, settings)
    assert kinds(result) == ["sales_order", "invoice", "payment", "refund_receipt"]


@pytest.mark.parametrize("back", [unnamed("3.00"), amount_only("3.00")], ids=["unnamed", "of-the-first"])
def test_what_pays_for_the_invoice_does_not_go_back_as_the_customers_own(back: Refund) -> None:
    source = example_a(tenders=(tender("77.00", "t1"), tender("3.00", "t2")), refunds=(back,))
    result = mapped(source, configuration(INVOICES))
    assert applied(result, DocumentKind.REFUND_PAYMENT) == [[("t2", "3.00")]]


def test_two_amounts_of_one_refund_take_from_a_payment_only_what_it_is() -> None:
    source = example_a(tenders=(tender("30.00", "t1"), tender("47.00", "t2")), refunds=(unnamed("20.00", "25.00"),))
    result = mapped(source, configuration("sales_orders_payments_if_paid"))
    assert applied(result, DocumentKind.REFUND_PAYMENT) == [
        [("t1", "20.00")],
        [("t1", "10.00"), ("t2", "15.00")],
    ]


def test_goods_and_money_paid_too_much_go_back_apart_in_books_without_refund_receipts() -> None:
    source = example_a(tenders=(tender("80.00"),), refunds=(first_refund(), amount_only("3.00", "r2")))
    settings = configuration(INVOICES, file=ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"}))
    result = mapped(source, settings)
    assert kinds(result) == ["invoice", "payment", "credit_memo", "refund_payment", "refund_payment"]
    assert applied(result, DocumentKind.REFUND_PAYMENT) == [[("1001", "24.66")], [("t1", "3.00")]]
    assert trial_balance(list(result.documents))["UF"] == D("52.34")


def test_money_beyond_what_was_ever_unapplied_waits_for_the_payment() -> None:
    tenders = (tender("50.00", "g", kind=TenderKind.GIFT_CARD), tender("27.00", "t1"))
    source = example_a(tenders=tenders, refunds=(amount_only("27.00"), amount_only("10.00", "r2")))
    result = mapped(source, configuration("sales_orders_payments_if_paid"))
    _, payment, first, second = result.documents
    assert applied(result, DocumentKind.REFUND_PAYMENT) == [[("t1", "27.00")], []]
    assert first.depends_on == second.depends_on == (payment.key,)


def in_three(source: Order) -> tuple[TransactionSet, History]:
    """The nails, then each hammer."""
    history = FIRST_TIME
    for sent in ({"l2": "1"}, {"l1": "1", "l2": "1"}):
        _, history = step(shipped(source, FulfillmentStatus.PARTIAL, **sent), history)
    return step(shipped(source, FulfillmentStatus.FULFILLED), history)


HAMMERS_OFF = HAMMERS.model_copy(update={"transactions": ()})


def test_goods_taken_off_are_credited_on_each_invoice_as_far_as_it_is_open() -> None:
    _, history = in_three(unpaid())
    result, _ = step(shipped(unpaid(refunds=(HAMMERS_OFF,)), FulfillmentStatus.FULFILLED), history)
    _, _, two, three, memo = result.documents
    assert memo.total == D("49.33")
    assert applied(result, DocumentKind.CREDIT_MEMO) == [[("1001-2", "26.45"), ("1001-1", "22.88")]]
    assert memo.depends_on == (three.key, two.key)


@pytest.mark.parametrize(
    ("paid", "wanted"),
    [
        ("10.00", [("1001", "14.10"), ("1001-1", "26.45"), ("1001-2", "26.45")]),
        ("50.00", [("1001-1", "0.55"), ("1001-2", "26.45")]),
    ],
)
def test_the_credit_of_a_cancelled_order_fills_each_of_its_invoices(paid: str, wanted: list[tuple[str, str]]) -> None:
    source = example_a(tenders=(tender(paid),), financial_status=FinancialStatus.PARTIALLY_PAID)
    _, history = in_three(source)
    result, _ = step(cancelled(shipped(source, FulfillmentStatus.FULFILLED)), history)
    assert applied(result, DocumentKind.CREDIT_MEMO) == [wanted]
    assert "AR" not in trial_balance(list(result.documents))


def test_the_credit_of_a_cancelled_order_takes_back_of_every_line_and_tax_of_its_invoices() -> None:
    source = example_a(tenders=(tender("30.00"),), financial_status=FinancialStatus.PARTIALLY_PAID)
    _, history = in_three(source)
    result, _ = step(cancelled(shipped(source, FulfillmentStatus.FULFILLED)), history)
    memo = result.documents[-1]
    # Of 77.00 nobody paid 47.00: 47/77 of 19.99, 7.95, 5.00, twice 25.00, and of the tax 1.16 and twice 1.45.
    assert [(one.kind.value, str(one.amount)) for one in memo.lines] == [
        ("product", "12.20"),
        ("shipping", "4.85"),
        ("discount", "-3.05"),
        ("product", "15.25"),
        ("product", "15.26"),
    ]
    assert [str(one.amount) for one in memo.taxes] == ["0.71", "0.89", "0.89"]


def test_a_cancelled_order_owes_nothing_though_a_refund_only_lowered_its_payment() -> None:
    back = first_refund(transactions=(refunded("10.00", "rt1"),))
    source = example_a(tenders=(tender("62.34"),), refunds=(back,), financial_status=FinancialStatus.PARTIALLY_REFUNDED)
    result = mapped(cancelled(source), configuration(INVOICES, refund_policy="reduce_payment"))
    assert kinds(result) == ["invoice", "payment", "credit_memo"]
    assert [one.total for one in result.documents] == [D("77.00"), D("52.34"), D("24.66")]
    assert "AR" not in trial_balance(list(result.documents))


def test_the_last_shipment_takes_all_that_is_left_of_a_discount() -> None:
    free = order(
        lines=(line("l1", "HAMMER", "25.00"), line("l2", "NAILS", "19.99")),
        discounts=(OrderDiscount(code="FREE", amount=D("44.99") + D("2.81")),),
        tax_total=D("2.81"),
    )
    parts = [one.order for one in parts_of(free, [{"l1": D(1)}, {"l2": D(1)}])]
    assert [[one.amount for one in part.discounts] for part in parts] == [[D("25.00")], [D("22.80")]]


def test_money_left_over_waits_for_no_sales_order_that_was_given_up() -> None:
    tenders = (tender("24.10", "t1"), tender("5.00", "t2"))
    source = example_a(tenders=tenders, financial_status=FinancialStatus.PARTIALLY_PAID)
    sent = shipped(source, FulfillmentStatus.PARTIAL, l2="1")
    before, history = step(sent, FIRST_TIME)
    result, _ = step(cancelled(sent), history)
    assert before.documents[-1].depends_on == (before.documents[0].key,)
    assert kinds(result) == ["sales_order closed", "invoice", "payment", "payment"]
    assert result.documents[-1].depends_on == ()


@pytest.mark.parametrize("returned", [None, "20.00"], ids=["goods-alone", "what-does-not-add-up"])
def test_what_no_refund_can_take_back_is_not_invoiced_for_it(returned: str | None) -> None:
    money = (refunded(returned, "rt1"),) if returned else ()
    source = example_a(refunds=(HAMMERS.model_copy(update={"transactions": money}),))
    result, _ = step(shipped(source, FulfillmentStatus.PARTIAL, l2="1"), FIRST_TIME)
    assert [one.total for one in result.documents if one.kind is DocumentKind.INVOICE] == [D("24.10")]


def test_without_a_sales_order_money_waits_for_the_invoice_that_a_rule_holds_back() -> None:
    assert kinds(mapped(example_a(), configuration(INVOICES), rules=RULES)) == []


def test_the_one_payment_of_an_order_that_lists_it_twice_is_one() -> None:
    twice = mapped(example_a(tenders=(tender("77.00"), tender("77.00"))), configuration(INVOICES))
    assert twice.documents == mapped(example_a(), configuration(INVOICES)).documents
