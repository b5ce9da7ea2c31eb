"""Background work of one replica: runs, refetches, reading again, publishing again, privacy, cleaning up.

Every piece is taken under a lock or lease in Postgres, so replicas share it without knowing of each other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from common.batch import Batch
from common.broker import UNAVAILABLE
from common.crypto import Cipher
from common.database import CONTENDED
from common.errors import Rejected, Retryable
from common.messages.orders import Order, Payout
from common.runtime import Runtime
from ingest.accounts import Accounts, Opened
from ingest.arrivals import Arrival, to_listed
from ingest.channel import ChannelClient
from ingest.faults import log_fault
from ingest.intake import Intake
from ingest.parts import Part
from ingest.payout_rebuild import publish_payouts
from ingest.payout_runs import PayoutRuns
from ingest.privacy import fulfil
from ingest.reopening import Reopening
from ingest.runner import Runner
from ingest.settings import IngestSettings
from ingest.store import connections, due, runs
from ingest.store.connections import RETENTION_DAYS
from ingest.store.orders import OrderKey, content_context, forget_deliveries, forget_parts, to_stored

log = structlog.get_logger(__name__)

_DUE_ROWS = 100
_REBUILD_ROWS = 500
_CLEAN_UP_EVERY_S = 3600.0
_FORGET_PARTS_EVERY_S = 24 * 3600.0


class Workers:
    """Loops that look for work when woken and, at the latest, every `poll_interval_s`."""

    def __init__(
        self,
        runtime: Runtime,
        settings: IngestSettings,
        accounts: Accounts,
        intake: Intake,
        payouts: PayoutRuns,
        cipher: Cipher,
        reopening: Reopening,
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._accounts = accounts
        self._intake = intake
        self._cipher = cipher
        self._payouts = payouts
        self._reopening = reopening
        self._runner = Runner(runtime, settings, accounts, intake, payouts)
        self._woken = asyncio.Event()
        self._interrupted: list[runs.StoredRun] = []
        """Runs we hold and could not go on with."""

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    def start(self) -> None:
        """Start every loop on the runtime."""
        for number in range(1, self._settings.workers_max + 1):
            self._loop(f"runs-{number}", self.run_one)
        self._loop("due-orders", self.bring_up_to_date)
        self._loop("due-payouts", self._payouts.fetch_announced)
        self._loop("rebuilds", self.publish_again)
        self._loop("privacy", self.fulfil_privacy)
        self._runtime.start_every("clean-up", _CLEAN_UP_EVERY_S, self._forget_deliveries)
        # Seldom, as it looks at every part.
        self._runtime.start_every("retention", _FORGET_PARTS_EVERY_S, self._forget_parts)

    def _loop(self, name: str, step: Callable[[], Awaitable[bool]]) -> None:
        async def forever() -> None:
            while True:
                if await step():
                    continue
                self._woken.clear()
                try:
                    async with asyncio.timeout(self._settings.poll_interval_s):
                        await self._woken.wait()
                except TimeoutError:
                    continue

        self._runtime.start_forever(name, forever)

    async def run_one(self) -> bool:
        """Work on one run; false where there was none."""
        for run in list(self._interrupted):
            await runs.release(self._runtime.pool, run)
            if run in self._interrupted:
                self._interrupted.remove(run)
        picked = await runs.pick(self._runtime.pool)
        if picked is None:
            return False
        try:
            await self._runner.work(picked)
        except UNAVAILABLE:
            self._interrupted.append(picked)
            raise
        return True

    async def bring_up_to_date(self) -> bool:
        """Fetch or read again what is due; false where nothing was."""
        found = await due.take_due(self._runtime.pool, _DUE_ROWS)
        if not found:
            return False
        opened = {key: await self._open(key) for key in {item.key[0] for item in found}}
        gone = [item.key for item in found if opened[item.key[0]] is None]
        if gone:
            await due.clear_due(self._runtime.pool, gone)
        again: list[Arrival] = []
        fetching: dict[str, list[OrderKey]] = {}
        for item in found:
            account = opened[item.key[0]]
            if account is None or await self._reopening.take_up(account, item.key):
                continue
            if item.kind in due.FETCHING and account.account.fetches:
                fetching.setdefault(item.key[0], []).append(item.key)
            else:
                name = f"again:{item.key[1]}"[:128]
                # What should be fetched and can't be was asked for as well.
                asked = item.kind in {due.RESEND, *due.FETCHING}
                again.append(Arrival(account, item.key[1], (), "stored parts", name, again=asked))
        if again:
            await self._read_again(again)
        await asyncio.gather(
            *(self._refetch(account, keys) for name, keys in fetching.items() if (account := opened[name]) is not None)
        )
        return True

    async def _open(self, connection_id: str) -> Opened | None:
        try:
            return await self._accounts.get(connection_id)
        except Rejected as error:
            log.warning("connection_unusable", connection_id=connection_id, code=error.reason.code)
            return None

    async def _read_again(self, arrivals: list[Arrival]) -> None:
        """Read orders of many connections from their stored parts; one that can't be is left for later, alone."""
        try:
            async with self._runtime.transaction() as (connection, batch):
                await self._intake.take(connection, arrivals, batch)
        except (*UNAVAILABLE, *CONTENDED):
            raise
        except Exception as error:  # noqa: BLE001 - logged, and others' orders go on
            if len(arrivals) == 1:
                log_fault("read again", arrivals[0].key, error)
                return
            for arrival in arrivals:
                await self._read_again([arrival])

    async def _refetch(self, opened: Opened, keys: list[OrderKey]) -> None:
        """Fetch orders of one connection one after the other; what could not be asked for stays due."""
        client = opened.client()
        try:
            for key in keys:
                parts = await parts_of(client, key)
                arrival = Arrival(opened, key[1], parts, "refetch", f"refetch:{key[1]}"[:128], again=True)
                await self._read_again([arrival])
        except Retryable as error:
            log.warning("refetch_deferred", connection_id=keys[0][0], why=error.text)
        except Rejected as error:
            log.warning("refetch_refused", connection_id=keys[0][0], code=error.reason.code)
            await connections.set_state(self._runtime.pool, keys[0][0], "needs_credentials", error.reason)
            self._accounts.forget(keys[0][0])
        finally:
            await client.close()

    async def publish_again(self) -> bool:
        """Publish one page of a requested rebuild; false where none is open."""
        async with self._runtime.transaction() as (connection, batch):
            rebuild = await due.open_rebuild(connection)
            if rebuild is None:
                return False
            if rebuild.entity == Payout.type:
                await publish_payouts(connection, self._cipher, rebuild, batch)
                return True
            rows = await due.rebuild_page(connection, rebuild, _REBUILD_ROWS)
            for row in rows:
                key = (row["connection_id"], row["external_id"])
                try:
                    self._publish_row(rebuild, key, row, batch)
                except Exception as error:  # noqa: BLE001 - logged; everybody else's rebuild goes on without this one
                    log_fault("publish again", key, error)
            after = "/".join(key) if rows else rebuild.after
            await due.move_rebuild(connection, rebuild, after, finished=len(rows) < _REBUILD_ROWS)
        return True

    def _publish_row(self, rebuild: due.StoredRebuild, key: OrderKey, row: Any, batch: Batch) -> None:
        if rebuild.entity != Order.type:
            batch.publish(to_listed(key, row["channel"], row, to_stored(row).problem))
        elif row["content"] is not None:
            body = self._cipher.decrypt(row["content"], content_context(key))
            batch.publish(Order.model_validate_json(body), backfill=True, body=body)

    async def fulfil_privacy(self) -> bool:
        """Fulfil one privacy request, or a part of one; false where none is open."""
        async with self._runtime.transaction() as (connection, batch):
            request = await due.open_privacy_request(connection)
            if request is None:
                return False
            after = await fulfil(connection, self._cipher, request, batch)
            await due.move_privacy_request(connection, request, after)
        if after is None:
            self._accounts.forget(request.connection_id)
            log.info(
                "privacy_request_fulfilled", kind=request.kind, connection_id=request.connection_id, **request.removed
            )
        return True

    async def _forget_parts(self) -> None:
        async with self._runtime.pool.acquire() as connection:
            while rows := await forget_parts(connection, RETENTION_DAYS):
                log.info("raw_parts_forgotten", rows=rows)

    async def _forget_deliveries(self) -> None:
        async with self._runtime.pool.acquire() as connection:
            await forget_deliveries(connection, self._settings.delivery_retention_days)


async def parts_of(client: ChannelClient, key: OrderKey) -> tuple[Part, ...]:
    """What the channel has of an order. A refusal that is about this order alone must not cost the ones after it.

    Raises `Retryable`, or `Rejected` where the login is refused.
    """
    try:
        parts = await client.fetch(key[1])
    except Rejected as error:
        if error.reason.code == "UPSTREAM_UNAUTHORIZED":
            raise
        log.warning("refetch_refused", connection_id=key[0], order_id=key[1], code=error.reason.code)
        return ()
    except Retryable:
        raise
    except UNAVAILABLE:
        raise
    except Exception as error:  # noqa: BLE001 - logged; it is tried again with the next refetch
        log_fault("fetch", key, error)
        return ()
    if not parts:
        log.warning("refetch_found_nothing", connection_id=key[0], order_id=key[1])
    return parts
