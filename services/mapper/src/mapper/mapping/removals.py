"""An order whose items were taken off before it was paid, as it should be receipted (section 11, rule 7)."""

from decimal import Decimal

from common.messages.orders import Order, OrderDiscount, OrderLine, Refund, ShippingLine
from common.money import ZERO, quantize
from mapper.mapping.facts import Facts, RefundNature, remitted_part
from mapper.mapping.tax import charged_taxes, scaled_taxes


def without_removed(order: Order, facts: Facts) -> Order:
    """The order less what refunds without money took off it; the same order where nothing was."""
    for fact in facts.refunds:
        if fact.nature is RefundNature.REMOVAL:
            order = _less(order, fact.refund, fact.value)
    return order


def _less(order: Order, refund: Refund, value: Decimal) -> Order:
    lines = _remaining_lines(order, refund)
    adjustments = sum((one.amount + one.tax for one in refund.adjustments), ZERO)
    discount_back = _order_discount_back(order, refund)
    discounts = order.discounts
    if adjustments or discount_back:
        # A stated adjustment changes what is owed without being goods; it joins the order's own discounts.
        change = adjustments - discount_back
        discounts = (*discounts, OrderDiscount(title="Adjustment", amount=change)) if change else discounts
    tax_total = order.tax_total - refund.tax
    return order.model_copy(
        update={
            "lines": lines,
            "shipping_lines": _remaining_shipping(order, refund.shipping),
            "discounts": discounts,
            "taxes": tuple(scaled_taxes(charged_taxes(order), tax_total, order.currency)),
            "tax_total": tax_total,
            "tax_remitted": order.tax_remitted - remitted_part(order, refund.tax),
            "total": order.total - value,
        }
    )


def _remaining_lines(order: Order, refund: Refund) -> tuple[OrderLine, ...]:
    remaining: list[OrderLine] = []
    removed = {line.line_external_id: line for line in refund.lines}
    for line in order.lines:
        gone = removed.get(line.external_id)
        if gone is None:
            remaining.append(line)
            continue
        quantity = line.quantity - gone.quantity
        own = _own_discount(line, gone.quantity, order.currency)
        amount = line.amount - (gone.amount + max(gone.discount - own, ZERO))
        if quantity > 0 or amount:
            remaining.append(
                line.model_copy(
                    update={
                        "quantity": max(quantity, ZERO),
                        "amount": amount,
                        "discount": line.discount - min(own, gone.discount),
                    }
                )
            )
    return tuple(remaining)


def _own_discount(line: OrderLine, quantity: Decimal, currency: str) -> Decimal:
    if not line.discount or not line.quantity:
        return ZERO
    return quantize(line.discount * quantity / line.quantity, currency)


def _order_discount_back(order: Order, refund: Refund) -> Decimal:
    """The share of the order-level discount that leaves with the removed lines."""
    sold = {line.external_id: line for line in order.lines}
    total = ZERO
    for gone in refund.lines:
        line = sold.get(gone.line_external_id)
        own = _own_discount(line, gone.quantity, order.currency) if line is not None else ZERO
        total += max(gone.discount - own, ZERO)
    return total


def _remaining_shipping(order: Order, back: Decimal) -> tuple[ShippingLine, ...]:
    remaining: list[ShippingLine] = []
    for line in order.shipping_lines:
        taken = min(line.amount, back)
        back -= taken
        remaining.append(line.model_copy(update={"amount": line.amount - taken}))
    return tuple(remaining)
