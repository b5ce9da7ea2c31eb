"""What a refund's lines are written with: accounts, items, discounts and tax of what was sold (section 11, rule 3)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    line,
    mapped,
    only,
    order,
    refunded,
    tax,
    tender,
)
from tests.unit.mapper.test_rules import compiled, names_of, rule

from common.messages.orders import Order, OrderDiscount, Refund, RefundAdjustment, RefundLine, ShippingLine, Surcharge
from common.messages.transactions import AccountRole, Document, DocumentKind, DocumentLine, LineKind

RETURNS = company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"})


def back(source: Order, settings: Any = None, **more: Any) -> Document:
    return only(mapped(source, settings or configuration(), **more), DocumentKind.REFUND_RECEIPT)


def of_kind(document: Document, kind: LineKind) -> list[DocumentLine]:
    return [one for one in document.lines if one.kind is kind]


def lost(**changes: Any) -> Refund:
    """The first refund of example A, whose goods never came back."""
    (gone,) = first_refund().lines
    return first_refund(lines=(gone.model_copy(update={"restock": False}),), **changes)


def test_goods_that_do_not_come_back_are_returns_where_there_is_an_account_for_them_else_less_income() -> None:
    for books, name in ((RETURNS, "Returns"), (company(), ACCOUNTS[AccountRole.INCOME])):
        result = mapped(example_a(refunds=(lost(),)), configuration(books=books))
        refund = only(result, DocumentKind.REFUND_RECEIPT)
        (goods,) = of_kind(refund, LineKind.PRODUCT)
        assert goods.account.name == name
        item = next(one for one in result.items if one.key == goods.item_key)
        assert item.income_account is not None
        assert item.income_account.name == name
        assert item.name == configuration().connection.products.no_restock_item


def test_a_discount_of_the_line_itself_was_netted_and_does_not_come_back_on_a_line_of_its_own() -> None:
    sold = line("l1", "A", "10.00", "4", amount=D("36.00"), discount=D("4.00"))
    source = order(
        lines=(sold,),
        discounts=(OrderDiscount(code="TWO", amount=D("2.00")),),
        total=D("34.00"),
        tenders=(tender("34.00"),),
        refunds=(
            first_refund(
                lines=(
                    RefundLine(
                        line_external_id="l1",
                        quantity=D(2),
                        amount=D("17.00"),
                        discount=D("3.00"),
                        tax=D(0),
                        restock=True,
                    ),
                ),
                tax=D("0.00"),
                transactions=(refunded("17.00", "rt"),),
            ),
        ),
    )
    refund = back(source)
    # Of the 3.00, 2.00 are half of the line's own 4.00; the coupon's share of 1.00 goes back where it stood.
    assert [one.amount for one in of_kind(refund, LineKind.PRODUCT)] == [D("18.00")]
    assert [one.amount for one in of_kind(refund, LineKind.DISCOUNT)] == [D("-1.00")]
    shown = back(source, configuration(show_line_discounts=True))
    assert [one.amount for one in of_kind(shown, LineKind.PRODUCT)] == [D("20.00")]
    assert [one.amount for one in of_kind(shown, LineKind.DISCOUNT)] == [D("-3.00")]
    nothing = source.model_copy(update={"discounts": (), "total": D("36.00"), "tenders": (tender("36.00"),)})
    assert of_kind(back(nothing), LineKind.DISCOUNT) == []


def test_goods_that_the_order_does_not_list_come_back_with_their_whole_discount() -> None:
    (known,) = first_refund().lines
    unknown = first_refund(lines=(known.model_copy(update={"line_external_id": "gone"}),))
    settings = configuration(site="Main")
    refund = back(example_a(refunds=(unknown,)), settings)
    (goods,) = of_kind(refund, LineKind.PRODUCT)
    assert (goods.amount, goods.description, goods.class_name, goods.uom) == (D("25.00"), "", "", "")
    assert goods.site == "Main"
    (discount,) = of_kind(refund, LineKind.DISCOUNT)
    assert (discount.amount, discount.description) == (D("-1.79"), settings.connection.products.discount_item)


def test_shipping_that_goes_back_is_of_the_class_of_the_shipping_that_was_sold() -> None:
    rules = compiled(rule("map_shipping_class", "Freight"), rule("map_discount_class", "Coupons"))
    sent = first_refund(shipping=D("7.95"), transactions=(refunded("32.61", "rt"),))
    result = mapped(example_a(refunds=(sent,)), configuration(), rules=rules)
    for document in result.documents:
        assert [one.class_name for one in of_kind(document, LineKind.SHIPPING)] == ["Freight"]
        assert {one.class_name for one in of_kind(document, LineKind.DISCOUNT)} == {"Coupons"}
    assert names_of(result)[of_kind(result.documents[1], LineKind.SHIPPING)[0].item_key or ""] == "Shipping"


def test_lines_say_more_tax_than_the_refund_and_the_refund_wins() -> None:
    (goods,) = first_refund().lines
    lines = (goods.model_copy(update={"taxes": (tax("2.00"), tax("1.00", "City", None)), "tax": D("1.50")}),)
    source = example_a(refunds=(first_refund(lines=lines, tax=D("1.50"), transactions=(refunded("24.71", "rt"),)),))
    assert [one.amount for one in back(source).taxes] == [D("1.00"), D("0.50")]
    agreed = lines[0].model_copy(update={"taxes": (tax("1.00"), tax("0.50", "City", None))})
    source = example_a(refunds=(first_refund(lines=(agreed,), tax=D("1.50"), transactions=(refunded("24.71", "rt"),)),))
    assert [one.amount for one in back(source).taxes] == [D("1.00"), D("0.50")]
    less = lines[0].model_copy(update={"taxes": (tax("1.00", "City", None),)})
    source = example_a(refunds=(first_refund(lines=(less,), tax=D("1.50"), transactions=(refunded("24.71", "rt"),)),))
    assert sorted(one.amount for one in back(source).taxes) == [D("0.50"), D("1.00")], "the rest as it was sold"


def test_an_adjustment_goes_back_by_its_own_item_to_returns() -> None:
    adjusted = first_refund(
        adjustments=(RefundAdjustment(title="Goodwill", amount=D("2.00"), tax=D("0.00")),),
        transactions=(refunded("26.66", "rt"),),
    )
    result = mapped(example_a(refunds=(adjusted,)), configuration(books=RETURNS))
    (added,) = of_kind(only(result, DocumentKind.REFUND_RECEIPT), LineKind.REFUND_ADJUSTMENT)
    assert (added.amount, added.description, added.account.name) == (D("2.00"), "Goodwill", "Returns")
    assert names_of(result)[added.item_key or ""] == configuration().connection.products.refund_adjustment_item


def test_charges_without_an_amount_are_left_out_and_those_after_them_are_not() -> None:
    charges = (
        ShippingLine(external_id="s0", title="Free", amount=D("0.00"), discount=D("0.00")),
        ShippingLine(external_id="s1", title="", amount=D("7.95"), discount=D("0.00")),
    )
    source = example_a(shipping_lines=charges, ship_method="Courier")
    (receipt,) = mapped(source, configuration()).documents
    assert [(one.source_line_id, one.description) for one in of_kind(receipt, LineKind.SHIPPING)] == [("s1", "Courier")]
    unnamed = mapped(source.model_copy(update={"ship_method": ""}), configuration()).documents[0]
    assert [one.description for one in of_kind(unnamed, LineKind.SHIPPING)] == ["Shipping"]


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "wanted"),
    [
        ("3", "3.33", "10.00", None),
        ("4", "3.33", "10.00", "2.50"),
        ("3", "3.3333", "10.00", "3.3333"),
        ("4096", "0.01", "1.00", "0.000244140625"),
        ("8192", "0.01", "1.00", None),
        ("0", "5.00", "5.00", None),
    ],
)
def test_a_price_is_written_only_where_it_makes_the_amount(
    quantity: str, price: str, amount: str, wanted: str | None
) -> None:
    sold = line("l1", "A", price, quantity, amount=D(amount))
    source = order(lines=(sold,), total=D(amount), tenders=(tender(amount),))
    (receipt,) = mapped(source, configuration()).documents
    assert receipt.lines[0].amount == D(amount)
    assert receipt.lines[0].unit_price == (None if wanted is None else D(wanted))


def test_every_tax_of_a_line_counts_to_its_tax() -> None:
    sold = line("l1", "A", "10.00", taxes=(tax("1.00"), tax("0.50", "City", None)))
    source = order(
        lines=(sold,),
        taxes=(tax("1.00"), tax("0.50", "City", None)),
        tax_total=D("1.50"),
        total=D("11.50"),
        tenders=(tender("11.50"),),
    )
    (receipt,) = mapped(source, configuration(tax={"method": "tax_codes"})).documents
    assert [one.tax_amount for one in of_kind(receipt, LineKind.PRODUCT)] == [D("1.50")]


def test_a_gift_card_that_is_given_back_is_taken_off_what_cards_are_owed() -> None:
    gone = RefundLine(line_external_id="l1", quantity=D(1), amount=D("25.00"), discount=D(0), tax=D(0))
    source = order(
        lines=(line("l1", "GIFT", "25.00", is_gift_card=True),),
        total=D("25.00"),
        tenders=(tender("25.00"),),
        refunds=(first_refund(lines=(gone,), tax=D("0.00"), transactions=(refunded("25.00", "rt"),)),),
    )
    (card,) = back(source).lines
    assert (card.kind, card.account.role, card.amount) == (
        LineKind.GIFT_CARD_SALE,
        AccountRole.GIFT_CARDS,
        D("25.00"),
    )


def test_a_surcharge_of_nothing_leaves_those_after_it() -> None:
    charges = (
        Surcharge(external_id="x1", title="Free", amount=D("0.00")),
        Surcharge(external_id="x2", title="Wrap", amount=D("1.00")),
    )
    source = example_a(surcharges=charges, total=D("78.00"), tenders=(tender("78.00"),))
    (receipt,) = mapped(source, configuration()).documents
    assert [(one.description, one.amount) for one in of_kind(receipt, LineKind.SURCHARGE)] == [("Wrap", D("1.00"))]
