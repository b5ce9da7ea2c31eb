"""What an order's tenders and refunds mean, to the cent: situations, natures of refunds, taxes and shipments."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.unit.mapper.samples import (
    D,
    configuration,
    example_a,
    first_refund,
    line,
    mapped,
    order,
    refunded,
    tax,
    tender,
)

from common.messages.orders import (
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    Refund,
    ShippingLine,
    Surcharge,
    TenderStatus,
)
from mapper.mapping.closing import parts_of, shipments
from mapper.mapping.directives import NO_DIRECTIVES, Directives
from mapper.mapping.facts import STATED_TENDER, RefundNature, read_facts
from mapper.mapping.history import FIRST_TIME
from mapper.mapping.modes import Situation
from mapper.mapping.tax import charged_taxes, group_taxes, scaled_taxes, without_remitted

CENT = D("0.01")


def back(returned: str, *, lines: bool = True, tax_back: str = "0.00", **changes: object) -> Refund:
    """A refund of one line worth 24.66 with its tax, or of tax and shipping only."""
    given: dict[str, object] = {"transactions": (refunded(returned, "rt"),) if D(returned) else ()}
    if not lines:
        given |= {"lines": (), "tax": D(tax_back)}
    return first_refund(**(given | changes))


def paid(amount: str, *refunds: Refund, **changes: object) -> Order:
    tenders = (tender(amount),) if D(amount) else ()
    return example_a(tenders=tenders, refunds=refunds, financial_status=FinancialStatus.PENDING, **changes)


NATURES = [
    # paid   refund                                          nature                        credit
    ("77.00", back("24.66"),                                 RefundNature.MONEY,           "0"),
    ("77.00", back("24.67"),                                 RefundNature.MONEY,           "0"),
    ("77.00", back("24.65"),                                 RefundNature.MONEY,           "0"),
    ("77.00", back("24.68"),                                 RefundNature.MISMATCH,        "0"),
    ("77.00", back("24.60"),                                 RefundNature.MISMATCH,        "0"),
    ("77.00", back("0.00"),                                  RefundNature.STOCK_ONLY,      "0"),
    ("0.00",  back("0.00"),                                  RefundNature.REMOVAL,         "24.66"),
    ("52.34", back("0.00"),                                  RefundNature.REMOVAL,         "24.66"),
    ("52.35", back("0.00"),                                  RefundNature.STOCK_ONLY,      "0"),
    ("62.34", back("10.00"),                                 RefundNature.PART_CREDIT,     "14.66"),
    ("62.35", back("10.00"),                                 RefundNature.MISMATCH,        "0"),
    ("77.00", back("10.00", lines=False),                    RefundNature.AMOUNT_ONLY,     "0"),
    ("77.00", back("0.50", lines=False),                     RefundNature.AMOUNT_ONLY,     "0"),
    ("77.00", back("0.01", lines=False),                     RefundNature.AMOUNT_ONLY,     "0"),
    ("77.00", back("1.00", lines=False, tax_back="1.00"),    RefundNature.MONEY,           "0"),
    ("77.00", back("0.50", lines=False, tax_back="0.50"),    RefundNature.MONEY,           "0"),
    ("77.00", back("10.00", lines=False, tax_back="1.00"),   RefundNature.AMOUNT_ONLY,     "0"),
    ("77.00", back("0.00", lines=False),                     RefundNature.STOCK_ONLY,      "0"),
    ("77.00", back("-5.00", lines=False, tax_back="-5.00"),  RefundNature.MISMATCH,        "0"),
    ("20.00", back("24.66"),                                 RefundNature.BEYOND_PAID,     "0"),
    ("24.66", back("24.66"),                                 RefundNature.MONEY,           "0"),
]  # fmt: skip


@pytest.mark.parametrize(("captured", "refund", "nature", "credit"), NATURES)
def test_a_refund_is_read_from_its_value_and_the_money_that_moved(
    captured: str, refund: Refund, nature: RefundNature, credit: str
) -> None:
    facts = read_facts(paid(captured, refund), NO_DIRECTIVES, CENT)
    (fact,) = facts.refunds
    assert (fact.nature, fact.credit) == (nature, D(credit))
    assert facts.open == D("77.00") - D(captured) - D(credit)
    assert facts.removed == (D(credit) if nature is RefundNature.REMOVAL else D(0))
    assert facts.returned == sum((one.amount for one in refund.transactions), D(0))


def test_goods_that_come_back_after_too_much_money_did_are_no_refund_of_money() -> None:
    much = back("50.00", created_at=datetime(2026, 3, 10, tzinfo=UTC))
    goods = back("0.00", external_id="r2", created_at=datetime(2026, 3, 11, tzinfo=UTC))
    facts = read_facts(paid("40.00", much, goods, total=D("40.00")), NO_DIRECTIVES, CENT)
    assert [one.nature for one in facts.refunds] == [RefundNature.BEYOND_PAID, RefundNature.STOCK_ONLY]


def test_an_order_that_was_cancelled_unpaid_stays_so_though_goods_were_taken_off_it() -> None:
    facts = read_facts(paid("0.00", back("0.00"), lifecycle=Lifecycle.CANCELLED), NO_DIRECTIVES, CENT)
    assert (facts.situation, facts.removed) == (Situation.CANCELLED_UNPAID, D("24.66"))


def test_the_tolerance_of_the_settings_decides_else_that_of_the_currency() -> None:
    source = paid("77.00", back("24.60"))
    assert read_facts(source, NO_DIRECTIVES, D("0.06")).refunds[0].nature is RefundNature.MONEY
    assert read_facts(source, NO_DIRECTIVES, D("0.05")).refunds[0].nature is RefundNature.MISMATCH
    assert read_facts(source, NO_DIRECTIVES, None).refunds[0].nature is RefundNature.MISMATCH


def test_each_removal_lowers_what_the_next_may_take_off() -> None:
    first = back("0.00", external_id="r1", created_at=datetime(2026, 3, 10, tzinfo=UTC))
    second = back("0.00", external_id="r2", created_at=datetime(2026, 3, 11, tzinfo=UTC))
    third = back("0.00", external_id="r3", created_at=datetime(2026, 3, 12, tzinfo=UTC))
    facts = read_facts(paid("20.00", third, first, second), NO_DIRECTIVES, CENT)
    assert [(one.refund.external_id, one.nature, one.ordinal) for one in facts.refunds] == [
        ("r1", RefundNature.REMOVAL, 0),
        ("r2", RefundNature.REMOVAL, 1),
        ("r3", RefundNature.STOCK_ONLY, 2),
    ]
    assert (facts.removed, facts.open, facts.situation) == (D("49.32"), D("7.68"), Situation.PARTLY_PAID)


SITUATIONS = [
    # total   paid     cancelled  situation
    ("77.00", "77.00", False,     Situation.PAID),
    ("77.00", "78.00", False,     Situation.PAID),
    ("77.00", "76.99", False,     Situation.PARTLY_PAID),
    ("77.00", "0.50",  False,     Situation.PARTLY_PAID),
    ("77.00", "0.00",  False,     Situation.UNPAID),
    ("0.00",  "0.00",  False,     Situation.ZERO),
    ("0.00",  "0.50",  False,     Situation.PAID),
    ("0.50",  "0.00",  False,     Situation.UNPAID),
    ("77.00", "0.00",  True,      Situation.CANCELLED_UNPAID),
    ("77.00", "0.50",  True,      Situation.PARTLY_PAID),
    ("77.00", "77.00", True,      Situation.PAID),
]  # fmt: skip


@pytest.mark.parametrize(("total", "captured", "cancelled", "situation"), SITUATIONS)
def test_the_situation_follows_the_money(total: str, captured: str, cancelled: bool, situation: Situation) -> None:
    lifecycle = Lifecycle.CANCELLED if cancelled else Lifecycle.OPEN
    facts = read_facts(paid(captured, total=D(total), lifecycle=lifecycle), NO_DIRECTIVES, None)
    assert (facts.situation, facts.cancelled, facts.captured) == (situation, cancelled, D(captured))
    assert (facts.removed, facts.returned) == (D(0), D(0))
    assert facts.open == max(D(total) - D(captured), D(0))


@pytest.mark.parametrize(
    ("total", "tenders", "by_rule", "stated"),
    [
        ("77.00", (), None, "77.00"),
        ("0.50", (), None, "0.50"),
        ("0.00", (), None, None),
        ("77.00", (tender("30.00"),), None, None),
        ("77.00", (tender("30.00"),), "paid", "47.00"),
        ("77.00", (tender("76.50"),), "paid", "0.50"),
        ("77.00", (tender("77.00"),), "paid", None),
        ("77.00", (tender("30.00", status=TenderStatus.VOIDED),), "paid", "77.00"),
    ],
)
def test_what_a_channel_states_as_paid_without_saying_how_is_one_payment(
    total: str, tenders: tuple[object, ...], by_rule: str | None, stated: str | None
) -> None:
    source = example_a(total=D(total), tenders=tenders, reference_number="R-1")
    facts = read_facts(source, Directives(paid_by=by_rule), None)
    found = [one for one in facts.tenders if one.external_id == STATED_TENDER]
    assert [one.amount for one in found] == ([D(stated)] if stated else [])
    assert all((one.reference, one.captured_on, one.currency) == ("R-1", source.ordered_on, "USD") for one in found)


STATE, CITY = tax("4.00", "State"), tax("0.06", "City", None)
TAXES = [
    # stated          of the lines    total    wanted
    ((STATE, CITY),   (),             "4.06",  [("State", "4.00"), ("City", "0.06")]),
    ((STATE, tax("0.00", "Nil")), (), "4.00",  [("State", "4.00")]),
    ((),              (STATE, CITY),  "4.06",  [("State", "4.00"), ("City", "0.06")]),
    ((STATE,),        (STATE, CITY),  "4.06",  [("State", "4.00"), ("City", "0.06")]),
    ((STATE,),        (CITY,),        "4.06",  [("State", "4.00")]),
    ((),              (CITY,),        "4.06",  [("City", "0.06")]),
    ((),              (),             "4.06",  [("Tax", "4.06")]),
    ((),              (),             "0.00",  []),
    ((),              (CITY,),        "0.00",  []),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "of_lines", "total", "wanted"), TAXES)
def test_tax_by_rate_is_the_channels_sum_where_it_agrees_else_that_of_the_lines(
    stated: tuple[object, ...], of_lines: tuple[object, ...], total: str, wanted: list[tuple[str, str]]
) -> None:
    source = order(lines=(line("l1", "A", "10.00", taxes=of_lines),), taxes=stated, tax_total=D(total))
    assert [(one.title, one.amount) for one in charged_taxes(source)] == [(title, D(text)) for title, text in wanted]


def test_taxes_of_one_title_rate_and_place_are_one() -> None:
    summed = group_taxes([tax("1.00"), tax("2.00"), tax("3.00", rate=None), tax("5.00", "City"), tax("-5.00", "City")])
    assert [(one.title, one.rate, one.amount) for one in summed] == [
        ("State tax", D("0.0625"), D("3.00")),
        ("State tax", None, D("3.00")),
    ]


def test_what_the_marketplace_pays_is_taken_off_its_line_or_off_all() -> None:
    taxes = [tax("4.00", "State"), tax("2.00", "City"), tax("1.00", "Zone")]
    assert [one.title for one in without_remitted(taxes, D("4.00"), "USD")] == ["City", "Zone"]
    assert [one.title for one in without_remitted(taxes, D("2.00"), "USD")] == ["State", "Zone"]
    assert [one.amount for one in without_remitted(taxes, D("3.50"), "USD")] == [D("2.00"), D("1.00"), D("0.50")]
    assert without_remitted(taxes, D("7.00"), "USD") == []


def test_a_tax_pattern_is_scaled_and_without_one_is_one_line() -> None:
    assert [one.amount for one in scaled_taxes([tax("4.00"), tax("2.00")], D("3.00"), "USD")] == [D("2.00"), D("1.00")]
    (one,) = scaled_taxes([], D("3.00"), "USD")
    assert (one.title, one.amount, one.rate) == ("Tax", D("3.00"), None)
    assert scaled_taxes([tax("4.00")], D("0.00"), "USD") == []


SHIPPED = order(
    lines=(
        line("l1", "A", "10.00", "3", taxes=(tax("1.00"),), discount=D("1.00")),
        line("l2", "B", "5.00", "1", fulfilled_quantity=D(1)),
    ),
    shipping_lines=(ShippingLine(external_id="s1", title="Ground", amount=D("7.00"), discount=D(0)),),
    surcharges=(Surcharge(external_id="u1", title="Wrapping", amount=D("2.00")),),
    discounts=(OrderDiscount(code="X", title="X", amount=D("4.00")),),
    tips=D("3.00"),
    tax_total=D("1.02"),
    taxes=(tax("1.02"),),
    tax_remitted=D("0.50"),
    total=D("44.03"),
)


def test_the_first_shipment_carries_what_belongs_to_the_whole_order_and_the_last_the_cents_left_over() -> None:
    parts = parts_of(SHIPPED, [{"l1": D(1)}, {"l1": D(1), "l2": D(1)}, {"l1": D(1)}])
    assert [one.is_last for one in parts] == [False, False, True]
    first, second, last = (one.order for one in parts)
    assert [[(one.external_id, one.quantity, one.amount) for one in part.lines] for part in (first, second, last)] == [
        [("l1", D(1), D("10.00"))],
        [("l1", D(1), D("10.00")), ("l2", D(1), D("5.00"))],
        [("l1", D(1), D("10.00"))],
    ]
    assert [one.lines[0].discount for one in (first, second, last)] == [D("0.33"), D("0.34"), D("0.33")]
    assert (first.tips, len(first.surcharges), len(first.discounts)) == (D(3), 1, 1)
    for later in (second, last):
        assert later.tips == D(0)
        assert (later.surcharges, later.discounts, later.shipping_lines) == ((), (), ())
    assert [one.tax_total for one in (first, second, last)] == [D("0.33"), D("0.34"), D("0.35")]
    assert [one.tax_remitted for one in (first, second, last)] == [D("0.16"), D("0.17"), D("0.17")]
    assert [one.total for one in (first, second, last)] == [D("18.33"), D("15.34"), D("10.36")]
    assert [one.taxes for one in (first, second, last)] == [(), (), ()]
    kept = first.lines[0].taxes[0]
    assert (kept.title, kept.rate, kept.amount) == ("State tax", D("0.0625"), D("0.33"))


SHIPMENTS = [
    # earlier                                 status                            wanted
    ((),                                      FulfillmentStatus.PARTIAL,        [{"l2": D(1)}]),
    ((),                                      FulfillmentStatus.FULFILLED,      None),
    (({"l2": D(1)},),                         FulfillmentStatus.PARTIAL,        [{"l2": D(1)}]),
    (({"l2": D(1)},),                         FulfillmentStatus.FULFILLED,      [{"l2": D(1)}, {"l1": D(3)}]),
    (({"l1": D(3), "l2": D(1)},),             FulfillmentStatus.FULFILLED,      None),
    (({"l1": D(2), "l2": D(1)},),             FulfillmentStatus.PARTIAL,        [{"l1": D(2), "l2": D(1)}]),
]  # fmt: skip


@pytest.mark.parametrize(("earlier", "status", "wanted"), SHIPMENTS)
def test_what_was_shipped_since_is_one_more_shipment(
    earlier: tuple[dict[str, Decimal], ...], status: FulfillmentStatus, wanted: list[dict[str, Decimal]] | None
) -> None:

    source = SHIPPED.model_copy(update={"fulfillment_status": status})
    history = replace(FIRST_TIME, shipments=earlier, invoiced=bool(earlier))
    assert shipments(source, history, {}) == wanted


def test_what_came_back_unshipped_is_one_more_shipment_and_what_came_back_shipped_is_not() -> None:
    source = SHIPPED.model_copy(update={"fulfillment_status": FulfillmentStatus.PARTIAL})
    history = replace(FIRST_TIME, shipments=({"l1": D(2), "l2": D(1)},), invoiced=True)
    assert shipments(source, history, {"l1": D(2), "l2": D(1)}) == [{"l1": D(2), "l2": D(1)}]
    assert shipments(source, history, {"l1": D(3)}) == [{"l1": D(2), "l2": D(1)}, {"l1": D(1)}]
    waiting = tuple(one.model_copy(update={"fulfilled_quantity": None}) for one in source.lines)
    assert shipments(source.model_copy(update={"lines": waiting}), FIRST_TIME, {"l1": D(3)}) == []


def test_a_shipment_bears_a_discount_as_far_as_it_is_worth_it() -> None:
    discounts = (OrderDiscount(code="X", amount=D("30.00")), OrderDiscount(code="Y", amount=D("2.00")))
    source = SHIPPED.model_copy(update={"discounts": discounts, "total": D("16.03")})
    parts = [one.order for one in parts_of(source, [{"l1": D(1)}, {"l1": D(1)}, {"l1": D(1), "l2": D(1)}])]
    assert [[(one.code, one.amount) for one in part.discounts] for part in parts] == [
        [("X", D("19.00")), ("Y", D(0))],
        [("X", D("10.00")), ("Y", D(0))],
        [("X", D("1.00")), ("Y", D("2.00"))],
    ]
    assert sum(one.total for one in parts) == D("16.03")


def test_tax_that_should_not_be_there_is_shown_only_where_there_is_some() -> None:
    for method, exempt, shown in (("none", False, True), ("tax_codes", True, True), ("tax_codes", False, False)):
        buyer = example_a().customer
        assert buyer is not None
        source = example_a(customer=buyer.model_copy(update={"tax_exempt": exempt}))
        (document,) = mapped(source, configuration(tax={"method": method})).documents
        assert ("TAX_CHARGED" in {one.code for one in document.notices}) is shown
