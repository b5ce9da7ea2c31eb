"""Section 14 and 15: the worked payouts, to the cent."""

from dataclasses import replace
from datetime import date, timedelta
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
    tender,
)

from common.messages.orders import Order, Payout, PayoutLine
from common.messages.transactions import AccountRole, Document, DocumentKind, SetOutcome, TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payout_matching import Candidates
from mapper.mapping.payouts import map_payout
from mapper.mapping.postings import trial_balance
from mapper.mapping.settled_sales import SalesSource

PAID_ON = date(2026, 3, 15)
RETURNS = company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"})


def payout_line(kind: str, amount: str, fee: str = "0.00", **more: Any) -> PayoutLine:
    values: dict[str, Any] = {
        "external_id": f"{kind}{amount}{more.get('order_number', '')}{more.get('description', '')}",
        "kind": kind,
        "amount": D(amount),
        "fee": D(fee),
        "occurred_on": PAID_ON,
    }
    values.update(more)
    return PayoutLine(**values)


def payout(net: str, *lines: PayoutLine, **more: Any) -> Payout:
    values: dict[str, Any] = {
        "tenant_id": "tenant",
        "revision": 1,
        "connection_id": "shop-1",
        "external_id": "po_1",
        "processor": "shopify_payments",
        "currency": "USD",
        "paid_on": PAID_ON,
        "status": "paid",
        "net": D(net),
        "lines": lines,
    }
    values.update(more)
    return Payout(**values)


def sale(number: str, amount: str) -> Order:
    return order(
        external_id=f"id{number}",
        number=number,
        lines=(line("l1", "THING", amount),),
        total=D(amount),
        tenders=(tender(amount, f"t{number}"),),
    )


SALE_1001 = example_a(external_id="id1001", tenders=(tender("77.00", "t1001"),), refunds=(first_refund(),))
SALES = (SALE_1001, sale("1002", "120.00"), sale("1003", "45.50"))
CHARGES = (
    payout_line("charge", "77.00", "2.53", order_number="1001", tender_external_id="t1001"),
    payout_line("charge", "120.00", "3.78", order_number="1002", order_external_id="id1002"),
    payout_line("charge", "45.50", "1.62", order_number="1003"),
)
REFUND = payout_line("refund", "-24.66", order_number="1001", refund_external_id="r1")


def settled(mode: str, **changes: Any) -> Configuration:
    return configuration(mode, payouts={"enabled": True, **changes.pop("payouts", {})}, **changes)


def deposited(source: Payout, settings: Configuration, *orders: Order) -> tuple[TransactionSet, list[Document]]:
    sets = [mapped(one, settings) for one in orders]
    documents = [document for one in sets for document in one.documents]
    return map_payout(source, settings, candidates_of(sets)), documents


@pytest.mark.vector_core
@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid", "sales_orders_invoices_po"])
def test_vector_18_a_payout_becomes_a_deposit_to_the_cent(mode: str) -> None:
    result, sales = deposited(payout("209.91", *CHARGES, REFUND), settled(mode), *SALES)
    assert result.outcome is SetOutcome.MAPPED, result.reason
    (deposit,) = result.documents
    assert deposit.total == D("209.91")
    assert trial_balance([deposit]) == {"BANK": D("209.91"), "FEES": D("7.93"), "UF": D("-217.84")}
    assert len(deposit.depends_on) == 4
    after = trial_balance([*sales, deposit])
    assert "UF" not in after
    assert after["BANK"] == D("209.91")


def test_a_receipt_is_found_by_the_tender_that_paid_its_order() -> None:
    sets = [mapped(one, settled("sales_receipts")) for one in SALES]
    source = payout("74.47", payout_line("charge", "77.00", "2.53", tender_external_id="t1001"))
    unnamed = map_payout(source, settled("sales_receipts"), candidates_of(sets))
    assert unnamed.reason is not None
    assert unnamed.reason.code == "PAYOUT_INCOMPLETE"
    found = candidates_of(sets, {"t1001": "id1001", "t9": "never received"})
    (deposit,) = map_payout(source, settled("sales_receipts"), found).documents
    (receipt,) = [one for one in sets[0].documents if one.kind is DocumentKind.SALES_RECEIPT]
    assert deposit.depends_on == (receipt.key,)


@pytest.mark.vector_core
def test_vector_19_a_payout_with_a_missing_order_names_it_and_finishes_when_it_is_there() -> None:
    source = payout("209.91", *CHARGES, REFUND)
    settings = settled("sales_receipts")
    result, _ = deposited(source, settings, SALES[0], SALES[2])
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_INCOMPLETE"
    assert "1002 (not received)" in result.reason.text
    filtered = SALES[1].model_copy(update={"do_not_import": True})
    result, _ = deposited(source, settings, SALES[0], filtered, SALES[2])
    assert result.reason is not None
    assert "1002 (The shop marked this order as not for import.)" in result.reason.text
    result, _ = deposited(source, settings, *SALES)
    assert result.outcome is SetOutcome.MAPPED


NEGATIVE = (
    payout_line("charge", "30.00", "1.17", order_number="1004"),
    payout_line("refund", "-85.00", order_number="1005", refund_external_id="r5"),
)
OLD = order(
    external_id="id1005",
    number="1005",
    lines=(line("l1", "LAMP", "85.00"),),
    total=D("85.00"),
    tenders=(tender("85.00", "t1005"),),
    refunds=(
        first_refund(
            external_id="r5",
            lines=(),
            tax=D("0.00"),
            transactions=(first_refund().transactions[0].model_copy(update={"amount": D("85.00")}),),
        ),
    ),
)


@pytest.mark.vector_core
def test_vector_20_a_negative_payout_is_a_deposit_of_zero() -> None:
    result, _ = deposited(
        payout("-56.17", *NEGATIVE), settled("sales_receipts", books=RETURNS), sale("1004", "30.00"), OLD
    )
    (deposit,) = result.documents
    assert deposit.total == 0
    assert trial_balance([deposit]) == {"UF": D("55.00"), "FEES": D("1.17"), "SHORT": D("-56.17")}


def test_a_negative_payout_that_was_taken_from_the_bank_is_a_journal_entry_beside_the_deposit() -> None:
    settings = settled("sales_receipts", payouts={"negative": "debited"}, books=RETURNS)
    result, sales = deposited(payout("-56.17", *NEGATIVE), settings, sale("1004", "30.00"), OLD)
    deposit, debit = result.documents
    assert (deposit.kind, deposit.total) == (DocumentKind.DEPOSIT, D(0))
    assert (debit.kind, debit.total, debit.date) == (DocumentKind.JOURNAL_ENTRY, D("56.17"), PAID_ON)
    assert trial_balance([debit]) == {"SHORT": D("56.17"), "BANK": D("-56.17")}
    after = trial_balance([*sales, deposit, debit])
    assert after["BANK"] == D("-56.17")
    assert "SHORT" not in after
    assert after["UF"] == D("85.00"), "what was refunded came with an earlier payout"
    (positive,) = deposited(payout("74.47", CHARGES[0]), settings, SALE_1001)[0].documents
    assert positive.kind is DocumentKind.DEPOSIT
    by_hand = settled("sales_receipts", payouts={"negative": "debited", "automatic": False}, books=RETURNS)
    held, _ = deposited(payout("-56.17", *NEGATIVE), by_hand, sale("1004", "30.00"), OLD)
    assert [one.hold.code if one.hold else "" for one in held.documents] == ["WAITING_FOR_APPROVAL"] * 2


def test_a_settlement_below_zero_is_taken_from_the_bank_where_settings_say_so() -> None:
    source = payout("-5.00", payout_line("fee", "-5.00"))
    for negative, account in (("carried", "SHORT"), ("debited", "BANK")):
        settings = settled("journal_entries", payouts={"negative": negative})
        (entry,) = map_payout(source, settings, Candidates()).documents
        assert trial_balance([entry]) == {"FEES": D("5.00"), account: D("-5.00")}


@pytest.mark.parametrize(
    ("payouts", "currency", "name"),
    [
        ({}, "USD", "Account BANK"),
        ({"bank_account": "Payout account"}, "USD", "Payout account"),
        ({"bank_accounts": {"EUR": "Euro account"}}, "USD", "Account BANK"),
        ({"bank_accounts": {"EUR": "Euro account"}, "bank_account": "Payout account"}, "USD", "Payout account"),
        ({"bank_accounts": {"EUR": "Euro account"}, "bank_account": "Payout account"}, "EUR", "Euro account"),
    ],
)
def test_a_payout_reaches_the_bank_account_of_its_currency_and_connection(
    payouts: dict[str, Any], currency: str, name: str
) -> None:
    settings = settled("sales_receipts", payouts=payouts, file=ledger(multi_currency=True))
    one = sale("1002", "100.00").model_copy(
        update={
            "currency": currency,
            "exchange_rate": D("1.1"),
            "tenders": (tender("100.00", "t1", currency=currency),),
        }
    )
    source = payout(
        "99.00", payout_line("charge", "100.00", "1.00", order_number="1002"), currency=currency, exchange_rate=D("1.1")
    )
    (deposit,) = deposited(source, settings, one)[0].documents
    assert deposit.deposit_to is not None
    assert (deposit.deposit_to.role, deposit.deposit_to.name) == (AccountRole.BANK, name)
    assert deposit.lines[-1].account == deposit.deposit_to
    for mode in ("journal_entries", "summary_payout"):
        changed = settled(mode, payouts=payouts, file=ledger(multi_currency=True))
        (document,) = map_payout(source, changed, Candidates(), SalesSource([one])).documents
        banks = {line.account.name for line in document.lines if line.account.role is AccountRole.BANK}
        assert {*banks, document.deposit_to.name if document.deposit_to else name} == {name}
    unset = company(accounts={role: text for role, text in ACCOUNTS.items() if role is not AccountRole.BANK})
    without = settled("sales_receipts", payouts=payouts, file=ledger(multi_currency=True), books=unset)
    reason = deposited(source, without, one)[0].reason
    assert (reason.code if reason else "") == ("ACCOUNT_MISSING" if name == "Account BANK" else "")


def test_the_next_payout_carries_the_shortfall() -> None:
    source = payout(
        "137.73",
        payout_line("charge", "200.00", "6.10", order_number="1006"),
        payout_line("carried_forward", "-56.17"),
    )
    result, _ = deposited(source, settled("sales_receipts"), sale("1006", "200.00"))
    assert trial_balance(list(result.documents)) == {
        "BANK": D("137.73"),
        "FEES": D("6.10"),
        "SHORT": D("56.17"),
        "UF": D("-200.00"),
    }


@pytest.mark.vector_core
def test_vector_21_a_chargeback_and_its_fee() -> None:
    plain = SALE_1001.model_copy(update={"refunds": ()})
    source = payout("174.07", *CHARGES, payout_line("chargeback", "-45.50"), payout_line("dispute_fee", "-15.00"))
    result, _ = deposited(source, settled("sales_receipts"), plain, *SALES[1:])
    assert trial_balance(list(result.documents)) == {
        "BANK": D("174.07"),
        "FEES": D("22.93"),
        "CHB": D("45.50"),
        "UF": D("-242.50"),
    }
    won, _ = deposited(payout("45.50", payout_line("chargeback_reversal", "45.50")), settled("sales_receipts"))
    assert trial_balance(list(won.documents)) == {"BANK": D("45.50"), "CHB": D("-45.50")}


@pytest.mark.vector_core
def test_vector_22_the_same_payout_twice_is_one_deposit() -> None:
    first, _ = deposited(payout("209.91", *CHARGES, REFUND), settled("sales_receipts"), *SALES)
    again, _ = deposited(payout("209.91", *CHARGES, REFUND, revision=2), settled("sales_receipts"), *SALES)
    assert first.documents == again.documents


@pytest.mark.vector_core
def test_vector_23_a_settlement_across_a_month_end_carries_forward() -> None:
    source = payout(
        "700.00",
        payout_line("charge", "410.25", occurred_on=date(2026, 7, 30)),
        payout_line("charge", "289.75", occurred_on=date(2026, 8, 2)),
        paid_on=date(2026, 8, 5),
    )
    result, _ = deposited(source, settled("journal_entries"))
    july, august = result.documents
    assert (july.date, august.date) == (date(2026, 7, 30), date(2026, 8, 5))
    assert trial_balance([july]) == {"CFWD": D("410.25"), "INC": D("-410.25")}
    assert trial_balance([august]) == {"BANK": D("700.00"), "INC": D("-289.75"), "CFWD": D("-410.25")}
    assert july.key != august.key


MARKETPLACE = (
    payout_line("charge", "1000.00", description="Principal"),
    payout_line("charge", "50.00", description="Shipping"),
    payout_line("charge", "62.50", description="Tax"),
    payout_line("adjustment", "-62.50", description="Tax withheld"),
    payout_line("adjustment", "-20.00", description="Promotion"),
    payout_line("fee", "-150.00", description="Commission"),
    payout_line("fee", "-180.00", description="Fulfilment"),
    payout_line("refund", "-80.00", description="Refund"),
    payout_line("fee", "10.00", description="Commission"),
    payout_line("fee", "-25.00", description="Storage"),
    payout_line("reserve_held", "-100.00", description="Reserve"),
    payout_line("reserve_released", "60.00", description="Previous reserve"),
)
BY_DESCRIPTION = {"shipping": "SHIP", "tax": "TAX", "tax withheld": "TAX", "promotion": "DISC"}


@pytest.mark.vector_core
@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
def test_vector_24_a_marketplace_settlement_balances(mode: str) -> None:
    settings = settled(mode, payouts={"adjustments": BY_DESCRIPTION}, books=RETURNS)
    result, _ = deposited(payout("565.00", *MARKETPLACE), settings)
    (entry,) = result.documents
    if mode == "summary_payout":
        assert (entry.kind, entry.total) == (DocumentKind.SALES_RECEIPT, D("565.00"))
    else:
        assert entry.kind is DocumentKind.JOURNAL_ENTRY
    assert trial_balance([entry]) == {
        "BANK": D("565.00"),
        "DISC": D("20.00"),
        "FEES": D("345.00"),
        "REFC": D("80.00"),
        "RSV": D("40.00"),
        "INC": D("-1000.00"),
        "SHIP": D("-50.00"),
    }
    shown = {one.description: abs(one.amount) for one in entry.lines}
    assert (shown["Commission"], shown["Fulfilment"], shown["Storage"]) == (D("140.00"), D("180.00"), D("25.00"))


SETTLED_B = {
    "BANK": D("209.91"),
    "FEES": D("7.93"),
    "INC": D("-210.49"),
    "SHIP": D("-7.95"),
    "TAX": D("-2.61"),
    "DISC": D("3.21"),
}
"""Payout B as a settlement: the sales of its orders less what the refund took back, not 242.50 of income."""


@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
def test_a_settlement_books_what_its_orders_consist_of(mode: str) -> None:
    source = payout("209.91", *CHARGES, REFUND)
    result = map_payout(source, settled(mode), candidates_of([]), SalesSource(SALES))
    assert result.reason is None
    (document,) = result.documents
    assert trial_balance([document]) == SETTLED_B
    assert document.note == "1001, 1002, 1003"
    assert document.notices == ()
    if mode == "summary_payout":
        assert (document.kind, document.total) == (DocumentKind.SALES_RECEIPT, source.net)
        assert [one.display_name for one in result.customers] == ["Shopify summary"]
        assert {one.item_key for one in document.lines} == {item.key for item in result.items}


def test_a_settlement_names_its_orders_in_its_note_alone() -> None:
    many = [
        example_a(external_id=f"id{n}", number=f"SHOP-{n:04}", tenders=(tender("77.00", f"t{n}"),)) for n in range(400)
    ]
    lines = [payout_line("charge", "77.00", external_id=f"p{n}", order_number=f"SHOP-{n:04}") for n in range(400)]
    for count in (2, 400):
        source = payout(str(D("77.00") * count), *lines[:count])
        (entry,) = map_payout(source, settled("journal_entries"), Candidates(), SalesSource(many)).documents
        assert entry.note.endswith("SHOP-0000, SHOP-0001" if count == 2 else " … and 46 more")
        assert (entry.orders, entry.orders_of_summary, entry.orders_left_out) == ((), (), 0)


def test_a_part_of_a_sale_is_settled_by_its_share_and_to_the_cent() -> None:
    other_gateway = payout("30.00", payout_line("charge", "30.00", order_number="1001", tender_external_id="a"))
    both = example_a(external_id="id1001", tenders=(tender("30.00", "a"), tender("47.00", "b")))
    (entry,) = map_payout(other_gateway, settled("journal_entries"), Candidates(), SalesSource([both])).documents
    assert trial_balance([entry]) == {
        "BANK": D("30.00"),
        "INC": D("-27.27"),
        "SHIP": D("-3.10"),
        "TAX": D("-1.58"),
        "DISC": D("1.95"),
    }


def test_a_settled_order_that_nobody_sent_is_income_as_a_whole_and_said_so() -> None:
    source = payout("45.50", payout_line("charge", "45.50", order_number="1003"))
    (entry,) = map_payout(source, settled("journal_entries"), Candidates(), SalesSource(SALES[:2])).documents
    assert trial_balance([entry]) == {"BANK": D("45.50"), "INC": D("-45.50")}
    assert [one.code for one in entry.notices] == ["SETTLED_ORDER_UNKNOWN"]
    assert "1003" in entry.notices[0].text


def test_receipts_of_a_settlement_carry_the_earlier_month_and_give_way_to_journals_below_zero() -> None:
    july = payout_line("charge", "410.25", occurred_on=date(2026, 7, 30))
    august = payout_line("charge", "289.75", occurred_on=date(2026, 8, 2))
    source = payout("700.00", july, august, paid_on=date(2026, 8, 5))
    first, last = map_payout(source, settled("summary_payout"), Candidates()).documents
    assert (first.kind, first.total, first.date) == (DocumentKind.SALES_RECEIPT, D("410.25"), date(2026, 7, 30))
    assert trial_balance([first]) == {"CFWD": D("410.25"), "INC": D("-410.25")}
    assert (last.total, last.date) == (D("700.00"), date(2026, 8, 5))
    assert trial_balance([last]) == {"BANK": D("700.00"), "INC": D("-289.75"), "CFWD": D("-410.25")}
    fees = payout_line("fee", "-500.00", occurred_on=date(2026, 7, 31))
    below = payout("200.00", july, august, fees, paid_on=date(2026, 8, 5))
    parts = map_payout(below, settled("summary_payout"), Candidates()).documents
    assert {one.kind for one in parts} == {DocumentKind.JOURNAL_ENTRY}
    assert trial_balance(list(parts)) == {"BANK": D("200.00"), "INC": D("-700.00"), "FEES": D("500.00")}


@pytest.mark.parametrize("mode", ["journal_entries", "summary_payout"])
def test_tax_and_shipping_of_a_settlement_are_no_income_even_where_settings_are_silent(mode: str) -> None:
    result, _ = deposited(payout("565.00", *MARKETPLACE), settled(mode, books=RETURNS))
    assert result.reason is None
    assert trial_balance(list(result.documents)) == {
        "BANK": D("565.00"),
        "DISC": D("20.00"),
        "FEES": D("345.00"),
        "REFC": D("80.00"),
        "RSV": D("40.00"),
        "INC": D("-1000.00"),
        "SHIP": D("-50.00"),
    }


def test_a_loan_goes_to_the_account_that_settings_name_and_a_transfer_stays_with_its_processor() -> None:
    source = payout(
        "75.50",
        CHARGES[2].model_copy(update={"fee": D("0.00")}),
        payout_line("loan", "50.00", description="advance"),
        payout_line("transfer", "-20.00", description="transfer"),
    )
    accounts = {"loan": "Liabilities:Loan"}
    clearing = {"Shopify Payments": "Assets:Clearing:Shopify", "shopify_payments": "Assets:Clearing:Shopify"}
    settings = settled("sales_receipts", payouts={"accounts": accounts}, deposit_accounts=clearing)
    result, _ = deposited(source, settings, SALES[2])
    assert result.reason is None
    lines = {one.description: (one.account.name, one.amount) for one in result.documents[0].lines}
    assert lines["advance"] == ("Liabilities:Loan", D("-50.00"))
    assert lines["Transfer"] == ("Assets:Clearing:Shopify", D("20.00"))


@pytest.mark.parametrize(
    ("source", "mode", "code"),
    [
        (payout("200.00", *CHARGES), "sales_receipts", "PAYOUT_UNBALANCED"),
        (payout("5.00", payout_line("adjustment", "5.00", description="Odd")), "sales_receipts", "ADJUSTMENT_UNMAPPED"),
        (payout("0.00"), "estimates", "MODE_NOT_SUPPORTED"),
    ],
)
def test_a_payout_that_can_not_be_deposited_says_why(source: Payout, mode: str, code: str) -> None:
    result, _ = deposited(source, settled(mode), *SALES)
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == code


def euro_sale(rate: str | None = "1.10") -> Order:
    return sale("1002", "100.00").model_copy(
        update={
            "currency": "EUR",
            "exchange_rate": D(rate) if rate else None,
            "tenders": (tender("100.00", "t1002", currency="EUR"),),
        }
    )


@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid"])
def test_a_foreign_sale_paid_out_in_home_currency_leaves_the_books_at_its_own_rate(mode: str) -> None:
    home = ledger(multi_currency=True)
    source = payout("224.54", *CHARGES[:1], payout_line("charge", "153.00", "2.93", order_number="1002"))
    settings = settled(mode, file=home)
    assert deposited(source, settings, SALES[0], euro_sale())[0].reason is not None, "45.00 is no exchange difference"
    lost = payout("179.01", CHARGES[0], payout_line("charge", "108.00", "3.46", order_number="1002"))
    result, _ = deposited(lost, settings, SALES[0], euro_sale())
    assert result.reason is None
    (deposit,) = result.documents
    assert trial_balance([deposit]) == {"BANK": D("179.01"), "FEES": D("5.99"), "FX": D("2.00"), "UF": D("-187.00")}
    gained = payout("112.00", payout_line("charge", "112.00", order_number="1002"))
    (deposit,) = deposited(gained, settings, euro_sale())[0].documents
    assert trial_balance([deposit]) == {"BANK": D("112.00"), "FX": D("-2.00"), "UF": D("-110.00")}


@pytest.mark.parametrize(
    ("amount", "rate", "able"), [("108.00", None, True), ("108.00", "1.10", False), ("100.00", "1.10", False)]
)
def test_a_foreign_sale_is_never_grouped_as_if_its_currency_were_the_payouts(
    amount: str, rate: str | None, able: bool
) -> None:
    capabilities = ALL_CAPABILITIES - (set() if able else {"deposits_across_currencies"})
    settings = settled("sales_receipts", file=ledger(multi_currency=True, capabilities=capabilities))
    result, _ = deposited(payout(amount, payout_line("charge", amount, order_number="1002")), settings, euro_sale(rate))
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_CURRENCY_DIFFERS"


def test_foreign_money_on_a_clearing_account_leaves_it_for_a_deposit_in_home_currency_in_any_ledger() -> None:
    capabilities = ALL_CAPABILITIES - {"deposits_across_currencies"}
    home = ledger(multi_currency=True, capabilities=capabilities)
    settings = settled("sales_receipts", file=home, deposit_accounts={"card": "Card Clearing"})
    paid = payout("104.54", payout_line("charge", "108.00", "3.46", order_number="1002"))
    (deposit,) = deposited(paid, settings, euro_sale())[0].documents
    assert trial_balance([deposit]) == {"BANK": D("104.54"), "FEES": D("3.46"), "FX": D("2.00"), "CLR": D("-110.00")}


def test_a_document_of_another_deposit_is_not_deposited_again() -> None:
    settings = settled("sales_receipts")
    sets = [mapped(one, settings) for one in SALES]
    (receipt,) = sets[2].documents
    found = replace(candidates_of(sets), deposited={receipt.key: "po_0"})
    reason = map_payout(payout("45.50", payout_line("charge", "45.50", order_number="1003")), settings, found).reason
    assert reason is not None
    assert "1003 (in the deposit of payout po_0 already)" in reason.text


def test_a_charge_without_any_name_is_the_only_sale_of_its_amount_within_a_week() -> None:
    settings = settled("sales_receipts")
    receipts = [document for one in SALES[1:] for document in mapped(one, settings).documents]
    charge = payout_line("charge", "120.00", "3.78", reference="ch_9", occurred_on=receipts[0].date + timedelta(days=7))
    source = payout("116.22", charge)
    (deposit,) = map_payout(source, settings, Candidates(near=receipts)).documents
    assert deposit.depends_on == (receipts[0].key,)
    twin = receipts[0].model_copy(update={"key": "f" * 32})
    later = source.model_copy(update={"lines": (charge.model_copy(update={"occurred_on": date(2026, 3, 10)}),)})
    named = source.model_copy(update={"lines": (charge.model_copy(update={"order_number": "77"}),)})
    taken = Candidates(near=receipts, deposited={receipts[0].key: "po_0"})
    for held, found in (
        (source, Candidates(near=[*receipts, twin])),
        (later, Candidates(near=receipts)),
        (named, Candidates(near=receipts)),
        (source, taken),
    ):
        reason = map_payout(held, settings, found).reason
        assert reason is not None
        assert reason.code == "PAYOUT_INCOMPLETE"


def test_an_amount_that_differs_from_its_document_is_never_plugged() -> None:
    source = payout("99.00", payout_line("charge", "99.00", order_number="1002"))
    result, _ = deposited(source, settled("sales_receipts"), SALES[1])
    assert result.reason is not None
    assert result.reason.code == "PAYOUT_AMOUNT_DIFFERS"
    assert "1002" in result.reason.text


def test_a_receipt_paid_by_two_charges_is_grouped_once() -> None:
    both = example_a(external_id="id1001", tenders=(tender("30.00", "a"), tender("47.00", "b")))
    source = payout(
        "77.00",
        payout_line("charge", "30.00", order_number="1001", tender_external_id="a"),
        payout_line("charge", "47.00", order_number="1001", tender_external_id="b"),
    )
    result, _ = deposited(source, settled("sales_receipts"), both)
    assert [one.amount for one in result.documents[0].lines] == [D("-77.00"), D("77.00")]


def test_an_order_that_two_payouts_bring_is_deposited_in_parts_where_each_payment_is_a_document() -> None:
    both = example_a(external_id="id1001", tenders=(tender("30.00", "a"), tender("47.00", "b")))
    first = payout("30.00", payout_line("charge", "30.00", order_number="1001", tender_external_id="a"))
    second = payout(
        "47.00", payout_line("charge", "47.00", order_number="1001", tender_external_id="b"), external_id="po_2"
    )
    settings = settled("invoices_payments_if_paid")
    parts = [deposited(one, settings, both)[0].documents[0] for one in (first, second)]
    assert [one.total for one in parts] == [D("30.00"), D("47.00")]
    reason = deposited(first, settled("sales_receipts"), both)[0].reason
    assert reason is not None
    assert (reason.code, reason.value) == ("PAYOUT_AMOUNT_DIFFERS", "-47.00")
    assert reason.cure == (
        "Compare the orders with the payout report. A receipt is deposited whole: orders whose payments several payouts"
        " bring need invoices with payments."
    )


def test_payouts_are_left_alone_where_they_are_switched_off() -> None:
    result, _ = deposited(payout("0.00"), configuration("sales_receipts"))
    assert result.outcome is SetOutcome.FILTERED
    by_hand, _ = deposited(
        payout("45.50", CHARGES[2].model_copy(update={"fee": D("0.00")})),
        settled("sales_receipts", payouts={"automatic": False}),
        SALES[2],
    )
    assert by_hand.documents[0].hold is not None
