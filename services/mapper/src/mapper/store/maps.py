"""Maps of what a channel says to the ledger's objects, and the queue of products that no map or match covers."""

from collections.abc import Sequence

import asyncpg

from common.database import Connection, affected
from common.internal.mapper import MapEntry
from mapper.mapping.names import normal
from mapper.store.companies import LINKS_CHANGED_OF_CONNECTION

_PAGE = """
SELECT connection_id, source_key, source, target FROM maps
WHERE tenant_id = $1 AND map_name = $2 AND ($3 = '' OR connection_id = $3)
  AND (connection_id, source_key) > ($4, $5)
ORDER BY connection_id, source_key LIMIT $6
"""
_WRITE = """
INSERT INTO maps AS m (tenant_id, connection_id, map_name, source_key, source, target)
SELECT $1, connection_id, $2, source_key, source, target
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS rows (connection_id, source_key, source, target)
ON CONFLICT (tenant_id, connection_id, map_name, source_key) DO UPDATE
SET source = excluded.source, target = excluded.target, updated_at = now()
"""
_REMOVE = """
DELETE FROM maps USING unnest($3::text[], $4::text[]) AS gone (connection_id, source_key)
WHERE maps.tenant_id = $1 AND maps.map_name = $2 AND maps.connection_id = gone.connection_id
  AND maps.source_key = gone.source_key
"""
_RELEASE = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now()), dirty_live = true
FROM (
    SELECT DISTINCT u.tenant_id, u.connection_id, u.external_id
    FROM unmatched u JOIN unnest($2::text[], $3::text[]) AS changed (connection_id, product_key)
      ON u.product_key = changed.product_key AND changed.connection_id IN ('*', u.connection_id)
    WHERE u.tenant_id = $1
) AS waiting
WHERE orders.tenant_id = waiting.tenant_id AND orders.connection_id = waiting.connection_id
  AND orders.external_id = waiting.external_id
"""
_MARK_REST = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND ('*' = ANY($2::text[]) OR connection_id = ANY($2::text[]))
"""
_UNMATCHED = """
SELECT connection_id, product_key, max(sku) AS sku, max(name) AS name, count(*) AS orders,
       min(first_seen_at) AS first_seen_at
FROM unmatched
WHERE tenant_id = $1 AND ($2 = '' OR connection_id = $2) AND (connection_id, product_key) > ($3, $4)
GROUP BY connection_id, product_key ORDER BY connection_id, product_key LIMIT $5
"""


def source_key(source: str) -> str:
    """How a map's source is looked up: ids and titles keep their mark, SKUs stand alone."""
    for mark in ("id:", "title:"):
        if source.lower().startswith(mark):
            rest = source[len(mark) :].strip()
            return mark + (rest if mark == "id:" else normal(rest))
    return normal(source)


def product_key(source: str) -> str:
    """The unmatched product that this source speaks of."""
    return source_key(source).removeprefix("id:").removeprefix("title:")


async def map_page(
    connection: Connection, tenant_id: str, map_name: str, connection_id: str, after: tuple[str, str], limit: int
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(_PAGE, tenant_id, map_name, connection_id, *after, limit)
    return rows


async def save_map(
    connection: Connection, tenant_id: str, map_name: str, entries: Sequence[MapEntry]
) -> tuple[int, int, int]:
    """Write and remove entries. Returns saved, removed, and how many waiting orders this releases.

    Those are mapped again first; behind them every order of the connections, because a changed map may send products
    of written orders elsewhere.

    The caller holds the tenant's configuration lock alone.
    """
    kept = {(entry.connection_id, source_key(entry.source)): entry for entry in entries if entry.target}
    gone = sorted({(entry.connection_id, source_key(entry.source)) for entry in entries if not entry.target})
    if kept:
        rows = [(key[0], key[1], entry.source, entry.target) for key, entry in sorted(kept.items())]
        await connection.execute(_WRITE, tenant_id, map_name, *(list(column) for column in zip(*rows, strict=True)))
    removed = 0
    if gone:
        status = await connection.execute(
            _REMOVE, tenant_id, map_name, [key[0] for key in gone], [key[1] for key in gone]
        )
        removed = affected(status)
    connections = sorted({entry.connection_id for entry in entries})
    for changed in connections:
        await connection.execute(LINKS_CHANGED_OF_CONNECTION, tenant_id, changed)
    keys = [(entry.connection_id, product_key(entry.source)) for entry in entries]
    status = await connection.execute(_RELEASE, tenant_id, [key[0] for key in keys], [key[1] for key in keys])
    await connection.execute(_MARK_REST, tenant_id, connections)
    return len(kept), removed, affected(status)


async def unmatched_page(
    connection: Connection, tenant_id: str, connection_id: str, after: tuple[str, str], limit: int
) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(_UNMATCHED, tenant_id, connection_id, *after, limit)
    return rows
