"""What a saved setting must fit besides its own shape: the ledger's abilities, its accounts, and the other settings.

Pure: everything that has to be known is an argument, and the answer names each wrong field, its value and the cure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.settings_conflicts import conflicts, problem
from common.cures import FieldProblem
from common.messages.control import CompanySettings, ConnectionSettings, TransactionMode
from common.messages.transactions import AccountRole

_SALES_ORDER_MODES = frozenset(mode for mode in TransactionMode if "sales_order" in mode.value)
_INVOICE_MODES = frozenset(mode for mode in TransactionMode if "invoice" in mode.value)
_RECEIPT_MODES = frozenset({TransactionMode.SALES_RECEIPTS, TransactionMode.SUMMARY_SALES_RECEIPT})
_PAYMENT_MODES = frozenset(mode for mode in TransactionMode if "payments" in mode.value)

_NEEDS: Mapping[str, frozenset[TransactionMode]] = {
    "sales_receipt": _RECEIPT_MODES,
    "invoice": _INVOICE_MODES,
    "credit_memo": frozenset({TransactionMode.CREDIT_MEMOS_ONLY}),
    "journal_entry": frozenset({TransactionMode.JOURNAL_ENTRIES, TransactionMode.SUMMARY_JOURNAL_ENTRY}),
    "bill": frozenset({TransactionMode.BILLS, TransactionMode.PURCHASE_ORDERS_BILLS}),
    "expense": frozenset({TransactionMode.EXPENSES}),
    "purchase_order": frozenset(
        {
            TransactionMode.PURCHASE_ORDERS,
            TransactionMode.PURCHASE_ORDERS_BILLS,
            TransactionMode.SALES_ORDERS_INVOICES_PO,
        }
    ),
    "estimate": frozenset({TransactionMode.ESTIMATES}),
}
"""Capability of the ledger → modes that can't do without it."""


_FIELDS_OF_SOME: Mapping[str, str] = {"part_number": "item_part_number", "barcode": "item_barcode"}
"""Field of items that only some ledgers have → capability of those."""
_WORDS: Mapping[str, str] = {"classes": "class", "departments": "department", "terms": "terms"}

_SIDES: Mapping[str, str] = {
    **dict.fromkeys(
        ("assets", "bank", "accountsreceivable", "othercurrentasset", "fixedasset", "otherasset"), "an asset"
    ),
    **dict.fromkeys(
        ("liabilities", "accountspayable", "creditcard", "othercurrentliability", "longtermliability"), "a liability"
    ),
    **dict.fromkeys(("income", "otherincome"), "an income"),
    **dict.fromkeys(("expenses", "expense", "otherexpense", "costofgoodssold"), "an expense"),
    "equity": "an equity",
}
"""A ledger's word for the type of an account → the side of the books it is on."""

_FITTING: Mapping[AccountRole, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            AccountRole.RECEIVABLE,
            AccountRole.UNDEPOSITED_FUNDS,
            AccountRole.RESERVE,
            AccountRole.CARRIED_FORWARD,
            AccountRole.INVENTORY,
        ),
        ("an asset",),
    ),
    **dict.fromkeys((AccountRole.CLEARING, AccountRole.BANK), ("an asset", "a liability")),
    **dict.fromkeys((AccountRole.INCOME, AccountRole.SHIPPING_INCOME), ("an income",)),
    **dict.fromkeys(
        (
            AccountRole.DISCOUNTS,
            AccountRole.RETURNS,
            AccountRole.CHARGEBACKS,
            AccountRole.ROUNDING,
            AccountRole.EXCHANGE,
        ),
        ("an income", "an expense"),
    ),
    **dict.fromkeys(
        (
            AccountRole.TAX,
            AccountRole.GIFT_CARDS,
            AccountRole.SHORTFALL,
            AccountRole.PAYABLE,
            AccountRole.DEFERRED_REVENUE,
        ),
        ("a liability",),
    ),
    AccountRole.TIPS: ("a liability", "an income"),
    **dict.fromkeys((AccountRole.FEES, AccountRole.COST_OF_GOODS, AccountRole.BAD_DEBT), ("an expense",)),
}
"""Role → sides its account may be on (domain reference, section 1); a card account may stand for a bank."""

_PLACE = re.compile(
    r"(zip|state|country)\s*:\s*\S.*|(city|county)\s*:[\s,]*[^\s,][^,]*,.*|default_taxed|default_untaxed"
)
"""A place of `tax.codes` that an address can be, without spaces around it. One look at each letter decides."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger says about accounts, and about the objects of its other lists that somebody names."""

    accounts: Mapping[str, str] = field(default_factory=dict)
    """Active names, short and full, as the ledger spells them, and names that it would open on first use → the ledger's
    word for the account's type."""
    cures: Mapping[str, str] = field(default_factory=dict)
    """Name that it can't open an account by → what would make it one."""
    proposed: Mapping[str, str] = field(default_factory=dict)
    """Role → account."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """List → names of its active entries, short and full, without their capitals. A list that the ledger does not keep,
    or that was not read yet, is empty, and everything may be in it."""
    items: Mapping[str, bool] | None = None
    """Name of an item that was looked for → whether it is active, where it is there; None: nobody looked."""
    spelled: Mapping[str, str] = field(init=False)
    """A known name without its capitals → as the ledger spells it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "spelled", {name.casefold(): name for name in self.accounts})


def check_connection(
    settings: ConnectionSettings, capabilities: Iterable[str], accounts: Mapping[AccountRole, str], books: Books
) -> list[FieldProblem]:
    """Check a connection's settings against the company file they point at.

    `accounts`: role → account in the company file's settings. `books`: knows every name in `named_accounts`.
    """
    able = frozenset(capabilities)
    problems = [*conflicts(settings), *_check_mode(settings, able), *_check_roles(settings, accounts)]
    for place, role, name in named_accounts(settings):
        problems += check_account(place, role, name, books)
    for place, list_name, name in named_entries(settings):
        problems += check_entry(place, list_name, name, books)
    problems += _check_items(settings, able, books)
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(problem("time_zone", settings.time_zone, "use a name of the IANA list, such as Europe/Berlin"))
    if settings.tax.method == "tax_line" and settings.mode in _SALES_ORDER_MODES:
        problems.append(
            problem(
                "tax.method", settings.tax.method, "sales orders can't carry tax as a line: use tax_codes or override"
            )
        )
    problems += _check_places(settings)
    if settings.fees.on_order != "none" and settings.payouts.enabled:
        problems.append(
            problem("fees.on_order", settings.fees.on_order, "payouts post the fees already: set it to none")
        )
    if settings.fees.on_order == "none" and (settings.fees.percent is not None or settings.fees.fixed is not None):
        problems.append(problem("fees.on_order", "none", "a fee is given: say where to write it, or remove it"))
    if settings.customers.refresh_contact and "refreshes_contact" not in able:
        cure = "this ledger keeps no phone, email or address of customers: leave it false"
        problems.append(problem("customers.refresh_contact", "true", cure))
    if settings.numbers.policy == "next" and "next_number" not in able:
        problems.append(problem("numbers.policy", "next", "this ledger can't assign numbers: use mirror"))
    return problems


def _check_places(settings: ConnectionSettings) -> Iterator[FieldProblem]:
    """A place that no address is ever compared with would be taken in silence and do nothing."""
    for place, code in settings.tax.codes.items():
        if _PLACE.fullmatch(place.strip()) is None:
            cure = "write zip:CODE, city:NAME,REGION, county:NAME,REGION, state:REGION, country:CODE, default_taxed"
            yield problem(f"tax.codes.{place}", code, f"{cure} or default_untaxed")


def named_accounts(settings: ConnectionSettings) -> Iterator[tuple[str, AccountRole | None, str]]:
    """Accounts of the ledger that a connection names outright: field, role that its type must fit, name.

    An adjustment of a payout may be anything, so it fits no role. A connection that is switched off books nothing: it
    can be, although an account of it is gone.
    """
    if not settings.enabled:
        return
    clearing, bank = AccountRole.CLEARING, AccountRole.BANK
    payouts = settings.payouts
    named = [
        ("deposit_account", clearing, settings.deposit_account),
        *((f"deposit_accounts.{method}", clearing, name) for method, name in settings.deposit_accounts.items()),
        ("payouts.bank_account", bank, payouts.bank_account),
        *((f"payouts.bank_accounts.{currency}", bank, name) for currency, name in payouts.bank_accounts.items()),
        *((f"payouts.accounts.{text}", None, name) for text, name in payouts.accounts.items()),
    ]
    yield from (one for one in named if one[2])


def named_entries(settings: ConnectionSettings) -> Iterator[tuple[str, str, str]]:
    """Objects of other lists that a connection names: field, list, name. None where it is switched off."""
    if settings.enabled and settings.class_name:
        yield "class_name", "classes", settings.class_name
    if settings.enabled and settings.department:
        yield "department", "departments", settings.department


def named_items(settings: ConnectionSettings) -> Iterator[tuple[str, str]]:
    """Items of lines that are no product, which orders will be written with: field, name."""
    products = settings.products
    if not settings.enabled or settings.mode is TransactionMode.NONE:
        return
    named = [("products.shipping_item", products.shipping_item), ("products.discount_item", products.discount_item)]
    if settings.tax.method == "tax_line":
        named.append(("products.tax_item", products.tax_item))
    if settings.fees.on_order == "negative_line":
        named.append(("products.fee_item", products.fee_item))
    yield from (one for one in named if one[1].strip())


def _check_items(settings: ConnectionSettings, able: frozenset[str], books: Books) -> Iterator[FieldProblem]:
    """Items of shipping, discounts, tax and fees are there, or can be made, before the first order (section 17.7)."""
    match_field = settings.products.match_field
    if match_field in _FIELDS_OF_SOME and _FIELDS_OF_SOME[match_field] not in able:
        word = match_field.replace("_", " ")
        yield problem("products.match_field", match_field, f"this ledger's items have no {word}: use name or sku")
    if books.items is None:
        return
    for place, name in named_items(settings):
        is_active = books.items.get(name)
        if is_active is None and "creates_items" not in able:
            yield problem(place, name, "the ledger has no such item, and none can be made from here: make it there")
        elif is_active is False:
            yield problem(place, name, "the item is inactive in the ledger: make it active, or choose another")


def check_entry(place: str, list_name: str, name: str, books: Books) -> Iterator[FieldProblem]:
    """What is wrong with an object of a list that is named in the body at `place`."""
    known = books.names.get(list_name, frozenset())
    if known and name.casefold() not in known:
        word = _WORDS[list_name]
        yield problem(place, name, f"the ledger has no active {word} of this name: choose one of its list, or make it")


def _check_mode(settings: ConnectionSettings, able: frozenset[str]) -> Iterable[FieldProblem]:
    mode = settings.mode
    missing = [ability for ability, modes in _NEEDS.items() if mode in modes and ability not in able]
    if mode in _SALES_ORDER_MODES and not able & {"sales_order", "estimate"}:
        missing.append("sales_order")
    if mode in _PAYMENT_MODES and "invoice" not in able:
        missing.append("invoice")
    for ability in dict.fromkeys(missing):
        yield problem("mode", mode.value, f"this ledger has no {ability.replace('_', ' ')}: choose another mode")


def required_roles(settings: ConnectionSettings) -> frozenset[AccountRole]:
    """Accounts without which the mode can't post an ordinary order."""
    roles = {AccountRole.INCOME}
    if settings.mode in _RECEIPT_MODES:
        roles.add(AccountRole.UNDEPOSITED_FUNDS)
    if settings.mode in _INVOICE_MODES:
        roles.add(AccountRole.RECEIVABLE)
    if settings.mode in _PAYMENT_MODES:
        roles |= {AccountRole.RECEIVABLE, AccountRole.UNDEPOSITED_FUNDS}
    if settings.fees.on_order != "none":
        roles.add(AccountRole.FEES)
    if settings.payouts.enabled:
        roles |= {AccountRole.BANK, AccountRole.FEES}
    return frozenset() if settings.mode is TransactionMode.NONE else frozenset(roles)


def _check_roles(settings: ConnectionSettings, accounts: Mapping[AccountRole, str]) -> Iterable[FieldProblem]:
    for role in sorted(required_roles(settings)):
        if not accounts.get(role):
            yield problem(
                "company_id",
                settings.company_id,
                f"the company file has no account for the role {role.value}: add it to its settings first",
            )


def check_company(settings: CompanySettings, ledger: str, books: Books, today: date) -> list[FieldProblem]:
    """Check a company file's settings against its ledger. `books`: knows every account that they name."""
    problems: list[FieldProblem] = []
    if settings.ledger != ledger:
        problems.append(problem("ledger", settings.ledger, f"this company file is kept in {ledger}"))
    if settings.closed_through > today:
        problems.append(
            problem("closed_through", settings.closed_through.isoformat(), "a period in the future can't be closed yet")
        )
    for role, name in settings.accounts.items():
        problems += check_account(f"accounts.{role.value}", role, name, books)
    return problems


def check_account(place: str, role: AccountRole | None, name: str, books: Books) -> Iterator[FieldProblem]:
    """What is wrong with an account that is named in the body at `place`."""
    if name in books.accounts:
        cure = _unfit(role, books.accounts[name]) if role is not None else ""
    else:
        spelled = books.spelled.get(name.casefold())
        missing = "the ledger has no active account of this name: choose one of its list"
        cure = books.cures.get(name, missing) if spelled is None else f"the ledger spells it {spelled!r}"
    if cure:
        yield problem(place, name, cure)


def _unfit(role: AccountRole, account_type: str) -> str:
    """What is wrong with an account of this type in this role; empty where nothing is, or the type says nothing."""
    side = _SIDES.get(account_type.replace(" ", "").casefold())
    fitting = _FITTING[role]
    if side is None or side in fitting:
        return ""
    return f"it is an account of type {account_type}, and this needs {' or '.join(fitting)}: choose another"
