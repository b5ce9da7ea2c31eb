"""Carries out one run: pages of a window or a list of numbers, each page one transaction with its progress.

A crash loses at most the page in hand: the position is stored with what it covers, and taking an order in again
changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog

from common.broker import UNAVAILABLE
from common.database import LOST
from common.errors import Rejected, Retryable
from common.messages.base import Reason
from common.messages.control import TaskKind, TaskRequested
from common.messages.fetching import FetchedOrder, FetchOutcome, TaskProgress
from common.runtime import Runtime
from ingest.accounts import Accounts, Opened
from ingest.arrivals import Arrival
from ingest.channel import By, Capability, ChannelClient, Subscribes
from ingest.errors import CONNECTION_DISABLED, NO_API_ACCESS
from ingest.intake import Intake
from ingest.parts import Part
from ingest.payout_runs import PayoutRuns
from ingest.settings import IngestSettings
from ingest.store import connections, runs
from ingest.store.runs import RunEnded, StoredRun
from ingest.windows import Window, pieces, scheduled

log = structlog.get_logger(__name__)

ORDER_KINDS = frozenset(
    {TaskKind.ORDERS_TO_LEDGER, TaskKind.REFUNDS, TaskKind.PAYMENTS_TO_LEDGER, TaskKind.MANUAL, TaskKind.WEBHOOK_CHECK}
)
NUMBERS_PER_PAGE = 20
ATTEMPTS_MAX = 6
_REFUSED_LOGIN = frozenset({"UPSTREAM_UNAUTHORIZED", "UPSTREAM_FORBIDDEN"})


@dataclass(slots=True)
class _Page:
    """What one transaction stores."""

    orders: Sequence[tuple[Part, ...]]
    position: dict[str, Any]
    missing: tuple[str, ...] = ()
    finished: bool = False
    watermark: tuple[str, datetime] | None = None
    failed: Reason | None = None


class Runner:
    """Works on runs, one call each."""

    def __init__(
        self, runtime: Runtime, settings: IngestSettings, accounts: Accounts, intake: Intake, payouts: PayoutRuns
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._accounts = accounts
        self._intake = intake
        self._payouts = payouts

    async def work(self, run: StoredRun) -> None:
        """Carry a leased run out. What the channel refuses ends it with a reason; what may pass is tried again."""
        beating = asyncio.create_task(self._keep_lease(run), name=f"lease of {run.run_id}")
        try:
            await self._work(run)
        finally:
            beating.cancel()

    async def _keep_lease(self, run: StoredRun) -> None:
        """Renew the lease while we work: a slow shop must not look like a dead replica."""
        while True:
            await asyncio.sleep(runs.LEASE_S / 3)
            try:
                await runs.renew(self._runtime.pool, run)
            except LOST as error:
                log.warning("lease_not_renewed", run_id=run.run_id, error=type(error).__name__)

    async def _work(self, run: StoredRun) -> None:
        opened: Opened | None = None
        with structlog.contextvars.bound_contextvars(run_id=run.run_id, connection_id=run.connection_id):
            try:
                self._accounts.forget(run.connection_id)
                opened = await self._accounts.get(run.connection_id)
                if opened is None or opened.stored.tenant_id != run.tenant_id:
                    await self._fail(run, _reason("CONNECTION_MISSING", "the connection does not exist any more"))
                    return
                await self._carry_out(run, opened)
                log.info("run_finished", kind=run.request.kind.value)
            except RunEnded:
                log.info("run_ended_elsewhere")
            except Retryable as error:
                await self._put_back(run, _reason("UPSTREAM_UNAVAILABLE", error.text, _LATER), error.retry_after_s)
            except Rejected as error:
                if opened is not None and error.reason.code in _REFUSED_LOGIN:
                    await connections.set_state(
                        self._runtime.pool, run.connection_id, "needs_credentials", error.reason
                    )
                    self._accounts.forget(run.connection_id)
                await self._fail(run, error.reason)
            except UNAVAILABLE:
                raise
            except Exception:
                # A fault of ours is an attempt like any other: left alone, the run would come back for ever.
                log.exception("run_stumbled", kind=run.request.kind.value)
                await self._put_back(run, _FAULT, None)

    async def _carry_out(self, run: StoredRun, opened: Opened) -> None:
        request = run.request
        if request.kind is TaskKind.PAYOUTS:
            await self._payouts.carry_out(run, opened)
            return
        if request.kind not in ORDER_KINDS:
            await self._store(run, opened, 0, _Page((), {}, finished=True))
            return
        if opened.stored.state == "disabled" or not opened.stored.enabled:
            raise Rejected(CONNECTION_DISABLED)
        if not opened.account.fetches or Capability.POLLING not in opened.channel.capabilities:
            raise Rejected(NO_API_ACCESS)
        client = opened.client()
        try:
            if request.kind is TaskKind.WEBHOOK_CHECK:
                await self._check_subscriptions(opened, client)
            pages = run.pages
            async for page in self._pages(run, opened, client):
                pages += 1
                await self._store(run, opened, pages, page)
        finally:
            await client.close()

    async def _check_subscriptions(self, opened: Opened, client: ChannelClient) -> None:
        """Register what is missing; the run then fetches the window in which nothing was delivered."""
        if not self._settings.public_url or not isinstance(client, Subscribes):
            return
        address = f"{self._settings.public_url.rstrip('/')}/webhooks/{opened.account.connection_id}"
        held = {item.topic for item in await client.subscriptions() if item.active and item.address == address}
        missing = [topic for topic in opened.channel.topics if topic not in held]
        if missing:
            log.warning("webhook_subscriptions_missing", topics=missing)
            await client.subscribe(missing, address)

    async def _pages(self, run: StoredRun, opened: Opened, client: ChannelClient) -> AsyncIterator[_Page]:
        if run.request.order_numbers:
            async for page in _by_number(run, client):
                yield page
            return
        window, kind = await self._window(run, opened)
        position = dict(run.position) or {"start": window.start.isoformat(), "end": window.end.isoformat()}
        window = Window(datetime.fromisoformat(position["start"]), datetime.fromisoformat(position["end"]))
        by: By = run.request.by
        for piece in pieces(window):
            async for fetched in client.pages(piece.start, piece.end, by=by):
                yield _Page(fetched.orders, position)
            position = {**position, "start": piece.end.isoformat()}
            yield _Page((), position)
        yield _Page((), position, finished=True, watermark=(kind, window.end) if kind else None)

    async def _window(self, run: StoredRun, opened: Opened) -> tuple[Window, str]:
        """The span to fetch and the watermark it belongs to: none where a person chose the span."""
        request, now = run.request, datetime.now(UTC)
        if request.window_start is not None:
            return Window(request.window_start, request.window_end or now), ""
        kind = TaskKind.ORDERS_TO_LEDGER if request.kind is TaskKind.WEBHOOK_CHECK else request.kind
        mark = await runs.watermark(self._runtime.pool, run.connection_id, kind.value)
        window = scheduled(
            watermark=mark,
            start_date=opened.stored.start_date,
            zone=opened.account.zone,
            now=now,
            overlap=timedelta(minutes=self._settings.window_overlap_min),
            settle=timedelta(minutes=self._settings.window_settle_min),
        )
        return window, kind.value

    async def _store(self, run: StoredRun, opened: Opened, number: int, page: _Page) -> None:
        """One page: orders, progress, position, watermark, all or nothing."""
        arrivals = [_arrival(run, opened, parts) for parts in page.orders if parts]
        async with self._runtime.transaction(correlation_id=run.run_id) as (connection, batch):
            await runs.require_ours(connection, run)
            taken = await self._intake.take(connection, arrivals, batch) if arrivals else {}
            items = [taken[arrival.key].fetched(arrival.order_id) for arrival in arrivals]
            items += [_not_found(missing) for missing in page.missing]
            if page.watermark is not None:
                await runs.move_watermark(connection, run.connection_id, *page.watermark)
            revision = max(number, run.pages + 1)
            if items or page.finished:
                batch.publish(
                    TaskProgress(
                        tenant_id=run.tenant_id,
                        revision=revision,
                        run_id=run.run_id,
                        connection_id=run.connection_id,
                        items=tuple(items),
                        finished=page.finished,
                        failed=page.failed,
                        watermark=page.watermark[1] if page.watermark else None,
                    )
                )
            await runs.advance(connection, run, position=page.position, pages=revision, finished=page.finished)

    async def _fail(self, run: StoredRun, reason: Reason) -> None:
        async with self._runtime.transaction(correlation_id=run.run_id) as (connection, batch):
            if not await runs.still_ours(connection, run):
                return
            pages = await connection.fetchval("SELECT pages FROM runs WHERE run_id = $1", run.run_id) + 1
            batch.publish(
                TaskProgress(
                    tenant_id=run.tenant_id,
                    revision=pages,
                    run_id=run.run_id,
                    connection_id=run.connection_id,
                    finished=True,
                    failed=reason,
                )
            )
            await runs.advance(connection, run, position=run.position, pages=pages, finished=True)
        log.warning("run_failed", code=reason.code)

    async def _put_back(self, run: StoredRun, why: Reason, retry_after_s: float | None) -> None:
        # Pages that were stored since we took the run have set the count back.
        attempts = await runs.attempts(self._runtime.pool, run)
        if attempts is None:
            log.info("run_ended_elsewhere")
            return
        if attempts + 1 >= ATTEMPTS_MAX:
            await self._fail(run, why)
            return
        wait_s = retry_after_s if retry_after_s is not None else min(2.0**attempts * 10, 600)
        log.warning("run_deferred", attempt=attempts + 1, wait_s=wait_s, why=why.text)
        await runs.put_back(self._runtime.pool, run, wait_s)


async def _by_number(run: StoredRun, client: ChannelClient) -> AsyncIterator[_Page]:
    numbers = run.request.order_numbers
    done = int(run.position.get("index", 0))
    while done < len(numbers):
        found, missing = [], []
        for number in numbers[done : done + NUMBERS_PER_PAGE]:
            parts = await client.find(number)
            if parts:
                found.append(parts)
            else:
                missing.append(number)
        done += NUMBERS_PER_PAGE
        yield _Page(found, {"index": done}, missing=tuple(missing))
    yield _Page((), {"index": done}, finished=True)


def _arrival(run: StoredRun, opened: Opened, parts: tuple[Part, ...]) -> Arrival:
    return Arrival(
        opened=opened,
        order_id=parts[0].order_id,
        parts=parts,
        topic="poll",
        correlation_id=run.run_id,
        run_id=run.run_id,
        backfill=run.request.backfill,
        let_through=_let_through(run.request),
    )


def _let_through(request: TaskRequested) -> tuple[Literal["filters", "do_not_import"], ...]:
    """What a person who names orders, or insists, doesn't want them kept out by (domain reference, section 27)."""
    if request.order_numbers:
        return ("do_not_import", "filters") if request.force else ("filters",)
    return ("do_not_import",) if request.force else ()


def _not_found(number: str) -> FetchedOrder:
    reason = _reason("ORDER_NOT_FOUND", f"the channel has no order {number}", "check the number")
    return FetchedOrder(external_id=None, number=number, revision=0, outcome=FetchOutcome.NOT_FOUND, reason=reason)


def _reason(code: str, text: str, cure: str = "") -> Reason:
    return Reason(code=code, text=text, cure=cure)


_LATER = "run the task again later"
_FAULT = _reason(
    "PRODUCT_FAULT",
    "a fault of tillbook keeps this run from going on; the fault is in the service's log",
    "report it, and run the task again after an update",
)
