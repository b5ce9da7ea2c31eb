"""Sales order to invoice, shipment by shipment (section 9.5).

Where a rule lets the invoice wait for fulfilment, each shipment becomes an invoice of what was shipped. Shipping, order
discounts and extras stand on the first one, tax on its lines; the last one closes the sales order and takes the cents
that rounding left over, so that together they are the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.messages.orders import FulfillmentStatus, Order, OrderLine, ShippingLine, Surcharge, TaxLine
from common.money import ZERO, quantize
from mapper.mapping.history import History

Shipment = Mapping[str, Decimal]
"""Order line's external id → quantity."""


@dataclass(frozen=True, slots=True)
class Part:
    """One shipment as an order of its own. `is_last`: nothing is left to invoice."""

    order: Order
    is_last: bool


def shipments(order: Order, history: History) -> list[Shipment] | None:
    """Shipments invoiced before, and the one that is new. None where the order is invoiced as a whole."""
    if history.invoiced and not history.shipments:
        return None
    done = order.fulfillment_status is FulfillmentStatus.FULFILLED
    if done and not history.shipments:
        return None
    taken: dict[str, Decimal] = {}
    for earlier in history.shipments:
        for line_id, quantity in earlier.items():
            taken[line_id] = taken.get(line_id, ZERO) + quantity
    new: dict[str, Decimal] = {}
    for line in order.lines:
        shipped = line.quantity if done else min(line.fulfilled_quantity or ZERO, line.quantity)
        rest = shipped - taken.get(line.external_id, ZERO)
        if rest > 0:
            new[line.external_id] = rest
    everything = [*history.shipments, *([new] if new else [])]
    if len(everything) == 1 and all(everything[0].get(one.external_id, ZERO) >= one.quantity for one in order.lines):
        return None
    return everything


def parts_of(order: Order, shipped: Sequence[Shipment]) -> list[Part]:
    """One order per shipment. Amounts are differences of rounded running totals, so no cent is lost or made."""
    before: dict[str, Decimal] = {}
    parts: list[Part] = []
    total_before = tax_before = ZERO
    for index, shipment in enumerate(shipped):
        after = dict(before)
        for line_id, quantity in shipment.items():
            after[line_id] = after.get(line_id, ZERO) + quantity
        is_last = all(after.get(line.external_id, ZERO) >= line.quantity for line in order.lines)
        part = _part(order, before, after, is_first=index == 0)
        if is_last:
            rest = {"total": order.total - total_before, "tax_total": order.tax_total - tax_before}
            part = part.model_copy(update=rest)
        total_before += part.total
        tax_before += part.tax_total
        parts.append(Part(part, is_last))
        before = after
    return parts


def _part(order: Order, before: Shipment, after: Shipment, *, is_first: bool) -> Order:
    lines = tuple(
        _share(line, before.get(line.external_id, ZERO), after[line.external_id], order.currency)
        for line in order.lines
        if after.get(line.external_id, ZERO) > before.get(line.external_id, ZERO)
    )
    shipping = order.shipping_lines if is_first else ()
    surcharges = order.surcharges if is_first else ()
    discounts = order.discounts if is_first else ()
    tips = order.tips if is_first else ZERO
    charged: list[OrderLine | ShippingLine | Surcharge] = [*lines, *shipping, *surcharges]
    tax_total = sum((tax.amount for one in charged for tax in one.taxes), ZERO)
    total = tax_total + tips + sum((one.amount for one in charged), ZERO)
    total -= sum((discount.amount for discount in discounts), ZERO)
    return order.model_copy(
        update={
            "lines": lines,
            "shipping_lines": shipping,
            "surcharges": surcharges,
            "discounts": discounts,
            "tips": tips,
            "taxes": (),
            "tax_total": tax_total,
            "tax_remitted": order.tax_remitted if is_first else ZERO,
            "total": total,
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
