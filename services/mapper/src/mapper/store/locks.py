"""Who may decide about a tenant's orders at the same time.

Mapping takes the tenant's lock shared; whatever changes settings, rules, maps or items takes it alone. A change
therefore waits for the mappings under way, marks orders that must be mapped again, and everything mapped after it
sees it: no stale set can stay. The lock is advisory because a connection's first settings have no row to lock.
"""

from collections.abc import Iterable

from common.database import Connection, lock_keys


def _key(tenant_id: str) -> str:
    return f"mapper configuration of {tenant_id}"


async def share_configuration(connection: Connection, tenants: Iterable[str]) -> None:
    """Keep the tenants' configuration as it is until the transaction ends. Take it before any other lock."""
    keys = sorted({_key(tenant) for tenant in tenants})
    if keys:
        await connection.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(key, 0)) FROM unnest($1::text[]) AS key", keys
        )


async def change_configuration(connection: Connection, tenants: Iterable[str]) -> None:
    """Wait until nobody maps orders of these tenants, and keep it so until the transaction ends."""
    await lock_keys(connection, {_key(tenant) for tenant in tenants})
