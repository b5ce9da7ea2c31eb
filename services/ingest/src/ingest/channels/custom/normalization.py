"""Custom store parts → canonical order. Pure: no network, no clock."""

from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from common.messages.orders import (
    Address,
    Customer,
    Direction,
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    Tender,
    TenderKind,
)
from common.money import ZERO, quantize
from ingest.channel import Account, Glance
from ingest.channels.custom.compatible import to_native
from ingest.channels.custom.lines import LineReader, sum_by_rate
from ingest.channels.custom.refunds import read_refunds
from ingest.channels.custom.wire import CustomAddress, CustomOrder
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Parts
from ingest.reading import unreadable
from ingest.text import identifier, long, short
from ingest.totals import (
    amount,
    find_rounding,
    known_currency,
    local_date,
    plain,
    sum_amounts,
    sum_taxes,
)

CHANNEL = "custom"
FINANCIAL: dict[str, FinancialStatus] = {status.value: status for status in FinancialStatus}
GIFT_CARD_GATEWAYS = frozenset({"gift_card", "giftcard"})


def normalize(parts: Parts, account: Account) -> Order:
    """One order, revision 0. Raises `NormalizationError`, or `OutOfScope` for test orders."""
    if parts.order is None:
        raise IncompleteOrder("only a part of the order has arrived", "push the whole order document")
    try:
        body = parts.order.body
        order = body if isinstance(body, CustomOrder) else CustomOrder.model_validate(document(body))
        return _normalize(order, account)
    except ValidationError as error:
        raise unreadable(error) from error


def document(body: Any) -> Any:
    """The native document, whichever contract the body is written in."""
    return to_native(body) if isinstance(body, dict) and "orders" in body else body


def glance(parts: Parts) -> Glance:
    """Number, currency and total for a list, as far as they can be read."""
    try:
        body = parts.order.body if parts.order is not None else {}
    except NormalizationError:
        return Glance()
    if isinstance(body, CustomOrder):
        return Glance(_number(body.order_number), body.currency, f"{body.totals.grand_total:f}")
    if not isinstance(body, dict):
        return Glance()
    pulled = body.get("orders") or body.get("purchases")
    if isinstance(pulled, list) and pulled and isinstance(pulled[0], dict):
        order = pulled[0]
        return Glance(
            _number(order.get("orderNumber", "")),
            short(str(order.get("currencyCode", "")), 3),
            short(str(order.get("total", "")), 30),
        )
    totals = body.get("totals")
    return Glance(
        number=_number(body.get("order_number", "")),
        currency=short(str(body.get("currency", "")), 3),
        total=short(str(totals.get("grand_total", "")), 30) if isinstance(totals, dict) else "",
    )


def _number(given: object) -> str:
    """The order's number as people look for it, whether the order was accepted or not."""
    return short(str(given)).removeprefix("#")


def _normalize(order: CustomOrder, account: Account) -> Order:
    if order.test:
        raise OutOfScope("TEST_ORDER", "test orders are never synced")
    currency = known_currency(order.currency, "currency")
    zero = quantize(ZERO, currency)
    reader = LineReader(order, currency, account.zone)
    lines, tips, extra = reader.lines()
    shipping = reader.shipping()
    surcharges = (*extra, *reader.fees())
    discounts = reader.discounts()
    taxes = sum_by_rate([*(line.taxes for line in lines), *(s.taxes for s in shipping), *(s.taxes for s in surcharges)])
    tax_total = sum_taxes(taxes) + zero
    total = amount(order.totals.grand_total, currency, "totals.grand_total")
    rounding = find_rounding(
        currency=currency,
        total=total,
        tax=tax_total,
        tips=tips,
        lines=lines,
        shipping=shipping,
        discounts=discounts,
        surcharges=surcharges,
        allowed=account.tolerance(currency, len(lines)),
        field="totals.grand_total",
    )
    tenders = _tenders(order, currency, account)
    cancelled = order.status == "cancelled" or order.cancelled_at is not None
    return Order(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=identifier(order.order_id),
        channel=CHANNEL,
        number=_number(order.order_number),
        financial_status=_financial(order, total, tenders),
        fulfillment_status=FulfillmentStatus(order.fulfillment_status),
        lifecycle=Lifecycle.CANCELLED if cancelled else Lifecycle.OPEN,
        native_status=order.status,
        created_at=order.created_at,
        modified_at=order.updated_at,
        ordered_on=local_date(order.created_at, account.zone),
        cancelled_on=local_date(order.cancelled_at, account.zone) if order.cancelled_at else None,
        currency=currency,
        total=total,
        tax_included=order.prices_include_tax,
        tax_total=tax_total,
        tips=tips,
        tax_remitted=amount(order.tax_remitted, currency, "tax_remitted"),
        lines=tuple(lines),
        shipping_lines=shipping,
        discounts=discounts,
        surcharges=surcharges,
        taxes=taxes,
        rounding=rounding,
        tenders=tenders,
        refunds=read_refunds(order, tenders, lines, discounts, currency, account),
        ship_method=short(order.ship_method) or (shipping[0].title if shipping else ""),
        reference_number=short(order.reference_number) or (tenders[0].reference if tenders else ""),
        **_as_stated(order, account),
    )


def _optional(value: Decimal | None, currency: str, field: str) -> Decimal | None:
    return None if value is None else amount(value, currency, field)


def _as_stated(order: CustomOrder, account: Account) -> dict[str, Any]:
    """What is taken over as the store writes it."""
    return {
        "shipping_cost": _optional(order.shipping_cost, order.currency, "shipping_cost"),
        "merchant_fee": _optional(order.merchant_fee, order.currency, "merchant_fee"),
        "ship_date": local_date(order.shipped_at, account.zone) if order.shipped_at else None,
        "customer": _customer(order),
        "billing_address": _address(order.billing_address),
        "shipping_address": _address(order.shipping_address),
        "parent_number": short(order.parent_number),
        "store_name": short(order.store_name),
        "store_type": short(order.channel),
        "po_number": short(order.po_number),
        "terms": short(order.terms),
        "due_on": local_date(order.due_at, account.zone) if order.due_at else None,
        "sales_rep": short(order.sales_rep),
        "class_name": short(order.class_name),
        "department": short(order.department),
        "warehouse": short(order.warehouse),
        "tracking_number": short(order.tracking_number),
        "note": long(order.note),
        "private_note": long(order.private_note),
        "gift_message": long(order.gift_message),
        "tags": order.tags,
        "custom_fields": dict(order.custom_fields),
        "discount_codes": tuple(short(item.code) for item in order.discounts if item.code),
        "payout_id": short(order.payout_id),
        "exchange_rate": plain(order.exchange_rate) if order.exchange_rate is not None else None,
        "invoice_mode": short(order.invoice_mode),
        "do_not_import": order.do_not_import,
        "direction": Direction(order.direction),
        "vendor_name": short(order.vendor_name),
    }


def _tenders(order: CustomOrder, currency: str, account: Account) -> tuple[Tender, ...]:
    found = []
    for position, payment in enumerate(order.payments):
        if payment.currency not in {None, "", currency}:
            raise NormalizationError(
                f"payments[{position}].currency",
                payment.currency,
                f"state payments in {currency}",
                code="CURRENCY_MISMATCH",
                text=f"a payment is in {payment.currency} and the order is in {currency}",
            )
        at = payment.paid_at or order.created_at
        gateway = payment.gateway or payment.method or "unknown"
        found.append(
            Tender(
                external_id=identifier(payment.external_id),
                method=short(gateway),
                kind=TenderKind.GIFT_CARD if gateway in GIFT_CARD_GATEWAYS else TenderKind.MONEY,
                amount=amount(payment.amount, currency, f"payments[{position}].amount"),
                currency=currency,
                captured_at=at,
                captured_on=local_date(at, account.zone),
                reference=short(payment.reference),
                fee=_optional(payment.fee, currency, f"payments[{position}].fee"),
            )
        )
    for position, card in enumerate(order.gift_cards, start=1):
        found.append(
            Tender(
                external_id=identifier(f"{order.external_id}:gift:{position}"),
                method="gift_card",
                kind=TenderKind.GIFT_CARD,
                amount=amount(card.amount, currency, f"gift_cards[{position - 1}].amount"),
                currency=currency,
                captured_at=order.created_at,
                captured_on=local_date(order.created_at, account.zone),
                reference=short(card.code_last4),
            )
        )
    return tuple(found)


def _financial(order: CustomOrder, total: Decimal, tenders: tuple[Tender, ...]) -> FinancialStatus:
    """`cancelled` says nothing of money; what was paid and given back does."""
    if order.status != "cancelled":
        return FINANCIAL[order.status]
    paid = sum_amounts(tender.amount for tender in tenders)
    returned = sum_amounts(refund.amount for refund in order.refunds)
    if not paid:
        return FinancialStatus.VOIDED
    if returned:
        return FinancialStatus.REFUNDED if returned >= paid else FinancialStatus.PARTIALLY_REFUNDED
    return FinancialStatus.PAID if paid >= total else FinancialStatus.PARTIALLY_PAID


def _customer(order: CustomOrder) -> Customer | None:
    person = order.customer
    if person is None:
        return None
    return Customer(
        external_id=identifier(person.external_id) if person.external_id else None,
        first_name=short(person.first_name),
        middle_name=short(person.middle_name),
        last_name=short(person.last_name),
        company=short(person.company),
        emails=(short(person.email),) if person.email else (),
        phone=short(person.phone),
        tags=person.tags,
        group=person.group,
        tax_exempt=person.tax_exempt,
        vat_number=person.vat_number,
        price_level=person.price_level,
    )


def _address(address: CustomAddress | None) -> Address | None:
    if address is None:
        return None
    return Address(**{name: short(value) for name, value in address.model_dump(exclude={"email"}).items()})
