"""API keys."""

from datetime import datetime

from api.store.sql import Row, Where, row_of, rows_of
from common.database import affected

_SHOWN = "key_id, tenant_id, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at"


async def active(where: Where, key_id: str) -> Row | None:
    """A key that may be used now, and when it was used last (noted at most once a minute)."""
    record = await where.fetchrow(
        """
        SELECT k.key_id, k.tenant_id, k.scopes, k.secret_hash,
               (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute') AS stale
        FROM api_keys k LEFT JOIN tenants t USING (tenant_id)
        WHERE k.key_id = $1 AND (k.revoked_at IS NULL OR k.revoked_at > now())
          AND (k.expires_at IS NULL OR k.expires_at > now()) AND t.deleted_at IS NULL
        """,
        key_id,
    )
    if record is not None and record["stale"]:
        await where.execute("UPDATE api_keys SET last_used_at = now() WHERE key_id = $1", key_id)
    return row_of(record)


async def insert(
    where: Where,
    *,
    key_id: str,
    tenant_id: str | None,
    name: str,
    hashed: bytes,
    scopes: list[str],
    created_by: str,
    expires_at: datetime | None,
) -> Row:
    """Store a key. A repeated request with the same idempotency key replaces the secret nobody has seen."""
    record = await where.fetchrow(
        f"""
        INSERT INTO api_keys AS k (key_id, tenant_id, name, secret_hash, scopes, created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (key_id) DO UPDATE SET secret_hash = excluded.secret_hash
        WHERE k.tenant_id IS NOT DISTINCT FROM excluded.tenant_id AND k.last_used_at IS NULL
        RETURNING {_SHOWN}
        """,
        key_id,
        tenant_id,
        name,
        hashed,
        scopes,
        created_by,
        expires_at,
    )
    assert record is not None, "an idempotency key was used again after its key had been used"  # noqa: S101
    return dict(record.items())


async def of_tenant(where: Where, tenant_id: str | None) -> list[Row]:
    """Keys of a tenant (None: of operators), newest first; bounded, because people make few."""
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM api_keys WHERE tenant_id IS NOT DISTINCT FROM $1"
            " ORDER BY created_at DESC, key_id LIMIT 500",
            tenant_id,
        )
    )


async def one(where: Where, tenant_id: str | None, key_id: str) -> Row | None:
    return row_of(
        await where.fetchrow(
            f"SELECT {_SHOWN} FROM api_keys WHERE key_id = $1 AND tenant_id IS NOT DISTINCT FROM $2", key_id, tenant_id
        )
    )


async def revoke(where: Where, tenant_id: str | None, key_id: str, *, grace_s: int = 0) -> bool:
    """End a key now or after a grace period; an earlier end stays."""
    status = await where.execute(
        """
        UPDATE api_keys SET revoked_at = least(revoked_at, now() + make_interval(secs => $3))
        WHERE key_id = $1 AND tenant_id IS NOT DISTINCT FROM $2
        """,
        key_id,
        tenant_id,
        grace_s,
    )
    return affected(status) == 1
