"""Mirror of the ledgers' reference lists."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence

from common.database import Connection, Pool
from common.messages.documents import CatalogEntry

_JOINING = frozenset({"and"})
"""Words that some write and others do not."""
_WILD, _ESCAPED = r"[%_\\]", r"\\\g<0>"
_STORE = """
INSERT INTO catalog AS t
    (company_id, list_name, ledger_id, tenant_id, full_name, searchable, body, content_hash, revision)
SELECT *, 1 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
ON CONFLICT (company_id, list_name, ledger_id) DO UPDATE SET
    full_name = excluded.full_name, searchable = excluded.searchable, body = excluded.body, seen_at = now(),
    content_hash = excluded.content_hash,
    revision = t.revision + (t.content_hash <> excluded.content_hash)::int
RETURNING list_name, ledger_id, revision, xmax = 0 AS is_new
"""


async def now(connection: Connection) -> dt.datetime:
    """The database's clock, which `seen_at` is measured by."""
    moment: dt.datetime = await connection.fetchval("SELECT now()")
    return moment


async def store(connection: Connection, entries: Sequence[tuple[CatalogEntry, str]]) -> list[CatalogEntry]:
    """Write entries with their fingerprints. Returns those that are new or changed, with their revisions."""
    if not entries:
        return []
    latest = {(entry.list_name, entry.ledger_id): (entry, content) for entry, content in entries}
    before = await connection.fetch(
        "SELECT c.list_name, c.ledger_id, c.content_hash FROM catalog AS c"
        " JOIN unnest($2::text[], $3::text[]) AS x (list_name, ledger_id) USING (list_name, ledger_id)"
        " WHERE c.company_id = $1",
        entries[0][0].company_id,
        [list_name for list_name, _ in latest],
        [ledger_id for _, ledger_id in latest],
    )
    known = {(record["list_name"], record["ledger_id"]): record["content_hash"] for record in before}
    rows = [latest[key] for key in sorted(latest)]
    records = await connection.fetch(
        _STORE,
        [entry.company_id for entry, _ in rows],
        [entry.list_name for entry, _ in rows],
        [entry.ledger_id for entry, _ in rows],
        [entry.tenant_id for entry, _ in rows],
        [entry.full_name for entry, _ in rows],
        [searchable_of(entry) for entry, _ in rows],
        [entry.model_dump_json(exclude={"revision"}, exclude_defaults=True) for entry, _ in rows],
        [content for _, content in rows],
    )
    revisions = {(record["list_name"], record["ledger_id"]): record["revision"] for record in records}
    return [
        entry.model_copy(update={"revision": revisions[key]})
        for key, (entry, content) in latest.items()
        if known.get(key) != content
    ]


async def retire(
    connection: Connection, company_id: str, list_names: Sequence[str], before: dt.datetime
) -> list[CatalogEntry]:
    """Mark what was not seen since `before` as inactive. Returns those entries with their revisions."""
    records = await connection.fetch(
        "SELECT body, revision FROM catalog WHERE company_id = $1 AND list_name = ANY($2::text[]) AND seen_at < $3"
        " AND NOT body::jsonb @> '{\"active\": false}'",
        company_id,
        list(list_names),
        before,
    )
    retired = []
    for record in records:
        entry = parse(record["body"], record["revision"] + 1).model_copy(update={"active": False})
        retired.append(entry)
        await connection.execute(
            "UPDATE catalog SET body = $4, revision = revision + 1, content_hash = ''"
            " WHERE company_id = $1 AND list_name = $2 AND ledger_id = $3",
            company_id,
            entry.list_name,
            entry.ledger_id,
            entry.model_dump_json(exclude={"revision"}, exclude_defaults=True),
        )
    return retired


def parse(body: str, revision: int) -> CatalogEntry:
    """An entry as it is stored."""
    return CatalogEntry.model_validate_json(body[:-1] + f',"revision":{revision}}}')


async def one(pool: Pool, company_id: str, list_name: str, ledger_id: str) -> CatalogEntry | None:
    """An entry by its id in the ledger; None for one that the mirror does not know."""
    record = await pool.fetchrow(
        "SELECT body, revision FROM catalog WHERE company_id = $1 AND list_name = $2 AND ledger_id = $3",
        company_id,
        list_name,
        ledger_id,
    )
    return None if record is None else parse(record["body"], record["revision"])


def searchable_of(entry: CatalogEntry) -> str:
    """What an entry is found by, as searches write it."""
    return _folded(" ".join((entry.name, entry.full_name, entry.email, entry.company_name)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def patterns_of(search: str) -> list[str]:
    """What `searchable` is like where every word of the text is in it, in any order: `Roe, Jane` finds Jane Roe, and
    `Jones and Jones` finds Jones & Jones."""
    text = _folded(search).strip()
    words = [word for word in re.findall(r"[\w@.+-]+", text) if word not in _JOINING] or ([text] if text else [])
    return [f"%{re.sub(_WILD, _ESCAPED, word)}%" for word in words]


async def page(
    pool: Pool, company_id: str, list_name: str, search: str, after: tuple[str, str], limit: int
) -> list[tuple[CatalogEntry, tuple[str, str]]]:
    """Entries by name with their place in the list; `search`: those with each of its words in a name or address."""
    records = await pool.fetch(
        "SELECT body, revision, lower(full_name) AS sort, ledger_id FROM catalog"
        " WHERE company_id = $1 AND list_name = $2 AND searchable LIKE ALL($3::text[])"
        " AND (lower(full_name), ledger_id) > ($4, $5) ORDER BY lower(full_name), ledger_id LIMIT $6",
        company_id,
        list_name,
        patterns_of(search),
        *after,
        limit,
    )
    return [(parse(r["body"], r["revision"]), (r["sort"], r["ledger_id"])) for r in records]
