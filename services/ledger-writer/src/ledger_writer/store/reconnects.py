"""Notices that somebody has to sign in to a ledger again: one row while one waits."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.database import Connection, Pool, affected

_RECIPIENTS = "ARRAY(SELECT jsonb_array_elements_text(coalesce(s.settings -> 'notify', '[]'::jsonb)))"
_WAITING = f"""
FROM reconnect_notices AS n JOIN companies AS c USING (company_id) JOIN company_settings AS s USING (company_id)
WHERE c.status = 'needs_reconnect' AND {_RECIPIENTS} <> '{{}}'
"""
_CLAIM = f"""
WITH next AS (
    SELECT n.company_id, c.name, c.ledger, {_RECIPIENTS} AS recipients
    {_WAITING} AND n.due_at <= now() ORDER BY n.due_at LIMIT 1 FOR UPDATE OF n SKIP LOCKED
)
UPDATE reconnect_notices AS n SET due_at = now() + make_interval(secs => $1), tries = n.tries + 1 FROM next
WHERE n.company_id = next.company_id
RETURNING n.company_id, next.name, next.ledger, n.since, n.tries, n.told, next.recipients
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """A company file whose sign-in ended, and who has to be told of it still."""

    company_id: str
    name: str
    ledger: str
    since: dt.datetime
    tries: int
    """This one counted."""
    recipients: tuple[str, ...]


async def wanted(connection: Connection, company_id: str) -> None:
    """The company file has just come to need a sign-in: its people are to be told once, whoever was told before."""
    await connection.execute(
        "INSERT INTO reconnect_notices (company_id, tenant_id) SELECT company_id, tenant_id FROM companies"
        " WHERE company_id = $1 ON CONFLICT (company_id) DO UPDATE"
        " SET since = excluded.since, due_at = excluded.due_at, tries = 0, told = '{}'",
        company_id,
    )


async def claim(pool: Pool, hold_s: float) -> Notice | None:
    """The notice that has been due for longest, kept from other replicas for so long. None where none is due."""
    record = await pool.fetchrow(_CLAIM, hold_s)
    if record is None:
        return None
    told = set(record["told"])
    return Notice(
        company_id=record["company_id"],
        name=record["name"],
        ledger=record["ledger"],
        since=record["since"],
        tries=record["tries"],
        recipients=tuple(one for one in dict.fromkeys(record["recipients"]) if one not in told),
    )


async def done(pool: Pool, notice: Notice) -> None:
    """Nobody has to be told any more, unless the sign-in ended once again meanwhile."""
    await pool.execute(
        "DELETE FROM reconnect_notices WHERE company_id = $1 AND since = $2", notice.company_id, notice.since
    )


async def put_off(pool: Pool, notice: Notice, told: Sequence[str], seconds: float) -> None:
    """Try those who are left again after so many seconds."""
    await pool.execute(
        "UPDATE reconnect_notices SET told = told || $3::text[], due_at = now() + make_interval(secs => $4)"
        " WHERE company_id = $1 AND since = $2",
        notice.company_id,
        notice.since,
        list(told),
        seconds,
    )


async def forget_repaired(pool: Pool) -> int:
    """Drop notices of company files that somebody signed in to, or disconnected, before a mail left."""
    return affected(
        await pool.execute(
            "DELETE FROM reconnect_notices AS n USING companies AS c"
            " WHERE c.company_id = n.company_id AND c.status <> 'needs_reconnect'"
        )
    )


async def count(pool: Pool) -> int:
    """Notices that somebody waits for."""
    return int(await pool.fetchval(f"SELECT count(*) {_WAITING}"))
