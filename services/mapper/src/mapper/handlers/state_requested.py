"""Somebody rebuilds a mirror of our sets: remember the request; the worker publishes them page by page."""

from typing import Final

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import StateRequested
from common.messages.transactions import TransactionSet, TransactionsListed
from mapper.worker import Waker

OURS: Final = frozenset({TransactionSet.type, TransactionsListed.type})

_REMEMBER = """
INSERT INTO replays (request_id, entity, tenant_id, position) VALUES ($1, $2, $3, '["", "", "", "", ""]'::jsonb)
ON CONFLICT (request_id) DO NOTHING
"""


def handler(waker: Waker) -> Handler[StateRequested, None]:
    def handle(state: StateRequested, _: None, batch: Batch) -> None:
        if state.entity not in OURS:
            return
        batch.execute(_REMEMBER, state.request_id, state.entity, state.tenant_id)
        batch.after_commit(waker.wake)

    return Handler(StateRequested, load_nothing, handle)
