"""A summary's orders, hung on it as a file, so that a bookkeeper can tell what it is made of."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from common.cells import guarded
from common.errors import Rejected, Retryable
from common.messages.base import Reason, Severity
from common.messages.transactions import Document
from ledger_writer.ledgers.abilities import Attaches
from ledger_writer.ledgers.protocol import (
    CompanyRefused,
    LedgerSession,
    Operation,
    OperationKind,
    Unanswered,
    Written,
)
from ledger_writer.planning.content import FILE, wants_file

log = structlog.get_logger(__name__)

_WRITES: Final = frozenset({OperationKind.CREATE, OperationKind.UPDATE})


async def with_file(session: LedgerSession, operation: Operation, outcome: Written) -> Written | Unanswered:
    """Attach the list of orders to a summary that is in the ledger, and again when its orders changed.

    The document stands without it: a file that is refused for good is a notice and no failure. Trouble that passes, or
    stops the company, makes the whole count as unanswered: the document is looked up, and its file attached then.
    """
    wanted, before = operation.wanted, operation.previous
    if not isinstance(wanted, Document) or not wants_file(wanted):
        return outcome
    if operation.operation not in _WRITES or not isinstance(session, Attaches):
        return outcome
    attached = operation.link.details.get(FILE) if operation.link is not None else None
    orders = wanted.orders_of_summary
    if before is not None and before.orders_of_summary == orders and attached is not None:
        return _with(outcome, attached)
    name = f"orders-{wanted.memo_number}.csv"
    try:
        attached = await session.attach(
            outcome.link,
            file_name=name,
            content_type="text/csv",
            file=listed(orders),
            # What is changed may have a list already, perhaps one whose request got no answer.
            alone=operation.operation is OperationKind.UPDATE,
        )
    except (CompanyRefused, Retryable) as error:
        return Unanswered(f"the document is there without its file: {error}")
    except Rejected as error:
        log.warning("orders_not_attached", document_key=operation.document_key, code=error.reason.code)
        return replace(outcome, notices=(*outcome.notices, _MISSING))
    return _with(outcome, attached)


def listed(orders: Sequence[str]) -> bytes:
    """The file: a table with one column."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("order",))
    writer.writerows((guarded(number),) for number in orders)
    return table.getvalue().encode()


def _with(outcome: Written, attached: str) -> Written:
    return replace(outcome, link=replace(outcome.link, details={**outcome.link.details, FILE: attached}))


_MISSING: Final = Reason(
    code="ATTACHMENT_MISSING",
    text="The list of orders could not be attached to the document; its memo names them as far as they fit.",
    cure="Resend to attach it. Else it is attached when the summary changes.",
    severity=Severity.WARNING,
)
