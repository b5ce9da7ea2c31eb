"""The audit log: who did what to what. It never holds secrets or personal data."""

from typing import Any

from api.store.sql import Row, Where, rows_of, to_json


async def record(
    where: Where, *, tenant_id: str | None, actor: str, action: str, subject: str, details: dict[str, Any] | None = None
) -> None:
    """Note an action, in the transaction that carries it out."""
    await where.execute(
        "INSERT INTO audit_log (tenant_id, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5::jsonb)",
        tenant_id,
        actor,
        action,
        subject,
        to_json(details or {}),
    )


async def page(where: Where, tenant_id: str | None, before: int | None, limit: int) -> list[Row]:
    """Newest first; None as tenant: what operators did."""
    return rows_of(
        await where.fetch(
            """
            SELECT entry_id, at, actor, action, subject, details FROM audit_log
            WHERE tenant_id IS NOT DISTINCT FROM $1 AND ($2::bigint IS NULL OR entry_id < $2)
            ORDER BY entry_id DESC LIMIT $3
            """,
            tenant_id,
            before,
            limit,
        ),
        "details",
    )
