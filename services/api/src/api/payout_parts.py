"""What of a payout is not in the ledger: every order by its number, each with its own reason. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.columns import Column
from common.messages.base import Reason
from common.messages.orders import Payout

INCOMPLETE: Final = "PAYOUT_INCOMPLETE"
_OF_ORDERS: Final = frozenset({"charge", "refund"})
_NUMBER_CHARS_MAX: Final = 100
_SHOWN_MAX: Final = 50
_TEXT_MAX: Final = 4_000
_REASON_MAX: Final = 300
_STOPPED: Final = frozenset({Column.WARNINGS, Column.DISMISSED, Column.OUT_OF_SCOPE})
"""Columns of documents that don't arrive in the ledger by themselves."""


@dataclass(frozen=True, slots=True)
class Part:
    """A document that a payout groups and that the ledger does not have."""

    document_key: str
    order_number: str
    kind: str
    state: str
    column: Column
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that was received. `has_money`: a receipt, payment or refund of it was planned."""

    external_id: str
    number: str
    has_money: bool


def missing_orders(payout: Payout, known: Iterable[KnownOrder]) -> tuple[list[str], list[date]]:
    """Numbers of the payout's orders without documents, and the days of sales whose order nothing gives a number."""
    orders = list(known)
    by_id = {one.external_id: one for one in orders}
    by_number = {one.number.removeprefix("#"): one for one in orders}
    numbers: dict[str, None] = {}
    days: list[date] = []
    for line in payout.lines:
        if line.kind not in _OF_ORDERS:
            continue
        order = by_id.get(line.order_external_id) or by_number.get(line.order_number)
        number = order.number if order is not None else line.order_number
        if order is not None and order.has_money:
            continue
        if 0 < len(number) <= _NUMBER_CHARS_MAX:
            numbers[number] = None
        else:
            days.append(line.occurred_on)
    return list(numbers), days


def named_parts(reason: Reason | None, deposit_state: str | None, parts: Sequence[Part]) -> Reason | None:
    """The payout's reason with all orders that keep it from being deposited, where it names none or one of them.

    `reason`: of the set, or of the deposit, which names the first document that it lacks. `deposit_state` is None
    where there is no deposit yet. A reason of another kind stays: it is nearer to what has to be done.
    """
    stopped = [part for part in parts if part.column in _STOPPED]
    if not stopped:
        return reason
    if deposit_state is None and reason is not None and reason.code == INCOMPLETE:
        text = f"{reason.text} And these could not be written: {_listed(stopped)}."
        return reason.model_copy(update={"text": text[:_TEXT_MAX]})
    if deposit_state != "blocked":
        return reason
    return Reason(
        code=INCOMPLETE,
        text=f"These parts of the payout are not in the ledger: {_listed(stopped)}."[:_TEXT_MAX],
        cure="Settle the warnings of these orders; the deposit is made by itself when they are there.",
        field="lines",
        value=stopped[0].order_number[:500],
    )


def _listed(parts: Sequence[Part]) -> str:
    shown = ", ".join(_named(part) for part in parts[:_SHOWN_MAX])
    return shown + (f" and {len(parts) - _SHOWN_MAX} more" if len(parts) > _SHOWN_MAX else "")


def _named(part: Part) -> str:
    why = part.reason.text.rstrip(".")[:_REASON_MAX] if part.reason is not None else part.state.replace("_", " ")
    return f"{part.order_number} ({part.kind.replace('_', ' ')}: {why})"
