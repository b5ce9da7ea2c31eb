"""A tenant leaves: everything of theirs is removed, here and later what was under way."""

from typing import Final

from common.database import Connection, affected
from common.forgetting import Forgetting
from mapper.store.locks import change_configuration

TABLES: Final = (
    "orders",
    "payouts",
    "payout_members",
    "order_references",
    "summaries",
    "summary_members",
    "sets",
    "unmatched",
    "products",
    "customer_links",
    "maps",
    "rules",
    "rule_sets",
    "catalog",
    "companies",
    "settings",
    "replays",
    "set_aside",
)


async def purge(connection: Connection, tenant_id: str) -> dict[str, int]:
    """Remove everything of a tenant. Returns the number of rows per table."""
    await change_configuration(connection, [tenant_id])
    return {
        table: affected(await connection.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tenant_id))  # noqa: S608
        for table in TABLES
    }


FORGETTING = Forgetting("mapper", purge)
