"""Maps orders again after something they depend on changed, and publishes sets again for those who rebuild."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog

from common.faults import log_fault
from common.messages.transactions import TransactionSet
from common.runtime import Runtime
from mapper.matching import match_payout
from mapper.moving import leave_behind
from mapper.remapping import changed_unseen, map_and_record, read_surroundings
from mapper.setting_aside import PASSING, set_aside
from mapper.settings import MapperSettings
from mapper.store.configurations import Configurations
from mapper.store.locks import share_configuration
from mapper.store.orders import CLEAN, claim_dirty, columns_of, dirty_tenants, key_of
from mapper.store.payouts import claim_payouts, tenants_with_dirty_payouts
from mapper.store.set_aside import SourceKey, all_due, claim_payout, claim_summary, next_set, waiting, wake_due
from mapper.store.sets import listed, page_of_sets
from mapper.store.summaries import claim_summaries, tenants_with_due_summaries
from mapper.summarising import make_summary

log = structlog.get_logger(__name__)

REPLAY_PAGE = 200
PAYOUTS_AT_ONCE = 20
SUMMARIES_AT_ONCE = 5

Work = Callable[[str, int, SourceKey | None], Awaitable[int]]
"""(tenant id, how many at most, or only this one) -> how many were done."""

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
        await all_due(self.runtime.pool)
        while True:
            await wake_due(self.runtime.pool)
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
            done += await self._batch("order", self._remap, tenant_id, limit)
        return done

    async def _batch(self, kind: str, work: Work, tenant_id: str, limit: int) -> int:
        """Work on one batch of a tenant's; after a fault of ours one by one, and what it is about is set aside.

        Returns how many are out of the way, one way or the other.
        """
        try:
            return await work(tenant_id, limit, None)
        except PASSING:
            raise
        except Exception as error:  # noqa: BLE001 - logged; the batch runs again one by one, which finds the culprit
            log_fault("batch_stumbled", error, kind=kind, tenant_id=tenant_id)
        async with self.runtime.pool.acquire() as connection:
            keys = await waiting(connection, kind, tenant_id, limit)
        done = 0
        for key in keys:
            try:
                done += await work(tenant_id, 1, key)
            except PASSING:
                raise
            except Exception as error:  # noqa: BLE001 - logged, held with a reason and tried again later
                await set_aside(self.runtime, kind, key, error)
                done += 1
        return done

    async def _remap(self, tenant_id: str, limit: int, only: SourceKey | None) -> int:
        async with self.runtime.transaction() as (connection, batch):
            await share_configuration(connection, [tenant_id])
            claimed = await claim_dirty(connection, tenant_id, limit, only)
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
                    again=one.again,
                )
            sources = [(key[1], key[2]) for key in keys]
            await leave_behind(connection, tenant_id, "order", sources, around.prepared, batch)
            batch.execute(CLEAN, *columns_of(keys))
        log.info("orders_mapped_again", tenant_id=tenant_id, orders=len(claimed))
        return len(claimed)

    async def match_payouts(self) -> int:
        """Match payouts that are new, or whose orders changed. Returns how many it looked at."""
        async with self.runtime.pool.acquire() as connection:
            tenants = await tenants_with_dirty_payouts(connection)
        done = 0
        for tenant_id in tenants:
            done += await self._batch("payout", self._match, tenant_id, PAYOUTS_AT_ONCE)
        return done

    async def _match(self, tenant_id: str, limit: int, only: SourceKey | None) -> int:
        async with self.runtime.transaction() as (connection, batch):
            await share_configuration(connection, [tenant_id])
            claimed = await (claim_payout(connection, only) if only else claim_payouts(connection, tenant_id, limit))
            keys = {(one.tenant_id, one.connection_id) for one in claimed}
            prepared = await self.configurations.load(connection, keys)
            taken: dict[str, str] = {}
            for one in claimed:
                settings = prepared.get((one.tenant_id, one.connection_id))
                await match_payout(connection, one, settings, batch, taken)
            sources = [(one.connection_id, one.external_id) for one in claimed]
            await leave_behind(connection, tenant_id, "payout", sources, prepared, batch)
        return len(claimed)

    async def make_summaries(self) -> int:
        """Make summaries again whose members changed or whose day is over. Returns how many it made."""
        async with self.runtime.pool.acquire() as connection:
            tenants = await tenants_with_due_summaries(connection, datetime.now(UTC))
        done = 0
        for tenant_id in tenants:
            done += await self._batch("summary", self._summarise, tenant_id, SUMMARIES_AT_ONCE)
        return done

    async def _summarise(self, tenant_id: str, limit: int, only: SourceKey | None) -> int:
        now = datetime.now(UTC)
        async with self.runtime.transaction() as (connection, batch):
            await share_configuration(connection, [tenant_id])
            claimed = await (
                claim_summary(connection, only) if only else claim_summaries(connection, tenant_id, now, limit)
            )
            prepared = await self.configurations.load(connection, {(tenant_id, one.connection_id) for one in claimed})
            for one in claimed:
                await make_summary(connection, tenant_id, one, prepared.get((tenant_id, one.connection_id)), now, batch)
            sources = [(one.connection_id, one.summary_id) for one in claimed]
            await leave_behind(connection, tenant_id, "summary", sources, prepared, batch)
        return len(claimed)

    async def replay_page(self) -> int:
        """Publish one page of sets for the oldest request to rebuild. Returns how many it published or left out.

        A set that can't be read is left out and logged: the rebuild of everybody else's must not wait for it.
        """
        try:
            return await self._replay(REPLAY_PAGE)
        except PASSING:
            raise
        except Exception as error:  # noqa: BLE001 - logged; the page runs again one by one, which finds the culprit
            log_fault("batch_stumbled", error, kind="set", tenant_id="")
        done = 0
        for _ in range(REPLAY_PAGE):
            try:
                done += await self._replay(1)
            except PASSING:
                raise
            except Exception as error:  # noqa: BLE001 - logged, and left out
                done += await self._leave_out(error)
        return done

    async def _leave_out(self, error: Exception) -> int:
        async with self.runtime.transaction() as (connection, batch):
            request = await connection.fetchrow(_NEXT_REPLAY)
            if request is None:
                return 0
            position = await next_set(connection, request["tenant_id"], orjson.loads(request["position"]))
            if position is None:
                return 0
            batch.execute(_REPLAY_MOVED, request["request_id"], orjson.dumps(position).decode())
        log_fault(
            "set_left_out", error, request_id=request["request_id"], tenant_id=position[0], set="/".join(position)
        )
        return 1

    async def _replay(self, limit: int) -> int:
        async with self.runtime.transaction() as (connection, batch):
            request = await connection.fetchrow(_NEXT_REPLAY)
            if request is None:
                return 0
            after = orjson.loads(request["position"])
            sets, position = await page_of_sets(connection, request["tenant_id"], after, limit)
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
