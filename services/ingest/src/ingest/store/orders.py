"""Raw parts, orders and deliveries: read and written for a whole batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from common.bulk import Upsert
from common.crypto import Cipher
from common.database import Connection, Pool, affected
from common.messages.base import Reason
from ingest.parts import Part, PartKind, Source
from ingest.store.raw import unseal

OrderKey = tuple[str, str]
"""(connection id, the channel's order id)"""

RAW_PARTS = Upsert(
    "raw_parts",
    ("connection_id", "order_id", "kind", "part_id"),
    {
        "connection_id": "text",
        "order_id": "text",
        "kind": "text",
        "part_id": "text",
        "version": "timestamptz",
        "rank": "integer",
        "source": "text",
        "topic": "text",
        "size": "integer",
        "body": "bytea",
        "received_at": "timestamptz",
        "run_id": "text",
    },
)
ORDERS = Upsert(
    "orders",
    ("connection_id", "external_id"),
    {
        "connection_id": "text",
        "external_id": "text",
        "tenant_id": "text",
        "revision": "bigint",
        "state_hash": "bytea",
        "content": "bytea",
        "content_revision": "bigint",
        "number": "text",
        "status": "text",
        "ordered_on": "date",
        "currency": "text",
        "total": "numeric",
        "problem": "jsonb",
        "received_at": "timestamptz",
        "run_id": "text",
        "due_at": "timestamptz",
        "due_kind": "text",
        "due_attempts": "integer",
    },
    guard="t.revision <= excluded.revision",
)
NORMALISATIONS = Upsert(
    "normalisations",
    ("connection_id", "external_id", "revision"),
    {
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "at": "timestamptz",
        "status": "text",
        "total": "numeric",
        "currency": "text",
    },
    update=(),
)
DELIVERIES = Upsert(
    "deliveries",
    ("connection_id", "delivery_id", "order_id"),
    {
        "connection_id": "text",
        "delivery_id": "text",
        "order_id": "text",
        "topic": "text",
        "digest": "bytea",
        "size": "integer",
        "channel_time": "timestamptz",
        "received_at": "timestamptz",
        "ignored": "boolean",
    },
    update=(),
)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """What is stored of an order, its content still encrypted."""

    tenant_id: str
    revision: int
    state_hash: bytes
    content: bytes | None
    content_revision: int
    number: str
    status: str
    ordered_on: date | None
    currency: str
    total: Decimal | None
    problem: Reason | None
    received_at: datetime
    run_id: str | None
    due_at: datetime | None
    due_kind: str
    due_attempts: int


def part_context(connection_id: str, part: tuple[str, str, str]) -> str:
    """What a part's ciphertext is bound to."""
    return "raw_parts/" + "/".join((connection_id, *part))


def content_context(key: OrderKey) -> str:
    """What an order's ciphertext is bound to."""
    return f"orders/{key[0]}/{key[1]}"


async def load_parts(connection: Connection, cipher: Cipher, keys: Sequence[OrderKey]) -> dict[OrderKey, list[Part]]:
    """The stored parts of these orders."""
    rows = await connection.fetch(
        """
        SELECT connection_id, order_id, kind, part_id, version, rank, source, body
        FROM raw_parts JOIN unnest($1::text[], $2::text[]) AS wanted (connection_id, order_id)
        USING (connection_id, order_id)
        """,
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    found: dict[OrderKey, list[Part]] = {}
    for row in rows:
        identity = (row["order_id"], row["kind"], row["part_id"])
        found.setdefault((row["connection_id"], row["order_id"]), []).append(
            Part(
                kind=PartKind(row["kind"]),
                order_id=row["order_id"],
                raw=unseal(cipher, row["body"], part_context(row["connection_id"], identity)),
                version=row["version"],
                part_id=row["part_id"],
                rank=row["rank"],
                source=Source(row["source"]),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A delivery as it came, which no release could open yet."""

    topic: str
    body: bytes
    received_at: datetime


async def load_kept(where: Connection | Pool, cipher: Cipher, key: OrderKey) -> KeptDelivery | None:
    """The delivery that is kept under this name; None where there is none, or it was opened since."""
    row = await where.fetchrow(
        "SELECT part_id, topic, body, received_at FROM raw_parts"
        " WHERE connection_id = $1 AND order_id = $2 AND kind = $3 AND rank = 0",
        *key,
        PartKind.DELIVERY.value,
    )
    if row is None:
        return None
    context = part_context(key[0], (key[1], PartKind.DELIVERY.value, row["part_id"]))
    return KeptDelivery(row["topic"], unseal(cipher, row["body"], context), row["received_at"])


async def load_orders(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, StoredOrder]:
    """The stored state of these orders."""
    rows = await connection.fetch(
        """
        SELECT orders.* FROM orders JOIN unnest($1::text[], $2::text[]) AS wanted (connection_id, external_id)
        USING (connection_id, external_id)
        """,
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    return {(row["connection_id"], row["external_id"]): to_stored(row) for row in rows}


def to_stored(row: Any) -> StoredOrder:
    """One row of `orders`."""
    problem = row["problem"]
    return StoredOrder(
        tenant_id=row["tenant_id"],
        revision=row["revision"],
        state_hash=row["state_hash"],
        content=row["content"],
        content_revision=row["content_revision"],
        number=row["number"],
        status=row["status"],
        ordered_on=row["ordered_on"],
        currency=row["currency"],
        total=row["total"],
        problem=None if problem is None else Reason.model_validate_json(problem),
        received_at=row["received_at"],
        run_id=row["run_id"],
        due_at=row["due_at"],
        due_kind=row["due_kind"],
        due_attempts=row["due_attempts"],
    )


def replaced(key: OrderKey, stored: StoredOrder) -> dict[str, Any]:
    """The row of `NORMALISATIONS` that keeps what an order's own row is about to lose."""
    return {
        "connection_id": key[0],
        "external_id": key[1],
        "revision": stored.revision,
        "at": stored.received_at,
        "status": stored.status,
        "total": stored.total,
        "currency": stored.currency,
    }


async def known_deliveries(connection: Connection, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """(connection id, delivery id) → digest of the body, for those that were delivered before."""
    if not wanted:
        return {}
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (connection_id, delivery_id) connection_id, delivery_id, digest
        FROM deliveries JOIN unnest($1::text[], $2::text[]) AS wanted (connection_id, delivery_id)
        USING (connection_id, delivery_id)
        """,
        [item[0] for item in wanted],
        [item[1] for item in wanted],
    )
    return {(row["connection_id"], row["delivery_id"]): row["digest"] for row in rows}


def problem_json(problem: Reason | None) -> str | None:
    """A reason as a jsonb parameter."""
    return None if problem is None else orjson.dumps(problem.model_dump(mode="json")).decode()


_FORGET_AT_ONCE = 5000


async def forget_deliveries(connection: Connection, days: int) -> None:
    """Delete deliveries older than the retention, some thousands at a time."""
    await connection.execute(
        "DELETE FROM deliveries WHERE ctid IN (SELECT ctid FROM deliveries"
        " WHERE received_at < now() - make_interval(days => $1) LIMIT $2)",
        days,
        _FORGET_AT_ONCE,
    )


_FORGET_PARTS = """
WITH old AS (
    SELECT p.ctid FROM connections c LEFT JOIN connection_settings s USING (connection_id)
    CROSS JOIN LATERAL (
        SELECT raw_parts.ctid FROM raw_parts WHERE connection_id = c.connection_id
        AND received_at < now() - make_interval(days => coalesce(s.raw_retention_days, $1)) LIMIT $2) AS p
    LIMIT $2)
DELETE FROM raw_parts WHERE ctid IN (SELECT ctid FROM old)
"""


async def forget_parts(connection: Connection, days: int) -> int:
    """Delete raw parts past their connection's retention (`days` where it has no settings), some thousands at a time.

    Returns how many were deleted.
    """
    return affected(await connection.execute(_FORGET_PARTS, days, _FORGET_AT_ONCE))
