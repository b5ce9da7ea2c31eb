"""Looking up in bulk: few statements, exact values, and nobody else's document taken for ours."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.ledgers.quickbooks_online.lookup import quoted, read_found, read_memo, searches, transaction_link
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

SETTINGS = OnlineSettings()


@pytest.mark.parametrize(
    ("memo", "number", "mark"),
    [
        ("1001 [tb:0a1b2c3d]", "1001", "0a1b2c3d"),
        ("Voided - #1001-R2 [tb:0a1b2c3d]\npi_123", "Voided - #1001-R2", "0a1b2c3d"),
        ("1001", "1001", None),
        ("1001\nsecond line", "1001", None),
        ("1001 [tb:nothex!!]", "1001 [tb:nothex!!]", None),
        ("", "", None),
    ],
)
def test_the_memo_tells_number_and_mark(memo: str, number: str, mark: str | None) -> None:
    assert read_memo(memo) == (number, mark)


def test_values_are_quoted_so_that_they_stay_values() -> None:
    assert quoted("Amy's Bird Sanctuary") == r"'Amy\'s Bird Sanctuary'"
    assert quoted("back\\slash") == r"'back\\slash'"


@given(st.text(max_size=40))
def test_no_value_can_end_its_own_quotes(value: str) -> None:
    inside = quoted(value)[1:-1]
    assert not inside.replace("\\\\", "").replace("\\'", "").count("'")


def test_a_hundred_numbered_documents_cost_one_statement() -> None:
    wanted = [operation(document(DocumentKind.SALES_RECEIPT, source_id=str(number))) for number in range(100)]
    (search,) = searches(wanted, SETTINGS)
    assert search.entity == "SalesReceipt"
    assert search.where.startswith("DocNumber IN ('0','1','10',")
    assert len(search.operations) == 100
    assert len(searches([*wanted, operation(document(DocumentKind.SALES_RECEIPT, source_id="100"))], SETTINGS)) == 2


def test_payments_are_looked_for_in_windows_of_days() -> None:
    first = date(2026, 1, 10)
    days = (0, 1, 2, 40, 41)
    wanted = [
        operation(document(DocumentKind.PAYMENT, source_id=str(day), date=first + timedelta(days=day))) for day in days
    ]
    found = searches(wanted, SETTINGS)
    assert [search.where for search in found] == [
        "TxnDate >= '2026-01-09' AND TxnDate <= '2026-01-13'",
        "TxnDate >= '2026-02-18' AND TxnDate <= '2026-02-21'",
    ]
    assert [len(search.operations) for search in found] == [3, 2]


def test_a_payment_is_looked_for_by_its_reference_whatever_its_date() -> None:
    long = "pi_3OqTXk2eZvKYlo2C1gQJ12345"
    wanted = [operation(document(DocumentKind.PAYMENT, source_id=one, reference=one)) for one in ("ch_2", "ch_1", long)]
    receipt = operation(document(DocumentKind.SALES_RECEIPT, number=None, reference="ch_3"))
    nameless = operation(document(DocumentKind.PAYMENT))
    found = searches([*wanted, receipt, nameless], SETTINGS)
    assert [(search.entity, search.field) for search in found] == [
        ("Payment", "TxnDate"),
        ("Payment", "PaymentRefNum"),
        ("SalesReceipt", "TxnDate"),
    ]
    assert found[1].where == "PaymentRefNum IN ('ch_1','ch_2','pi_3OqTXk2eZvKYlo2C1g')"
    assert [len(search.operations) for search in found] == [4, 3, 1]


@pytest.mark.parametrize(
    ("entity", "number", "memo", "reference"),
    [
        ("Payment", "ch_1", "1001", "ch_1"),
        ("Payment", "pi_3OqTXk2eZvKYlo2C1g", "1001", "pi_3OqTXk2eZvKYlo2C1g"),
        ("Payment", "pi_3OqTXk2eZvKYlo2C1g", "1001\npi_3OqTXk2eZvKYlo2C1gQJ12345", "pi_3OqTXk2eZvKYlo2C1gQJ12345"),
        ("Payment", "ch_1", "ch_12\nch_123", "ch_1"),
        ("Payment", "", "1001", ""),
        ("SalesReceipt", "ch_1", "1001", ""),
    ],
)
def test_a_payments_reference_is_read_in_full(entity: str, number: str, memo: str, reference: str) -> None:
    found, tags = read_found(entity, {"Id": "7", "PaymentRefNum": number, "PrivateNote": memo})
    assert found.reference == reference
    assert {value for name, value in tags if name == "PaymentRefNum"} == ({reference.casefold()} - {""})


def test_documents_that_the_ledger_numbers_are_looked_for_a_week_around() -> None:
    (search,) = searches([operation(document(DocumentKind.INVOICE, number=None))], SETTINGS)
    assert search.where == "TxnDate >= '2026-03-07' AND TxnDate <= '2026-03-21'"


def test_a_connection_says_how_far_around_its_documents_are_looked_for() -> None:
    far, near = (document(DocumentKind.INVOICE, source_id=one, number=None) for one in ("1", "2"))
    far = far.model_copy(update={"lookup_days": 30})
    numbered = document(DocumentKind.INVOICE, source_id="3", lookup_days=30)
    payment = document(DocumentKind.PAYMENT, lookup_days=30)
    found = searches([operation(one) for one in (far, near, numbered, payment)], SETTINGS)
    assert [(search.entity, search.where) for search in found] == [
        ("Invoice", "TxnDate >= '2026-02-12' AND TxnDate <= '2026-04-13'"),
        ("Invoice", "TxnDate >= '2026-03-07' AND TxnDate <= '2026-03-21'"),
        ("Invoice", "DocNumber IN ('3')"),
        ("Payment", "TxnDate >= '2026-03-13' AND TxnDate <= '2026-03-15'"),
    ]


def test_no_window_grows_beyond_a_month() -> None:
    wanted = [
        operation(document(DocumentKind.PAYMENT, source_id=str(day), date=date(2026, 1, 1) + timedelta(days=day)))
        for day in range(100)
    ]
    assert len(searches(wanted, SETTINGS)) == 4


def test_what_is_written_already_is_looked_for_by_its_id() -> None:
    wanted = operation(document(DocumentKind.INVOICE), how=OperationKind.UPDATE, link=LedgerLink("130", "2"))
    (search,) = searches([wanted], SETTINGS)
    assert search.where == "Id IN ('130')"


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (samples.customer("Ada  Fenn: Jr"), "DisplayName IN ('Ada Fenn Jr') AND Active IN (true, false)"),
        (
            samples.customer(email="a@b.co", match_field="email"),
            "PrimaryEmailAddr IN ('a@b.co') AND Active IN (true, false)",
        ),
        (samples.item("MUG-1"), "Name IN ('MUG-1') AND Active IN (true, false)"),
        (samples.item("Mug", sku="MUG-1", match_field="sku"), "Sku IN ('MUG-1') AND Active IN (true, false)"),
    ],
)
def test_names_are_looked_for_as_they_would_be_written_inactive_ones_too(wanted: Any, where: str) -> None:
    (search,) = searches([operation(wanted)], SETTINGS)
    assert search.where == where


def test_a_candidate_says_whose_it_is() -> None:
    row = {
        "Id": "130",
        "SyncToken": "2",
        "DocNumber": "1001",
        "TxnDate": "2026-03-14",
        "PrivateNote": "1001 [tb:0a1b2c3d]",
        "TotalAmt": Decimal("77.00"),
        "CustomerRef": {"value": "58", "name": "Ada Fenn"},
        "Line": [{"Id": "1", "DetailType": "SalesItemLineDetail"}, {"DetailType": "SubTotalLineDetail"}],
    }
    found, tags = read_found("Invoice", row)
    assert (found.mark, found.memo_number, found.customer, found.on) == ("0a1b2c3d", "1001", "58", date(2026, 3, 14))
    details = {"entity": "Invoice", "lines": "1", "content": found.link.details["content"]}
    assert found.link == LedgerLink("130", "2", "1001", Decimal("77.00"), details=details)
    assert {("Id", "130"), ("DocNumber", "1001"), ("mark", "0a1b2c3d"), ("memo", "1001")} == tags


@pytest.mark.parametrize(
    ("change", "is_edit"),
    [
        # A payment finds the invoice: QuickBooks raises the token and says so, and nobody edited anything.
        ({"SyncToken": "3", "Balance": 0, "LinkedTxn": [{"TxnId": "9", "TxnType": "Payment"}]}, False),
        ({"TotalAmt": Decimal("77.0")}, False),
        ({"TotalAmt": Decimal("78.00")}, True),
        ({"PrivateNote": "by hand"}, True),
        ({"DocNumber": "1002"}, True),
        ({"TxnDate": "2026-03-15"}, True),
        ({"CustomerRef": {"value": "59"}}, True),
        ({"Line": [{"Id": "1", "Amount": Decimal("76.00")}, {"Id": "2", "Amount": Decimal("1.00")}]}, True),
    ],
)
def test_the_fingerprint_of_a_document_changes_with_what_people_edit(change: dict[str, Any], is_edit: bool) -> None:
    row = {
        "Id": "130",
        "SyncToken": "2",
        "DocNumber": "1001",
        "TxnDate": "2026-03-14",
        "TotalAmt": Decimal("77.00"),
        "CustomerRef": {"value": "58"},
        "Line": [{"Id": "1", "Amount": Decimal("77.00")}],
    }
    before, after = (transaction_link("Invoice", one)[0].details["content"] for one in (row, row | change))
    assert (before != after) is is_edit


def test_any_of_several_addresses_in_one_field_is_the_customers() -> None:
    row = {"Id": "5", "DisplayName": "Ada Fenn", "PrimaryEmailAddr": {"Address": "A@b.co, c@d.co"}, "Active": False}
    found, tags = read_found("Customer", row)
    assert not found.active
    assert {("PrimaryEmailAddr", "a@b.co"), ("PrimaryEmailAddr", "c@d.co")} <= tags


@pytest.mark.parametrize(
    ("entity", "applied"),
    [
        ("Payment", (("130", Decimal("60.00")), ("131", Decimal("17.00")))),
        # Who set a credit memo or a purchase off against something else says so, not they themselves.
        ("CreditMemo", ()),
        ("Purchase", ()),
    ],
)
def test_a_payment_that_is_found_says_what_it_is_applied_to(
    entity: str, applied: tuple[tuple[str, Decimal], ...]
) -> None:
    row = {
        "Id": "140",
        "TotalAmt": Decimal("80.00"),
        "Line": [
            {"Amount": Decimal("60.00"), "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]},
            {"Amount": Decimal("17.00"), "LinkedTxn": [{"TxnId": "131", "TxnType": "Invoice"}]},
            {"Amount": Decimal("3.00")},
        ],
    }
    assert read_found(entity, row)[0].applied == applied
