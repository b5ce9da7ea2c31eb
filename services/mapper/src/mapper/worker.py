"""Maps orders again after something they depend on changed, and publishes sets again for those who rebuild."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog

from common.messages.transactions import TransactionSet
from common.runtime import Runtime
from mapper.matching import match_payout
from mapper.remapping import changed_unseen, map_and_record, read_surroundings
from mapper.settings import MapperSettings
from mapper.store.configurations import Configurations
from mapper.store.locks import share_configuration
from mapper.store.orders import CLEAN, claim_dirty, columns_of, dirty_tenants, key_of
from mapper.store.payouts import claim_payouts, tenants_with_dirty_payouts
from mapper.store.sets import listed, page_of_sets
from mapper.store.summaries import claim_summaries, tenants_with_due_summaries
from mapper.summarising import make_summary

log = structlog.get_logger(__name__)

REPLAY_PAGE = 200
PAYOUTS_AT_ONCE = 20
SUMMARIES_AT_ONCE = 5

_NEXT_REPLAY = """
SELECT request_id, entity, tenant_id, position FROM replays ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_REPLAY_MOVED = "UPDATE replays SET position = $2::jsonb WHERE request_id = $1"
_REPLAY_DONE = "DELETE FROM replays WHERE request_id = $1"


class Waker:
    """Tells the worker of this process that there is work; work of other replicas is found by polling."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


@dataclass(frozen=True, slots=True)
class Worker:
    """One loop per process. Any number of replicas may run it; each tenant is worked on by one at a time."""

    runtime: Runtime
    configurations: Configurations
    waker: Waker
    settings: MapperSettings

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            remapped = await self.remap_waiting()
            matched = await self.match_payouts()
            made = await self.make_summaries()
            replayed = await self.replay_page()
            if not (remapped or matched or made or replayed):
                await self.waker.wait(self.settings.remap_poll_s)

    async def remap_waiting(self) -> int:
        """Map one batch of waiting orders of every tenant again. Returns how many orders it took.

        Tenants take turns, so that one with a hundred thousand waiting orders delays another's single order by one
        batch only.
        """
        async with self.runtime.pool.acquire() as connection:
            tenants = await dirty_tenants(connection)
        limit = self.settings.remap_batch if len(tenants) == 1 else self.settings.remap_share
        done = 0
        for tenant_id in tenants:
            done += await self._remap(tenant_id, limit)
        return done

    async def _remap(self, tenant_id: str, limit: int) -> int:
        async with self.runtime.transaction() as (connection, batch):
            await share_configuration(connection, [tenant_id])
            claimed = await claim_dirty(connection, tenant_id, limit)
            if not claimed:
                return 0
            keys = [key_of(one.order) for one in claimed]
            around = await read_surroundings(connection, self.configurations, keys)
            later = await changed_unseen(connection, [one.order for one in claimed if not one.live], around)
            for one in claimed:
                if key_of(one.order) in later:
                    continue
                # Only a request that names orders carries a correlation id; settings and maps mark them without.
                map_and_record(
                    one.order,
                    around,
                    batch,
                    backfill=not one.live,
                    correlation_id=one.correlation_id,
                    renew=bool(one.correlation_id),
                )
            batch.execute(CLEAN, *columns_of(keys))
        log.info("orders_mapped_again", tenant_id=tenant_id, orders=len(claimed))
        return len(claimed)

    async def match_payouts(self) -> int:
        """Match payouts that are new, or whose orders changed. Returns how many it looked at."""
        async with self.runtime.pool.acquire() as connection:
            tenants = await tenants_with_dirty_payouts(connection)
        done = 0
        for tenant_id in tenants:
            async with self.runtime.transaction() as (connection, batch):
                await share_configuration(connection, [tenant_id])
                claimed = await claim_payouts(connection, tenant_id, PAYOUTS_AT_ONCE)
                prepared = await self.configurations.load(
                    connection, {(one.tenant_id, one.connection_id) for one in claimed}
                )
                taken: dict[str, str] = {}
                for one in claimed:
                    settings = prepared.get((one.tenant_id, one.connection_id))
                    await match_payout(connection, one, settings, batch, taken)
            done += len(claimed)
        return done

    async def make_summaries(self) -> int:
        """Make summaries again whose members changed or whose day is over. Returns how many it made."""
        now = datetime.now(UTC)
        async with self.runtime.pool.acquire() as connection:
            tenants = await tenants_with_due_summaries(connection, now)
        done = 0
        for tenant_id in tenants:
            async with self.runtime.transaction() as (connection, batch):
                await share_configuration(connection, [tenant_id])
                claimed = await claim_summaries(connection, tenant_id, now, SUMMARIES_AT_ONCE)
                keys = {(tenant_id, one.connection_id) for one in claimed}
                prepared = await self.configurations.load(connection, keys)
                for one in claimed:
                    await make_summary(
                        connection, tenant_id, one, prepared.get((tenant_id, one.connection_id)), now, batch
                    )
            done += len(claimed)
        return done

    async def replay_page(self) -> int:
        """Publish one page of sets for the oldest request to rebuild. Returns how many it published."""
        async with self.runtime.transaction() as (connection, batch):
            request = await connection.fetchrow(_NEXT_REPLAY)
            if request is None:
                return 0
            after = orjson.loads(request["position"])
            sets, position = await page_of_sets(connection, request["tenant_id"], after, REPLAY_PAGE)
            for one in sets:
                if request["entity"] == TransactionSet.type:
                    batch.publish(one, backfill=True, correlation_id=request["request_id"])
                else:
                    batch.publish(listed(one, one.revision), correlation_id=request["request_id"])
            if sets:
                batch.execute(_REPLAY_MOVED, request["request_id"], orjson.dumps(position).decode())
            else:
                batch.execute(_REPLAY_DONE, request["request_id"])
                log.info("sets_published_again", request_id=request["request_id"])
        return len(sets)
