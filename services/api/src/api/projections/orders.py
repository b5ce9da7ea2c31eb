"""`order.listed` → the list of orders."""

from api.projections.living import Deleted, load_deleted
from api.projections.reasons import reason_code, reason_json
from common.batch import Batch
from common.bulk import Upsert
from common.handling import Handler
from common.messages.fetching import OrderListed

ORDERS = Upsert(
    table="orders",
    key=("order_key",),
    columns={
        "order_key": "text",
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "channel": "text",
        "number": "text",
        "status": "text",
        "ordered_on": "date",
        "currency": "text",
        "total": "numeric",
        "received_at": "timestamptz",
        "run_id": "text",
        "problem": "jsonb",
        "problem_code": "text",
    },
    guard="t.revision <= excluded.revision",
    assignments={"said_at": "now()"},
)


def handle_order_listed(state: OrderListed, deleted: Deleted, batch: Batch) -> None:
    """Keep what a list, a filter and a reason need of the order."""
    if state.tenant_id in deleted:
        return
    batch.upsert(
        ORDERS,
        {
            "order_key": state.key,
            "tenant_id": state.tenant_id,
            "connection_id": state.connection_id,
            "external_id": state.external_id,
            "revision": state.revision,
            "channel": state.channel,
            "number": state.number,
            "status": state.status,
            "ordered_on": state.ordered_on,
            "currency": state.currency,
            "total": state.total,
            "received_at": state.received_at,
            "run_id": state.run_id,
            "problem": reason_json(state.problem),
            "problem_code": reason_code(state.problem),
        },
    )


ORDER_LISTED = Handler(OrderListed, load_deleted, handle_order_listed)
