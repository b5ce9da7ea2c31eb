"""What people and settings do to documents: resend, dismiss, connect, re-queue by code."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from common.database import Connection
from ledger_writer.planning.holds import NOT_POSTING
from ledger_writer.planning.states import TRANSITIONS, Event, S
from ledger_writer.store import replays
from ledger_writer.store.due import apply
from ledger_writer.store.rows import COLUMNS, Row, decode_applications


def _state_after(event: Event) -> str:
    """The state machine's column for an event as SQL, leaving states alone in which it can't happen."""
    moves: dict[S, list[S]] = {}
    for state in S:
        to = TRANSITIONS.get((state, event), state)
        if to is not state:
            moves.setdefault(to, []).append(state)
    cases = " ".join(
        f"WHEN state IN ({', '.join(repr(one.value) for one in states)}) THEN '{to.value}'"
        for to, states in moves.items()
    )
    return f"CASE {cases} ELSE state END"


RESEND = f"""
UPDATE documents SET state = {_state_after(Event.RESENT)}, override = true, failures = 0, next_attempt_at = now(),
    priority = 0, seq = nextval('due_seq'), blocked_by = NULL, error_class = ''
WHERE document_key = ANY($1::text[])
"""

_OF_ORDERS = f"""
SELECT {COLUMNS} FROM documents WHERE set_key IN (
    SELECT set_key FROM sets WHERE company_id = $1 AND (source_id, connection_id) IN (
        SELECT source_id, connection_id FROM unnest($2::text[], $3::text[]) AS x (source_id, connection_id)))
"""

_DISMISS = f"""
UPDATE documents SET state = {_state_after(Event.DISMISSED)}, dismissed_revision = $3, revision = revision + 1,
    blocked_by = NULL, next_attempt_at = CASE WHEN state = 'unknown' THEN next_attempt_at END,
    seq = nextval('due_seq')
WHERE document_key = $1 AND company_id = $2 AND dismissed_revision < $3 AND tenant_id = $4
RETURNING {COLUMNS}
"""

_UNDISMISS = f"""
UPDATE documents SET state = {_state_after(Event.UNDISMISSED)}, dismissed_revision = $3, revision = revision + 1,
    seq = nextval('due_seq')
WHERE document_key = $1 AND company_id = $2 AND dismissed_revision < $3 AND tenant_id = $4
RETURNING {COLUMNS}
"""

_NO_LINK = """
    link = '', ledger_id = '', effect = '', written_hash = NULL, written = NULL, applications = '', linked_by = '',
    linked_at = NULL, generation = generation + 1, seq = nextval('due_seq'), blocked_by = NULL
"""

_UNLINK = f"""
UPDATE documents SET {_NO_LINK}, state = {_state_after(Event.UNLINKED)}, former = link, revision = revision + 1,
    code = 'UNLINKED', reason = $2
WHERE document_key = $1
RETURNING {COLUMNS}
"""

_FOLLOWS_ORDERS = """kind = 'customer' AND wanted LIKE '%"contact_at":"%'"""
"""Which contact the ledger has of such a customer is yet to be compared."""

_LINK = f"""
UPDATE documents SET link = $2, ledger_id = $3, effect = 'present', written = NULL,
    written_hash = CASE WHEN {_FOLLOWS_ORDERS} THEN '' ELSE content_hash END,
    state = CASE WHEN {_FOLLOWS_ORDERS} THEN 'queued' ELSE 'synced' END,
    linked_by = 'person', linked_at = now(), generation = generation + 1, code = '', reason = '',
    raw = '', failures = 0, error_class = '', blocked_by = NULL, next_attempt_at = NULL, intent = '', sent = NULL,
    seq = nextval('due_seq'), revision = revision + 1
WHERE document_key = $1
RETURNING {COLUMNS}
"""

_SET_STATE = f"""
UPDATE documents SET state = $2, seq = nextval('due_seq'), revision = revision + 1, failures = 0, blocked_by = NULL
WHERE document_key = $1
RETURNING {COLUMNS}
"""

_TRIED_ANEW = """
    state = CASE WHEN state = 'dismissed' THEN state ELSE 'not_tried' END, failures = 0, next_attempt_at = NULL,
    code = '', reason = '', revision = revision + 1
"""

_CLOSED_THROUGH = "(SELECT (settings ->> 'closed_through')::date FROM company_settings WHERE company_id = $1)"
_CUSTOMER = """substring(d.wanted FROM '"customer_key":"([^"]+)"')"""
_FORGETTABLE = f"""
SELECT d.document_key, d.applications FROM documents AS d
WHERE d.company_id = $1 AND d.link <> '' AND d.linked_by <> 'person' AND d.effect = 'present'
  AND d.state IN ('synced', 'action_required', 'blocked') AND d.code <> 'LEDGER_CHANGED' AND d.intent = ''
  AND d.written_hash = d.content_hash AND NOT d.removed
  AND d.wanted NOT LIKE '%"wanted":"%' AND d.wanted NOT LIKE '%"hold":{{%'
  AND (d.on_date <= {_CLOSED_THROUGH} AND NOT d.kind = ANY($2::text[])) IS NOT TRUE
  AND NOT EXISTS (SELECT FROM documents AS c WHERE c.document_key = {_CUSTOMER} AND c.horizon > d.on_date)
ORDER BY d.document_key FOR UPDATE
"""
"""What planning looks up for certain once it has no link, and what should be in the ledger as it was written.

Stored content names a state or a hold only where there is one: see `planning.content.encode`.
"""

_FORGET = f"""
UPDATE documents SET {_NO_LINK}, {_TRIED_ANEW}, former = left(link, -1) || ',"h":"' || written_hash || '"}}'
WHERE document_key = ANY($1::text[])
"""
"""With the fingerprint of what was written, see `rows.forgotten_hash`."""

_START_ANEW = f"""
UPDATE documents SET {_NO_LINK}, {_TRIED_ANEW}, former = '', applied = 0, intent = '', sent = NULL
WHERE company_id = $1
"""

REQUEUE = """
UPDATE documents SET state = 'queued', seq = nextval('due_seq'), blocked_by = NULL
WHERE company_id = $1 AND code = ANY($2::text[]) AND state IN ('blocked', 'action_required')
"""


async def of_orders(connection: Connection, company_id: str, order_keys: Sequence[str]) -> list[Row]:
    """Documents made from these orders (`connection/external id`) in a company file."""
    pairs = [key.partition("/") for key in order_keys]
    records = await connection.fetch(
        _OF_ORDERS, company_id, [external for _, _, external in pairs], [connection_id for connection_id, _, _ in pairs]
    )
    return [Row.of(record) for record in records]


async def lock(connection: Connection, document_key: str, tenant_id: str) -> Row | None:
    """One document, locked against lanes; None where another tenant owns it."""
    record = await connection.fetchrow(
        f"SELECT {COLUMNS} FROM documents WHERE document_key = $1 AND tenant_id = $2 FOR UPDATE",
        document_key,
        tenant_id,
    )
    return None if record is None else Row.of(record)


async def dismiss(
    connection: Connection, document_key: str, company_id: str, revision: int, tenant_id: str
) -> Row | None:
    """Hide a warning. None where the tenant has no such document or a later change of mind is known."""
    record = await connection.fetchrow(_DISMISS, document_key, company_id, revision, tenant_id)
    return None if record is None else Row.of(record)


async def undismiss(
    connection: Connection, document_key: str, company_id: str, revision: int, tenant_id: str
) -> Row | None:
    """Take a dismissal back; the document is tried again."""
    record = await connection.fetchrow(_UNDISMISS, document_key, company_id, revision, tenant_id)
    return None if record is None else Row.of(record)


async def unlink(connection: Connection, row: Row, reason: str) -> Row:
    """Give up where the document is. Written again only by a resend, with a look-up that starts at the old place."""
    await apply(connection, {key: -amount for key, amount in decode_applications(row.applications)})
    return await _changed(connection, _UNLINK, row.document_key, reason)


async def link(connection: Connection, document_key: str, link_json: str, ledger_id: str) -> Row:
    """Tie a document to an object of the ledger."""
    return await _changed(connection, _LINK, document_key, link_json, ledger_id)


async def _changed(connection: Connection, statement: str, document_key: str, *arguments: str) -> Row:
    """Run an update of one document. Raises `LookupError` for one that is not there."""
    record = await connection.fetchrow(statement, document_key, *arguments)
    if record is None:
        raise LookupError(document_key)
    return Row.of(record)


async def holder_of(connection: Connection, company_id: str, kind: str, ledger_id: str) -> str | None:
    """Key of the document that is linked to this object already."""
    key: str | None = await connection.fetchval(
        "SELECT document_key FROM documents WHERE company_id = $1 AND kind = $2 AND ledger_id = $3 LIMIT 1",
        company_id,
        kind,
        ledger_id,
    )
    return key


async def connection_revision(connection: Connection, document_key: str) -> int:
    """Revision of the last dismissal or connection of a customer that was applied."""
    revision: int = await connection.fetchval(
        "SELECT dismissed_revision FROM documents WHERE document_key = $1", document_key
    )
    return revision


async def set_state(connection: Connection, document_key: str, state: str) -> Row:
    """Move a customer to where a person wants it."""
    return await _changed(connection, _SET_STATE, document_key, state)


async def forget_links(connection: Connection, company_id: str) -> tuple[int, int]:
    """Give up where the documents of the company are; each is looked for again, from its old place on.

    Only what is written as it is wanted is given up: the look-up takes what it finds for that. A document that is yet
    to be changed or taken out, that was changed in the ledger, that planning would not look for (closed period,
    horizon, hold, dismissal) or whose last request has no answer keeps its link. So does what a person linked: nothing
    in the ledger names it as ours. The adapter's bookmark stays too: it is about the ledger, not about links.
    Returns how many links were given up, and how many are kept.
    """
    forgotten = await connection.fetch(_FORGETTABLE, company_id, sorted(NOT_POSTING))
    released: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in forgotten:
        for key, amount in decode_applications(record["applications"]):
            released[key] -= amount
    # What keeps its link goes on counting: its money is still applied to what was forgotten.
    await apply(connection, released)
    await connection.execute(_FORGET, [record["document_key"] for record in forgotten])
    if forgotten:
        await replays.publish_documents(connection, company_id)
    kept: int = await connection.fetchval(
        "SELECT count(*) FROM documents WHERE company_id = $1 AND link <> '' AND effect <> 'void'", company_id
    )
    return len(forgotten), kept


async def start_anew(connection: Connection, company_id: str) -> None:
    """Another company of the ledger: everything is due again, and nothing is known to be in it."""
    await connection.execute(_START_ANEW, company_id)
    await replays.publish_documents(connection, company_id)
    await connection.execute("DELETE FROM checks WHERE company_id = $1", company_id)
    await connection.execute("UPDATE lanes SET intents = NULL, bookmark = '{}' WHERE company_id = $1", company_id)
