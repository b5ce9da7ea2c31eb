"""Fetches payouts: those of a run, page by page, and those that an event announced.

A payout can change for some days after it was first seen (it fails at the bank, its rows are completed), so a scheduled
run looks back that far; one that was paid and read before is not fetched again.
"""

import hashlib
from datetime import UTC, datetime, timedelta

import structlog

from common.errors import Rejected, Retryable
from common.messages.base import Reason
from common.messages.control import TaskKind
from common.messages.fetching import FetchOutcome, TaskProgress
from common.runtime import Runtime
from ingest.accounts import Accounts, Opened
from ingest.channel import PaysOut
from ingest.errors import CONNECTION_DISABLED, NO_API_ACCESS
from ingest.payout_intake import PayoutArrival, PayoutIntake, TakenPayout, belongs_to
from ingest.payout_parts import PayoutHead
from ingest.store import payouts, runs
from ingest.store.payouts import DuePayout
from ingest.store.runs import StoredRun
from ingest.totals import local_date
from ingest.windows import scheduled

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=14)
AHEAD = timedelta(days=7)
"""A payout on its way is dated on the day it will arrive."""
_DUE_ROWS = 20
_ATTEMPTS_MAX = 8
_NOT_THERE = frozenset({"UPSTREAM_FORBIDDEN", "UPSTREAM_NOT_FOUND"})


class PayoutRuns:
    """Works on payouts of connections whose channel pays out."""

    def __init__(self, runtime: Runtime, accounts: Accounts, intake: PayoutIntake) -> None:
        self._runtime = runtime
        self._accounts = accounts
        self._intake = intake

    async def carry_out(self, run: StoredRun, opened: Opened) -> None:
        """Fetch the payouts of a run's window. Raises `Rejected`, `Retryable` or `RunEnded`."""
        if opened.stored.state == "disabled" or not opened.stored.enabled:
            raise Rejected(CONNECTION_DISABLED)
        if opened.channel.normalize_payout is None:
            raise Rejected(
                _reason(
                    "NOT_SUPPORTED",
                    f"{opened.channel.title} tells of no payouts",
                    "upload payout files, or connect the processor that pays out",
                )
            )
        await self._check_target(opened)
        if not opened.account.fetches:
            raise Rejected(NO_API_ACCESS)
        client = opened.client()
        try:
            if not isinstance(client, PaysOut):
                raise Rejected(_reason("NOT_SUPPORTED", f"{opened.channel.title} tells of no payouts"))
            await self._fetch(run, opened, client)
        except Rejected as error:
            # A key without this one scope still fetches orders: the connection needs no new login.
            if error.reason.code in _NOT_THERE:
                raise Rejected(_unavailable(opened)) from error
            raise
        finally:
            await client.close()

    async def _fetch(self, run: StoredRun, opened: Opened, client: PaysOut) -> None:
        request, now, zone = run.request, datetime.now(UTC), opened.account.zone
        mark = None
        if request.window_start is not None:
            start, end = request.window_start, request.window_end or now
        else:
            window = scheduled(
                watermark=await runs.watermark(self._runtime.pool, run.connection_id, TaskKind.PAYOUTS.value),
                start_date=opened.stored.start_date,
                zone=zone,
                now=now,
                overlap=LOOK_BACK,
                settle=timedelta(0),
            )
            start, end, mark = window.start, window.end + AHEAD, now
        seen = 0
        async for heads in client.payouts(local_date(start, zone), local_date(end, zone)):
            seen += len(heads)
            for head in await self._changed(opened, heads):
                await self._take(run, opened, await self._arrival(opened, client, head, run))
        await self._finish(run, mark)
        log.info("payouts_listed", payouts=seen)

    async def _changed(self, opened: Opened, heads: tuple[PayoutHead, ...]) -> list[PayoutHead]:
        """Those that are new, were not finished, or say something else than before."""
        known = await payouts.digests(self._runtime.pool, belongs_to(opened), [head.payout_id for head in heads])
        return [head for head in heads if known.get(head.payout_id) != hashlib.sha256(head.raw).digest()]

    async def _arrival(
        self, opened: Opened, client: PaysOut, head: PayoutHead, run: StoredRun | None = None
    ) -> PayoutArrival:
        return PayoutArrival(
            tenant_id=opened.account.tenant_id,
            connection_id=belongs_to(opened),
            source_id=opened.account.connection_id,
            payout_id=head.payout_id,
            format=opened.channel.name,
            via="webhook" if run is None else "api",
            parts=await client.payout_parts(head),
            run_id=run.run_id if run is not None else None,
        )

    async def _take(self, run: StoredRun, opened: Opened, arrival: PayoutArrival) -> None:
        async with self._runtime.transaction(correlation_id=run.run_id) as (connection, batch):
            await runs.require_ours(connection, run)
            taken = await self._intake.take(connection, arrival, batch)
        _note(opened, taken)

    async def _finish(self, run: StoredRun, mark: datetime | None) -> None:
        async with self._runtime.transaction(correlation_id=run.run_id) as (connection, batch):
            await runs.require_ours(connection, run)
            if mark is not None:
                await runs.move_watermark(connection, run.connection_id, TaskKind.PAYOUTS.value, mark)
            batch.publish(
                TaskProgress(
                    tenant_id=run.tenant_id,
                    revision=run.pages + 1,
                    run_id=run.run_id,
                    connection_id=run.connection_id,
                    finished=True,
                    watermark=mark,
                )
            )
            await runs.advance(connection, run, position={}, pages=run.pages + 1, finished=True)

    async def _check_target(self, opened: Opened) -> None:
        target = belongs_to(opened)
        if not await payouts.is_of_tenant(self._runtime.pool, target, opened.account.tenant_id):
            raise Rejected(
                Reason(
                    code="ORDERS_CONNECTION_MISSING",
                    text=f"there is no connection {target!r} whose orders these payouts could pay",
                    cure="name the connection of the shop in the credentials of this one",
                    field="orders_connection",
                    value=target,
                )
            )

    async def fetch_announced(self) -> bool:
        """Fetch payouts that events announced; false where none is due."""
        found = await payouts.take_due(self._runtime.pool, _DUE_ROWS)
        for due in found:
            await self._fetch_one(due)
        return bool(found)

    async def _fetch_one(self, due: DuePayout) -> None:
        opened = await self._accounts.get(due.source_id)
        if opened is None or due.attempts > _ATTEMPTS_MAX:
            log.warning("payout_given_up", connection_id=due.connection_id, payout_id=due.external_id)
            await payouts.clear_due(self._runtime.pool, due)
            return
        client = opened.client()
        try:
            await self._check_target(opened)
            if not isinstance(client, PaysOut):
                raise Rejected(_reason("NOT_SUPPORTED", f"{opened.channel.title} tells of no payouts"))
            head = await client.payout(due.external_id)
            if head is None:
                raise Rejected(_reason("PAYOUT_NOT_FOUND", "the processor has no such payout"))
            arrival = await self._arrival(opened, client, head)
            async with self._runtime.transaction(correlation_id=f"payout:{head.payout_id}"[:128]) as (
                connection,
                batch,
            ):
                taken = await self._intake.take(connection, arrival, batch)
            _note(opened, taken)
        except Retryable as error:
            log.warning("payout_deferred", payout_id=due.external_id, why=error.text)
        except Rejected as error:
            log.warning("payout_refused", payout_id=due.external_id, code=error.reason.code)
            await payouts.clear_due(self._runtime.pool, due)
        finally:
            await client.close()


def _note(opened: Opened, taken: TakenPayout) -> None:
    if taken.outcome is not FetchOutcome.UNCHANGED:
        code = taken.problem.code if taken.problem is not None else None
        log.info("payout_taken", channel=opened.channel.name, payout_id=taken.payout_id, problem=code)


def _unavailable(opened: Opened) -> Reason:
    return Reason(
        code="PAYOUTS_NOT_AVAILABLE",
        text=f"{opened.channel.title} does not show payouts to these credentials",
        cure="allow them to read payouts (Shopify: scope read_shopify_payments_payouts), or upload payout files",
    )


def _reason(code: str, text: str, cure: str = "") -> Reason:
    return Reason(code=code, text=text, cure=cure)
