"""What became of documents that are written: asked by id in bulk, or hinted at by the change feed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import CURRENCY, LedgerFacts, LedgerLink
from ledger_writer.ledgers.quickbooks_online import lookup
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.lists import FEED_DAYS, FEED_MOST, OVERLAP
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.wire import Name, Transaction

_NAMES: Final = ("Customer", "Vendor", "Item")
DOCUMENTS: Final = tuple(sorted(set(ENTITIES.values()) - set(_NAMES)))
"""Entities that our documents are."""


async def facts_of(client: Client, settings: OnlineSettings, links: Mapping[str, LedgerLink]) -> LedgerFacts:
    """Balances, deposits and existence of written documents, by one statement a hundred of them.

    Raises what `Client` raises, and `pydantic.ValidationError`.
    """
    by_entity: dict[str, dict[str, str]] = defaultdict(dict)
    for key, link in links.items():
        by_entity[link.details.get("entity", "")][link.ledger_id] = key
    by_entity.pop("", None)
    open_balance, changed, missing, deposited = {}, {}, set(), set()
    for entity, keys in by_entity.items():
        rows = await _by_id(client, settings, entity, list(keys))
        missing |= {key for ledger_id, key in keys.items() if ledger_id not in rows}
        for ledger_id, (link, read) in rows.items():
            key = keys[ledger_id]
            if is_void(read):
                missing.add(key)
                continue
            balance = next(
                (amount for amount in (read.unapplied, read.remaining, read.balance) if amount is not None), None
            )
            if balance is not None:
                open_balance[key] = balance
            if any(linked.txn_type == "Deposit" for linked in read.linked):
                deposited.add(key)
            if _is_edited(links[key], link):
                changed[key] = link.token
    return LedgerFacts(
        open_balance=open_balance, deposited=frozenset(deposited), missing=frozenset(missing), changed=changed
    )


async def linked_by_id(
    client: Client, settings: OnlineSettings, kind: DocumentKind, ledger_id: str
) -> LedgerLink | None:
    """The link to one object of the ledger, None where there is none or it is void. Raises what `Client` raises."""
    entity = ENTITIES[kind]
    if entity in _NAMES:
        rows = await lookup.rows_of(
            client, entity, f"Id IN {lookup.listed([ledger_id])} AND Active IN (true, false)", settings.page_size
        )
        if not rows:
            return None
        link, name = lookup.name_link(entity, rows[0])
        return replace(link, details={**link.details, CURRENCY: name.currency.value}) if name.currency.value else link
    found = (await _by_id(client, settings, entity, [ledger_id])).get(ledger_id)
    return None if found is None or is_void(found[1]) else found[0]


async def customer_balances(client: Client, settings: OnlineSettings, ids: Sequence[str]) -> dict[str, Decimal]:
    """Customer id → what the customer owes, in its own currency. Raises what `Client` raises."""
    found: dict[str, Decimal] = {}
    for start in range(0, len(ids), settings.values_per_query):
        part = lookup.listed(ids[start : start + settings.values_per_query])
        for row in await lookup.rows_of(client, "Customer", f"Id IN {part}", settings.page_size):
            customer = Name.model_validate(row)
            if customer.balance is not None:
                found[customer.id] = customer.balance
    return found


async def changed_documents(client: Client, since: datetime) -> frozenset[str] | None:
    """Ids of documents that the change feed names, our own writes among them. Raises what `Client` raises.

    None where the feed does not reach back so far, or may have left something out.
    """
    if datetime.now(UTC) - since > timedelta(days=FEED_DAYS):
        return None
    ids: set[str] = set()
    count = 0
    for part in await client.changes(DOCUMENTS, since - OVERLAP):
        for rows in part.values():
            if isinstance(rows, list):
                count += len(rows)
                ids |= {str(row.get("Id", "")) for row in rows}
    return None if count >= FEED_MOST else frozenset(ids - {""})


def is_void(read: Transaction) -> bool:
    """A voided document is history: it keeps number and mark, and has no effect."""
    return read.memo.startswith("Voided") and not read.total


def _is_edited(ours: LedgerLink, now: LedgerLink) -> bool:
    """Whether somebody else changed it. The token alone does not tell: paying an invoice raises the invoice's too."""
    return now.token != ours.token and now.details.get(lookup.CONTENT) != ours.details.get(lookup.CONTENT)


async def _by_id(
    client: Client, settings: OnlineSettings, entity: str, ids: list[str]
) -> dict[str, tuple[LedgerLink, Transaction]]:
    found: dict[str, tuple[LedgerLink, Transaction]] = {}
    for start in range(0, len(ids), settings.values_per_query):
        part = ids[start : start + settings.values_per_query]
        where = f"Id IN {lookup.listed(part)}"
        if entity in _NAMES:
            where += " AND Active IN (true, false)"
        for row in await lookup.rows_of(client, entity, where, settings.page_size):
            link, read = lookup.transaction_link(entity, row)
            found[link.ledger_id] = link, read
    return found
