"""From what is wanted and what was written to what must be done: the difference, and nothing else.

`plan` is a pure function. Planning a document that is written, unchanged and unhindered yields no operation, however
often it is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState
from common.messages.transactions import DEPENDENCY_ORDER, CustomerWanted, Document, DocumentKind, WantedState
from ledger_writer.ledgers.protocol import LedgerLink, Operation, OperationKind
from ledger_writer.planning import applications, dependencies, holds
from ledger_writer.planning.contacts import has_new_contact
from ledger_writer.planning.content import FILE, Wanted, body_hash, idempotency_key, wants_file
from ledger_writer.planning.model import Desired, Effect, Ground, Known, Later, Settle, Step, Terms, Write, Written
from ledger_writer.planning.states import LEDGER_DELETED, Event, next_state

RANK: Mapping[DocumentKind, int] = {kind: rank for rank, kind in enumerate(DEPENDENCY_ORDER)}

_ASKS_FOR_NOTHING = frozenset({"NO_BALANCE", "BEFORE_HORIZON"})
"""Holds that make a document unnecessary; any other waits for somebody."""

_WAITING_FOR_APPROVAL = Reason(
    code="WAITING_FOR_APPROVAL",
    text="The first sync of this company file waits for someone to approve its preview.",
    cure="Look at the preview and approve it.",
    severity=Severity.WARNING,
)


def plan(
    desired: Sequence[Desired],
    known: Mapping[str, Known],
    terms: Terms,
    leaving: Mapping[str, Known] = MappingProxyType({}),
) -> list[Step]:
    """Decide about each due document, in dependency order; first of all what takes money off others.

    `known` holds what the documents refer to, as far as it is stored. With `terms.links_ahead` a document that is
    created or changed by this very plan counts as there for those after it: such a ledger is written in the plan's
    order. Others are written to side by side, and whoever needs an earlier operation's effect is left for later.
    `leaving` names, for sets that have one, a document that was removed from the set and still stands in the ledger.
    """
    ground = Ground.of(known, terms, leaving)
    steps: list[Step] = []
    for one in sorted(desired, key=lambda item: (not _takes_money_off(item, terms), RANK[item.kind])):
        step = decide(one, ground)
        steps.append(step)
        _remember(one, step, ground)
    return [_money_off_first(step, ground) for step in steps]


def decide(desired: Desired, ground: Ground) -> Step:
    """Decide about one document on the given ground."""
    if not isinstance(desired.wanted, Document):
        return _shared(desired, ground.terms)
    standing = desired.written
    if desired.wanted.wanted is WantedState.FOUND:
        return _find(desired, desired.wanted, ground)
    if is_unwanted(desired):
        return _undo(desired, ground)
    if standing is not None and _is_gone(desired, ground) and not desired.override and not desired.undoing:
        return Settle(desired.key, Event.NEEDS_PERSON, _deleted(desired))
    if desired.wanted.wanted is WantedState.CLOSED:
        return _close(desired, ground)
    if standing is None or standing.effect is Effect.VOID or _is_gone(desired, ground):
        return _create(desired, desired.wanted, ground)
    return _edit(desired, applications.kept(desired.wanted, standing), standing, ground)


def _money_off_first(step: Step, ground: Ground) -> Step:
    """A ledger refuses a total below what is applied: what this plan takes off such a document goes before its edit."""
    if not isinstance(step, Write) or step.operation.operation is not OperationKind.UPDATE:
        return step
    operation = step.operation
    after = ground.freed.get(operation.document_key)
    before = operation.previous
    shrinks = before is not None and isinstance(operation.wanted, Document) and operation.wanted.total < before.total
    return Later(operation.document_key, after) if shrinks and after is not None else step


def _takes_money_off(desired: Desired, terms: Terms) -> bool:
    """Whether a written document will apply less to another one than it does now."""
    if desired.written is None or desired.written.effect is not Effect.PRESENT or not desired.written.applications:
        return False
    # Where the plan's order is the ledger's, a change may refer to what is only created before it.
    if not is_unwanted(desired) and terms.links_ahead:
        return False
    return bool(applications.takes_off(desired.written, _wanted_applications(desired)))


def _wanted_applications(desired: Desired) -> dict[str, Decimal]:
    if not isinstance(desired.wanted, Document) or is_unwanted(desired):
        return {}
    amounts: dict[str, Decimal] = {}
    for one in desired.wanted.applications:
        amounts[one.document_key] = amounts.get(one.document_key, applications.ZERO) + one.amount
    return amounts


def is_unwanted(desired: Desired) -> bool:
    """Whether the document should have no effect."""
    return desired.removed or (isinstance(desired.wanted, Document) and desired.wanted.wanted is WantedState.VOID)


def is_others(wanted: Wanted) -> bool:
    """Whether somebody else writes it, so that it may only be found."""
    return isinstance(wanted, Document) and wanted.wanted is WantedState.FOUND


def _is_gone(desired: Desired, ground: Ground) -> bool:
    return desired.key in ground.terms.missing_in_ledger


def _shared(desired: Desired, terms: Terms) -> Step:
    """Customers and items: made once, and never rewritten but for a customer's contact."""
    if desired.written is not None and not (terms.refreshes_contact and has_new_contact(desired, desired.written)):
        return Settle(desired.key, Event.UNCHANGED)
    if not terms.approved:
        return Settle(desired.key, Event.WAITS, _WAITING_FOR_APPROVAL)
    if desired.written is not None:
        return Write(operation_of(desired, OperationKind.UPDATE, {}), lookup=False)
    return Write(operation_of(desired, OperationKind.CREATE, {}), lookup=True)


def _find(desired: Desired, document: Document, ground: Ground) -> Step:
    """A document that somebody else writes is looked for, and left as it is."""
    if desired.removed:
        return Settle(desired.key, Event.NOT_NEEDED)
    if desired.written is not None and not _is_gone(desired, ground):
        return Settle(desired.key, Event.UNCHANGED)
    if document.hold is not None:
        return _on_hold(desired.key, document.hold)
    references = dependencies.resolve(document, ground)
    if isinstance(references, Settle):
        return references
    return Write(operation_of(desired, OperationKind.CREATE, references), lookup=True)


def _undo(desired: Desired, ground: Ground) -> Step:
    written = desired.written
    if written is None or (_is_gone(desired, ground) and not desired.undoing):
        return _is_not_there(desired)
    if written.effect is Effect.VOID or _is_gone(desired, ground):
        return Settle(desired.key, Event.VOIDED)
    held = holds.held_edit(desired, written, ground.terms, is_edit=desired.removed)
    if held is not None:
        return Settle(desired.key, Event.NEEDS_PERSON, held)
    return Write(operation_of(desired, OperationKind.VOID, _written_references(written, ground)), lookup=False)


def _close(desired: Desired, ground: Ground) -> Step:
    written = desired.written
    if written is None or written.effect is Effect.VOID:
        return _is_not_there(desired)
    if written.effect is Effect.CLOSED:
        return Settle(desired.key, Event.UNCHANGED)
    return Write(operation_of(desired, OperationKind.CLOSE, _written_references(written, ground)), lookup=False)


def _is_not_there(desired: Desired) -> Settle:
    """Nothing is known to be in the ledger. Where a link was given up, that does not say that nothing is."""
    if desired.written is None and desired.former is not None:
        return Settle(desired.key, Event.NEEDS_PERSON, _link_given_up(desired.former))
    return Settle(desired.key, Event.NOT_NEEDED, _not_needed())


def _create(desired: Desired, document: Document, ground: Ground) -> Step:
    if document.hold is not None:
        return _on_hold(desired.key, document.hold)
    customer = ground.known.get(document.customer_key) if document.customer_key is not None else None
    if customer is not None and customer.horizon is not None and document.date < customer.horizon:
        return Settle(desired.key, Event.NOT_NEEDED, _before_horizon(document.date, customer.horizon))
    if holds.is_closed(desired.kind, document.date, ground.terms):
        return Settle(desired.key, Event.NEEDS_PERSON, holds.closed_period(document.date, ground.terms))
    # After what would keep it out all the same, so that the preview counts it with that.
    if not ground.terms.approved:
        return Settle(desired.key, Event.WAITS, _WAITING_FOR_APPROVAL)
    replaced = ground.leaving.get(desired.set_key)
    if replaced is not None and desired.kind not in holds.NOT_POSTING:
        # Whoever asked for it: beside the document whose place it takes, it would book the same money twice.
        return Settle(desired.key, Event.WAITS, dependencies.still_there(replaced), replaced.key)
    references = dependencies.resolve(document, ground)
    if isinstance(references, Settle):
        return references
    capped = applications.cap(document, None, ground)
    first = _first(desired.key, document, capped, None, ground)
    if first is not None:
        return first
    notices = document.notices + applications.unapplied_notice(document, capped, ground)
    # A void document is history: the new one must not be told to reverse it.
    operation = operation_of(desired, OperationKind.CREATE, references, capped)
    return Write(operation, lookup=True, notices=notices)


def _edit(desired: Desired, document: Document, written: Written, ground: Ground) -> Step:
    # A person wants our content back although it did not change: what is in the ledger did.
    takes_back = desired.override and desired.key in ground.terms.changed_in_ledger
    # What a request without an answer left, or leaves yet: written once more, the ledger refuses that one as outdated.
    is_whole = not takes_back and not desired.unanswered and not _lacks_file(desired, document, written, ground)
    is_same = desired.content_hash == written.content_hash
    if document.hold is not None and not is_same and document.hold.code not in _ASKS_FOR_NOTHING:
        # What is wanted is not decided yet: what is written stays until it is.
        return _on_hold(desired.key, document.hold)
    same_content = is_same and is_whole
    if same_content and not document.applications:
        return Settle(desired.key, Event.UNCHANGED)
    references = dependencies.resolve(document, ground)
    if isinstance(references, Settle):
        # What is written stays as it is for as long as the rest is missing.
        return Settle(desired.key, Event.UNCHANGED) if same_content else references
    capped = applications.cap(document, written, ground)
    if same_content and capped == written.applications:
        return Settle(desired.key, Event.UNCHANGED)
    is_edit = written.document is None or body_hash(document) != body_hash(written.document)
    if document is not desired.wanted and is_whole and not is_edit and capped == written.applications:
        # All that is new is that its money would no longer be applied.
        return Settle(desired.key, Event.UNCHANGED)
    held = holds.held_edit(desired, written, ground.terms, is_edit=is_edit)
    if held is not None:
        return Settle(desired.key, Event.NEEDS_PERSON, held)
    first = _first(desired.key, document, capped, written, ground)
    if first is not None:
        return first
    references |= _written_references(written, ground)
    if not ground.terms.edits_posted:
        return Write(operation_of(desired, OperationKind.VOID, references), lookup=False)
    notices = document.notices + applications.unapplied_notice(document, capped, ground)
    return Write(operation_of(desired, OperationKind.UPDATE, references, capped), lookup=False, notices=notices)


def _lacks_file(desired: Desired, document: Document, written: Written, ground: Ground) -> bool:
    """Whether the list of orders could not be attached so far. It is no reason to trouble anybody."""
    terms = ground.terms
    can_be_written = desired.key not in terms.deposited and not holds.is_closed(desired.kind, document.date, terms)
    return terms.attaches and wants_file(document) and FILE not in written.link.details and can_be_written


def _first(
    key: str, document: Document, capped: tuple[tuple[str, Decimal], ...], written: Written | None, ground: Ground
) -> Settle | Later | None:
    """What has to happen before this money can be applied as wanted, or None."""
    after = applications.counts_on(capped, written, ground)
    if after is not None:
        return Later(key, after)
    amounts = dict(capped)
    for one in document.applications:
        target = ground.known.get(one.document_key)
        if target is None or amounts.get(one.document_key, applications.ZERO) >= one.amount:
            continue
        # Its edit is on its way, and may be what makes room.
        if target.key not in ground.writing and dependencies.is_under_way(target):
            return dependencies.waits_for(key, target)
    return None


def operation_of(
    desired: Desired,
    kind: OperationKind,
    references: Mapping[str, LedgerLink],
    capped: tuple[tuple[str, Decimal], ...] = (),
) -> Operation:
    """The operation that brings a document about. `capped`: (document key, amount) of money that is applied."""
    creates = kind is OperationKind.CREATE
    written = None if creates else desired.written
    former = desired.former
    if creates and desired.written is not None:
        former = desired.written.link
    return Operation(
        document_key=desired.key,
        kind=desired.kind,
        operation=kind,
        wanted=desired.wanted,
        idempotency_key=idempotency_key(desired.key, kind.value, desired.generation),
        link=None if written is None else written.link,
        references=references,
        applications=capped,
        previous=None if written is None else written.document,
        sent=() if creates else desired.sent,
        previous_applications=() if written is None else written.applications,
        generation=desired.generation,
        former=former if creates else None,
    )


def _written_references(written: Written, ground: Ground) -> dict[str, LedgerLink]:
    """Where everything lives that the written version refers to, as far as it is still there."""
    if written.document is None:
        return {}
    links = {key: ground.known[key].link for key in dependencies.referred(written.document) if key in ground.known}
    return {key: link for key, link in links.items() if link is not None}


def _remember(desired: Desired, step: Step, ground: Ground) -> None:
    """Let later documents of the plan see what this one will be."""
    before = ground.known.get(desired.key)
    if isinstance(step, Later):
        return
    if isinstance(step, Settle):
        if before is not None:
            state = next_state(desired.state, step.event)
            ground.known[desired.key] = replace(before, state=state, reason=step.reason)
        return
    operation = step.operation
    ground.writing.add(desired.key)
    written = desired.written if desired.written is not None and desired.written.effect is Effect.PRESENT else None
    if operation.operation in {OperationKind.CREATE, OperationKind.UPDATE}:
        applications.reserve(operation.applications, written, ground)
    elif operation.operation is OperationKind.VOID and written is not None:
        applications.release(written, ground)
    if not ground.terms.links_ahead:
        freed = dict.fromkeys(applications.takes_off(written, dict(operation.applications)), desired.key)
        ground.changing |= freed
        ground.freed |= freed
    total = desired.wanted.total if isinstance(desired.wanted, Document) else None
    if ground.terms.links_ahead and operation.operation is OperationKind.CREATE and not is_others(desired.wanted):
        ground.planned[desired.key] = ahead(desired.key, desired.wanted)
        ground.known[desired.key] = Known(
            key=desired.key, kind=desired.kind, state=desired.state, label="", open_balance=total
        )
    if operation.operation is OperationKind.VOID and before is not None:
        # Nothing new may refer to what this batch voids.
        gone = DocumentState.VOIDED if is_unwanted(desired) else DocumentState.QUEUED
        ground.known[desired.key] = replace(before, state=gone, link=None)
    if operation.operation is not OperationKind.UPDATE or before is None or before.open_balance is None:
        return
    if total is not None and written is not None and written.document is not None:
        change = total - written.document.total
        ground.known[desired.key] = replace(before, open_balance=before.open_balance + change)
        if change and not ground.terms.links_ahead:
            ground.changing[desired.key] = desired.key


def ahead(key: str, wanted: Wanted) -> LedgerLink:
    """The link of something that is about to be created in a ledger whose ids are our keys.

    It carries what documents of the same batch want to know of it: its name, or its exchange rate.
    """
    if isinstance(wanted, Document):
        rate = wanted.exchange_rate
        return LedgerLink(key, total=wanted.total, details={} if rate is None else {"rate": f"{rate:f}"})
    return LedgerLink(key, name=wanted.display_name if isinstance(wanted, CustomerWanted) else wanted.name)


def _on_hold(key: str, hold: Reason) -> Settle:
    if hold.code in _ASKS_FOR_NOTHING:
        return Settle(key, Event.NOT_NEEDED, hold)
    waits = hold.code.startswith("WAITING_")
    return Settle(key, Event.WAITS if waits else Event.NEEDS_PERSON, hold)


def _not_needed() -> Reason:
    return Reason(
        code="NOT_NEEDED",
        text="The order no longer needs this document, and it is not in the ledger.",
        severity=Severity.WARNING,
    )


def _link_given_up(former: LedgerLink) -> Reason:
    return Reason(
        code="LINK_GIVEN_UP",
        text="The order no longer needs this document. Its link was given up before, so it may still be in the ledger.",
        cure="Look in the ledger: link it by hand and resend to have it taken out, or dismiss where it is not there.",
        value=former.ledger_id,
    )


def _before_horizon(on: date, horizon: date) -> Reason:
    return Reason(
        code="BEFORE_HORIZON",
        text=f"The document is dated {on}, and the customer was connected for documents from {horizon} on.",
        cure="Move the customer's horizon back to include it.",
        field="date",
        value=on.isoformat(),
        severity=Severity.WARNING,
    )


def _deleted(desired: Desired) -> Reason:
    return Reason(
        code=LEDGER_DELETED,
        text="The document was deleted in the ledger.",
        cure="Resend to make it again, or dismiss to leave it out.",
        value=desired.written.link.ledger_id if desired.written is not None else None,
    )
