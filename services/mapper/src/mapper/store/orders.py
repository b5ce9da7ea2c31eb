"""Orders as ingest sent them, which of them must be mapped again, and the locks that keep their sets in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.bulk import Upsert
from common.database import Connection, lock_keys
from common.messages.orders import Order

OrderKey = tuple[str, str, str]
"""(tenant id, connection id, external id)"""

ORDERS = Upsert(
    "orders",
    ("tenant_id", "connection_id", "external_id"),
    {
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "number": "text",
        "customer_external_id": "text",
        "ordered_on": "date",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
    assignments={"received_at": "now()"},
)

_REVISIONS = """
SELECT o.tenant_id, o.connection_id, o.external_id, o.revision
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (tenant_id, connection_id, external_id)
JOIN orders o USING (tenant_id, connection_id, external_id)
"""

_BODIES = """
SELECT o.tenant_id, o.connection_id, o.external_id, o.body
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (tenant_id, connection_id, external_id)
JOIN orders o USING (tenant_id, connection_id, external_id)
"""

_DIRTY_TENANTS = """
WITH RECURSIVE tenants AS (
    (SELECT tenant_id FROM orders WHERE dirty_since IS NOT NULL ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.tenant_id FROM orders o WHERE o.dirty_since IS NOT NULL AND o.tenant_id > t.tenant_id
            ORDER BY o.tenant_id LIMIT 1)
    FROM tenants t WHERE t.tenant_id IS NOT NULL
)
SELECT tenant_id FROM tenants WHERE tenant_id IS NOT NULL
"""

_WAITING = """
SELECT connection_id, external_id FROM orders
WHERE tenant_id = $1 AND dirty_since IS NOT NULL
ORDER BY dirty_live DESC, dirty_since LIMIT $2
"""

_STILL_WAITING = """
SELECT o.body, o.dirty_live, o.dirty_correlation, o.dirty_again
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (tenant_id, connection_id, external_id)
JOIN orders o USING (tenant_id, connection_id, external_id)
WHERE o.dirty_since IS NOT NULL
"""

_TRY_REMAP = "SELECT pg_try_advisory_xact_lock(hashtextextended('mapper remap of ' || $1, 0))"

CLEAN = """
UPDATE orders SET dirty_since = NULL, dirty_live = false, dirty_correlation = '', dirty_again = false
FROM unnest($1::text[], $2::text[], $3::text[]) AS done (tenant_id, connection_id, external_id)
WHERE orders.tenant_id = done.tenant_id AND orders.connection_id = done.connection_id
  AND orders.external_id = done.external_id
"""

MARK_CONNECTION = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id = $2
"""

MARK_COMPANY = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id IN (
    SELECT scope_id FROM settings
    WHERE tenant_id = $1 AND scope = 'connection' AND company_id = $2 AND NOT deleted)
"""

MARK_TENANT = "UPDATE orders SET dirty_since = coalesce(dirty_since, now()) WHERE tenant_id = $1"

MARK_CUSTOMER = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now()), dirty_live = true
WHERE tenant_id = $1 AND connection_id = $2 AND customer_external_id = $3
"""

MARK_UNMATCHED = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now()), dirty_live = true
FROM (SELECT DISTINCT tenant_id, connection_id, external_id FROM unmatched
      WHERE tenant_id = $1 AND company_id = $2 AND product_key = ANY($3::text[])) AS waiting
WHERE orders.tenant_id = waiting.tenant_id AND orders.connection_id = waiting.connection_id
  AND orders.external_id = waiting.external_id
"""

MARK_ORDERS = """
UPDATE orders SET dirty_since = coalesce(dirty_since, now()), dirty_live = true, dirty_correlation = $4,
    dirty_again = dirty_again OR $5
FROM unnest($2::text[], $3::text[]) AS wanted (connection_id, external_id)
WHERE orders.tenant_id = $1 AND orders.connection_id = wanted.connection_id
  AND orders.external_id = wanted.external_id
"""


@dataclass(frozen=True, slots=True)
class DirtyOrder:
    """An order that must be mapped again, and on whose behalf."""

    order: Order
    live: bool
    correlation_id: str
    again: bool


def key_of(order: Order) -> OrderKey:
    return (order.tenant_id, order.connection_id, order.external_id)


def order_row(order: Order, body: str) -> dict[str, object]:
    """Values of one row of `ORDERS`."""
    return {
        "tenant_id": order.tenant_id,
        "connection_id": order.connection_id,
        "external_id": order.external_id,
        "revision": order.revision,
        "number": order.number,
        "customer_external_id": order.customer.external_id if order.customer else None,
        "ordered_on": order.ordered_on,
        "body": body,
    }


async def lock_orders(connection: Connection, keys: Iterable[OrderKey]) -> None:
    """Nobody else decides about these orders' sets until the transaction ends."""
    await lock_keys(connection, {f"mapper order {'/'.join(key)}" for key in keys})


async def stored_revisions(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, int]:
    rows = await connection.fetch(_REVISIONS, *columns_of(keys))
    return {(row["tenant_id"], row["connection_id"], row["external_id"]): row["revision"] for row in rows}


async def read_orders(connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, Order]:
    """Stored orders; those mapper never received are left out."""
    rows = await connection.fetch(_BODIES, *columns_of(keys))
    return {
        (row["tenant_id"], row["connection_id"], row["external_id"]): Order.model_validate_json(row["body"])
        for row in rows
    }


async def dirty_tenants(connection: Connection) -> list[str]:
    """Tenants with orders that wait to be mapped again; a loose index scan, so many waiting orders cost nothing."""
    return [row["tenant_id"] for row in await connection.fetch(_DIRTY_TENANTS)]


async def is_asked_for(connection: Connection, key: OrderKey) -> bool:
    """Whether somebody waits for the order's set to be sent, changed or not."""
    found: bool | None = await connection.fetchval(
        "SELECT dirty_again FROM orders WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3", *key
    )
    return bool(found)


async def claim_dirty(
    connection: Connection, tenant_id: str, limit: int, only: OrderKey | None = None
) -> list[DirtyOrder]:
    """Lock up to `limit` waiting orders, or `only` one, and read them; nothing while a replica is at the tenant's.

    Order locks come before the rows are read, in the same way as in a batch of new orders: the two can't deadlock.
    """
    if not await connection.fetchval(_TRY_REMAP, tenant_id):
        return []
    if only is not None:
        keys = [only]
    else:
        waiting = await connection.fetch(_WAITING, tenant_id, limit)
        keys = [(tenant_id, row["connection_id"], row["external_id"]) for row in waiting]
    if not keys:
        return []
    await lock_orders(connection, keys)
    rows = await connection.fetch(_STILL_WAITING, *columns_of(keys))
    return [
        DirtyOrder(
            Order.model_validate_json(row["body"]), row["dirty_live"], row["dirty_correlation"], row["dirty_again"]
        )
        for row in rows
    ]


def columns_of(keys: Sequence[OrderKey]) -> tuple[list[str], list[str], list[str]]:
    """Keys as the three arrays that statements unnest."""
    return [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]
