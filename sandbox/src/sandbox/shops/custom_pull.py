"""The older pull envelope of a custom store: `orders`, `cancelledOrders` (which are refunds) and `payments`.

Names are in camelCase, amounts are JSON numbers, times are UTC. Line prices are given without and with tax, per unit,
before the line's discount; a line is taxable when the two differ.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sandbox.shops.custom_wire import order_status
from sandbox.shops.pricing import cut, taxes_on
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.state import Customer, Line, Order, Refund


def pulled_json(order: Order) -> Json:
    """One order's share of the envelope."""
    money = Money(order.shop.currency)
    payments = [
        {
            "id": row.id,
            "orderNumber": str(order.number),
            "paymentAmount": money.number(row.amount),
            "paymentDate": _utc(row.at),
            "modifiedDate": _utc(row.at),
            "creditCardName": row.card or row.gateway,
            "paymentType": row.gateway,
            "paymentStatus": "paid",
            "referenceNumber": f"pay_{row.id}",
        }
        for row in order.transactions
        if row.kind in ("sale", "capture")
    ]
    cancelled = [_refund(order, refund, count, money) for count, refund in enumerate(order.refunds, start=1)]
    return {"orders": [_order(order, money)], "cancelledOrders": cancelled, "payments": payments}


def _order(order: Order, money: Money) -> Json:
    lines = [_line(order, line, money) for line in order.lines if line.quantity > line.removed]
    included = order.shop.taxes_included
    tax = order.shipping.tax if order.shipping else 0
    shipping = order.shipping.net - (tax if included else 0) if order.shipping else 0
    tax_all = tax + sum(sum(_kept(line)[2]) for line in order.lines)
    total = order.due()
    return {
        **_head(order, str(order.number)),
        "orderDetails": lines,
        "discounts": [{"name": row.title, "code": row.title, "amount": 0} for row in order.discounts],
        "shippingMethod": order.shipping.title if order.shipping else "",
        "shippingExclTax": money.number(shipping),
        "shippingInclTax": money.number(shipping + tax),
        "paymentMethodAdditionalFeeExclTax": money.number(order.tip),
        "total": money.number(total),
        "totalInclTax": money.number(total),
        "totalExclTax": money.number(total - tax_all),
        "totalTax": money.number(tax_all),
        "amountPaid": money.number(order.captured),
        "balanceDue": money.number(total - order.captured),
        "totalRefund": money.number(order.returned),
        "totalMerchantFees": money.number(sum(row.fee for row in order.transactions)),
        "paidDate": _utc(order.paid_at) if order.paid_at else None,
    }


def _refund(order: Order, refund: Refund, count: int, money: Money) -> Json:
    """A refund as an order of its own that names the sale it belongs to; amounts are positive."""
    included = order.shop.taxes_included
    tax = refund.shipping_tax + sum(row.tax for row in refund.lines)
    shipping = refund.shipping - (refund.shipping_tax if included else 0)
    details = []
    for row in refund.lines:
        net = row.subtotal - (row.tax if included else 0)
        detail = _detail(row.line, row.quantity, net, row.tax, 0, 0, money)
        details.append({**detail, "restock": row.restock == "return"})
    return {
        **_head(order, f"{order.number}-R{count}"),
        "parentOrderNumber": str(order.number),
        "creationDate": _utc(refund.at),
        "modifiedDate": _utc(refund.at),
        "orderDetails": details,
        "discounts": [],
        "shippingExclTax": money.number(shipping),
        "shippingInclTax": money.number(shipping + refund.shipping_tax),
        "partialRefund": money.number(refund.extra),
        "total": money.number(refund.money),
        "totalInclTax": money.number(refund.money),
        "totalExclTax": money.number(refund.money - tax),
        "totalTax": money.number(tax),
        "note": refund.note,
    }


def _head(order: Order, number: str) -> Json:
    address = _address(order.customer)
    return {
        "id": order.id,
        "orderNumber": number,
        "orderStatus": order_status(order),
        "creationDate": _utc(order.created_at),
        "modifiedDate": _utc(order.updated_at),
        "currencyCode": order.shop.currency.code,
        "isTaxInclusive": order.shop.taxes_included,
        "storeName": order.shop.name,
        "storeType": "Custom",
        "creditCardName": next((row.card or row.gateway for row in order.transactions if row.moves_money), ""),
        "paymentGatewayNames": list(order.gateways),
        "billingAddress": address,
        "shippingAddress": address if order.shipping else None,
        "tags": [],
    }


def _kept(line: Line) -> tuple[int, int, list[int]]:
    net, taxes = line.worth(line.removed, since=0)
    return line.quantity - line.removed, line.net - net, [a - b for a, b in zip(line.taxes, taxes, strict=True)]


def _line(order: Order, line: Line, money: Money) -> Json:
    """A line at its list price and, apart from it, its discount; both without and with tax."""
    units, net, taxes = _kept(line)
    gross = line.gross - cut(line.gross, line.removed, line.quantity)
    full = sum(taxes_on(gross, line.rates, order.shop.taxes_included)) if line.discounts else sum(taxes)
    if order.shop.taxes_included:
        gross, net = gross - full, net - sum(taxes)
    return _detail(line, units, gross, full, gross - net, full - sum(taxes), money)


def _detail(line: Line, units: int, gross: int, tax: int, off: int, off_tax: int, money: Money) -> Json:
    """`gross` and `tax` belong to all units, `off` is the discount on all of them; prices are per unit."""
    return {
        "id": line.id,
        "sku": line.product.sku,
        "name": line.product.title,
        "quantity": units,
        "priceExclTax": _unit_price(gross, units, money),
        "priceInclTax": _unit_price(gross + tax, units, money),
        "discountExclTax": money.number(off),
        "discountInclTax": money.number(off + off_tax),
        "hasTax": tax > 0,
        "taxCode": "+".join(rate.title for rate in line.rates),
        "isShipping": False,
    }


def _unit_price(amount: int, units: int, money: Money) -> float | int:
    """A price per unit with six places more than the currency, so that units times price is the amount again."""
    price = Decimal(money.text(amount)) / units
    rounded = round(price, 8)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _address(customer: Customer | None) -> Json | None:
    if customer is None:
        return None
    return {
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "fullName": customer.name,
        "company": customer.company or "",
        "address1": customer.street,
        "address2": "",
        "city": customer.city,
        "regionName": customer.region.province_code,
        "postalCode": customer.postal_code,
        "twoLetterIsoCode": customer.region.country_code,
        "countryName": customer.region.country,
        "email": customer.email,
        "phoneNumber": customer.phone,
    }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
