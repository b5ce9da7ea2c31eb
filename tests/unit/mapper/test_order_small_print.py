"""What stands on the answer about an order besides its documents, and where one day or one cent decides."""

from datetime import date

import pytest
from tests.unit.mapper.samples import D, configuration, example_a, first_refund, kinds, mapped, refunded, unpaid
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.transactions import SetOutcome, TransactionSet
from mapper.mapping.catalog import Catalog, CustomerLink


def text_of(result: TransactionSet) -> str:
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    return result.reason.text


def test_a_refund_may_miss_its_value_by_as_much_as_settings_say() -> None:
    source = example_a(refunds=(first_refund(transactions=(refunded("23.66", "rt1"),)),))
    stated = mapped(source, configuration(rounding_tolerance=D("1.00")))
    assert kinds(stated) == ["sales_receipt", "refund_receipt"]
    assert [one.hold for one in stated.documents] == [None, None]
    usual = mapped(source, configuration())
    assert [one.hold.code if one.hold else "" for one in usual.documents] == ["", "TOTALS_MISMATCH"]


def test_a_mode_that_can_not_have_tax_as_a_line_is_named() -> None:
    result = mapped(example_a(), configuration("sales_orders", tax={"method": "tax_line"}))
    assert "the mode sales_orders can't use the method tax_line" in text_of(result)


def test_a_rule_that_changes_what_was_paid_is_named_with_both_totals() -> None:
    result = mapped(example_a(), configuration(), rules=compiled(rule("map_shipping_amount", "0", name="Free post")))
    assert "The rule 'Free post' changed the total from 77.00 to 69.05 USD" in text_of(result)


@pytest.mark.parametrize(("horizon", "held"), [(date(2026, 3, 2), False), (date(2026, 3, 3), True)])
def test_a_document_of_the_horizons_own_day_is_within_it(horizon: date, held: bool) -> None:
    catalog = Catalog(customer_links={"c1": CustomerLink("existing", "k", "L", "Ada", horizon=horizon)})
    (receipt,) = mapped(example_a(), configuration(), catalog).documents
    assert (receipt.hold is not None) is held


def test_what_an_edit_after_posting_does_is_said_with_every_answer() -> None:
    for enabled in (True, False):
        assert mapped(example_a(), configuration(after_posting="hold", enabled=enabled)).after_posting == "hold"


@pytest.mark.parametrize("mode", ["payments_only", "summary_payout", "credit_memos_only"])
def test_a_set_without_documents_needs_nobody_in_the_ledger(mode: str) -> None:
    result = mapped(unpaid() if mode == "payments_only" else example_a(), configuration(mode))
    assert result.outcome is SetOutcome.MAPPED
    assert (result.documents, result.customers, result.vendors, result.items) == ((), (), (), ())
