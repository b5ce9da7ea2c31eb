"""What a payout that waits says of the orders that it waits for, and what helps (section 14)."""

import pytest
from tests.unit.mapper.samples import D, mapped
from tests.unit.mapper.test_payouts import PAID_ON, SALES, payout, payout_line, settled

from common.messages.orders import PayoutLine
from mapper.mapping.filter_reasons import in_summary
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payout_reasons import (
    Missing,
    in_other_payout,
    incomplete,
    kept_out,
    not_received,
    without_money,
)
from mapper.mapping.payouts import map_payout
from mapper.mapping.reasons import refused_value

RECEIPTS = settled("sales_receipts")


@pytest.mark.parametrize(
    ("count", "end"), [(50, "n49 (late)."), (51, "n49 (late) and 1 more."), (60, "n49 (late) and 10 more.")]
)
def test_fifty_missing_parts_are_named_and_the_others_counted(count: int, end: str) -> None:
    reason = incomplete([Missing(f"n{number}", "late", "") for number in range(count)])
    assert reason.text.endswith(f"n48 (late), {end}")
    assert reason.value == "n0 (late)"


def test_an_order_of_many_lines_is_missing_once() -> None:
    reason = incomplete([Missing(name, "late", "Wait.") for name in ("1001", "1001", "1002")])
    assert reason.text == "These parts of the payout are not in the books yet: 1001 (late), 1002 (late)."
    assert (reason.field, reason.value) == ("lines", "1001 (late)")
    assert reason.cure == "Wait. The deposit is made by itself then."


def test_a_cure_of_every_kind_fits_beside_the_others() -> None:
    days, held = in_summary(PAID_ON), refused_value("total", "-1", "it is below zero")
    kinds = [
        not_received("1"),
        kept_out("2", days),
        kept_out("3", held),
        in_other_payout("4", "po_0"),
        without_money("5", "payment", D("1.00")),
    ]
    cure = incomplete(kinds).cure
    assert all(one.cure in cure for one in kinds)
    assert cure.endswith("The deposit is made by itself then.")


@pytest.mark.parametrize(
    ("mode", "part", "says"),
    [
        (
            "sales_receipts",
            payout_line("refund", "-9.00", order_number="1002"),
            "1002 (the order is there, but has no refund of 9.00)",
        ),
        (
            "invoices_only",
            payout_line("charge", "120.00", order_external_id="id1002"),
            "id1002 (the order is there, but has no payment of 120.00)",
        ),
        (
            "invoices_only",
            payout_line("charge", "120.00", tender_external_id="t1002", external_id="x"),
            "x (the order is there, but has no payment of 120.00)",
        ),
        ("invoices_only", payout_line("charge", "120.00", order_number="1009"), "1009 (not received)"),
    ],
)
def test_an_order_that_is_there_is_never_said_not_to_have_been_received(mode: str, part: PayoutLine, says: str) -> None:
    candidates = candidates_of([mapped(SALES[1], settled(mode))], {"t1002": "id1002", "t8": "id8"})
    reason = map_payout(payout(str(part.amount), part), RECEIPTS, candidates).reason
    assert reason is not None
    assert f" {says}." in reason.text
    assert ("Sync the orders" in reason.cure) == ("not received" in says)
    assert ("map_transaction_type" in reason.cure) == ("is there" in says)


def test_an_unnamed_line_is_of_no_order_without_a_number() -> None:
    candidates = candidates_of([mapped(SALES[1].model_copy(update={"number": ""}), settled("invoices_only"))])
    part = payout_line("charge", "120.00", external_id="x")
    reason = map_payout(payout("120.00", part), RECEIPTS, candidates).reason
    assert reason is not None
    assert "x (not received)" in reason.text
