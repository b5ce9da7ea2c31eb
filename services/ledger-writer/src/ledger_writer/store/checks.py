"""Which written documents may not be in the ledger any more as we wrote them, and what else a lane is to look at."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from common.database import Connection, Pool, affected
from ledger_writer.store.lanes import NOTIFY

_IS_WRITTEN = """d.ledger_id <> '' AND d.written_hash IS NOT NULL AND d.effect IN ('present', 'closed')
    AND d.kind NOT IN ('customer', 'item', 'vendor') AND d.state IN ('synced', 'action_required')"""

_TOLD = f"""
INSERT INTO checks (company_id, document_key)
SELECT d.company_id, d.document_key FROM documents AS d
JOIN (SELECT DISTINCT c.company_id, x.ledger_id FROM unnest($2::text[], $3::text[]) AS x (external_id, ledger_id)
      JOIN companies AS c ON c.ledger = $1 AND c.external_id = x.external_id AND c.status = 'connected') AS told
    ON told.company_id = d.company_id AND told.ledger_id = d.ledger_id
WHERE {_IS_WRITTEN} ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING company_id
"""

_FEED = """
UPDATE companies SET feed_wanted = true
WHERE ledger = $1 AND external_id = ANY($2::text[]) AND status = 'connected' AND NOT feed_wanted RETURNING company_id
"""

_CHECK = f"""
INSERT INTO checks (company_id, document_key)
SELECT d.company_id, d.document_key FROM documents AS d
WHERE d.company_id = $1 AND ($2::text[] IS NULL OR d.ledger_id = ANY($2::text[])) AND {_IS_WRITTEN}
ORDER BY 1, 2 ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lane is to look at in its ledger."""

    feed: bool
    lists_read_at: dt.datetime | None
    check: bool
    checked_at: dt.datetime


async def told(
    connection: Connection, ledger: str, documents: Sequence[tuple[str, str]], list_owners: Collection[str]
) -> None:
    """A ledger said that objects changed: (company's id in the ledger, object's id), and companies with new lists.

    What no document of ours is linked to concerns nobody.
    """
    woken: set[str] = set()
    if documents:
        pairs = sorted(set(documents))
        records = await connection.fetch(_TOLD, ledger, [owner for owner, _ in pairs], [one for _, one in pairs])
        woken |= {record["company_id"] for record in records}
    if list_owners:
        records = await connection.fetch(_FEED, ledger, sorted(list_owners))
        woken |= {record["company_id"] for record in records}
    if woken:
        await connection.execute(NOTIFY, sorted(woken))


async def wanted(pool: Pool, company_id: str) -> Wanted | None:
    """None for a company that is gone."""
    record = await pool.fetchrow(
        "SELECT feed_wanted, lists_read_at, check_wanted, coalesce(checked_at, created_at) FROM companies"
        " WHERE company_id = $1",
        company_id,
    )
    return None if record is None else Wanted(*record)


async def want(connection: Connection, company_id: str) -> None:
    """Have everything compared that changed in the ledger since the last time."""
    await connection.execute("UPDATE companies SET check_wanted = true WHERE company_id = $1", company_id)
    await connection.execute(NOTIFY, [company_id])


async def looked(
    connection: Connection, company_id: str, ledger_ids: Collection[str] | None, started: dt.datetime
) -> int:
    """The feed was read up to `started` and named these objects (None: it may be any). Returns how many are ours."""
    ids = None if ledger_ids is None else sorted(ledger_ids)
    status = await connection.execute(_CHECK, company_id, ids)
    await connection.execute(
        "UPDATE companies SET check_wanted = false, checked_at = $2 WHERE company_id = $1", company_id, started
    )
    return affected(status)


async def take(pool: Pool, company_id: str, limit: int) -> list[str]:
    """Keys of documents to check."""
    records = await pool.fetch(
        "SELECT document_key FROM checks WHERE company_id = $1 ORDER BY document_key LIMIT $2", company_id, limit
    )
    return [record[0] for record in records]


async def done(pool: Pool, company_id: str, keys: Sequence[str]) -> None:
    await pool.execute(
        "DELETE FROM checks WHERE company_id = $1 AND document_key = ANY($2::text[])", company_id, list(keys)
    )
