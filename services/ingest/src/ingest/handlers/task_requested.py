"""A run that the api wants carried out, restarted or cancelled: stored here, worked on by `ingest.workers`."""

from collections.abc import Callable

from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import TaskRequested
from ingest.store.runs import RUNS


def handler(wake: Callable[[], None]) -> Handler[TaskRequested, None]:
    """Store the request; a higher revision restarts or cancels the run."""

    def handle(state: TaskRequested, _: None, batch: Batch) -> None:
        batch.upsert(
            RUNS,
            {
                "run_id": state.run_id,
                "tenant_id": state.tenant_id,
                "connection_id": state.connection_id,
                "revision": state.revision,
                "request": state.model_dump_json(),
                "state": "cancelled" if state.cancelled else "open",
                "position": "{}",
                "pages": 0,
                "attempts": 0,
                "requested_at": state.requested_at,
                "leased_until": None,
                "retry_at": None,
            },
        )
        batch.after_commit(wake)

    return Handler(TaskRequested, load_nothing, handle)
