"""An open company of QuickBooks Online: the ledger session that a lane works with.

Money documents are single requests side by side within the company's limits, because only single requests are
protected by their request id beyond doubt; names go by the batch (see README). Each operation ends as exactly one
outcome; nothing about documents is remembered.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from pydantic import ValidationError

from common.errors import Rejected, Retryable, UpstreamUnavailable
from common.messages.documents import CatalogEntry
from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import (
    AccountBalance,
    CompanyFile,
    CompanyRefused,
    Found,
    LedgerFacts,
    LedgerLink,
    NotSent,
    Operation,
    Outcome,
    Refused,
)
from ledger_writer.ledgers.quickbooks_online import lookup
from ledger_writer.ledgers.quickbooks_online.applied import complete
from ledger_writer.ledgers.quickbooks_online.attachments import attach
from ledger_writer.ledgers.quickbooks_online.batching import Outcomes, split, write_names
from ledger_writer.ledgers.quickbooks_online.bodies import Books, lists_needed
from ledger_writer.ledgers.quickbooks_online.client import (
    Client,
    LedgerFault,
    NoAnswer,
    NotAsked,
    open_http,
)
from ledger_writer.ledgers.quickbooks_online.contacts import stored_customers
from ledger_writer.ledgers.quickbooks_online.errors import classify, reconnect
from ledger_writer.ledgers.quickbooks_online.invoiced import with_invoiced
from ledger_writer.ledgers.quickbooks_online.limits import LENT_S, Beside, RealmLimits, limits_of
from ledger_writer.ledgers.quickbooks_online.lists import Lists, read_named, trial_balance
from ledger_writer.ledgers.quickbooks_online.names import NamedList, Names
from ledger_writer.ledgers.quickbooks_online.oauth import IntuitOAuth
from ledger_writer.ledgers.quickbooks_online.pairing import read_profile
from ledger_writer.ledgers.quickbooks_online.profile import Profile
from ledger_writer.ledgers.quickbooks_online.reading import changed_documents, customer_balances, facts_of, linked_by_id
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.tokens import Access, CompanySecrets, NeedsReconnect
from ledger_writer.ledgers.quickbooks_online.writing import Writer

log = structlog.get_logger(__name__)

_FIRST_DAY: Final = date(2000, 1, 1)


class Session:
    """One company, used by one lane holder at a time."""

    def __init__(self, client: Client, settings: OnlineSettings, company: CompanyFile, limits: RealmLimits) -> None:
        self._client = client
        self._limits = limits
        self._settings = settings
        self._company = company
        self._profile: Profile | None = None
        self._lists: dict[str, tuple[float, NamedList]] = {}
        self._mirror = Lists(client, company.tenant_id, company.company_id, settings.page_size)
        self._running = asyncio.Semaphore(settings.concurrent_requests)
        self._stopped: Refused | None = None

    async def find(self, operations: Sequence[Operation]) -> Mapping[str, Sequence[Found]]:
        """Candidates that may be what the operations would make; see the protocol."""
        try:
            found: Mapping[str, Sequence[Found]] = await lookup.find(self._client, operations, self._settings)
            found = await with_invoiced(self._client, self._settings, operations, found)
            return await complete(self._client, self._settings, operations, found)
        except _CALLS as error:
            raise _as_error(error) from error

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[tuple[str, Outcome]]:
        """Carry the operations out side by side; each outcome comes as soon as it is known."""
        try:
            books = await self._books(operations)
            customers = await stored_customers(self._client, self._settings, operations)
        except _CALLS as error:
            outcome = _not_written(error)
            self._stop_after(outcome)
            for operation in operations:
                yield operation.document_key, outcome
            return
        writer = Writer(self._client, self._settings, books, customers)
        batches, singles = split(operations, self._settings.names_per_batch)
        work = [self._batch(books, batch) for batch in batches] + [self._one(writer, one) for one in singles]
        tasks = [asyncio.create_task(part) for part in work]
        try:
            for task in asyncio.as_completed(tasks):
                for known in await task:
                    yield known
        finally:
            for unfinished in tasks:
                unfinished.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def facts(self, links: Mapping[str, LedgerLink]) -> LedgerFacts:
        """Balances, deposits and existence of written documents, by one statement a hundred of them."""
        try:
            return await facts_of(self._client, self._settings, links)
        except (*_CALLS, ValidationError) as error:
            raise _as_error(error) from error

    def bookmark(self) -> Mapping[str, str]:
        """What was sent in the last minute: the next holder of the lane has to keep within the same limits."""
        return self._limits.spent(time.time())

    def lend(self, rest_s: float) -> AbstractAsyncContextManager[None]:
        """Count a request that somebody sends beside the lane, who has to hear of it first."""
        self._limits.rest(rest_s)
        return self._limits.slot(slack_s=LENT_S)

    async def lists(self, names: Sequence[str]) -> AsyncIterator[Sequence[CatalogEntry]]:
        """Every entry of the reference lists, in pages."""
        try:
            async for page in self._mirror.whole(names):
                yield page
        except _CALLS as error:
            raise _as_error(error) from error

    async def changed_lists(self, names: Sequence[str], since: datetime) -> AsyncIterator[Sequence[CatalogEntry]]:
        """What changed in the lists since then, from the change feed."""
        try:
            async for page in self._mirror.changed(names, since):
                self._lists.clear()
                yield page
        except _CALLS as error:
            raise _as_error(error) from error

    async def changed_documents(self, since: datetime) -> Collection[str] | None:
        """Ids of documents that the change feed names; see the protocol."""
        try:
            return await changed_documents(self._client, since)
        except _CALLS as error:
            raise _as_error(error) from error

    async def trial_balance(self, as_of: date | None) -> Sequence[AccountBalance]:
        try:
            profile = await self._known_profile()
            return await trial_balance(self._client, as_of, profile.home_currency, self._settings.page_size)
        except _CALLS as error:
            raise _as_error(error) from error

    async def look_at(self, kind: DocumentKind, ledger_id: str) -> LedgerLink | None:
        """The object of this kind and id, as its link would be had we written it. Raises as the readers do."""
        if not ledger_id.isdecimal():
            return None
        try:
            return await linked_by_id(self._client, self._settings, kind, ledger_id)
        except _CALLS as error:
            raise _as_error(error) from error

    async def customer_balances(self, ids: Sequence[str]) -> Mapping[str, Decimal]:
        """What customers owe, by id, each in its own currency. Raises as the readers do."""
        try:
            return await customer_balances(self._client, self._settings, ids)
        except (*_CALLS, ValidationError) as error:
            raise _as_error(error) from error

    async def attach(
        self, link: LedgerLink, *, file_name: str, content_type: str, file: bytes, alone: bool = False
    ) -> str:
        """Hang a file on a written document (a settlement report on its deposit). Returns the attachment's id.

        With `alone` it takes the place of others of its name. Trouble that passes is met by asking again under the same
        request id, so that the file hangs there once. Raises as the readers do.
        """
        for left in reversed(range(_ATTACHING_TRIES)):
            try:
                return await attach(
                    self._client, link, file_name=file_name, content_type=content_type, file=file, alone=alone
                )
            except _CALLS as error:
                raised = _as_error(error)
                if isinstance(raised, Rejected) or not left:
                    raise raised from error
        raise AssertionError("the last try returns or raises")

    async def _one(self, writer: Writer, operation: Operation) -> Outcomes:
        async with self._running:
            if self._stopped is not None:
                return [(operation.document_key, _waits_for(self._stopped))]
            outcome = await writer.write(operation)
            self._stop_after(outcome)
            return [(operation.document_key, outcome)]

    async def _batch(self, books: Books, operations: Sequence[Operation]) -> Outcomes:
        async with self._running:
            if self._stopped is not None:
                return [(operation.document_key, _waits_for(self._stopped)) for operation in operations]
            outcomes = await write_names(self._client, self._settings, books, operations)
            for _, outcome in outcomes:
                self._stop_after(outcome)
            return outcomes

    def _stop_after(self, outcome: Outcome) -> None:
        """Once nothing can be written to this company, nothing else is tried."""
        if isinstance(outcome, Refused) and outcome.stops_company:
            self._stopped = outcome
        if isinstance(outcome, Refused) and outcome.reason.code in _LISTS_ARE_OLD:
            self._lists.clear()

    async def _books(self, operations: Sequence[Operation]) -> Books:
        """What builders must know: the profile, and those lists that these operations name."""
        profile = await self._known_profile()
        settings = self._company.settings
        books = Books(profile=profile)
        needed = sorted(set().union(*(lists_needed(operation, books) for operation in operations)))
        return Books(
            profile=profile,
            names=Names({name: await self._named(name) for name in needed}),
            account_names=dict(settings.accounts) if settings else {},
            inventory_start=(settings.closed_through if settings else _FIRST_DAY) + timedelta(days=1),
        )

    async def closed_through(self) -> date | None:
        """The company's own closing date; see the protocol."""
        try:
            return (await self._known_profile()).closed_through
        except _CALLS as error:
            raise _as_error(error) from error

    async def _known_profile(self) -> Profile:
        """What the company allows, read when the session first needs it: preferences change while we are away."""
        if self._profile is None:
            self._profile = await read_profile(self._client)
        return self._profile

    async def _named(self, name: str) -> NamedList:
        read_at, entries = self._lists.get(name, (0.0, None))
        if entries is None or time.monotonic() - read_at > self._settings.lists_ttl_s:
            entries = await read_named(self._client, name, self._settings.page_size)
            self._lists[name] = time.monotonic(), entries
        return entries


class OpenOnline:
    """Opens sessions; holds what they share: the settings and the OAuth conversation."""

    def __init__(self, settings: OnlineSettings, oauth: IntuitOAuth) -> None:
        self._settings = settings
        self._oauth = oauth

    @asynccontextmanager
    async def __call__(self, company: CompanyFile) -> AsyncIterator[Session]:
        """A session on one company, with its own connections and the company's shared limits."""
        settings = self._settings
        async with open_http(settings) as http:
            limits = limits_of(company.external_id, settings)
            limits.inherit(company.bookmark, time.time())
            client = Client(
                http,
                settings,
                company.external_id,
                Access(self._oauth, CompanySecrets(company)),
                limits if company.turn is None else Beside(limits, company.turn),
                latest=_latest(company.safe_until),
                may_send=company.may_send,
            )
            yield Session(client, settings, company, limits)
            log.debug("quickbooks_session_closed", requests=client.requests)

    async def report(self, company: CompanyFile, as_of: date | None) -> Sequence[AccountBalance]:
        """Balances beside any open lane: it reads with the company's own limits and tokens."""
        async with self(company) as session:
            return await session.trial_balance(as_of)

    async def look_at(self, company: CompanyFile, kind: DocumentKind, ledger_id: str) -> LedgerLink | None:
        """What the company has under this id, read beside any open lane."""
        async with self(company) as session:
            return await session.look_at(kind, ledger_id)

    async def customer_balances(self, company: CompanyFile, ids: Sequence[str]) -> Mapping[str, Decimal]:
        """What the company's customers owe, read beside any open lane."""
        async with self(company) as session:
            return await session.customer_balances(ids)


_CALLS: Final = (LedgerFault, NotAsked, NoAnswer, NeedsReconnect, Retryable)
_ATTACHING_TRIES: Final = 4
_LISTS_ARE_OLD: Final = ("ACCOUNT_MISSING", "TAX_CODE_MISSING", "REFERENCE_INVALID", "OBJECT_NOT_FOUND")


def _latest(safe_until: datetime | None) -> float | None:
    """The wall-clock bound as a reading of the monotonic clock, which nobody sets back."""
    if safe_until is None:
        return None
    return time.monotonic() + (safe_until - datetime.now(UTC)).total_seconds()


def _not_written(error: Exception) -> Outcome:
    """Why a whole batch was not written: something it needed could not be read."""
    if isinstance(error, LedgerFault):
        return classify(error.fault)
    if isinstance(error, NeedsReconnect):
        return reconnect(str(error))
    if isinstance(error, NotAsked):
        return NotSent(error.detail, error.retry_after_s)
    retry_after_s = error.retry_after_s if isinstance(error, Retryable) else None
    return NotSent(str(error), retry_after_s or 5.0)


def _waits_for(stopped: Refused) -> NotSent:
    return NotSent(f"nothing is written to this company until: {stopped.reason.cure}", 60.0)


def _as_error(error: Exception) -> Exception:
    """What readers of the ledger raise: `Rejected` where a person must act, else `Retryable`."""
    if isinstance(error, Retryable):
        return error
    if isinstance(error, NotAsked):
        return UpstreamUnavailable(error.detail, error.retry_after_s)
    if isinstance(error, NeedsReconnect):
        return CompanyRefused(reconnect(str(error)).reason)
    if isinstance(error, LedgerFault):
        refused = classify(error.fault)
        if refused.error_class.value != "transient":
            return CompanyRefused(refused.reason) if refused.stops_company else Rejected(refused.reason)
        return UpstreamUnavailable(refused.reason.text, refused.retry_after_s)
    return UpstreamUnavailable(str(error))
