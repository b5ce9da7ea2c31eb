"""A payout's newest state: store it and let the worker match it with what its orders became."""

from common.batch import Batch
from common.bulk import Upsert
from common.handling import Handler, load_nothing
from common.messages.orders import Payout
from mapper.worker import Waker

PAYOUTS = Upsert(
    "payouts",
    ("tenant_id", "connection_id", "external_id"),
    {
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
    assignments={"dirty_since": "now()"},
)


def handler(waker: Waker) -> Handler[Payout, None]:
    def handle(state: Payout, _: None, batch: Batch) -> None:
        batch.upsert(
            PAYOUTS,
            {
                "tenant_id": state.tenant_id,
                "connection_id": state.connection_id,
                "external_id": state.external_id,
                "revision": state.revision,
                "body": state.model_dump_json(),
            },
        )
        batch.after_commit(waker.wake)

    return Handler(Payout, load_nothing, handle)
