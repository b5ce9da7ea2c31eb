"""What a document refers to, and whether all of that is in the ledger (domain reference, sections 4.4 and 28)."""

from collections.abc import Iterator, Mapping

from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState
from common.messages.transactions import Document, DocumentKind
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.planning.content import Wanted
from ledger_writer.planning.model import Ground, Known, Settle
from ledger_writer.planning.states import Event

WORD: Mapping[DocumentKind, str] = {kind: kind.value.replace("_", " ") for kind in DocumentKind}

_UNDER_WAY = frozenset(
    {
        DocumentState.NOT_TRIED,
        DocumentState.QUEUED,
        DocumentState.IN_FLIGHT,
        DocumentState.RETRY_WAIT,
        DocumentState.UNKNOWN,
    }
)


def referred(wanted: Wanted) -> Iterator[str]:
    """Keys of everything that must be in the ledger before this can be, each once, in reading order."""
    if not isinstance(wanted, Document):
        return
    seen: set[str] = set()
    for key in _all_keys(wanted):
        if key not in seen:
            seen.add(key)
            yield key


def _all_keys(document: Document) -> Iterator[str]:
    if document.customer_key is not None:
        yield document.customer_key
    for line in document.lines:
        if line.item_key is not None:
            yield line.item_key
        if line.document_key is not None:
            yield line.document_key
    yield from document.depends_on
    yield from document.closes
    for application in document.applications:
        yield application.document_key


def resolve(document: Document, ground: Ground) -> dict[str, LedgerLink] | Settle:
    """Where everything lives that the document refers to, or why it has to wait."""
    references: dict[str, LedgerLink] = {}
    for key in referred(document):
        planned = ground.planned.get(key)
        if planned is not None:
            references[key] = planned
            continue
        dependency = ground.known.get(key)
        # An edit of it may be pending or held: what counts is that it is in the ledger.
        if dependency is not None and dependency.link is not None:
            references[key] = dependency.link
        elif dependency is None or not _is_optional(document, dependency):
            return _waits(document.key, key, dependency)
    return references


def _is_optional(document: Document, dependency: Known) -> bool:
    """What will never be there keeps nothing back that is only to close it, or to pay for it if it can."""
    return dependency.is_gone and dependency.key not in document.depends_on and dependency.key in _ends(document)


def _ends(document: Document) -> set[str]:
    """Documents that this one closes or pays for."""
    return {*document.closes, *(one.document_key for one in document.applications)}


def _waits(document_key: str, key: str, dependency: Known | None) -> Settle:
    if dependency is None:
        reason = Reason(
            code="WAITING_FOR_DOCUMENT",
            text=f"Waits for a document that has not been received yet ({key[:8]}).",
            cure="It is sent by itself when that document arrives.",
            field="depends_on",
            value=key,
            severity=Severity.WARNING,
        )
        return Settle(document_key, Event.WAITS, reason, key)
    return waits_for(document_key, dependency)


def waits_for(document_key: str, dependency: Known) -> Settle:
    return Settle(document_key, Event.WAITS, blocked_reason(dependency), dependency.key)


def is_under_way(dependency: Known) -> bool:
    """Whether a lane will still do something to it without anybody's help."""
    return dependency.state in _UNDER_WAY


def still_there(replaced: Known) -> Reason:
    """Why nothing new of an order is booked while `replaced`, which the order no longer has, stands in the ledger."""
    name = f"{WORD[replaced.kind]} {replaced.label}".rstrip()
    because = replaced.reason
    if replaced.state in _UNDER_WAY:
        return Reason(
            code="WAITING_FOR_REMOVAL",
            text=f"Takes the place of {name}, which is about to be made void.",
            cure="It is sent by itself once that is void.",
            value=replaced.label or None,
            severity=Severity.WARNING,
        )
    detail = f": {because.text}" if because is not None else "."
    dismissed = replaced.state is DocumentState.DISMISSED
    return Reason(
        code="REPLACED_STILL_IN_LEDGER",
        text=f"Takes the place of {name}, which is still in the ledger{detail}"[:4000],
        cure=f"Take the dismissal of {name} back so that it is made void, or dismiss this too."
        if dismissed
        else f"Settle the warning of {name}; this follows by itself once that is void. Or dismiss this.",
        value=replaced.label or None,
    )


def blocked_reason(dependency: Known) -> Reason:
    """Why something that needs `dependency` can't be written, naming it as a person knows it."""
    name = f"{WORD[dependency.kind]} {dependency.label}".rstrip()
    because = dependency.reason
    if dependency.state is DocumentState.DISMISSED:
        return Reason(
            code="DISMISSED_DEPENDENCY",
            text=f"Needs {name}, which was dismissed.",
            cure=f"Take the dismissal of {name} back, or dismiss this too.",
            value=dependency.label or None,
        )
    waits = dependency.state is DocumentState.BLOCKED and because is not None and because.code.startswith("WAITING_")
    if waits or dependency.state in _UNDER_WAY:
        return Reason(
            code=f"WAITING_FOR_{dependency.kind.value.upper()}",
            text=f"Waits for {name}." + (f" {because.text}" if waits and because is not None else ""),
            cure="It is sent by itself once that is in the ledger.",
            value=dependency.label or None,
            severity=Severity.WARNING,
        )
    if dependency.state in {DocumentState.SKIPPED, DocumentState.VOIDED}:
        return Reason(
            code="DEPENDENCY_NOT_IN_LEDGER",
            text=f"Needs {name}, which is {dependency.state.value} and so not in the ledger.",
            cure=f"Resend {name} if it should be there, else dismiss this.",
            value=dependency.label or None,
        )
    detail = f": {because.text}" if because is not None else "."
    return Reason(
        code="DEPENDENCY_FAILED",
        text=f"Needs {name}, which is not in the ledger{detail}"[:4000],
        cure=f"Repair {name} first; this follows by itself.",
        value=dependency.label or None,
    )
