"""What a connection's settings say against themselves, whatever company file and ledger they point at. Pure."""

from collections.abc import Iterator

from common.cures import FieldProblem
from common.messages.control import ConnectionSettings, TransactionMode

_BY_PAYOUT = frozenset({TransactionMode.JOURNAL_ENTRIES, TransactionMode.SUMMARY_PAYOUT})
"""Modes that write orders with the payout that brings their money, and not before."""


def conflicts(settings: ConnectionSettings) -> Iterator[FieldProblem]:
    """Each field that could not do anything but hold every order it is for. One that is switched off may keep them."""
    tolerance = settings.rounding_tolerance
    if tolerance is not None and tolerance < 0:
        cure = "no difference is that small: give 0 or more, or leave it out for the currency's own"
        yield problem("rounding_tolerance", f"{tolerance:f}", cure)
    if not settings.enabled:
        return
    if settings.mode in _BY_PAYOUT and not settings.payouts.enabled:
        cure = "it writes orders with their payouts: switch payouts.enabled on, or choose another mode"
        yield problem("mode", settings.mode.value, cure)
    if settings.fees.on_order == "bill" and not settings.fees.payee.strip():
        cure = "a bill is a vendor's: name who gets the fee, or write the fee as an expense"
        yield problem("fees.payee", settings.fees.payee, cure)
    for name, item in settings.products:
        if name.endswith("_item") and not item.strip():
            yield problem(f"products.{name}", item, "name an item of the ledger, or leave it out for its default")


def problem(field: str, value: str, cure: str) -> FieldProblem:
    """One wrong setting of a body."""
    return FieldProblem(field=f"body.{field}", value=value, cure=cure)
