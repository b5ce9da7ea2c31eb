"""Custom stores: refunds of discounted orders to the cent, details that the ledger wants, and the older contract."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.connectors.conftest import account, normalized

from common.messages.orders import FinancialStatus, FulfillmentStatus, Order
from ingest.channels import BY_NAME
from ingest.channels.custom.compatible import split, to_native
from ingest.errors import NormalizationError
from ingest.parts import Part, PartKind, Source
from ingest.privacy import WITHOUT_PEOPLE

D = Decimal
AT = "2026-03-02T12:00:00+00:00"


def read(document: dict[str, Any], tolerance: Decimal | None = None) -> Order:
    part = Part(PartKind.ORDER, "9", orjson.dumps(document), datetime(2026, 3, 2, tzinfo=UTC), source=Source.WEBHOOK)
    return normalized(BY_NAME["custom"], [part], replace(account(), rounding_tolerance=tolerance))


def example_a(**changes: Any) -> dict[str, Any]:
    """The order of the worked example, as a store writes it: the coupon stands on the whole order."""
    return {
        "external_id": "9",
        "order_number": "1001",
        "status": "paid",
        "created_at": AT,
        "updated_at": AT,
        "currency": "USD",
        "prices_include_tax": False,
        "lines": [
            {
                "external_id": "l1",
                "sku": "HAMMER",
                "name": "Hammer",
                "quantity": "2",
                "unit_price": "25.00",
                "taxes": [{"name": "State tax", "rate": "0.0625", "amount": "2.90"}],
            },
            {
                "external_id": "l2",
                "sku": "NAILS",
                "name": "Nails",
                "quantity": "1",
                "unit_price": "19.99",
                "taxes": [{"name": "State tax", "rate": "0.0625", "amount": "1.16"}],
            },
        ],
        "shipping": [{"name": "Ground", "amount": "7.95"}],
        "discounts": [{"code": "SAVE5", "scope": "order", "amount": "5.00"}],
        "totals": {"grand_total": "77.00"},
        "payments": [{"external_id": "t1", "method": "card", "amount": "77.00"}],
    } | changes


def refund(external_id: str, amount: str, *lines: tuple[str, str, str], shipping: str = "0") -> dict[str, Any]:
    rows = [
        {"line_external_id": line, "quantity": "1", "amount": net, "tax": tax, "restock": True}
        for line, net, tax in lines
    ]
    return {
        "external_id": external_id,
        "created_at": "2026-03-10T12:00:00+00:00",
        "amount": amount,
        "shipping": shipping,
        "lines": rows,
    }


def test_a_refund_gives_its_share_of_the_orders_discount_back() -> None:
    back = [
        refund("r1", "24.66", ("l1", "23.21", "1.45")),
        refund("r2", "52.34", ("l1", "23.21", "1.45"), ("l2", "18.57", "1.16"), shipping="7.95"),
    ]
    order = read(example_a(refunds=back))
    assert [[line.discount for line in one.lines] for one in order.refunds] == [[D("1.79")], [D("1.79"), D("1.42")]]
    assert [[line.amount for line in one.lines] for one in order.refunds] == [[D("23.21")], [D("23.21"), D("18.57")]]


@pytest.mark.parametrize(("net", "tax"), [("25.00", "1.45"), ("10.00", "0.63")])
def test_what_is_no_share_of_a_discount_is_none(net: str, tax: str) -> None:
    (one,) = read(example_a(refunds=[refund("r1", f"{D(net) + D(tax)}", ("l1", net, tax))])).refunds
    assert (one.lines[0].discount, one.lines[0].amount) == (D("0.00"), D(net))


def test_what_a_document_has_beyond_the_contract_is_left_aside() -> None:
    more = example_a(weight="2 kg")
    more["totals"] |= {"paid": "77.00"}
    assert read(more) == read(example_a())


def test_a_cent_of_a_refund_is_left_to_the_rounding_line() -> None:
    (one,) = read(example_a(refunds=[refund("r1", "24.67", ("l1", "23.21", "1.45"))])).refunds
    assert one.adjustments == ()
    assert one.transactions[0].amount == D("24.67")


def test_the_connections_tolerance_decides_what_is_rounding() -> None:
    off = example_a(totals={"grand_total": "77.10"}, payments=[])
    assert read(off, D("0.10")).rounding == D("0.10")
    for tolerance in (None, D("0.09")):
        with pytest.raises(NormalizationError, match=r"77\.10"):
            read(off, tolerance)
    cent = example_a(totals={"grand_total": "77.01"}, payments=[])
    assert read(cent).rounding == D("0.01")
    with pytest.raises(NormalizationError, match=r"77\.01"):
        read(cent, D("0.00"))
    refunded = example_a(refunds=[refund("r1", "24.86", ("l1", "23.21", "1.45"))])
    assert read(refunded, D("0.20")).refunds[0].transactions[0].amount == D("24.86")
    with pytest.raises(NormalizationError, match=r"24\.86"):
        read(refunded)


def test_details_of_lines_and_money_reach_the_order() -> None:
    line = example_a()["lines"][0] | {
        "description": "Sold by each",
        "product_id": "p1",
        "variant_id": "v1",
        "fulfilled_quantity": "1",
        "shipped_at": "2026-03-04T23:30:00-05:00",
        "taxes": [
            {"name": "Sales tax", "jurisdiction": "State", "rate": "0.05", "amount": "2.00"},
            {"name": "Sales tax", "jurisdiction": "City", "rate": "0.05", "amount": "0.90"},
        ],
    }
    order = read(
        example_a(
            lines=[line, example_a()["lines"][1]],
            fulfillment_status="partial",
            merchant_fee="2.53",
            shipping_cost="6.1",
            shipped_at="2026-03-03T12:00:00+00:00",
            customer={"external_id": "c1", "price_level": "Wholesale"},
        )
    )
    first = order.lines[0]
    assert (first.description, first.product_id, first.variant_id) == ("Sold by each", "p1", "v1")
    assert (first.fulfilled_quantity, order.lines[1].fulfilled_quantity) == (D(1), None)
    assert (first.ship_date, order.ship_date) == (date(2026, 3, 5), date(2026, 3, 3))
    assert (order.merchant_fee, order.shipping_cost) == (D("2.53"), D("6.10"))
    assert order.customer is not None
    assert order.customer.price_level == "Wholesale"
    assert [(tax.title, tax.jurisdiction, tax.amount) for tax in order.taxes] == [
        ("Sales tax", "State", D("2.00")),
        ("Sales tax", "City", D("0.90")),
        ("State tax", "", D("1.16")),
    ]


def test_notes_of_the_buyer_of_the_merchant_and_for_a_present_are_kept_apart_and_forgotten_together() -> None:
    order = read(example_a(note="Ring twice", private_note="Likely fraud", gift_message="For Ada"))
    assert (order.note, order.private_note, order.gift_message) == ("Ring twice", "Likely fraud", "For Ada")
    bare = read(example_a())
    assert (bare.note, bare.private_note, bare.gift_message) == ("", "", "")
    gone = order.model_copy(update=WITHOUT_PEOPLE)
    assert (gone.note, gone.private_note, gone.gift_message) == ("", "", "")


def test_every_financial_status_of_the_reference_can_be_said() -> None:
    for status in FinancialStatus:
        assert read(example_a(status=status.value)).financial_status is status


def envelope(status: str, *payments: dict[str, Any]) -> dict[str, Any]:
    order = {
        "orderNumber": "3",
        "orderStatus": status,
        "creationDate": AT,
        "currencyCode": "USD",
        "total": 20,
        "orderDetails": [{"id": 1, "sku": "A", "quantity": 1, "priceExclTax": 20, "priceInclTax": 20}],
    }
    return {"orders": [order], "payments": [{"orderNumber": "3", **one} for one in payments]}


@pytest.mark.parametrize(
    ("status", "financial", "fulfillment"),
    [
        ("awaiting_payment", FinancialStatus.PENDING, FulfillmentStatus.UNFULFILLED),
        ("awaiting_shipment", FinancialStatus.PAID, FulfillmentStatus.UNFULFILLED),
        ("on_hold", FinancialStatus.PAID, FulfillmentStatus.UNFULFILLED),
        ("Shipped", FinancialStatus.PAID, FulfillmentStatus.FULFILLED),
        ("completed", FinancialStatus.PAID, FulfillmentStatus.FULFILLED),
    ],
)
def test_statuses_of_the_older_contract(
    status: str, financial: FinancialStatus, fulfillment: FulfillmentStatus
) -> None:
    order = read(envelope(status))
    assert (order.financial_status, order.fulfillment_status) == (financial, fulfillment)


def test_two_payments_without_an_id_are_two_and_stay_the_same_two() -> None:
    half = {"paymentAmount": 10, "paymentDate": AT, "creditCardName": "Visa", "paymentType": "card"}
    ids = [tender.external_id for tender in read(envelope("paid", half, half)).tenders]
    assert len(set(ids)) == 2
    other = {**half, "referenceNumber": "R2"}
    again = [tender.external_id for tender in read(envelope("paid", other, half, half)).tenders]
    assert again[1:] == ids, "what came first is not known by its place among others"
    named = to_native(split(envelope("paid", {**half, "id": 7}))[0])
    assert named["payments"][0]["external_id"] == "7"
