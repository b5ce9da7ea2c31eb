"""What the books must say: added up from what happened, never from what was sent.

All amounts are Decimals in the shop's currency; days are calendar days of a time zone the caller names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sandbox.shops.clerk import Change, Moment
from sandbox.shops.shop import Kind, Shop
from sandbox.shops.state import Refund, TenderKind, Transaction


@dataclass(slots=True)
class ExpectedRefund:
    """One refund, in minor units. `goods` and `shipping` are without tax; `extra` is money that no line stands for."""

    id: str
    at: datetime
    money: int
    goods: int
    shipping: int
    tax: int
    extra: int


@dataclass(slots=True)
class ExpectedOrder:
    """One order, in minor units.

    `total` is what was sold, after edits and before refunds; `tax` is the tax in it. A cancelled order that was never
    paid keeps its total: it is to be voided, not refunded.
    """

    id: str
    number: int
    scenario: str
    placed_at: datetime
    total: int = 0
    tax: int = 0
    cancelled: bool = False
    gift_cards_sold: int = 0
    captured: dict[tuple[str, TenderKind], int] = field(default_factory=dict)
    refunds: list[ExpectedRefund] = field(default_factory=list)
    fees: int = 0

    @property
    def paid(self) -> int:
        return sum(self.captured.values())

    @property
    def refunded(self) -> int:
        return sum(refund.money for refund in self.refunds)

    @property
    def net(self) -> int:
        """The total less what was refunded."""
        return self.total - self.refunded

    @property
    def balance(self) -> int:
        """What is still owed, before refunds."""
        return self.total - self.paid


@dataclass(slots=True)
class DayTotals:
    """What one day brought, in minor units."""

    sold: int = 0
    tax: int = 0
    captured: int = 0
    refunded: int = 0


class Expectation:
    """The sum of a part of a shop's life; `orders` is keyed by the channel's order id."""

    def __init__(self, kind: Kind, shop: Shop) -> None:
        self.kind, self.shop = kind, shop
        self.orders: dict[str, ExpectedOrder] = {}
        self._changes: list[tuple[datetime, Change]] = []

    def add(self, moment: Moment) -> None:
        """Count one moment."""
        key = str(moment.order.id)
        if key not in self.orders:
            self.orders[key] = ExpectedOrder(key, moment.order.number, moment.order.scenario, moment.at)
            self.orders[key].gift_cards_sold = sum(
                line.product.price * line.quantity for line in moment.order.lines if line.product.gift_card
            )
        for change in moment.changes:
            self._apply(self.orders[key], change)
            self._changes.append((moment.at, change))

    def by_day(self, zone: tzinfo | None = None) -> dict[date, DayTotals]:
        """Totals per calendar day of a time zone (default: the shop's own); an edit counts on the day it was made."""
        days: dict[date, DayTotals] = defaultdict(DayTotals)
        for at, change in self._changes:
            day = days[at.astimezone(zone or self.shop.zone).date()]
            day.sold += change.total
            day.tax += change.tax
            day.captured += change.captured
            day.refunded += change.returned
        return dict(sorted(days.items()))

    def totals(self) -> dict[str, Decimal]:
        """The sums over all orders: total, tax, paid, refunded, net, balance, gift cards sold and redeemed."""
        rows = self.orders.values()
        sums = {
            "total": sum(row.total for row in rows),
            "tax": sum(row.tax for row in rows),
            "paid": sum(row.paid for row in rows),
            "refunded": sum(row.refunded for row in rows),
            "net": sum(row.net for row in rows),
            "balance": sum(row.balance for row in rows),
            "gift_cards_sold": sum(row.gift_cards_sold for row in rows),
            "gift_cards_redeemed": sum(
                amount for row in rows for (_, tender), amount in row.captured.items() if tender == "gift_card"
            ),
        }
        return {name: self.money(amount) for name, amount in sums.items()}

    def money(self, minor: int) -> Decimal:
        """An amount of minor units in the shop's currency."""
        return self.shop.currency.decimal(minor)

    def as_json(self) -> dict[str, Any]:
        """The whole expectation with amounts as decimal strings, for a program in another process."""
        text = self.shop.currency.text
        return {
            "kind": self.kind,
            "shop": self.shop.host(self.kind),
            "currency": self.shop.currency.code,
            "totals": {name: str(amount) for name, amount in self.totals().items()},
            "days": {
                day.isoformat(): {
                    "sold": text(row.sold),
                    "tax": text(row.tax),
                    "captured": text(row.captured),
                    "refunded": text(row.refunded),
                }
                for day, row in self.by_day().items()
            },
            "orders": {key: _order_json(row, text) for key, row in self.orders.items()},
        }

    def _apply(self, row: ExpectedOrder, change: Change) -> None:
        row.total += change.total
        row.tax += change.tax
        row.cancelled = row.cancelled or change.what == "cancelled"
        match change.subject:
            case Transaction() as paid if change.captured:
                key = (paid.gateway, paid.tender)
                row.captured[key] = row.captured.get(key, 0) + change.captured
                row.fees += paid.fee
            case Refund() as refund if change.what == "refunded":
                row.refunds.append(self._refund(refund, change))
            case _:
                pass

    def _refund(self, refund: Refund, change: Change) -> ExpectedRefund:
        tax = sum(line.tax for line in refund.lines) + refund.shipping_tax
        goods, shipping = sum(line.subtotal for line in refund.lines), refund.shipping
        if self.shop.taxes_included:
            goods, shipping = goods - sum(line.tax for line in refund.lines), shipping - refund.shipping_tax
        return ExpectedRefund(str(refund.id), refund.at, change.returned, goods, shipping, tax, refund.extra)


def _order_json(row: ExpectedOrder, text: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "scenario": row.scenario,
        "placed_at": row.placed_at.isoformat(),
        "cancelled": row.cancelled,
        "total": text(row.total),
        "tax": text(row.tax),
        "paid": text(row.paid),
        "refunded": text(row.refunded),
        "net": text(row.net),
        "balance": text(row.balance),
        "gift_cards_sold": text(row.gift_cards_sold),
        "captured": [
            {"gateway": gateway, "tender": tender, "amount": text(amount)}
            for (gateway, tender), amount in row.captured.items()
        ],
        "refunds": [
            {
                "id": refund.id,
                "at": refund.at.isoformat(),
                "money": text(refund.money),
                "goods": text(refund.goods),
                "shipping": text(refund.shipping),
                "tax": text(refund.tax),
                "extra": text(refund.extra),
            }
            for refund in row.refunds
        ],
    }
