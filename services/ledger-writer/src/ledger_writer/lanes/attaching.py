"""A summary's orders, hung on it as a file, so that a bookkeeper can tell what it is made of."""

from dataclasses import replace
from typing import Final

import structlog

from common.errors import Rejected, Retryable
from common.messages.base import Reason, Severity
from common.messages.transactions import Document
from ledger_writer.ledgers.protocol import Attaches, LedgerSession, Operation, OperationKind, Written

log = structlog.get_logger(__name__)

FILE: Final = "file"
"""Detail of a link: the attachment's id."""
_WRITES: Final = frozenset({OperationKind.CREATE, OperationKind.UPDATE})


async def with_file(session: LedgerSession, operation: Operation, outcome: Written) -> Written:
    """Attach the list of orders to a summary that was just written, and again when its orders changed.

    The document stands without it: a file that can't be attached is a notice and no failure.
    """
    wanted, before = operation.wanted, operation.previous
    if not isinstance(wanted, Document) or wanted.source_kind != "summary" or not wanted.note:
        return outcome
    if operation.operation not in _WRITES or not isinstance(session, Attaches):
        return outcome
    if before is not None and before.note == wanted.note and operation.link is not None:
        kept = {FILE: operation.link.details[FILE]} if FILE in operation.link.details else {}
        return replace(outcome, link=replace(outcome.link, details={**outcome.link.details, **kept}))
    content = "order\n" + "".join(f"{number}\n" for number in wanted.note.split(", "))
    name = f"orders-{wanted.memo_number}.csv"
    try:
        attached = await session.attach(outcome.link, file_name=name, content_type="text/csv", file=content.encode())
    except (Rejected, Retryable) as error:
        log.warning("orders_not_attached", document_key=operation.document_key, error=type(error).__name__)
        return replace(outcome, notices=(*outcome.notices, _MISSING))
    return replace(outcome, link=replace(outcome.link, details={**outcome.link.details, FILE: attached}))


_MISSING: Final = Reason(
    code="ATTACHMENT_MISSING",
    text="The list of orders could not be attached to the document; its memo still names them.",
    cure="Nothing has to be done. The list is attached when the summary changes.",
    severity=Severity.WARNING,
)
