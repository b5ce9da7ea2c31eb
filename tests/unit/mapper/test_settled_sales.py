"""What a settlement's charges and refunds consist of, where one is a part, a stranger or of another currency (15)."""

from decimal import Decimal

import pytest
from tests.unit.mapper.samples import D, example_a, first_refund, ledger, refunded, second_refund, tender
from tests.unit.mapper.test_payouts import payout, payout_line, settled

from common.messages.orders import Order, Payout, TenderKind
from common.messages.transactions import DocumentLine, LineKind
from mapper.mapping.payout_matching import Candidates
from mapper.mapping.payouts import map_payout
from mapper.mapping.settled_sales import SalesSource, settled_sales

SOLD = example_a(refunds=(first_refund(), second_refund()))
TAX_BACK = first_refund(lines=(), tax=D("9.90"), transactions=(refunded("10.00", "rt1"),))


def lines_of(source: Payout, sold: Order, **changes: object) -> dict[str, tuple[DocumentLine, ...]]:
    """Payout line → what it stands for."""
    return settled_sales(source, settled("journal_entries", **changes), SalesSource(orders=(sold,))).lines


def shown(lines: tuple[DocumentLine, ...]) -> list[tuple[str, str, Decimal, Decimal | None]]:
    return [(one.kind.value, one.description, one.amount, one.quantity) for one in lines]


def test_a_charge_that_says_what_it_is_is_not_looked_up_though_it_names_its_order() -> None:
    named = payout_line("charge", "77.00", order_number="1001", description="Principal")
    assert lines_of(payout("77.00", named), SOLD) == {}


@pytest.mark.parametrize("named", [{"refund_external_id": "r2"}, {"refund_external_id": "rt2"}, {}])
def test_a_refund_is_the_one_that_its_line_names_whatever_came_before_it(named: dict[str, str]) -> None:
    line = payout_line("refund", "-52.34", external_id="b", order_number="1001", **named)
    assert shown(lines_of(payout("-52.34", line), SOLD)["b"]) == [
        ("product", "Product HAMMER", D("-25.00"), D(-1)),
        ("discount", "Product HAMMER", D("1.79"), None),
        ("product", "Product NAILS", D("-19.99"), D(-1)),
        ("discount", "Product NAILS", D("1.42"), None),
        ("shipping", "Shipping", D("-7.95"), None),
        ("tax", "State tax", D("-2.61"), None),
    ]


def test_a_refund_in_another_currency_is_shared_by_what_was_taken_and_has_no_quantity() -> None:
    euros = example_a(
        currency="EUR", exchange_rate=D("1.1"), tenders=(tender("77.00", currency="EUR"),), refunds=(first_refund(),)
    )
    file = ledger(multi_currency=True)
    for amount in ("-27.13", "-24.66"):
        line = payout_line("refund", amount, external_id="b", order_number="1001", refund_external_id="r1")
        lines = lines_of(payout(amount, line), euros, file=file)["b"]
        assert sum(one.amount for one in lines) == D(amount)
        assert {(one.quantity, one.unit_price, one.tax_amount) for one in lines} == {(None, None, None)}


@pytest.mark.parametrize(
    ("tolerance", "wanted"),
    [
        (None, [("refund_adjustment", "Refund", D("-0.10"), None), ("tax", "State tax", D("-9.90"), None)]),
        (D("0.10"), [("tax", "State tax", D("-9.90"), None), ("rounding", "Rounding", D("-0.10"), None)]),
    ],
)
def test_what_a_settled_refund_leaves_unexplained_may_be_as_much_as_settings_say(
    tolerance: Decimal | None, wanted: list[tuple[str, str, Decimal, Decimal | None]]
) -> None:
    line = payout_line("refund", "-10.00", external_id="b", order_number="1001")
    sold = example_a(refunds=(TAX_BACK,))
    assert shown(lines_of(payout("-10.00", line), sold, rounding_tolerance=tolerance)["b"]) == wanted


def test_a_settlement_that_an_order_holds_names_the_order() -> None:
    source = payout("90.00", payout_line("charge", "90.00", order_number="1001"))
    odd = example_a(total=D("90.00"), tenders=(tender("90.00"),))
    result = map_payout(source, settled("journal_entries"), Candidates(), SalesSource(orders=(odd,)))
    assert result.reason is not None
    assert result.reason.code == "TOTALS_MISMATCH"
    assert result.reason.text.startswith("Order 1001 of the summary: ")


@pytest.mark.parametrize("amount", ["-23.21", "-24.66"])
def test_a_refund_is_known_by_its_money_with_or_without_the_tax_that_a_marketplace_gave_back(amount: str) -> None:
    back = [
        first_refund(transactions=(refunded("23.21", "rt1"),)),
        second_refund(transactions=(refunded("49.73", "rt2"),)),
    ]
    sold = example_a(tax_remitted=D("4.06"), tenders=(tender("72.94"),), refunds=tuple(back))
    line = payout_line("refund", amount, external_id="b", order_number="1001")
    lines = lines_of(payout(amount, line), sold)["b"]
    assert (lines[0].kind, sum(one.amount for one in lines)) == (LineKind.PRODUCT, D(amount))


def by_role(lines: tuple[DocumentLine, ...]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for one in lines:
        sums[one.account.role.value] = sums.get(one.account.role.value, Decimal(0)) + one.amount
    return {role: amount for role, amount in sums.items() if amount}


RETURNED = {"INC": D("-25.00"), "DISC": D("1.79"), "TAX": D("-1.45")}
NET = {"INC": D("-25.00"), "DISC": D("1.79")}


def test_what_a_gift_card_got_back_is_on_the_card_and_all_goods_are_returned() -> None:
    card = refunded("10.00", "x1", kind=TenderKind.GIFT_CARD, method="gift_card", tender_external_id="g")
    sold = example_a(
        tenders=(tender("30.00", "g", kind=TenderKind.GIFT_CARD, method="gift_card"), tender("47.00")),
        refunds=(first_refund(transactions=(card, refunded("14.66", "rt1"))),),
    )
    line = payout_line("refund", "-14.66", external_id="b", order_number="1001", refund_external_id="r1")
    lines = lines_of(payout("-14.66", line), sold)["b"]
    assert by_role(lines) == {**RETURNED, "GIFT": D("10.00")}


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
def test_a_refund_without_the_tax_that_a_marketplace_gives_back_takes_none_off_ours(remitted: str) -> None:
    sold = example_a(tax_remitted=D("4.06"), refunds=(first_refund(),))
    line = payout_line("refund", "-23.21", external_id="b", order_number="1001", refund_external_id="r1")
    lines = lines_of(payout("-23.21", line), sold, tax={"remitted": remitted})["b"]
    assert by_role(lines) == NET


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
def test_a_payout_that_states_sales_with_the_tax_and_withholds_it_on_a_line_of_its_own_leaves_none(
    remitted: str,
) -> None:
    sold = example_a(tax_remitted=D("4.06"), refunds=(first_refund(),))
    source = payout(
        "49.73",
        payout_line("charge", "77.00", external_id="a", order_number="1001"),
        payout_line("refund", "-24.66", external_id="b", order_number="1001", refund_external_id="r1"),
        payout_line("adjustment", "-2.61", external_id="c", description="Tax withheld"),
    )
    lines = lines_of(source, sold, tax={"remitted": remitted})
    assert by_role(lines["a"]) == {"INC": D("69.99"), "SHIP": D("7.95"), "DISC": D("-5.00"), "TAX": D("4.06")}
    assert by_role(lines["b"]) == RETURNED


@pytest.mark.parametrize("names", [("rt1", "rt2"), ("r1", "r1")])
def test_a_refund_that_went_back_in_two_payments_is_one(names: tuple[str, str]) -> None:
    parts = (refunded("12.33", "rt1"), refunded("12.33", "rt2", tender_external_id="t2"))
    sold = example_a(tenders=(tender("38.50"), tender("38.50", "t2")), refunds=(first_refund(transactions=parts),))
    source = payout(
        "-24.66",
        payout_line("refund", "-12.33", external_id="a", order_number="1001", refund_external_id=names[0]),
        payout_line("refund", "-12.33", external_id="b", order_number="1001", refund_external_id=names[1]),
    )
    lines = lines_of(source, sold)
    assert by_role((*lines["a"], *lines["b"])) == RETURNED


def test_a_part_of_a_sale_whose_tax_a_marketplace_keeps_is_shared_out_without_the_tax() -> None:
    sold = example_a(tax_remitted=D("4.06"))
    line = payout_line("charge", "40.00", external_id="a", order_number="1001")
    lines = lines_of(payout("40.00", line), sold)["a"]
    assert sum(by_role(lines).values()) == D("40.00")
    assert by_role(lines).keys() == {"INC", "SHIP", "DISC"}


def test_a_refund_that_does_not_add_up_is_shared_out_over_its_lines() -> None:
    sold = example_a(refunds=(first_refund(transactions=(refunded("30.00", "rt1"),)),))
    line = payout_line("refund", "-30.00", external_id="b", order_number="1001", refund_external_id="r1")
    lines = lines_of(payout("-30.00", line), sold)["b"]
    assert sum(one.amount for one in lines) == D("-30.00")
    assert by_role(lines).keys() == RETURNED.keys()
