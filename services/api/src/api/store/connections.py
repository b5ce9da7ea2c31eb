"""Connections: one paired account of a sales channel. Credentials are with ingest, never here."""

from datetime import datetime

from api.store.sql import Row, Where, row_of, rows_of
from common.database import affected
from common.internal.ingest import ConnectionView

_SHOWN = (
    "connection_id, tenant_id, channel, name, created_at, ready, fetches, fetches_payouts, company_id, settings,"
    " settings_revision"
)
_JSON = ("settings",)


async def insert(where: Where, *, connection_id: str, tenant_id: str, channel: str, name: str) -> None:
    """Store a connection that ingest has yet to accept; the same id again changes nothing."""
    await where.execute(
        "INSERT INTO connections (connection_id, tenant_id, channel, name) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        connection_id,
        tenant_id,
        channel,
        name,
    )


async def mark_ready(where: Where, tenant_id: str, view: ConnectionView) -> None:
    """Ingest has accepted it, or its new credentials."""
    await where.execute(
        "UPDATE connections SET ready = true, fetches = $3, fetches_payouts = $4"
        " WHERE connection_id = $1 AND tenant_id = $2",
        view.connection_id,
        tenant_id,
        view.fetches,
        view.fetches_payouts,
    )


async def delete(where: Where, tenant_id: str, connection_id: str) -> bool:
    """Remove it with its tasks and what the read model holds of its orders; the ledger keeps what was written."""
    for table in ("tasks", "orders", "sets", "documents"):
        await where.execute(
            f"DELETE FROM {table} WHERE connection_id = $1 AND tenant_id = $2", connection_id, tenant_id
        )
    status = await where.execute(
        "DELETE FROM connections WHERE connection_id = $1 AND tenant_id = $2", connection_id, tenant_id
    )
    return affected(status) == 1


async def one(where: Where, tenant_id: str, connection_id: str, *, lock: bool = False) -> Row | None:
    record = await where.fetchrow(
        f"SELECT {_SHOWN} FROM connections WHERE connection_id = $1 AND tenant_id = $2"
        + (" FOR UPDATE" if lock else ""),
        connection_id,
        tenant_id,
    )
    return row_of(record, *_JSON)


async def of_company(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """Connections with settings that point at a company file."""
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM connections WHERE tenant_id = $1 AND company_id = $2 AND settings IS NOT NULL"
            " ORDER BY connection_id",
            tenant_id,
            company_id,
        ),
        *_JSON,
    )


async def pointing(where: Where, tenant_id: str) -> dict[str, str]:
    """Connection → the company file that its settings name."""
    records = await where.fetch(
        "SELECT connection_id, company_id FROM connections"
        " WHERE tenant_id = $1 AND settings IS NOT NULL AND company_id IS NOT NULL",
        tenant_id,
    )
    return {record["connection_id"]: record["company_id"] for record in records}


async def unknown(where: Where, tenant_id: str, named: list[str]) -> set[str]:
    """Which of these are no connections of the tenant."""
    records = await where.fetch(
        "SELECT connection_id FROM connections WHERE tenant_id = $1 AND connection_id = ANY($2::text[])",
        tenant_id,
        named,
    )
    return set(named) - {record["connection_id"] for record in records}


async def page(where: Where, tenant_id: str, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """In order of creation."""
    moment, identity = after or (None, "")
    return rows_of(
        await where.fetch(
            f"""
            SELECT {_SHOWN} FROM connections
            WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (created_at, connection_id) > ($2, $3))
            ORDER BY created_at, connection_id LIMIT $4
            """,
            tenant_id,
            moment,
            identity,
            limit,
        ),
        *_JSON,
    )
