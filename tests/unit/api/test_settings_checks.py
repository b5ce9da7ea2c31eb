"""Settings against the ledger's abilities and accounts: each wrong field is named, with its value and the cure."""

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.bodies import unknown_fields
from api.settings_checks import Books, check_company, check_connection, named_accounts, required_roles
from common.messages.control import (
    CompanySettings,
    ConnectionSettings,
    CustomerSettings,
    FeeSettings,
    NumberSettings,
    PayoutSettings,
    TaxSettings,
    TransactionMode,
)
from common.messages.transactions import AccountRole
from ledger_writer.ledgers.beancount.accounts import DEFAULT_ACCOUNTS

EVERYTHING = (
    "invoice",
    "sales_receipt",
    "sales_order",
    "estimate",
    "credit_memo",
    "journal_entry",
    "bill",
    "expense",
    "purchase_order",
    "next_number",
)
ACCOUNTS = {role: f"Account of {role.value}" for role in AccountRole}
TODAY = date(2026, 11, 20)
PAID_OUT = PayoutSettings(enabled=True)


def settings(**more: Any) -> ConnectionSettings:
    values: dict[str, Any] = {"connection_id": "c", "channel": "custom", "name": "Shop", "company_id": "f"}
    return ConnectionSettings(start_date=TODAY, **(values | more))


def company(**more: Any) -> CompanySettings:
    values: dict[str, Any] = {"name": "Books", "ledger": "beancount", "closed_through": date(2025, 12, 31)}
    return CompanySettings(company_id="f", **(values | more))


def wrong(checked: ConnectionSettings, *, able: tuple[str, ...] = EVERYTHING) -> list[str]:
    return [problem.field for problem in check_connection(checked, able, ACCOUNTS, Books())]


def test_a_contact_is_refreshed_only_where_the_ledger_keeps_one() -> None:
    asked = settings(customers=CustomerSettings(refresh_contact=True), numbers=NumberSettings(lookup_days=30))
    (problem,) = check_connection(asked, EVERYTHING, ACCOUNTS, Books())
    assert (problem.field, problem.value) == ("body.customers.refresh_contact", "true")
    assert problem.cure == "this ledger keeps no phone, email or address of customers: leave it false"
    assert wrong(asked, able=(*EVERYTHING, "refreshes_contact")) == []


@pytest.mark.parametrize("mode", TransactionMode)
def test_every_mode_is_fine_on_a_ledger_that_can_do_everything(mode: TransactionMode) -> None:
    assert wrong(settings(mode=mode, payouts=PAID_OUT)) == []


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        (TransactionMode.SALES_RECEIPTS, "sales_receipt"),
        (TransactionMode.INVOICES_ONLY, "invoice"),
        (TransactionMode.INVOICES_PAYMENTS_IF_PAID, "invoice"),
        (TransactionMode.CREDIT_MEMOS_ONLY, "credit_memo"),
        (TransactionMode.JOURNAL_ENTRIES, "journal_entry"),
        (TransactionMode.BILLS, "bill"),
        (TransactionMode.EXPENSES, "expense"),
        (TransactionMode.PURCHASE_ORDERS, "purchase_order"),
        (TransactionMode.ESTIMATES, "estimate"),
    ],
)
def test_a_mode_the_ledger_lacks_is_refused(mode: TransactionMode, missing: str) -> None:
    able = tuple(ability for ability in EVERYTHING if ability != missing)
    (problem,) = check_connection(settings(mode=mode, payouts=PAID_OUT), able, ACCOUNTS, Books())
    assert problem.field == "body.mode"
    assert problem.value == mode.value
    assert missing.replace("_", " ") in problem.cure


def test_an_estimate_stands_in_for_a_sales_order() -> None:
    able = tuple(ability for ability in EVERYTHING if ability != "sales_order")
    assert wrong(settings(mode=TransactionMode.SALES_ORDERS), able=able) == []
    neither = tuple(ability for ability in able if ability != "estimate")
    assert wrong(settings(mode=TransactionMode.SALES_ORDERS), able=neither) == ["body.mode"]


def test_tax_as_a_line_is_refused_in_sales_order_modes() -> None:
    line = TaxSettings(method="tax_line")
    assert wrong(settings(mode=TransactionMode.SALES_ORDERS, tax=line)) == ["body.tax.method"]
    assert wrong(settings(mode=TransactionMode.INVOICES_ONLY, tax=line)) == []


PLACES = (
    "zip:02906",
    "city:Providence,RI",
    "city: Paris ,",
    "county:Dane,WI",
    "state:RI",
    " country : US",
    "state: R I",
)


def test_tax_codes_are_for_places_that_an_address_can_be() -> None:
    good = dict.fromkeys((*PLACES, "default_taxed", "default_untaxed"), "CODE")
    assert wrong(settings(tax=TaxSettings(codes=good))) == []
    bad = (
        "RI",
        "states:RI",
        "city:Providence",
        "county:Dane",
        "zip:",
        "state: ",
        "city:,RI",
        "default",
        "Zip:02906",
        "",
    )
    problems = check_connection(
        settings(tax=TaxSettings(codes=dict.fromkeys(bad, "CODE"))), EVERYTHING, ACCOUNTS, Books()
    )
    assert [problem.field for problem in problems] == [f"body.tax.codes.{place}" for place in bad]
    assert {problem.value for problem in problems} == {"CODE"}
    assert "city:NAME,REGION" in problems[0].cure


@pytest.mark.parametrize("place", ["city:" + "a" * 200_000, "zip:" + " " * 200_000, "state:a" + " " * 200_000 + "\nb"])
def test_a_place_of_any_length_is_judged_at_once(place: str) -> None:
    began = time.process_time()
    assert wrong(settings(tax=TaxSettings(codes={place: "CODE"}))) == [f"body.tax.codes.{place}"]
    assert time.process_time() - began < 2


def test_fees_are_not_posted_twice() -> None:
    fees = FeeSettings(on_order="negative_line", percent=Decimal("2.2"))
    assert wrong(settings(fees=fees, payouts=PayoutSettings(enabled=True))) == ["body.fees.on_order"]
    assert wrong(settings(fees=fees)) == []
    assert wrong(settings(fees=FeeSettings(percent=Decimal("2.2")))) == ["body.fees.on_order"]


def test_numbers_zone_and_accounts_are_checked() -> None:
    able = tuple(ability for ability in EVERYTHING if ability != "next_number")
    assert wrong(settings(numbers=NumberSettings(policy="next")), able=able) == ["body.numbers.policy"]
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        assert wrong(settings(time_zone=zone)) == ["body.time_zone"]
    problems = check_connection(settings(), EVERYTHING, {}, Books())
    assert {problem.field for problem in problems} == {"body.company_id"}
    assert len(problems) == len(required_roles(settings())) == 2


def test_a_company_needs_known_accounts_its_own_ledger_and_a_past_period() -> None:
    good = company(accounts={AccountRole.INCOME: "Income:Sales"})
    assert check_company(good, "beancount", Books({"Income:Sales": "Income"}), TODAY) == []
    bad = company(ledger="xero", closed_through=date(2027, 1, 1), accounts={AccountRole.INCOME: "Income:Nowhere"})
    problems = check_company(bad, "beancount", Books({"Income:Sales": "Income"}), TODAY)
    fields = {problem.field: problem.value for problem in problems}
    assert fields == {
        "body.ledger": "xero",
        "body.closed_through": "2027-01-01",
        "body.accounts.INC": "Income:Nowhere",
    }


@pytest.mark.parametrize(
    ("role", "name", "account_type", "said"),
    [
        (AccountRole.INCOME, "Sales", "Income", ""),
        (AccountRole.INCOME, "sales", "Income", "spells it 'Sales'"),
        (AccountRole.INCOME, "Sales", "Other Current Liability", "needs an income"),
        (AccountRole.TIPS, "Sales", "Other Income", ""),
        (AccountRole.TAX, "Sales", "Liabilities", ""),
        (AccountRole.BANK, "Sales", "CreditCard", ""),
        (AccountRole.RECEIVABLE, "Sales", "Expense", "needs an asset"),
        (AccountRole.FEES, "Sales", "Cost of Goods Sold", ""),
        (AccountRole.FEES, "Sales", "a word of another ledger", ""),
    ],
)
def test_an_account_must_be_spelled_as_in_the_ledger_and_fit_its_role(
    role: AccountRole, name: str, account_type: str, said: str
) -> None:
    problems = check_company(company(accounts={role: name}), "beancount", Books({"Sales": account_type}), TODAY)
    assert [said in problem.cure for problem in problems] == ([True] if said else [])


def test_a_name_that_the_ledger_cannot_open_is_refused_with_what_the_ledger_says() -> None:
    chosen = company(accounts={AccountRole.INCOME: "Income:web", AccountRole.TAX: "Liabilities:Tax"})
    cures = {"Income:web": "begin each part with a capital letter"}
    (problem,) = check_company(chosen, "beancount", Books({"Liabilities:Tax": "Liabilities"}, cures), TODAY)
    assert (problem.field, problem.value) == ("body.accounts.INC", "Income:web")
    assert problem.cure == "begin each part with a capital letter"


def test_every_role_has_types_that_fit_and_the_embedded_ledger_proposes_such() -> None:
    known = {name: name.split(":")[0] for name in DEFAULT_ACCOUNTS.values()}
    assert set(DEFAULT_ACCOUNTS) == set(AccountRole)
    assert check_company(company(accounts=dict(DEFAULT_ACCOUNTS)), "beancount", Books(known), TODAY) == []


NAMED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("deposit_account", {"deposit_account": "Till"}),
    ("deposit_accounts.cash", {"deposit_accounts": {"cash": "Till"}}),
    ("payouts.bank_account", {"payouts": PayoutSettings(bank_account="Till")}),
    ("payouts.bank_accounts.EUR", {"payouts": PayoutSettings(bank_accounts={"EUR": "Till"})}),
    ("payouts.accounts.loan", {"payouts": PayoutSettings(accounts={"loan": "Till"})}),
)


@pytest.mark.parametrize(("place", "changes"), NAMED)
def test_an_account_that_a_connection_names_is_one_of_the_ledger(place: str, changes: dict[str, Any]) -> None:
    held = settings(**changes)
    assert [(where, name) for where, _, name in named_accounts(held)] == [(place, "Till")]
    for books, said in (
        (Books({"Drawer": "Bank"}), "no active account of this name"),
        (Books({"TILL": "Bank"}), "spells it 'TILL'"),
        (Books({"Drawer": "Bank"}, {"Till": "begin with a root"}), "begin with a root"),
    ):
        (problem,) = check_connection(held, EVERYTHING, ACCOUNTS, books)
        assert (problem.field, problem.value) == (f"body.{place}", "Till")
        assert said in problem.cure
    assert check_connection(held, EVERYTHING, ACCOUNTS, Books({"Till": "Bank"})) == []
    problems = check_connection(held, EVERYTHING, ACCOUNTS, Books({"Till": "Income"}))
    # An adjustment of a payout may be booked anywhere; money can't lie in an income.
    assert [problem.field for problem in problems] == ([] if place == "payouts.accounts.loan" else [f"body.{place}"])


def test_every_setting_of_a_connection_that_names_an_account_is_checked() -> None:
    """A setting that is added and holds an account's name must be one of those that are checked."""
    holding = {name for name in ConnectionSettings.model_fields if "account" in name}
    holding |= {f"payouts.{name}" for name in PayoutSettings.model_fields if "account" in name}
    assert {".".join(place.split(".")[: 1 + place.startswith("payouts.")]) for place, _ in NAMED} == holding


NAMES = {"classes": frozenset({"web", "market:web"}), "departments": frozenset[str]()}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"class_name": "Market:Web", "department": "North"}, None),
        ({"class_name": "Shop"}, "body.class_name"),
        ({"class_name": "Shop", "enabled": False}, None),
    ],
)
def test_a_class_must_be_in_the_ledgers_list_where_it_keeps_one(changes: dict[str, Any], field: str | None) -> None:
    problems = check_connection(settings(**changes), EVERYTHING, ACCOUNTS, Books(names=NAMES))
    assert [(one.field, one.value) for one in problems] == ([(field, "Shop")] if field else [])
    assert check_connection(settings(**changes), EVERYTHING, ACCOUNTS, Books()) == []
    with_lists = Books(names={**NAMES, "departments": frozenset({"south"})})
    placed = check_connection(settings(department="North"), EVERYTHING, ACCOUNTS, with_lists)
    assert [(one.field, "no active department" in one.cure) for one in placed] == [("body.department", True)]


TAX_LINE: dict[str, Any] = {"mode": TransactionMode.INVOICES_ONLY, "tax": TaxSettings(method="tax_line")}
FEE_LINE: dict[str, Any] = {"fees": FeeSettings(on_order="negative_line", percent=Decimal("2.2"))}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, ["shipping_item", "discount_item"]),
        (TAX_LINE, ["shipping_item", "discount_item", "tax_item"]),
        (FEE_LINE, ["shipping_item", "discount_item", "fee_item"]),
        ({"mode": TransactionMode.NONE}, []),
        ({"enabled": False}, []),
    ],
)
def test_the_items_of_lines_that_are_no_product_are_there_before_the_first_order(
    changes: dict[str, Any], fields: list[str]
) -> None:
    """Section 17.7: where the ledger makes none, they must be in its list; an inactive one is of no use anywhere."""
    held = settings(**changes)
    wanted = [(f"body.products.{name}", getattr(held.products, name)) for name in fields]
    asleep = dict.fromkeys((name for _, name in wanted), False)
    makes = (*EVERYTHING, "creates_items")
    nothing: dict[str, bool] = {}
    for able, items, said in (
        (makes, asleep, "inactive"),
        (EVERYTHING, asleep, "inactive"),
        (EVERYTHING, nothing, "no such item"),
    ):
        problems = check_connection(held, able, ACCOUNTS, Books(items=items))
        assert [(one.field, one.value) for one in problems] == wanted
        assert all(said in one.cure for one in problems)
    for able, known in ((makes, nothing), (EVERYTHING, dict.fromkeys(asleep, True)), (EVERYTHING, None)):
        assert check_connection(held, able, ACCOUNTS, Books(items=known)) == []


@pytest.mark.parametrize("match_field", ["name", "sku", "part_number", "barcode"])
def test_a_field_that_the_ledgers_items_do_not_have_is_refused(match_field: str) -> None:
    held = settings(products={"match_field": match_field})
    wanted = [] if match_field in {"name", "sku"} else ["body.products.match_field"]
    assert wrong(held) == wanted
    assert wrong(held, able=(*EVERYTHING, f"item_{match_field}")) == []


def test_unknown_settings_are_found_at_every_depth_but_not_in_maps() -> None:
    value = {"tax": {"codes": {"state:RI": "RI"}, "methode": 1}, "fee": {}, "customers": {"strategy": "single"}}
    assert list(unknown_fields(ConnectionSettings, value)) == [("tax", "methode"), ("fee",)]
