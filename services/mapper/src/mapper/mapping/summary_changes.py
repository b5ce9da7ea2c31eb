"""A summary whose members changed after it was written says so (section 15)."""

from common.messages.transactions import Document, TransactionSet
from mapper.mapping.notices import summary_changed

CODE = "SUMMARY_CHANGED"
NAMED_MAX = 20


def with_change_noted(document: Document, previous: TransactionSet | None) -> Document:
    """The document with a warning, if an earlier version that was not held differs from it.

    The warning stays on it for as long as nothing else changes. A day that was not over had nothing written.
    """
    before = next((one for one in previous.documents if one.key == document.key), None) if previous else None
    if before is None or before.hold is not None or document.hold is not None:
        return document
    kept = tuple(one for one in before.notices if one.code == CODE)
    if before.model_copy(update={"notices": document.notices}) == document:
        return document.model_copy(update={"notices": (*document.notices, *kept)})
    now, then = dict.fromkeys(document.orders_of_summary), dict.fromkeys(before.orders_of_summary)
    joined = [number for number in now if number not in then]
    left = [number for number in then if number not in now]
    notice = summary_changed(before.total, document.total, document.currency, _named(joined), _named(left))
    return document.model_copy(update={"notices": (*document.notices, notice)})


def _named(numbers: list[str]) -> str:
    return ", ".join(numbers[:NAMED_MAX]) + (" …" if len(numbers) > NAMED_MAX else "")
