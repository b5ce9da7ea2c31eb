"""Bad input has a clear reason each, naming field, value and cure, and the rest goes on (issue list)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import D, configuration, example_a, kinds, line, mapped, tender
from tests.unit.mapper.test_payouts import CHARGES, SALES, payout, settled
from tests.unit.mapper.test_rules import rule

from common.errors import Rejected
from common.messages.base import Reason
from common.messages.orders import Order, TenderKind
from common.messages.transactions import DocumentKind, SetOutcome, TransactionSet
from mapper.mapping.map_table import read_map
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payouts import map_payout
from mapper.rules.compiling import RuleRefused, compile_rule
from mapper.rules.table import read_table


def held(result: TransactionSet) -> Reason:
    assert result.outcome is SetOutcome.HELD
    assert result.documents == ()
    assert result.reason is not None
    assert result.reason.cure
    return result.reason


def test_a_rule_that_refers_to_a_missing_field_is_refused_when_it_is_saved() -> None:
    with pytest.raises(RuleRefused) as refusal:
        compile_rule(rule("map_memo", "M", ("custmer_name", "equals", "Ada"), name="broken"))
    assert "there is no field 'custmer_name'" in refusal.value.reason.text
    assert (refusal.value.reason.field, refusal.value.reason.value) == ("conditions.0.field", "custmer_name")
    assert refusal.value.reason.cure
    compile_rule(rule("map_memo", "M", ("first_name", "equals", "Ada")))


@pytest.mark.parametrize("read", [read_table, read_map])
def test_a_table_with_a_wrong_column_is_refused_as_a_whole(read: Any) -> None:
    with pytest.raises(Rejected) as refusal:
        read("name,acton,source\nR,map_sku,A\n")
    assert "Row 1, column" in refusal.value.reason.text
    assert refusal.value.reason.cure


@pytest.mark.parametrize(
    ("read", "rows", "column"),
    [
        (read_map, "connection_id,source,target\n*,A,X\n*,MUG-1,Mug, blue\n", "4"),
        (read_table, "name,action,value\nR,map_memo,x\nS,map_memo,Mug, blue\n", "4"),
        (read_map, "connection_id,source,target\n*,A,X\n*,MUG-1,Mug,\n", "4"),
    ],
)
def test_a_cell_too_many_is_refused_with_its_row_and_column(read: Any, rows: str, column: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read(rows)
    reason = refusal.value.reason
    assert f"Row 3, column {column!r}" in reason.text
    assert (reason.field, reason.value) == (column, rows.rpartition(",")[2].removesuffix("\n"))


@pytest.mark.parametrize(
    ("source", "field", "value"),
    [
        (example_a(lines=(line("l1", "A", "25.00", "-1"),)), "lines.quantity", "-1"),
        (example_a(total=D("-1.00")), "total", "-1.00"),
        (example_a(total=D("77.001")), "total", "77.001"),
    ],
)
def test_a_value_that_no_ledger_can_hold_is_named(source: Order, field: str, value: str) -> None:
    reason = held(mapped(source, configuration()))
    assert (reason.field, reason.value) == (field, value)
    assert kinds(mapped(example_a(external_id="next"), configuration())) == ["sales_receipt"]


def test_a_total_that_does_not_add_up_is_held_with_both_numbers() -> None:
    reason = held(mapped(example_a(total=D("80.00"), tenders=(tender("80.00"),)), configuration()))
    assert reason.code == "TOTALS_MISMATCH"
    assert "80.00" in reason.text
    assert "77.00" in reason.text


def test_a_payout_that_does_not_balance_is_held_and_the_next_is_deposited() -> None:
    settings = settled("sales_receipts")
    candidates = candidates_of(mapped(one, settings) for one in SALES)
    reason = held(map_payout(payout("235.00", *CHARGES), settings, candidates))
    assert reason.code == "PAYOUT_UNBALANCED"
    again = "Fetch the payout again or, where a file brought it, correct the file and upload it again"
    assert reason.cure == f"{again}; if it stays so, ask the processor."
    assert "234.57" in reason.text
    (deposit,) = map_payout(payout("234.57", *CHARGES), settings, candidates).documents
    assert deposit.kind is DocumentKind.DEPOSIT


def test_a_gift_card_is_never_what_a_processor_paid_out() -> None:
    card = tender("30.00", "gift", method="gift_card", kind=TenderKind.GIFT_CARD)
    source = example_a(tenders=(card, tender("47.00", "card")))
    settings = configuration("invoices_payments_if_paid")
    found = candidates_of([mapped(source, settings)])
    assert set(found.by_tender) == {"card"}
