"""What settings and the company file say together (sections 8, 10, 25)."""

from datetime import date

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
    company,
    configuration,
    example_a,
    ledger,
    line,
    mapped,
    order,
    tender,
)

from common.messages.documents import CompanyChanged, CompanyStatus
from common.messages.orders import TenderKind
from common.messages.transactions import AccountRole, LineKind
from mapper.mapping.configuration import Ledger
from mapper.mapping.inventory import BATCH, SENT_AT_ONCE_MAX, InventoryQueue


def test_what_a_company_file_can_do_is_read_from_what_it_says_of_itself() -> None:
    said = CompanyChanged(
        tenant_id="tenant",
        revision=1,
        company_id="books-1",
        ledger="quickbooks_online",
        name="Books",
        external_id="x",
        status=CompanyStatus.CONNECTED,
        home_currency="CAD",
        multi_currency=True,
        custom_numbers=False,
        closed_through=date(2026, 1, 31),
        capabilities=("invoice", "deposit"),
    )
    assert Ledger.of(said) == Ledger(
        "quickbooks_online", "CAD", True, False, True, date(2026, 1, 31), frozenset({"invoice", "deposit"})
    )


@pytest.mark.parametrize(
    ("name", "custom_numbers", "capabilities", "assigns"),
    [
        ("quickbooks_online", True, ("next_number",), False),
        ("quickbooks_online", False, ("next_number",), True),
        ("beancount", True, ("next_number",), True),
        ("other", True, ("invoice",), False),
        ("other", True, (), True),
    ],
)
def test_quickbooks_assigns_numbers_only_while_its_users_do_not(
    name: str, custom_numbers: bool, capabilities: tuple[str, ...], assigns: bool
) -> None:
    said = CompanyChanged(
        tenant_id="tenant",
        revision=1,
        company_id="books-1",
        ledger=name,
        name="Books",
        external_id="x",
        status=CompanyStatus.CONNECTED,
        home_currency="USD",
        custom_numbers=custom_numbers,
        capabilities=capabilities,
    )
    assert Ledger.of(said).assigns_numbers is assigns


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        (date(2026, 1, 31), None, date(2026, 1, 31)),
        (date(2026, 1, 31), date(2026, 2, 28), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2026, 1, 31), date(2026, 2, 28)),
    ],
)
def test_the_books_are_closed_through_the_later_of_two_days(ours: date, theirs: date | None, wanted: date) -> None:
    both = configuration(books=company(closed_through=ours), file=ledger(closed_through=theirs))
    assert both.closed_through == wanted


def test_returns_without_an_account_of_their_own_lower_income() -> None:
    assert configuration().account(AccountRole.RETURNS, "web").qualifier == "web"
    assert configuration().account(AccountRole.RETURNS).name == ACCOUNTS[AccountRole.INCOME]
    both = configuration(books=company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"}))
    assert [both.account(AccountRole.RETURNS).name for _ in range(2)] == ["Returns", "Returns"]


def test_an_account_of_a_method_is_known_by_as_much_of_its_name_as_fits() -> None:
    settings = configuration(deposit_account="Clearing")
    assert settings.deposit_account("x" * 101).qualifier == "x" * 100


def test_what_a_payment_cost_is_its_fee_before_any_percentage() -> None:
    source = example_a(tenders=(tender("77.00", fee=D("1.99")),))
    fees = {"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
    (receipt,) = mapped(source, configuration(fees=fees)).documents
    assert [one.amount for one in receipt.lines if one.kind is LineKind.FEE] == [D("-1.99")]


@pytest.mark.parametrize(
    ("fees", "wanted"), [({"percent": D("10")}, "-7.70"), ({"fixed": D("0.30")}, "-0.30"), ({}, None)]
)
def test_a_fee_is_a_percentage_a_fixed_amount_or_both(fees: dict[str, object], wanted: str | None) -> None:
    (receipt,) = mapped(example_a(), configuration(fees={"on_order": "negative_line", **fees})).documents
    found = [str(one.amount) for one in receipt.lines if one.kind is LineKind.FEE]
    assert found == ([wanted] if wanted else [])


def test_changes_beyond_one_request_go_out_in_batches_the_oldest_first() -> None:
    names = [f"s{n}" for n in range(SENT_AT_ONCE_MAX + 1)]
    for waiting, at_once in ((SENT_AT_ONCE_MAX, SENT_AT_ONCE_MAX), (SENT_AT_ONCE_MAX + 1, BATCH)):
        queue = InventoryQueue()
        queue.changed({name: D(n) for n, name in enumerate(names[:waiting])})
        assert queue.must_batch is (waiting > at_once)
        assert queue.next_batch() == {name: D(n) for n, name in enumerate(names[:at_once])}


def test_an_answer_takes_what_was_sent_from_the_queue_and_keeps_what_changed_meanwhile() -> None:
    queue = InventoryQueue()
    queue.changed({"a": D(1), "b": D(2), "c": D(3)})
    sent = queue.next_batch()
    queue.changed({"b": D(5)})
    queue.answered(sent, {"a": "unknown product", "z": "never sent"})
    assert queue.waiting == {"b": D(5)}
    assert queue.refused == {"a": "unknown product"}
    queue.changed({"a": D(7), "d": D(1)})
    assert queue.refused == {}, "a later quantity is tried anew"


def test_a_gift_card_of_a_cent_is_taken_off_and_never_more_than_is_due() -> None:
    tenders = (
        tender("0.50", "g1", kind=TenderKind.GIFT_CARD),
        tender("0.40", "g2", kind=TenderKind.GIFT_CARD),
        tender("9.30", "g3", kind=TenderKind.GIFT_CARD),
        tender("0.10", "m"),
    )
    source = order(lines=(line("l1", "A", "10.00"),), total=D("10.00"), tenders=tenders)
    receipt = mapped(source, configuration()).documents[0]
    cards = [one.amount for one in receipt.lines if one.kind is LineKind.GIFT_CARD_REDEMPTION]
    assert cards == [D("-0.50"), D("-0.40"), D("-9.10")]
    assert receipt.total == D("0.00")


def test_a_ledger_is_asked_by_name_for_what_it_can_do() -> None:
    assert ledger().can("invoice")
    assert not ledger(capabilities=ALL_CAPABILITIES - {"invoice"}).can("invoice")


def test_places_of_tax_codes_are_read_once_for_all_orders() -> None:
    codes = {"city: Providence , RI": "CITY", "zip:02906": "ZIP", "default_taxed": "STATE"}
    assert configuration(tax={"method": "tax_codes", "codes": codes}).tax_codes == {
        "city:Providence,RI": "CITY",
        "zip:02906": "ZIP",
        "default_taxed": "STATE",
    }
    assert configuration().tax_codes == {}
