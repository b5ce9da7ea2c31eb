"""A tenant is gone: remove everything of it, also what still waits in the outbox."""

from collections.abc import Sequence
from typing import Final

import orjson

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import TenantDeleted
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
)


def handler() -> Handler[TenantDeleted, None]:
    async def load(connection: Connection, states: Sequence[TenantDeleted]) -> None:
        await change_configuration(connection, (state.tenant_id for state in states))

    return Handler(TenantDeleted, load, handle_tenant_deleted)


def handle_tenant_deleted(state: TenantDeleted, _: None, batch: Batch) -> None:
    for table in TABLES:
        batch.execute(f"DELETE FROM {table} WHERE tenant_id = $1", state.tenant_id)  # noqa: S608 - names from this file
    needle = b'"tenant_id":' + orjson.dumps(state.tenant_id)
    batch.execute("DELETE FROM outbox WHERE position($1::bytea IN body) > 0", needle)
