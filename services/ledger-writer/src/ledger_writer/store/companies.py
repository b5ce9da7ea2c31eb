"""Company files: pairing, secrets, status, settings."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from common.database import Connection, Pool, affected
from common.messages.base import Reason
from common.messages.control import CompanySettings
from common.messages.documents import CompanyChanged, CompanyStatus
from ledger_writer.ledgers.protocol import Capability, Ledger
from ledger_writer.store import reconnects

_COLUMNS = """
    c.company_id, c.tenant_id, c.ledger, c.name, c.external_id, c.status, c.reason, c.home_currency, c.country,
    c.multi_currency, c.custom_numbers, c.preferences, c.details, c.secrets, c.lane_paused, c.lists_wanted,
    c.lists_read_at, c.revision, c.oauth_verifier, s.settings, coalesce(s.revision, 0) AS settings_revision,
    l.holder, l.expires_at > now() AS is_held
"""
SELECT = f"""
SELECT {_COLUMNS} FROM companies AS c
LEFT JOIN company_settings AS s USING (company_id) LEFT JOIN lanes AS l USING (company_id)
"""
"""What `Company.of` reads; the company file is `c`."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company file as stored. `secrets` stays encrypted until somebody opens the file."""

    company_id: str
    tenant_id: str
    ledger: str
    name: str
    external_id: str
    status: CompanyStatus
    reason: Reason | None
    home_currency: str
    country: str
    multi_currency: bool
    custom_numbers: bool
    preferences: dict[str, str]
    details: dict[str, str]
    secrets: bytes | None
    lane_paused: bool
    lists_wanted: bool
    lists_read_at: dt.datetime | None
    revision: int
    oauth_verifier: str
    settings: CompanySettings | None
    settings_revision: int
    lane_holder: str

    @classmethod
    def of(cls, record: asyncpg.Record) -> "Company":
        settings, reason = record["settings"], record["reason"]
        return cls(
            company_id=record["company_id"],
            tenant_id=record["tenant_id"],
            ledger=record["ledger"],
            name=record["name"],
            external_id=record["external_id"],
            status=CompanyStatus(record["status"]),
            reason=None if reason is None else Reason.model_validate_json(reason),
            home_currency=record["home_currency"],
            country=record["country"],
            multi_currency=record["multi_currency"],
            custom_numbers=record["custom_numbers"],
            preferences=orjson.loads(record["preferences"]),
            details=orjson.loads(record["details"]),
            secrets=record["secrets"],
            lane_paused=record["lane_paused"],
            lists_wanted=record["lists_wanted"],
            lists_read_at=record["lists_read_at"],
            revision=record["revision"],
            oauth_verifier=record["oauth_verifier"],
            settings=None if settings is None else CompanySettings.model_validate_json(settings),
            settings_revision=record["settings_revision"],
            lane_holder=record["holder"] if record["is_held"] else "",
        )

    def changed(self, ledger: Ledger) -> CompanyChanged:
        """What the other services are told."""
        capabilities = set(ledger.capabilities)
        if not self.multi_currency:
            capabilities.discard(Capability.MULTI_CURRENCY)
        return CompanyChanged(
            tenant_id=self.tenant_id,
            revision=self.revision,
            company_id=self.company_id,
            ledger=self.ledger,
            name=self.name,
            external_id=self.external_id,
            status=self.status,
            reason=self.reason,
            home_currency=self.home_currency,
            country=self.country,
            multi_currency=self.multi_currency,
            custom_numbers=self.custom_numbers,
            closed_through=self.settings.closed_through if self.settings is not None else None,
            capabilities=tuple(sorted(capability.value for capability in capabilities)),
            lane_paused=self.lane_paused,
        )


async def get(where: Pool | Connection, company_id: str, *, tenant_id: str | None = None) -> Company | None:
    """One company file; None where there is none or another tenant owns it."""
    record = await where.fetchrow(
        f"{SELECT} WHERE c.company_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2)",
        company_id,
        tenant_id,
    )
    return None if record is None else Company.of(record)


async def by_oauth_state(connection: Connection, state: str) -> Company | None:
    """The company file that waits for this callback, if it still does."""
    record = await connection.fetchrow(
        f"{SELECT} WHERE c.oauth_state = $1 AND c.oauth_state <> '' AND c.oauth_expires_at > now() FOR UPDATE OF c",
        state,
    )
    return None if record is None else Company.of(record)


async def create(connection: Connection, *, company_id: str, tenant_id: str, ledger: str, name: str) -> bool:
    """Make a row that is not connected yet. False where there is one already."""
    status = await connection.execute(
        "INSERT INTO companies (company_id, tenant_id, ledger, name, status) VALUES ($1, $2, $3, $4, 'disconnected')"
        " ON CONFLICT (company_id) DO NOTHING",
        company_id,
        tenant_id,
        ledger,
        name,
    )
    await connection.execute(
        "INSERT INTO lanes (company_id, tenant_id) VALUES ($1, $2) ON CONFLICT (company_id) DO NOTHING",
        company_id,
        tenant_id,
    )
    return bool(status == "INSERT 0 1")


async def change(connection: Connection, company_id: str, values: Mapping[str, Any]) -> None:
    """Set columns and raise the revision. Dictionaries and reasons become JSON."""
    names = list(values)
    assigned = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, start=2))
    await connection.execute(
        f"UPDATE companies SET {assigned}, revision = revision + 1, updated_at = now() WHERE company_id = $1",
        company_id,
        *(_stored(values[name]) for name in names),
    )


async def stop(
    connection: Connection, company_id: str, revision: int, status: CompanyStatus, reason: Reason
) -> Company | None:
    """Stop a connected company file. None where somebody changed it since that revision: he may have cured it."""
    stopped = await connection.execute(
        "UPDATE companies SET status = $3, reason = $4, revision = revision + 1, updated_at = now()"
        " WHERE company_id = $1 AND revision = $2 AND status = 'connected'",
        company_id,
        revision,
        status.value,
        reason.model_dump_json(),
    )
    if stopped != "UPDATE 1":
        return None
    if status is CompanyStatus.NEEDS_RECONNECT:
        await reconnects.wanted(connection, company_id)
    return await get(connection, company_id)


def _stored(value: Any) -> Any:
    if isinstance(value, Reason):
        return value.model_dump_json()
    if isinstance(value, Mapping):
        return orjson.dumps(dict(value)).decode()
    return value


async def waiting(pool: Pool, company_id: str) -> int:
    """Documents that are due, counted up to 10,000."""
    return int(
        await pool.fetchval(
            "SELECT count(*) FROM (SELECT FROM documents WHERE company_id = $1"
            " AND state IN ('not_tried', 'queued') LIMIT 10000) AS due",
            company_id,
        )
    )


async def delete(connection: Connection, company_id: str) -> None:
    """Remove a company file with its links, documents and attempts."""
    await connection.execute(
        "DELETE FROM attempts WHERE document_key IN (SELECT document_key FROM documents WHERE company_id = $1)",
        company_id,
    )
    for table in (
        "documents",
        "checks",
        "sets",
        "catalog",
        "lanes",
        "reconnect_notices",
        "company_settings",
        "companies",
    ):
        await connection.execute(f"DELETE FROM {table} WHERE company_id = $1", company_id)


async def lists_were_read(connection: Connection, company_id: str, started: dt.datetime) -> None:
    """The mirror holds what the lists were when reading them began."""
    await connection.execute(
        "UPDATE companies SET lists_wanted = false, feed_wanted = false, lists_read_at = $2 WHERE company_id = $1",
        company_id,
        started,
    )


async def want_lists(connection: Connection, company_id: str) -> None:
    await connection.execute("UPDATE companies SET lists_wanted = true WHERE company_id = $1", company_id)


_OF_TENANT = {
    "attempts": "document_key IN (SELECT document_key FROM documents WHERE tenant_id = $1)",
    "checks": "company_id IN (SELECT company_id FROM companies WHERE tenant_id = $1)",
    **dict.fromkeys(
        ("documents", "sets", "catalog", "lanes", "reconnect_notices", "company_settings", "companies", "replays"),
        "tenant_id = $1",
    ),
}
"""Table → which of its rows are a tenant's; those first that are known by another table."""


async def purge(connection: Connection, tenant_id: str) -> dict[str, int]:
    """Remove everything of a tenant. Returns the number of rows per table."""
    return {
        table: affected(await connection.execute(f"DELETE FROM {table} WHERE {whose}", tenant_id))
        for table, whose in _OF_TENANT.items()
    }


async def want_stale_lists(pool: Pool, hours: float, following: Sequence[str], minutes: float) -> int:
    """Have lists read again that are older than this, or followed where the ledger tells what changed.

    Returns of how many company files.
    """
    status = await pool.execute(
        "UPDATE companies SET lists_wanted = lists_wanted OR ledger <> ALL($2::text[]),"
        " feed_wanted = feed_wanted OR ledger = ANY($2::text[])"
        " WHERE status = 'connected' AND NOT lists_wanted AND NOT feed_wanted AND lists_read_at"
        " < now() - make_interval(secs => CASE WHEN ledger = ANY($2::text[]) THEN $3 * 60 ELSE $1 * 3600 END)",
        hours,
        list(following),
        minutes,
    )
    return affected(status)


async def want_checks(pool: Pool, following: Sequence[str], hours: float) -> int:
    """Have the ledger compared with what we wrote where that was done longer ago. Returns for how many files."""
    status = await pool.execute(
        "UPDATE companies SET check_wanted = true WHERE status = 'connected' AND NOT check_wanted"
        " AND ledger = ANY($1::text[]) AND coalesce(checked_at, created_at) < now() - make_interval(secs => $2 * 3600)",
        list(following),
        hours,
    )
    return affected(status)
