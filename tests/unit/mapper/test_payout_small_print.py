"""Payouts: which documents a line may mean, and what is left of a sale that a settlement shares (sections 14, 15)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    ledger,
    line,
    mapped,
    order,
    refunded,
    tender,
)
from tests.unit.mapper.test_payouts import (
    PAID_ON,
    SALE_1001,
    SALES,
    deposited,
    payout,
    payout_line,
    sale,
    settled,
)

from common.messages.control import TransactionMode
from common.messages.orders import (
    Order,
    OrderDiscount,
    Payout,
    PayoutLine,
    ShippingLine,
    TaxLine,
    TenderKind,
    TenderStatus,
)
from common.messages.transactions import AccountRole, DocumentKind, DocumentLine, LineKind, SetOutcome, TransactionSet
from mapper.mapping.grouping import Grouping, summary_customer
from mapper.mapping.notices import settled_order_unknown
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payouts import map_payout
from mapper.mapping.postings import trial_balance
from mapper.mapping.settled_sales import SalesSource, settled_sales

RECEIPTS = settled("sales_receipts")


def test_why_an_order_is_not_in_the_books_is_said_only_where_it_is_not() -> None:
    noted = mapped(SALES[1], RECEIPTS)
    held = mapped(SALES[2].model_copy(update={"do_not_import": True}), RECEIPTS)
    found = candidates_of([noted, held])
    assert set(found.why_not) == {"1003", "id1003"}
    assert [one.kind for one in found.by_order["id1002"]] == [DocumentKind.SALES_RECEIPT]


def test_what_waits_or_is_void_or_worth_nothing_is_no_money_of_a_payout() -> None:
    waits = mapped(sale("1002", "120.00"), settled("sales_receipts", products={"missing": "stop_and_queue"}))
    assert waits.documents[0].hold is not None
    free = mapped(order(external_id="f", number="f", lines=(line("l", "A", "0.00"),), total=D("0.00")), RECEIPTS)
    assert [one.total for one in free.documents] == [D("0.00")]
    failed = mapped(
        example_a(tenders=(tender("77.00"), tender("5.00", "t2", status=TenderStatus.VOIDED))),
        settled("invoices_payments_if_paid"),
    )
    assert [one.wanted.value for one in failed.documents] == ["present", "present", "void"]
    found = candidates_of([waits, free, failed])
    assert set(found.by_tender) == {"t1"}
    assert [one.kind.value for one in found.by_order["9001"]] == ["payment"]
    assert set(found.by_order) == {"9001", "number:1001"}


def test_a_refund_is_found_by_its_own_id_and_by_the_processors() -> None:
    (receipt, refund) = mapped(SALE_1001, RECEIPTS).documents
    assert receipt.kind is DocumentKind.SALES_RECEIPT
    found = candidates_of([mapped(SALE_1001, RECEIPTS)])
    assert found.by_refund == {"r1": [refund], "rt1": [refund]}
    for named in ({"refund_external_id": "r1"}, {"tender_external_id": "rt1"}):
        result, _ = deposited(payout("-24.66", payout_line("refund", "-24.66", **named)), RECEIPTS, SALE_1001)
        assert result.documents[0].depends_on == (refund.key,)


def test_a_reason_names_what_is_missing_by_whatever_the_payout_calls_it() -> None:
    unimported = SALES[1].model_copy(update={"do_not_import": True})
    lines = (
        payout_line("charge", "120.00", order_external_id="id1002"),
        payout_line("charge", "1.00", reference="odd"),
        payout_line("charge", "2.00", order_external_id="idX"),
    )
    result, _ = deposited(payout("123.00", *lines), RECEIPTS, unimported)
    assert result.reason is not None
    assert "id1002 (The shop marked this order as not for import.)" in result.reason.text
    assert "odd (not received)" in result.reason.text
    assert "idX (not received)" in result.reason.text


def test_a_document_of_other_payouts_is_named_with_each_of_them() -> None:
    sets = [mapped(one, RECEIPTS) for one in (sale("1007", "10.00"),)]
    (receipt,) = sets[0].documents
    found = replace(candidates_of(sets), deposited={receipt.key: "po_0"})
    result = map_payout(payout("10.00", payout_line("charge", "10.00", order_number="1007")), RECEIPTS, found)
    assert result.reason is not None
    assert "1007 (in the deposit of payout po_0 already)" in result.reason.text
    assert result.reason.cure.startswith("Compare with the other payout:")
    assert "Sync" not in result.reason.cure


def test_wrong_amounts_name_their_orders_and_the_sum_of_the_differences() -> None:
    lines = (payout_line("charge", "99.00", order_number="1002"), payout_line("charge", "45.00", order_number="1003"))
    result, _ = deposited(payout("144.00", *lines), RECEIPTS, *SALES)
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_AMOUNT_DIFFERS"
    assert "1002, 1003" in result.reason.text
    assert "-21.50 USD" in result.reason.text


def test_a_foreign_sale_names_both_currencies() -> None:
    euros = sale("1008", "100.00").model_copy(
        update={"currency": "EUR", "exchange_rate": None, "tenders": (tender("100.00", currency="EUR"),)}
    )
    settings = settled("sales_receipts", file=ledger(multi_currency=True))
    result, _ = deposited(payout("110.00", payout_line("charge", "110.00", order_number="1008")), settings, euros)
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("PAYOUT_CURRENCY_DIFFERS", "EUR")
    assert result.reason.text.startswith("The payout is in USD, and 1008 is booked in EUR:")


WITHOUT_REFUND_RECEIPTS = settled(
    "sales_receipts", file=ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"}, multi_currency=True)
)


def refunded_in_two(first: str, second: str) -> Order:
    """Order 1001, whose refund of 24.66 went back to two cards; each is a refund payment of its own."""
    back = (refunded(first, "rt1", tender_external_id="a"), refunded(second, "rt2", tender_external_id="b"))
    return example_a(
        external_id="id1001",
        tenders=(tender("30.00", "a"), tender("47.00", "b")),
        refunds=(first_refund(transactions=back),),
    )


@pytest.mark.parametrize(("first", "second"), [("14.66", "10.00"), ("12.33", "12.33")])
def test_each_payment_of_a_refund_has_its_own_line_or_all_of_them_have_one(first: str, second: str) -> None:
    source = refunded_in_two(first, second)
    parts = [
        payout_line("refund", f"-{one}", external_id=n, refund_external_id="r1")
        for n, one in zip("xy", (first, second), strict=True)
    ]
    whole = payout_line("refund", "-24.66", refund_external_id="r1")
    for lines in (parts, parts[::-1], [whole]):
        result, sold = deposited(payout("-24.66", *lines), WITHOUT_REFUND_RECEIPTS, source)
        assert result.reason is None
        (deposit,) = result.documents
        payments = {one.key for one in sold if one.kind is DocumentKind.REFUND_PAYMENT}
        assert (len(payments), set(deposit.depends_on)) == (2, payments)
        assert trial_balance([deposit]) == {"SHORT": D("-24.66"), "UF": D("24.66")}


def test_a_refund_whose_payments_come_to_another_amount_is_never_plugged() -> None:
    line_of_both = payout_line("refund", "-20.00", refund_external_id="r1")
    result, _ = deposited(payout("-20.00", line_of_both), WITHOUT_REFUND_RECEIPTS, refunded_in_two("14.66", "10.00"))
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("PAYOUT_AMOUNT_DIFFERS", "4.66")
    assert result.reason.text == "What was paid out and the documents differ by 4.66 USD."


def test_a_refund_of_several_payments_in_another_currency_is_shared_among_them() -> None:
    source = refunded_in_two("14.66", "10.00")
    euros = source.model_copy(
        update={
            "currency": "EUR",
            "exchange_rate": D("2"),
            "tenders": tuple(one.model_copy(update={"currency": "EUR"}) for one in source.tenders),
        }
    )
    both = payout_line("refund", "-50.00", refund_external_id="r1")
    result, _ = deposited(payout("-50.00", both), WITHOUT_REFUND_RECEIPTS, euros)
    assert result.reason is None
    (deposit,) = result.documents
    assert trial_balance([deposit]) == {"FX": D("0.68"), "SHORT": D("-50.00"), "UF": D("49.32")}


def test_a_payment_that_another_payout_has_is_not_taken_for_its_twin() -> None:
    twice = sale("1004", "60.00").model_copy(update={"tenders": (tender("30.00", "a"), tender("30.00", "b"))})
    settings = settled("invoices_payments_if_paid")
    sets = [mapped(twice, settings)]
    payments = [one for one in sets[0].documents if one.kind is DocumentKind.PAYMENT]
    source = payout("30.00", payout_line("charge", "30.00", order_number="1004"))
    for first, second in (payments, payments[::-1]):
        found = replace(candidates_of(sets), deposited={first.key: "po_0"})
        (deposit,) = map_payout(source, settings, found).documents
        assert deposit.depends_on == (second.key,)
    gone = replace(candidates_of(sets), deposited=dict.fromkeys((one.key for one in payments), "po_0"))
    reason = map_payout(source, settings, gone).reason
    assert reason is not None
    assert "1004 (in the deposit of payout po_0 already)" in reason.text


@pytest.mark.parametrize("parts", [("80.00",), ("50.00", "30.00")])
def test_what_was_paid_beyond_a_receipt_is_deposited_with_it(parts: tuple[str, ...]) -> None:
    tenders = tuple(tender(amount, f"t{place}") for place, amount in enumerate(parts))
    sets = [mapped(example_a(tenders=tenders), RECEIPTS)]
    lines = (
        payout_line("charge", amount, external_id=f"p{place}", tender_external_id=f"t{place}")
        for place, amount in enumerate(parts)
    )
    source = payout("80.00", *lines)
    found = candidates_of(sets, {one.external_id: "9001" for one in tenders})
    (deposit,) = map_payout(source, RECEIPTS, found).documents
    receipt, excess = sets[0].documents
    assert [(one.document_key, one.amount) for one in deposit.lines if one.document_key] == [
        (receipt.key, D("-77.00")),
        (excess.key, D("-3.00")),
    ]
    assert "UF" not in trial_balance([*sets[0].documents, deposit])
    result = map_payout(source, RECEIPTS, replace(found, deposited={excess.key: "po_0"}))
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_AMOUNT_DIFFERS"


def test_every_other_payout_that_has_a_part_of_it_is_named() -> None:
    sets = [mapped(refunded_in_two("14.66", "10.00"), WITHOUT_REFUND_RECEIPTS)]
    payments = [one for one in sets[0].documents if one.kind is DocumentKind.REFUND_PAYMENT]
    found = replace(
        candidates_of(sets), deposited={one.key: name for one, name in zip(payments, ("po_9", "po_8"), strict=True)}
    )
    source = payout("-24.66", payout_line("refund", "-24.66", order_number="1001", refund_external_id="r1"))
    reason = map_payout(source, WITHOUT_REFUND_RECEIPTS, found).reason
    assert reason is not None
    assert "1001 (in the deposit of payout po_8, po_9 already)" in reason.text


def test_of_many_wrong_amounts_twenty_orders_are_named() -> None:
    numbers = [f"{number}" for number in range(1101, 1122)]
    lines = [payout_line("charge", "9.00", order_number=number) for number in numbers]
    result, _ = deposited(payout("189.00", *lines), RECEIPTS, *(sale(number, "10.00") for number in numbers))
    assert result.reason is not None
    assert result.reason.text == (
        f"What was paid out and the documents of {', '.join(numbers[:20])} differ by -21.00 USD."
    )


@pytest.mark.parametrize(
    ("amount", "code"),
    [("99.00", ""), ("121.00", ""), ("98.99", "PAYOUT_AMOUNT_DIFFERS"), ("121.01", "PAYOUT_AMOUNT_DIFFERS")],
)
def test_rates_of_two_days_are_at_most_a_tenth_apart(amount: str, code: str) -> None:
    euros = sale("1008", "100.00").model_copy(
        update={"currency": "EUR", "exchange_rate": D("1.10"), "tenders": (tender("100.00", currency="EUR"),)}
    )
    settings = settled("sales_receipts", file=ledger(multi_currency=True))
    result, _ = deposited(payout(amount, payout_line("charge", amount, order_number="1008")), settings, euros)
    assert (result.reason.code if result.reason else "") == code


@pytest.mark.parametrize(("count", "end"), [(20, "n18, n19."), (21, "n18, n19 and 1 more.")])
def test_twenty_settled_orders_that_nobody_sent_are_named_and_the_others_counted(count: int, end: str) -> None:
    warning = settled_order_unknown([f"n{number}" for number in range(count)])
    assert warning.text.endswith(end)
    assert warning.value == "n0"


def test_what_is_described_alike_is_one_line_of_the_deposit() -> None:
    lines = (
        payout_line("charge", "120.00", order_number="1002"),
        payout_line("fee", "-1.00", description="Subscription"),
        payout_line("fee", "-2.50", description="Subscription", external_id="second"),
    )
    result, _ = deposited(payout("116.50", *lines), RECEIPTS, *SALES)
    fees = [(one.description, one.amount) for one in result.documents[0].lines if one.kind is LineKind.POSTING]
    assert fees == [("Fee", D("3.50")), ("Payout po_1", D("116.50"))]


def of_settlement(source: Payout, *orders: Order, **changes: Any) -> dict[str, list[tuple[str, str]]]:
    """Payout line → kind and amount of what it stands for."""
    found = settled_sales(source, settled("journal_entries", **changes), SalesSource(orders=orders))
    return {name: [(one.kind.value, str(one.amount)) for one in lines] for name, lines in found.lines.items()}


def charge(name: str, amount: str, **more: Any) -> PayoutLine:
    return payout_line("charge", amount, external_id=name, **more)


def posted(result: TransactionSet) -> list[tuple[str, str, str, Decimal]]:
    """Account's name, its qualifier, title and amount of every line."""
    lines = [one for document in result.documents for one in document.lines]
    return [(one.account.name, one.account.qualifier, one.description, one.amount) for one in lines]


def test_a_journal_calls_the_parts_of_sales_by_what_they_are_and_asks_no_agency() -> None:
    sold = order(
        external_id="o8",
        number="8",
        lines=(line("l1", "A", "80.00"),),
        shipping_lines=(ShippingLine(external_id="s", title="Post", amount=D("5.00"), discount=D("0.00")),),
        discounts=(OrderDiscount(code="X", amount=D("1.00")),),
        tips=D("3.00"),
        taxes=tuple(
            TaxLine(title=title, amount=D(amount), jurisdiction=title)
            for title, amount in (("State", "2.00"), ("City", "1.00"))
        ),
        tax_total=D("3.00"),
        total=D("90.00"),
        tenders=(tender("30.00", "g", kind=TenderKind.GIFT_CARD), tender("60.00", "m")),
    )
    source = payout("60.00", charge("a", "60.00", order_number="8"))
    result = map_payout(source, settled("journal_entries"), candidates_of([]), SalesSource(orders=(sold,)))
    assert result.reason is None
    assert posted(result) == [
        ("Account INC", "", "Sales", D("-80.00")),
        ("Account SHIP", "", "Shipping", D("-5.00")),
        ("Account DISC", "", "Discounts", D("1.00")),
        ("Account TIPS", "", "Tip", D("-3.00")),
        ("Account TAX", "", "Sales tax", D("-3.00")),
        ("Account GIFT", "", "Gift card redemption", D("30.00")),
        ("Account BANK", "", "Payout po_1", D("60.00")),
    ]


def test_settings_say_where_a_described_line_of_a_settlement_goes_and_the_others_are_sales() -> None:
    accounts = {"gift wrap": "Income:Wrap", "loan": "Liabilities:Loan", "charge": "Income:Other"}
    lines = (
        charge("a", "3.00", description="Gift Wrap"),
        charge("b", "2.00"),
        payout_line("loan", "40.00", description="Advance"),
        payout_line("loan", "5.00"),
    )
    source = payout("50.00", *lines)
    result, _ = deposited(source, settled("journal_entries", payouts={"accounts": accounts}))
    assert posted(result) == [
        ("Income:Wrap", "Gift Wrap", "Gift Wrap", D("-3.00")),
        ("Account INC", "", "Charge", D("-2.00")),
        ("Liabilities:Loan", "Advance", "Advance", D("-40.00")),
        ("Liabilities:Loan", "loan", "Loan", D("-5.00")),
        ("Account BANK", "", "Payout po_1", D("50.00")),
    ]


@pytest.mark.parametrize("net", ["0.00", "0.50"])
def test_a_payout_that_takes_nothing_from_the_bank_needs_no_journal_beside_its_deposit(net: str) -> None:
    fee = payout_line("fee", str(D(net) - D("45.50")))
    source = payout(net, payout_line("charge", "45.50", order_number="1003"), fee)
    result, _ = deposited(source, settled("sales_receipts", payouts={"negative": "debited"}), *SALES)
    assert [(one.kind, one.total) for one in result.documents] == [(DocumentKind.DEPOSIT, D(net))]


def test_what_a_payout_takes_is_taken_from_the_account_of_its_currency() -> None:
    accounts = {"negative": "debited", "bank_account": "Bank", "bank_accounts": {"USD": "Dollar bank"}}
    source = payout("-5.00", payout_line("fee", "-5.00"))
    result, _ = deposited(source, settled("sales_receipts", payouts=accounts))
    assert [(name, amount) for name, _, _, amount in posted(result)] == [
        ("Account FEES", D("5.00")),
        ("Account SHORT", D("-5.00")),
        ("Dollar bank", D("0.00")),
        ("Account SHORT", D("5.00")),
        ("Dollar bank", D("-5.00")),
    ]


GIFTED = order(
    external_id="o9",
    number="9",
    lines=(line("l1", "A", "80.00"),),
    total=D("80.00"),
    tenders=(tender("30.00", "g", kind=TenderKind.GIFT_CARD), tender("50.00", "m")),
)


def test_a_settled_sale_is_what_was_paid_beside_its_gift_card() -> None:
    lines = of_settlement(payout("50.00", charge("a", "50.00", order_number="9")), GIFTED)
    assert lines == {"a": [("product", "80.00"), ("gift_card_redemption", "-30.00")]}


def test_a_line_that_says_what_it_is_leaves_those_after_it() -> None:
    source = payout(
        "55.00", charge("said", "5.00", description="Principal"), charge("a", "50.00", order_external_id="o9")
    )
    assert list(of_settlement(source, GIFTED)) == ["a"]


def test_a_sale_is_found_by_the_id_or_reference_of_its_payment_and_by_those_of_its_refunds() -> None:
    for named in ({"tender_external_id": "m"}, {"reference": " CH_m "}, {"order_external_id": "o9"}):
        assert list(of_settlement(payout("50.00", charge("a", "50.00", **named)), GIFTED)) == ["a"], named
    back = example_a(refunds=(first_refund(),))
    for named in ({"tender_external_id": "rt1"}, {"refund_external_id": "r1"}, {"order_number": "1001"}):
        given = payout("-24.66", payout_line("refund", "-24.66", external_id="b", **named))
        assert list(of_settlement(given, back)) == ["b"], named


def test_a_name_that_two_orders_have_is_nobodys() -> None:
    twin = GIFTED.model_copy(update={"external_id": "o10", "tenders": (tender("80.00", "x"),)})
    assert of_settlement(payout("50.00", charge("a", "50.00", order_number="9")), GIFTED, twin) == {}


def test_charges_of_one_sale_share_it_only_once() -> None:
    paid = GIFTED.model_copy(update={"tenders": (tender("30.00", "t1"), tender("30.00", "t2"), tender("20.00", "t3"))})
    charges = [
        charge(name, amount, order_number="9") for name, amount in (("a", "30.00"), ("b", "30.00"), ("c", "20.00"))
    ]
    assert of_settlement(payout("80.00", *charges), paid) == {"a": [("product", "80.00")], "b": [], "c": []}


def test_a_share_of_a_sale_has_an_amount_and_no_quantity() -> None:
    taxed = example_a()
    found = settled_sales(
        payout("38.50", charge("a", "38.50", order_number="1001")),
        settled("journal_entries"),
        SalesSource(orders=(taxed,)),
    )
    lines = found.lines["a"]
    assert sum(one.amount for one in lines) == D("38.50")
    assert {(one.quantity, one.unit_price, one.tax_amount) for one in lines} == {(None, None, None)}


def test_a_sale_in_another_currency_is_shared_by_what_was_paid_out() -> None:
    euros = GIFTED.model_copy(
        update={"currency": "EUR", "exchange_rate": D("1.1"), "tenders": (tender("80.00", "m", currency="EUR"),)}
    )
    file = ledger(multi_currency=True)
    lines = of_settlement(payout("80.00", charge("a", "80.00", order_number="9")), euros, file=file)
    assert lines == {"a": [("product", "80.00")]}
    found = settled_sales(
        payout("80.00", charge("a", "80.00", order_number="9")),
        settled("journal_entries", file=file),
        SalesSource(orders=(euros,)),
    )
    assert [one.quantity for one in found.lines["a"]] == [None], "as an amount only"


def test_a_refund_of_several_is_the_one_it_names_else_the_only_one_of_its_amount() -> None:
    twice = example_a(
        refunds=(first_refund(), first_refund(external_id="r2", transactions=first_refund().transactions[:1]))
    )
    source = payout("-24.66", payout_line("refund", "-24.66", external_id="b", order_number="1001"))
    assert of_settlement(source, twice) == {}, "two of that amount"
    named = payout(
        "-24.66", payout_line("refund", "-24.66", external_id="b", order_number="1001", refund_external_id="r2")
    )
    assert list(of_settlement(named, twice)) == ["b"]


def test_a_receipt_of_a_settlement_is_held_by_the_first_order_whose_product_is_unknown() -> None:
    settings = settled("summary_payout", products={"missing": "stop_and_queue"})
    orders = (sale("1", "10.00"), sale("2", "20.00"))
    lines = (charge("a", "10.00", order_number="1"), charge("b", "20.00", order_number="2"))
    found = settled_sales(payout("30.00", *lines), settings, SalesSource(orders=orders))
    assert found.product_hold is not None
    assert found.product_hold.text.startswith("Order 1 of the summary")
    result = map_payout(payout("30.00", *lines), settings, candidates_of([]), SalesSource(orders=orders))
    assert (result.outcome, result.reason) == (SetOutcome.HELD, found.product_hold)


@pytest.mark.parametrize(
    ("first", "mode"), [("0.00", DocumentKind.SALES_RECEIPT), ("-0.01", DocumentKind.JOURNAL_ENTRY)]
)
def test_a_settlement_is_receipts_where_no_earlier_month_lost_money(first: str, mode: DocumentKind) -> None:
    lines = (
        payout_line("charge", "5.00", occurred_on=date(2026, 1, 31), description="Sold"),
        payout_line("adjustment", str(D(first) - D("5.00")), occurred_on=date(2026, 1, 1), description="Lost"),
        payout_line("charge", "20.00", occurred_on=PAID_ON, description="Sold"),
    )
    source = payout(str(D("20.00") + D(first)), *lines)
    result, _ = deposited(source, settled("summary_payout", payouts={"adjustments": {"Lost": "DISC"}}))
    assert {one.kind for one in result.documents} == {mode}
    assert [one.date for one in result.documents] == [date(2026, 1, 31), PAID_ON]


def by_month(*amounts: str) -> Payout:
    """A payout of 15 March, with one charge or loss a month since January."""
    lines = [
        payout_line(
            "charge" if D(amount) > 0 else "adjustment", amount, occurred_on=date(2026, month, 9), description="Sold"
        )
        for month, amount in enumerate(amounts, start=1)
    ]
    return payout(str(sum(map(D, amounts), D("0.00"))), *lines)


def test_each_month_but_the_last_is_carried_and_the_last_brings_all_of_them_to_the_bank() -> None:
    settings = settled("summary_payout", class_name="Market", department="North")
    result, _ = deposited(by_month("10.00", "20.00", "40.00"), settings)
    assert [
        (one.kind.value, one.total, one.deposit_to and one.deposit_to.role.value, one.class_name, one.department)
        for one in result.documents
    ] == [
        ("sales_receipt", D("10.00"), "CFWD", "Market", "North"),
        ("sales_receipt", D("20.00"), "CFWD", "Market", "North"),
        ("sales_receipt", D("70.00"), "BANK", "Market", "North"),
    ]
    assert [(title, amount) for _, _, title, amount in posted(result)] == [
        ("Sold", D("10.00")),
        ("Sold", D("20.00")),
        ("Sold", D("40.00")),
        ("Carried forward", D("30.00")),
    ]


def test_a_month_that_lost_money_between_two_others_makes_all_of_them_journals() -> None:
    settings = settled("summary_payout", payouts={"adjustments": {"Sold": "DISC"}})
    result, _ = deposited(by_month("30.00", "-20.00", "40.00"), settings)
    assert {one.kind for one in result.documents} == {DocumentKind.JOURNAL_ENTRY}
    assert len(result.documents) == 3
    assert trial_balance(list(result.documents)) == {"BANK": D("50.00"), "DISC": D("-50.00")}


def test_a_settlement_of_one_month_needs_no_account_for_what_is_carried() -> None:
    books = company(accounts={role: name for role, name in ACCOUNTS.items() if role is not AccountRole.CARRIED_FORWARD})
    source = payout("5.00", charge("a", "5.00", description="Sold"))
    result, _ = deposited(source, settled("summary_payout", books=books))
    assert result.reason is None
    assert [one.kind for one in result.documents] == [DocumentKind.SALES_RECEIPT]


def test_a_payout_that_is_on_its_way_is_no_deposit_and_says_so() -> None:
    result, _ = deposited(payout("0.00", status="pending"), RECEIPTS)
    assert (result.outcome, result.documents, result.kept_mode) == (SetOutcome.FILTERED, (), "")
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("PAYOUT_NOT_PAID", "pending")


def test_products_are_grouped_by_price_and_everything_else_is_not() -> None:
    def sold(kind: LineKind, price: str | None, quantity: str | None) -> DocumentLine:
        (product, *_) = mapped(example_a(), RECEIPTS).documents[0].lines
        changes = {"kind": kind, "unit_price": price and D(price), "quantity": quantity and D(quantity)}
        return product.model_copy(update=changes | {"amount": D("10.00"), "tax_amount": D("1.00")})

    grouping = Grouping()
    grouping.add(
        [sold(LineKind.PRODUCT, "5.00", "2"), sold(LineKind.PRODUCT, "2.50", "4"), sold(LineKind.PRODUCT, "5.00", "2")]
    )
    grouping.add([sold(LineKind.TIP, "5.00", "2"), sold(LineKind.TIP, "2.50", "4")])
    shown = [(one.kind.value, one.unit_price, one.quantity, one.amount, one.tax_amount) for one in grouping.lines()]
    assert shown == [
        ("product", D("5.00"), D(4), D("20.00"), None),
        ("product", D("2.50"), D(4), D("10.00"), None),
        ("tip", None, None, D("20.00"), None),
    ]
    unknown = Grouping()
    unknown.add([sold(LineKind.PRODUCT, "5.00", "2"), sold(LineKind.PRODUCT, "5.00", None)])
    assert [one.quantity for one in unknown.lines()] == [None]


def test_the_customer_of_summaries_is_named_by_the_channel_in_words() -> None:
    wanted = summary_customer("USD", configuration(channel="amazon_uk"))
    assert wanted.display_name == "Amazon Uk summary"
    assert wanted.missing.value == "create"
    assert summary_customer("EUR", configuration(channel="amazon_uk")).display_name == "Amazon Uk summary (EUR)"


def test_an_exchange_difference_is_the_loss_between_two_days() -> None:
    euros = sale("1008", "100.00").model_copy(update={"currency": "EUR", "exchange_rate": D("1.10")})
    euros = euros.model_copy(update={"tenders": (euros.tenders[0].model_copy(update={"currency": "EUR"}),)})
    settings = settled("sales_receipts", file=ledger(multi_currency=True))
    result, sold = deposited(payout("109.00", payout_line("charge", "109.00", order_number="1008")), settings, euros)
    (deposit,) = result.documents
    assert [(one.account.role.value, one.description, one.amount) for one in deposit.lines] == [
        ("UF", "1008", D("-110.00")),
        ("FX", "Exchange difference", D("1.00")),
        ("BANK", "Payout po_1", D("109.00")),
    ]
    assert sold[0].kind is DocumentKind.SALES_RECEIPT
    assert trial_balance([deposit])["BANK"] == D("109.00")


def test_a_mode_without_money_of_its_own_makes_no_deposit() -> None:
    result, _ = deposited(payout("0.00"), settled("estimates"))
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.value == TransactionMode.ESTIMATES.value
