"""What the log speaks of: documents that were tried, and orders that came, newest first."""

from collections.abc import Sequence
from datetime import datetime

from api.store.sql import Row, Where, rows_of
from api.views.books import LogTab

_MASTER_DATA = ("customer", "vendor", "item")

_DOCUMENTS = """
SELECT 'document' AS subject, d.document_key AS key, d.last_attempt_at AS at, d.company_id, d.connection_id,
    d.source_kind, d.source_id, d.kind AS entity, coalesce(nullif(d.number, ''), nullif(d.name, ''), d.source_number)
    AS number, d.reason, d.ledger_id, d.ledger_url, r.run_id, coalesce(r.trigger, 'webhook') AS trigger, o.order_key,
    o.received_at
FROM documents d
LEFT JOIN orders o ON d.source_kind = 'order' AND o.order_key = d.connection_id || '/' || d.source_id
    AND o.tenant_id = d.tenant_id
LEFT JOIN runs r ON r.run_id = o.run_id AND r.tenant_id = d.tenant_id
WHERE d.tenant_id = $1 AND d.last_attempt_at IS NOT NULL AND ($2::text IS NULL OR d.company_id = $2)
    AND ($3::text IS NULL OR d.connection_id = $3) AND ($4::text IS NULL OR $4 IN (d.number, d.source_number))
    AND CASE $5 WHEN 'errors' THEN d.column_name = 'warnings'
        WHEN 'orders' THEN d.source_kind = 'order' AND NOT d.kind = ANY($9::text[])
        WHEN 'info' THEN d.source_kind <> 'order' OR d.kind = ANY($9::text[]) ELSE true END
    AND ($6::timestamptz IS NULL OR (d.last_attempt_at, d.document_key COLLATE "C") < ($6, $7))
ORDER BY d.last_attempt_at DESC, d.document_key COLLATE "C" DESC LIMIT $8
"""
_ORDERS = """
SELECT 'order' AS subject, o.order_key AS key, o.received_at AS at, c.company_id, o.connection_id,
    'order' AS source_kind, o.external_id AS source_id, 'order' AS entity, o.number,
    coalesce(o.problem, s.reason) AS reason, CASE WHEN o.problem IS NOT NULL OR s.outcome = 'held' THEN 'failed'
        WHEN s.outcome = 'filtered' THEN 'skipped' ELSE 'received' END AS action,
    '' AS ledger_id, '' AS ledger_url, r.run_id, coalesce(r.trigger, 'webhook') AS trigger
FROM orders o
JOIN connections c ON c.connection_id = o.connection_id AND c.tenant_id = o.tenant_id
LEFT JOIN sets s ON s.set_key = c.company_id || '/' || o.connection_id || '/order/' || o.external_id
LEFT JOIN runs r ON r.run_id = o.run_id AND r.tenant_id = o.tenant_id
WHERE o.tenant_id = $1 AND ($2::text IS NULL OR c.company_id = $2) AND ($3::text IS NULL OR o.connection_id = $3)
    AND ($4::text IS NULL OR o.number = $4)
    AND CASE $5 WHEN 'errors' THEN o.problem_code IS NOT NULL OR s.outcome = 'held' WHEN 'info' THEN false ELSE true END
    AND ($6::timestamptz IS NULL OR (o.received_at, o.order_key COLLATE "C") < ($6, $7))
ORDER BY o.received_at DESC, o.order_key COLLATE "C" DESC LIMIT $8
"""


_ASKED = """
SELECT i.order_key AS key, r.run_id, r.trigger, r.requested_at FROM run_items i JOIN runs r ON r.run_id = i.run_id
WHERE i.order_key = ANY($2::text[]) AND r.tenant_id = $1 AND r.trigger = ANY($4::text[])
UNION ALL
SELECT i.document_key, r.run_id, r.trigger, r.requested_at FROM run_items i JOIN runs r ON r.run_id = i.run_id
WHERE i.order_key IS NULL AND i.document_key = ANY($3::text[]) AND r.tenant_id = $1 AND r.trigger = ANY($4::text[])
ORDER BY requested_at
"""
_BY_HAND = ("manual", "resend")


async def asked_for(where: Where, tenant_id: str, documents: Sequence[Row]) -> dict[str, list[Row]]:
    """Document key → the runs by which a person asked for it or its order after that had come, oldest first."""
    keys = [row["key"] for row in documents]
    orders = [row["order_key"] for row in documents if row["order_key"] is not None]
    by_key: dict[str, list[Row]] = {}
    for run in rows_of(await where.fetch(_ASKED, tenant_id, orders, keys, list(_BY_HAND))):
        by_key.setdefault(run["key"], []).append(run)
    found = {}
    for row in documents:
        asked = by_key.get(row["key"], []) + by_key.get(row["order_key"] or "", [])
        since = [run for run in asked if row["received_at"] is None or run["requested_at"] >= row["received_at"]]
        found[row["key"]] = sorted(since, key=lambda run: run["requested_at"])
    return found


async def subjects(
    where: Where,
    tenant_id: str,
    *,
    company_id: str | None,
    connection_id: str | None,
    number: str | None,
    tab: LogTab | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Documents by their last attempt and orders by their arrival, in one list, at most `limit`.

    Keys are compared as bytes on both sides: a batch of documents shares its moment.
    """
    moment, key = before or (None, "")
    asked = (tenant_id, company_id, connection_id, number, tab.value if tab else "", moment, key, limit)
    found = rows_of(await where.fetch(_DOCUMENTS, *asked, list(_MASTER_DATA)), "reason")
    found += rows_of(await where.fetch(_ORDERS, *asked), "reason")
    return sorted(found, key=lambda row: (row["at"], row["key"]), reverse=True)[:limit]
