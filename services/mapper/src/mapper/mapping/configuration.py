"""Everything that stays the same from order to order: settings, accounts and what the ledger can do.

A `Configuration` is built once per revision of its inputs and shared by every order mapped under it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from common.messages.control import CompanySettings, ConnectionSettings
from common.messages.documents import CompanyChanged
from common.messages.keys import shared_key
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    DocumentKind,
    ItemWanted,
    LineKind,
    MissingPolicy,
)
from mapper.mapping.names import normal, place_name, tidy
from mapper.mapping.reasons import Held, account_missing

NUMBER_LENGTHS: Final = {"quickbooks_online": 21, "quickbooks_desktop": 11}
"""Longest document number a ledger takes (section 10); the memo always carries the full one."""
NUMBER_LENGTH_DEFAULT: Final = 100
NAME_LENGTHS: Final = {"quickbooks_desktop": 41}
NAME_LENGTH_DEFAULT: Final = 500
SHIP_METHOD_LENGTHS: Final = {"quickbooks_desktop": 15}

OPTIONAL_ROLES: Final = {AccountRole.RETURNS: AccountRole.INCOME}
"""Roles that another one stands in for when no account is set."""
LINE_CODES: Final = "line_tax_codes"
"""Capability of a ledger that wants a tax code on every line, and has none for the document."""
UNITED_STATES: Final = frozenset({"", "US"})


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the company file can do, as far as planning documents depends on it (section 32)."""

    name: str
    home_currency: str
    multi_currency: bool = False
    custom_numbers: bool = True
    assigns_numbers: bool = True
    closed_through: date | None = None
    capabilities: frozenset[str] = frozenset()

    @classmethod
    def of(cls, company: CompanyChanged) -> "Ledger":
        return cls(
            name=company.ledger,
            home_currency=company.home_currency,
            multi_currency=company.multi_currency,
            custom_numbers=company.custom_numbers,
            assigns_numbers=company.assigns_numbers,
            closed_through=company.closed_through,
            capabilities=_abilities(company),
        )

    def can(self, capability: str) -> bool:
        return capability in self.capabilities


def _abilities(company: CompanyChanged) -> frozenset[str]:
    """In the United States a line is taxed or not, and the document has the code; elsewhere every line has its own."""
    abilities = frozenset(company.capabilities)
    return abilities - {LINE_CODES} if company.country in UNITED_STATES else abilities


def deposit_account_key(method: str) -> str:
    """How a tender method is looked up in settings: `Visa`, ` visa ` and `VISA` are one method."""
    return normal(method)


@dataclass(slots=True)
class Configuration:
    """Settings of one connection and its company file, with the look-ups that every order needs made ready.

    The caches only remember pure results; two configurations of the same inputs give the same answers.
    """

    connection: ConnectionSettings
    company: CompanySettings
    ledger: Ledger
    connection_revision: int = 0
    company_revision: int = 0
    closed_through: date = field(init=False)
    known_items: dict[tuple[Any, ...], ItemWanted] = field(init=False, default_factory=dict)
    number_length: int = field(init=False)
    name_length: int = field(init=False)
    tax_codes: dict[str, str] = field(init=False)
    """Place, by its name as `place_name` gives it → code: a country can have tens of thousands of zip codes."""
    _accounts: dict[tuple[AccountRole, str], Account] = field(init=False, default_factory=dict)
    _service_items: dict[tuple[LineKind, str], ItemWanted] = field(init=False, default_factory=dict)
    _deposit_names: dict[str, str] = field(init=False, default_factory=dict)
    _method_names: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        ledger_closed = self.ledger.closed_through
        ours = self.company.closed_through
        self.closed_through = ours if ledger_closed is None else max(ours, ledger_closed)
        self.number_length = NUMBER_LENGTHS.get(self.ledger.name, NUMBER_LENGTH_DEFAULT)
        self.name_length = NAME_LENGTHS.get(self.ledger.name, NAME_LENGTH_DEFAULT)
        self.tax_codes = {place_name(place): code for place, code in self.connection.tax.codes.items()}
        self._deposit_names = {
            deposit_account_key(method): name for method, name in self.connection.deposit_accounts.items()
        }
        self._method_names = {
            deposit_account_key(method): name for method, name in self.connection.payment_methods.items()
        }

    def account(self, role: AccountRole, qualifier: str = "") -> Account:
        """The ledger account that plays a role. Raises `Held` (ACCOUNT_MISSING) where none is set."""
        known = self._accounts.get((role, qualifier))
        if known is not None:
            return known
        name = self.company.accounts.get(role)
        if not name and role in OPTIONAL_ROLES:
            return self.account(OPTIONAL_ROLES[role], qualifier)
        if not name:
            raise Held(account_missing(role))
        account = Account(role=role, name=name, qualifier=qualifier)
        self._accounts[role, qualifier] = account
        return account

    def deposit_account(self, method: str) -> Account:
        """Where money of a tender method lands: its account, else the connection's, else undeposited funds."""
        name = self._deposit_names.get(deposit_account_key(method)) or self.connection.deposit_account
        if not name:
            return self.account(AccountRole.UNDEPOSITED_FUNDS)
        return self.named_deposit_account(name, method)

    def paying_account(self, method: str) -> Account:
        """What pays for an expense: the account of the method, else the connection's, else the bank."""
        name = self._deposit_names.get(deposit_account_key(method)) or self.connection.deposit_account
        return self.named_deposit_account(name, method) if name else self.account(AccountRole.BANK)

    def named_deposit_account(self, name: str, method: str) -> Account:
        """A clearing account that settings or a rule name outright."""
        if name == self.company.accounts.get(AccountRole.UNDEPOSITED_FUNDS):
            return self.account(AccountRole.UNDEPOSITED_FUNDS)
        return Account(role=AccountRole.CLEARING, name=name, qualifier=tidy(method)[:100])

    def payout_account(self, currency: str) -> Account:
        """The bank account that payouts of a currency reach. Raises `Held` (ACCOUNT_MISSING) where none is set."""
        payouts = self.connection.payouts
        name = payouts.bank_accounts.get(currency) or payouts.bank_account
        return Account(role=AccountRole.BANK, name=name) if name else self.account(AccountRole.BANK)

    def vendor(self, name: str, currency: str) -> CustomerWanted:
        """The vendor of that name. Made where customers would be."""
        return self._party(DocumentKind.VENDOR, name, currency)

    def customer(self, name: str, currency: str) -> CustomerWanted:
        """The customer of that name, who bought nothing: a processor, for one."""
        return self._party(DocumentKind.CUSTOMER, name, currency)

    def _party(self, kind: DocumentKind, name: str, currency: str) -> CustomerWanted:
        """A ledger's vendor or customer has one currency for ever: in another currency it is one of its own."""
        name = tidy(name)[: self.name_length]
        shown = name if currency == self.ledger.home_currency else f"{name} ({currency})"
        missing = MissingPolicy.STOP if self.connection.customers.missing == "stop" else MissingPolicy.CREATE
        key = shared_key(self.connection.company_id, kind, f"name:{normal(shown)}")
        return CustomerWanted(key=key, display_name=shown, missing=missing, currency=currency)

    def payment_method(self, method: str) -> str:
        """The ledger's name of a tender method; the channel's own where none is mapped."""
        return self._method_names.get(deposit_account_key(method)) or method

    def service_item(self, kind: LineKind, name: str, account: Callable[[], Account], *, taxable: bool) -> ItemWanted:
        """The item of a line that is not a product: shipping, discount, tip, rounding and so on."""
        known = self._service_items.get((kind, name))
        if known is None:
            known = ItemWanted(
                key=shared_key(self.connection.company_id, DocumentKind.ITEM, f"name:{normal(name)}"),
                name=name,
                missing=MissingPolicy.CREATE,
                item_type="service",
                income_account=account(),
                taxable=taxable,
            )
            self._service_items[kind, name] = known
        return known

    def tolerance(self, standard: Decimal) -> Decimal:
        stated = self.connection.rounding_tolerance
        return standard if stated is None else stated

    @property
    def codes_on_lines(self) -> bool:
        """Whether lines name the tax codes that settings map, rather than the document."""
        return self.connection.tax.method == "inclusive" or self.ledger.can(LINE_CODES)

    def never_taxed_code(self) -> str | None:
        """Code of lines that nobody taxes: gift cards, tips, fees, rounding."""
        tax = self.connection.tax
        untaxed = tax.codes.get("default_untaxed") if self.codes_on_lines else ""
        return untaxed or tax.non_taxable_code or None
