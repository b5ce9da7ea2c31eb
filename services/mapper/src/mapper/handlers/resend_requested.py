"""Somebody wants orders brought up to date now: map them again ahead of bulk work, on that request's behalf.

Their sets are sent once more as they are if nothing of them changed: who has that revision ignores it, and who lost it
to a dead letter gets it back. A request only to map sends what changed.
"""

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import ResendRequested
from mapper.store.orders import MARK_ORDERS
from mapper.worker import Waker


def handler(waker: Waker) -> Handler[ResendRequested, None]:
    def handle(state: ResendRequested, _: None, batch: Batch) -> None:
        if not state.order_keys:
            return
        keys = [key.partition("/") for key in dict.fromkeys(state.order_keys)]
        connections, orders = [key[0] for key in keys], [key[2] for key in keys]
        batch.execute(MARK_ORDERS, state.tenant_id, connections, orders, state.resend_id, not state.only_map)
        batch.after_commit(waker.wake)

    return Handler(ResendRequested, load_nothing, handle)
