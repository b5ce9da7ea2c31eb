"""Lines, shipping, discounts and taxes of a Shopify order, net of tax. Pure.

Shopify spreads a fixed reduction of the whole order over the lines. It is put back together here, because to the
books it is one discount; every other reduction stays on its line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from common.messages.orders import OrderDiscount, OrderLine, ShippingLine, Surcharge, TaxLine
from common.money import ZERO, prorate, quantize
from ingest.channels.shopify.money import Book
from ingest.channels.shopify.refunds import Removal
from ingest.channels.shopify.wire import (
    ShopifyAllocation,
    ShopifyLine,
    ShopifyOrder,
    ShopifyShippingLine,
    ShopifyTaxLine,
)
from ingest.errors import NormalizationError
from ingest.text import identifier, short
from ingest.totals import net_share, plain, sum_amounts, sum_taxes, unit_price


@dataclass(slots=True)
class Sold:
    """What an order sold, as it stands after edits."""

    lines: list[OrderLine] = field(default_factory=list)
    shipping: list[ShippingLine] = field(default_factory=list)
    surcharges: list[Surcharge] = field(default_factory=list)
    shares: dict[int, Decimal] = field(default_factory=dict)
    """Discount application → what it took off the lines, net, where it is one discount on the whole order."""
    allocated: Decimal = ZERO
    """All reductions that the channel put on lines, as stated (gross where prices contain tax)."""
    tips: Decimal = ZERO
    has_tip_line: bool = False


class LineReader:
    """Reads everything an order sold."""

    def __init__(self, order: ShopifyOrder, book: Book, removed: Mapping[str, Removal]) -> None:
        self._order = order
        self._book = book
        self._removed = removed
        self._included = bool(order.taxes_included)
        applications = order.discount_applications or ()
        self._whole_order = {index for index, item in enumerate(applications) if item.on_whole_order}
        self._zero = quantize(ZERO, book.currency)

    def read(self) -> Sold:
        sold = Sold(allocated=self._zero, tips=self._zero)
        for position, line in enumerate(self._order.line_items):
            self._line(line, f"line_items[{position}]", sold)
        for position, shipping in enumerate(self._order.shipping_lines or ()):
            if not shipping.is_removed:
                sold.shipping.append(self._shipping(shipping, position, sold))
        self._extra_charges(sold)
        return sold

    def _line(self, line: ShopifyLine, place: str, sold: Sold) -> None:
        book, currency = self._book, self._book.currency
        price = book.read(line.price, line.price_set, f"{place}.price")
        gross = quantize(price * line.quantity, currency)
        own, shared = self._reductions(line, place)
        sold.allocated += own + sum_amounts(shared.values())
        taxes = self._taxes(line.tax_lines, f"{place}.tax_lines")
        tax = sum_taxes(taxes)
        if self._included:
            self._require_tax_lines(line, place)
            charged = gross - own - sum_amounts(shared.values())
            rate = sum((row.rate or ZERO for row in line.tax_lines or ()), ZERO)
            own = self._net(own, charged, tax, rate)
            shared = {index: self._net(part, charged, tax, rate) for index, part in shared.items()}
            gross = charged - tax + own + sum_amounts(shared.values())
        amount, quantity = gross - own, line.quantity
        removal = self._removed.get(line.id)
        if removal is not None and quantity:
            left = quantity - removal.quantity
            kept_shares = {i: quantize(part * left / quantity, currency) for i, part in shared.items()}
            kept_own = quantize(own * left / quantity, currency)
            # What the removal was worth is stated after discounts, so the whole-order share comes on top of it.
            amount -= removal.net + sum_amounts(shared.values()) - sum_amounts(kept_shares.values())
            taxes = _reduce(taxes, removal.tax, currency)
            own, shared, quantity = kept_own, kept_shares, left
        for index, part in shared.items():
            sold.shares[index] = sold.shares.get(index, self._zero) + part
        if line.tip is not None:
            sold.tips += amount
            sold.has_tip_line = True
        elif quantity or amount:
            sold.lines.append(self._order_line(line, quantity, amount, own, taxes))
        self._duties(line, place, sold)

    def _order_line(
        self, line: ShopifyLine, quantity: Decimal, amount: Decimal, discount: Decimal, taxes: tuple[TaxLine, ...]
    ) -> OrderLine:
        fulfilled = quantity if line.fulfillment_status == "fulfilled" else None
        if line.fulfillment_status == "partial" and line.fulfillable_quantity is not None:
            fulfilled = max(quantity - line.fulfillable_quantity, ZERO)
        return OrderLine(
            external_id=identifier(line.id),
            sku=short(line.sku),
            name=short(line.name or line.title),
            quantity=plain(quantity),
            unit_price=unit_price(amount + discount, quantity),
            amount=amount,
            discount=discount,
            taxes=taxes,
            is_gift_card=bool(line.gift_card),
            product_id=short(line.product_id),
            variant_id=short(line.variant_id),
            vendor=short(line.vendor),
            fulfilled_quantity=None if fulfilled is None else plain(fulfilled),
        )

    def _shipping(self, line: ShopifyShippingLine, position: int, sold: Sold) -> ShippingLine:
        place = f"shipping_lines[{position}]"
        gross = self._book.read(line.price, line.price_set, f"{place}.price")
        discount = (
            sum_amounts(
                self._book.read(item.amount, item.amount_set, f"{place}.discount_allocations")
                for item in line.discount_allocations or ()
            )
            + self._zero
        )
        sold.allocated += discount
        taxes = self._taxes(line.tax_lines, f"{place}.tax_lines")
        amount = gross - discount
        if self._included:
            tax = sum_taxes(taxes)
            rate = sum((row.rate or ZERO for row in line.tax_lines or ()), ZERO)
            discount = self._net(discount, amount, tax, rate)
            amount -= tax
        return ShippingLine(
            external_id=identifier(line.id or f"{self._order.id}:shipping:{position}"),
            title=short(line.title),
            amount=amount,
            discount=discount,
            taxes=taxes,
        )

    def _reductions(self, line: ShopifyLine, place: str) -> tuple[Decimal, dict[int, Decimal]]:
        """Reductions of this line alone, and its shares in reductions of the whole order."""
        allocations: Iterable[ShopifyAllocation] = line.discount_allocations or ()
        own, shared = self._zero, dict[int, Decimal]()
        if not line.discount_allocations:
            return self._book.find_or_zero(
                line.total_discount, line.total_discount_set, f"{place}.total_discount"
            ), shared
        for item in allocations:
            part = self._book.read(item.amount, item.amount_set, f"{place}.discount_allocations")
            if item.discount_application_index in self._whole_order:
                index = item.discount_application_index
                shared[index] = shared.get(index, self._zero) + part
            else:
                own += part
        return own, shared

    def _extra_charges(self, sold: Sold) -> None:
        order, book = self._order, self._book
        if not any(item.external_id.startswith("duty:") for item in sold.surcharges) and not order.duties_included:
            duties = book.find_or_zero(None, order.original_total_duties_set, "original_total_duties_set")
            if duties:
                sold.surcharges.append(Surcharge(external_id="duties", title="Duties", amount=duties))
        fees = book.find_or_zero(None, order.original_total_additional_fees_set, "original_total_additional_fees_set")
        if fees:
            sold.surcharges.append(Surcharge(external_id="fees", title="Additional fees", amount=fees))
        if not sold.has_tip_line:
            sold.tips += book.find_or_zero(order.total_tip_received, order.total_tip_received_set, "total_tip_received")

    def _duties(self, line: ShopifyLine, place: str, sold: Sold) -> None:
        if self._order.duties_included:
            return
        for position, duty in enumerate(line.duties or ()):
            bag = duty.price_set or {"shop_money": duty.shop_money, "presentment_money": duty.presentment_money}
            amount = self._book.read(duty.price, bag, f"{place}.duties")
            taxes = self._taxes(duty.tax_lines, f"{place}.duties.tax_lines")
            sold.surcharges.append(
                Surcharge(
                    external_id=identifier(f"duty:{line.id}:{position}"), title="Duties", amount=amount, taxes=taxes
                )
            )

    def _taxes(self, rows: Iterable[ShopifyTaxLine] | None, place: str) -> tuple[TaxLine, ...]:
        return tuple(
            TaxLine(
                title=short(row.title) or "Tax",
                amount=self._book.read(row.price, row.price_set, f"{place}.price"),
                rate=None if row.rate is None else plain(row.rate),
            )
            for row in rows or ()
        )

    def _net(self, part: Decimal, charged: Decimal, tax: Decimal, rate: Decimal) -> Decimal:
        if not part:
            return part
        if charged:
            return net_share(part, charged, tax, self._book.currency)
        return quantize(part / (1 + rate), self._book.currency)

    def _require_tax_lines(self, line: ShopifyLine, place: str) -> None:
        if line.tax_lines is None and self._order.total_tax:
            raise NormalizationError(
                f"{place}.tax_lines",
                None,
                "fetch the order with a current API version, which states tax per line",
                code="DETAILS_MISSING",
                text="prices contain tax, and how much of it each line contains is not stated",
            )


def _reduce(taxes: tuple[TaxLine, ...], removed: Decimal, currency: str) -> tuple[TaxLine, ...]:
    if not removed or not taxes:
        return taxes
    shares = prorate(removed, [tax.amount for tax in taxes], currency)
    return tuple(
        tax.model_copy(update={"amount": tax.amount - share}) for tax, share in zip(taxes, shares, strict=True)
    )


def order_taxes(order: ShopifyOrder, book: Book, sold: Sold, *, edited: bool) -> tuple[TaxLine, ...]:
    """Tax by rate as the channel sums it; after an edit, or where it does not, as the lines sum it."""
    stated = order.tax_lines or ()
    if stated and not edited:
        return tuple(
            TaxLine(
                title=short(row.title) or "Tax",
                amount=book.read(row.price, row.price_set, f"tax_lines[{position}].price"),
                rate=None if row.rate is None else plain(row.rate),
            )
            for position, row in enumerate(stated)
        )
    sums: dict[tuple[str, Decimal | None], Decimal] = {}
    groups = [line.taxes for line in sold.lines]
    groups += [line.taxes for line in sold.shipping]
    groups += [item.taxes for item in sold.surcharges]
    for tax in (tax for taxes in groups for tax in taxes):
        key = (tax.title, tax.rate)
        sums[key] = sums.get(key, ZERO) + tax.amount
    found = tuple(TaxLine(title=title, rate=rate, amount=total) for (title, rate), total in sums.items())
    total = book.find_or_zero(order.total_tax, order.total_tax_set, "total_tax")
    if not found and total and not edited:
        return (TaxLine(title="Tax", amount=total),)
    return found


def order_discounts(order: ShopifyOrder, book: Book, sold: Sold) -> tuple[OrderDiscount, ...]:
    """Reductions of the whole order, and what the channel says it took off without saying where."""
    applications = order.discount_applications or ()
    found = [
        OrderDiscount(
            code=short(applications[index].code),
            title=short(applications[index].title or applications[index].description or applications[index].code),
            amount=total,
        )
        for index, total in sorted(sold.shares.items())
        if total
    ]
    stated = book.find_or_zero(order.total_discounts, order.total_discounts_set, "total_discounts")
    rest = stated - sold.allocated
    if rest > 0 and not applications:
        found.append(OrderDiscount(title="Discount", amount=rest))
    return tuple(found)
