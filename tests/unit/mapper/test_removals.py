"""What is left on a receipt of an order whose goods were taken off before it was paid (section 11, rule 7)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import D, configuration, first_refund, line, mapped, only, order, tender

from common.messages.orders import Order, OrderDiscount, RefundAdjustment, RefundLine, ShippingLine
from common.messages.transactions import Document, DocumentKind, LineKind

GOODS = (
    line("l1", "A", "10.00", "4", amount=D("36.00"), discount=D("4.00")),
    line("l2", "B", "5.00", "2"),
    line("l3", "C", "0.50"),
)


def removed(line_id: str, quantity: str, amount: str, discount: str = "0.00") -> RefundLine:
    return RefundLine(
        line_external_id=line_id, quantity=D(quantity), amount=D(amount), discount=D(discount), tax=D(0), restock=True
    )


def receipt_of(paid: str, *lines: RefundLine, refund: dict[str, Any] | None = None, **changes: Any) -> Document:
    taken_off = first_refund(lines=lines, tax=D("0.00"), transactions=(), **(refund or {}))
    values: dict[str, Any] = {"lines": GOODS, "total": D("46.50"), "tenders": (tender(paid),), "refunds": (taken_off,)}
    source: Order = order(**(values | changes))
    return only(mapped(source, configuration(show_line_discounts=True)), DocumentKind.SALES_RECEIPT)


def shown(document: Document) -> list[tuple[str, str | None, str]]:
    return [
        (one.source_line_id, str(one.quantity) if one.quantity else None, str(one.amount)) for one in document.lines
    ]


def test_a_line_keeps_the_discount_of_what_is_left_of_it() -> None:
    receipt = receipt_of("28.50", removed("l1", "2", "18.00", "2.00"))
    assert receipt.total == D("28.50")
    assert shown(receipt) == [
        ("l1", "2", "20.00"),
        ("l1", None, "-2.00"),
        ("l2", "2", "10.00"),
        ("l3", "1", "0.50"),
    ]


def test_a_line_that_was_taken_off_whole_is_gone_and_the_last_piece_stays() -> None:
    assert [name for name, _, _ in shown(receipt_of("36.50", removed("l2", "2", "10.00")))] == ["l1", "l1", "l3"]
    assert [name for name, _, _ in shown(receipt_of("46.00", removed("l3", "1", "0.50")))] == ["l1", "l1", "l2"]
    one_left = receipt_of("41.50", removed("l2", "1", "5.00"))
    assert ("l2", "1", "5.00") in shown(one_left)
    given = receipt_of("36.50", removed("l2", "1", "10.00"))
    assert ("l2", "1", "0.00") in shown(given), "a piece that is left for nothing was still sold"


def test_the_share_of_the_orders_own_discount_leaves_with_the_goods() -> None:
    coupon: dict[str, Any] = {"discounts": (OrderDiscount(code="FIVE", amount=D("5.00")),), "total": D("41.50")}
    receipt = receipt_of("32.57", removed("l2", "2", "8.93", "1.07"), **coupon)
    discounts = [str(one.amount) for one in receipt.lines if one.kind is LineKind.DISCOUNT and not one.source_line_id]
    assert discounts == ["-5.00", "1.07"]
    assert receipt.total == D("32.57")


def test_a_stated_adjustment_changes_what_is_owed_without_being_goods() -> None:
    adjusted = {"adjustments": (RefundAdjustment(title="Sorry", amount=D("1.00"), tax=D("0.50")),)}
    receipt = receipt_of("45.00", refund=adjusted)
    assert [str(one.amount) for one in receipt.lines if not one.source_line_id] == ["-1.50"]
    coupon: dict[str, Any] = {"discounts": (OrderDiscount(code="FIVE", amount=D("5.00")),), "total": D("41.50")}
    even = {"adjustments": (RefundAdjustment(title="Sorry", amount=D("1.07"), tax=D("0.00")),)}
    same = receipt_of("31.50", removed("l2", "2", "8.93", "1.07"), refund=even, **coupon)
    assert [str(one.amount) for one in same.lines if not one.source_line_id] == ["-5.00"], "the two come to nothing"


@pytest.mark.parametrize(
    ("back", "left"), [("3.00", ["1.00", "3.00"]), ("4.00", ["3.00"]), ("5.00", ["2.00"]), ("7.00", [])]
)
def test_shipping_is_taken_off_charge_by_charge(back: str, left: list[str]) -> None:
    charges = tuple(
        ShippingLine(external_id=name, title="Post", amount=D(amount), discount=D("0.00"))
        for name, amount in (("s1", "4.00"), ("s2", "3.00"))
    )
    receipt = receipt_of(
        str(D("53.50") - D(back)), refund={"shipping": D(back)}, shipping_lines=charges, total=D("53.50")
    )
    assert [str(one.amount) for one in receipt.lines if one.kind is LineKind.SHIPPING] == left


def test_a_line_of_no_quantity_is_taken_off_whole() -> None:
    nothing = line("l4", "D", "0.00", "0", amount=D("4.00"), discount=D("1.00"))
    receipt = receipt_of("46.50", removed("l4", "0", "4.00"), lines=(*GOODS, nothing), total=D("50.50"))
    assert [name for name, _, _ in shown(receipt)] == ["l1", "l1", "l2", "l3"]


def test_goods_taken_off_that_the_order_does_not_list_hold_it() -> None:
    taken_off = first_refund(lines=(removed("gone", "1", "5.00", "1.00"),), tax=D("0.00"), transactions=())
    source = order(lines=GOODS, total=D("46.50"), tenders=(tender("41.50"),), refunds=(taken_off,))
    result = mapped(source, configuration())
    assert (result.documents, result.reason and result.reason.code) == ((), "TOTALS_MISMATCH")
