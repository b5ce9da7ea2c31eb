"""The outbox: outgoing messages are rows of the transaction that made them, one row per entity until published.

A state that is still unpublished is overwritten by its next revision, so that a broker outage fills the table with
entities, not with history. Published rows are kept for a stated time: what a broker lost can be published again from
any moment on, which consumers make harmless.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from common.broker import UNAVAILABLE, Broker, BrokerLost, Outgoing, Unroutable
from common.database import Connection, Pool, affected
from common.dead_ends import DeadEnds, Way
from common.messages import BY_TYPE
from common.messages.base import State
from common.messages.control import TenantPurged
from common.packs import encode_member, join_members, split_by_size
from common.telemetry import OUTBOX_OLDEST_S, OUTBOX_PUBLISHED, OUTBOX_UNPUBLISHED
from common.topology import EXCHANGE, HEADER_TENANT, routing_key

log = structlog.get_logger(__name__)

_SWEEP_ROWS = 1000


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One outgoing state, or one raw message on its way to a delay or to the dead letters.

    `exchange` is empty for a state: its type says where it goes. A raw message keeps its own headers and body.
    """

    type: str
    entity_key: str
    revision: int
    body: bytes
    correlation_id: str = ""
    traceparent: str | None = None
    backfill: bool = False
    exchange: str = ""
    routing_key: str = ""
    headers: dict[str, Any] | None = None

    @property
    def way(self) -> Way:
        return Way(self.type, self.backfill, self.exchange, self.routing_key)


@dataclass(frozen=True, slots=True)
class StoredRow:
    id: int
    row: OutboxRow


def outbox_table(metadata: sa.MetaData) -> sa.Table:
    """The table as every service's migrations create it in the service's own schema."""
    table = sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("entity_key", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("body", postgresql.BYTEA, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text, nullable=True),
        sa.Column("backfill", sa.Boolean, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("headers", postgresql.JSONB, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
    )
    unpublished = sa.text("published_at IS NULL AND exchange = ''")
    sa.Index("outbox_unpublished_state", table.c.type, table.c.entity_key, unique=True, postgresql_where=unpublished)
    sa.Index("outbox_unpublished", table.c.id, postgresql_where=sa.text("published_at IS NULL"))
    sa.Index("outbox_published_at", table.c.published_at, postgresql_where=sa.text("published_at IS NOT NULL"))
    return table


_INSERT = """
INSERT INTO outbox AS t
    (type, entity_key, revision, body, correlation_id, traceparent, backfill, exchange, routing_key, headers)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::boolean[],
                     $8::text[], $9::text[], $10::jsonb[])
ON CONFLICT (type, entity_key) WHERE published_at IS NULL AND exchange = '' DO UPDATE
SET revision = excluded.revision, body = excluded.body, correlation_id = excluded.correlation_id,
    traceparent = excluded.traceparent, backfill = t.backfill AND excluded.backfill
WHERE t.revision <= excluded.revision
RETURNING id, type, entity_key, exchange
"""

_MARK = """
UPDATE outbox SET published_at = now()
FROM unnest($1::bigint[], $2::bigint[]) AS published (id, revision)
WHERE outbox.id = published.id AND outbox.revision = published.revision AND outbox.published_at IS NULL
"""

_UNPUBLISHED = """
SELECT id, type, entity_key, revision, body, correlation_id, traceparent, backfill, exchange, routing_key, headers
FROM outbox WHERE published_at IS NULL AND created_at < now() - make_interval(secs => $1)
    AND type || '|' || backfill::integer || '|' || exchange || '|' || routing_key <> ALL($3::text[])
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def insert(connection: Connection, rows: Sequence[OutboxRow]) -> list[StoredRow]:
    """Write outgoing rows in the caller's transaction; of two states of one entity the newer stays.

    Returns the rows that are now waiting, to be published after the commit. A state older than one that already
    waits is left out.
    """
    latest: dict[tuple[str, str, str, int], OutboxRow] = {}
    for number, row in enumerate(rows):
        # Raw messages are never merged: each is a delivery that somebody must see.
        slot = (row.type, row.entity_key, row.exchange, number if row.exchange else 0)
        held = latest.get(slot)
        if held is None or held.revision <= row.revision:
            latest[slot] = row
    if not latest:
        return []
    ordered = [latest[slot] for slot in sorted(latest)]
    records = await connection.fetch(
        _INSERT,
        [row.type for row in ordered],
        [row.entity_key for row in ordered],
        [row.revision for row in ordered],
        [row.body for row in ordered],
        [row.correlation_id for row in ordered],
        [row.traceparent for row in ordered],
        [row.backfill for row in ordered],
        [row.exchange for row in ordered],
        [row.routing_key for row in ordered],
        [None if row.headers is None else orjson.dumps(row.headers).decode() for row in ordered],
    )
    # A state older than the one that waits already has no record: whoever wrote the newer one publishes it.
    states = {(row.type, row.entity_key): row for row in ordered if not row.exchange}
    raw = [row for row in ordered if row.exchange]
    stored: list[StoredRow] = []
    for record in records:
        row = raw.pop(0) if record["exchange"] else states[record["type"], record["entity_key"]]
        stored.append(StoredRow(record["id"], row))
    return stored


def packed_rows(contract: type[State], tenant_id: str, members: Sequence[bytes]) -> list[OutboxRow]:
    """Ready packs of states of one tenant that only the read model takes in, a row each.

    A row per state would make more rows of the outbox than of anything else. In an outage these rows don't give way to
    newer ones of the same entity; the reader refuses older revisions as always.
    """
    name = uuid4().hex
    return [
        OutboxRow(
            type=contract.type,
            entity_key=f"{tenant_id}/{name}/{number}",
            revision=0,
            body=join_members(members[index] for index in run),
            exchange=EXCHANGE,
            routing_key=routing_key(contract, backfill=False),
            headers={HEADER_TENANT: tenant_id},
        )
        for number, run in enumerate(split_by_size(members, contract.packed_max))
    ]


async def forget_tenant(connection: Connection, tenant_id: str) -> int:
    """Remove a tenant's rows, published or not. States name their tenant at the top, raw messages in a header of ours.

    The report of the removal itself stays. Returns the number of rows.
    """
    status = await connection.execute(
        "DELETE FROM outbox WHERE type <> $2 AND CASE WHEN exchange = ''"
        " THEN convert_from(body, 'UTF8')::jsonb ->> 'tenant_id' = $1 ELSE headers ->> $3 = $1 END",
        tenant_id,
        TenantPurged.type,
        HEADER_TENANT,
    )
    return affected(status)


def to_messages(stored: Sequence[StoredRow]) -> list[tuple[Outgoing, list[StoredRow]]]:
    """Pack rows into messages: states of one type and lane share a message, raw messages stay alone."""
    groups: dict[tuple[str, bool], list[StoredRow]] = {}
    messages: list[tuple[Outgoing, list[StoredRow]]] = []
    for item in stored:
        row = item.row
        if row.exchange:
            headers = row.headers or {}
            messages.append((Outgoing(row.exchange, row.routing_key, row.type, row.body, headers), [item]))
        else:
            groups.setdefault((row.type, row.backfill), []).append(item)
    for (type_name, backfill), items in groups.items():
        contract = BY_TYPE[type_name]
        key = routing_key(contract, backfill=backfill)
        members = [encode_member(i.row.body, i.row.correlation_id, i.row.traceparent) for i in items]
        for indexes in split_by_size(members, contract.packed_max):
            body = join_members(members[index] for index in indexes)
            messages.append((Outgoing(EXCHANGE, key, type_name, body, {}), [items[index] for index in indexes]))
    return messages


class Outbox:
    """Publishes what transactions wrote: at once after each commit, and later what a crash or outage left behind.

    Rows that no queue takes (the topology is not the one this release needs) stay, and hold up nothing but themselves:
    their way is left out, and tried again by the sweeper after a while.
    """

    def __init__(self, pool: Pool, broker: Broker, *, sweep_interval_s: float, retention_days: int) -> None:
        self._pool = pool
        self._broker = broker
        self._sweep_interval_s = sweep_interval_s
        self._retention_days = retention_days
        self._dead_ends = DeadEnds()

    async def publish(self, stored: Sequence[StoredRow]) -> bool:
        """Publish rows of a committed transaction with confirms and mark them. False leaves them to the sweeper."""
        sendable = [item for item in stored if item.row.way not in self._dead_ends]
        try:
            confirmed, lost = await self._publish_and_mark(sendable, self._pool)
            if lost is not None:
                raise lost
        except UNAVAILABLE as error:
            log.warning("outbox_publish_deferred", rows=len(sendable), error=type(error).__name__)
            return False
        return confirmed == len(stored)

    async def _publish_and_mark(
        self, stored: Sequence[StoredRow], where: Pool | Connection
    ) -> tuple[int, BrokerLost | None]:
        """Publish rows and mark the confirmed ones. Returns their number, and the loss that kept back others."""
        messages = to_messages(stored)
        problems = await self._broker.publish_each([message for message, _ in messages])
        confirmed: list[StoredRow] = []
        refused: dict[Way, Unroutable] = {}
        lost: BrokerLost | None = None
        for (_, items), problem in zip(messages, problems, strict=True):
            if problem is None:
                confirmed += items
            elif isinstance(problem, BrokerLost):
                lost = problem
            else:
                refused[items[0].row.way] = problem
        for way in {item.row.way for item in confirmed}:
            self._dead_ends.remove(way)
        for way, error in refused.items():
            self._dead_ends.add(way, error)
        if confirmed:
            await where.execute(_MARK, [item.id for item in confirmed], [item.row.revision for item in confirmed])
            OUTBOX_PUBLISHED.inc(len(confirmed))
        return len(confirmed), lost

    async def sweep(self, *, min_age_s: float) -> int:
        """Publish rows that nobody published, oldest first. Returns how many. Raises `BrokerLost` or a lost database.

        The rows stay locked while they are published, so that two replicas don't send the same backlog.
        """
        total = 0
        tried: set[Way] = set()
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                resting = self._dead_ends.resting(tried)
                records = await connection.fetch(_UNPUBLISHED, min_age_s, _SWEEP_ROWS, resting)
                if not records:
                    return total
                stored = [_stored(dict(record)) for record in records]
                tried |= {item.row.way for item in stored}
                confirmed, lost = await self._publish_and_mark(stored, connection)
                total += confirmed
            if lost is not None:
                raise lost

    async def run(self) -> None:
        """Measure, sweep and clean up until cancelled."""
        min_age_s = 0.0
        while True:
            try:
                # First: while the broker is away, what waits for it is just what somebody has to see.
                await self._measure()
                swept = await self.sweep(min_age_s=min_age_s)
                if swept:
                    log.info("outbox_swept", rows=swept)
                    await self._measure()
                await self._forget()
                # From now on the youngest rows are being published by the transaction that wrote them.
                min_age_s = self._sweep_interval_s
            except UNAVAILABLE as error:
                log.warning("outbox_sweep_deferred", error=type(error).__name__)
            await asyncio.sleep(self._sweep_interval_s)

    async def _measure(self) -> None:
        (record,) = await self._pool.fetch(
            "SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_s"
            " FROM outbox WHERE published_at IS NULL"
        )
        OUTBOX_UNPUBLISHED.set(record["rows"])
        OUTBOX_OLDEST_S.set(record["oldest_s"])

    async def _forget(self) -> None:
        await self._pool.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE published_at <"
            " now() - make_interval(days => $1) LIMIT 5000)",
            self._retention_days,
        )


async def mark_for_republish(pool: Pool, since: datetime) -> int:
    """Mark everything published since a moment as unpublished; the sweeper sends it again.

    Only the newest revision of each entity goes out. Returns the number of entities.
    """
    status = await pool.execute(
        """
        UPDATE outbox SET published_at = NULL WHERE id IN (
            SELECT DISTINCT ON (type, entity_key) id FROM outbox AS published
            WHERE published_at >= $1 AND exchange IN ('', 'tillbook') AND NOT EXISTS (
                SELECT FROM outbox AS waiting WHERE waiting.published_at IS NULL AND waiting.exchange = ''
                AND waiting.type = published.type AND waiting.entity_key = published.entity_key)
            ORDER BY type, entity_key, revision DESC, id DESC)
        """,
        since,
    )
    return affected(status)


def _stored(record: dict[str, Any]) -> StoredRow:
    identity = record.pop("id")
    headers = record.pop("headers")
    return StoredRow(identity, OutboxRow(headers=None if headers is None else orjson.loads(headers), **record))
