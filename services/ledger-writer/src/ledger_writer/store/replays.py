"""Requests to publish what this service owns again, how far each has come, and the rows of the next page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import orjson

from common.database import Connection, Pool
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from ledger_writer.store import companies
from ledger_writer.store.rows import COLUMNS

REMEMBER: Final = """
INSERT INTO replays (request_id, tenant_id, entity, position) VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (request_id) DO NOTHING
"""
_REMEMBER_DOCUMENTS = """
INSERT INTO replays (request_id, tenant_id, entity, position)
SELECT 'company-' || gen_random_uuid(), tenant_id, $2, $3::jsonb FROM companies WHERE company_id = $1
"""
MOVED: Final = "UPDATE replays SET position = $2::jsonb, finished = $3 WHERE request_id = $1"

_OLDEST = """
SELECT request_id, tenant_id, entity, position FROM replays WHERE NOT finished
ORDER BY requested_at, request_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """An open request. `position` is the key of the last row that is done, empty texts at the start."""

    request_id: str
    tenant_id: str
    entity: str
    position: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """How the rows behind an entity are read in key order: $1 tenant, then the position, then how many at most."""

    key: tuple[str, ...]
    page: str


_ROWS: Final[Mapping[str, _Rows]] = {
    DocumentChanged.type: _Rows(
        ("document_key",),
        f"SELECT {COLUMNS} FROM documents WHERE tenant_id = $1 AND document_key > $2 ORDER BY document_key LIMIT $3",
    ),
    CompanyChanged.type: _Rows(
        ("company_id",),
        f"{companies.SELECT} WHERE c.tenant_id = $1 AND c.company_id > $2 ORDER BY c.company_id LIMIT $3",
    ),
    CatalogEntry.type: _Rows(
        ("company_id", "list_name", "ledger_id"),
        "SELECT company_id, list_name, ledger_id, body, revision FROM catalog"
        " WHERE tenant_id = $1 AND (company_id, list_name, ledger_id) > ($2, $3, $4)"
        " ORDER BY company_id, list_name, ledger_id LIMIT $5",
    ),
}
OWNED: Final = frozenset(_ROWS)
"""Types of the states that can be asked for here."""


def encode_position(position: Sequence[str]) -> str:
    return orjson.dumps(list(position)).decode()


def first_position(entity: str) -> str:
    """Where a request for one of `OWNED` begins, as JSON."""
    return encode_position([""] * len(_ROWS[entity].key))


async def publish_documents(connection: Connection, company_id: str) -> None:
    """Have the documents of the company's tenant published, page by page: too many changed to say so at once."""
    entity = DocumentChanged.type
    await connection.execute(_REMEMBER_DOCUMENTS, company_id, entity, first_position(entity))


async def oldest(connection: Connection) -> Replay | None:
    """Lock the oldest open request; None where there is none, or other replicas have them."""
    row = await connection.fetchrow(_OLDEST)
    if row is None:
        return None
    return Replay(row["request_id"], row["tenant_id"], row["entity"], tuple(orjson.loads(row["position"])))


async def page(connection: Connection, replay: Replay, limit: int) -> list[asyncpg.Record]:
    """The next rows in key order, as they are stored: whether one can be read is the caller's to find out."""
    return list(await connection.fetch(_ROWS[replay.entity].page, replay.tenant_id, *replay.position, limit))


async def forget(pool: Pool, days: int) -> None:
    """Forget requests that were answered so long ago that their message does not come again."""
    await pool.execute("DELETE FROM replays WHERE finished AND requested_at < now() - make_interval(days => $1)", days)


def position_of(replay: Replay, record: asyncpg.Record) -> tuple[str, ...]:
    """The position behind this row."""
    return tuple(record[name] for name in _ROWS[replay.entity].key)
