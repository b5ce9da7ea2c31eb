"""Accounts of a Beancount company file: names proposed for each role, and what a name must look like."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from common.errors import Rejected
from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole
from ledger_writer.ledgers.protocol import ErrorClass, Refused

DEFAULT_ACCOUNTS: Final[Mapping[AccountRole, str]] = {
    AccountRole.RECEIVABLE: "Assets:Receivable",
    AccountRole.UNDEPOSITED_FUNDS: "Assets:UndepositedFunds",
    AccountRole.CLEARING: "Assets:Clearing",
    AccountRole.BANK: "Assets:Bank",
    AccountRole.INCOME: "Income:Sales",
    AccountRole.SHIPPING_INCOME: "Income:Shipping",
    AccountRole.DISCOUNTS: "Income:Discounts",
    AccountRole.RETURNS: "Income:Returns",
    AccountRole.TAX: "Liabilities:SalesTax",
    AccountRole.GIFT_CARDS: "Liabilities:GiftCards",
    AccountRole.TIPS: "Liabilities:Tips",
    AccountRole.FEES: "Expenses:Fees",
    AccountRole.CHARGEBACKS: "Expenses:Chargebacks",
    AccountRole.RESERVE: "Assets:Reserve",
    AccountRole.SHORTFALL: "Liabilities:PayoutShortfall",
    AccountRole.CARRIED_FORWARD: "Assets:CarriedForward",
    AccountRole.ROUNDING: "Expenses:Rounding",
    AccountRole.EXCHANGE: "Income:Exchange",
    AccountRole.INVENTORY: "Assets:Inventory",
    AccountRole.COST_OF_GOODS: "Expenses:CostOfGoods",
    AccountRole.PAYABLE: "Liabilities:Payable",
    AccountRole.DEFERRED_REVENUE: "Liabilities:DeferredRevenue",
    AccountRole.BAD_DEBT: "Expenses:BadDebt",
}

_ROOTS = frozenset({"Assets", "Liabilities", "Equity", "Income", "Expenses"})
_NAME_LENGTH_MAX = 200
_CURE: Final = (
    "Choose one like Assets:Bank:Main: a root (Assets, Liabilities, Equity, Income or Expenses), then parts that begin"
    f" with a capital letter or digit and hold letters, digits and dashes; {_NAME_LENGTH_MAX} characters at most."
)


_CLOSED = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ \t]+close[ \t]+([^\s;]+)", re.MULTILINE)


class AccountRefused(Exception):
    """A name that Beancount would not read. Carries the refusal a person sees."""

    def __init__(self, account: Account, name: str) -> None:
        super().__init__(name)
        self.refusal = Refused(
            ErrorClass.CONFIG,
            Reason(
                code="ACCOUNT_INVALID",
                text=f"{name[:200]!r} for the role {account.role.value} is not an account name that Beancount accepts.",
                cure=_CURE,
                field="account",
                value=name[:500],
            ),
        )


@lru_cache(maxsize=4096)
def is_account_name(name: str) -> bool:
    """Whether Beancount reads the name; letters and digits are those of any script."""
    root, *parts = name.split(":")
    return len(name) <= _NAME_LENGTH_MAX and root in _ROOTS and bool(parts) and all(map(_is_part, parts))


def _is_part(part: str) -> bool:
    categories = [unicodedata.category(character) for character in part]
    return categories[:1] in (["Lu"], ["Nd"]) and all(
        category[0] == "L" or category == "Nd" or character == "-"
        for character, category in zip(part, categories, strict=True)
    )


def account_type(name: str) -> str:
    """Root of an account that is opened when it is first used. Raises `Rejected` for what Beancount can't read."""
    if not is_account_name(name):
        text = f"{name[:200]!r} is not an account name that Beancount accepts."
        raise Rejected(Reason(code="ACCOUNT_INVALID", text=text, cure=_CURE, field="account", value=name[:500]))
    return name.split(":", 1)[0]


class Chart:
    """Resolves roles to account names: the document's own name, else the company's setting, else the proposal."""

    def __init__(self, chosen: Mapping[AccountRole, str]) -> None:
        self._by_role = {role: chosen.get(role) or name for role, name in DEFAULT_ACCOUNTS.items()}

    def resolve(self, account: Account) -> str:
        """Raises `AccountRefused` for a name that Beancount can't read."""
        name = account.name or self._by_role[account.role]
        if not is_account_name(name):
            raise AccountRefused(account, name)
        return name

    def role(self, role: AccountRole) -> str:
        return self.resolve(Account(role=role, name=""))

    def names(self) -> list[str]:
        """Every account that a role resolves to and that Beancount accepts, sorted."""
        return sorted({name for name in self._by_role.values() if is_account_name(name)})


def closed_accounts(text: str) -> dict[str, date]:
    """Account → its last day, of directives such as `2026-03-31 close Income:Old`."""
    found: dict[str, date] = {}
    for year, month, day, name in _CLOSED.findall(text):
        try:
            found[name] = date(int(year), int(month), int(day))
        except ValueError:
            continue  # no day of the calendar: Beancount says so where it reads the file
    return found


def closed_refusal(name: str, closed: date, on: date) -> Refused:
    """Why an entry of a day after the account's last one is not written."""
    reason = Reason(
        code="ACCOUNT_INVALID",
        text=f"The account {name!r} is closed since {closed} by a directive of yours, and the document is of {on}.",
        cure="Choose another account for it, or take its close directive out of your entries, then resend.",
        field="account",
        value=name,
    )
    return Refused(ErrorClass.CONFIG, reason)
