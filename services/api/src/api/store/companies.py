"""Company files: the row is ours, the columns from `ledger_revision` on follow ledger-writer."""

from datetime import datetime

from api.store.sql import Row, Where, row_of, rows_of, to_json
from common.database import affected

_SHOWN = """company_id, tenant_id, ledger, name, created_at, ready, settings, settings_revision, status, reason,
    external_id, home_currency, country, capabilities, lane_paused, assigns_numbers"""
_JSON = ("settings", "reason", "capabilities")


async def insert(where: Where, *, company_id: str, tenant_id: str, ledger: str, name: str) -> None:
    """Store a company file that ledger-writer has yet to accept; the same id again changes nothing."""
    await where.execute(
        "INSERT INTO companies (company_id, tenant_id, ledger, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        company_id,
        tenant_id,
        ledger,
        name,
    )


async def mark_ready(
    where: Where,
    tenant_id: str,
    company_id: str,
    *,
    status: str,
    external_id: str,
    home_currency: str,
    country: str,
    capabilities: list[str],
) -> None:
    """Ledger-writer has accepted it, and said what its state will say too once it arrives."""
    await where.execute(
        """
        UPDATE companies SET ready = true, status = $3, external_id = $4, home_currency = $5, country = $6,
            capabilities = $7::jsonb
        WHERE company_id = $1 AND tenant_id = $2
        """,
        company_id,
        tenant_id,
        status,
        external_id,
        home_currency,
        country,
        to_json(capabilities),
    )


async def delete(where: Where, tenant_id: str, company_id: str) -> bool:
    """Remove it with everything the read model holds of it."""
    for table in ("documents", "sets", "dismissals"):
        await where.execute(f"DELETE FROM {table} WHERE company_id = $1 AND tenant_id = $2", company_id, tenant_id)
    status = await where.execute(
        "DELETE FROM companies WHERE company_id = $1 AND tenant_id = $2", company_id, tenant_id
    )
    return affected(status) == 1


async def one(where: Where, tenant_id: str, company_id: str, *, lock: bool = False) -> Row | None:
    record = await where.fetchrow(
        f"SELECT {_SHOWN} FROM companies WHERE company_id = $1 AND tenant_id = $2" + (" FOR UPDATE" if lock else ""),
        company_id,
        tenant_id,
    )
    return row_of(record, *_JSON)


async def page(where: Where, tenant_id: str, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """In order of creation."""
    moment, identity = after or (None, "")
    return rows_of(
        await where.fetch(
            f"""
            SELECT {_SHOWN} FROM companies
            WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (created_at, company_id) > ($2, $3))
            ORDER BY created_at, company_id LIMIT $4
            """,
            tenant_id,
            moment,
            identity,
            limit,
        ),
        *_JSON,
    )


async def identities(where: Where, tenant_id: str) -> dict[str, tuple[str, str]]:
    """Company file → its ledger, and the company as the ledger names it."""
    records = await where.fetch("SELECT company_id, ledger, external_id FROM companies WHERE tenant_id = $1", tenant_id)
    return {record["company_id"]: (record["ledger"], record["external_id"]) for record in records}


async def used_by(where: Where, tenant_id: str, company_id: str) -> list[str]:
    """Connections that point at the company file."""
    records = await where.fetch(
        "SELECT connection_id FROM connections WHERE company_id = $1 AND tenant_id = $2 ORDER BY connection_id",
        company_id,
        tenant_id,
    )
    return [record["connection_id"] for record in records]
