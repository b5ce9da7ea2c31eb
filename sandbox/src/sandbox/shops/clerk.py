"""Everything that can happen to an order. Each act changes the order and says, in amounts of its own, what it meant.

Those amounts make the expectation a demo is judged by. They are added up act by act and never read back from an order
or from anything on the wire, so a slip in a wire format can't hide in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.shops.cart import add_line, price_line
from sandbox.shops.pricing import half_up
from sandbox.shops.shop import Kind
from sandbox.shops.state import Edit, Line, Order, Product, Refund, RefundLine, TenderKind, Transaction

What = Literal["created", "updated", "transaction", "paid", "edited", "refunded", "cancelled"]
CARDS = ("Visa", "Mastercard", "American Express")
CARD_GATEWAYS = ("shopify_payments", "stripe")


@dataclass(frozen=True, slots=True)
class Change:
    """One fact about an order: how total owed, tax within it, money taken and money returned moved, in minor units."""

    what: What
    subject: Transaction | Refund | Edit | None = None
    total: int = 0
    tax: int = 0
    captured: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened to one order at one time. The order is in that state only until the next moment is asked for."""

    at: datetime
    order: Order
    changes: tuple[Change, ...]


class Clerk:
    """Works on one order of a shop of one kind."""

    def __init__(self, order: Order, kind: Kind) -> None:
        self.order = order
        self.kind = kind

    def place(self) -> Change:
        """Take the order as the basket stands."""
        order = self.order
        price = sum(line.product.price * line.quantity for line in order.lines) + (
            order.shipping.price if order.shipping else 0
        )
        off = sum(amount for line in order.lines for _, amount in line.discounts)
        off += order.shipping.discount if order.shipping else 0
        tax = sum(amount for _, amount in order.taxes())
        total = price - off + order.tip + (0 if order.shop.taxes_included else tax)
        return Change("created", total=total, tax=tax)

    def pay(self, at: datetime, amount: int, gateway: str, card: str | None = None) -> Change:
        """Take money, or a gift card, at once."""
        tender: TenderKind = "gift_card" if gateway == "gift_card" else "money"
        return self._move(at, "sale", tender, gateway, amount, card)

    def authorize(self, at: datetime, amount: int, card: str) -> Change:
        """Have an amount reserved on a card; no money moves."""
        return self._move(at, "authorization", "money", "shopify_payments", amount, card)

    def capture(self, at: datetime, amount: int) -> Change:
        """Take what was reserved."""
        parent = next(row for row in self.order.transactions if row.kind == "authorization")
        return self._move(at, "capture", "money", parent.gateway, amount, parent.card, parent.id)

    def void(self, at: datetime) -> Change:
        """Let a reservation go."""
        parent = next(row for row in self.order.transactions if row.kind == "authorization")
        return self._move(at, "void", "money", parent.gateway, parent.amount, parent.card, parent.id)

    def refund(
        self,
        at: datetime,
        note: str,
        units: Sequence[tuple[Line, int]],
        *,
        restock: bool,
        shipping: bool = False,
        extra: int = 0,
    ) -> list[Change]:
        """Give back units of lines, perhaps shipping, perhaps an extra amount, to the tenders the money came from."""
        order = self.order
        rows = [
            self._return_units(line, count, "return" if restock else "no_restock") for line, count in units if count
        ]
        given = order.shipping if shipping and order.shipping else None
        shipped, shipped_tax = (given.net - given.refunded, given.tax - given.refunded_tax) if given else (0, 0)
        if given:
            given.refunded, given.refunded_tax = given.refunded + shipped, given.refunded_tax + shipped_tax
        tax = sum(row.tax for row in rows) + shipped_tax
        money = sum(row.subtotal for row in rows) + shipped + extra + (0 if order.shop.taxes_included else tax)
        transactions = self._give_back(at, money)
        refund = Refund(order.next_id(), at, note, tuple(rows), shipped, shipped_tax, extra, tuple(transactions))
        order.refunds.append(refund)
        return [
            Change("refunded", refund, returned=money),
            *(Change("transaction", transaction) for transaction in transactions),
            Change("updated"),
        ]

    def edit_in(self, at: datetime, product: Product, quantity: int) -> list[Change]:
        """Add a new line to a placed order."""
        line = add_line(self.order, product, quantity)
        price_line(self.order, line)
        return self._edited(Edit(self.order.next_id(), at, additions=((line.id, quantity),)), line.net, line.tax)

    def edit_more(self, at: datetime, line: Line, units: int) -> list[Change]:
        """Raise the quantity of an undiscounted line."""
        before, before_tax = line.net, line.tax
        line.quantity += units
        price_line(self.order, line)
        edit = Edit(self.order.next_id(), at, additions=((line.id, units),))
        return self._edited(edit, line.net - before, line.tax - before_tax)

    def edit_out(self, at: datetime, line: Line, units: int) -> list[Change]:
        """Take units of a line out of an unpaid order again."""
        subtotal, taxes = line.worth(units, since=line.gone)
        edit = Edit(self.order.next_id(), at, removals=((line.id, units),), note="Out of stock")
        if self.kind == "shopify":
            row = RefundLine(self.order.next_id(), line, units, subtotal, tuple(taxes), "cancel")
            self.order.refunds.append(Refund(self.order.next_id(), at, edit.note, (row,), by_edit=True))
        line.removed += units
        return self._edited(edit, -subtotal, -sum(taxes))

    def cancel(self, at: datetime, reason: str) -> list[Change]:
        """Call the order off; money is given back, if any was taken, by a refund of its own."""
        self.order.cancelled_at, self.order.cancel_reason = at, reason
        return [Change("cancelled"), Change("updated")]

    def complete(self, at: datetime) -> list[Change]:
        """Hand the goods over."""
        self.order.completed_at = at
        return [Change("updated")]

    def _edited(self, edit: Edit, net: int, tax: int) -> list[Change]:
        self.order.edited = True
        total = net if self.order.shop.taxes_included else net + tax
        return [Change("edited", edit, total=total, tax=tax), Change("updated")]

    def _return_units(self, line: Line, units: int, restock: Literal["return", "no_restock"]) -> RefundLine:
        subtotal, taxes = line.worth(units, since=line.gone)
        line.refunded += units
        return RefundLine(self.order.next_id(), line, units, subtotal, tuple(taxes), restock)

    def _move(
        self,
        at: datetime,
        kind: Literal["sale", "authorization", "capture", "void"],
        tender: TenderKind,
        gateway: str,
        amount: int,
        card: str | None,
        parent_id: int | None = None,
    ) -> Change:
        order = self.order
        taken = kind in ("sale", "capture")
        charged = taken and gateway in CARD_GATEWAYS
        fee = half_up(amount * 29, 1000) + (30 if order.shop.currency.exponent else 0) if charged else 0
        row = Transaction(order.next_id(), kind, tender, gateway, amount, at, parent_id, fee, card)
        order.transactions.append(row)
        if gateway not in order.gateways:
            order.gateways.append(gateway)
        if taken:
            order.paid_at = at
        return Change("transaction", row, captured=amount if taken else 0)

    def _give_back(self, at: datetime, money: int) -> list[Transaction]:
        """Return money to cards before gift cards, never more to one tender than it gave."""
        order, rows = self.order, []
        taken = [row for row in order.transactions if row.kind in ("sale", "capture")]
        for parent in sorted(taken, key=lambda row: row.tender == "gift_card"):
            back = sum(row.amount for row in order.transactions if row.kind == "refund" and row.parent_id == parent.id)
            amount = min(money, parent.amount - back)
            if amount <= 0:
                continue
            row = Transaction(
                order.next_id(), "refund", parent.tender, parent.gateway, amount, at, parent.id, card=parent.card
            )
            order.transactions.append(row)
            rows.append(row)
            money -= amount
        if money:
            message = f"order {order.number}: {money} minor units more would be refunded than were ever paid"
            raise ValueError(message)
        return rows
