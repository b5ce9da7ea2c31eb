"""One lane while this replica holds it: open the ledger, work until there is nothing to do, give it back."""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from common.broker import UNAVAILABLE
from common.crypto import Cipher
from common.database import CONTENDED
from common.errors import Rejected, Retryable, TillbookError
from common.messages.base import Reason
from common.messages.documents import CompanyStatus
from common.runtime import Runtime
from common.telemetry import LANE_STUCK
from ledger_writer.lanes.following import Follower
from ledger_writer.lanes.listing import refresh_lists
from ledger_writer.lanes.looking_up import LedgerAway
from ledger_writer.lanes.turns import Turns
from ledger_writer.lanes.work import CompanyStopped, Pass, one_by_one
from ledger_writer.ledgers import BY_NAME
from ledger_writer.ledgers.abilities import LendsRequests
from ledger_writer.ledgers.protocol import CompanyFile, CompanyRefused, ErrorClass, Ledger, LedgerSession
from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store import companies, lanes
from ledger_writer.store import secrets as company_secrets
from ledger_writer.store.companies import Company

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every lane of this replica works with."""

    runtime: Runtime
    settings: LedgerWriterSettings
    cipher: Cipher
    turns: Turns


_PASSING: tuple[type[Exception], ...] = (*UNAVAILABLE, *CONTENDED)
"""Nothing is wrong with the documents: the same pass works when it is run again."""
_EXPECTED: tuple[type[Exception], ...] = (
    lanes.LeaseLost,
    CompanyStopped,
    LedgerAway,
    TillbookError,
    *_PASSING,
)
"""What ends a pass without being a bug."""
_CAREFUL_PASSES_MAX = 200
_PAUSE_S = 5.0
_FOLLOW_EVERY_S = 300.0
"""How long the ledger's own changes wait while there is always something to write."""


def company_file(workshop: Workshop, company: Company) -> CompanyFile:
    """What an adapter needs to open the company file; its secrets are in the clear from here on."""

    async def keep_secrets(secrets: Mapping[str, str]) -> None:
        await company_secrets.keep(workshop.runtime.pool, workshop.cipher, company.company_id, secrets)

    return CompanyFile(
        tenant_id=company.tenant_id,
        company_id=company.company_id,
        external_id=company.external_id,
        home_currency=company.home_currency,
        country=company.country,
        preferences=company.preferences,
        secrets=company_secrets.unseal(workshop.cipher, company.company_id, company.secrets),
        settings=company.settings,
        data_dir=workshop.settings.data_dir,
        keep_secrets=keep_secrets,
        turn=partial(workshop.turns.take, company.company_id),
        secrets_lease=lambda: company_secrets.rotation(workshop.runtime.pool, workshop.cipher, company.company_id),
    )


class Lane:
    """Holds the lease of one company file from `run` to its return."""

    def __init__(self, workshop: Workshop, lease: lanes.Lease, asked: float, *, careful: bool) -> None:
        """`asked` is the monotonic time just before the lease was asked for: it ends no sooner than counted from it.

        A `careful` lane takes one document at a time, because the last one stumbled over one.
        """
        self._workshop = workshop
        self._pool = workshop.runtime.pool
        self._lease = lease
        self._wake = asyncio.Event()
        self._stopping = False
        self._careful = careful
        self.stumbled = False
        """Whether a bug ended it: the next one should be careful."""
        self._lease_s = workshop.settings.lane_lease_s
        self._deadline = asked + self._lease_s

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the pass in hand and give the lane back."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until idle, stopped or fenced off. Never raises for what the database, ledger or settings do."""
        # An end that nobody foresaw is followed by a pause, so that a fault doesn't turn into a busy loop.
        wait_s = _PAUSE_S
        company: Company | None = None
        try:
            company = await companies.get(self._pool, self._lease.company_id)
            if company is None:
                return
            ledger = BY_NAME[company.ledger]
            self._lease_s += ledger.request_timeout_s
            await self._check(company)
            renewing = asyncio.create_task(self._keep(), name=f"renew {company.company_id}")
            try:
                await self._hold(company, ledger)
            finally:
                renewing.cancel()
            wait_s = 0.0
        except lanes.LeaseLost:
            wait_s = 0.0
            log.info("lane_lost_or_changed", company_id=self._lease.company_id, epoch=self._lease.epoch)
        except LedgerAway as error:
            wait_s = error.retry_after_s
            log.info("lane_waits_for_ledger", company_id=self._lease.company_id, detail=str(error), retry_in_s=wait_s)
        except Retryable as error:
            wait_s = error.retry_after_s or 5.0
            LANE_STUCK.inc()
            log.warning("lane_stuck", company_id=self._lease.company_id, detail=error.text, retry_in_s=wait_s)
        except (CompanyStopped, Rejected) as error:
            await self._park(company, error)
            wait_s = 0.0
        except _PASSING as error:
            log.warning("lane_interrupted", company_id=self._lease.company_id, error=type(error).__name__)
        finally:
            await self._give_back(wait_s)

    async def _stumble(self, work: Pass, error: Exception) -> None:
        """A bug of ours stopped a pass. Careful already: the one document is set aside, and the others go on."""
        self.stumbled = True
        log.error("lane_stumbled", company_id=self._lease.company_id, careful=self._careful, exc_info=error)
        if self._careful:
            await work.set_aside(error)

    async def _give_back(self, wait_s: float) -> None:
        try:
            await lanes.release(self._pool, self._lease, wait_s)
        except UNAVAILABLE as error:
            # The lease runs out by itself.
            log.warning("lane_not_released", company_id=self._lease.company_id, error=type(error).__name__)

    async def _keep(self) -> None:
        """Renew the lease while a pass takes long; a lane that was lost stops sending by its deadline."""
        while True:
            await asyncio.sleep(self._workshop.settings.lane_lease_s / 3)
            asked = time.monotonic()
            try:
                if not await lanes.renew(self._pool, self._lease, self._lease_s):
                    return
            except UNAVAILABLE as error:
                log.warning("lane_not_renewed", company_id=self._lease.company_id, error=type(error).__name__)
                continue
            self._deadline = asked + self._lease_s

    async def _hold(self, company: Company, ledger: Ledger) -> None:
        async with ledger.open(self._company_file(company, ledger)) as session, AsyncExitStack() as lending:
            if isinstance(session, LendsRequests):
                lending.enter_context(self._workshop.turns.lending(company.company_id, session.lend))
            work = Pass(self._workshop.runtime, self._lease, company, ledger, session, self._lease_s)
            follower = Follower(self._workshop.runtime, company, ledger, session, work)
            if self._lease.intents is not None:
                if not await self._resolve(work, self._lease.intents):
                    return
                self._lease = replace(self._lease, intents=None)
                work.all_resolved()
                await self._check(company)
            await self._lists_if_wanted(company, ledger, session)
            idle_since = followed_at = time.monotonic()
            limit = 1 if self._careful else ledger.batch_size
            passes = 0
            while not self._stopping and not (self._careful and passes >= _CAREFUL_PASSES_MAX):
                passes += 1
                self._wake.clear()
                if taken := await self._pass(work, work.run(limit)):
                    idle_since = time.monotonic()
                    if idle_since - followed_at > _FOLLOW_EVERY_S:
                        await follower.run()
                        followed_at = time.monotonic()
                    if taken < limit and not self._stopping:
                        # More is on its way as a rule, and a pass of many costs hardly more than a pass of few.
                        await asyncio.sleep(self._workshop.settings.linger_ms / 1000)
                    continue
                if self.stumbled:
                    return
                if await follower.run():
                    followed_at = time.monotonic()
                if time.monotonic() - idle_since > self._workshop.settings.lane_idle_s:
                    return
                await self._sleep()
                await self._check(company)

    async def _resolve(self, work: Pass, intents: str) -> bool:
        """Look for what a dead holder sent; false ends the lane after a bug, and the next one looks one by one."""
        for part in one_by_one(intents) if self._careful else [intents]:
            await self._pass(work, work.resolve_intents(part, intents))
            if self.stumbled and not self._careful:
                return False
        return True

    async def _pass(self, work: Pass, taking: Coroutine[Any, Any, int]) -> int:
        """One pass, which tells how many documents it took.

        0 ends the lane after a bug, because only opening the ledger again makes its files certain.
        """
        try:
            return await taking
        except CompanyRefused:
            raise
        except Rejected as error:
            # Something that was asked for can't be had: found by going one at a time, like the cause of a bug.
            await self._stumble(work, error)
            return 0
        except _EXPECTED:
            raise
        except Exception as error:  # noqa: BLE001 - logged, and the document that caused it is set aside
            await self._stumble(work, error)
            return 0

    async def _sleep(self) -> None:
        later = await lanes.next_due_s(self._pool, self._lease.company_id)
        poll_s = self._workshop.settings.lane_poll_s
        timeout_s = poll_s if later is None else min(poll_s, later + 0.01)
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _check(self, company: Company) -> None:
        """Renew, and prove that neither the company nor its settings changed. Raises `LeaseLost` otherwise.

        What a dead holder sent stays committed until it is resolved: this one may die before that, too.
        """
        asked, lease = time.monotonic(), self._lease
        revisions = company.revision, company.settings_revision
        await lanes.intend(self._pool, lease, lease.intents, self._lease_s, *revisions)
        self._deadline = asked + self._lease_s

    async def _lists_if_wanted(self, company: Company, ledger: Ledger, session: LedgerSession) -> None:
        if company.lists_wanted and ledger.list_names:
            await refresh_lists(self._workshop.runtime, company, ledger, session)
            raise lanes.LeaseLost(company.company_id)

    def _company_file(self, company: Company, ledger: Ledger) -> CompanyFile:
        return replace(
            company_file(self._workshop, company),
            bookmark=self._lease.bookmark,
            turn=None,
            may_send=lambda: time.monotonic() + ledger.request_timeout_s < self._deadline,
        )

    async def _park(self, company: Company | None, error: CompanyStopped | Rejected) -> None:
        """Stop the company file, not its documents: they stay due and go on when somebody has acted.

        Where somebody did while the ledger was refusing, the refusal is out of date and the lane is taken again.
        """
        if company is None:
            return
        if isinstance(error, CompanyStopped):
            is_token = error.refusal.error_class is ErrorClass.TOKEN
            status = CompanyStatus.NEEDS_RECONNECT if is_token else CompanyStatus.READ_ONLY
            reason: Reason = error.refusal.reason
        else:
            reason = error.reason
            needs_reconnect = reason.code == CompanyStatus.NEEDS_RECONNECT.name
            status = CompanyStatus.NEEDS_RECONNECT if needs_reconnect else CompanyStatus.READ_ONLY
        async with self._workshop.runtime.transaction() as (connection, batch):
            stopped = await companies.stop(connection, company.company_id, company.revision, status, reason)
            if stopped is not None:
                batch.publish(stopped.changed(BY_NAME[stopped.ledger]))
        if stopped is None:
            log.info("company_changed_meanwhile", company_id=company.company_id, code=reason.code)
        else:
            log.warning("company_stopped", company_id=company.company_id, status=status.value, code=reason.code)
