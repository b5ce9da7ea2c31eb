"""Shopify parts → canonical order. Pure: no network, no clock, no settings beyond the account's.

Status tables first; adding a status is adding a row. What is not in a table is refused by name, never guessed.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from common.messages.base import CurrencyCode
from common.messages.orders import Address, Customer, FinancialStatus, FulfillmentStatus, Lifecycle, Order
from common.money import ZERO, quantize
from ingest.channel import Account, Glance
from ingest.channels.shopify import payments, refunds
from ingest.channels.shopify.lines import LineReader, Sold, order_discounts, order_taxes
from ingest.channels.shopify.money import Book
from ingest.channels.shopify.wire import ShopifyAddress, ShopifyEdit, ShopifyOrder, ShopifyRefund
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Part, Parts
from ingest.reading import looked_up, unreadable
from ingest.text import identifier, long, short, tags
from ingest.totals import find_rounding, local_date, plain, sum_amounts, sum_taxes

CHANNEL = "shopify"
FINANCIAL: dict[str, FinancialStatus] = {status.value: status for status in FinancialStatus}
FULFILLMENT: dict[str, FulfillmentStatus] = {
    "": FulfillmentStatus.UNFULFILLED,
    "restocked": FulfillmentStatus.UNFULFILLED,
    "partial": FulfillmentStatus.PARTIAL,
    "fulfilled": FulfillmentStatus.FULFILLED,
}
_REFETCH = "resend the order from the channel, or add an Admin API access token to the connection"


def normalize(parts: Parts, account: Account) -> Order:
    """One order from all its parts, revision 0.

    Raises `NormalizationError` (field, value, cure), `IncompleteOrder` where a part is missing or contradicts another,
    `OutOfScope` for test orders and deleted ones.
    """
    if parts.order is None:
        if parts.deletion is not None:
            raise OutOfScope("ORDER_DELETED", "the order was deleted in the shop before it was seen here")
        raise IncompleteOrder("only a part of the order has arrived, not the order itself", _REFETCH)
    try:
        return _normalize(ShopifyOrder.model_validate(parts.order.body), parts.order, parts, account)
    except ValidationError as error:
        raise unreadable(error) from error


def glance(parts: Parts) -> Glance:
    """Number, currency and total for a list, as far as they can be read."""
    body = parts.order.body if parts.order is not None and _is_json(parts.order) else {}
    if not isinstance(body, dict):
        return Glance()
    return Glance(
        number=short(str(body.get("name") or body.get("order_number") or "")).lstrip("#"),
        currency=short(str(body.get("currency") or ""), 3),
        total=short(str(body.get("total_price") or ""), 30),
    )


def _is_json(part: Part) -> bool:
    try:
        part.body  # noqa: B018  parsing is the test
    except NormalizationError:
        return False
    return True


def _normalize(order: ShopifyOrder, stored: Part, parts: Parts, account: Account) -> Order:
    if order.test:
        raise OutOfScope("TEST_ORDER", "test orders are never synced")
    if parts.deletion is not None:
        raise OutOfScope("ORDER_DELETED", "the order was deleted in the shop")
    states: dict[str, Any] = {
        "financial_status": looked_up(FINANCIAL, (order.financial_status or "").lower(), "financial_status"),
        "fulfillment_status": looked_up(FULFILLMENT, (order.fulfillment_status or "").lower(), "fulfillment_status"),
        "lifecycle": Lifecycle.CANCELLED if order.cancelled_at else Lifecycle.OPEN,
        "native_status": short(order.financial_status),
    }
    _require_current(stored, parts)
    book = Book(order, store_currency=account.store_currency)
    returned = refunds.collect(parts, stored, order)
    listed = [refund for refund in returned if order.refunds is None or refund in order.refunds]
    money_back = sum_amounts(refunds.money_back(refund, book) for refund in listed)
    paid = payments.conclude(parts, order, stored.version, book, account, money_back)
    charged = book.read(order.total_price, order.total_price_set, "total_price")
    returned, removed, taken_out = _take_out_edits(order, returned, book, charged, paid.captured)
    sold = LineReader(order, book, removed).read()
    reader = refunds.RefundReader(
        book, account, {line.id: line for line in order.line_items}, paid.identity, included=bool(order.taxes_included)
    )
    return Order(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=identifier(order.id),
        channel=CHANNEL,
        number=short(order.name or order.order_number or order.id).removeprefix("#"),
        currency=book.currency,
        tax_included=bool(order.taxes_included),
        tax_remitted=_remitted(order, book),
        tips=sold.tips,
        lines=tuple(sold.lines),
        shipping_lines=tuple(sold.shipping),
        surcharges=tuple(sold.surcharges),
        tenders=paid.tenders,
        refunds=reader.read(returned),
        reference_number=paid.tenders[0].reference if paid.tenders else "",
        ship_method=sold.shipping[0].title if sold.shipping else "",
        exchange_rate=_rate(order, book, charged),
        customer_currency=_other_currency(order, book),
        **states,
        **_balance(order, book, account, sold, charged - taken_out, edited=bool(removed)),
        **_dates(order, account),
        **_people_and_notes(order),
    )


def _balance(
    order: ShopifyOrder, book: Book, account: Account, sold: Sold, total: Decimal, *, edited: bool
) -> dict[str, Any]:
    """Taxes, discounts and total, which must add up with the lines or the order is refused."""
    taxes = order_taxes(order, book, sold, edited=edited)
    discounts = order_discounts(order, book, sold)
    tax_total = sum_taxes(taxes) + quantize(ZERO, book.currency)
    rounding = find_rounding(
        currency=book.currency,
        total=total,
        tax=tax_total,
        tips=sold.tips,
        lines=sold.lines,
        shipping=sold.shipping,
        discounts=discounts,
        surcharges=sold.surcharges,
        allowed=account.tolerance(book.currency, len(sold.lines)),
        field="total_price",
    )
    return {"taxes": taxes, "discounts": discounts, "tax_total": tax_total, "rounding": rounding, "total": total}


def _dates(order: ShopifyOrder, account: Account) -> dict[str, Any]:
    sent = next((item for item in order.fulfillments or () if item.status in {"success", None}), None)
    return {
        "created_at": order.created_at,
        "modified_at": order.updated_at,
        "ordered_on": local_date(order.processed_at or order.created_at, account.zone),
        "cancelled_on": local_date(order.cancelled_at, account.zone) if order.cancelled_at else None,
        "due_on": _due(order, account),
        "ship_date": local_date(sent.created_at, account.zone) if sent and sent.created_at else None,
        "tracking_number": short(sent.tracking_number) if sent else "",
    }


def _people_and_notes(order: ShopifyOrder) -> dict[str, Any]:
    return {
        "customer": _customer(order),
        "billing_address": _address(order.billing_address),
        "shipping_address": _address(order.shipping_address),
        "store_type": short(order.source_name),
        "po_number": short(order.po_number),
        "terms": short(order.payment_terms.payment_terms_name) if order.payment_terms else "",
        "note": long(order.note),
        "tags": tags(order.tags),
        "custom_fields": {
            short(item.name, 128): short(str(item.value)) for item in (order.note_attributes or ())[:100] if item.name
        },
        "discount_codes": tuple(short(item.code) for item in order.discount_codes or () if item.code),
    }


def _require_current(order: Part, parts: Parts) -> None:
    """The order itself must be at least as new as every part of it: its totals and states are concluded from it."""
    newest: datetime = order.version
    what = ""
    for part, name in (*((p, "a payment") for p in parts.transactions), *((p, "a refund") for p in parts.refunds)):
        if part.version > newest:
            newest, what = part.version, name
    for part in parts.edits:
        edit = ShopifyEdit.model_validate(part.body)
        at = edit.committed_at or edit.created_at
        if at > newest:
            newest, what = at, "an edit, of which only the difference is known"
    if what:
        raise IncompleteOrder(f"the order as last seen is older than {what}", _REFETCH)


def _take_out_edits(
    order: ShopifyOrder, returned: tuple[ShopifyRefund, ...], book: Book, total: Decimal, captured: Decimal
) -> tuple[tuple[ShopifyRefund, ...], dict[str, refunds.Removal], Decimal]:
    """Separate what edits removed from the sale from what was given back; returns the sum taken out as well."""
    edits = [refund for refund in returned if refunds.is_removal(refund)]
    if not edits:
        return returned, {}, ZERO
    rest = tuple(refund for refund in returned if not refunds.is_removal(refund))
    if order.cancelled_at and not captured:
        # Cancelling an unpaid order restocks everything; the document is voided, there is nothing to give back.
        return rest, {}, ZERO
    removed = refunds.removals(edits, book, included=bool(order.taxes_included))
    worth = sum_amounts(removal.net + removal.tax for removal in removed.values())
    if captured > total - worth:
        return returned, {}, ZERO
    return rest, removed, worth


def _remitted(order: ShopifyOrder, book: Book) -> Decimal:
    return quantize(ZERO, book.currency) + sum_amounts(
        book.read(row.price, row.price_set, "tax_lines.price") for row in order.tax_lines or () if row.channel_liable
    )


def _rate(order: ShopifyOrder, book: Book, total: Decimal) -> Decimal | None:
    """Value of one unit of the booked currency in the shop's currency, where the two differ."""
    if book.currency == book.shop_currency or not total:
        return None
    return plain((order.total_price / total).quantize(Decimal("0.00000001")))


def _other_currency(order: ShopifyOrder, book: Book) -> CurrencyCode | None:
    buyer = order.presentment_currency
    return buyer if buyer and buyer != book.shop_currency else None


def _due(order: ShopifyOrder, account: Account) -> Any:
    schedules = order.payment_terms.payment_schedules if order.payment_terms else None
    dates = [item.due_at for item in schedules or () if item.due_at]
    return local_date(max(dates), account.zone) if dates else None


def _customer(order: ShopifyOrder) -> Customer | None:
    customer = order.customer
    emails = tuple(
        dict.fromkeys(
            short(mail) for mail in (customer.email if customer else None, order.email, order.contact_email) if mail
        )
    )
    if customer is None and not emails:
        return None
    company = order.billing_address.company if order.billing_address else None
    return Customer(
        external_id=identifier(customer.id) if customer and customer.id else None,
        first_name=short(customer.first_name) if customer else "",
        last_name=short(customer.last_name) if customer else "",
        company=short(company),
        emails=emails,
        phone=short(customer.phone) if customer else "",
        tags=tags(customer.tags) if customer else (),
        tax_exempt=bool(order.tax_exempt or (customer and customer.tax_exempt)),
        currency=customer.currency if customer and customer.currency else None,
    )


def _address(address: ShopifyAddress | None) -> Address | None:
    if address is None:
        return None
    name = address.name or " ".join(part for part in (address.first_name, address.last_name) if part)
    return Address(
        name=short(name),
        company=short(address.company),
        line1=short(address.address1),
        line2=short(address.address2),
        city=short(address.city),
        region=short(address.province_code or address.province),
        postal_code=short(address.zip),
        country=short(address.country_code or address.country),
        phone=short(address.phone),
    )
