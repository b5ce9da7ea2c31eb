"""Connections, their encrypted credentials, and what ingest reads of their settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from common.bulk import Upsert
from common.crypto import Cipher
from common.database import Connection, Pool, affected, lock_keys
from common.messages.base import Reason
from common.messages.control import ConnectionSettings

RETENTION_DAYS: int = ConnectionSettings.model_fields["raw_retention_days"].default
"""Of raw parts of a connection whose settings are not known: as long as for one whose settings say nothing."""

SETTINGS = Upsert(
    "connection_settings",
    ("connection_id",),
    {
        "connection_id": "text",
        "tenant_id": "text",
        "revision": "bigint",
        "time_zone": "text",
        "store_currency": "boolean",
        "rounding_tolerance": "numeric",
        "start_date": "date",
        "enabled": "boolean",
        "raw_retention_days": "integer",
    },
    guard="t.revision < excluded.revision",
)
_SELECT = """
SELECT connections.*, coalesce(s.time_zone, 'UTC') AS time_zone, coalesce(s.store_currency, false) AS store_currency,
       s.rounding_tolerance, s.start_date, coalesce(s.enabled, true) AS enabled,
       coalesce(s.revision, 0) AS settings_revision
FROM connections LEFT JOIN connection_settings AS s USING (connection_id)
"""

_READING = """
SELECT connection_id, revision, time_zone, store_currency, rounding_tolerance FROM connection_settings
WHERE connection_id = ANY($1::text[]) ORDER BY connection_id"""


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection with its secrets opened."""

    connection_id: str
    tenant_id: str
    channel: str
    name: str
    state: str
    config: dict[str, str]
    secrets: dict[str, str]
    reason: Reason | None
    time_zone: str
    store_currency: bool
    rounding_tolerance: Decimal | None
    start_date: date | None
    enabled: bool
    settings_revision: int
    created_at: datetime
    updated_at: datetime


def secrets_context(tenant_id: str, connection_id: str) -> str:
    """What a connection's ciphertext is bound to."""
    return f"connections/{tenant_id}/{connection_id}"


def _stored(row: Any, cipher: Cipher) -> StoredConnection:
    opened = cipher.decrypt(row["secrets"], secrets_context(row["tenant_id"], row["connection_id"]))
    return StoredConnection(
        connection_id=row["connection_id"],
        tenant_id=row["tenant_id"],
        channel=row["channel"],
        name=row["name"],
        state=row["state"],
        config=orjson.loads(row["config"]),
        secrets=orjson.loads(opened),
        reason=None if row["reason"] is None else Reason.model_validate_json(row["reason"]),
        time_zone=row["time_zone"],
        store_currency=row["store_currency"],
        rounding_tolerance=row["rounding_tolerance"],
        start_date=row["start_date"],
        enabled=row["enabled"],
        settings_revision=row["settings_revision"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def find(
    where: Connection | Pool, cipher: Cipher, connection_id: str, *, tenant_id: str | None = None
) -> StoredConnection | None:
    """One connection; with `tenant_id`, only if it is that tenant's."""
    row = await where.fetchrow(
        f"{_SELECT} WHERE connection_id = $1 AND ($2::text IS NULL OR connections.tenant_id = $2)",
        connection_id,
        tenant_id,
    )
    return None if row is None else _stored(row, cipher)


async def of_channel(connection: Connection, cipher: Cipher, tenant_id: str, channel: str) -> list[StoredConnection]:
    """A tenant's connections to a channel, oldest first, for a transaction that alone adds or changes one meanwhile."""
    await lock_keys(connection, [f"connections/{tenant_id}/{channel}"])
    rows = await connection.fetch(
        f"{_SELECT} WHERE connections.tenant_id = $1 AND channel = $2 ORDER BY created_at, connection_id",
        tenant_id,
        channel,
    )
    return [_stored(row, cipher) for row in rows]


OF_SHOP_AT_ONCE = 100


async def of_shop(pool: Pool, channel: str, field: str, shop: str, after: str = "") -> list[str]:
    """A page of the ids, behind `after`, of any tenant's connections whose `field` names this domain, in any case."""
    rows = await pool.fetch(
        "SELECT connection_id FROM connections WHERE channel = $1 AND rtrim(lower(config->>$2), './') = $3"
        " AND connection_id > $4 ORDER BY connection_id LIMIT $5",
        channel,
        field,
        shop,
        after,
        OF_SHOP_AT_ONCE,
    )
    return [row["connection_id"] for row in rows]


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How a connection's orders are read, as of a revision of its settings."""

    revision: int
    time_zone: str
    store_currency: bool
    rounding_tolerance: Decimal | None

    @classmethod
    def of(cls, settings: ConnectionSettings, revision: int) -> "ReadingSettings":
        return cls(revision, settings.time_zone, settings.use_store_currency, settings.rounding_tolerance)


UNSET = ReadingSettings(0, "UTC", False, None)
"""Of a connection whose settings are not known."""


async def reading_settings(connection: Connection, ids: Sequence[str]) -> dict[str, ReadingSettings]:
    """The settings of these connections. The caller holds their locks, or only looks."""
    rows = await connection.fetch(_READING, ids)
    return {row["connection_id"]: ReadingSettings(*row[1:]) for row in rows}


async def settings_in_force(connection: Connection, ids: Sequence[str]) -> dict[str, ReadingSettings]:
    """The settings of these connections, held until the transaction ends.

    A change of settings waits for us and then reads every order again; so no order can be left as it was read by
    settings that were replaced meanwhile.
    """
    rows = await connection.fetch(f"{_READING} FOR SHARE", ids)
    return {row["connection_id"]: ReadingSettings(*row[1:]) for row in rows}


async def insert(
    connection: Connection,
    cipher: Cipher,
    *,
    connection_id: str,
    tenant_id: str,
    channel: str,
    name: str,
    config: Mapping[str, str],
    secrets: Mapping[str, str],
) -> bool:
    """Store a new connection; false if the id is taken."""
    sealed = cipher.encrypt(orjson.dumps(dict(secrets)), secrets_context(tenant_id, connection_id))
    status = await connection.execute(
        "INSERT INTO connections (connection_id, tenant_id, channel, name, state, config, secrets)"
        " VALUES ($1, $2, $3, $4, 'active', $5, $6) ON CONFLICT DO NOTHING",
        connection_id,
        tenant_id,
        channel,
        name,
        orjson.dumps(dict(config)).decode(),
        sealed,
    )
    # A row that batches can hold, so that even the first change of settings waits for those that read without it.
    await connection.execute(
        "INSERT INTO connection_settings (connection_id, tenant_id, revision, time_zone)"
        " VALUES ($1, $2, 0, 'UTC') ON CONFLICT DO NOTHING",
        connection_id,
        tenant_id,
    )
    return status == "INSERT 0 1"


async def update_credentials(
    connection: Connection,
    cipher: Cipher,
    stored: StoredConnection,
    config: Mapping[str, str],
    secrets: Mapping[str, str],
) -> None:
    """Replace credentials; a connection that needed new ones is active again."""
    sealed = cipher.encrypt(orjson.dumps(dict(secrets)), secrets_context(stored.tenant_id, stored.connection_id))
    await connection.execute(
        "UPDATE connections SET config = $2, secrets = $3, reason = NULL, updated_at = now(),"
        " state = CASE WHEN state = 'needs_credentials' THEN 'active' ELSE state END WHERE connection_id = $1",
        stored.connection_id,
        orjson.dumps(dict(config)).decode(),
        sealed,
    )


async def forget_secrets(connection: Connection, cipher: Cipher, connection_id: str, reason: Reason) -> None:
    """Put nothing in the place of a connection's secrets; it needs new ones and says why."""
    tenant_id = await connection.fetchval(
        "UPDATE connections SET state = 'needs_credentials', reason = $2, updated_at = now() WHERE connection_id = $1"
        " RETURNING tenant_id",
        connection_id,
        reason.model_dump_json(),
    )
    await connection.execute(
        "UPDATE connections SET secrets = $2 WHERE connection_id = $1",
        connection_id,
        cipher.encrypt(orjson.dumps({}), secrets_context(tenant_id, connection_id)),
    )


async def set_state(where: Connection | Pool, connection_id: str, state: str, reason: Reason | None = None) -> None:
    """Change a connection's state and say why."""
    await where.execute(
        "UPDATE connections SET state = $2, reason = $3, updated_at = now() WHERE connection_id = $1",
        connection_id,
        state,
        None if reason is None else reason.model_dump_json(),
    )


async def changed_since(connection: Connection, connection_id: str, at: datetime | None) -> bool:
    """Whether the connection was changed (by new credentials, mostly) after this moment; locks it."""
    updated_at: datetime | None = await connection.fetchval(
        "SELECT updated_at FROM connections WHERE connection_id = $1 FOR UPDATE", connection_id
    )
    return at is not None and updated_at is not None and updated_at > at


_TABLES = (
    "runs",
    "watermarks",
    "normalisations",
    "deliveries",
    "raw_parts",
    "orders",
    "payout_parts",
    "payouts",
    "privacy_requests",
    "connection_settings",
    "connections",
)
"""What hangs on a connection, the connection itself last."""


async def delete(connection: Connection, connection_id: str) -> dict[str, int]:
    """Remove a connection with everything that came through it. Returns the number of rows per table."""
    await connection.execute("DELETE FROM outbox WHERE starts_with(entity_key, $1 || '/')", connection_id)
    return await _delete_rows(connection, connection_id)


async def _delete_rows(connection: Connection, connection_id: str) -> dict[str, int]:
    return {
        table: affected(await connection.execute(f"DELETE FROM {table} WHERE connection_id = $1", connection_id))
        for table in _TABLES
    }


async def purge(connection: Connection, tenant_id: str) -> dict[str, int]:
    """Remove everything of a tenant but its outgoing messages. Returns the number of rows per table."""
    removed = dict.fromkeys((*_TABLES, "rebuilds"), 0)
    for connection_id in await _of_tenant(connection, tenant_id):
        for table, count in (await _delete_rows(connection, connection_id)).items():
            removed[table] += count
    for table in ("rebuilds", "runs"):
        removed[table] += affected(await connection.execute(f"DELETE FROM {table} WHERE tenant_id = $1", tenant_id))
    return removed


async def _of_tenant(connection: Connection, tenant_id: str) -> list[str]:
    """Ids of a tenant's connections, those included of which only settings or late orders are left."""
    rows = await connection.fetch(
        "SELECT connection_id FROM connections WHERE tenant_id = $1"
        " UNION SELECT connection_id FROM connection_settings WHERE tenant_id = $1"
        " UNION SELECT connection_id FROM orders WHERE tenant_id = $1"
        " UNION SELECT connection_id FROM payouts WHERE tenant_id = $1",
        tenant_id,
    )
    return [row["connection_id"] for row in rows]
