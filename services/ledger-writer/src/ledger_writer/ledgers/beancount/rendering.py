"""From an operation to journal text: pure, one directive per fact, nothing ever edited.

A change is a reversing entry and a new one. Documents that move no account, customers and items are `custom`
directives. Every entry carries the document's key, and a `posting-key` that exists once in the whole journal.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted
from ledger_writer.ledgers.beancount.accounts import Chart
from ledger_writer.ledgers.beancount.postings import Applications, Posting, postings_of
from ledger_writer.ledgers.protocol import LedgerLink, Operation, OperationKind

LISTS_FILE: Final = "lists"
"""Journal file of customers and items, which have no date."""

_LIST_DATE: Final = "1970-01-01"
_NOT_POSTING: Final = frozenset({DocumentKind.ESTIMATE, DocumentKind.SALES_ORDER, DocumentKind.PURCHASE_ORDER})
_TITLE: Final[Mapping[DocumentKind, str]] = {kind: kind.value.replace("_", " ").capitalize() for kind in DocumentKind}
_NOT_IN_LINK = re.compile(r"[^A-Za-z0-9\-_/.]")
_NOT_IN_TEXT: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": " ", "\r": " ", "\t": " ", "\0": " "})
_NOTE_LENGTH_MAX = 120
_TEXT_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class Books:
    """What rendering needs to know of the company file."""

    home_currency: str
    chart: Chart


@dataclass(slots=True)
class Entry:
    """Text for one journal file (`2026-01`, or `lists`), and the accounts it uses."""

    file: str
    text: str
    accounts: tuple[str, ...] = ()
    on: date | None = None
    """Day of a transaction; None for what moves no account."""


def render(operation: Operation, books: Books) -> list[Entry]:
    """Entries that carry the operation out. Raises `DocumentRefused` or `AccountRefused`."""
    wanted = operation.wanted
    if isinstance(wanted, CustomerWanted):
        return [_customer(operation, wanted)]
    if isinstance(wanted, ItemWanted):
        return [_item(operation, wanted, books)]
    if operation.kind in _NOT_POSTING:
        return [_directive(operation, wanted)]
    entries: list[Entry] = []
    if operation.previous is not None and operation.operation is not OperationKind.CREATE:
        entries.append(_reversal(operation, operation.previous, books))
    if operation.operation in {OperationKind.CREATE, OperationKind.UPDATE}:
        entries.append(_transaction(operation, wanted, books))
    return entries


def posting_key(document_key: str, generation: int) -> str:
    return f"{document_key}:g{generation}"


def _transaction(operation: Operation, document: Document, books: Books) -> Entry:
    references, applications = operation.references, operation.applications
    postings = postings_of(document, books.chart, books.home_currency, references, applications)
    key = posting_key(operation.document_key, operation.generation)
    lines = [
        _headline(document, references, _TITLE[document.kind]),
        f'  document-key: "{operation.document_key}"\n  posting-key: "{key}"\n  kind: "{document.kind.value}"\n',
    ]
    lines.extend(_facts(document, applications))
    _legs(postings, document.currency, books.home_currency, lines)
    accounts = tuple(posting.account for posting in postings)
    return Entry(document.date.isoformat()[:7], "".join(lines), accounts, document.date)


def _reversal(operation: Operation, previous: Document, books: Books) -> Entry:
    """Undo the entry that stands, on its own date, so that each month's balances are as if it had never been."""
    postings = postings_of(
        previous, books.chart, books.home_currency, operation.references, operation.previous_applications
    )
    for posting in postings:
        posting.amount = -posting.amount
        if posting.foreign is not None:
            posting.foreign = -posting.foreign
    key = posting_key(operation.document_key, operation.generation)
    lines = [
        _headline(previous, operation.references, f"Reversal of {_TITLE[previous.kind].lower()}"),
        f'  document-key: "{operation.document_key}"\n  posting-key: "{key}:reversal"\n',
        f'  reverses: "{posting_key(operation.document_key, generation_of(operation.link))}"\n',
        f'  kind: "{previous.kind.value}"\n',
    ]
    _legs(postings, previous.currency, books.home_currency, lines)
    accounts = tuple(posting.account for posting in postings)
    return Entry(previous.date.isoformat()[:7], "".join(lines), accounts, previous.date)


def generation_of(link: LedgerLink | None) -> int:
    """Generation at which the linked entry was written."""
    return int(link.details.get("generation", "0")) if link is not None else 0


def _headline(document: Document, references: Mapping[str, LedgerLink], title: str) -> str:
    customer = references.get(document.customer_key) if document.customer_key is not None else None
    payee = _text(customer.name) if customer is not None else ""
    link = _NOT_IN_LINK.sub("-", document.source_number) or "-"
    return f'\n{document.date} * "{payee}" "{title} {_text(document.memo)}" ^order-{link}\n'


def _facts(document: Document, applications: Applications) -> list[str]:
    facts = []
    if document.number:
        facts.append(f'  number: "{_text(document.number)}"\n')
    if document.due_date is not None:
        facts.append(f"  due: {document.due_date}\n")
    if document.reference:
        facts.append(f'  reference: "{_text(document.reference)}"\n')
    if document.class_name:
        facts.append(f'  class: "{_text(document.class_name)}"\n')
    if document.department:
        facts.append(f'  department: "{_text(document.department)}"\n')
    if document.sales_rep:
        facts.append(f'  sales-rep: "{_text(document.sales_rep)}"\n')
    if document.exchange_rate is not None:
        facts.append(f"  rate: {document.exchange_rate:f}\n")
    if document.closes:
        facts.append(f'  closes: "{", ".join(document.closes)}"\n')
    if applications:
        applied = ", ".join(f"{key} {amount:f}" for key, amount in applications)
        facts.append(f'  applied: "{applied}"\n')
    facts.extend(_orders(document))
    return facts


def _orders(document: Document) -> list[str]:
    """Which orders a summary is made of, every one: Beancount reads texts of any length."""
    orders = document.orders_of_summary
    if not orders:
        return []
    more = f" … and {document.orders_left_out} more" if document.orders_left_out else ""
    return [f'  orders: "{", ".join(map(_text, orders))}{more}"\n']


def _legs(postings: Sequence[Posting], currency: str, home_currency: str, lines: list[str]) -> None:
    for posting in postings:
        lines.append(f"  {posting.account}  {posting.amount:f} {home_currency}\n")
        if posting.note:
            lines.append(f'    line: "{_text(posting.note[:_NOTE_LENGTH_MAX])}"\n')
        if posting.foreign is not None:
            lines.append(f"    foreign: {posting.foreign:f} {currency}\n")


def _directive(operation: Operation, document: Document) -> Entry:
    """A document that moves no account: orders, estimates."""
    name = document.kind.value.replace("_", "-")
    key = posting_key(operation.document_key, operation.generation)
    match operation.operation:
        case OperationKind.CREATE:
            about, total = document, document.total
        case OperationKind.UPDATE:
            about, total, name = document, document.total, f"{name}-changed"
        case OperationKind.VOID | OperationKind.CLOSE:
            # The total of what was written, for a reader who adds them up.
            about = operation.previous or document
            total, name = about.total, f"{name}-{'void' if operation.operation is OperationKind.VOID else 'closed'}"
    number = _text(about.shown_number)
    lines = [
        f'\n{about.date} custom "{name}" "{number}" {total:f} {about.currency}\n',
        f'  document-key: "{operation.document_key}"\n  posting-key: "{key}"\n  memo: "{_text(about.memo)}"\n',
    ]
    if operation.operation is not OperationKind.CREATE:
        lines.append(f'  replaces: "{posting_key(operation.document_key, generation_of(operation.link))}"\n')
    customer = operation.references.get(about.customer_key) if about.customer_key is not None else None
    if customer is not None:
        partner = "vendor" if operation.kind is DocumentKind.PURCHASE_ORDER else "customer"
        lines.append(f'  {partner}: "{_text(customer.name)}"\n')
    if operation.operation in {OperationKind.CREATE, OperationKind.UPDATE}:
        lines.extend(_orders(document))
    return Entry(about.date.isoformat()[:7], "".join(lines))


def _customer(operation: Operation, wanted: CustomerWanted) -> Entry:
    key = posting_key(operation.document_key, operation.generation)
    text = (
        f'\n{_LIST_DATE} custom "{operation.kind.value}" "{_text(wanted.display_name)}"\n'
        f'  document-key: "{operation.document_key}"\n  posting-key: "{key}"\n'
    )
    if wanted.customer_type:
        text += f'  type: "{_text(wanted.customer_type)}"\n'
    return Entry(LISTS_FILE, text)


def _item(operation: Operation, wanted: ItemWanted, books: Books) -> Entry:
    account = books.chart.resolve(wanted.income_account)
    key = posting_key(operation.document_key, operation.generation)
    text = (
        f'\n{_LIST_DATE} custom "item" "{_text(wanted.name)}" {account}\n'
        f'  document-key: "{operation.document_key}"\n  posting-key: "{key}"\n'
    )
    if wanted.sku:
        text += f'  sku: "{_text(wanted.sku)}"\n'
    return Entry(LISTS_FILE, text, (account,))


def _text(value: str) -> str:
    return value[:_TEXT_LENGTH_MAX].translate(_NOT_IN_TEXT)


def render_open(account: str) -> str:
    return f"{_LIST_DATE} open {account}\n"


def render_main(title: str, home_currency: str) -> str:
    """The file that Fava and bean-check open."""
    return (
        f'option "title" "{_text(title)}"\n'
        f'option "operating_currency" "{home_currency}"\n\n'
        'include "accounts.beancount"\n'
        'include "journal/*.beancount"\n'
        'include "manual.beancount"\n'
    )


POSTING_LINE: Final = re.compile(r"^  ([A-Z][A-Za-z]*(?::[\w\-]+)+)  (-?[0-9.]+) ([A-Z]{3})$")
"""A leg as `_legs` writes it."""
ENTRY_LINE: Final = re.compile(r"^(\d{4}-\d{2}-\d{2}) \* ")
"""First line of a transaction as `_headline` writes it."""


def balances(text: str, as_of: date | None, into: dict[tuple[str, str], Decimal]) -> None:
    """Add up the legs of a journal file, up to the end of `as_of`, by (account, currency)."""
    counts = False
    # Not `splitlines`: a name may hold a separator that only Unicode calls a line end.
    for line in text.split("\n"):
        leg = POSTING_LINE.match(line)
        if leg is not None:
            if counts:
                key = (leg[1], leg[3])
                into[key] = into.get(key, Decimal(0)) + Decimal(leg[2])
            continue
        entry = ENTRY_LINE.match(line)
        if entry is not None:
            counts = as_of is None or date.fromisoformat(entry[1]) <= as_of
