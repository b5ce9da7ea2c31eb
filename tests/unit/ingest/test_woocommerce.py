"""What a WooCommerce order becomes, rule by rule."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.connectors.conftest import LOGINS, NOW, account, normalized

from common.messages.orders import FinancialStatus, Order, TenderKind
from ingest.channels import BY_NAME
from ingest.channels.woocommerce.webhook import is_ping, order_part, parse, verify
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Part, PartKind, Source

WOO = BY_NAME["woocommerce"]
AT = "2026-05-01T22:00:00"


def line(number: int, subtotal: str, total: str, tax: str = "0.00", quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "name": "Caf&eacute; &ndash; Mug", "quantity": quantity, "subtotal": subtotal, "total": total,
        "total_tax": tax, "taxes": [{"id": 7, "total": tax, "subtotal": tax}] if tax != "0.00" else [], "sku": "M",
        "product_id": 3, "variation_id": 0, "meta_data": [], **more,
    }  # fmt: skip


def order(**more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": 727, "number": "727", "status": "processing", "currency": "USD", "date_created_gmt": AT,
        "date_modified_gmt": AT, "date_paid_gmt": AT, "total": "29.35", "total_tax": "1.35", "customer_id": 0,
        "billing": {"first_name": "Jo", "email": "jo@example.com"}, "shipping": [], "payment_method": "stripe",
        "transaction_id": "ch_1",
        "line_items": [line(1, "20.00", "18.00", "1.35", 2)],
        "tax_lines": [
            {"rate_id": 7, "label": "State Tax", "rate_percent": 7.5, "tax_total": "1.35", "shipping_tax_total": "0"}
        ],
        "shipping_lines": [{"id": 2, "method_title": "Flat", "total": "10.00", "total_tax": "0.00", "taxes": []}],
        "fee_lines": [], "coupon_lines": [{"code": "two"}], "refunds": [], "meta_data": [],
    }  # fmt: skip
    return body | more


def read(body: dict[str, Any], refunds: list[dict[str, Any]] | None = None) -> Order:
    parts = [order_part(body, orjson.dumps(body))]
    if refunds is not None:
        parts.append(Part(PartKind.REFUNDS, "727", orjson.dumps(refunds), datetime.now(UTC), source=Source.API))
    return normalized(WOO, parts, account("America/New_York"))


def money(text: str) -> Decimal:
    return Decimal(text)


def test_lines_are_net_and_coupons_are_on_them_already() -> None:
    given = read(order())
    item = given.lines[0]
    assert (item.amount, item.discount, item.unit_price, item.name) == (
        money("18.00"),
        money("2.00"),
        money("10"),
        "Café – Mug",
    )
    assert given.discounts == ()
    assert given.discount_codes == ("two",)
    assert (given.taxes[0].title, given.taxes[0].rate, given.taxes[0].amount) == (
        "State Tax",
        money("0.075"),
        money("1.35"),
    )
    assert (given.total, given.rounding, given.ordered_on.isoformat()) == (money("29.35"), money("0.00"), "2026-05-01")
    assert given.customer is not None
    assert given.customer.external_id is None
    assert given.shipping_address is None


def test_an_order_has_one_payment_whose_identity_does_not_depend_on_the_processor() -> None:
    given = read(order())
    assert [(t.external_id, t.amount, t.method, t.reference) for t in given.tenders] == [
        ("727:payment", money("29.35"), "stripe", "ch_1")
    ]
    assert read(order(transaction_id="")).tenders[0].external_id == "727:payment"


@pytest.mark.parametrize(
    ("status", "paid_at", "expected"),
    [
        ("pending", None, FinancialStatus.PENDING),
        ("wc-on-hold", None, FinancialStatus.PENDING),
        ("on-hold", AT, FinancialStatus.PAID),
        ("completed", None, FinancialStatus.PAID),
        ("cancelled", None, FinancialStatus.VOIDED),
        ("cancelled", AT, FinancialStatus.PAID),
        ("failed", None, FinancialStatus.PENDING),
    ],
)
def test_status_and_payment_date_say_whether_money_came(
    status: str, paid_at: str | None, expected: FinancialStatus
) -> None:
    given = read(order(status=status, date_paid_gmt=paid_at))
    assert given.financial_status is expected
    assert bool(given.tenders) is (expected is FinancialStatus.PAID)


def test_a_plugins_status_is_refused_by_name_and_a_draft_never_syncs() -> None:
    with pytest.raises(NormalizationError) as caught:
        read(order(status="wc-awaiting-moon"))
    assert (caught.value.reason.code, caught.value.reason.value) == ("UNKNOWN_STATUS", "awaiting-moon")
    with pytest.raises(OutOfScope):
        read(order(status="checkout-draft"))


def test_gift_cards_are_tenders_and_part_of_the_total() -> None:
    given = read(order(total="9.35", gift_cards=[{"id": 5, "code": "X", "amount": "20.00"}]))
    assert given.total == money("29.35")
    assert [(t.kind, t.amount) for t in given.tenders] == [
        (TenderKind.MONEY, money("9.35")),
        (TenderKind.GIFT_CARD, money("20.00")),
    ]


def test_a_negative_fee_is_a_negative_surcharge() -> None:
    given = read(
        order(
            total="27.35", fee_lines=[{"id": 9, "name": "Loyalty", "total": "-2.00", "total_tax": "0.00", "taxes": []}]
        )
    )
    assert [(item.title, item.amount) for item in given.surcharges] == [("Loyalty", money("-2.00"))]


def test_php_oddities_are_read() -> None:
    body = order(id="727", customer_id="5", billing=[], meta_data=None, gift_cards=None, refunds=[], total_tax="1.35")
    body["line_items"][0]["meta_data"] = []
    body["tax_lines"][0]["shipping_tax_total"] = ""
    given = read(body)
    assert (given.external_id, given.customer) == ("727", None)


def refund(amount: str, lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": 800,
        "date_created_gmt": "2026-05-03T02:00:00",
        "amount": amount,
        "reason": "",
        "line_items": lines or [],
        **more,
    }


def back(quantity: int, total: str, tax: str) -> dict[str, Any]:
    return line(99, total, total, tax, quantity, meta_data=[{"key": "_refunded_item_id", "value": "1"}])


def test_a_listed_refund_without_details_is_incomplete() -> None:
    with pytest.raises(IncompleteOrder, match="refund 800"):
        read(order(refunds=[{"id": 800, "total": "-9.68"}]))


def test_a_refund_is_read_from_its_negative_lines_on_its_own_day() -> None:
    given = read(order(refunds=[{"id": 800}]), [refund("9.68", [back(-1, "-9.00", "-0.68")])])
    assert given.financial_status is FinancialStatus.PARTIALLY_REFUNDED
    one = given.refunds[0]
    assert (one.lines[0].line_external_id, one.lines[0].quantity, one.lines[0].amount) == (
        "1",
        money("1"),
        money("9.00"),
    )
    assert (one.lines[0].discount, one.tax, one.refunded_on.isoformat()) == (money("1.00"), money("0.68"), "2026-05-02")
    assert [(row.amount, row.tender_external_id) for row in one.transactions] == [(money("9.68"), "727:payment")]


def test_a_refund_of_an_amount_is_an_adjustment_and_a_wrong_one_is_refused() -> None:
    given = read(order(refunds=[{"id": 800}]), [refund("5.00")])
    assert [item.amount for item in given.refunds[0].adjustments] == [money("5.00")]
    with pytest.raises(NormalizationError) as caught:
        read(order(refunds=[{"id": 800}]), [refund("20.00", [back(-1, "-9.00", "-0.68")])])
    assert caught.value.reason.code == "TOTALS_MISMATCH"


def test_a_refund_goes_to_the_card_first_and_to_the_gift_card_for_the_rest() -> None:
    body = order(total="9.35", gift_cards=[{"id": 5, "amount": "20.00"}], refunds=[{"id": 800}])
    given = read(body, [refund("12.00")])
    assert [(row.kind, row.amount) for row in given.refunds[0].transactions] == [
        (TenderKind.MONEY, money("9.35")),
        (TenderKind.GIFT_CARD, money("2.65")),
    ]


def test_a_new_webhooks_ping_is_answered_and_nothing_else_passes_unsigned() -> None:
    credentials = WOO.credentials.model_validate(LOGINS["woocommerce"])
    assert is_ping(b"webhook_id=12")
    verify({}, b"webhook_id=12", credentials, NOW)  # type: ignore[arg-type]
    assert parse({}, b"webhook_id=12").parts == ()
    for body in (b"webhook_id=", b"webhook_id=1&x=2", b"webhook_id=12{}"):
        assert not is_ping(body)


def test_two_orders_of_one_second_share_a_delivery_id_and_are_told_apart() -> None:
    headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-id": "3", "x-wc-webhook-delivery-id": "d1"}
    first, second = orjson.dumps(order()), orjson.dumps(order(id=728, number="728"))
    assert parse(headers, first).delivery_id == parse(headers, first).delivery_id
    assert parse(headers, first).delivery_id != parse(headers, second).delivery_id
