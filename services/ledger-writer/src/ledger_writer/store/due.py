"""Documents as a lane sees them: what is due, what that refers to, and recording what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common.database import Connection, Pool, affected
from ledger_writer.planning.applications import PARTLY_UNAPPLIED
from ledger_writer.store.rows import COLUMNS, Row

_TAKE = f"""
(SELECT {COLUMNS} FROM documents
 WHERE company_id = $1 AND state IN ('not_tried', 'queued') ORDER BY priority, seq, rank LIMIT $2)
UNION ALL
(SELECT {COLUMNS} FROM documents
 WHERE company_id = $1 AND state IN ('retry_wait', 'unknown') AND next_attempt_at <= now()
 ORDER BY next_attempt_at LIMIT $2)
"""

_BY_KEY = f"SELECT {COLUMNS} FROM documents WHERE document_key = ANY($1::text[])"

_OF_THE_SAME_SETS = """
SELECT document_key FROM documents
WHERE set_key <> '' AND set_key IN (SELECT set_key FROM documents WHERE document_key = ANY($1::text[]))
"""

_SIBLINGS = f"""
SELECT {COLUMNS} FROM documents
WHERE state IN ('not_tried', 'queued') AND document_key IN ({_OF_THE_SAME_SETS})
"""

_LEAVING = f"""
SELECT {COLUMNS} FROM documents
WHERE set_key = ANY($1::text[]) AND removed AND effect = 'present' AND state NOT IN ('voided', 'skipped')
  AND NOT kind = ANY($2::text[])
ORDER BY state IN ('action_required', 'dismissed'), rank DESC, document_key DESC
"""
"""What a person must see comes last, so that of several of one set it is the one that is named."""

_APPLY_AGAIN = f"""
UPDATE documents SET state = 'queued', seq = nextval('due_seq')
WHERE state = 'synced' AND notices LIKE '%"{PARTLY_UNAPPLIED}"%' AND document_key IN ({_OF_THE_SAME_SETS})
"""

_LINKED = """
SELECT ledger_id FROM documents
WHERE company_id = $1 AND kind = $2 AND ledger_id = ANY($3::text[]) AND ledger_id <> ''
"""

_RECORD = """
UPDATE documents AS d SET
    state = CASE WHEN d.seq = x.seq OR x.state = 'unknown' THEN x.state
                 WHEN d.state <> 'dismissed' THEN 'queued'
                 WHEN x.is_write THEN x.state
                 ELSE d.state END,
    code = x.code, reason = x.reason, raw = x.raw, notices = x.notices, error_class = x.error_class,
    blocked_by = x.blocked_by, intent = x.intent,
    sent = CASE WHEN x.intent <> '' THEN d.sent END, failures = x.failures, generation = x.generation,
    attempts = d.attempts + x.attempted, override = d.override AND d.seq <> x.seq,
    last_attempt_at = CASE WHEN x.attempted > 0 THEN now() ELSE d.last_attempt_at END,
    next_attempt_at = CASE WHEN x.wait_s IS NULL THEN NULL ELSE now() + make_interval(secs => x.wait_s) END,
    written = CASE WHEN x.is_write THEN NULL ELSE d.written END,
    written_hash = CASE WHEN x.is_write THEN x.written_hash ELSE d.written_hash END,
    effect = CASE WHEN x.is_write THEN x.effect ELSE d.effect END,
    applications = CASE WHEN x.is_write THEN x.applications ELSE d.applications END,
    ledger_id = CASE WHEN x.is_write THEN x.ledger_id ELSE d.ledger_id END,
    link = CASE WHEN x.is_write THEN x.link ELSE d.link END,
    linked_by = CASE WHEN x.is_write AND x.linked_by <> '' THEN x.linked_by ELSE d.linked_by END,
    linked_at = CASE WHEN x.is_write AND x.linked_by <> '' THEN now() ELSE d.linked_at END,
    written_at = CASE WHEN x.linked_by = 'created' THEN coalesce(d.written_at, now()) ELSE d.written_at END,
    revision = d.revision + 1
FROM unnest(
    $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::int[], $12::int[], $13::int[], $14::float8[], $15::boolean[], $16::text[], $17::text[],
    $18::text[], $19::text[], $20::text[], $21::text[]
) AS x (document_key, seq, state, code, reason, raw, notices, error_class, blocked_by,
        intent, failures, generation, attempted, wait_s, is_write, written_hash, effect,
        applications, ledger_id, link, linked_by)
WHERE d.document_key = x.document_key
RETURNING d.document_key, d.revision, d.seq, d.state, d.source_revision, d.content_hash, d.attempts,
          d.last_attempt_at, d.next_attempt_at
"""

_RECORD_WRITTEN = """
UPDATE documents AS d SET
    state = CASE WHEN d.seq = x.seq OR d.state = 'dismissed' THEN 'synced' ELSE 'queued' END,
    code = '', reason = '', raw = '', notices = '', error_class = '', blocked_by = NULL, intent = '', sent = NULL,
    failures = 0, generation = x.generation, attempts = d.attempts + 1, override = d.override AND d.seq <> x.seq,
    last_attempt_at = now(), next_attempt_at = NULL, written = NULL, written_hash = x.written_hash,
    effect = 'present', applications = x.applications, ledger_id = x.ledger_id, link = x.link,
    linked_by = 'created', linked_at = now(), written_at = coalesce(d.written_at, now()), revision = d.revision + 1
FROM unnest($1::text[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS x (document_key, seq, generation, written_hash, applications, ledger_id, link)
WHERE d.document_key = x.document_key
RETURNING d.document_key, d.revision, d.seq, d.state, d.source_revision, d.content_hash, d.attempts,
          d.last_attempt_at, d.next_attempt_at
"""
"""What becomes of nearly every document, with a third of the columns to send."""

_KEEP_WRITTEN = """
UPDATE documents AS d SET written = x.body FROM unnest($1::text[], $2::text[]) AS x (document_key, body)
WHERE d.document_key = x.document_key
"""

_KEEP_SENT = """
UPDATE documents AS d SET sent = CASE WHEN x.body = ANY(d.sent) THEN d.sent ELSE array_append(d.sent, x.body) END
FROM unnest($1::text[], $2::text[]) AS x (document_key, body) WHERE d.document_key = x.document_key
"""

_SENT = "SELECT document_key, sent FROM documents WHERE document_key = ANY($1::text[]) AND sent IS NOT NULL"

_KEEP_APPLICATIONS = """
UPDATE documents AS d SET applications = x.applications
FROM unnest($1::text[], $2::text[]) AS x (document_key, applications) WHERE d.document_key = x.document_key
"""

_BEGIN_ANEW = "UPDATE documents SET generation = generation + 1 WHERE document_key = ANY($1::text[])"

_APPLY = """
UPDATE documents AS d SET applied = d.applied + x.change
FROM unnest($1::text[], $2::numeric[]) AS x (document_key, change) WHERE d.document_key = x.document_key
"""

_RELEASE = """
UPDATE documents SET state = 'queued', seq = nextval('due_seq'), blocked_by = NULL
WHERE blocked_by = ANY($1::text[]) AND state = 'blocked'
"""

_ANNOUNCE = f"""
UPDATE documents SET revision = 1 WHERE document_key IN (
    SELECT document_key FROM documents
    WHERE state = 'not_tried' AND revision = 0 AND first_seen_at < now() - interval '2 seconds'
    LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING {COLUMNS}
"""

_ATTEMPTS = """
INSERT INTO attempts (document_key, operation, outcome, reason, ledger_id, duration_ms)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[])
"""


@dataclass(slots=True)
class Move:
    """What is recorded of one document after a pass: the columns that change."""

    document_key: str
    seq: int
    state: str
    failures: int
    generation: int
    code: str = ""
    reason: str = ""
    raw: str = ""
    notices: str = ""
    error_class: str = ""
    blocked_by: str | None = None
    intent: str = ""
    attempted: int = 0
    wait_s: float | None = None
    is_write: bool = False
    written_hash: str | None = None
    effect: str = ""
    applications: str = ""
    ledger_id: str = ""
    link: str = ""
    linked_by: str = ""
    sent: str | None = None
    """What an update that got no answer said; None where that is not known, or stays as it is stored."""
    stands: str | None = None
    """Applications that were found to stand, where nothing else of what was written is known to have changed."""
    # For the timeline; not columns of the document.
    operation: str = ""
    outcome: str = ""
    duration_ms: int = 0

    @property
    def is_plain_create(self) -> bool:
        """Made in the ledger just now, and nothing to say about it."""
        return self.linked_by == "created" and self.outcome == "created" and not self.notices


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a document stands after it was recorded. Its state differs from the move's where it was wanted anew."""

    document_key: str
    revision: int
    seq: int
    state: str
    source_revision: int
    content_hash: str
    attempts: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


async def take(pool: Pool, company_id: str, limit: int) -> list[Row]:
    """Due documents: live before bulk work, oldest first, dependencies before what needs them."""
    return [Row.of(record) for record in await pool.fetch(_TAKE, company_id, limit)]


async def by_keys(where: Pool | Connection, keys: Iterable[str]) -> list[Row]:
    return [Row.of(record) for record in await where.fetch(_BY_KEY, list(keys))]


async def siblings(pool: Pool, keys: Sequence[str]) -> list[Row]:
    """What is due of the transaction sets that these documents belong to, themselves included."""
    return [Row.of(record) for record in await pool.fetch(_SIBLINGS, keys)]


async def leaving(pool: Pool, set_keys: Iterable[str], but: Iterable[str]) -> dict[str, Row]:
    """Set → a document that was removed from it and stands in the ledger, of no kind in `but`."""
    rows = [Row.of(record) for record in await pool.fetch(_LEAVING, sorted(set_keys), sorted(but))]
    return {row.set_key: row for row in rows}


async def apply_again(connection: Connection, keys: Sequence[str]) -> None:
    """Make due what found too little room among the documents of these ones' sets: there may be more now."""
    await connection.execute(_APPLY_AGAIN, keys)


async def linked_ids(pool: Pool, company_id: str, kind: str, ledger_ids: Sequence[str]) -> frozenset[str]:
    """Those of the ledger ids that belong to a document of ours already."""
    return frozenset(record[0] for record in await pool.fetch(_LINKED, company_id, kind, ledger_ids))


async def record(connection: Connection, moves: Sequence[Move]) -> list[Recorded]:
    """Write the outcome of every move, in one statement for plain creates and one for all others.

    What was wanted anew meanwhile stays due.
    """
    plain = sorted((move for move in moves if move.is_plain_create), key=lambda move: move.document_key)
    others = sorted((move for move in moves if not move.is_plain_create), key=lambda move: move.document_key)
    recorded: list[Recorded] = []
    if plain:
        recorded += await _record_created(connection, plain)
    if others:
        recorded += await _record_any(connection, others)
    return recorded


async def _record_created(connection: Connection, m: Sequence[Move]) -> list[Recorded]:
    records = await connection.fetch(
        _RECORD_WRITTEN,
        [x.document_key for x in m],
        [x.seq for x in m],
        [x.generation for x in m],
        [x.written_hash for x in m],
        [x.applications for x in m],
        [x.ledger_id for x in m],
        [x.link for x in m],
    )
    return [Recorded(*one) for one in records]


async def _record_any(connection: Connection, m: Sequence[Move]) -> list[Recorded]:
    records = await connection.fetch(
        _RECORD,
        [x.document_key for x in m],
        [x.seq for x in m],
        [x.state for x in m],
        [x.code for x in m],
        [x.reason for x in m],
        [x.raw for x in m],
        [x.notices for x in m],
        [x.error_class for x in m],
        [x.blocked_by for x in m],
        [x.intent for x in m],
        [x.failures for x in m],
        [x.generation for x in m],
        [x.attempted for x in m],
        [x.wait_s for x in m],
        [x.is_write for x in m],
        [x.written_hash for x in m],
        [x.effect for x in m],
        [x.applications for x in m],
        [x.ledger_id for x in m],
        [x.link for x in m],
        [x.linked_by for x in m],
    )
    return [Recorded(*one) for one in records]


async def keep_written(connection: Connection, bodies: Mapping[str, str]) -> None:
    """Store what was written for documents whose wanted content changed while they were being written."""
    if bodies:
        await connection.execute(_KEEP_WRITTEN, list(bodies), list(bodies.values()))


async def keep_sent(connection: Connection, moves: Sequence[Move]) -> None:
    """Add what updates without an answer said to what earlier ones did: each of them may have arrived."""
    bodies = {move.document_key: move.sent for move in moves if move.sent is not None}
    if bodies:
        await connection.execute(_KEEP_SENT, list(bodies), list(bodies.values()))


async def sent(pool: Pool, keys: Sequence[str]) -> dict[str, list[str]]:
    """Key → what updates of the document said that got no answer."""
    records = await pool.fetch(_SENT, list(keys)) if keys else []
    return {record["document_key"]: record["sent"] for record in records}


async def keep_applications(connection: Connection, moves: Sequence[Move]) -> None:
    """Store what money was found to be applied to."""
    found = {move.document_key: move.stands for move in moves if move.stands is not None}
    if found:
        await connection.execute(_KEEP_APPLICATIONS, list(found), list(found.values()))


async def begin_anew(connection: Connection, keys: Sequence[str]) -> None:
    """Let the next attempt be another request: the ledger would answer a repeated one as it did the first time."""
    if keys:
        await connection.execute(_BEGIN_ANEW, list(keys))


async def apply(connection: Connection, changes: Mapping[str, Decimal]) -> None:
    """Add to what is applied to documents."""
    changed = {key: change for key, change in sorted(changes.items()) if change}
    if changed:
        await connection.execute(_APPLY, list(changed), list(changed.values()))


async def release(connection: Connection, keys: Sequence[str]) -> int:
    """Make everything due that waited for one of these. Returns how many."""
    status = await connection.execute(_RELEASE, keys)
    return affected(status)


async def announce(connection: Connection) -> list[Row]:
    """Documents that have waited for two seconds and that nobody was told of; they count as told now."""
    return [Row.of(record) for record in await connection.fetch(_ANNOUNCE)]


async def add_attempts(connection: Connection, moves: Sequence[Move]) -> None:
    tried = [move for move in moves if move.operation]
    if tried:
        await connection.execute(
            _ATTEMPTS,
            [move.document_key for move in tried],
            [move.operation for move in tried],
            [move.outcome for move in tried],
            [move.reason for move in tried],
            [move.ledger_id for move in tried],
            [move.duration_ms for move in tried],
        )
