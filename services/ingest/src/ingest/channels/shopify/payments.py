"""Which money came in for a Shopify order. Pure.

An order's webhook carries no transactions. What can be concluded without them is little: that nothing was paid, or,
where the connection can't fetch and one gateway took everything, how much. All else waits for the transactions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from common.messages.orders import Tender, TenderKind, TenderStatus
from common.money import ZERO
from ingest.channel import Account
from ingest.channels.shopify.money import Book
from ingest.channels.shopify.wire import ShopifyOrder, ShopifyTransaction
from ingest.errors import IncompleteOrder, NormalizationError
from ingest.parts import Parts
from ingest.text import identifier, short
from ingest.totals import local_date

KIND_OF_GATEWAY: dict[str, TenderKind] = {
    "gift_card": TenderKind.GIFT_CARD,
    "shopify_store_credit": TenderKind.STORE_CREDIT,
}
UNPAID_STATUSES = frozenset({"pending", "authorized", "voided"})
_CURE = "add an Admin API access token to the connection, or subscribe it to order_transactions/create"
_DERIVED = "derived:"


@dataclass(frozen=True, slots=True)
class Paid:
    """Money taken for an order. `identity` maps a transaction's id to the tender id that the books know it by."""

    tenders: tuple[Tender, ...]
    identity: dict[str, str]

    @property
    def captured(self) -> Decimal:
        return sum((t.amount for t in self.tenders if t.status is TenderStatus.CAPTURED), ZERO)


def tender_kind(gateway: str | None) -> TenderKind:
    return KIND_OF_GATEWAY.get((gateway or "").lower(), TenderKind.MONEY)


def collect(parts: Parts, order: ShopifyOrder, version: datetime) -> tuple[dict[str, ShopifyTransaction], bool]:
    """Every transaction known, and whether that is certainly all of them as of the order's `version`."""
    known: dict[str, ShopifyTransaction] = {}
    complete = order.transactions is not None
    for transaction in order.transactions or ():
        known[transaction.id] = transaction
    if parts.transaction_list is not None:
        complete = complete or parts.transaction_list.version >= version
        for row in parts.transaction_list.body:
            transaction = ShopifyTransaction.model_validate(row)
            known[transaction.id] = transaction
    for part in parts.transactions:
        transaction = ShopifyTransaction.model_validate(part.body)
        held = known.get(transaction.id)
        if held is None or (transaction.moved and not held.moved):
            known[transaction.id] = transaction
    return known, complete


def expected_capture(order: ShopifyOrder, book: Book, returned: Decimal) -> Decimal | None:
    """What the order's own totals say was taken, before refunds; None where they don't say it.

    `current_total_price − total_outstanding` is what the shop holds now; `returned` is what it gave back, as far as
    the same body lists refunds.
    """
    status = (order.financial_status or "").lower()
    if status in UNPAID_STATUSES:
        return ZERO
    current = book.find(order.current_total_price, order.current_total_price_set, "current_total_price")
    if current is not None and order.total_outstanding is not None and book.currency == book.shop_currency:
        return max(current - order.total_outstanding + returned, ZERO)
    if status == "paid" and not order.refunds:
        return current if current is not None else book.read(order.total_price, order.total_price_set, "total_price")
    return None


def conclude(
    parts: Parts, order: ShopifyOrder, version: datetime, book: Book, account: Account, returned: Decimal
) -> Paid:
    """The order's tenders. Raises `IncompleteOrder` where they can't be known from the parts."""
    known, complete = collect(parts, order, version)
    notes = _notes(parts)
    paid = _from_transactions(known.values(), book, account, notes)
    if complete:
        return paid
    expected = expected_capture(order, book, returned)
    if expected is not None and paid.captured == expected:
        return paid
    if not account.fetches and expected is not None:
        if known and paid.captured > expected:
            return paid  # the transactions are facts; the order's own sum may round cash
        if not known:
            return _derived(order, book, account, expected, notes)
    stated = "an unknown amount" if expected is None else f"{expected:f} {book.currency}"
    raise IncompleteOrder(f"the order says {stated} was paid, its transactions show {paid.captured:f}", _CURE)


def _from_transactions(
    transactions: Iterable[ShopifyTransaction], book: Book, account: Account, notes: list[dict[str, Any]]
) -> Paid:
    rows = sorted((row for row in transactions if row.moved), key=lambda row: (row.at, row.id))
    voided = {row.parent_id for row in rows if row.kind.lower() == "void" and row.parent_id}
    given_change: dict[str | None, Decimal] = {}
    for row in rows:
        if row.kind.lower() == "change":
            back = book.moved(row.amount, row.amount_set, row.currency, f"transactions.{row.id}.amount")
            slot = row.parent_id or (row.gateway or "")
            given_change[slot] = given_change.get(slot, ZERO) + abs(back)
    tenders: list[Tender] = []
    identity: dict[str, str] = {}
    unused = list(notes)
    for row in rows:
        if row.kind.lower() not in {"sale", "capture"}:
            continue
        money = book.moved(row.amount, row.amount_set, row.currency, f"transactions.{row.id}.amount")
        for slot in (row.id, row.gateway or ""):
            money -= given_change.pop(slot, ZERO)
        name = _known_as(row, money, unused)
        identity[row.id] = name
        tenders.append(
            Tender(
                external_id=name,
                method=short(row.gateway) or "unknown",
                kind=tender_kind(row.gateway),
                status=TenderStatus.VOIDED if row.id in voided else TenderStatus.CAPTURED,
                amount=money,
                currency=book.currency,
                captured_at=row.at,
                captured_on=local_date(row.at, account.zone),
                reference=short(row.authorization) or row.id,
            )
        )
    if given_change:
        raise NormalizationError(
            "transactions.kind",
            "change",
            "refund the change through the payment it belongs to",
            text="change was given back, and no payment it belongs to is known",
        )
    return Paid(tuple(tenders), identity)


def _known_as(row: ShopifyTransaction, money: Decimal, notes: list[dict[str, Any]]) -> str:
    """The transaction's id, or the id under which the same payment was already published when it was concluded."""
    for note in notes:
        if note["method"] == (row.gateway or "") and _decimal(note["amount"]) == money:
            notes.remove(note)
            return str(note["external_id"])
    return identifier(row.id)


def _derived(order: ShopifyOrder, book: Book, account: Account, expected: Decimal, notes: list[dict[str, Any]]) -> Paid:
    """Conclude tenders from the order's totals: only where one gateway can have taken all of it.

    What was concluded before keeps its identity and amount; a later payment becomes a tender of its own.
    """
    gateways = order.payment_gateway_names or ()
    if len(gateways) != 1:
        raise IncompleteOrder(
            f"{len(gateways)} payment gateways took part and the split between them is unknown", _CURE
        )
    tenders = [_from_note(note, book, account) for note in notes]
    rest = expected - sum((tender.amount for tender in tenders), ZERO)
    if rest < 0:
        raise IncompleteOrder("less was paid than before, and which payment was taken back is unknown", _CURE)
    if rest:
        at = (order.processed_at or order.created_at) if not tenders else order.updated_at
        note = {
            "external_id": f"{_DERIVED}{order.id}:{len(tenders) + 1}",
            "method": gateways[0],
            "amount": f"{rest:f}",
            "at": at.isoformat(),
        }
        tenders.append(_from_note(note, book, account))
    return Paid(tuple(tenders), {})


def _from_note(note: dict[str, Any], book: Book, account: Account) -> Tender:
    at = datetime.fromisoformat(note["at"])
    return Tender(
        external_id=identifier(str(note["external_id"])),
        method=short(str(note["method"])),
        kind=tender_kind(str(note["method"])),
        amount=_decimal(note["amount"]),
        currency=book.currency,
        captured_at=at,
        captured_on=local_date(at, account.zone),
    )


def _notes(parts: Parts) -> list[dict[str, Any]]:
    return list(parts.derived_tender.body) if parts.derived_tender is not None else []


def _decimal(text: Any) -> Decimal:
    value = str(text)
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,4})?", value):
        raise InvalidOperation(value)
    return Decimal(value)
