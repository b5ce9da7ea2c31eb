"""Runs: a set of (entity, revision). What became of each is derived when somebody asks, never counted along the way."""

from datetime import datetime
from typing import Any

from api.columns import Column
from api.store.order_state import ORDER_STATE
from api.store.sql import Conditions, Row, Where, row_of, rows_of, to_json
from common.database import affected

_SHOWN = """run_id, tenant_id, trigger, kind, connection_id, company_id, task_id, requested_at, requested_by, request,
    revision, fetched_at, failed, cancelled"""
_JSON = ("request", "failed")

RESEND_SETTLE_S = 120
"""How long the answer to a resend is waited for where a service can't be asked or does not answer; after this time the
state as it stands is the result."""


async def insert(
    where: Where,
    *,
    run_id: str,
    tenant_id: str,
    trigger: str,
    kind: str,
    connection_id: str | None,
    company_id: str | None,
    task_id: str | None,
    requested_by: str,
    request: dict[str, Any],
    fetched: bool = False,
) -> bool:
    """Store a run. False where a repeated request made it already."""
    status = await where.execute(
        """
        INSERT INTO runs (run_id, tenant_id, trigger, kind, connection_id, company_id, task_id, requested_by, request,
                          fetched_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, CASE WHEN $10 THEN now() END) ON CONFLICT DO NOTHING
        """,
        run_id,
        tenant_id,
        trigger,
        kind,
        connection_id,
        company_id,
        task_id,
        requested_by,
        to_json(request),
        fetched,
    )
    return affected(status) == 1


async def add_documents(where: Where, run_id: str, documents: list[tuple[str, int, str]]) -> None:
    """Items of a resend: (document key, revision it must exceed, number)."""
    await where.execute(
        """
        INSERT INTO run_items (run_id, item, page, document_key, number, revision, outcome)
        SELECT $1, 'document ' || key, 0, key, number, revision, 'resend'
        FROM unnest($2::text[], $3::bigint[], $4::text[]) AS chosen (key, revision, number) ON CONFLICT DO NOTHING
        """,
        run_id,
        [key for key, _, _ in documents],
        [revision for _, revision, _ in documents],
        [number for _, _, number in documents],
    )


async def add_orders(where: Where, run_id: str, orders: list[tuple[str, int, str]]) -> None:
    """Items of a resend: (order key, revision, number)."""
    await where.execute(
        """
        INSERT INTO run_items (run_id, item, page, order_key, number, revision, outcome)
        SELECT $1, key, 0, key, number, revision, 'resend'
        FROM unnest($2::text[], $3::bigint[], $4::text[]) AS chosen (key, revision, number) ON CONFLICT DO NOTHING
        """,
        run_id,
        [key for key, _, _ in orders],
        [revision for _, revision, _ in orders],
        [number for _, _, number in orders],
    )


async def one(where: Where, tenant_id: str, run_id: str) -> Row | None:
    record = await where.fetchrow(f"SELECT {_SHOWN} FROM runs WHERE tenant_id = $1 AND run_id = $2", tenant_id, run_id)
    return row_of(record, *_JSON)


async def page(
    where: Where,
    tenant_id: str,
    *,
    connection_id: str | None,
    task_id: str | None,
    trigger: str | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Newest first."""
    wanted = Conditions()
    wanted.add("tenant_id = {}", tenant_id)
    wanted.given("connection_id = {}", connection_id)
    wanted.given("task_id = {}", task_id)
    wanted.given("trigger = {}", trigger)
    if before is not None:
        wanted.add("(requested_at, run_id) < ({}, {})", *before)
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM runs WHERE {wanted.text} ORDER BY requested_at DESC, run_id DESC"
            f" LIMIT {wanted.parameter(limit)}",
            *wanted.values,
        ),
        *_JSON,
    )


async def cancel(where: Where, tenant_id: str, run_id: str) -> Row | None:
    """Raise the run's revision so that ingest stops it; None where it is finished or unknown."""
    record = await where.fetchrow(
        f"""
        UPDATE runs SET cancelled = true, revision = revision + 1, fetched_at = now()
        WHERE tenant_id = $1 AND run_id = $2 AND fetched_at IS NULL RETURNING {_SHOWN}
        """,
        tenant_id,
        run_id,
    )
    return row_of(record, *_JSON)


# A company file that may not write yet leaves its documents where they are; a run must not wait for a person.
_RESULTS = f"""
SELECT i.item, i.order_key, i.document_key, i.number, i.revision, i.outcome,
    CASE
        WHEN i.outcome IN ('not_found', 'refused') THEN i.outcome
        WHEN i.document_key IS NOT NULL THEN
            CASE
                WHEN d.document_key IS NULL THEN 'not_found'
                WHEN d.column_name = '{Column.IN_LEDGER}' THEN 'synced'
                WHEN d.revision <= i.revision AND now() < r.requested_at + make_interval(secs => {RESEND_SETTLE_S})
                    THEN 'in_progress'
                ELSE d.column_name
            END
        WHEN o.order_key IS NULL OR o.revision < i.revision THEN 'in_progress'
        WHEN o.column_name = '{Column.IN_LEDGER}' AND i.outcome = 'unchanged'
            AND coalesce(o.last_attempt_at < r.requested_at, true) THEN 'already_in_ledger'
        WHEN o.column_name = '{Column.IN_LEDGER}' THEN 'synced'
        WHEN i.outcome = 'resend' AND o.column_name = '{Column.WARNINGS}'
            AND coalesce(o.answered_at < r.requested_at, true)
            AND now() < r.requested_at + make_interval(secs => {RESEND_SETTLE_S}) THEN 'in_progress'
        WHEN o.column_name IN ('{Column.IN_PROGRESS}', '{Column.NOT_TRIED}') AND (
            f.settings IS NULL OR f.settings ->> 'approved_at' IS NULL OR (f.settings ->> 'paused')::boolean
            OR f.lane_paused OR f.status <> 'connected') AND o.mapped_revision >= i.revision THEN 'held'
        WHEN o.column_name IN ('{Column.IN_PROGRESS}', '{Column.NOT_TRIED}') AND o.company_id IS NOT NULL
            THEN 'in_progress'
        ELSE o.column_name
    END AS found,
    coalesce(i.reason, d.reason, o.reason) AS reason
FROM run_items i
JOIN runs r ON r.run_id = i.run_id
LEFT JOIN documents d ON d.document_key = i.document_key AND d.tenant_id = r.tenant_id
LEFT JOIN LATERAL (SELECT * FROM ({ORDER_STATE}) AS states WHERE states.order_key = i.order_key) AS o
    ON o.tenant_id = r.tenant_id
LEFT JOIN companies f ON f.company_id = o.company_id
WHERE i.run_id = $1 AND r.tenant_id = $2
"""

_NAMED = f"""
SELECT item, order_key, document_key, number, revision, reason,
    CASE found
        WHEN '{Column.WARNINGS}' THEN 'failed'
        WHEN '{Column.WAITING}' THEN 'blocked'
        WHEN '{Column.OUT_OF_SCOPE}' THEN 'filtered'
        WHEN '{Column.NOT_TRIED}' THEN 'held'
        WHEN 'refused' THEN 'failed'
        ELSE found
    END AS result
FROM ({_RESULTS}) AS results
"""


async def tally(where: Where, tenant_id: str, run_id: str) -> dict[str, int]:
    """Number of items per result."""
    records = await where.fetch(
        f"SELECT result, count(*) AS items FROM ({_NAMED}) AS named GROUP BY result", run_id, tenant_id
    )
    return {record["result"]: record["items"] for record in records}


async def items(
    where: Where, tenant_id: str, run_id: str, *, result: str | None, after: str | None, limit: int
) -> list[Row]:
    """Items with their results, in a stable order."""
    return rows_of(
        await where.fetch(
            f"SELECT * FROM ({_NAMED}) AS named WHERE ($3::text IS NULL OR result = $3)"
            " AND ($4::text IS NULL OR item > $4) ORDER BY item LIMIT $5",
            run_id,
            tenant_id,
            result,
            after,
            limit,
        ),
        "reason",
    )
