"""What became of payouts, by the read model: the newest set of each, and its deposit's state."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from api.columns import Column
from api.payout_parts import KnownOrder, Part
from api.store.sql import Where
from common.messages.base import Reason
from common.messages.orders import Payout
from common.messages.transactions import DocumentKind

_FATES = """
SELECT s.source_id, s.outcome, s.reason, d.document_key, d.state, d.ledger_id,
       d.reason AS document_reason
FROM connections c
JOIN sets s ON s.connection_id = c.connection_id AND s.company_id = c.company_id AND s.tenant_id = c.tenant_id
LEFT JOIN LATERAL (
    SELECT document_key, state, ledger_id, reason FROM documents
    WHERE connection_id = s.connection_id AND company_id = s.company_id AND source_kind = 'payout'
      AND source_id = s.source_id ORDER BY (state = 'synced'), document_key LIMIT 1) AS d ON true
WHERE c.tenant_id = $1 AND c.connection_id = $2 AND s.source_kind = 'payout' AND s.source_id = ANY($3::text[])
"""

_PART = "d.document_key, d.source_number, d.kind, d.state, d.column_name, d.reason"
_GROUPED = f"""
SELECT s.source_id AS payout_id, {_PART}
FROM connections c
JOIN sets s ON s.connection_id = c.connection_id AND s.company_id = c.company_id AND s.tenant_id = c.tenant_id
CROSS JOIN LATERAL jsonb_array_elements_text(s.grouped) AS key
JOIN documents d ON d.document_key = key
WHERE c.tenant_id = $1 AND c.connection_id = $2 AND s.source_kind = 'payout' AND s.source_id = ANY($3::text[])
  AND d.column_name <> $4
ORDER BY d.source_number, d.document_key
"""
# By the order alone, which is indexed: a condition on either of two columns would read all documents of the connection.
FAILED = f"""
WITH wanted AS (
    SELECT unnest($3::text[]) AS source_id
    UNION
    SELECT external_id FROM orders WHERE tenant_id = $1 AND number = ANY($4::text[]) AND connection_id = $2
)
SELECT {_PART}
FROM connections c
JOIN documents d ON d.connection_id = c.connection_id AND d.company_id = c.company_id AND d.tenant_id = c.tenant_id
WHERE c.tenant_id = $1 AND c.connection_id = $2 AND d.source_kind = 'order'
  AND d.source_id IN (SELECT source_id FROM wanted)
  AND d.kind = ANY($5::text[]) AND d.column_name = ANY($6::text[])
ORDER BY d.source_number, d.document_key
"""
_ORDERS = """
SELECT o.external_id, o.number, EXISTS (
    SELECT FROM documents d WHERE d.connection_id = o.connection_id AND d.tenant_id = o.tenant_id
      AND d.source_kind = 'order' AND d.source_id = o.external_id AND d.kind = ANY($5::text[])) AS has_money
FROM orders o
WHERE o.tenant_id = $1 AND o.connection_id = $2 AND (o.external_id = ANY($3::text[]) OR o.number = ANY($4::text[]))
"""
_MONEY = [
    kind.value
    for kind in (
        DocumentKind.SALES_RECEIPT,
        DocumentKind.PAYMENT,
        DocumentKind.REFUND_RECEIPT,
        DocumentKind.REFUND_PAYMENT,
    )
]


@dataclass(frozen=True, slots=True)
class Fate:
    """The set of a payout, and of its documents the one that is furthest back."""

    outcome: str
    reason: Reason | None
    document_key: str | None
    document_state: str | None
    ledger_id: str


async def fates(where: Where, tenant_id: str, connection_id: str, payout_ids: Sequence[str]) -> dict[str, Fate]:
    """Payout → what became of it in the connection's company file; those not mapped yet are left out."""
    rows = await where.fetch(_FATES, tenant_id, connection_id, payout_ids)
    return {row["source_id"]: _fate(row) for row in rows}


def _fate(row: asyncpg.Record) -> Fate:
    said = row["reason"] or row["document_reason"]
    reason = None if said is None else Reason.model_validate_json(said)
    return Fate(row["outcome"], reason, row["document_key"], row["state"], row["ledger_id"] or "")


async def unwritten(
    where: Where, tenant_id: str, connection_id: str, payout_ids: Sequence[str]
) -> dict[str, list[Part]]:
    """Payout → documents that its deposit groups and that are not in the ledger."""
    found: dict[str, list[Part]] = {}
    for row in await where.fetch(_GROUPED, tenant_id, connection_id, payout_ids, Column.IN_LEDGER.value):
        found.setdefault(row["payout_id"], []).append(_part(row))
    return found


async def failed(
    where: Where, tenant_id: str, connection_id: str, order_ids: Sequence[str], numbers: Sequence[str]
) -> list[Part]:
    """Money documents of these orders that a warning or a dismissal keeps from the ledger."""
    stopped = [Column.WARNINGS.value, Column.DISMISSED.value]
    rows = await where.fetch(FAILED, tenant_id, connection_id, order_ids, numbers, _MONEY, stopped)
    return [_part(row) for row in rows]


async def orders_of(where: Where, payout: Payout) -> list[KnownOrder]:
    """Orders of the payout's lines that were received, by id or by number."""
    ids = {line.order_external_id for line in payout.lines} - {""}
    named = {line.order_number for line in payout.lines} - {""}
    numbers = sorted(named | {f"#{number}" for number in named})
    rows = await where.fetch(_ORDERS, payout.tenant_id, payout.connection_id, sorted(ids), numbers, _MONEY)
    return [KnownOrder(row["external_id"], row["number"], row["has_money"]) for row in rows]


def _part(row: asyncpg.Record) -> Part:
    return Part(
        document_key=row["document_key"],
        order_number=row["source_number"],
        kind=row["kind"],
        state=row["state"],
        column=Column(row["column_name"]),
        reason=None if row["reason"] is None else Reason.model_validate_json(row["reason"]),
    )
