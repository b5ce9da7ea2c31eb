"""Whom a payout's fees go to: the vendor or customer that settings name (section 14)."""

import pytest
from tests.unit.mapper.test_payouts import CHARGES, SALE_1001, deposited, payout, payout_line, settled

from mapper.mapping.payout_matching import Candidates
from mapper.mapping.payouts import map_payout


def test_fees_name_their_payee_where_there_are_any() -> None:
    named = {"fee_payee": " Card  Processor "}
    result, _ = deposited(payout("74.47", CHARGES[0]), settled("sales_receipts", payouts=named), SALE_1001)
    (deposit,) = result.documents
    assert [(one.key, one.display_name, one.missing.value) for one in result.vendors] == [
        (deposit.customer_key, "Card Processor", "create")
    ]
    free, _ = deposited(
        payout("77.00", payout_line("charge", "77.00", order_number="1001")),
        settled("sales_receipts", payouts=named),
        SALE_1001,
    )
    assert (free.vendors, free.documents[0].customer_key) == ((), None)
    for kind in ("fee", "dispute_fee"):
        entry = map_payout(
            payout("-5.00", payout_line(kind, "-5.00")), settled("journal_entries", payouts=named), Candidates()
        )
        assert [one.key for one in entry.vendors] == [entry.documents[0].customer_key]
    plain, _ = deposited(payout("74.47", CHARGES[0]), settled("sales_receipts"), SALE_1001)
    assert (plain.vendors, plain.documents[0].customer_key) == ((), None)


@pytest.mark.parametrize("mode", ["sales_receipts", "journal_entries"])
def test_the_payee_of_fees_is_a_customer_where_settings_say_so(mode: str) -> None:
    named = {"fee_payee": "Card Processor", "fee_payee_is": "customer"}
    result, _ = deposited(payout("74.47", CHARGES[0]), settled(mode, payouts=named), SALE_1001)
    (document,) = result.documents
    assert [(one.key, one.display_name, one.currency) for one in result.customers] == [
        (document.customer_key, "Card Processor", "USD")
    ]
    assert result.vendors == ()
    vendor, _ = deposited(
        payout("74.47", CHARGES[0]), settled(mode, payouts={"fee_payee": "Card Processor"}), SALE_1001
    )
    assert vendor.customers == ()
    assert [one.key for one in vendor.vendors] == [vendor.documents[0].customer_key]
    assert vendor.vendors[0].key != result.customers[0].key
