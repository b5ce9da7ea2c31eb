"""`task.progressed` → the items of a run. Each page is stored for itself, so that lost and repeated ones do no harm."""

from api.projections.living import Deleted, load_deleted
from api.projections.reasons import reason_json
from common.batch import Batch
from common.bulk import Upsert
from common.handling import Handler
from common.messages.fetching import TaskProgress
from common.messages.orders import order_key

RUN_ITEMS = Upsert(
    table="run_items",
    key=("run_id", "item"),
    columns={
        "run_id": "text",
        "item": "text",
        "page": "bigint",
        "order_key": "text",
        "number": "text",
        "revision": "bigint",
        "outcome": "text",
        "reason": "jsonb",
    },
    guard="t.page <= excluded.page",
)

_FETCHED = """
UPDATE runs SET fetched_at = coalesce(fetched_at, now()), failed = coalesce($3::jsonb, failed)
WHERE run_id = $1 AND tenant_id = $2
"""


def handle_task_progress(state: TaskProgress, deleted: Deleted, batch: Batch) -> None:
    """Add the orders this page saw; an order seen twice keeps the later page's revision."""
    if state.tenant_id in deleted:
        return
    for fetched in state.items:
        # What the channel does not know has no id of its own; its number is all there is to tell it by.
        known = fetched.external_id is not None
        batch.upsert(
            RUN_ITEMS,
            {
                "run_id": state.run_id,
                "item": fetched.external_id if known else f"number {fetched.number}",
                "page": state.revision,
                "order_key": order_key(state.connection_id, fetched.external_id) if fetched.external_id else None,
                "number": fetched.number,
                "revision": fetched.revision,
                "outcome": fetched.outcome.value,
                "reason": reason_json(fetched.reason),
            },
        )
    if state.finished or state.failed is not None:
        batch.execute(_FETCHED, state.run_id, state.tenant_id, reason_json(state.failed))


TASK_PROGRESS = Handler(TaskProgress, load_deleted, handle_task_progress)
