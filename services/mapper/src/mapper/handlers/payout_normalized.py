"""A payout's newest state: store it and let the worker match it with what its orders became."""

from collections.abc import Sequence
from datetime import UTC, datetime

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.orders import Payout
from mapper.store.locks import change_configuration
from mapper.store.payouts import MEMBERS, PAYOUTS, member_rows
from mapper.worker import Waker


def handler(waker: Waker) -> Handler[Payout, None]:
    async def load(connection: Connection, states: Sequence[Payout]) -> None:
        # Alone, so that every order mapped from now on sees which payouts it belongs to.
        await change_configuration(connection, (state.tenant_id for state in states))

    def handle(state: Payout, _: None, batch: Batch) -> None:
        batch.upsert(
            PAYOUTS,
            {
                "tenant_id": state.tenant_id,
                "connection_id": state.connection_id,
                "external_id": state.external_id,
                "revision": state.revision,
                "body": batch.body.decode(),
                "dirty_since": datetime.now(UTC),
            },
        )
        for row in member_rows(state):
            batch.upsert(MEMBERS, row)
        batch.after_commit(waker.wake)

    return Handler(Payout, load, handle)
