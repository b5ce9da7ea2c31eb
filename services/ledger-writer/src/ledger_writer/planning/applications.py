"""How much of a document's money goes where: never more than is open (domain reference, sections 8.5 and 9)."""

from collections.abc import Mapping
from decimal import Decimal

from common.messages.base import Reason, Severity
from common.messages.transactions import Application, Document
from ledger_writer.planning.model import Ground, Written

ZERO = Decimal(0)
OUT_OF_SCOPE = "INVOICE_OUT_OF_SCOPE"
"""Notice of money that is not applied, because its invoice is before the customer's horizon."""


def kept(document: Document, written: Written) -> Document:
    """The document with its money where it is, although what it is applied to went out of scope since.

    Moving a customer's horizon forward takes nothing back that is posted (domain reference, section 29).
    """
    if all(notice.code != OUT_OF_SCOPE for notice in document.notices):
        return document
    named = {one.document_key for one in document.applications}
    stand = tuple(
        Application(document_key=key, amount=min(amount, document.total))
        for key, amount in written.applications
        if key not in named
    )
    if not stand:
        return document
    notices = tuple(notice for notice in document.notices if notice.code != OUT_OF_SCOPE)
    return document.model_copy(update={"applications": document.applications + stand, "notices": notices})


def cap(document: Document, written: Written | None, ground: Ground) -> tuple[tuple[str, Decimal], ...]:
    """(document key, amount) per application, at most the open balance of its target and the document's own total.

    What this document applied before counts as open to itself. The rest of the money stays unapplied.
    """
    before = dict(written.applications) if written is not None else {}
    left = document.total
    capped: list[tuple[str, Decimal]] = []
    for application in document.applications:
        key = application.document_key
        amount = min(application.amount, left)
        room = _room(key, before.get(key, ZERO), ground)
        if room is not None:
            amount = min(amount, room)
        if amount > ZERO:
            capped.append((key, amount))
            left -= amount
    return tuple(capped)


def _room(key: str, applied_before: Decimal, ground: Ground) -> Decimal | None:
    target = ground.known.get(key)
    if target is not None and target.is_gone:
        return ZERO
    if target is None or target.open_balance is None:
        return None
    return max(target.open_balance + applied_before - ground.applied.get(key, ZERO), ZERO)


def reserve(applications: tuple[tuple[str, Decimal], ...], written: Written | None, ground: Ground) -> None:
    """Make planned applications count for the documents planned after this one."""
    if written is not None:
        release(written, ground)
    for key, amount in applications:
        ground.applied[key] = ground.applied.get(key, ZERO) + amount


def release(written: Written, ground: Ground) -> None:
    """Make what a document applied count as open for those planned after it."""
    for key, amount in written.applications:
        ground.applied[key] = ground.applied.get(key, ZERO) - amount


def takes_off(written: Written | None, wanted: Mapping[str, Decimal]) -> list[str]:
    """Documents that less money is to be applied to than was before."""
    before = written.applications if written is not None else ()
    return [key for key, amount in before if wanted.get(key, ZERO) < amount]


def counts_on(capped: tuple[tuple[str, Decimal], ...], written: Written | None, ground: Ground) -> str | None:
    """What must be in the ledger before this money can be applied, where the ledger is written to side by side.

    An invoice that grows and the payment of the difference leave together: whichever arrives first, QuickBooks
    refuses a payment of more than is open at that moment.
    """
    before = dict(written.applications) if written is not None else {}
    return next(
        (ground.changing[key] for key, amount in capped if key in ground.changing and amount > before.get(key, ZERO)),
        None,
    )


PARTLY_UNAPPLIED = "PARTLY_UNAPPLIED"


def unapplied_notice(
    document: Document, applications: tuple[tuple[str, Decimal], ...], ground: Ground
) -> tuple[Reason, ...]:
    """Say so where less could be applied than the order said."""
    wanted = sum((application.amount for application in document.applications), ZERO)
    applied = sum((amount for _, amount in applications), ZERO)
    if applied >= wanted:
        return ()
    targets = [ground.known.get(application.document_key) for application in document.applications]
    is_missing = any(target is not None and target.is_gone for target in targets)
    why = "what it pays is not in the ledger" if is_missing else "the open balance is lower"
    return (
        Reason(
            code=PARTLY_UNAPPLIED,
            text=f"{wanted - applied} {document.currency} of {wanted} could not be applied: {why}.",
            cure="Apply the rest in the ledger, or refund it.",
            field="applications",
            value=str(applied),
            severity=Severity.WARNING,
        ),
    )
