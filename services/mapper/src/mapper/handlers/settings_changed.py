"""New settings of a connection or a company file: store them, and map the orders they touch again."""

from collections.abc import Sequence

from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.handling import Handler
from common.messages.control import SettingsChanged
from mapper.store import payouts, summaries
from mapper.store.locks import change_configuration
from mapper.store.orders import MARK_COMPANY, MARK_CONNECTION
from mapper.worker import Waker

SETTINGS = Upsert(
    "settings",
    ("tenant_id", "scope", "scope_id"),
    {
        "tenant_id": "text",
        "scope": "text",
        "scope_id": "text",
        "company_id": "text",
        "revision": "bigint",
        "deleted": "boolean",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
)

_REVISIONS = """
SELECT s.tenant_id, s.scope, s.scope_id, s.revision
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (tenant_id, scope, scope_id)
JOIN settings s USING (tenant_id, scope, scope_id)
"""

Key = tuple[str, str, str]


def handler(waker: Waker) -> Handler[SettingsChanged, dict[Key, int]]:
    async def load(connection: Connection, states: Sequence[SettingsChanged]) -> dict[Key, int]:
        await change_configuration(connection, (state.tenant_id for state in states))
        keys = [(state.tenant_id, state.scope, state.scope_id) for state in states]
        rows = await connection.fetch(_REVISIONS, *(list(column) for column in zip(*keys, strict=True)))
        return {(row["tenant_id"], row["scope"], row["scope_id"]): row["revision"] for row in rows}

    def handle(state: SettingsChanged, revisions: dict[Key, int], batch: Batch) -> None:
        if state.revision <= revisions.get((state.tenant_id, state.scope, state.scope_id), -1):
            return
        snapshot = state.connection if state.scope == "connection" else state.company
        company_id = state.scope_id
        if state.connection is not None:
            company_id = state.connection.company_id
        batch.upsert(
            SETTINGS,
            {
                "tenant_id": state.tenant_id,
                "scope": state.scope,
                "scope_id": state.scope_id,
                "company_id": company_id,
                "revision": state.revision,
                "deleted": state.deleted or snapshot is None,
                "body": snapshot.model_dump_json() if snapshot is not None else "",
            },
        )
        if state.deleted or snapshot is None:
            return
        if state.scope == "connection":
            batch.execute(MARK_CONNECTION, state.tenant_id, state.scope_id)
            batch.execute(payouts.MARK_CONNECTION, state.tenant_id, state.scope_id)
            batch.execute(summaries.MARK_LEFT_BEHIND, state.tenant_id, state.scope_id, company_id)
        else:
            batch.execute(MARK_COMPANY, state.tenant_id, state.scope_id)
            batch.execute(payouts.MARK_COMPANY, state.tenant_id, state.scope_id)
        batch.after_commit(waker.wake)

    return Handler(SettingsChanged, load, handle)
