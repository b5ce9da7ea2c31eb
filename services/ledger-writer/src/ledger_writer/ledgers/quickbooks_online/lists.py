"""Reference lists, whole or what changed since the last reading (30 days back at most); and the trial balance."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import structlog
from pydantic import ValidationError

from common.errors import Retryable
from common.messages.documents import CatalogEntry
from ledger_writer.ledgers.protocol import AccountBalance
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.lookup import pages_of, rows_of
from ledger_writer.ledgers.quickbooks_online.names import Named, NamedList
from ledger_writer.ledgers.quickbooks_online.wire import ListEntry, Name

log = structlog.get_logger(__name__)

ENTITIES: Final[Mapping[str, str]] = {
    "accounts": "Account",
    "items": "Item",
    "customers": "Customer",
    "vendors": "Vendor",
    "tax_codes": "TaxCode",
    "payment_methods": "PaymentMethod",
    "terms": "Term",
    "classes": "Class",
    "departments": "Department",
}
_PEOPLE: Final = ("Customer", "Vendor")
_NOT_IN_FEED: Final = ("TaxCode",)
FEED_DAYS: Final = 29
"""A day less than the feed reaches back."""
FEED_MOST: Final = 1000
"""An answer of this size may have been cut: read the list whole instead."""
OVERLAP: Final = timedelta(minutes=5)
DETAIL_MAX: Final = 500
"""Length of one fact about an entry."""


class Lists:
    """Reading the lists of one company."""

    def __init__(self, client: Client, tenant_id: str, company_id: str, page_size: int) -> None:
        self._client = client
        self._tenant_id = tenant_id
        self._company_id = company_id
        self._page_size = page_size

    async def whole(self, names: Sequence[str]) -> AsyncIterator[Sequence[CatalogEntry]]:
        """Every entry of the lists, inactive ones too, in pages."""
        for name in names:
            entity = ENTITIES[name]
            async for rows in pages_of(self._client, entity, "Active IN (true, false)", self._page_size):
                yield [self._entry(name, entity, row) for row in rows]

    async def changed(self, names: Sequence[str], since: datetime) -> AsyncIterator[Sequence[CatalogEntry]]:
        """What changed since then; deleted entries come inactive, under their id alone.

        Lists that the feed does not carry, and those where it may have left something out, come whole.
        """
        too_old = datetime.now(UTC) - since > timedelta(days=FEED_DAYS)
        fed = [] if too_old else [name for name in names if ENTITIES[name] not in _NOT_IN_FEED]
        found: dict[str, list[Mapping[str, Any]]] = {}
        if fed:
            for part in await self._client.changes([ENTITIES[name] for name in fed], since - OVERLAP):
                for entity, rows in part.items():
                    if isinstance(rows, list):
                        found.setdefault(entity, []).extend(rows)
        if sum(len(rows) for rows in found.values()) >= FEED_MOST:
            fed = []
        for name in fed:
            rows = found.get(ENTITIES[name])
            if rows:
                yield [self._entry(name, ENTITIES[name], row) for row in rows]
        async for page in self.whole([name for name in names if name not in fed]):
            yield page

    def _entry(self, name: str, entity: str, row: Mapping[str, Any]) -> CatalogEntry:
        try:
            return catalog_entry(self._tenant_id, self._company_id, name, entity, row)
        except ValidationError as error:
            log.warning("list_entry_unreadable", list=name, problems=error.error_count())
            raise Retryable(f"an entry of QuickBooks' list {name} can't be read") from error


def catalog_entry(tenant_id: str, company_id: str, list_name: str, entity: str, row: Mapping[str, Any]) -> CatalogEntry:
    """One object of a list as the mirror keeps it. A deleted one keeps its id only and is inactive."""
    if entity in _PEOPLE:
        person = Name.model_validate(row)
        shown = person.display_name[:500]
        return CatalogEntry(
            tenant_id=tenant_id,
            company_id=company_id,
            revision=0,
            list_name=list_name,
            ledger_id=person.id,
            name=shown,
            full_name=(person.full_name or shown)[:500],
            active=person.active and not person.deleted,
            object_type=entity,
            email=person.email.address[:500],
            company_name=person.company_name[:500],
            currency=person.currency.value,
            details={"token": person.token},
        )
    read = ListEntry.model_validate(row)
    return CatalogEntry(
        tenant_id=tenant_id,
        company_id=company_id,
        revision=0,
        list_name=list_name,
        ledger_id=read.id,
        name=read.name[:500],
        full_name=(read.full_name or read.name)[:500],
        active=read.active and not read.deleted,
        object_type=read.account_type or read.type or entity,
        sku=read.sku[:500],
        currency=read.currency.value,
        details=_details(read),
    )


def _details(read: ListEntry) -> dict[str, str]:
    facts: dict[str, object] = {
        "token": read.token,
        "sub_type": read.account_sub_type,
        "number": read.account_number,
        "quantity_on_hand": read.quantity,
        "purchase_cost": read.cost,
        "unit_price": read.price,
        "preferred_vendor": read.preferred_vendor.value,
        "expense_account": read.expense_account.name,
        "due_days": read.due_days,
        "members": _members(read),
    }
    return {
        name: f"{fact:f}" if isinstance(fact, Decimal) else str(fact)[:DETAIL_MAX]
        for name, fact in facts.items()
        if fact not in (None, "")
    }


def _members(read: ListEntry) -> str:
    """Items of a bundle with their quantities, `11 1,12 2`; empty for other items, and for more than fit."""
    members = read.bundle.members if read.bundle is not None else ()
    text = ",".join(f"{one.item.value} {Decimal(1) if one.quantity is None else one.quantity:f}" for one in members)
    return text if len(text) <= DETAIL_MAX else ""


async def read_named(client: Client, list_name: str, page_size: int) -> NamedList:
    """The active entries of a list, as builders need them. Raises what `Client` raises."""
    rows = await rows_of(client, ENTITIES[list_name], "", page_size)
    try:
        entries = [ListEntry.model_validate(row) for row in rows]
    except ValidationError as error:
        raise Retryable(f"QuickBooks' list {list_name} can't be read") from error
    return NamedList(
        Named(
            ledger_id=entry.id,
            name=entry.name,
            full_name=entry.full_name or entry.name,
            type=entry.account_type or entry.type,
            sub_type=entry.account_sub_type,
            currency=entry.currency.value,
            sales_rates=tuple(detail.rate.value for detail in entry.sales_rates.details),
        )
        for entry in entries
        if entry.active
    )


async def trial_balance(client: Client, as_of: date | None, currency: str, page_size: int) -> list[AccountBalance]:
    """Balances that the ledger reports. Raises what `Client` raises, and `Retryable` for an unreadable report."""
    accounts = {entry.ledger_id: entry for entry in (await read_named(client, "accounts", page_size)).entries}
    until = (as_of or date(2999, 12, 31)).isoformat()
    report = await client.report("TrialBalance", {"start_date": "1900-01-01", "end_date": until})
    balances: list[AccountBalance] = []
    for row in (report.get("Rows") or {}).get("Row") or ():
        cells: list[Mapping[str, Any]] = row.get("ColData") or []
        if len(cells) < 3 or not cells[0].get("id"):
            continue  # totals and headings
        account = accounts.get(str(cells[0]["id"]))
        balances.append(
            AccountBalance(
                account=account.full_name if account else str(cells[0].get("value", "")),
                account_type=account.type if account else "",
                currency=currency,
                balance=_amount(cells[1]) - _amount(cells[2]),
            )
        )
    return balances


def _amount(cell: Mapping[str, Any]) -> Decimal:
    text = str(cell.get("value") or "0").replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise Retryable("QuickBooks' trial balance can't be read") from error
