"""Payouts and their raw parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from common.bulk import Upsert
from common.crypto import Cipher
from common.database import Connection, Pool
from common.messages.base import Reason
from ingest.payout_parts import PayoutPart
from ingest.store.raw import unseal

PAYOUTS = Upsert(
    "payouts",
    ("connection_id", "external_id"),
    {
        "connection_id": "text",
        "external_id": "text",
        "tenant_id": "text",
        "source_id": "text",
        "format": "text",
        "via": "text",
        "revision": "bigint",
        "state_hash": "bytea",
        "content": "bytea",
        "content_revision": "bigint",
        "status": "text",
        "paid_on": "date",
        "currency": "text",
        "net": "numeric",
        "lines": "integer",
        "problem": "jsonb",
        "received_at": "timestamptz",
        "run_id": "text",
        "due_at": "timestamptz",
        "due_attempts": "integer",
    },
    guard="t.revision <= excluded.revision",
)
PARTS = Upsert(
    "payout_parts",
    ("connection_id", "payout_id", "kind", "part_id"),
    {
        "connection_id": "text",
        "payout_id": "text",
        "kind": "text",
        "part_id": "text",
        "digest": "bytea",
        "size": "integer",
        "body": "bytea",
        "received_at": "timestamptz",
        "run_id": "text",
    },
)
DROP_OTHER_PARTS = """
DELETE FROM payout_parts WHERE connection_id = $1 AND payout_id = $2
AND (kind, part_id) NOT IN (SELECT kind, part_id FROM unnest($3::text[], $4::text[]) AS kept (kind, part_id))
"""
NOT_DUE = "UPDATE payouts SET due_at = NULL, due_attempts = 0 WHERE connection_id = $1 AND external_id = $2"
_ANNOUNCE = """
INSERT INTO payouts AS t (connection_id, external_id, tenant_id, source_id, format, via, revision, state_hash,
    content_revision, status, currency, lines, received_at, due_at, due_attempts)
SELECT connection_id, $2, tenant_id, $4, $5, 'webhook', 0, '', 0, '', '', 0, now(), now(), 0
FROM connections WHERE connection_id = $1 AND tenant_id = $3
ON CONFLICT (connection_id, external_id) DO UPDATE SET due_at = now(), due_attempts = 0
WHERE t.tenant_id = excluded.tenant_id AND t.source_id = excluded.source_id
"""
_TAKE_DUE = """
UPDATE payouts SET due_at = now() + make_interval(secs => least(30 * 2 ^ due_attempts, 3600)),
    due_attempts = due_attempts + 1
WHERE (connection_id, external_id) IN (
    SELECT connection_id, external_id FROM payouts WHERE due_at <= now() ORDER BY due_at LIMIT $1
    FOR UPDATE SKIP LOCKED)
RETURNING connection_id, external_id, source_id, due_attempts
"""


@dataclass(frozen=True, slots=True)
class StoredPayout:
    """What is stored of a payout, its content still encrypted."""

    connection_id: str
    external_id: str
    tenant_id: str
    source_id: str
    format: str
    via: str
    revision: int
    state_hash: bytes
    content: bytes | None
    content_revision: int
    status: str
    paid_on: date | None
    currency: str
    net: Decimal | None
    lines: int
    problem: Reason | None
    received_at: datetime
    run_id: str | None


@dataclass(frozen=True, slots=True)
class DuePayout:
    """A payout that was announced and is ours to fetch."""

    connection_id: str
    external_id: str
    source_id: str
    attempts: int


def part_context(connection_id: str, payout_id: str, part: tuple[str, str]) -> str:
    """What a part's ciphertext is bound to."""
    return "payout_parts/" + "/".join((connection_id, payout_id, *part))


def content_context(connection_id: str, payout_id: str) -> str:
    """What a payout's ciphertext is bound to."""
    return f"payouts/{connection_id}/{payout_id}"


async def find(where: Connection | Pool, connection_id: str, external_id: str) -> StoredPayout | None:
    """One payout, whoever's it is."""
    row = await where.fetchrow(
        "SELECT * FROM payouts WHERE connection_id = $1 AND external_id = $2", connection_id, external_id
    )
    return None if row is None else to_stored(row)


async def page(
    pool: Pool, tenant_id: str, connection_id: str, before: tuple[date, str] | None, limit: int
) -> list[StoredPayout]:
    """Payouts of one connection, newest first; those without a date come first of all."""
    day, identity = before or (None, None)
    rows = await pool.fetch(
        """
        SELECT * FROM payouts WHERE tenant_id = $1 AND connection_id = $2
        AND ($3::date IS NULL OR (coalesce(paid_on, 'infinity'), external_id) < ($3, $4))
        ORDER BY coalesce(paid_on, 'infinity') DESC, external_id DESC LIMIT $5
        """,
        tenant_id,
        connection_id,
        day,
        identity,
        limit,
    )
    return [to_stored(row) for row in rows]


def to_stored(row: Any) -> StoredPayout:
    """One row of `payouts`."""
    problem = row["problem"]
    return StoredPayout(
        **{name: row[name] for name in StoredPayout.__slots__ if name != "problem"},
        problem=None if problem is None else Reason.model_validate_json(problem),
    )


async def digests(connection: Connection | Pool, connection_id: str, payout_ids: Sequence[str]) -> dict[str, bytes]:
    """Payout → digest of its head, for those that are stored, paid and readable: nothing about them is open."""
    rows = await connection.fetch(
        """
        SELECT p.external_id, h.digest FROM payouts p
        JOIN payout_parts h ON h.connection_id = p.connection_id AND h.payout_id = p.external_id AND h.kind = 'payout'
        WHERE p.connection_id = $1 AND p.external_id = ANY($2::text[]) AND p.status = 'paid' AND p.problem IS NULL
        """,
        connection_id,
        payout_ids,
    )
    return {row["external_id"]: row["digest"] for row in rows}


async def load_parts(
    connection: Connection, cipher: Cipher, connection_id: str, payout_id: str
) -> tuple[PayoutPart, ...]:
    """The stored parts of a payout."""
    rows = await connection.fetch(
        "SELECT kind, part_id, body FROM payout_parts WHERE connection_id = $1 AND payout_id = $2"
        " ORDER BY kind, part_id",
        connection_id,
        payout_id,
    )
    return tuple(
        PayoutPart(
            row["kind"],
            row["part_id"],
            unseal(cipher, row["body"], part_context(connection_id, payout_id, (row["kind"], row["part_id"]))),
        )
        for row in rows
    )


async def announce(
    connection: Connection, *, connection_id: str, external_id: str, tenant_id: str, source_id: str, format_name: str
) -> None:
    """Note that a payout is to be fetched now; nothing where the tenant has no such connection."""
    await connection.execute(_ANNOUNCE, connection_id, external_id, tenant_id, source_id, format_name)


async def take_due(pool: Pool, rows_max: int) -> list[DuePayout]:
    """Take announced payouts; they become due again, ever later, unless somebody clears them."""
    return [DuePayout(*row) for row in await pool.fetch(_TAKE_DUE, rows_max)]


async def clear_due(pool: Pool, due: DuePayout) -> None:
    """Nothing can be done for this one until it is announced or listed again."""
    await pool.execute(NOT_DUE, due.connection_id, due.external_id)


async def is_of_tenant(connection: Connection | Pool, connection_id: str, tenant_id: str) -> bool:
    """Whether a connection exists and belongs to the tenant."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM connections WHERE connection_id = $1 AND tenant_id = $2)", connection_id, tenant_id
    )
    return found


async def rebuild_page(connection: Connection, tenant_id: str, after: str, rows_max: int) -> list[StoredPayout]:
    """The next published payouts of a tenant, in key order, for those who rebuild."""
    connection_id, _, external_id = after.partition("/")
    rows = await connection.fetch(
        "SELECT * FROM payouts WHERE tenant_id = $1 AND content IS NOT NULL AND (connection_id, external_id) > ($2, $3)"
        " ORDER BY connection_id, external_id LIMIT $4",
        tenant_id,
        connection_id,
        external_id,
        rows_max,
    )
    return [to_stored(row) for row in rows]
