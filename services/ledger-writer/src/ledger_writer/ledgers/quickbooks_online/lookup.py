"""Looking for what may already be there, in bulk: one query for a hundred documents, never one each.

Documents with a number are looked up by number. Payments, deposits and the like have none, and numbers that the ledger
assigns are not known: those are looked up in a window of days and told apart by the memo. Payments are looked up by
their reference too, whatever their date. Customers and items are looked up by the field that the settings match on.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from common.errors import Retryable
from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted
from ledger_writer.ledgers.protocol import Found, LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES
from ledger_writer.ledgers.quickbooks_online.bodies.base import DOC_NUMBER_MAX, REFERENCE_MAX
from ledger_writer.ledgers.quickbooks_online.bodies.names import DISPLAY_NAME_MAX, ITEM_NAME_MAX
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.names import TAX_CODE, clean, fold
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.wire import ListEntry, Name, Transaction

Tag = tuple[str, str]
Index = dict[Tag, list[Found]]

_MARK: Final = re.compile(r"(?P<number>[^\n]*?)\s*\[tb:(?P<mark>[0-9a-f]{8})\]")
CONTENT: Final = "content"
"""Detail of a link: fingerprint of the document as the ledger showed it to us last."""
_WINDOW_DAYS_MAX: Final = 31
_UNNUMBERED: Final = frozenset({DocumentKind.PAYMENT, DocumentKind.DEPOSIT, DocumentKind.REFUND_PAYMENT})
"""Kinds that are written without a number: QuickBooks has none for them, or one that expenses of the order share."""


def quoted(value: str) -> str:
    """A value of the query language: single quotes, with a backslash before quotes and backslashes."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listed(values: Iterable[str]) -> str:
    return "(" + ",".join(quoted(value) for value in values) + ")"


def read_memo(memo: str) -> tuple[str, str | None]:
    """(order number, mark) of a memo; without a mark of ours the first line is the number."""
    found = _MARK.search(memo)
    if found is None:
        return memo.partition("\n")[0].strip(), None
    return found["number"].strip(), found["mark"]


def transaction_link(entity: str, content: Mapping[str, Any]) -> tuple[LedgerLink, Transaction]:
    """Read a transaction of the ledger. Raises `pydantic.ValidationError` for what is none."""
    read = Transaction.model_validate(content)
    details = {"entity": entity, CONTENT: _fingerprint(entity, read)}
    lines = ",".join(line.id for line in read.lines if line.id and line.detail_type != "SubTotalLineDetail")
    if lines:
        details["lines"] = lines
    if read.payment_type and entity == "Purchase":
        details["payment_type"] = read.payment_type
    return LedgerLink(ledger_id=read.id, token=read.token, number=read.number, total=read.total, details=details), read


def _fingerprint(entity: str, read: Transaction) -> str:
    """Of what a person edits, and of nothing that QuickBooks changes by itself when documents are linked."""
    lines = () if entity == "Payment" else tuple((line.id, _plain(line.amount)) for line in read.lines if line.id)
    party = read.customer.value or read.entity.value or read.vendor.value
    text = repr((read.number, read.on, read.memo, _plain(read.total), party, lines))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"


def name_link(entity: str, content: Mapping[str, Any]) -> tuple[LedgerLink, Name]:
    read = Name.model_validate(content)
    details = {"entity": entity}
    if read.tax_code.value:
        details[TAX_CODE] = read.tax_code.value
    return LedgerLink(ledger_id=read.id, token=read.token, name=read.display_name[:500], details=details), read


def item_link(content: Mapping[str, Any]) -> tuple[LedgerLink, ListEntry]:
    read = ListEntry.model_validate(content)
    link = LedgerLink(
        ledger_id=read.id, token=read.token, name=(read.full_name or read.name)[:500], details={"entity": "Item"}
    )
    return link, read


@dataclass(frozen=True, slots=True)
class Search:
    """One statement and the operations whose candidates it brings, found by one property."""

    entity: str
    field: str
    where: str
    operations: tuple[Operation, ...]


def searches(operations: Sequence[Operation], settings: OnlineSettings) -> list[Search]:
    """As few statements as possible that together find every candidate."""
    groups: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for operation in operations:
        entity = ENTITIES.get(operation.kind)
        if entity is None:
            continue
        field = _field(operation)
        groups[entity, field].append(operation)
        if field == "TxnDate" and operation.kind is DocumentKind.PAYMENT and _document(operation).reference:
            groups[entity, "PaymentRefNum"].append(operation)
        if operation.former is not None and operation.former.ledger_id:
            groups[entity, "Id"].append(operation)
    found: list[Search] = []
    for (entity, field), group in groups.items():
        if field == "TxnDate":
            found.extend(_windows(entity, group, settings))
        else:
            found.extend(_lists(entity, field, group, settings.values_per_query))
    return found


def _field(operation: Operation) -> str:
    """The property by which an operation's object is found."""
    wanted = operation.wanted
    if operation.link is not None or _chosen(wanted):
        return "Id"
    if isinstance(wanted, CustomerWanted):
        by_email = wanted.match_field == "email" and wanted.email
        return "PrimaryEmailAddr" if by_email else "DisplayName"
    if isinstance(wanted, ItemWanted):
        return "Sku" if wanted.match_field == "sku" and wanted.sku else "Name"
    return "DocNumber" if wanted.number and operation.kind not in _UNNUMBERED else "TxnDate"


def _chosen(wanted: Document | CustomerWanted | ItemWanted) -> str:
    """Id of the customer or item that a person or the catalogue named: its name says no more than it does.

    An item below another one is asked for by its full name, and `Name` is only the last part of that.
    """
    return "" if isinstance(wanted, Document) else wanted.ledger_id or ""


def value_of(field: str, operation: Operation) -> str:
    """What the property must be for the operation's object, as it was or would be written."""
    wanted = operation.wanted
    if field == "Id":
        link = operation.link or operation.former
        return link.ledger_id if link is not None else _chosen(wanted)
    if isinstance(wanted, CustomerWanted):
        return wanted.email if field == "PrimaryEmailAddr" else clean(wanted.display_name, DISPLAY_NAME_MAX)
    if isinstance(wanted, ItemWanted):
        return wanted.sku[:100] if field == "Sku" else clean(wanted.name, ITEM_NAME_MAX)
    if field == "PaymentRefNum":
        return wanted.reference[:REFERENCE_MAX]
    return (wanted.number or "")[:DOC_NUMBER_MAX]


def _lists(entity: str, field: str, group: Sequence[Operation], most: int) -> Iterable[Search]:
    by_value: dict[str, list[Operation]] = defaultdict(list)
    for operation in group:
        by_value[value_of(field, operation)].append(operation)
    values = sorted(by_value)
    # Inactive names and items are left out unless they are asked for, and they decide too.
    active = " AND Active IN (true, false)" if entity in ("Customer", "Vendor", "Item") else ""
    for start in range(0, len(values), most):
        part = values[start : start + most]
        yield Search(
            entity=entity,
            field=field,
            where=f"{field} IN {listed(part)}{active}",
            operations=tuple(operation for value in part for operation in by_value[value]),
        )


def _windows(entity: str, group: Sequence[Operation], settings: OnlineSettings) -> Iterable[Search]:
    """Windows of days; whoever looks further than others has windows of his own."""
    by_days: dict[int, list[Operation]] = defaultdict(list)
    for operation in group:
        by_days[_days_around(operation, settings)].append(operation)
    for around, alike in by_days.items():
        yield from _runs(entity, alike, around)


def _days_around(operation: Operation, settings: OnlineSettings) -> int:
    """How far from its date a document without a number is looked for."""
    return settings.dated_lookup_days if operation.kind in _UNNUMBERED else _document(operation).lookup_days


def _runs(entity: str, group: Sequence[Operation], around: int) -> Iterable[Search]:
    """Runs of days close together, each one statement; far dates apart, so that no window spans a year of others."""
    dated = sorted(group, key=_date)
    run: list[Operation] = []
    for operation in dated:
        first = _date(run[0]) if run else None
        apart = run and (_date(operation) - _date(run[-1])).days > 2 * around + 1
        if first is not None and (apart or (_date(operation) - first).days > _WINDOW_DAYS_MAX):
            yield _window(entity, run, around)
            run = []
        run.append(operation)
    if run:
        yield _window(entity, run, around)


def _window(entity: str, run: Sequence[Operation], around: int) -> Search:
    first, last = _date(run[0]) - timedelta(days=around), _date(run[-1]) + timedelta(days=around)
    where = f"TxnDate >= {quoted(first.isoformat())} AND TxnDate <= {quoted(last.isoformat())}"
    return Search(entity=entity, field="TxnDate", where=where, operations=tuple(run))


def _date(operation: Operation) -> date:
    return _document(operation).date


def _document(operation: Operation) -> Document:
    if not isinstance(operation.wanted, Document):
        raise TypeError("only documents are looked for by their date")
    return operation.wanted


async def find(client: Client, operations: Sequence[Operation], settings: OnlineSettings) -> dict[str, list[Found]]:
    """Candidates by document key. Raises what `Client` raises, and `Retryable` where an answer can't be read."""
    found: dict[str, list[Found]] = defaultdict(list)
    for search in searches(operations, settings):
        rows = await rows_of(client, search.entity, search.where, settings.page_size)
        try:
            candidates = [read_found(search.entity, row) for row in rows]
        except ValidationError as error:
            raise Retryable(f"QuickBooks' list of {search.entity} can't be read") from error
        index: Index = defaultdict(list)
        for candidate, tags in candidates:
            for tag in tags:
                index[tag].append(candidate)
        for operation in search.operations:
            matching = _matching(operation, search.field, index, settings)
            known = {candidate.link.ledger_id for candidate in found.get(operation.document_key, ())}
            fresh = [candidate for candidate in matching if candidate.link.ledger_id not in known]
            if fresh:
                found[operation.document_key].extend(fresh)
    return dict(found)


async def pages_of(
    client: Client, entity: str, where: str, page_size: int
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """Rows in pages, until one is shorter than asked for: there is no cursor."""
    condition = f" WHERE {where}" if where else ""
    start = 1
    while True:
        page = await client.query(
            f"SELECT * FROM {entity}{condition} ORDERBY Id STARTPOSITION {start} MAXRESULTS {page_size}"  # noqa: S608
        )
        rows = page.get(entity) or []
        if rows:
            yield rows
        if len(rows) < page_size:
            return
        start += len(rows)


async def rows_of(client: Client, entity: str, where: str, page_size: int) -> list[Mapping[str, Any]]:
    return [row async for page in pages_of(client, entity, where, page_size) for row in page]


def read_found(entity: str, row: Mapping[str, Any]) -> tuple[Found, frozenset[Tag]]:
    """A candidate, and by what operations find it: (property, folded value). Raises `pydantic.ValidationError`."""
    if entity in ("Customer", "Vendor", "Employee"):
        link, name = name_link(entity, row)
        # Several addresses in one field are separated by commas, and any of them is the customer's.
        addresses = {("PrimaryEmailAddr", fold(part)) for part in name.email.address.split(",") if part.strip()}
        return (
            Found(
                link=link,
                mark=None,
                active=name.active,
                kind_in_ledger=entity.lower(),
                currency=name.currency.value,
            ),
            frozenset({("Id", name.id), ("DisplayName", fold(name.display_name))} | addresses),
        )
    if entity == "Item":
        link, item = item_link(row)
        return (
            Found(link=link, mark=None, active=item.active, kind_in_ledger=item.type),
            frozenset({("Id", item.id), ("Name", fold(item.name)), ("Sku", fold(item.sku))}),
        )
    link, read = transaction_link(entity, row)
    number, mark = read_memo(read.memo)
    party = read.customer.value or read.entity.value or read.vendor.value
    found = Found(
        link=link,
        mark=mark,
        memo_number=number,
        reference=_whole_reference(read) if entity == "Payment" else "",
        customer=party,
        on=read.on,
        # A voided document is history: it keeps number and mark, and must not be taken for the one that is wanted.
        active=not (read.memo.startswith("Voided") and not read.total),
        kind_in_ledger=entity.lower(),
        applied=_applied(entity, read),
    )
    tags = {("Id", read.id), ("DocNumber", fold(read.number)), ("mark", mark or ""), ("memo", fold(number))}
    if found.reference:
        tags.add(("PaymentRefNum", fold(found.reference)))
    return found, frozenset(tags)


def _whole_reference(read: Transaction) -> str:
    """A reference that was cut to fit its field stands in full on a line of the memo."""
    if len(read.reference) < REFERENCE_MAX:
        return read.reference
    return next((line for line in read.memo.splitlines() if line.startswith(read.reference)), read.reference)


def _applied(entity: str, read: Transaction) -> tuple[tuple[str, Decimal], ...]:
    """What a payment is applied to. Credit memos and purchases do not say so themselves, see `applied`."""
    if entity != "Payment":
        return ()
    parts = ((linked.txn_id, line.amount) for line in read.lines for linked in line.linked)
    return tuple((ledger_id, amount) for ledger_id, amount in parts if amount is not None)


def _matching(operation: Operation, field: str, index: Index, settings: OnlineSettings) -> list[Found]:
    """Candidates of one operation: by mark, id, number or name; in a window of days, by the number in the memo.

    Statements serve many operations and reach further than the days around each of them.
    """
    wanted = operation.wanted
    if field == "Id" or not isinstance(wanted, Document):
        value = value_of(field, operation)
        return list(index.get((field, value if field == "Id" else fold(value)), ()))
    marked = index.get(("mark", wanted.mark), ())
    if field == "DocNumber":
        # Another document's number is the caller's to judge: it collides with ours.
        alike = index.get((field, fold(value_of(field, operation))), ())
    elif field == "PaymentRefNum":
        # What is as long as the field may be the beginning of another one: the whole has to be the same.
        alike = [found for found in index.get((field, fold(wanted.reference)), ()) if found.mark is None]
    else:
        around = _days_around(operation, settings)
        alike = [
            found
            for found in index.get(("memo", fold(wanted.memo_number)), ())
            if found.mark is None and (found.on is None or abs((found.on - wanted.date).days) <= around)
        ]
    return list({found.link.ledger_id: found for found in (*marked, *alike)}.values())


def is_ours(operation: Operation, found: Found) -> bool:
    """Whether a candidate carries the mark of the operation's own document."""
    wanted = operation.wanted
    return isinstance(wanted, Document) and found.mark == wanted.mark
