"""A tenant leaves: everything of theirs is removed, what waits in the outbox included."""

from collections.abc import Callable, Sequence
from functools import partial

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import TenantDeleted
from ingest.store import connections

Owned = dict[str, list[str]]


async def load(connection: Connection, states: Sequence[TenantDeleted]) -> Owned:
    """Connections of each tenant."""
    return {state.tenant_id: await connections.of_tenant(connection, state.tenant_id) for state in states}


def handler(forget: Callable[[str], None]) -> Handler[TenantDeleted, Owned]:
    """Delete row by row's owner; running it again finds nothing."""

    def handle(state: TenantDeleted, owned: Owned, batch: Batch) -> None:
        for connection_id in owned[state.tenant_id]:
            for statement in connections.DELETE_OF_CONNECTION:
                batch.execute(statement, connection_id)
            batch.after_commit(partial(forget, connection_id))
        batch.execute("DELETE FROM rebuilds WHERE tenant_id = $1", state.tenant_id)
        batch.execute("DELETE FROM runs WHERE tenant_id = $1", state.tenant_id)

    return Handler(TenantDeleted, load, handle)
