"""`task.progressed` → the items of a run. Each page is stored for itself, so that lost and repeated ones do no harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.projections.living import Deleted, load_deleted
from api.projections.reasons import reason_json
from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.handling import Handler
from common.messages.control import ResendRequested, TaskKind
from common.messages.fetching import FetchOutcome, TaskProgress
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

_KEYS_PER_MESSAGE = 500
_FETCHED = """
UPDATE runs SET fetched_at = coalesce(fetched_at, now()), failed = coalesce($3::jsonb, failed)
WHERE run_id = $1 AND tenant_id = $2
"""


_MANUAL = "SELECT run_id, company_id FROM runs WHERE run_id = ANY($1::text[]) AND kind = $2 AND company_id IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Runs:
    """What the pages of a batch belong to. `manual`: run that a person started → its company file."""

    deleted: Deleted
    manual: Mapping[str, str]


async def load_runs(connection: Connection, states: Sequence[TaskProgress]) -> Runs:
    """Deleted tenants and manual runs among those of the batch."""
    rows = await connection.fetch(_MANUAL, sorted({state.run_id for state in states}), TaskKind.MANUAL.value)
    return Runs(await load_deleted(connection, states), {row["run_id"]: row["company_id"] for row in rows})


def handle_task_progress(state: TaskProgress, loaded: Runs, batch: Batch) -> None:
    """Add the orders this page saw; an order seen twice keeps the later page's revision."""
    if state.tenant_id in loaded.deleted:
        return
    if state.run_id in loaded.manual:
        _map_again(state, loaded.manual[state.run_id], batch)
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


def _map_again(state: TaskProgress, company_id: str, batch: Batch) -> None:
    """Orders that a manual sync found unchanged follow the connection's transaction mode from now on (section 9.4)."""
    keys = {
        order_key(state.connection_id, fetched.external_id)
        for fetched in state.items
        if fetched.external_id is not None and fetched.outcome is FetchOutcome.UNCHANGED
    }
    ordered = sorted(keys)
    for start in range(0, len(ordered), _KEYS_PER_MESSAGE):
        batch.publish(
            ResendRequested(
                tenant_id=state.tenant_id,
                revision=1,
                resend_id=f"{state.run_id}.{state.revision}.{start}",
                company_id=company_id,
                order_keys=tuple(ordered[start : start + _KEYS_PER_MESSAGE]),
                only_map=True,
            ),
            correlation_id=state.run_id,
        )


TASK_PROGRESS = Handler(TaskProgress, load_runs, handle_task_progress)
