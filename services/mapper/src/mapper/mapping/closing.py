"""Sales order to invoice, shipment by shipment (section 9.5).

Where a rule lets the invoice wait for fulfilment, each shipment becomes an invoice of what was shipped. Shipping, order
discounts and extras stand on the first one, as far as a discount does not exceed it; tax stands on its lines, and what
a marketplace keeps of it goes with it. The last one closes the sales order and takes the cents that rounding left over,
so that together they are the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.messages.orders import (
    FulfillmentStatus,
    Order,
    OrderDiscount,
    OrderLine,
    ShippingLine,
    Surcharge,
    TaxLine,
)
from common.money import ZERO, quantize
from mapper.mapping.facts import RefundFact, remitted_part
from mapper.mapping.history import History

Shipment = Mapping[str, Decimal]
"""Order line's external id → quantity."""


@dataclass(frozen=True, slots=True)
class Part:
    """One shipment as an order of its own. `is_last`: nothing is left to invoice."""

    order: Order
    is_last: bool


def shipments(order: Order, history: History, back: Shipment) -> list[Shipment] | None:
    """Shipments invoiced before, and the one that is new. None where the order is invoiced as a whole.

    What came `back` unshipped is invoiced as well, once anything is: its refund takes off the books what has to be in
    them.
    """
    if history.invoiced and not history.shipments:
        return None
    done = order.fulfillment_status is FulfillmentStatus.FULFILLED
    if done and not history.shipments:
        return None
    taken: dict[str, Decimal] = {}
    for earlier in history.shipments:
        for line_id, quantity in earlier.items():
            taken[line_id] = taken.get(line_id, ZERO) + quantity
    sent = {line.external_id: line.quantity if done else line.fulfilled_quantity or ZERO for line in order.lines}
    is_begun = bool(history.shipments) or any(sent.values())
    new: dict[str, Decimal] = {}
    for line in order.lines:
        due = max(sent[line.external_id], back.get(line.external_id, ZERO)) if is_begun else ZERO
        rest = min(due, line.quantity) - taken.get(line.external_id, ZERO)
        if rest > 0:
            new[line.external_id] = rest
    everything = [*history.shipments, *([new] if new else [])]
    if len(everything) == 1 and all(everything[0].get(one.external_id, ZERO) >= one.quantity for one in order.lines):
        return None
    return everything


def quantities_back(refunds: Iterable[RefundFact]) -> Shipment:
    """Order line's external id → quantity that the given refunds took back."""
    quantities: dict[str, Decimal] = {}
    for fact in refunds:
        for line in fact.refund.lines:
            quantities[line.line_external_id] = quantities.get(line.line_external_id, ZERO) + line.quantity
    return quantities


def parts_of(order: Order, shipped: Sequence[Shipment]) -> list[Part]:
    """One order per shipment. Amounts are differences of rounded running totals, so no cent is lost or made."""
    before: dict[str, Decimal] = {}
    parts: list[Part] = []
    total_before = tax_before = kept_before = ZERO
    discounts = order.discounts
    for index, shipment in enumerate(shipped):
        after = dict(before)
        for line_id, quantity in shipment.items():
            after[line_id] = after.get(line_id, ZERO) + quantity
        is_last = all(after.get(line.external_id, ZERO) >= line.quantity for line in order.lines)
        part = _part(order, before, after, is_first=index == 0)
        kept = remitted_part(order, tax_before + part.tax_total) - kept_before
        taken = discounts if is_last else _up_to(_worth(part), discounts)
        discounts = _less(discounts, taken)
        total = part.total - sum((one.amount for one in taken), ZERO)
        part = part.model_copy(update={"discounts": taken, "tax_remitted": kept, "total": total})
        if is_last:
            rest = {
                "total": order.total - total_before,
                "tax_total": order.tax_total - tax_before,
                "tax_remitted": order.tax_remitted - kept_before,
            }
            part = part.model_copy(update=rest)
        total_before += part.total
        tax_before += part.tax_total
        kept_before += part.tax_remitted
        parts.append(Part(part, is_last))
        before = after
    return parts


def _worth(part: Order) -> Decimal:
    """What a part charges for goods, shipping and surcharges, before any discount of the order's."""
    return part.total - part.tax_total - part.tips


def _up_to(worth: Decimal, discounts: Sequence[OrderDiscount]) -> tuple[OrderDiscount, ...]:
    """Of each discount what a part can bear: no invoice is less than nothing."""
    taken: list[OrderDiscount] = []
    for discount in discounts:
        amount = min(discount.amount, worth)
        worth -= amount
        taken.append(discount.model_copy(update={"amount": amount}))
    return tuple(taken)


def _less(discounts: Sequence[OrderDiscount], taken: Sequence[OrderDiscount]) -> tuple[OrderDiscount, ...]:
    return tuple(
        one.model_copy(update={"amount": one.amount - gone.amount})
        for one, gone in zip(discounts, taken, strict=True)
        if one.amount != gone.amount
    )


def _part(order: Order, before: Shipment, after: Shipment, *, is_first: bool) -> Order:
    """What was shipped from one point to the next, with its tax and without any discount of the order's."""
    lines = tuple(
        _share(line, before.get(line.external_id, ZERO), after[line.external_id], order.currency)
        for line in order.lines
        if after.get(line.external_id, ZERO) > before.get(line.external_id, ZERO)
    )
    shipping = order.shipping_lines if is_first else ()
    surcharges = order.surcharges if is_first else ()
    tips = order.tips if is_first else ZERO
    charged: list[OrderLine | ShippingLine | Surcharge] = [*lines, *shipping, *surcharges]
    tax_total = sum((tax.amount for one in charged for tax in one.taxes), ZERO)
    return order.model_copy(
        update={
            "lines": lines,
            "shipping_lines": shipping,
            "surcharges": surcharges,
            "tips": tips,
            "taxes": (),
            "tax_total": tax_total,
            "total": tax_total + tips + sum((one.amount for one in charged), ZERO),
        }
    )


def _share(line: OrderLine, before: Decimal, after: Decimal, currency: str) -> OrderLine:
    def between(amount: Decimal) -> Decimal:
        return quantize(amount * after / line.quantity, currency) - quantize(amount * before / line.quantity, currency)

    taxes = tuple(
        TaxLine(title=tax.title, amount=between(tax.amount), rate=tax.rate, jurisdiction=tax.jurisdiction)
        for tax in line.taxes
    )
    return line.model_copy(
        update={
            "quantity": after - before,
            "amount": between(line.amount),
            "discount": between(line.discount),
            "taxes": taxes,
        }
    )
