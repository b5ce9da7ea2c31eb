"""What a Shopify order becomes, rule by rule; amounts are those of the domain reference where it has them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.connectors.conftest import account, normalized

from common.messages.orders import Order, TenderKind, TenderStatus
from ingest.channels import BY_NAME
from ingest.channels.shopify.webhook import to_part
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Part, PartKind, Source

SHOPIFY = BY_NAME["shopify"]
AT = "2026-05-01T23:30:00-05:00"


def tax(amount: str, rate: float = 0.0625, title: str = "State tax") -> dict[str, Any]:
    return {"title": title, "price": amount, "rate": rate}


def line(number: int, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "name": f"Thing {number}", "sku": f"S{number}", "price": price, "quantity": quantity,
        "tax_lines": [], "discount_allocations": [], **more,
    }  # fmt: skip


def order(**more: Any) -> dict[str, Any]:
    """Running example A: 2 × 25.00 + 19.99, coupon 5.00, shipping 7.95, tax 6.25 % of 64.99, total 77.00."""
    body: dict[str, Any] = {
        "id": 1001, "name": "#1001", "created_at": AT, "updated_at": AT, "processed_at": AT, "currency": "USD",
        "financial_status": "pending", "fulfillment_status": None, "taxes_included": False, "total_price": "77.00",
        "current_total_price": "77.00", "total_outstanding": "77.00", "total_tax": "4.06", "total_discounts": "5.00",
        "tax_lines": [tax("4.06")], "payment_gateway_names": ["visa"], "refunds": [],
        "discount_applications": [
            {"target_type": "line_item", "value_type": "fixed_amount", "allocation_method": "across",
             "target_selection": "all", "code": "FIVE"},
        ],
        "line_items": [
            line(1, "25.00", 2, discount_allocations=[{"amount": "3.57", "discount_application_index": 0}],
                 tax_lines=[tax("2.90")]),
            line(2, "19.99", discount_allocations=[{"amount": "1.43", "discount_application_index": 0}],
                 tax_lines=[tax("1.16")]),
        ],
        "shipping_lines": [{"id": 9, "title": "Ground", "price": "7.95", "tax_lines": [], "discount_allocations": []}],
    }  # fmt: skip
    return body | more


def paid(**more: Any) -> dict[str, Any]:
    return order(**{"financial_status": "paid", "total_outstanding": "0.00", **more})


def transaction(number: int, amount: str, kind: str = "sale", **more: Any) -> dict[str, Any]:
    return {
        "id": number, "order_id": 1001, "kind": kind, "status": "success", "gateway": "visa", "amount": amount,
        "currency": "USD", "created_at": AT, "authorization": f"auth-{number}", **more,
    }  # fmt: skip


def read(body: dict[str, Any], *transactions: dict[str, Any], fetches: bool = True, **options: Any) -> Order:
    parts = [_part("orders/updated", body)]
    parts += [_part("order_transactions/create", row) for row in transactions]
    return normalized(SHOPIFY, parts, account("America/Chicago", fetches=fetches, **options))


def _part(topic: str, body: dict[str, Any]) -> Part:
    made = to_part(topic, body, orjson.dumps(body))
    assert made is not None
    return made


def refund(number: int, *, lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "order_id": 1001, "created_at": AT, "processed_at": AT, "refund_line_items": lines or [],
        "order_adjustments": [], "transactions": [], **more,
    }  # fmt: skip


def money(text: str) -> Decimal:
    return Decimal(text)


def test_a_fixed_amount_off_the_whole_order_is_one_discount_and_lines_keep_their_price() -> None:
    given = read(order())
    assert [row.amount for row in given.lines] == [money("50.00"), money("19.99")]
    assert [row.discount for row in given.lines] == [money("0.00"), money("0.00")]
    assert [(row.code, row.amount) for row in given.discounts] == [("FIVE", money("5.00"))]
    assert (given.total, given.tax_total, given.rounding) == (money("77.00"), money("4.06"), money("0.00"))


def test_a_percentage_stays_on_its_lines() -> None:
    body = order()
    body["discount_applications"][0] |= {"value_type": "percentage", "value": "7.14"}
    given = read(body)
    assert [row.amount for row in given.lines] == [money("46.43"), money("18.56")]
    assert [row.discount for row in given.lines] == [money("3.57"), money("1.43")]
    assert given.discounts == ()


def test_prices_with_tax_become_net_by_the_tax_the_channel_charged() -> None:
    body = order(
        currency="EUR", taxes_included=True, total_price="14.90", current_total_price="14.90", total_tax="1.35",
        total_discounts="0.00", tax_lines=[tax("1.35", 0.1, "MwSt")], shipping_lines=[], discount_applications=[],
        line_items=[line(1, "14.90", tax_lines=[tax("1.35", 0.1, "MwSt")])],
    )  # fmt: skip
    given = read(body)
    assert (given.lines[0].amount, given.tax_total, given.total) == (money("13.55"), money("1.35"), money("14.90"))
    assert (given.lines[0].unit_price, given.tax_included, given.rounding) == (money("13.55"), True, money("0.00"))


def test_inclusive_prices_with_a_discount_on_the_whole_order_balance_net() -> None:
    body = order(
        taxes_included=True, total_price="107.10", current_total_price="107.10", total_tax="17.10",
        total_discounts="11.90", tax_lines=[tax("17.10", 0.19)], shipping_lines=[],
        line_items=[
            line(1, "119.00", tax_lines=[tax("17.10", 0.19)],
                 discount_allocations=[{"amount": "11.90", "discount_application_index": 0}]),
        ],
    )  # fmt: skip
    given = read(body)
    assert (given.lines[0].amount, given.discounts[0].amount) == (money("100.00"), money("10.00"))
    assert given.rounding == 0


def test_a_cent_is_rounding_and_half_a_unit_is_refused_with_both_numbers() -> None:
    assert read(order(total_price="77.01")).rounding == money("0.01")
    assert read(order(total_price="76.98")).rounding == money("-0.02")
    with pytest.raises(NormalizationError) as caught:
        read(order(total_price="77.50"))
    assert caught.value.reason.code == "TOTALS_MISMATCH"
    assert "77.50" in caught.value.reason.text
    assert "77.00" in caught.value.reason.text


def test_the_day_of_the_sale_is_the_shops_own() -> None:
    given = read(order())
    assert given.ordered_on.isoformat() == "2026-05-01"
    assert given.created_at == datetime(2026, 5, 2, 4, 30, tzinfo=UTC)


def test_transactions_become_tenders_each_of_its_kind() -> None:
    given = read(
        paid(payment_gateway_names=["visa", "gift_card"]),
        transaction(1, "47.00"),
        transaction(2, "30.00", gateway="gift_card", authorization=None),
        transaction(3, "47.00", status="failure"),
        transaction(4, "77.00", kind="authorization"),
    )
    assert [(t.external_id, t.kind, t.amount, t.reference) for t in given.tenders] == [
        ("1", TenderKind.MONEY, money("47.00"), "auth-1"),
        ("2", TenderKind.GIFT_CARD, money("30.00"), "2"),
    ]


def test_two_equal_payments_of_one_day_are_two_tenders() -> None:
    given = read(paid(), transaction(1, "38.50"), transaction(2, "38.50"))
    assert [tender.amount for tender in given.tenders] == [money("38.50"), money("38.50")]


def test_change_given_back_is_taken_off_the_cash_it_belongs_to() -> None:
    given = read(
        paid(payment_gateway_names=["cash"]),
        transaction(1, "80.00", gateway="cash"),
        transaction(2, "3.00", kind="change", gateway="cash", parent_id=1),
    )
    assert [tender.amount for tender in given.tenders] == [money("77.00")]


def test_a_capture_that_was_voided_is_no_money() -> None:
    body = order(financial_status="voided")
    given = read(body, transaction(1, "77.00", kind="capture"), transaction(2, "77.00", kind="void", parent_id=1))
    assert [tender.status for tender in given.tenders] == [TenderStatus.VOIDED]


def test_an_authorisation_is_no_payment_and_needs_no_transactions() -> None:
    assert read(order(financial_status="authorized")).tenders == ()


def test_a_fully_discounted_order_is_paid_without_a_tender() -> None:
    body = paid(total_price="0.00", current_total_price="0.00", total_tax="0", tax_lines=[], total_discounts="25.00",
                shipping_lines=[], payment_gateway_names=[],
                line_items=[
                    line(1, "25.00", discount_allocations=[{"amount": "25.00", "discount_application_index": 0}]),
                ])  # fmt: skip
    given = read(body)
    assert (given.total, given.tenders) == (money("0.00"), ())


def test_a_paid_order_without_transactions_is_fetched_where_that_is_possible() -> None:
    with pytest.raises(IncompleteOrder, match=r"77\.00 USD was paid"):
        read(paid())
    with pytest.raises(IncompleteOrder):
        read(paid(), transaction(1, "30.00"))


def test_a_fetched_list_as_new_as_the_order_is_final_whatever_it_adds_up_to() -> None:
    rows = orjson.dumps([transaction(1, "30.00")])
    when = datetime(2026, 5, 2, 4, 30, tzinfo=UTC)
    listed = Part(PartKind.TRANSACTIONS, "1001", rows, when, source=Source.API)
    given = normalized(SHOPIFY, [_part("orders/updated", paid()), listed], account("UTC"))
    assert [tender.amount for tender in given.tenders] == [money("30.00")]


def test_without_access_one_gateway_gives_one_derived_tender_and_a_later_payment_another() -> None:
    first = read(order(financial_status="partially_paid", total_outstanding="47.00"), fetches=False)
    assert [(t.external_id, t.amount) for t in first.tenders] == [("derived:1001:1", money("30.00"))]
    note = orjson.dumps([{"external_id": "derived:1001:1", "method": "visa", "amount": "30.00", "at": AT}])
    parts = [
        _part("orders/updated", paid(updated_at="2026-05-03T10:00:00-05:00")),
        Part(PartKind.DERIVED_TENDER, "1001", note, datetime(1970, 1, 1, tzinfo=UTC), source=Source.OWN),
    ]
    second = normalized(SHOPIFY, parts, account("UTC", fetches=False))
    assert [(t.external_id, t.amount) for t in second.tenders] == [
        ("derived:1001:1", money("30.00")),
        ("derived:1001:2", money("47.00")),
    ]


def test_without_access_a_split_between_gateways_is_never_guessed() -> None:
    with pytest.raises(IncompleteOrder, match="2 payment gateways"):
        read(paid(payment_gateway_names=["visa", "gift_card"]), fetches=False)


def test_a_test_order_never_syncs() -> None:
    with pytest.raises(OutOfScope) as caught:
        read(order(test=True))
    assert caught.value.reason.code == "TEST_ORDER"


def test_an_edit_newer_than_the_order_waits_for_the_order() -> None:
    edit = {"id": 5, "order_id": 1001, "created_at": AT, "committed_at": "2026-05-02T12:00:00-05:00"}
    parts = [_part("orders/updated", order()), _part("orders/edited", {"order_edit": edit})]
    with pytest.raises(IncompleteOrder, match="edit"):
        normalized(SHOPIFY, parts)
    newer = order(updated_at="2026-05-02T12:00:00-05:00")
    parts[0] = _part("orders/updated", newer)
    assert normalized(SHOPIFY, parts).total == money("77.00")


def returned(line_id: int, quantity: int, subtotal: str, tax_amount: str, restock: str = "return") -> dict[str, Any]:
    return {
        "line_item_id": line_id, "quantity": quantity, "subtotal": float(subtotal), "total_tax": float(tax_amount),
        "restock_type": restock,
    }  # fmt: skip


def test_a_partial_refund_is_read_as_stated_and_the_rest_adds_up_to_the_total() -> None:
    first = refund(
        21, lines=[returned(1, 1, "23.21", "1.45")], transactions=[transaction(31, "24.66", kind="refund", parent_id=1)]
    )
    rest = refund(
        22,
        lines=[returned(1, 1, "23.22", "1.45"), returned(2, 1, "18.56", "1.16", "no_restock")],
        order_adjustments=[{"kind": "shipping_refund", "amount": "-7.95", "tax_amount": "0.00"}],
        transactions=[transaction(32, "52.34", kind="refund", parent_id=1)],
    )
    body = order(
        financial_status="refunded", total_outstanding="0.00", current_total_price="0.00", refunds=[first, rest]
    )
    given = read(body, transaction(1, "77.00"))
    one, two = given.refunds
    assert (one.lines[0].amount, one.lines[0].discount, one.lines[0].tax) == (
        money("23.21"),
        money("1.79"),
        money("1.45"),
    )
    assert (one.lines[0].restock, two.lines[1].restock) == (True, False)
    assert (two.shipping, two.shipping_tax, two.tax) == (money("7.95"), money("0.00"), money("2.61"))
    assert [row.amount for r in given.refunds for row in r.transactions] == [money("24.66"), money("52.34")]
    assert all(row.tender_external_id == "1" for r in given.refunds for row in r.transactions)
    assert given.tenders[0].amount == money("77.00")


def test_an_amount_only_refund_is_one_adjustment() -> None:
    body = paid(refunds=[refund(21, transactions=[transaction(31, "10.00", kind="refund")])],
                financial_status="partially_refunded", current_total_price="67.00")  # fmt: skip
    given = read(body, transaction(1, "77.00"))
    assert [(item.amount, item.tax) for item in given.refunds[0].adjustments] == [(money("10.00"), money("0.00"))]


def test_a_refund_that_does_not_add_up_is_refused_with_both_numbers() -> None:
    wrong = refund(21, lines=[returned(1, 1, "23.21", "1.45")], transactions=[transaction(31, "50.00", kind="refund")])
    body = paid(refunds=[wrong], financial_status="partially_refunded", current_total_price="27.00")
    with pytest.raises(NormalizationError) as caught:
        read(body, transaction(1, "77.00"))
    assert caught.value.reason.code == "TOTALS_MISMATCH"
    assert "50.00" in caught.value.reason.text
    assert "24.66" in caught.value.reason.text


def test_a_refund_whose_money_has_not_moved_is_left_out_until_it_has() -> None:
    pending = refund(
        21,
        lines=[returned(1, 1, "23.21", "1.45")],
        transactions=[transaction(31, "24.66", kind="refund", status="pending")],
    )
    assert read(paid(refunds=[pending]), transaction(1, "77.00")).refunds == ()


def test_what_an_edit_took_out_of_an_unpaid_order_leaves_the_sale() -> None:
    removal = refund(21, lines=[returned(2, 1, "18.56", "1.16", "cancel")])
    body = order(refunds=[removal], current_total_price="57.28", total_outstanding="57.28")
    given = read(body)
    assert [row.external_id for row in given.lines] == ["1"]
    assert (given.total, given.tax_total, given.discounts[0].amount) == (money("57.28"), money("2.90"), money("3.57"))
    assert given.refunds == ()
    assert given.rounding == 0


def test_what_an_edit_took_out_of_a_paid_order_waits_for_its_money_and_is_joined_with_it() -> None:
    removal = refund(21, lines=[returned(2, 1, "18.56", "1.16", "cancel")])
    body = paid(refunds=[removal], current_total_price="57.28", total_outstanding="-19.72")
    waiting = read(body, transaction(1, "77.00"))
    assert (waiting.total, len(waiting.refunds), waiting.refunds[0].transactions) == (money("77.00"), 1, ())
    money_back = refund(22, transactions=[transaction(31, "19.72", kind="refund", parent_id=1)])
    body = paid(refunds=[removal, money_back], financial_status="partially_refunded", current_total_price="57.28")
    done = read(body, transaction(1, "77.00"))
    assert [(r.external_id, len(r.lines), r.adjustments) for r in done.refunds] == [("22", 1, ())]
    assert done.refunds[0].transactions[0].amount == money("19.72")


def test_cancelling_an_unpaid_order_leaves_its_total_for_the_void() -> None:
    restocked = refund(21, lines=[returned(1, 2, "46.43", "2.90", "cancel"), returned(2, 1, "18.56", "1.16", "cancel")])
    body = order(financial_status="voided", cancelled_at=AT, refunds=[restocked], current_total_price="0.00")
    given = read(body)
    assert (given.lifecycle.value, given.total, given.refunds) == ("cancelled", money("77.00"), ())


def test_an_order_older_than_its_refund_waits() -> None:
    late = refund(21, created_at="2026-05-04T10:00:00Z", processed_at="2026-05-04T10:00:00Z")
    with pytest.raises(IncompleteOrder, match="older than a refund"):
        normalized(SHOPIFY, [_part("orders/updated", order()), _part("refunds/create", late)])


def bag(shop: str, buyer: str) -> dict[str, Any]:
    return {
        "shop_money": {"amount": shop, "currency_code": "USD"},
        "presentment_money": {"amount": buyer, "currency_code": "JPY"},
    }


def two_currencies() -> dict[str, Any]:
    return order(
        presentment_currency="JPY", total_price="20.00", total_price_set=bag("20.00", "2980"), total_tax="0.00",
        total_tax_set=bag("0.00", "0"), total_discounts="0.00", total_discounts_set=bag("0.00", "0"), tax_lines=[],
        shipping_lines=[], discount_applications=[],
        line_items=[line(1, "20.00", price_set=bag("20.00", "2980.0"))],
    )  # fmt: skip


def test_the_buyers_currency_is_booked_unless_the_connection_books_in_the_shops() -> None:
    buyer = read(two_currencies())
    assert (buyer.currency, buyer.total, buyer.lines[0].amount) == ("JPY", money("2980"), money("2980"))
    assert buyer.exchange_rate == money("0.00671141")
    shop = read(two_currencies(), store_currency=True)
    assert (shop.currency, shop.total, shop.exchange_rate, shop.customer_currency) == (
        "USD",
        money("20.00"),
        None,
        "JPY",
    )


def test_a_payment_in_another_currency_is_refused_not_converted() -> None:
    body = two_currencies() | {"financial_status": "paid", "total_outstanding": "0.00"}
    with pytest.raises(NormalizationError) as caught:
        read(body, transaction(1, "20.00"))
    assert caught.value.reason.code == "CURRENCY_MISMATCH"


def test_tips_duties_fees_gift_cards_and_removed_shipping_find_their_place() -> None:
    body = order(
        total_price="133.00", total_tip_received="10.00", total_discounts="5.00",
        original_total_additional_fees_set={"shop_money": {"amount": "1.00", "currency_code": "USD"}},
        line_items=[
            *order()["line_items"],
            line(3, "30.00", gift_card=True, duties=[{"price": "15.00", "tax_lines": []}]),
        ],
        shipping_lines=[*order()["shipping_lines"], {"id": 8, "price": "99.00", "is_removed": True}],
    )  # fmt: skip
    given = read(body)
    assert given.tips == money("10.00")
    assert [row.is_gift_card for row in given.lines] == [False, False, True]
    assert [(item.title, item.amount) for item in given.surcharges] == [
        ("Duties", money("15.00")),
        ("Additional fees", money("1.00")),
    ]
    assert len(given.shipping_lines) == 1


def test_tax_the_marketplace_pays_itself_is_counted_as_remitted() -> None:
    given = read(order(tax_lines=[tax("4.06") | {"channel_liable": True}]))
    assert given.tax_remitted == money("4.06")
