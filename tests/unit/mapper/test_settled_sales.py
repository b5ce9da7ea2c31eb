"""What a settlement's charges and refunds consist of, where one is a part, a stranger or of another currency (15)."""

from decimal import Decimal

import pytest
from tests.unit.mapper.samples import D, example_a, first_refund, ledger, refunded, second_refund, tender
from tests.unit.mapper.test_payouts import payout, payout_line, settled

from common.messages.orders import Order, Payout
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
        (D("0.10"), [("tax", "State tax", D("-10.00"), None)]),
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
