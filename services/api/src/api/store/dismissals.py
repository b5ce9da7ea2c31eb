"""What people hid, and took back."""

from typing import Any

from api.store.sql import Row, Where, rows_of


async def save(
    where: Where,
    *,
    tenant_id: str,
    company_id: str,
    subjects: list[tuple[str, int]],
    is_order: bool,
    dismissed: bool,
    note: str,
    changed_by: str,
) -> list[tuple[str, int]]:
    """Record a change of mind for each (subject, order revision). Returns (subject, revision of the dismissal)."""
    records: list[Any] = await where.fetch(
        """
        INSERT INTO dismissals AS t
            (subject, tenant_id, company_id, is_order, order_revision, dismissed, note, changed_by)
        SELECT subject, $3, $4, $5, order_revision, $6, $7, $8
        FROM unnest($1::text[], $2::bigint[]) AS chosen (subject, order_revision) ORDER BY subject
        ON CONFLICT (subject) DO UPDATE SET dismissed = excluded.dismissed, note = excluded.note,
            order_revision = excluded.order_revision, changed_by = excluded.changed_by, changed_at = now(),
            revision = t.revision + 1
        WHERE t.tenant_id = excluded.tenant_id
        RETURNING subject, revision
        """,
        [subject for subject, _ in subjects],
        [order_revision for _, order_revision in subjects],
        tenant_id,
        company_id,
        is_order,
        dismissed,
        note,
        changed_by,
    )
    return [(record["subject"], record["revision"]) for record in records]


async def current(where: Where, tenant_ids: list[str]) -> list[Row]:
    """Every dismissal of a document of these tenants, for mirrors that are rebuilt."""
    if not tenant_ids:
        return []
    return rows_of(
        await where.fetch(
            "SELECT subject, tenant_id, company_id, dismissed, note, revision FROM dismissals"
            " WHERE NOT is_order AND tenant_id = ANY($1::text[])",
            tenant_ids,
        )
    )
