"""A person wants these tried now. What is held by a rule that a person may override is overridden.

A document whose dependency is not in the ledger is refused by planning, with the dependency's name; `cascade` sends
the dependencies too, and the lane writes them first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import ResendRequested
from common.messages.documents import DocumentState
from ledger_writer.planning.dependencies import referred
from ledger_writer.store import due, requests
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.rows import Row, parse_wanted

_ROUNDS_MAX = 8
_SETTLED = frozenset({DocumentState.SYNCED, DocumentState.VOIDED})


@dataclass(frozen=True, slots=True)
class Asked:
    """Resend id → keys of the documents to queue."""

    keys: dict[str, list[str]]


async def load(connection: Connection, states: Sequence[ResendRequested]) -> Asked:
    await connection.execute(NOTIFY, sorted({state.company_id for state in states}))
    keys = {}
    for state in states:
        if state.only_map:
            continue
        rows = await due.by_keys(connection, state.document_keys)
        rows += await requests.of_orders(connection, state.company_id, state.order_keys)
        ours = {row.document_key: row for row in rows if _is_asked(row, state)}
        if state.cascade:
            await _add_dependencies(connection, ours, state)
        keys[state.resend_id] = sorted(ours)
    return Asked(keys)


def _is_asked(row: Row, state: ResendRequested) -> bool:
    return row.tenant_id == state.tenant_id and row.company_id == state.company_id


async def _add_dependencies(connection: Connection, rows: dict[str, Row], state: ResendRequested) -> None:
    """Everything the rows need, as far as it is not in the ledger."""
    pending = list(rows.values())
    for _ in range(_ROUNDS_MAX):
        needed = {key for row in pending for key in referred(parse_wanted(row.kind, row.wanted))} - rows.keys()
        if not needed:
            return
        found = await due.by_keys(connection, needed)
        pending = [row for row in found if row.state not in _SETTLED and _is_asked(row, state)]
        rows.update({row.document_key: row for row in pending})
        if not pending:
            return


def handle(state: ResendRequested, loaded: Asked, batch: Batch) -> None:
    keys = loaded.keys.get(state.resend_id, [])
    if keys:
        batch.execute(requests.RESEND, keys)


HANDLER = Handler(ResendRequested, load, handle)
