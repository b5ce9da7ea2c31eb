"""A step of a company happens as a whole or not at all."""

from datetime import date
from decimal import Decimal

import pytest

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.accounting.ledger import Entry, Posting
from sandbox.quickbooks_online.clock import Clock
from sandbox.quickbooks_online.company import CompanySettings
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.seed import new_company
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.state import company_state, decode, encode, restore_company
from sandbox.quickbooks_online.wire import dump, parse_json, plain


def test_a_failing_step_takes_everything_back() -> None:
    company = new_company(Server(), "1", CompanySettings(), "full")
    before = encode(company_state(company))
    body = {
        "CustomerRef": {"value": "1"},
        "Line": [
            {"Amount": Decimal(30), "DetailType": "SalesItemLineDetail",
             "SalesItemLineDetail": {"ItemRef": {"value": "11"}, "Qty": Decimal(2), "UnitPrice": Decimal(15)}},
        ],
    }  # fmt: skip

    def invoice_and_taken_name() -> None:
        with company.step():
            operations.save(company, "Invoice", body)
            operations.save(company, "Customer", {"DisplayName": "Cool Cars"})

    with pytest.raises(Fault, match="already exists"):
        invoice_and_taken_name()
    after = decode(encode(company_state(company)))
    expected = decode(before)
    for part in ("sequences", "doc_numbers"):  # numbers that were given out stay used, as in life
        after.pop(part)
        expected.pop(part)
    assert after == expected


def test_a_snapshot_restores_the_same_company() -> None:
    company = new_company(Server(), "1", CompanySettings(), "full")
    state = encode(company_state(company))
    again = restore_company(decode(state), Clock())
    assert encode(company_state(again)) == state
    assert again.ledger.balances == {key: value for key, value in company.ledger.balances.items() if value}


def test_a_posting_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="differ by"):
        Posting("1", "JournalEntry", date(2026, 1, 1), "", (Entry("1", Decimal(1), Decimal(1)),))


@pytest.mark.parametrize(
    ("amount", "text"), [("100.00", "100.0"), ("0.00", "0"), ("8.25", "8.25"), ("1E+3", "1000"), ("-5.50", "-5.5")]
)
def test_amounts_are_written_without_exponent_or_loss(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text
    assert parse_json(dump({"a": Decimal(amount)}))["a"] == Decimal(amount)
