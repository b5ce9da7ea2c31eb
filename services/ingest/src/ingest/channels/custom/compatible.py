"""The older pull envelope → the native document. Pure.

`{orders[], cancelledOrders[], payments[], purchases[]}` with camelCase names and JSON numbers: a cancelled order is a
refund that names its sale in `parentOrderNumber`, a payment names its order in `orderNumber`. Unit prices and line
discounts come both without and with tax; net amounts are taken, and the difference is the line's tax. A purchase is
written as an order is, with the `vendor` it was bought from.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from common.messages.orders import Direction
from ingest.errors import NormalizationError

STATUSES: dict[str, str] = {
    "pending": "pending",
    "awaiting payment": "pending",
    "awaiting_payment": "pending",
    "authorized": "authorized",
    "paid": "paid",
    "processing": "paid",
    "awaiting_shipment": "paid",
    "on_hold": "paid",
    "completed": "paid",
    "shipped": "paid",
    "partially_paid": "partially_paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "voided": "voided",
}
PURCHASE_STATUSES: dict[str, str] = STATUSES | {
    "": "pending",
    "open": "pending",
    "issued": "pending",
    "ordered": "pending",
    "received": "pending",
    "billed": "pending",
    "closed": "pending",
}
"""What else a purchase may be called; only whether it was cancelled decides what is booked of it."""
FULFILLED = frozenset({"completed", "shipped", "received", "billed", "closed"})
"""Statuses that say that everything has left, or has come in."""


def split(envelope: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One envelope per order, each with the refunds and payments that name it."""
    refunds = _by_number(envelope.get("cancelledOrders"), "parentOrderNumber")
    payments = _by_number(envelope.get("payments"), "orderNumber")
    found = []
    for order in _rows(envelope.get("orders")):
        number = str(order.get("orderNumber", ""))
        found.append(
            {
                "orders": [order],
                "cancelledOrders": refunds.get(number, []),
                "payments": payments.get(number, []),
            }
        )
    return found


def purchases(envelope: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One envelope per purchase that can be told from others."""
    rows = [row for row in _rows(envelope.get("purchases")) if identity_of(row)]
    return [{"orders": [], "purchases": [row]} for row in rows]


def without_order(envelope: Mapping[str, Any]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Order number → refunds and payments of the envelope that name it, of orders that are not in the envelope."""
    here = {str(order.get("orderNumber", "")) for order in _rows(envelope.get("orders"))} | {""}
    refunds = _by_number(envelope.get("cancelledOrders"), "parentOrderNumber")
    payments = _by_number(envelope.get("payments"), "orderNumber")
    return {
        number: {"cancelledOrders": refunds.get(number, []), "payments": payments.get(number, [])}
        for number in sorted((refunds.keys() | payments.keys()) - here)
    }


def joined(envelope: Mapping[str, Any], more: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The envelope with further refunds and payments, each once."""
    kinds = ((kind, _rows(envelope.get(kind)), rows) for kind, rows in more.items())
    added = {kind: [*known, *(row for row in rows if row not in known)] for kind, known, rows in kinds}
    return {**envelope, **added}


def identity_of(order: Mapping[str, Any]) -> str:
    """The order's own id, else its number, which the older contract treats as one."""
    return str(order.get("id") or order.get("orderNumber") or "")


def to_native(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The native document of one order or purchase. Raises `NormalizationError`."""
    if not envelope.get("orders") and envelope.get("purchases"):
        purchase = _rows(envelope.get("purchases"))[0]
        return _document(purchase, envelope, PURCHASE_STATUSES) | _bought(purchase)
    return _document(_rows(envelope.get("orders"))[0], envelope, STATUSES)


def _document(order: Mapping[str, Any], envelope: Mapping[str, Any], statuses: Mapping[str, str]) -> dict[str, Any]:
    status = _text(order, "orderStatus").lower()
    if status not in statuses:
        raise NormalizationError(
            "orderStatus",
            status,
            f"send one of {', '.join(filter(None, statuses))}",
            code="UNKNOWN_STATUS",
            text=f"orderStatus is {status!r}, and what that means for the books is not known",
        )
    currency = str(order.get("currencyCode") or "")
    fee = _number(order, "paymentMethodAdditionalFeeExclTax")
    return {
        "external_id": identity_of(order),
        "order_number": str(order.get("orderNumber", "")),
        "status": statuses[status],
        "fulfillment_status": "fulfilled" if status in FULFILLED else "unfulfilled",
        "created_at": order.get("creationDate"),
        "updated_at": order.get("modifiedDate") or order.get("creationDate"),
        "currency": currency,
        "prices_include_tax": False,
        "store_name": _text(order, "storeName"),
        "channel": _text(order, "storeType"),
        "po_number": _text(order, "poNumber"),
        "note": _text(order, "note"),
        "invoice_mode": _text(order, "invoiceMode"),
        "ship_method": _text(order, "shippingMethod"),
        "reference_number": _text(order, "referenceNumber"),
        "payout_id": _text(order, "payoutId"),
        "customer": _customer(order),
        "billing_address": _address(order.get("billingAddress")),
        "shipping_address": _address(order.get("shippingAddress")),
        "lines": [_line(row, number) for number, row in enumerate(_rows(order.get("orderDetails")), start=1)],
        "shipping": _shipping(order),
        "fees": [{"name": "Payment fee", "amount": _plain(fee)}] if fee else [],
        "discounts": _discounts(order),
        "totals": {
            "grand_total": _plain(_number(order, "total")),
            "tax": _plain(_number(order, "totalTax")),
            "discount": _plain(_line_discounts(order) + _order_discounts(order)),
        },
        "payments": _payments(_rows(envelope.get("payments")), currency),
        "refunds": [_refund(row) for row in _rows(envelope.get("cancelledOrders"))],
    }


def _bought(purchase: Mapping[str, Any]) -> dict[str, Any]:
    """What a purchase says beyond what an order does; what was paid stands on itself, for no payment names it."""
    paid = _number(purchase, "amountPaid")
    payment = {
        "external_id": "paid",
        "method": _text(purchase, "creditCardName"),
        "amount": _plain(paid),
        "paid_at": purchase.get("paidDate") or purchase.get("creationDate"),
        "reference": _text(purchase, "referenceNumber"),
    }
    return {
        "direction": Direction.PURCHASE.value,
        "vendor_name": _text(purchase, "vendor"),
        "terms": _text(purchase, "terms") or _text(purchase, "salesTerms"),
        "due_at": purchase.get("dueDate"),
        "payments": [payment] if paid > 0 else [],
    }


def _line(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    quantity = _number(row, "quantity")
    excluding, including = _number(row, "priceExclTax"), _number(row, "priceInclTax")
    off, off_with_tax = _number(row, "discountExclTax"), _number(row, "discountInclTax")
    tax = (including - excluding) * quantity - (off_with_tax - off)
    # Unit prices are rounded to some places; tax is money and has two, or the currency's own.
    return {
        "external_id": str(row.get("id") or number),
        "sku": _text(row, "sku"),
        "name": _text(row, "name") or "Item",
        "quantity": _plain(quantity),
        "unit_price": _plain(excluding),
        "discount": _plain(off),
        "taxable": tax > 0,
        "taxes": [{"name": _text(row, "taxCode") or "Tax", "amount": _plain(tax)}] if tax else [],
    }


def _shipping(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    excluding, including = _number(order, "shippingExclTax"), _number(order, "shippingInclTax")
    if not excluding and not including:
        return []
    tax = including - excluding
    return [
        {
            "name": _text(order, "shippingMethod"),
            "amount": _plain(excluding),
            "taxes": [{"name": "Shipping tax", "amount": _plain(tax)}] if tax else [],
        }
    ]


def _discounts(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"code": _text(row, "code") or _text(row, "name"), "scope": "order", "amount": _plain(_number(row, "amount"))}
        for row in _rows(order.get("discounts"))
    ]


def _order_discounts(order: Mapping[str, Any]) -> Decimal:
    return sum((_number(row, "amount") for row in _rows(order.get("discounts"))), Decimal(0))


def _line_discounts(order: Mapping[str, Any]) -> Decimal:
    return sum((_number(row, "discountExclTax") for row in _rows(order.get("orderDetails"))), Decimal(0))


def _payments(rows: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Each payment under its own id; without one it is known by what it says, and by its place among its equals."""
    found = []
    equals: dict[tuple[str, ...], int] = {}
    for row in rows:
        said = {
            "method": _text(row, "creditCardName"),
            "gateway": _text(row, "paymentType"),
            "amount": _plain(_number(row, "paymentAmount")),
            "reference": _text(row, "referenceNumber"),
        }
        identity = str(row.get("id") or "")
        if not identity:
            key = (_text(row, "paymentDate"), *said.values())
            equals[key] = equals.get(key, 0) + 1
            identity = hashlib.sha256("\x1f".join((*key, str(equals[key]))).encode()).hexdigest()[:32]
        found.append({"external_id": identity, **said, "currency": currency, "paid_at": row.get("paymentDate")})
    return found


def _refund(row: Mapping[str, Any]) -> dict[str, Any]:
    shipping, with_tax = _number(row, "shippingExclTax"), _number(row, "shippingInclTax")
    lines = []
    for number, detail in enumerate(_rows(row.get("orderDetails")), start=1):
        line = _line(detail, number)
        net = _number(detail, "priceExclTax") * _number(detail, "quantity") - _number(detail, "discountExclTax")
        lines.append(
            {
                "line_external_id": line["external_id"],
                "quantity": line["quantity"],
                "amount": _plain(net),
                "tax": line["taxes"][0]["amount"] if line["taxes"] else "0",
                "restock": bool(detail.get("restock", False)),
            }
        )
    return {
        "external_id": str(row.get("orderNumber") or row.get("id") or ""),
        "created_at": row.get("creationDate"),
        "reason": _text(row, "note"),
        "amount": _plain(_number(row, "total")),
        "shipping": _plain(shipping),
        "shipping_tax": _plain(with_tax - shipping),
        "lines": lines,
    }


def _customer(order: Mapping[str, Any]) -> dict[str, Any] | None:
    address = order.get("billingAddress") or order.get("shippingAddress")
    if not isinstance(address, dict):
        return None
    return {
        "external_id": str(order["customerId"]) if order.get("customerId") else None,
        "email": _text(address, "email"),
        "first_name": _text(address, "firstName"),
        "last_name": _text(address, "lastName"),
        "company": _text(address, "company"),
        "phone": _text(address, "phoneNumber"),
    }


def _address(address: Any) -> dict[str, Any] | None:
    if not isinstance(address, dict):
        return None
    return {
        "name": _text(address, "fullName"),
        "company": _text(address, "company"),
        "line1": _text(address, "address1"),
        "line2": _text(address, "address2"),
        "city": _text(address, "city"),
        "region": _text(address, "regionName"),
        "postal_code": _text(address, "postalCode"),
        "country": _text(address, "twoLetterIsoCode") or _text(address, "countryName"),
        "phone": _text(address, "phoneNumber"),
    }


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _by_number(rows: Any, field: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(rows):
        found.setdefault(str(row.get(field, "")), []).append(row)
    return found


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value)[:500]


def _number(row: Mapping[str, Any], field: str) -> Decimal:
    value = row.get(field)
    if value is None or value == "":
        return Decimal(0)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise NormalizationError(field, value, "send a number") from error
    if not number.is_finite():
        raise NormalizationError(field, value, "send a number")
    return number


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"
