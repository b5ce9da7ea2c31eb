"""How a source customer relates to the ledger: linked, made, left out, or waiting (domain reference, section 29)."""

from collections.abc import Sequence

from common.batch import Batch
from common.database import Connection, lock_keys
from common.handling import Handler
from common.messages.control import CustomerConnected
from common.messages.transactions import CustomerWanted, MissingPolicy
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.messages import to_document_changed
from ledger_writer.planning.content import content_hash
from ledger_writer.store import due, requests
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.rows import Row, encode_link

_CONNECT = """
UPDATE documents SET horizon = $2, wanted = $3, content_hash = $4, name = $5, dismissed_revision = $6
WHERE document_key = $1
"""
_PLAN_AGAIN = """
UPDATE documents SET state = 'queued', seq = nextval('due_seq'), blocked_by = NULL
WHERE company_id = $1 AND code IN ('BEFORE_HORIZON', 'CUSTOMER_MISSING', 'CUSTOMER_AMBIGUOUS', 'CUSTOMER_INACTIVE',
    'CUSTOMER_CURRENCY_DIFFERS')
AND state IN ('skipped', 'blocked', 'action_required')
"""


async def load(connection: Connection, states: Sequence[CustomerConnected]) -> dict[str, Row]:
    """Apply each connection in key order; newer ones win by their revision."""
    changed: dict[str, Row] = {}
    # Orders bring such customers' contact meanwhile.
    await lock_keys(connection, [state.customer_key for state in states])
    for state in sorted(states, key=lambda one: one.customer_key):
        row = await requests.lock(connection, state.customer_key, state.tenant_id)
        if row is None or row.company_id != state.company_id:
            continue
        if await requests.connection_revision(connection, state.customer_key) >= state.revision:
            continue
        changed[state.key] = await _connect(connection, row, state)
    await connection.execute(NOTIFY, sorted({state.company_id for state in states}))
    return changed


async def _connect(connection: Connection, row: Row, state: CustomerConnected) -> Row:
    wanted = CustomerWanted.model_validate_json(row.wanted)
    chosen: dict[str, str] = {"display_name": state.display_name or wanted.display_name}
    if state.link == "existing":
        chosen["ledger_id"] = state.ledger_id or ""
    elif state.link == "create":
        # A person wants it made, whatever the connection does about customers that are missing.
        chosen["missing"] = MissingPolicy.CREATE
    wanted = wanted.model_copy(update=chosen)
    await connection.execute(
        _CONNECT,
        row.document_key,
        state.horizon,
        wanted.model_dump_json(exclude_defaults=True),
        content_hash(wanted),
        wanted.display_name,
        state.revision,
    )
    if state.link == "existing" and state.ledger_id:
        link = LedgerLink(state.ledger_id, name=wanted.display_name)
        row = await requests.link(connection, row.document_key, encode_link(link), state.ledger_id)
    elif state.link == "ignore":
        row = await requests.set_state(connection, row.document_key, "dismissed")
    elif row.written_hash is None:
        row = await requests.set_state(connection, row.document_key, "queued" if state.link == "create" else row.state)
    await due.release(connection, [row.document_key])
    await connection.execute(_PLAN_AGAIN, row.company_id)
    return row


def handle(state: CustomerConnected, loaded: dict[str, Row], batch: Batch) -> None:
    row = loaded.get(state.key)
    if row is not None:
        batch.publish(to_document_changed(row))


HANDLER = Handler(CustomerConnected, load, handle)
