"""A tenant leaves: each service removes what it holds, says what that was, and looks again for what was under way.

States of the tenant may still be on their way through queues and delays when the request arrives. Asking at every
batch whether a tenant was deleted would cost each order a question; looking again from time to time, for longer than
anything can be under way, costs nothing and ends the same.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection, lock_keys
from common.handling import Handler
from common.messages.control import TenantDeleted, TenantPurged
from common.outbox import forget_tenant
from common.runtime import Runtime

log = structlog.get_logger(__name__)

Purge = Callable[[Connection, str], Awaitable[dict[str, int]]]
"""Removes a tenant's rows in the caller's transaction, all but those of the outbox. Returns rows per table."""

AGAIN_EVERY_S: Final = 600.0
AGAIN_FOR_DAYS: Final = 8
"""Longer than any retry, and than the days that published rows of an outbox are kept for publishing again."""

_TOMBSTONES = Upsert(
    "deleted_tenants",
    ("tenant_id",),
    {"tenant_id": "text", "revision": "bigint", "removed": "jsonb"},
    guard="t.revision < excluded.revision",
)


def deleted_tenants_table(metadata: sa.MetaData) -> sa.Table:
    """The tombstones, as every service's migrations create them in the service's own schema."""
    return sa.Table(
        "deleted_tenants",
        metadata,
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("removed", postgresql.JSONB, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


@dataclass(frozen=True, slots=True)
class Tombstone:
    """How much was removed so far; the revision counts the times that something was."""

    revision: int
    removed: dict[str, int]


class Forgetting:
    """What one service does about tenants that leave."""

    def __init__(self, service: str, purge: Purge) -> None:
        self._service = service
        self._purge = purge

    def handler(self) -> Handler[TenantDeleted, dict[str, Tombstone]]:
        """The handler of `tenant.deleted`: running it again finds nothing, and says so."""

        async def load(connection: Connection, states: Sequence[TenantDeleted]) -> dict[str, Tombstone]:
            tenants = sorted({state.tenant_id for state in states})
            return {tenant_id: (await self._remove(connection, tenant_id))[0] for tenant_id in tenants}

        def handle(state: TenantDeleted, loaded: dict[str, Tombstone], batch: Batch) -> None:
            self._record(state.tenant_id, loaded[state.tenant_id], batch)

        return Handler(TenantDeleted, load, handle)

    async def look_again(self, runtime: Runtime) -> None:
        """Remove what arrived after a tenant was deleted, of every tenant that was deleted lately."""
        tenants = await runtime.pool.fetch(
            "SELECT tenant_id FROM deleted_tenants WHERE deleted_at > now() - make_interval(days => $1) ORDER BY 1",
            AGAIN_FOR_DAYS,
        )
        for row in tenants:
            async with runtime.transaction() as (connection, batch):
                tombstone, found = await self._remove(connection, row["tenant_id"])
                if found:
                    self._record(row["tenant_id"], tombstone, batch)

    async def _remove(self, connection: Connection, tenant_id: str) -> tuple[Tombstone, bool]:
        await lock_keys(connection, [f"deletion of {tenant_id}"])
        row = await connection.fetchrow("SELECT revision, removed FROM deleted_tenants WHERE tenant_id = $1", tenant_id)
        revision, before = (0, {}) if row is None else (row["revision"], orjson.loads(row["removed"]))
        now = await self._purge(connection, tenant_id)
        now["outbox"] = await forget_tenant(connection, tenant_id)
        removed = {table: before.get(table, 0) + count for table, count in now.items()}
        return Tombstone(revision + 1, removed), any(now.values())

    def _record(self, tenant_id: str, tombstone: Tombstone, batch: Batch) -> None:
        batch.upsert(
            _TOMBSTONES,
            {
                "tenant_id": tenant_id,
                "revision": tombstone.revision,
                "removed": orjson.dumps(tombstone.removed).decode(),
            },
        )
        batch.publish(
            TenantPurged(
                tenant_id=tenant_id, revision=tombstone.revision, service=self._service, removed=tombstone.removed
            )
        )
        rows = sum(tombstone.removed.values())
        batch.after_commit(lambda: log.info("tenant_purged", tenant_id=tenant_id, rows=rows))
