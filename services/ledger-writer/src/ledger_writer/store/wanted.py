"""Taking in what is wanted: sets, their documents, and the customers and items they share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from common.bulk import Upsert
from common.database import Connection, lock_keys
from common.messages.transactions import CustomerWanted
from ledger_writer.planning.content import Wanted
from ledger_writer.planning.states import Event, S, next_state

_KEPT = [state for state in S if next_state(state, Event.CHANGED) is state and state is not S.QUEUED]
_STATE_WHEN_CHANGED = (
    "CASE WHEN t.state IN (" + ", ".join(f"'{state}'" for state in _KEPT) + f") THEN t.state ELSE '{S.QUEUED}' END"
)
"""The state machine's row for new content, as SQL: lanes move the same rows at the same time."""

SETS = Upsert(
    "sets",
    ("set_key",),
    {
        "set_key": "text",
        "tenant_id": "text",
        "company_id": "text",
        "connection_id": "text",
        "source_kind": "text",
        "source_id": "text",
        "revision": "bigint",
    },
    update=("revision",),
    guard="t.revision < excluded.revision",
)

_COLUMNS = {
    "document_key": "text",
    "tenant_id": "text",
    "company_id": "text",
    "connection_id": "text",
    "source_kind": "text",
    "source_id": "text",
    "source_number": "text",
    "source_revision": "bigint",
    "set_key": "text",
    "kind": "text",
    "rank": "smallint",
    "priority": "smallint",
    "seq": "bigint",
    "wanted": "text",
    "content_hash": "text",
    "hold_edits": "boolean",
    "number": "text",
    "name": "text",
    "on_date": "date",
    "amount": "numeric",
    "currency": "text",
    "traceparent": "text",
    "state": "text",
}

DOCUMENTS = Upsert(
    "documents",
    ("document_key",),
    _COLUMNS,
    update=(
        "source_number",
        "source_revision",
        "priority",
        "seq",
        "wanted",
        "content_hash",
        "hold_edits",
        "number",
        "on_date",
        "amount",
        "currency",
        "traceparent",
    ),
    assignments={
        "removed": "false",
        "state": _STATE_WHEN_CHANGED,
        "failures": "0",
        "blocked_by": "NULL",
        "next_attempt_at": "CASE WHEN t.state = 'unknown' THEN t.next_attempt_at END",
        # What was written is kept when it stops being what is wanted, and only then: most documents never change.
        "written": "CASE WHEN t.written_hash = t.content_hash AND t.content_hash <> excluded.content_hash"
        " THEN t.wanted ELSE t.written END",
    },
)
"""One document of a set. What it was written as survives the change, so that it can be reversed."""

SHARED = Upsert(
    "documents",
    ("document_key",),
    _COLUMNS,
    update=("wanted", "content_hash", "name", "seq", "priority"),
    assignments={"state": _STATE_WHEN_CHANGED, "failures": "0", "blocked_by": "NULL"},
    guard="t.written_hash IS NULL AND t.content_hash <> excluded.content_hash AND t.dismissed_revision = 0",
)
"""A customer or item: the first set that needs it makes it, later ones find it.

While it is not in the ledger a newer wish replaces the older one (a policy changed, a product was mapped), unless a
person has decided about it.
"""

_DIFFERS = "t.content_hash <> excluded.content_hash"

FOLLOWED = Upsert(
    "documents",
    ("document_key",),
    _COLUMNS,
    update=("wanted", "content_hash", "name"),
    assignments={
        "state": f"CASE WHEN {_DIFFERS} THEN {_STATE_WHEN_CHANGED} ELSE t.state END",
        "seq": f"CASE WHEN {_DIFFERS} THEN excluded.seq ELSE t.seq END",
        "priority": f"CASE WHEN {_DIFFERS} THEN excluded.priority ELSE t.priority END",
        "failures": f"CASE WHEN {_DIFFERS} THEN 0 ELSE t.failures END",
        "blocked_by": f"CASE WHEN {_DIFFERS} THEN NULL ELSE t.blocked_by END",
    },
    guard="t.state <> 'dismissed'",
)
"""A customer whose contact follows the orders. Made due only where an order says something else than the last."""

REMOVE = f"""
UPDATE documents AS t SET removed = true, hold_edits = $2, source_revision = $3, priority = $4, seq = $5,
    state = {_STATE_WHEN_CHANGED}, failures = 0, blocked_by = NULL
WHERE document_key = ANY($1::text[])
"""

WITHDRAW = f"""{REMOVE}
    AND written_hash IS NULL AND ledger_id = '' AND state NOT IN ('in_flight', 'unknown', 'dismissed')
"""
"""The same for those of them that nobody has tried to write, or not with success."""

_LOAD = """
SELECT s.set_key, s.revision, d.document_key, d.removed FROM sets AS s
LEFT JOIN documents AS d ON d.set_key = s.set_key AND d.set_key <> ''
WHERE s.set_key = ANY($1::text[])
"""


_WRITTEN = """
SELECT s.seq, d.document_key FROM (SELECT nextval('due_seq') AS seq) AS s
LEFT JOIN documents AS d ON d.document_key = ANY($1::text[]) AND d.written_hash IS NOT NULL
"""


_FOLLOWED = """
SELECT document_key, wanted, written_hash IS NOT NULL OR dismissed_revision > 0 AS settled FROM documents
WHERE document_key = ANY($1::text[])
"""


@dataclass(slots=True)
class Stored:
    """What is known of one set: its newest revision, and document key → whether it was removed since."""

    revision: int = -1
    documents: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FollowedCustomer:
    """A customer whose contact follows the orders, as it is known so far."""

    wanted: CustomerWanted
    settled: bool
    """It is in the ledger, or a person decided about it."""


@dataclass(frozen=True, slots=True)
class StoredSets:
    """What the batch stands on. `seq` orders the work of a lane: documents of one batch share it."""

    sets: dict[str, Stored]
    seq: int
    written: frozenset[str]
    """Customers and items of the batch that are in the ledger."""
    asked: dict[str, Wanted] = field(default_factory=dict)
    """Customers and items that this batch has asked for so far."""
    followed: dict[str, FollowedCustomer] = field(default_factory=dict)
    """Customers whose contact follows the orders."""


async def load_sets(
    connection: Connection, set_keys: Sequence[str], shared: Iterable[str], followed: Sequence[str] = ()
) -> StoredSets:
    """Lock the sets and read what is stored of them, and of the customers and items they share.

    `followed`: customers whose contact follows the orders, which are locked too.
    """
    await lock_keys(connection, [*set_keys, *followed])
    sets: dict[str, Stored] = {}
    for record in await connection.fetch(_LOAD, list(set_keys)):
        stored = sets.setdefault(record["set_key"], Stored(record["revision"]))
        if record["document_key"] is not None:
            stored.documents[record["document_key"]] = record["removed"]
    records = await connection.fetch(_WRITTEN, list(shared))
    # The sequence's value stands in each row, and in one row of nulls where nothing is written.
    written = frozenset(record["document_key"] for record in records if record["document_key"] is not None)
    stored_sets = StoredSets(sets, records[0]["seq"], written)
    for record in await connection.fetch(_FOLLOWED, list(followed)) if followed else ():
        wanted = CustomerWanted.model_validate_json(record["wanted"])
        stored_sets.followed[record["document_key"]] = FollowedCustomer(wanted, record["settled"])
    return stored_sets
