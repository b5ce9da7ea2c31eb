"""From names to ids: exact after folding, never fuzzy, and never one of several."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import Account, AccountRole, DocumentKind
from ledger_writer.ledgers.quickbooks_online.bodies import build
from ledger_writer.ledgers.quickbooks_online.bodies.base import ref
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild, Named, NamedList, Names, clean, fold
from ledger_writer.ledgers.quickbooks_online.requests import request_id

TREE = NamedList(
    (
        Named("1", "Tools", "Tools"),
        Named("2", "Hammer", "Tools:Hammer"),
        Named("3", "Saw", "Tools:Saw"),
        Named("4", "Saw", "Rental:Saw"),
    )
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Tools:Hammer", "2"),
        (" tools:HAMMER ", "2"),
        ("hammer", "2"),
        ("Saw", None),
        ("Rental:Saw", "4"),
        ("Saws", None),
        ("", None),
    ],
)
def test_a_leaf_is_found_where_only_one_is_called_so(name: str, found: str | None) -> None:
    entry = TREE.find(name)
    assert (entry.ledger_id if entry else None) == found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada  Fenn", "ada fenn", True),
        ("\uff21\uff44\uff41", "Ada", True),
        ("Jones & Jones", "Jones and Jones", False),
    ],
)
def test_names_are_compared_folded_and_never_guessed(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


def test_a_clean_name_has_nothing_that_the_ledger_refuses() -> None:
    assert clean("  a:b\tc\nd  ", 100) == "a b c d"
    assert clean("abc def", 4) == "abc"


@pytest.mark.parametrize(
    ("role", "found"),
    [(AccountRole.UNDEPOSITED_FUNDS, "4"), (AccountRole.RECEIVABLE, "84"), (AccountRole.PAYABLE, "33")],
)
def test_accounts_that_exist_once_are_found_by_their_type(role: AccountRole, found: str) -> None:
    assert samples.books().names.account(Account(role=role, name="")).ledger_id == found


def test_of_several_receivables_the_one_of_the_currency_is_taken() -> None:
    names = Names(
        {
            "accounts": NamedList(
                (
                    Named("1", "A/R", type="Accounts Receivable", currency="USD"),
                    Named("2", "A/R EUR", type="Accounts Receivable", currency="EUR"),
                )
            )
        }
    )
    receivable = Account(role=AccountRole.RECEIVABLE, name="")
    assert names.account(receivable, "EUR").ledger_id == "2"
    with pytest.raises(CannotBuild, match="ACCOUNT_MISSING"):
        names.account(receivable, "GBP")
    named = Account(role=AccountRole.RECEIVABLE, name="A/R")
    assert [names.account(named, code).ledger_id for code in ("USD", "EUR", "GBP", "")] == ["1", "2", "1", "1"]


@pytest.mark.parametrize(
    ("role", "qualifier", "field", "place"),
    [
        (AccountRole.CLEARING, "stripe", "deposit_accounts.stripe", "deposit_accounts, deposit_account"),
        (AccountRole.CLEARING, "", "accounts.CLR", "settings (deposit_account)"),
        (AccountRole.BANK, "", "accounts.BANK", "settings (payouts.bank_account)"),
        (AccountRole.INCOME, "", "accounts.INC", "company's settings (accounts.INC)"),
    ],
)
def test_an_account_that_is_not_there_is_looked_for_where_it_was_named(
    role: AccountRole, qualifier: str, field: str, place: str
) -> None:
    with pytest.raises(CannotBuild) as raised:
        samples.books().names.account(Account(role=role, name="Gone", qualifier=qualifier))
    reason = raised.value.refused.reason
    assert (reason.field, reason.value) == (field, "Gone")
    assert place in reason.cure


@pytest.mark.parametrize(("known", "account"), [("EUR", "2"), ("GBP", None)])
def test_a_foreign_payment_never_names_the_receivable_of_another_currency(known: str, account: str | None) -> None:
    books = samples.books(multi_currency=True)
    accounts = (
        *(one for one in books.names.lists["accounts"].entries if one.type != "Accounts Receivable"),
        Named("84", "A/R", type="Accounts Receivable", currency="USD"),
        Named("2", f"A/R {known}", type="Accounts Receivable", currency=known),
    )
    books = replace(books, names=Names({**books.names.lists, "accounts": NamedList(accounts)}))
    receivable = Account(role=AccountRole.RECEIVABLE, name="A/R")
    paid: dict[str, Any] = {"currency": "EUR", "exchange_rate": Decimal("1.1"), "receivable": receivable}
    content = build(operation(document(DocumentKind.PAYMENT, "70.00", **paid)), books).content
    assert content.get("ARAccountRef") == (ref(account) if account else None)
    home = build(operation(document(DocumentKind.PAYMENT, "70.00", receivable=receivable)), books).content
    assert home["ARAccountRef"] == ref("84")


def test_request_ids_fit_and_differ_by_step() -> None:
    assert request_id("abc") == "abc"
    assert request_id("abc", "t1") == "abc.t1"
    long = request_id("x" * 80, "t1")
    assert len(long) == 50
    assert long != request_id("x" * 80, "t2")
