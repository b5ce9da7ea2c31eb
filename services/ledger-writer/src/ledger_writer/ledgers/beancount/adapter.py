"""The Beancount ledger behind the adapter protocol: renders a batch, appends it, and says what is written.

Ledger ids are the document keys, so a batch may hold an invoice and its payment. Nobody else writes these files and
the lane's records are exactly as long as the journal (see `journal`), so a look-up needs no search: what has no link
is not there. Only a document whose link was given up is looked for.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from common.errors import Rejected, UpstreamUnavailable
from common.messages.base import Reason
from common.messages.documents import CatalogEntry
from common.messages.transactions import CustomerWanted, Document, DocumentKind
from ledger_writer.ledgers.beancount.accounts import AccountRefused, Chart, closed_accounts, closed_refusal
from ledger_writer.ledgers.beancount.journal import (
    Journal,
    JournalFailed,
    JournalLocked,
    JournalTorn,
    has_entries,
    journal_texts,
)
from ledger_writer.ledgers.beancount.journal import create as create_journal
from ledger_writer.ledgers.beancount.postings import DocumentRefused
from ledger_writer.ledgers.beancount.rates import Prices, lacks_rate, rated
from ledger_writer.ledgers.beancount.rendering import Books, Entry, balances, generation_of, posting_key, render
from ledger_writer.ledgers.protocol import (
    AccountBalance,
    CompanyFile,
    ErrorClass,
    Found,
    LedgerFacts,
    LedgerLink,
    NotSent,
    Operation,
    OperationKind,
    Outcome,
    Paired,
    PairingRequest,
    Refused,
    Unanswered,
    Written,
)

_PAGE = 100
_ACTIONS: Mapping[OperationKind, str] = {
    OperationKind.CREATE: "created",
    OperationKind.UPDATE: "updated",
    OperationKind.VOID: "voided",
    OperationKind.CLOSE: "closed",
}


class BeancountSession:
    """An open company file. One batch is rendered, appended in one write a file, and forced to disk once."""

    def __init__(self, company: CompanyFile, journal: Journal) -> None:
        self._company = company
        self._journal = journal
        chosen = company.settings.accounts if company.settings is not None else {}
        self._books = Books(company.home_currency, Chart(chosen))

    def bookmark(self) -> Mapping[str, str]:
        return self._journal.bookmark()

    async def find(self, operations: Sequence[Operation]) -> Mapping[str, Sequence[Found]]:
        found: dict[str, Sequence[Found]] = {}
        sought = [(operation, operation.former) for operation in operations if operation.former is not None]
        if not sought:
            return found
        lines = {line for operation, former in sought for line in _lines_of(operation, former)}
        held = await asyncio.to_thread(self._journal.holding, lines)
        for operation, former in sought:
            # A voided entry stays in the journal beside its reversal; only one that was not reversed is still there.
            posted, reversed_by = _lines_of(operation, former)
            if posted in held and reversed_by not in held:
                wanted = operation.wanted
                found[operation.document_key] = [Found(former, wanted.mark if isinstance(wanted, Document) else None)]
        return found

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[tuple[str, Outcome]]:
        texts: dict[str, list[str]] = {}
        accounts: set[str] = set(self._books.chart.names())
        accepted: list[Operation] = []
        refused: set[str] = set()
        own_entries = await asyncio.to_thread(self._journal.own_entries)
        closed = closed_accounts(own_entries)
        for operation in self._rated(operations, own_entries):
            outcome = self._render(operation, refused, texts, accounts, closed)
            if outcome is None:
                accepted.append(operation)
            else:
                refused.add(operation.document_key)
                yield operation.document_key, outcome
        if not accepted:
            return
        failure = await self._append({name: "".join(parts) for name, parts in texts.items()}, accounts)
        for operation in accepted:
            yield operation.document_key, failure or _written(operation)

    def _rated(self, operations: Sequence[Operation], own_entries: str) -> Sequence[Operation]:
        """Foreign documents of channels that say no rate get the one of the books."""
        home = self._books.home_currency
        if not any(lacks_rate(one.wanted, home) or lacks_rate(one.previous, home) for one in operations):
            return operations
        prices = Prices.read(own_entries, home)
        given: dict[str, Decimal] = {}
        return [rated(operation, prices, home, given) for operation in operations]

    def _render(
        self,
        operation: Operation,
        refused: set[str],
        texts: dict[str, list[str]],
        accounts: set[str],
        closed: Mapping[str, date],
    ) -> Refused | None:
        """Add the operation's entries to the batch, or say why it can't be written."""
        missing = refused.intersection(operation.references) if refused else None
        if missing:
            return _dependency_refused(min(missing))
        try:
            entries: list[Entry] = render(operation, self._books)
        except (DocumentRefused, AccountRefused) as error:
            return error.refusal
        if not entries:
            return _nothing_to_reverse()
        invalid = _closed_account(entries, closed) if closed else None
        if invalid is not None:
            return invalid
        for entry in entries:
            texts.setdefault(entry.file, []).append(entry.text)
            accounts.update(entry.accounts)
        return None

    async def _append(self, texts: Mapping[str, str], accounts: set[str]) -> Outcome | None:
        if not self._company.may_send():
            return NotSent("the lease ends too soon")
        try:
            await asyncio.to_thread(self._journal.append, texts, accounts)
        except JournalFailed as error:
            reason = Reason(
                code="LEDGER_UNAVAILABLE",
                text="The journal could not be written to disk.",
                cure="Make room on the volume that holds the books; it is tried again by itself.",
            )
            return Refused(ErrorClass.TRANSIENT, reason, raw=str(error)[:2000])
        except JournalTorn as error:
            return Unanswered(str(error))
        return None

    async def facts(self, links: Mapping[str, LedgerLink]) -> LedgerFacts:  # noqa: ARG002 - the protocol's signature
        """Nobody but the lane writes here: its own records are the facts."""
        return LedgerFacts(open_balance={}, deposited=frozenset(), missing=frozenset(), changed={})

    async def lists(self, names: Sequence[str]) -> AsyncIterator[Sequence[CatalogEntry]]:
        if "accounts" not in names:
            return
        known = sorted(self._journal.accounts | set(self._books.chart.names()))
        today = datetime.now(UTC).date()
        closed = closed_accounts(await asyncio.to_thread(self._journal.own_entries))
        inactive = {name for name, on in closed.items() if on <= today}
        for start in range(0, len(known), _PAGE):
            yield [self._account_entry(name, active=name not in inactive) for name in known[start : start + _PAGE]]

    def _account_entry(self, name: str, *, active: bool) -> CatalogEntry:
        return CatalogEntry(
            tenant_id=self._company.tenant_id,
            revision=0,
            company_id=self._company.company_id,
            list_name="accounts",
            ledger_id=name[:128],
            name=name,
            full_name=name,
            object_type=name.split(":", 1)[0],
            currency=self._company.home_currency,
            active=active,
        )


def _closed_account(entries: Sequence[Entry], closed: Mapping[str, date]) -> Refused | None:
    """Beancount accepts an account's last day, and nothing after it."""
    for entry in entries:
        for name in entry.accounts:
            if entry.on is not None and name in closed and entry.on > closed[name]:
                return closed_refusal(name, closed[name], entry.on)
    return None


def _lines_of(operation: Operation, former: LedgerLink) -> tuple[str, str]:
    """The metadata of the entry that a former link stands for, and of its reversal."""
    key = posting_key(operation.document_key, generation_of(former))
    return f'posting-key: "{key}"', f'reverses: "{key}"'


def _written(operation: Operation) -> Written:
    wanted = operation.wanted
    details: dict[str, str] = {}
    if operation.generation:
        details["generation"] = str(operation.generation)
    if isinstance(wanted, Document):
        if wanted.exchange_rate is not None:
            details["rate"] = f"{wanted.exchange_rate:f}"
        link = LedgerLink(operation.document_key, number=wanted.number or "", total=wanted.total, details=details)
    elif isinstance(wanted, CustomerWanted):
        link = LedgerLink(operation.document_key, name=wanted.display_name, details=details)
    else:
        link = LedgerLink(operation.document_key, name=wanted.name, details=details)
    return Written(link, _ACTIONS[operation.operation])


def _dependency_refused(key: str) -> Refused:
    reason = Reason(
        code="DEPENDENCY_FAILED",
        text="Something it refers to was refused in the same batch.",
        cure="Repair that first; this follows by itself.",
        value=key,
    )
    return Refused(ErrorClass.DEPENDENCY, reason)


def _nothing_to_reverse() -> Refused:
    reason = Reason(
        code="NOTHING_TO_REVERSE",
        text="The document was linked by hand, so what stands in the journal is not known.",
        cure="Reverse it by hand in manual.beancount, then dismiss this.",
    )
    return Refused(ErrorClass.DATA, reason)


def folder_of(data_dir: Path, tenant_id: str, company_id: str) -> Path:
    """Where a company's books are; ids become one safe path part each."""
    parts = [quote(part, safe="").replace(".", "%2E") for part in (tenant_id, company_id)]
    return data_dir.joinpath("beancount", *parts)


@asynccontextmanager
async def open_company(company: CompanyFile) -> AsyncIterator[BeancountSession]:
    """Lock the company's folder and repair it. Raises `UpstreamUnavailable` while somebody else holds it."""
    if company.data_dir is None:
        raise ValueError("a Beancount company file needs data_dir")
    folder = folder_of(company.data_dir, company.tenant_id, company.company_id)
    try:
        journal = await asyncio.to_thread(Journal, folder, company.bookmark)
    except JournalLocked as error:
        raise UpstreamUnavailable("another process holds the journal", retry_after_s=1.0) from error
    except OSError as error:
        raise UpstreamUnavailable(f"the journal can't be opened: {error.strerror}", retry_after_s=10.0) from error
    try:
        yield BeancountSession(company, journal)
    finally:
        await asyncio.to_thread(journal.close)


async def pair(request: PairingRequest) -> Paired:
    """Make the folder with its main file. Refuses a folder with entries that no company of ours knows."""
    if not request.home_currency:
        raise Rejected(
            Reason(
                code="HOME_CURRENCY_MISSING",
                text="A Beancount company file can't say its home currency itself.",
                cure="Send home_currency, e.g. USD.",
                field="home_currency",
            )
        )
    folder = folder_of(request.data_dir, request.tenant_id, request.company_id)
    if not request.is_known and await asyncio.to_thread(has_entries, folder):
        raise Rejected(
            Reason(
                code="JOURNAL_EXISTS",
                text="There are books in this company's folder that were written for another pairing.",
                cure="Move the folder away, or pair under another company id.",
                field="company_id",
                value=request.company_id,
            )
        )
    await asyncio.to_thread(create_journal, folder, request.name, request.home_currency)
    return Paired(
        external_id=request.company_id,
        name=request.name,
        home_currency=request.home_currency,
        multi_currency=True,
        custom_numbers=True,
        details={"path": str(folder / "main.beancount")},
    )


async def look_at(company: CompanyFile, kind: DocumentKind, ledger_id: str) -> LedgerLink | None:
    """What was written here, or by hand into a file beside the journal, under this id (as metadata, tag or link).

    Customers and items are no entries of their own: any name will do, and that of a customer is the payee.
    """
    if company.data_dir is None:
        raise ValueError("a Beancount company file needs data_dir")
    if kind is DocumentKind.CUSTOMER:
        return LedgerLink(ledger_id, name=ledger_id)
    if kind is DocumentKind.ITEM:
        return LedgerLink(ledger_id)
    folder = folder_of(company.data_dir, company.tenant_id, company.company_id)
    is_there = await asyncio.to_thread(_mentions, folder, ledger_id)
    return LedgerLink(ledger_id) if is_there else None


def _mentions(folder: Path, ledger_id: str) -> bool:
    marks = (f'"{ledger_id}"', f'"{ledger_id}:g', f"^{ledger_id}", f"#{ledger_id}")
    texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.beancount"))
    return any(mark in text for text in texts for mark in marks)


async def report(company: CompanyFile, as_of: date | None) -> Sequence[AccountBalance]:
    """Add up the journal, as far as tillbook wrote it; the lane may be writing meanwhile."""
    if company.data_dir is None:
        raise ValueError("a Beancount company file needs data_dir")
    folder = folder_of(company.data_dir, company.tenant_id, company.company_id)
    totals = await asyncio.to_thread(_add_up, folder, as_of)
    return [
        AccountBalance(account, account.split(":", 1)[0], currency, balance)
        for (account, currency), balance in sorted(totals.items())
    ]


def _add_up(folder: Path, as_of: date | None) -> dict[tuple[str, str], Decimal]:
    totals: dict[tuple[str, str], Decimal] = {}
    for text in journal_texts(folder):
        balances(text, as_of, totals)
    return totals
