"""What a shop knows about one order at one moment, whatever the words its software uses for it on the wire.

Amounts are minor units. A line keeps what was sold, what an edit took out again and what was returned apart, because
the three mean different things to a bookkeeper and every channel mixes them differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.shops.pricing import TaxRate, cut
from sandbox.shops.shop import Region, Shop, TaxClass

TransactionKind = Literal["sale", "authorization", "capture", "void", "refund"]
TenderKind = Literal["money", "gift_card", "store_credit"]


@dataclass(frozen=True, slots=True)
class Product:
    """Something a shop sells. A missing SKU is an empty string."""

    id: int
    variant_id: int
    title: str
    variant_title: str | None
    sku: str
    price: int
    tax_class: TaxClass
    grams: int
    gift_card: bool = False


@dataclass(frozen=True, slots=True)
class Customer:
    """A buyer and the one address goods go to; a guest has no account with the shop."""

    id: int
    first_name: str
    last_name: str
    company: str | None
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    region: Region
    guest: bool = False

    @property
    def name(self) -> str:
        """First and last name as printed on a parcel."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Discount:
    """A price reduction as announced; what it came to is on the lines. `value` is a percentage or minor units."""

    title: str
    code: bool
    percentage: bool
    value: int
    shipping: bool = False


@dataclass(slots=True)
class Line:
    """One order line. `net` of discounts, in the shop's price terms (with tax where listed prices contain it)."""

    id: int
    product: Product
    unit: int
    quantity: int
    rates: tuple[TaxRate, ...]
    taxes: list[int]
    discounts: list[tuple[int, int]] = field(default_factory=list)
    removed: int = 0
    refunded: int = 0

    @property
    def gross(self) -> int:
        return self.unit * self.quantity

    @property
    def discount(self) -> int:
        return sum(amount for _, amount in self.discounts)

    @property
    def net(self) -> int:
        return self.gross - self.discount

    @property
    def tax(self) -> int:
        return sum(self.taxes)

    @property
    def gone(self) -> int:
        """Units an edit took out or a refund brought back."""
        return self.removed + self.refunded

    @property
    def current(self) -> int:
        return self.quantity - self.gone

    def worth(self, units: int, *, since: int) -> tuple[int, list[int]]:
        """Net amount and taxes of `units` units after the first `since`; consecutive parts add up to the line."""

        def part(whole: int) -> int:
            return cut(whole, since + units, self.quantity) - cut(whole, since, self.quantity)

        return part(self.net), [part(tax) for tax in self.taxes]


@dataclass(slots=True)
class Shipping:
    """The one shipping charge of an order, before `discount`; `refunded` and `refunded_tax` were given back."""

    id: int
    title: str
    price: int
    rates: tuple[TaxRate, ...]
    taxes: list[int]
    discount: int = 0
    discount_index: int = 0
    refunded: int = 0
    refunded_tax: int = 0

    @property
    def net(self) -> int:
        return self.price - self.discount

    @property
    def tax(self) -> int:
        return sum(self.taxes)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement, or promise, of money."""

    id: int
    kind: TransactionKind
    tender: TenderKind
    gateway: str
    amount: int
    at: datetime
    parent_id: int | None = None
    fee: int = 0
    card: str | None = None

    @property
    def moves_money(self) -> bool:
        return self.kind in ("sale", "capture", "refund")


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of one line that came back; `taxes` go with the line's rates."""

    id: int
    line: Line
    quantity: int
    subtotal: int
    taxes: tuple[int, ...]
    restock: Literal["return", "no_restock", "cancel"]

    @property
    def tax(self) -> int:
        return sum(self.taxes)


@dataclass(frozen=True, slots=True)
class Refund:
    """Goods, shipping or an amount given back. `extra` is money no line accounts for; `by_edit`: an edit's removal."""

    id: int
    at: datetime
    note: str
    lines: tuple[RefundLine, ...] = ()
    shipping: int = 0
    shipping_tax: int = 0
    extra: int = 0
    transactions: tuple[Transaction, ...] = ()
    by_edit: bool = False

    @property
    def money(self) -> int:
        return sum(transaction.amount for transaction in self.transactions)


@dataclass(frozen=True, slots=True)
class Edit:
    """One committed change of an order's lines: (line id, units)."""

    id: int
    at: datetime
    additions: tuple[tuple[int, int], ...] = ()
    removals: tuple[tuple[int, int], ...] = ()
    note: str = ""


@dataclass(slots=True)
class Order:
    """An order as it stands now. `version` counts its changes; `updated_at` is when the last one happened."""

    shop: Shop
    index: int
    id: int
    number: int
    scenario: str
    customer: Customer | None
    region: Region
    created_at: datetime
    updated_at: datetime
    lines: list[Line] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    shipping: Shipping | None = None
    tip: int = 0
    note: str | None = None
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    completed_at: datetime | None = None
    paid_at: datetime | None = None
    edited: bool = False
    version: int = 0
    ids_given: int = 0

    def next_id(self) -> int:
        """A number of this order's own for a line, refund or transaction; unique within the shop."""
        self.ids_given += 1
        return self.id * 100 + self.ids_given

    def money(self, *kinds: TransactionKind) -> int:
        """The sum of the transactions of some kinds."""
        return sum(transaction.amount for transaction in self.transactions if transaction.kind in kinds)

    @property
    def captured(self) -> int:
        return self.money("sale", "capture")

    @property
    def returned(self) -> int:
        return self.money("refund")

    def taxes(self) -> Iterator[tuple[TaxRate, int]]:
        """Every tax amount as sold, line by line and then shipping."""
        for line in self.lines:
            yield from zip(line.rates, line.taxes, strict=True)
        if self.shipping:
            yield from zip(self.shipping.rates, self.shipping.taxes, strict=True)

    def due(self) -> int:
        """What the customer owes in all: everything sold and not taken out by an edit, before any refund."""
        goods = tax = 0
        for line in self.lines:
            removed, removed_taxes = line.worth(line.removed, since=0)
            goods += line.net - removed
            tax += line.tax - sum(removed_taxes)
        if self.shipping:
            goods += self.shipping.net
            tax += self.shipping.tax
        return goods + self.tip + (0 if self.shop.taxes_included else tax)
