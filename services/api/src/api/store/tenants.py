"""Tenants, and the removal of everything that belongs to one."""

from datetime import datetime

from api.store.sql import Row, Where, row_of, rows_of, to_json
from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection, affected
from common.forgetting import AGAIN_FOR_DAYS
from common.outbox import forget_tenant

_SHOWN = "tenant_id, name, created_at"


async def insert(where: Where, tenant_id: str, name: str) -> Row:
    """Store a tenant; the same id again returns what is there."""
    await where.execute("INSERT INTO tenants (tenant_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", tenant_id, name)
    record = await where.fetchrow(f"SELECT {_SHOWN} FROM tenants WHERE tenant_id = $1", tenant_id)
    assert record is not None  # noqa: S101 - it was inserted or was there
    return dict(record.items())


async def one(where: Where, tenant_id: str) -> Row | None:
    return row_of(
        await where.fetchrow(f"SELECT {_SHOWN} FROM tenants WHERE tenant_id = $1 AND deleted_at IS NULL", tenant_id)
    )


async def page(where: Where, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """Tenants in order of creation."""
    moment, identity = after or (None, "")
    return rows_of(
        await where.fetch(
            f"""
            SELECT {_SHOWN} FROM tenants
            WHERE deleted_at IS NULL AND ($1::timestamptz IS NULL OR (created_at, tenant_id) > ($1, $2))
            ORDER BY created_at, tenant_id LIMIT $3
            """,
            moment,
            identity,
            limit,
        )
    )


_PURGED: tuple[tuple[str, str], ...] = (
    ("run_items", "run_id IN (SELECT run_id FROM runs WHERE tenant_id = $1)"),
    ("replay_items", "dead_letter_id IN (SELECT dead_letter_id FROM dead_letters WHERE letter_tenant = $1)"),
    ("dead_letters", "letter_tenant = $1"),
    ("runs", "tenant_id = $1"),
    ("tasks", "tenant_id = $1"),
    ("dismissals", "tenant_id = $1"),
    ("documents", "tenant_id = $1"),
    ("sets", "tenant_id = $1"),
    ("orders", "tenant_id = $1"),
    ("settings_history", "tenant_id = $1"),
    ("connections", "tenant_id = $1"),
    ("companies", "tenant_id = $1"),
    ("api_keys", "tenant_id = $1"),
    ("idempotency", "owner = $1"),
    ("mirror_checks", "tenant_id = $1"),
    ("audit_log", "tenant_id = $1"),
)

_REPORT = Upsert(
    "purges",
    ("tenant_id", "service"),
    {"tenant_id": "text", "service": "text", "revision": "bigint", "removed": "jsonb"},
    guard="t.revision < excluded.revision",
    assignments={"purged_at": "now()"},
)


async def purge(connection: Connection, tenant_id: str) -> dict[str, int] | None:
    """Remove every row of the tenant in the caller's transaction; the emptied row of the tenant stays as a tombstone.

    Returns the number of rows removed per table, None where there is no such tenant.
    """
    status = await connection.execute(
        "UPDATE tenants SET deleted_at = now(), name = '', revision = revision + 1"
        " WHERE tenant_id = $1 AND deleted_at IS NULL",
        tenant_id,
    )
    if not affected(status):
        return None
    return await _remove(connection, tenant_id)


async def purge_again(connection: Connection) -> None:
    """Remove what came in for tenants that were deleted lately: dead letters, mostly."""
    gone = await connection.fetch(
        "SELECT tenant_id FROM tenants WHERE deleted_at > now() - make_interval(days => $1)", AGAIN_FOR_DAYS
    )
    for record in gone:
        await _remove(connection, record["tenant_id"])


async def _remove(connection: Connection, tenant_id: str) -> dict[str, int]:
    removed = {
        table: affected(await connection.execute(f"DELETE FROM {table} WHERE {condition}", tenant_id))
        for table, condition in _PURGED
    }
    removed["outbox"] = await forget_tenant(connection, tenant_id)
    return removed


def report(batch: Batch, tenant_id: str, service: str, revision: int, removed: dict[str, int]) -> None:
    """Keep what a service says it has removed so far."""
    values = {"tenant_id": tenant_id, "service": service, "revision": revision, "removed": to_json(removed)}
    batch.upsert(_REPORT, values)


async def purged(where: Where, tenant_id: str) -> tuple[datetime, list[Row]] | None:
    """When the tenant was deleted and what each service has removed; None where it was not."""
    deleted_at = await where.fetchval("SELECT deleted_at FROM tenants WHERE tenant_id = $1", tenant_id)
    if deleted_at is None:
        return None
    records = await where.fetch(
        "SELECT service, removed, purged_at FROM purges WHERE tenant_id = $1 ORDER BY service", tenant_id
    )
    return deleted_at, rows_of(records, "removed")


async def empty_read_model(connection: Connection, tenant_id: str) -> dict[str, int]:
    """Remove what was derived from the other services' states. Returns the number of rows per table."""
    return {
        table: affected(await connection.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tenant_id))
        for table in ("orders", "sets", "documents")
    }


async def revision(where: Where, tenant_id: str) -> int:
    value: int = await where.fetchval("SELECT revision FROM tenants WHERE tenant_id = $1", tenant_id)
    return value


async def deleted(where: Where, tenant_ids: list[str]) -> frozenset[str]:
    """Which of these tenants were deleted: what still arrives for them must not be stored again."""
    records = await where.fetch(
        "SELECT tenant_id FROM tenants WHERE tenant_id = ANY($1::text[]) AND deleted_at IS NOT NULL", tenant_ids
    )
    return frozenset(record["tenant_id"] for record in records)
