"""From the names that settings and documents carry to the ids that the ledger wants."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole
from ledger_writer.ledgers.protocol import ErrorClass, Refused

_SPACES = re.compile(r"\s+")
_FORBIDDEN = re.compile(r"[:\t\r\n]")
_OF_ONE_CURRENCY: Final = frozenset({"Accounts Receivable", "Accounts Payable"})
_OF_CONNECTION: Final = {AccountRole.CLEARING: "deposit_account", AccountRole.BANK: "payouts.bank_account"}
"""Roles whose account settings of a connection may name as well as those of the company."""
TAX_CODE: Final = "tax_code"
"""Detail of a customer's link: id of the tax code that the ledger has for it."""


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The form in which names are compared: NFKC, spaces collapsed, case ignored. Never fuzzy."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def clean(name: str, longest: int) -> str:
    """A name that QuickBooks accepts: no colon, tab or newline, at most `longest` characters."""
    return _SPACES.sub(" ", _FORBIDDEN.sub(" ", name)).strip()[:longest].rstrip()


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of a reference list."""

    ledger_id: str
    name: str
    full_name: str = ""
    type: str = ""
    sub_type: str = ""
    currency: str = ""
    sales_rates: tuple[str, ...] = ()
    """For tax codes: ids of the rates it charges on sales."""


class NamedList:
    """One reference list, found by name without walking it."""

    def __init__(self, entries: Iterable[Named]) -> None:
        self.entries = tuple(entries)
        self._by_full: dict[str, Named] = {}
        self._by_leaf: dict[str, Named | None] = {}
        for entry in self.entries:
            self._by_full.setdefault(fold(entry.full_name or entry.name), entry)
            leaf = fold(entry.name)
            self._by_leaf[leaf] = None if leaf in self._by_leaf else entry

    def find(self, name: str) -> Named | None:
        """The entry with this full name; else the only one whose own name it is; else None."""
        wanted = fold(name)
        return self._by_full.get(wanted) or self._by_leaf.get(wanted)


@dataclass(frozen=True, slots=True)
class Names:
    """Reference lists that a batch of documents needs, loaded before the bodies are built."""

    lists: Mapping[str, NamedList] = field(default_factory=dict)

    def find(self, list_name: str, name: str) -> Named | None:
        """The entry of that name, or None; see `NamedList.find`."""
        entries = self.lists.get(list_name)
        return entries.find(name) if entries is not None and name else None

    def by_id(self, list_name: str, ledger_id: str) -> Named | None:
        """The entry of that id, or None."""
        entries = self.lists.get(list_name)
        return next(
            (one for one in (entries.entries if entries is not None else ()) if one.ledger_id == ledger_id), None
        )

    def of_type(self, type_name: str, sub_type: str = "", currency: str = "") -> Named | None:
        """The only account of a type (and currency), or None where there are none or several."""
        accounts = self.lists.get("accounts")
        found = [
            entry
            for entry in (accounts.entries if accounts is not None else ())
            if entry.type == type_name
            and (not sub_type or entry.sub_type == sub_type)
            and (not currency or not entry.currency or entry.currency == currency)
        ]
        return found[0] if len(found) == 1 else None

    def account(self, account: Account, currency: str = "") -> Named:
        """The ledger account behind a role. Raises `CannotBuild` naming the role and the name that is not there."""
        found = self.find("accounts", account.name)
        if found is None and not account.name:
            # These exist once in every company, under names that differ by language and age of the company.
            if account.role is AccountRole.UNDEPOSITED_FUNDS:
                found = self.of_type("Other Current Asset", "UndepositedFunds")
            elif account.role is AccountRole.RECEIVABLE:
                found = self.of_type("Accounts Receivable", currency=currency)
            elif account.role is AccountRole.PAYABLE:
                found = self.of_type("Accounts Payable", currency=currency)
        if found is None:
            raise CannotBuild(ErrorClass.CONFIG, _account_missing(account))
        if currency and found.type in _OF_ONE_CURRENCY and found.currency not in {"", currency}:
            # Settings name the home currency's; QuickBooks keeps one for each currency that it has met.
            return self.of_type(found.type, currency=currency) or found
        return found


def _account_missing(account: Account) -> Reason:
    """Says where the name may stand: a document carries the name alone, not the setting or rule that it is from."""
    shown = f"named {account.name!r}" if account.name else "set"
    field, place = f"accounts.{account.role.value}", f"the company's settings (accounts.{account.role.value})"
    if account.role is AccountRole.CLEARING and account.qualifier:
        field = f"deposit_accounts.{account.qualifier}"
        place = (
            "the connection's settings (deposit_accounts, deposit_account, payouts.accounts) or the rule that names it"
        )
    elif account.name and account.role in _OF_CONNECTION:
        place = f"the connection's settings ({_OF_CONNECTION[account.role]}), where they name it, or in {place}"
    return Reason(
        code="ACCOUNT_MISSING",
        text=f"there is no account {shown} in QuickBooks for the role {account.role.value}",
        cure=f"Choose an account that exists in {place}, or make it in QuickBooks.",
        field=field,
        value=account.name or None,
    )


class CannotBuild(Exception):
    """A document that can't be said in QuickBooks' words; nothing was sent."""

    def __init__(self, error_class: ErrorClass, reason: Reason) -> None:
        super().__init__(f"{reason.code}: {reason.text}")
        self.refused = Refused(error_class=error_class, reason=reason)


def cannot(error_class: ErrorClass, code: str, text: str, cure: str, field_name: str | None = None) -> CannotBuild:
    return CannotBuild(error_class, Reason(code=code, text=text, cure=cure, field=field_name))
