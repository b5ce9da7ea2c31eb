"""Canonical orders on their way into the product: as a custom store writes them, or as ingest publishes them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from common.messages.fetching import OrderListed
from common.messages.orders import Address, Lifecycle, Order, Refund, TaxLine, Tender, TenderKind

Json = dict[str, Any]


def custom_document(order: Order, *, step: int = 0) -> Json:
    """The order as its custom store would push it, changed for the `step`-th time.

    Refunds keep their amounts but not their share of a discount on the whole order: the store's document has no place
    for it.
    """
    cancelled = order.lifecycle is Lifecycle.CANCELLED
    return {
        "external_id": order.external_id,
        "order_number": order.number,
        "status": "cancelled" if cancelled else order.financial_status.value,
        "fulfillment_status": order.fulfillment_status.value,
        "created_at": order.created_at.isoformat(),
        "updated_at": (order.modified_at + timedelta(minutes=step)).isoformat(),
        "cancelled_at": order.modified_at.isoformat() if cancelled else None,
        "currency": order.currency,
        "exchange_rate": _text(order.exchange_rate),
        "prices_include_tax": order.tax_included,
        "channel": order.store_type,
        "store_name": order.store_name,
        "ship_method": order.ship_method,
        "reference_number": order.reference_number,
        "customer": _customer(order),
        "billing_address": _address(order.billing_address),
        "shipping_address": _address(order.shipping_address),
        "lines": [
            {
                "external_id": line.external_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": _text(line.quantity),
                "unit_price": _text(line.unit_price + _tax(line.taxes, included=order.tax_included) / line.quantity),
                "discount": _text(line.discount),
                "kind": "gift_card" if line.is_gift_card else "product",
                "taxes": _taxes(line.taxes),
                "uom": line.uom,
            }
            for line in order.lines
        ],
        "shipping": [
            {"name": one.title, "amount": _text(one.amount), "taxes": _taxes(one.taxes)} for one in order.shipping_lines
        ],
        "discounts": [{"code": one.code, "scope": "order", "amount": _text(one.amount)} for one in order.discounts],
        "tip": _text(order.tips),
        "tax_remitted": _text(order.tax_remitted),
        "totals": {
            "discount": _text(
                sum((one.amount for one in order.discounts), Decimal(0))
                + sum((line.discount for line in order.lines), Decimal(0))
            ),
            "grand_total": _text(order.total),
        },
        "payments": [_payment(one) for one in order.tenders],
        "refunds": [_refund(one) for one in order.refunds],
        "do_not_import": order.do_not_import,
    }


def _payment(tender: Tender) -> Json:
    return {
        "external_id": tender.external_id,
        "method": tender.method,
        "gateway": "gift_card" if tender.kind is TenderKind.GIFT_CARD else tender.method,
        "amount": _text(tender.amount),
        "currency": tender.currency,
        "paid_at": tender.captured_at.isoformat(),
        "reference": tender.reference,
    }


def _refund(refund: Refund) -> Json:
    return {
        "external_id": refund.external_id,
        "created_at": refund.created_at.isoformat(),
        "amount": _text(sum((one.amount for one in refund.transactions), Decimal(0))),
        "shipping": _text(refund.shipping),
        "shipping_tax": _text(refund.shipping_tax),
        "lines": [
            {
                "line_external_id": one.line_external_id,
                "quantity": _text(one.quantity),
                "amount": _text(one.amount),
                "tax": _text(one.tax),
                "restock": one.restock,
            }
            for one in refund.lines
        ],
    }


def _customer(order: Order) -> Json | None:
    buyer = order.customer
    if buyer is None:
        return None
    return {
        "external_id": buyer.external_id,
        "email": ", ".join(buyer.emails) or None,
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "company": buyer.company,
    }


def _address(address: Address | None) -> Json | None:
    return address.model_dump(mode="json") if address is not None else None


def _taxes(taxes: Sequence[TaxLine]) -> list[Json]:
    return [{"name": one.title, "amount": _text(one.amount), "rate": _text(one.rate)} for one in taxes]


def _tax(taxes: Sequence[TaxLine], *, included: bool) -> Decimal:
    return sum((one.amount for one in taxes), Decimal(0)) if included else Decimal(0)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def listed(order: Order) -> OrderListed:
    """What ingest tells the read model of a normalised order."""
    return OrderListed(
        tenant_id=order.tenant_id,
        revision=order.revision,
        connection_id=order.connection_id,
        external_id=order.external_id,
        channel=order.channel,
        number=order.number,
        status=f"{order.financial_status.value}/{order.fulfillment_status.value}/{order.lifecycle.value}",
        ordered_on=order.ordered_on,
        currency=order.currency,
        total=order.total,
        received_at=datetime.now(UTC),
    )
