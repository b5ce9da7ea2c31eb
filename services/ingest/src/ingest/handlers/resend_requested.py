"""A person wants orders brought up to date from their source: fetched, or read again from the stored parts."""

from collections.abc import Callable

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import ResendRequested
from ingest.store.due import FETCH_ASKED, RESEND


def handler(wake: Callable[[], None]) -> Handler[ResendRequested, None]:
    """Mark the orders due. What changes is published as a new revision; what does not, once more as it is.

    Who has that revision ignores it; who lost it to a dead letter that was never replayed gets it back. The list entry
    is the answer to who asked: it goes out for an order that is refused as before, too.
    """

    def handle(state: ResendRequested, _: None, batch: Batch) -> None:
        keys = [key.partition("/") for key in state.order_keys]
        if not keys or state.only_map:
            return
        batch.execute(
            """
            UPDATE orders SET due_at = now(), due_attempts = 0,
                due_kind = CASE WHEN due_at IS NOT NULL AND due_kind = $5 THEN due_kind ELSE $4 END
            FROM unnest($1::text[], $2::text[]) AS wanted (connection_id, external_id)
            WHERE orders.connection_id = wanted.connection_id AND orders.external_id = wanted.external_id
            AND orders.tenant_id = $3
            """,
            [connection_id for connection_id, _, _ in keys],
            [external_id for _, _, external_id in keys],
            state.tenant_id,
            FETCH_ASKED if state.refetch else RESEND,
            FETCH_ASKED,
        )
        batch.after_commit(wake)

    return Handler(ResendRequested, load_nothing, handle)
