"""An order's newest state: store it, map it, and publish its set if that changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.orders import Order
from mapper.remapping import Surroundings, looks_once, map_and_record, read_surroundings
from mapper.store.configurations import Configurations
from mapper.store.locks import share_configuration
from mapper.store.orders import ORDERS, OrderKey, key_of, lock_orders, order_row, stored_revisions


@dataclass(frozen=True, slots=True)
class Loaded:
    around: Surroundings
    revisions: dict[OrderKey, int]


def handler(configurations: Configurations) -> Handler[Order, Loaded]:
    async def load(connection: Connection, states: Sequence[Order]) -> Loaded:
        await share_configuration(connection, (state.tenant_id for state in states))
        keys = [key_of(state) for state in states]
        await lock_orders(connection, keys)
        revisions = await stored_revisions(connection, keys)
        return Loaded(await read_surroundings(connection, configurations, keys), revisions)

    return Handler(Order, load, handle_order_normalized)


def handle_order_normalized(state: Order, loaded: Loaded, batch: Batch) -> None:
    """An older or equal revision changes nothing: what is stored is already mapped."""
    key = key_of(state)
    stored = loaded.revisions.get(key, -1)
    if state.revision <= stored:
        return
    batch.upsert(ORDERS, order_row(state, batch.body.decode()))
    prepared = loaded.around.prepared.get((state.tenant_id, state.connection_id))
    # What somebody asked for by its number is looked at whenever it changes.
    if prepared is not None and stored >= 0 and looks_once(prepared.connection) and not state.let_through:
        return
    map_and_record(state, loaded.around, batch, backfill=batch.backfill, correlation_id=batch.correlation_id)
