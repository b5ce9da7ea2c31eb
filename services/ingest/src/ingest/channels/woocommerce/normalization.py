"""WooCommerce parts → canonical order. Pure: no network, no clock.

Amounts on lines, shipping and fees are net of tax already, and coupons are spread over the lines already: neither is
taken out again. Status table first; adding a status is adding a row.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError

from common.messages.orders import (
    Address,
    Customer,
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    Tender,
    TenderKind,
)
from common.money import ZERO, quantize
from ingest.channel import Account, Glance
from ingest.channels.woocommerce.lines import read_lines
from ingest.channels.woocommerce.refunds import read_refunds
from ingest.channels.woocommerce.wire import WooAddress, WooOrder
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Parts
from ingest.reading import looked_up, unreadable
from ingest.signatures import moment
from ingest.text import identifier, long, short, unescaped
from ingest.totals import amount, known_currency, local_date, sum_amounts

CHANNEL = "woocommerce"


@dataclass(frozen=True, slots=True)
class Status:
    financial: FinancialStatus
    fulfillment: FulfillmentStatus = FulfillmentStatus.UNFULFILLED
    lifecycle: Lifecycle = Lifecycle.OPEN


STATUSES: dict[str, Status] = {
    "pending": Status(FinancialStatus.PENDING),
    "on-hold": Status(FinancialStatus.PENDING),
    "failed": Status(FinancialStatus.PENDING),
    "processing": Status(FinancialStatus.PAID),
    "completed": Status(FinancialStatus.PAID, FulfillmentStatus.FULFILLED),
    "cancelled": Status(FinancialStatus.VOIDED, lifecycle=Lifecycle.CANCELLED),
    "refunded": Status(FinancialStatus.REFUNDED),
    "trash": Status(FinancialStatus.VOIDED, lifecycle=Lifecycle.CANCELLED),
    "checkout-draft": Status(FinancialStatus.PENDING, lifecycle=Lifecycle.DRAFT),
    "auto-draft": Status(FinancialStatus.PENDING, lifecycle=Lifecycle.DRAFT),
}
FEE_KEYS = ("_stripe_fee", "_wcpay_transaction_fee", "_paypal_transaction_fee", "PayPal Transaction Fee")
_REFETCH = "update the order in the shop so that it is sent again, or add REST API keys to the connection"


def normalize(parts: Parts, account: Account) -> Order:
    """One order from all its parts, revision 0.

    Raises `NormalizationError` (field, value, cure), `IncompleteOrder` where the refunds' details are missing,
    `OutOfScope` for drafts and deleted orders.
    """
    if parts.order is None:
        if parts.deletion is not None:
            raise OutOfScope("ORDER_DELETED", "the order was deleted in the shop before it was seen here")
        raise IncompleteOrder("only a part of the order has arrived, not the order itself", _REFETCH)
    try:
        return _normalize(WooOrder.model_validate(parts.order.body), parts, account)
    except ValidationError as error:
        raise unreadable(error) from error


def glance(parts: Parts) -> Glance:
    """Number, currency and total for a list, as far as they can be read."""
    try:
        body = parts.order.body if parts.order is not None else None
    except NormalizationError:
        return Glance()
    if not isinstance(body, dict):
        return Glance()
    return Glance(
        number=short(str(body.get("number") or body.get("id") or "")),
        currency=short(str(body.get("currency") or ""), 3),
        total=short(str(body.get("total") or ""), 30),
    )


def _normalize(order: WooOrder, parts: Parts, account: Account) -> Order:
    native = order.status.removeprefix("wc-")
    status = looked_up(STATUSES, native, "status")
    if status.lifecycle is Lifecycle.DRAFT:
        raise OutOfScope("DRAFT_ORDER", "drafts are never synced")
    if parts.deletion is not None:
        raise OutOfScope("ORDER_DELETED", "the order was deleted in the shop")
    currency = known_currency(order.currency, "currency")
    created = _time(order.date_created_gmt, "date_created_gmt")
    gift_cards = sum_amounts(amount(card.amount, currency, "gift_cards.amount") for card in order.gift_cards or ())
    # The official gift card plugin takes redemptions off `total`; to the books a redemption is a way of paying.
    total = amount(order.total, currency, "total") + gift_cards
    sold = read_lines(order, account, currency, total)
    tenders = _tenders(order, status, created, total - gift_cards, currency, account)
    refunds = read_refunds(order, parts, tenders, sold["lines"], currency, account)
    returned = sum_amounts(item.amount for refund in refunds for item in refund.transactions)
    return Order(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=identifier(order.id),
        channel=CHANNEL,
        number=short(order.number or order.id).removeprefix("#"),
        financial_status=_financial(status, order, total, returned),
        fulfillment_status=status.fulfillment,
        lifecycle=status.lifecycle,
        native_status=short(native),
        created_at=created,
        modified_at=_time(order.date_modified_gmt or order.date_created_gmt, "date_modified_gmt"),
        ordered_on=local_date(created, account.zone),
        currency=currency,
        total=total,
        tax_included=bool(order.prices_include_tax),
        tips=quantize(ZERO, currency),
        tax_remitted=quantize(ZERO, currency),
        tenders=tenders,
        refunds=refunds,
        customer=_customer(order),
        billing_address=_address(order.billing),
        shipping_address=_address(order.shipping),
        store_type=short(order.created_via),
        ship_method=unescaped(order.shipping_lines[0].method_title) if order.shipping_lines else "",
        note=long(order.customer_note),
        discount_codes=tuple(short(coupon.code) for coupon in order.coupon_lines if coupon.code),
        reference_number=short(order.transaction_id),
        merchant_fee=_merchant_fee(order, currency),
        **sold,
    )


def _time(text: str, field: str) -> datetime:
    """A `_gmt` time, which is UTC although it does not say so. Raises `NormalizationError`."""
    at = moment(text)
    if at == moment(None):
        raise NormalizationError(field, text, "send the order as the REST API v3 writes it")
    return at


def _tenders(
    order: WooOrder,
    status: Status,
    created: datetime,
    money: Decimal,
    currency: str,
    account: Account,
) -> tuple[Tender, ...]:
    """The order's one payment and its gift cards. Its id is ours, because `transaction_id` may come later or never."""
    is_paid = bool(order.date_paid_gmt) or status.financial in {FinancialStatus.PAID, FinancialStatus.REFUNDED}
    if not is_paid:
        return ()
    at = _time(order.date_paid_gmt, "date_paid_gmt") if order.date_paid_gmt else created
    day = local_date(at, account.zone)
    tenders = [
        Tender(
            external_id=identifier(f"{order.id}:gift:{card.id or number}"),
            method="gift_card",
            kind=TenderKind.GIFT_CARD,
            amount=amount(card.amount, currency, "gift_cards.amount"),
            currency=currency,
            captured_at=at,
            captured_on=day,
        )
        for number, card in enumerate(order.gift_cards or (), start=1)
    ]
    if money > 0:
        tenders.insert(
            0,
            Tender(
                external_id=identifier(f"{order.id}:payment"),
                method=short(order.payment_method or order.payment_method_title) or "unknown",
                amount=money,
                currency=currency,
                captured_at=at,
                captured_on=day,
                reference=short(order.transaction_id),
                fee=_merchant_fee(order, currency),
            ),
        )
    return tuple(tenders)


def _financial(status: Status, order: WooOrder, total: Decimal, returned: Decimal) -> FinancialStatus:
    """A partial refund does not change WooCommerce's status, and a cancelled order may have been paid."""
    if returned > 0:
        return FinancialStatus.REFUNDED if returned >= total else FinancialStatus.PARTIALLY_REFUNDED
    if order.date_paid_gmt and status.financial in {FinancialStatus.PENDING, FinancialStatus.VOIDED}:
        return FinancialStatus.PAID
    return status.financial


def _merchant_fee(order: WooOrder, currency: str) -> Decimal | None:
    found = {meta.key: meta.value for meta in order.meta_data or () if meta.key in FEE_KEYS}
    for key in FEE_KEYS:
        if key in found:
            try:
                return amount(Decimal(str(found[key])), currency, f"meta_data.{key}")
            except InvalidOperation:
                return None  # written by a plugin for people, not for us
    return None


def _customer(order: WooOrder) -> Customer | None:
    person = order.billing
    if not (person.email or person.last_name or person.first_name or person.company):
        return None
    return Customer(
        external_id=None if order.customer_id in {None, "", "0"} else identifier(str(order.customer_id)),
        first_name=short(person.first_name),
        last_name=short(person.last_name),
        company=short(person.company),
        emails=(short(person.email),) if person.email else (),
        phone=short(person.phone),
    )


def _address(address: WooAddress) -> Address | None:
    if not any((address.address_1, address.city, address.postcode, address.last_name, address.company)):
        return None
    return Address(
        name=short(" ".join(part for part in (address.first_name, address.last_name) if part)),
        company=short(address.company),
        line1=short(address.address_1),
        line2=short(address.address_2),
        city=short(address.city),
        region=short(address.state),
        postal_code=short(address.postcode),
        country=short(address.country),
        phone=short(address.phone),
    )
