"""Somebody rebuilds a mirror of what this service owns: remember the request; `replaying` publishes page by page."""

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import StateRequested
from ledger_writer.store.replays import OWNED, REMEMBER, first_position


def handle(state: StateRequested, _: None, batch: Batch) -> None:
    """Remember a request for states that are ours, once; the others are somebody else's."""
    if state.entity in OWNED:
        batch.execute(REMEMBER, state.request_id, state.tenant_id, state.entity, first_position(state.entity))


HANDLER = Handler(StateRequested, load_nothing, handle)
