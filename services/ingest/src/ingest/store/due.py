"""Work that is due: orders to fetch or read again, states to publish again, privacy requests to fulfil."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from common.database import Connection, Pool
from ingest.store.orders import OrderKey

REFETCH = "refetch"
"""Fetch the order from its channel, unless what is missing comes by itself."""
FETCH_ASKED = "fetch_asked"
"""Fetch the order from its channel whatever comes meanwhile, and send what comes of it: somebody asked."""
FAULT = "fault"
"""Read the stored parts again: a fault of ours kept that from succeeding."""
RENORMALISE = "renormalise"
"""Read the stored parts again: they are read by other settings now."""
RESEND = "resend"
"""Read the stored parts again, and send what comes of them even if it is the same: somebody asked."""

FETCHING = frozenset({REFETCH, FETCH_ASKED})

# Every tenant's work of every kind takes its turn: a hundred thousand orders to read again delay nobody's refetch by
# more than one take. `waiting` is a loose index scan, so they cost nothing to look past either.
_TAKE_DUE = f"""
WITH RECURSIVE waiting AS (
    (SELECT tenant_id, due_kind FROM orders WHERE due_at IS NOT NULL ORDER BY tenant_id, due_kind LIMIT 1)
    UNION ALL
    SELECT following.tenant_id, following.due_kind FROM waiting CROSS JOIN LATERAL (
        SELECT tenant_id, due_kind FROM orders
        WHERE due_at IS NOT NULL AND (tenant_id, due_kind) > (waiting.tenant_id, waiting.due_kind)
        ORDER BY tenant_id, due_kind LIMIT 1) AS following
), ready AS MATERIALIZED (
    SELECT tenant_id, due_kind FROM waiting WHERE EXISTS (
        SELECT FROM orders
        WHERE orders.tenant_id = waiting.tenant_id AND orders.due_kind = waiting.due_kind AND due_at <= now())
), taken AS MATERIALIZED (
    SELECT share.connection_id, share.external_id FROM ready CROSS JOIN LATERAL (
        SELECT connection_id, external_id, due_at FROM orders
        WHERE orders.tenant_id = ready.tenant_id AND orders.due_kind = ready.due_kind AND due_at <= now()
        ORDER BY due_at LIMIT (SELECT greatest(1, $1::bigint / count(*)) FROM ready)
        FOR UPDATE SKIP LOCKED) AS share
    ORDER BY share.due_at LIMIT $1
)
UPDATE orders SET due_attempts = due_attempts + 1, due_at = now() + make_interval(secs =>
    CASE WHEN due_kind IN ({", ".join(f"'{kind}'" for kind in sorted(FETCHING))}) THEN 60 * (due_attempts + 1)
    ELSE least(60 * 2 ^ least(due_attempts, 9), 21600) END)
FROM taken WHERE orders.connection_id = taken.connection_id AND orders.external_id = taken.external_id
RETURNING orders.connection_id, orders.external_id, due_kind
"""


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order that is ours to bring up to date for a minute or more."""

    key: OrderKey
    kind: str


async def take_due(pool: Pool, rows_max: int) -> list[DueOrder]:
    """Take due orders, as many of one tenant as of another; they become due again later unless somebody clears them."""
    rows = await pool.fetch(_TAKE_DUE, rows_max)
    return [DueOrder((row["connection_id"], row["external_id"]), row["due_kind"]) for row in rows]


async def clear_due(pool: Pool, keys: Sequence[OrderKey]) -> None:
    """Nothing can be done for these."""
    await pool.execute(
        "UPDATE orders SET due_at = NULL, due_kind = '' FROM unnest($1::text[], $2::text[]) AS w (c, e)"
        " WHERE connection_id = w.c AND external_id = w.e",
        [key[0] for key in keys],
        [key[1] for key in keys],
    )


@dataclass(frozen=True, slots=True)
class StoredRebuild:
    request_id: str
    tenant_id: str
    entity: str
    after: str


async def open_rebuild(connection: Connection) -> StoredRebuild | None:
    """Lock the oldest unfinished request for states; None where there is none."""
    row = await connection.fetchrow(
        "SELECT request_id, tenant_id, entity, after FROM rebuilds WHERE NOT finished"
        " ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    return None if row is None else StoredRebuild(*row)


async def rebuild_page(connection: Connection, rebuild: StoredRebuild, rows_max: int) -> Sequence[Any]:
    """The next orders of the tenant, in key order, with their connection's channel."""
    after = rebuild.after.partition("/")
    return await connection.fetch(
        """
        SELECT orders.*, connections.channel FROM orders JOIN connections USING (connection_id)
        WHERE orders.tenant_id = $1 AND (connection_id, external_id) > ($2, $3)
        ORDER BY connection_id, external_id LIMIT $4
        """,
        rebuild.tenant_id,
        after[0],
        after[2],
        rows_max,
    )


async def move_rebuild(connection: Connection, rebuild: StoredRebuild, after: str, *, finished: bool) -> None:
    """Record how far the publishing is."""
    await connection.execute(
        "UPDATE rebuilds SET after = $2, finished = $3 WHERE request_id = $1", rebuild.request_id, after, finished
    )


@dataclass(frozen=True, slots=True)
class StoredPrivacyRequest:
    connection_id: str
    delivery_id: str
    kind: str
    order_ids: tuple[str, ...]
    after: str
    """The last order of the part that is done."""
    removed: dict[str, int]


async def open_privacy_request(connection: Connection) -> StoredPrivacyRequest | None:
    """Lock the oldest unfulfilled privacy request; None where there is none."""
    row = await connection.fetchrow(
        "SELECT connection_id, delivery_id, kind, order_ids, after, removed FROM privacy_requests"
        " WHERE finished_at IS NULL AND kind <> 'data_request' ORDER BY received_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    if row is None:
        return None
    ids = tuple(str(item) for item in orjson.loads(row["order_ids"]))
    removed = {} if row["removed"] is None else orjson.loads(row["removed"])
    return StoredPrivacyRequest(row["connection_id"], row["delivery_id"], row["kind"], ids, row["after"], removed)


async def move_privacy_request(connection: Connection, request: StoredPrivacyRequest, after: str | None) -> None:
    """Say what was removed, and how far it is; None when all is done."""
    await connection.execute(
        "UPDATE privacy_requests SET finished_at = CASE WHEN $3::text IS NULL THEN now() END,"
        " after = coalesce($3, after), removed = $4 WHERE connection_id = $1 AND delivery_id = $2",
        request.connection_id,
        request.delivery_id,
        after,
        orjson.dumps(request.removed).decode(),
    )
