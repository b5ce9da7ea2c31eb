"""A payout keeps the mode it was written by, and meets orders of other modes; one that failed gives its money back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.mapper.samples import ACCOUNTS, D, company, example_a, mapped, tender
from tests.unit.mapper.test_payouts import (
    CHARGES,
    NEGATIVE,
    OLD,
    REFUND,
    SALE_1001,
    SALES,
    deposited,
    payout,
    payout_line,
    sale,
    settled,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import Payout
from common.messages.transactions import AccountRole, DocumentKind, LineKind, SetOutcome, TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.orders import map_order
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payouts import map_payout
from mapper.mapping.postings import trial_balance
from mapper.mapping.settled_sales import SalesSource

APPROVED = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC), accounts=ACCOUNTS)
B = payout("209.91", *CHARGES, REFUND)
SETTLED_B = {
    "BANK": D("209.91"),
    "FEES": D("7.93"),
    "INC": D("-210.49"),
    "SHIP": D("-7.95"),
    "TAX": D("-2.61"),
    "DISC": D("3.21"),
}
"""What was sold, less what went back of it."""


def in_mode(mode: str, **changes: Any) -> Configuration:
    return settled(mode, books=changes.pop("books", APPROVED), **changes)


def with_sets(source: Payout, settings: Configuration, *sets: TransactionSet, kept_mode: str = "") -> TransactionSet:
    return map_payout(source, settings, candidates_of(sets), SalesSource(SALES), kept_mode=kept_mode)


@pytest.mark.parametrize(
    ("first", "then"), [("sales_receipts", "journal_entries"), ("summary_payout", "sales_receipts")]
)
def test_a_written_payout_stays_with_the_mode_it_was_written_by(first: str, then: str) -> None:
    sets = [mapped(one, in_mode(first)) for one in SALES]
    written = with_sets(B, in_mode(first), *sets)
    assert (written.outcome, written.kept_mode) == (SetOutcome.MAPPED, first)
    kept = History.of(written).mode
    assert kept == first
    again = with_sets(B, in_mode(then), *sets, kept_mode=kept)
    assert (again.documents, again.kept_mode) == (written.documents, first)
    preview = with_sets(B, in_mode(then, books=company()), *sets, kept_mode=kept)
    assert preview.kept_mode == then, "before the first approval nothing is written"


def test_a_payout_that_waits_for_somebody_follows_the_new_mode() -> None:
    sets = [mapped(one, in_mode("sales_receipts")) for one in SALES]
    waiting = with_sets(B, in_mode("sales_receipts", payouts={"automatic": False}), *sets)
    assert [one.hold.code if one.hold else "" for one in waiting.documents] == ["WAITING_FOR_APPROVAL"]
    assert History.of(waiting).mode == ""


@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
def test_sales_with_documents_of_their_own_are_no_income_of_a_settlement_again(mode: str) -> None:
    before = [mapped(one, in_mode("sales_receipts")) for one in SALES[:2]]
    history = History.of(before[0])
    sets = [
        mapped(SALES[0], in_mode(mode), history=history),
        mapped(SALES[1], in_mode(mode), history=history),
        mapped(SALES[2], in_mode(mode)),
    ]
    assert sets[2].reason is not None
    assert sets[2].reason.code == "IN_PAYOUT"
    result = with_sets(B, in_mode(mode), *sets)
    (document,) = result.documents
    assert trial_balance([document]) == {
        "BANK": D("209.91"),
        "FEES": D("7.93"),
        "INC": D("-45.50"),
        "UF": D("-172.34"),
    }
    moved = [line.amount for line in document.lines if line.description == "Booked before"]
    assert [abs(amount) for amount in moved] == [D("172.34")]
    written = [one for each in sets for one in each.documents]
    assert trial_balance([*written, document]) == SETTLED_B


def test_money_of_an_order_with_several_documents_lies_where_they_put_it() -> None:
    paid_twice = example_a(external_id="id1001", tenders=(tender("38.50", "a"), tender("38.50", "b")))
    sets = [mapped(paid_twice, in_mode("invoices_payments_if_paid"))]
    parts = (
        payout_line("charge", "69.99", order_number="1001", description="Principal"),
        payout_line("charge", "7.01", order_number="1001", description="Shipping"),
    )
    (entry,) = with_sets(payout("77.00", *parts), in_mode("journal_entries"), *sets).documents
    assert trial_balance([entry]) == {"BANK": D("77.00"), "UF": D("-77.00")}


CLEARING = {"paypal": "Assets:PayPal", "shopify_payments": "Assets:Shopify"}


@pytest.mark.parametrize(
    ("amount", "named", "wanted"),
    [
        ("69.99", {"description": "Principal"}, "Assets:Shopify"),
        ("47.00", {}, "Assets:Shopify"),
        ("30.00", {}, "Assets:Shopify"),
        ("30.00", {"tender_external_id": "a"}, "Assets:PayPal"),
        ("47.00", {"processor": "klarna"}, "Assets:Shopify"),
        ("10.00", {"processor": "klarna"}, "Assets:PayPal"),
    ],
)
def test_money_leaves_the_account_of_the_processor_where_an_order_was_paid_into_two(
    amount: str, named: dict[str, str], wanted: str
) -> None:
    tenders = (tender("30.00", "a", method="paypal"), tender("47.00", "b", method="Shopify_Payments"))
    invoiced = in_mode("invoices_payments_if_paid", deposit_accounts=CLEARING)
    order = mapped(example_a(external_id="id1001", tenders=tenders), invoiced)
    said = dict(named)
    processor = said.pop("processor", "shopify_payments")
    source = payout(amount, payout_line("charge", amount, order_number="1001", **said), processor=processor)
    (entry,) = with_sets(source, in_mode("journal_entries", deposit_accounts=CLEARING), order).documents
    assert [line.account.name for line in entry.lines if line.description == "Booked before"] == [wanted]


@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
@pytest.mark.parametrize("said", ["", "Principal"])
def test_a_settlement_waits_for_a_sale_of_another_mode_that_is_held_and_books_it_once(mode: str, said: str) -> None:
    by_rule = compiled(rule("map_transaction_type", "sales_receipts", ("number", "equals", "1002")))
    stops = in_mode(mode, products={"missing": "stop_and_queue"})
    sets = [map_order(one, stops, by_rule) for one in SALES]
    held = sets[1].documents[0].hold
    assert held is not None
    assert held.code == "PRODUCT_MISSING"
    charge = CHARGES[1].model_copy(update={"description": said})
    source = payout("209.91", CHARGES[0], charge, CHARGES[2], REFUND)
    result = with_sets(source, stops, *sets)
    assert (result.outcome, result.documents) == (SetOutcome.HELD, ())
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("PAYOUT_INCOMPLETE", f"1002 ({held.text})")
    assert "1001" not in result.reason.text
    settings = in_mode(mode)
    released = [map_order(one, settings, by_rule) for one in SALES]
    (document,) = with_sets(source, settings, *released).documents
    assert trial_balance([*(one for each in released for one in each.documents), document]) == SETTLED_B


def test_a_deposit_says_why_a_document_that_it_waits_for_is_held() -> None:
    stops = in_mode("sales_receipts", products={"missing": "stop_and_queue"})
    (held,) = (waits := mapped(SALES[1], stops)).documents
    result = with_sets(payout("116.22", CHARGES[1]), stops, waits)
    assert result.reason is not None
    assert held.hold is not None
    assert result.reason.value == f"1002 ({held.hold.text})"


@pytest.mark.parametrize(
    ("ruled", "own", "outcome"),
    [
        ("sales_receipts", "", SetOutcome.HELD),
        ("", "sales_receipts", SetOutcome.HELD),
        ("journal_entries", "", SetOutcome.MAPPED),
        ("", "summary_payout", SetOutcome.MAPPED),
        ("", "", SetOutcome.MAPPED),
    ],
)
def test_a_settlement_waits_for_an_order_that_is_held_as_a_whole_if_it_has_another_mode(
    ruled: str, own: str, outcome: SetOutcome
) -> None:
    rules = compiled(*([rule("map_transaction_type", ruled)] if ruled else []))
    settings = in_mode("journal_entries")
    foreign = tender("120.00", "t1002", currency="EUR")
    odd = SALES[1].model_copy(update={"tenders": (foreign,), "invoice_mode": own})
    held = map_order(odd, settings, rules)
    assert held.reason is not None
    assert (held.outcome, held.reason.code) == (SetOutcome.HELD, "TENDER_CURRENCY_DIFFERS")
    source = payout("116.22", CHARGES[1])
    result = map_payout(source, settings, candidates_of([held]), SalesSource((odd,), rules))
    assert result.outcome is outcome
    if outcome is SetOutcome.HELD:
        assert result.reason is not None
        assert result.reason.value == f"1002 ({held.reason.text})"


@pytest.mark.parametrize("outcome", [SetOutcome.HELD, SetOutcome.FILTERED])
@pytest.mark.parametrize(
    ("written_by", "waits"),
    [("sales_receipts", True), ("summary_sales_receipt", True), ("summary_payout", False), ("", False)],
)
def test_a_settlement_waits_for_an_order_that_keeps_the_documents_of_an_earlier_mode(
    outcome: SetOutcome, written_by: str, waits: bool
) -> None:
    settings = in_mode("journal_entries")
    foreign = tender("120.00", "t1002", currency="EUR")
    odd = SALES[1].model_copy(update={"tenders": (foreign,)})
    held = map_order(odd, settings).model_copy(update={"outcome": outcome})
    assert held.reason is not None
    found = candidates_of([held], written_by={"id1002": written_by})
    result = map_payout(payout("116.22", CHARGES[1]), settings, found, SalesSource((odd,)))
    assert result.outcome is (SetOutcome.HELD if waits else SetOutcome.MAPPED)
    if waits:
        assert result.reason is not None
        assert (result.reason.code, result.reason.value) == ("PAYOUT_INCOMPLETE", f"1002 ({held.reason.text})")


def test_an_order_that_is_written_or_in_a_payout_is_left_by_no_earlier_mode() -> None:
    written = mapped(SALES[0], in_mode("sales_receipts"))
    in_payout = mapped(SALES[1], in_mode("journal_entries"))
    modes = {"id1001": "sales_receipts", "id1002": "sales_receipts"}
    assert candidates_of([written, in_payout], written_by=modes).waiting == frozenset()


def test_a_deposit_posts_what_lines_say_themselves_of_a_sale_that_only_payouts_account_for() -> None:
    settings = in_mode("sales_receipts")
    left = map_order(SALES[0], settings, compiled(rule("map_transaction_type", "journal_entries")))
    parts = (
        payout_line("charge", "64.99", "2.53", order_number="1001", description="Principal"),
        payout_line("charge", "7.95", order_number="1001", description="Shipping"),
        payout_line("charge", "4.06", order_number="1001", description="Tax"),
    )
    other = mapped(SALES[1], settings)
    (deposit,) = with_sets(payout("190.69", *parts, CHARGES[1]), settings, left, other).documents
    assert deposit.kind is DocumentKind.DEPOSIT
    assert trial_balance([deposit]) == {
        "BANK": D("190.69"),
        "FEES": D("6.31"),
        "UF": D("-120.00"),
        "INC": D("-64.99"),
        "SHIP": D("-7.95"),
        "TAX": D("-4.06"),
    }
    titles = {line.description for line in deposit.lines if line.kind is LineKind.POSTING}
    assert titles == {"Principal", "Shipping", "Tax", "Processing fees", "Payout po_1"}
    stranger = payout_line("charge", "5.00", order_number="1009", description="Principal")
    result = with_sets(payout("195.69", *parts, CHARGES[1], stranger), settings, left, other)
    assert (result.reason.value if result.reason else "") == "1009 (not received)"


@pytest.mark.parametrize("number", ["1003", ""])
def test_a_sale_that_only_payouts_account_for_is_posted_by_a_deposit(number: str) -> None:
    settings = in_mode("sales_receipts")
    left = mapped(SALES[0], in_mode("journal_entries"))
    sets = [
        mapped(SALES[0], settings, history=History.of(left)),
        *(mapped(one, settings) for one in SALES[1:]),
    ]
    assert sets[0].documents == ()
    charges = CHARGES if number else (CHARGES[0], CHARGES[1], payout_line("charge", "45.50", "1.62"))
    result = with_sets(payout("209.91", *charges, REFUND), settings, *sets)
    if not number:
        assert (result.reason.code if result.reason else "") == "PAYOUT_INCOMPLETE", "what is not left is matched"
        return
    (deposit,) = result.documents
    assert (deposit.kind, deposit.total) == (DocumentKind.DEPOSIT, D("209.91"))
    grouped = [line.amount for line in deposit.lines if line.kind is LineKind.GROUPED_DOCUMENT]
    assert grouped == [D("-120.00"), D("-45.50")]
    written = [one for each in sets for one in each.documents]
    assert trial_balance([*written, deposit]) == SETTLED_B


def test_a_rule_that_leaves_orders_to_their_payout_does_not_keep_the_others_from_the_bank() -> None:
    settings = in_mode("sales_receipts")
    by_rule = map_order(SALES[0], settings, compiled(rule("map_transaction_type", "journal_entries")))
    assert (by_rule.reason.code if by_rule.reason else "") == "IN_PAYOUT"
    sets = [by_rule, *(mapped(one, settings) for one in SALES[1:])]
    (deposit,) = with_sets(B, settings, *sets).documents
    assert trial_balance([*(one for each in sets for one in each.documents), deposit]) == SETTLED_B


def test_a_settlement_waits_for_orders_that_are_in_a_summary() -> None:
    earlier = mapped(SALES[1], in_mode("summary_sales_receipt"))
    summarised = mapped(SALES[1], in_mode("journal_entries"), history=History.of(earlier))
    result = with_sets(B, in_mode("journal_entries"), summarised)
    assert (result.outcome, result.documents, result.kept_mode) == (SetOutcome.HELD, (), "")
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_INCOMPLETE"
    assert "1002 (The order is part of the summary of 2026-03-02.)" in result.reason.text
    assert "1001" not in result.reason.text


@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
def test_a_settlement_that_is_made_by_hand_waits_for_somebody(mode: str) -> None:
    source = payout("30.00", payout_line("charge", "30.00", description="Sold"))
    (held,) = map_payout(source, in_mode(mode, payouts={"automatic": False}), candidates_of([])).documents
    assert held.hold is not None
    assert (held.hold.code, held.hold.field) == ("WAITING_FOR_APPROVAL", "payouts.automatic")
    assert held.hold.cure == "Deposit this payout (deposit_payout), or switch payouts.automatic on for all of them."
    (made,) = map_payout(source, in_mode(mode), candidates_of([])).documents
    assert (made.hold, made.notices) == (None, ())


def test_payouts_of_a_connection_that_is_switched_off_are_left_as_they_are() -> None:
    result, _ = deposited(payout("74.47", CHARGES[0]), in_mode("sales_receipts", enabled=False), SALE_1001)
    assert (result.outcome, result.documents) == (SetOutcome.FILTERED, ())
    assert result.reason is not None
    assert result.reason.code == "CONNECTION_DISABLED"
    assert result.reason.text == "The connection 'Main shop' is switched off."


FAILED = B.model_copy(update={"status": "failed"})
AGAIN = payout(
    "254.24",
    payout_line("charge", "45.50", "1.17", order_number="1009"),
    payout_line("transfer", "209.91", description="payout failure"),
    external_id="po_2",
)


def test_a_payout_that_failed_leaves_its_money_with_the_processor_until_another_brings_it() -> None:
    settings = in_mode("sales_receipts")
    result, sales = deposited(FAILED, settings, *SALES)
    (deposit,) = result.documents
    assert (deposit.kind, deposit.total) == (DocumentKind.DEPOSIT, D("0.00"))
    assert [(one.code, one.value) for one in deposit.notices] == [("PAYOUT_NOT_PAID", "failed")]
    assert deposit.deposit_to is not None
    assert deposit.deposit_to.role is AccountRole.BANK
    assert trial_balance([deposit]) == {"FEES": D("7.93"), "UF": D("-7.93")}
    (back,) = [line for line in deposit.lines if line.description == "Payout po_1 failed"]
    assert (back.account.role, back.amount) == (AccountRole.UNDEPOSITED_FUNDS, D("209.91"))
    (second,), more = (found := deposited(AGAIN, settings, sale("1009", "45.50")))[0].documents, found[1]
    after = trial_balance([*sales, *more, deposit, second])
    assert after["BANK"] == D("254.24")
    assert after["FEES"] == D("9.10")
    assert "UF" not in after
    (paid,) = deposited(B, settings, *SALES)[0].documents
    assert paid.key == deposit.key
    assert paid.notices == ()


def test_money_that_comes_back_lies_on_the_processors_own_clearing_account() -> None:
    settings = in_mode("sales_receipts", deposit_accounts={"shopify_payments": "Assets:Clearing"})
    (deposit,) = deposited(FAILED, settings, *SALES)[0].documents
    assert {line.account.name for line in deposit.lines if line.account.role is AccountRole.CLEARING} == {
        "Assets:Clearing"
    }
    journal = in_mode("journal_entries", deposit_accounts={"shopify_payments": "Assets:Clearing"})
    (entry,) = with_sets(FAILED, journal, *(mapped(one, journal) for one in SALES)).documents
    assert [(one.code, one.value) for one in entry.notices] == [("PAYOUT_NOT_PAID", "failed")]
    assert trial_balance([entry])["CLR"] == D("209.91")
    assert "BANK" not in trial_balance([entry])
    summary = in_mode("summary_payout", deposit_accounts={"shopify_payments": "Assets:Clearing"})
    (receipt,) = with_sets(FAILED, summary, *(mapped(one, summary) for one in SALES)).documents
    assert receipt.deposit_to is not None
    assert (receipt.deposit_to.name, receipt.total) == ("Assets:Clearing", D("209.91"))


def test_a_payout_below_zero_that_failed_takes_nothing_from_the_bank() -> None:
    source = payout("-56.17", *NEGATIVE, status="failed")
    settings = in_mode("sales_receipts", payouts={"negative": "debited"})
    (deposit,) = deposited(source, settings, sale("1004", "30.00"), OLD)[0].documents
    assert deposit.kind is DocumentKind.DEPOSIT
    assert trial_balance([deposit]) == {"UF": D("55.00"), "FEES": D("1.17"), "SHORT": D("-56.17")}


@pytest.mark.parametrize(
    ("status", "negative", "account"),
    [
        ("failed", "debited", "SHORT"),
        ("failed", "carried", "SHORT"),
        ("paid", "carried", "SHORT"),
        ("paid", "debited", "BANK"),
    ],
)
def test_a_settlement_below_zero_is_owed_unless_the_bank_was_debited(status: str, negative: str, account: str) -> None:
    lost = payout_line("chargeback", "-56.17")
    settings = in_mode("journal_entries", payouts={"negative": negative})
    (entry,) = with_sets(payout("-56.17", lost, status=status), settings).documents
    assert trial_balance([entry]) == {"CHB": D("56.17"), account: D("-56.17")}


def test_a_payout_that_was_never_mapped_has_no_mode_to_keep() -> None:
    held = with_sets(B, in_mode("estimates"))
    assert (held.outcome, held.kept_mode) == (SetOutcome.HELD, "")
    assert History.of(held) == FIRST_TIME


def test_what_is_no_charge_hides_no_unknown_sale_after_it() -> None:
    lines = (payout_line("chargeback", "-5.00"), payout_line("charge", "10.00", order_number="1009"))
    (entry,) = with_sets(payout("5.00", *lines), in_mode("journal_entries")).documents
    assert ["1009" in one.text for one in entry.notices] == [True]
