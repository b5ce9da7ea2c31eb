"""What every request body is made of: references, addresses, dates, currency, the memo with our mark."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from common.messages.base import Reason, Severity
from common.messages.orders import Address
from common.messages.transactions import AccountRole, Document
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.names import Names, cannot
from ledger_writer.ledgers.quickbooks_online.profile import Profile

Content = dict[str, Any]

DOC_NUMBER_MAX: Final = 21
REFERENCE_MAX: Final = 21
MEMO_MAX: Final = 4000
CUSTOMER_MEMO_MAX: Final = 1000
_EMAIL = re.compile(r"^[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+$")


@dataclass(frozen=True, slots=True)
class Books:
    """What a builder knows about the company file."""

    profile: Profile = field(default_factory=Profile)
    names: Names = field(default_factory=Names)
    account_names: Mapping[AccountRole, str] = field(default_factory=dict)
    """Account role → account name, from the company's settings."""
    inventory_start: date = date(2020, 1, 1)
    """Inventory items made by us hold stock from this day; documents before it would be refused."""


@dataclass(frozen=True, slots=True)
class Body:
    """One request: what to POST to which entity, and what a person should know about it."""

    entity: str
    content: Content
    notices: tuple[Reason, ...] = ()


def ref(ledger_id: str) -> dict[str, str]:
    return {"value": ledger_id}


def notice(code: str, text: str, cure: str = "", *, field_name: str | None = None, value: str | None = None) -> Reason:
    """Something that was posted and that a person should look at."""
    return Reason(
        code=code,
        text=text,
        cure=cure,
        field=field_name,
        value=value[:500] if value else None,
        severity=Severity.WARNING,
    )


def linked(operation: Operation, key: str, what: str) -> LedgerLink:
    """Where a document, customer or item lives. Raises `CannotBuild` if the operation does not say."""
    link = operation.references.get(key)
    if link is None or not link.ledger_id:
        raise cannot(
            ErrorClass.DEPENDENCY,
            "NOT_WRITTEN_YET",
            f"{what} {key} that the document refers to is not in QuickBooks yet",
            "Nothing to do: it waits for it.",
            what,
        )
    return link


def customer_ref(operation: Operation, document: Document) -> dict[str, str]:
    if document.customer_key is None:
        raise cannot(
            ErrorClass.CONFIG,
            "CUSTOMER_MISSING",
            "the document names no customer and QuickBooks wants one",
            "Set the strategy for missing customers.",
            "customer",
        )
    return ref(linked(operation, document.customer_key, "customer").ledger_id)


def address(given: Address) -> Content:
    """Lines hold name, company and street; the rest has fields of its own."""
    lines = [text[:500] for text in (given.name, given.company, given.line1, given.line2) if text]
    content: Content = {f"Line{number}": text for number, text in enumerate(lines, start=1)}
    content["City"] = given.city[:255]
    content["CountrySubDivisionCode"] = given.region[:255]
    content["PostalCode"] = given.postal_code[:30]
    content["Country"] = given.country[:255]
    return {name: text for name, text in content.items() if text}


def email(given: str) -> str | None:
    """The address, or None where QuickBooks would refuse it (2210)."""
    return given if len(given) <= 100 and _EMAIL.match(given) else None


def memo(document: Document, *more: str) -> str:
    """`<number> [tb:<mark>]`, then whatever else must be found again, a line each."""
    return "\n".join((document.memo, *(text for text in more if text)))[:MEMO_MAX]


def customer_memo(document: Document) -> str:
    """The note as far as it fits; a list of orders that does not ends after a whole number and says where all are."""
    note, orders = document.note, document.orders_of_summary
    if not orders or len(note) <= CUSTOMER_MEMO_MAX:
        return note[:CUSTOMER_MEMO_MAX]
    left_out = document.orders_left_out
    listed = f"{len(orders)} of them" if left_out else "all"
    hint = f" … {len(orders) + left_out} orders, {listed} in the attached file"
    return note[: CUSTOMER_MEMO_MAX - len(hint) + 2].rpartition(", ")[0] + hint


def dated(document: Document, books: Books) -> Content:
    """Date and currency: the head of every transaction."""
    return {"TxnDate": document.date.isoformat(), **currency(document, books.profile)}


def currency(document: Document, profile: Profile) -> Content:
    """CurrencyRef and rate, only where the company keeps several currencies. Never drops a currency silently."""
    if not profile.multi_currency:
        if document.currency != profile.home_currency:
            raise cannot(
                ErrorClass.CONFIG,
                "CURRENCY_NOT_ENABLED",
                f"the document is in {document.currency}; the company keeps its books in {profile.home_currency} only",
                "Turn on multi-currency in QuickBooks, or let the connection use the shop's currency.",
                "currency",
            )
        return {}
    content: Content = {"CurrencyRef": ref(document.currency)}
    if document.exchange_rate is not None and document.currency != profile.home_currency:
        content["ExchangeRate"] = document.exchange_rate
    return content


def numbered(document: Document) -> Content:
    """The document number, cut to what fits; equality is decided on the memo."""
    return {"DocNumber": document.number[:DOC_NUMBER_MAX]} if document.number else {}


def reference(document: Document) -> tuple[Content, str]:
    """(PaymentRefNum, text for the memo): a reference that is cut stands in full in the memo."""
    if not document.reference:
        return {}, ""
    cut = document.reference[:REFERENCE_MAX]
    return {"PaymentRefNum": cut}, document.reference if cut != document.reference else ""


def listed(names: Names, list_name: str, name: str, field_name: str, what: str) -> tuple[Content, tuple[Reason, ...]]:
    """A reference to a list entry that does not carry money: left out with a notice where it is not there."""
    if not name:
        return {}, ()
    found = names.find(list_name, name)
    if found is not None:
        return {field_name: ref(found.ledger_id)}, ()
    return {}, (
        notice(
            f"{what.upper().replace(' ', '_')}_UNKNOWN",
            f"QuickBooks has no {what} named {name!r}; the document was written without it",
            f"Make the {what} in QuickBooks, or map it to one that exists; then resend.",
            field_name=field_name,
            value=name,
        ),
    )
