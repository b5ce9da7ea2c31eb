"""What a pass stands on: the due documents, what they refer to, and what only the ledger knows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from common.database import Pool
from common.messages.documents import DocumentState
from common.messages.transactions import Document
from ledger_writer.lanes.outcomes import Item
from ledger_writer.ledgers.abilities import Attaches, ClosesBooks
from ledger_writer.ledgers.protocol import Capability, Ledger, LedgerLink, LedgerSession
from ledger_writer.planning.dependencies import referred
from ledger_writer.planning.holds import NOT_POSTING
from ledger_writer.planning.model import Effect, Known, Terms
from ledger_writer.store import due
from ledger_writer.store.companies import Company
from ledger_writer.store.rows import Row, to_desired, to_known

_ROUNDS_MAX = 6
"""How far dependencies of dependencies are followed: refund → payment → invoice → sales order → customer, and one."""
_TAKEN_ALONG = frozenset({DocumentState.NOT_TRIED, DocumentState.QUEUED})


@dataclass(slots=True)
class Gathered:
    """Due documents by key, in the order they were taken, and everything known about what they refer to."""

    items: dict[str, Item]
    known: dict[str, Known]
    terms: Terms
    leaving: dict[str, Known]
    """Set → a document that was removed from it and still stands in the ledger."""


async def gather(pool: Pool, company: Company, ledger: Ledger, session: LedgerSession, rows: Sequence[Row]) -> Gathered:
    """Read what the due rows refer to; of that, what is due itself is taken along.

    An edit is planned together with all that is due of its order: it may need money taken off first.
    """
    edited = [row.document_key for row in rows if row.written_hash not in {None, row.content_hash}]
    if edited:
        taken = {row.document_key for row in rows}
        rows = [*rows, *(row for row in await due.siblings(pool, edited) if row.document_key not in taken)]
    items = {row.document_key: Item(row, to_desired(row)) for row in rows}
    stored = {row.document_key: row for row in rows}
    pending = list(items.values())
    referenced: set[str] = set()
    for _ in range(_ROUNDS_MAX):
        keys = {key for item in pending for key in _keys(item)}
        referenced |= keys
        missing = keys - stored.keys()
        if not missing:
            break
        pending = []
        for row in await due.by_keys(pool, missing):
            stored[row.document_key] = row
            if row.state in _TAKEN_ALONG:
                item = items[row.document_key] = Item(row, to_desired(row))
                pending.append(item)
    await _recall(pool, items)
    known = {key: to_known(stored[key]) for key in referenced if key in stored}
    terms = await _terms(company, ledger, session, items.values(), known)
    return Gathered(items, known, terms, await leaving_of(pool, items.values()))


async def _recall(pool: Pool, items: dict[str, Item]) -> None:
    """Add to documents what updates of theirs said that got no answer."""
    unanswered = [key for key, item in items.items() if item.row.intent]
    for key, bodies in (await due.sent(pool, unanswered)).items():
        item, documents = items[key], tuple(Document.model_validate_json(body) for body in bodies)
        items[key] = replace(item, desired=replace(item.desired, sent=documents))


async def leaving_of(pool: Pool, items: Iterable[Item]) -> dict[str, Known]:
    """Documents that keep what is to be created of their sets back."""
    sets = {item.row.set_key for item in items if item.row.effect != Effect.PRESENT and not item.row.removed} - {""}
    found = await due.leaving(pool, sets, NOT_POSTING) if sets else {}
    return {set_key: to_known(row) for set_key, row in found.items()}


def _keys(item: Item) -> Iterable[str]:
    yield from referred(item.desired.wanted)
    written = item.desired.written
    if written is not None:
        yield from (key for key, _ in written.applications)
    if written is not None and written.document is not None and written.document is not item.desired.wanted:
        yield from referred(written.document)


async def _terms(
    company: Company, ledger: Ledger, session: LedgerSession, items: Iterable[Item], known: dict[str, Known]
) -> Terms:
    """Rules of the company, and the ledger's own facts about documents that are to change or be paid."""
    settings = company.settings
    approved = settings is not None and settings.approved_at is not None
    ledger_closed = None
    if not approved and isinstance(session, ClosesBooks):
        # Once it may be written to, the ledger answers for itself: its books may have been opened meanwhile.
        ledger_closed = await session.closed_through()
    terms = Terms(
        edits_posted=Capability.EDITS_POSTED in ledger.capabilities,
        approved=approved,
        closed_through=settings.closed_through if settings is not None else None,
        ledger_closed_through=ledger_closed,
        links_ahead=ledger.links_ahead,
        attaches=isinstance(session, Attaches),
        refreshes_contact=Capability.REFRESHES_CONTACT in ledger.capabilities,
    )
    asked = asked_of(items, known)
    if not asked:
        return terms
    facts = await session.facts(asked)
    for key, balance in facts.open_balance.items():
        if key in known:
            known[key] = replace(known[key], open_balance=balance)
    for key in facts.missing:
        if key in known:
            known[key] = replace(known[key], link=None)
    return replace(
        terms,
        deposited=facts.deposited,
        # What differs because of a change of ours that got no answer was changed by nobody else.
        changed_in_ledger=frozenset(facts.changed) - {item.desired.key for item in items if item.row.intent},
        missing_in_ledger=facts.missing,
    )


def asked_of(items: Iterable[Item], known: dict[str, Known]) -> dict[str, LedgerLink]:
    """Links of what the ledger has to tell about: written documents whose content is wanted differently, or that a
    request without an answer may have changed or removed, and what new money is applied to."""
    asked: dict[str, LedgerLink] = {}
    for item in items:
        desired, written = item.desired, item.desired.written
        if not isinstance(desired.wanted, Document):
            continue
        if written is not None and written.effect is not Effect.VOID:
            is_edit = written.content_hash != desired.content_hash or desired.override or desired.unanswered
            if desired.removed or is_edit or _asks_for_effect(desired.wanted):
                asked[desired.key] = written.link
            elif not desired.wanted.applications:
                continue
        for application in desired.wanted.applications:
            target = known.get(application.document_key)
            if target is not None and target.link is not None:
                asked[target.key] = target.link
    return asked


def _asks_for_effect(document: Document) -> bool:
    return document.wanted.value != "present"
