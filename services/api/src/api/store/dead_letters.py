"""Dead letters and the durable jobs that replay them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.store.sql import Conditions, Row, Where, row_of, rows_of, to_json
from common.bulk import Upsert
from common.database import affected
from common.messages.documents import DocumentChanged
from common.messages.fetching import OrderListed
from common.messages.orders import Order
from common.messages.transactions import TransactionSet, TransactionsListed

_SHOWN = """dead_letter_id, queue, type, letter_tenant, entity, revision, error_type, frame, error_text, attempts,
    failures, status, first_failed_at, last_failed_at, replayed_at"""

LETTERS = Upsert(
    table="dead_letters",
    key=("dead_letter_id",),
    columns={
        "dead_letter_id": "text",
        "queue": "text",
        "type": "text",
        "letter_tenant": "text",
        "entity": "text",
        "revision": "bigint",
        "error_type": "text",
        "frame": "text",
        "error_text": "text",
        "attempts": "bigint",
        "body": "bytea",
        "headers": "bytea",
        "first_failed_at": "timestamptz",
        "last_failed_at": "timestamptz",
    },
    update=("error_type", "frame", "error_text", "attempts", "headers", "last_failed_at"),
    assignments={"failures": "t.failures + 1", "status": "'unresolved'", "resent_at": "NULL"},
    # The same failure delivered twice is one failure; a replay that failed again is a later one.
    guard="t.last_failed_at < excluded.last_failed_at",
)


async def list_unheard_of(where: Where, letter_ids: list[str]) -> None:
    """List orders whose very first list entry is in one of these letters, as far as the letter says anything of them.

    They stand at revision 0, so that they are a warning, can be resent, and give way to any entry that is read.
    """
    await where.execute(
        """
        INSERT INTO orders (order_key, tenant_id, connection_id, external_id, revision, channel, number, status,
            currency, received_at)
        SELECT DISTINCT ON (l.entity) l.entity, c.tenant_id, c.connection_id,
            substr(l.entity, length(c.connection_id) + 2), 0, c.channel, '', '', '', l.first_failed_at
        FROM dead_letters l
        JOIN connections c ON c.connection_id = split_part(l.entity, '/', 1) AND c.tenant_id = l.letter_tenant
        WHERE l.dead_letter_id = ANY($1::text[]) AND l.type = $2 AND length(l.entity) > length(c.connection_id) + 1
        ORDER BY l.entity ON CONFLICT DO NOTHING
        """,
        letter_ids,
        OrderListed.type,
    )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; what is None or empty does not narrow."""

    ids: tuple[str, ...] = ()
    queue: str | None = None
    type: str | None = None
    error_type: str | None = None
    frame: str | None = None
    tenant_id: str | None = None
    status: str | None = None
    failed_from: datetime | None = None
    failed_to: datetime | None = None

    def conditions(self) -> Conditions:
        wanted = Conditions()
        wanted.given("dead_letter_id = ANY({}::text[])", list(self.ids) or None)
        wanted.given("queue = {}", self.queue)
        wanted.given("type = {}", self.type)
        wanted.given("error_type = {}", self.error_type)
        wanted.given("frame = {}", self.frame)
        wanted.given("letter_tenant = {}", self.tenant_id)
        wanted.given("status = {}", self.status)
        wanted.given("last_failed_at >= {}", self.failed_from)
        wanted.given("last_failed_at < {}", self.failed_to)
        return wanted


async def page(where: Where, selection: Selection, before: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """Latest failure first, without bodies; archived ones where the selection asks for them."""
    wanted = selection.conditions()
    if selection.status is None:
        wanted.add("status <> 'archived'")
    if before is not None:
        wanted.add("(last_failed_at, dead_letter_id) < ({}, {})", *before)
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM dead_letters WHERE {wanted.text}"
            f" ORDER BY last_failed_at DESC, dead_letter_id DESC LIMIT {wanted.parameter(limit)}",
            *wanted.values,
        )
    )


async def groups(where: Where, selection: Selection) -> list[Row]:
    """Per (queue, error type, first own frame): how many, and since when."""
    wanted = selection.conditions()
    return rows_of(
        await where.fetch(
            f"""
            SELECT queue, type, error_type, frame, count(*) AS letters, sum(failures)::bigint AS failures,
                min(first_failed_at) AS first_failed_at, max(last_failed_at) AS last_failed_at,
                (array_agg(error_text ORDER BY last_failed_at DESC))[1] AS sample
            FROM dead_letters WHERE {wanted.text} GROUP BY queue, type, error_type, frame
            ORDER BY letters DESC, queue, error_type, frame LIMIT 500
            """,
            *wanted.values,
        )
    )


async def one(where: Where, dead_letter_id: str) -> Row | None:
    """With its sealed body and headers."""
    return row_of(
        await where.fetchrow(
            f"SELECT {_SHOWN}, body, headers FROM dead_letters WHERE dead_letter_id = $1", dead_letter_id
        )
    )


async def archive(where: Where, selection: Selection) -> int:
    """Take letters off the list for good; their bodies go."""
    wanted = selection.conditions()
    status = await where.execute(
        f"UPDATE dead_letters SET status = 'archived', body = '', headers = ''"
        f" WHERE status <> 'archived' AND {wanted.text}",
        *wanted.values,
    )
    return affected(status)


async def start_job(
    where: Where, job_id: str, selection: Selection, shown: dict[str, object], requested_by: str, limit: int
) -> int:
    """Make a replay job of the letters that are selected now. Returns how many; a repeated request adds none."""
    await where.execute(
        "INSERT INTO replay_jobs (job_id, requested_by, selection) VALUES ($1, $2, $3::jsonb) ON CONFLICT DO NOTHING",
        job_id,
        requested_by,
        to_json(shown),
    )
    wanted = selection.conditions()
    wanted.add("status <> 'archived'")
    place = wanted.parameter(job_id)
    status = await where.execute(
        f"INSERT INTO replay_items (job_id, dead_letter_id)"
        f" SELECT {place}, dead_letter_id FROM dead_letters WHERE {wanted.text}"
        f" ORDER BY first_failed_at, dead_letter_id LIMIT {wanted.parameter(limit)} ON CONFLICT DO NOTHING",
        *wanted.values,
    )
    return affected(status)


async def claim_items(where: Where, limit: int) -> list[Row]:
    """Lock letters of unfinished jobs that were not published yet, oldest job first."""
    return rows_of(
        await where.fetch(
            """
            SELECT i.job_id, i.dead_letter_id, l.queue, l.type, l.status, l.body, l.headers
            FROM replay_items i
            JOIN replay_jobs j USING (job_id)
            LEFT JOIN dead_letters l USING (dead_letter_id)
            WHERE i.published_at IS NULL AND j.finished_at IS NULL
            ORDER BY j.requested_at, i.job_id, i.dead_letter_id LIMIT $1 FOR UPDATE OF i SKIP LOCKED
            """,
            limit,
        )
    )


async def published(where: Where, items: list[tuple[str, str, str]]) -> None:
    """Note what was sent: (job, letter, why it was skipped or empty). A letter that is back already keeps its state."""
    await where.execute(
        """
        WITH sent AS (
            UPDATE replay_items i SET published_at = now(), skipped = done.skipped
            FROM unnest($1::text[], $2::text[], $3::text[]) AS done (job_id, dead_letter_id, skipped)
            WHERE i.job_id = done.job_id AND i.dead_letter_id = done.dead_letter_id
            RETURNING i.dead_letter_id, i.skipped
        )
        UPDATE dead_letters l SET status = 'replayed', replayed_at = now() FROM sent
        WHERE l.dead_letter_id = sent.dead_letter_id AND sent.skipped = '' AND l.status <> 'archived'
        """,
        [job for job, _, _ in items],
        [letter for _, letter, _ in items],
        [skipped for _, _, skipped in items],
    )


async def sets_asked_for(where: Where, tenant_id: str, order_keys: list[str]) -> None:
    """A resend of these orders was asked for: what of their sets was set aside is replayed once mapper sends them."""
    await where.execute(
        """
        UPDATE dead_letters l SET resent_at = now()
        FROM unnest($2::text[]) AS asked (order_key)
        JOIN connections c ON c.connection_id = split_part(asked.order_key, '/', 1) AND c.tenant_id = $1
        WHERE l.letter_tenant = $1 AND l.status = 'unresolved' AND l.type = $3
            AND l.entity = c.company_id || '/' || c.connection_id || '/order/'
                || substr(asked.order_key, length(c.connection_id) + 2)
        """,
        tenant_id,
        order_keys,
        TransactionSet.type,
    )


async def waiting_for_resend(where: Where, tenant_ids: list[str], set_keys: list[str]) -> frozenset[str]:
    """Those of these sets of which something was set aside that a resend was asked for since."""
    records = await where.fetch(
        "SELECT entity FROM dead_letters WHERE letter_tenant = ANY($1::text[]) AND entity = ANY($2::text[])"
        " AND status = 'unresolved' AND resent_at IS NOT NULL",
        tenant_ids,
        set_keys,
    )
    return frozenset(record["entity"] for record in records)


SENT_AGAIN = """
UPDATE dead_letters SET status = 'replayed', replayed_at = now()
WHERE letter_tenant = $1 AND entity = $2 AND status = 'unresolved' AND resent_at IS NOT NULL
"""
"""(tenant, set key): mapper sent the set again as it was asked to."""


async def finish_jobs(where: Where) -> None:
    """A job with nothing left to publish is finished."""
    await where.execute(
        """
        UPDATE replay_jobs j SET finished_at = now() WHERE finished_at IS NULL AND NOT EXISTS (
            SELECT FROM replay_items i WHERE i.job_id = j.job_id AND i.published_at IS NULL)
        """
    )


async def job(where: Where, job_id: str) -> Row | None:
    return row_of(
        await where.fetchrow(
            """
            SELECT j.job_id, j.requested_by, j.requested_at, j.selection, j.finished_at,
                count(i.*) AS total, count(i.published_at) AS published,
                count(*) FILTER (WHERE i.skipped <> '') AS skipped
            FROM replay_jobs j LEFT JOIN replay_items i USING (job_id) WHERE j.job_id = $1 GROUP BY j.job_id
            """,
            job_id,
        ),
        "selection",
    )


async def letters_of_job(where: Where, job_id: str) -> list[Row]:
    """Letters of a job as they stand now, and when the job sent each."""
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN}, i.published_at, i.skipped FROM dead_letters l JOIN replay_items i USING (dead_letter_id)"
            " WHERE i.job_id = $1 ORDER BY dead_letter_id LIMIT 10000",
            job_id,
        )
    )


_EVIDENCE: Mapping[str, str] = {
    # Mapper has taken an order in when its set names the revision.
    Order.type: """
        SELECT s.connection_id || '/' || s.source_id AS entity, max(s.source_revision) AS revision
        FROM unnest($1::text[]) AS asked (entity)
        JOIN sets s ON s.connection_id = split_part(asked.entity, '/', 1) AND s.source_kind = 'order'
          AND s.source_id = substr(asked.entity, length(split_part(asked.entity, '/', 1)) + 2)
        GROUP BY 1
        """,
    # Ledger-writer has taken a set in when a document of it stands at the set's order revision.
    TransactionSet.type: """
        SELECT s.set_key AS entity, s.revision FROM sets s
        WHERE s.set_key = ANY($1::text[]) AND EXISTS (
            SELECT FROM documents d WHERE d.company_id = s.company_id AND d.connection_id = s.connection_id
              AND d.source_kind = s.source_kind AND d.source_id = s.source_id
              AND d.source_revision >= s.source_revision)
        """,
    # What this service stores is its own proof.
    OrderListed.type: "SELECT order_key AS entity, revision FROM orders WHERE order_key = ANY($1::text[])",
    TransactionsListed.type: "SELECT set_key AS entity, revision FROM sets WHERE set_key = ANY($1::text[])",
    DocumentChanged.type: "SELECT document_key AS entity, revision FROM documents WHERE document_key = ANY($1::text[])",
}


async def evidence(where: Where, letters: Iterable[Row]) -> dict[tuple[str, str], int]:
    """The newest revision of each (type, entity) that is known to have been taken in by the service it was sent to."""
    entities: dict[str, set[str]] = {}
    for letter in letters:
        if letter["entity"] and letter["type"] in _EVIDENCE:
            entities.setdefault(letter["type"], set()).add(letter["entity"])
    return {
        (kind, record["entity"]): record["revision"]
        for kind, wanted in entities.items()
        for record in await where.fetch(_EVIDENCE[kind], sorted(wanted))
    }
