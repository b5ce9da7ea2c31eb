"""A mirror wants its entities again: remembered, and published page by page by a worker."""

from collections.abc import Callable

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import StateRequested
from common.messages.fetching import OrderListed
from common.messages.orders import Order, Payout

OURS = frozenset({Order.type, OrderListed.type, Payout.type})


def handler(wake: Callable[[], None]) -> Handler[StateRequested, None]:
    """Remember requests for states that ingest owns; the others are somebody else's."""

    def handle(state: StateRequested, _: None, batch: Batch) -> None:
        if state.entity not in OURS:
            return
        batch.execute(
            "INSERT INTO rebuilds (request_id, tenant_id, entity, after) VALUES ($1, $2, $3, '')"
            " ON CONFLICT DO NOTHING",
            state.request_id,
            state.tenant_id,
            state.entity,
        )
        batch.after_commit(wake)

    return Handler(StateRequested, load_nothing, handle)
