"""Deliberately wrong bodies: the check must refuse each of them, or it proves nothing about the right ones."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.messages.transactions import DocumentKind, LineKind
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.ledgers.quickbooks_online.bodies import attachment, build

Content = dict[str, Any]
Spoil = Callable[[Content], object]

INVOICE_KEY = document(DocumentKind.INVOICE).key
LINKS = {
    INVOICE_KEY: LedgerLink("130", details={"entity": "Invoice"}),
    "rec" * 8: LedgerLink("79", details={"entity": "SalesReceipt"}),
}


def good(entity: str) -> Content:
    """A body that the check takes."""
    books = samples.books()
    deposit = (
        line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=samples.FUNDS, document_key="rec" * 8),
        line(LineKind.POSTING, "2.53", None, account=samples.FEES),
        line(LineKind.POSTING, "74.47", None, account=samples.CHECKING),
    )
    journal = (
        line(LineKind.POSTING, "77.00", None, account=samples.RECEIVABLE),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    )
    bought: dict[str, Any] = {
        "lines": (line(amount="20.00", quantity="2", unit_price="10.00"),),
        "customer_key": samples.VENDOR,
    }
    wanted = {
        "Invoice": operation(document(DocumentKind.INVOICE)),
        "SalesReceipt": operation(document(DocumentKind.SALES_RECEIPT, reference="ch_1")),
        "CreditMemo": operation(document(DocumentKind.CREDIT_MEMO)),
        "RefundReceipt": operation(document(DocumentKind.REFUND_RECEIPT)),
        "Payment": operation(
            document(DocumentKind.PAYMENT), references=LINKS, applications=((INVOICE_KEY, Decimal("77.00")),)
        ),
        "Customer": operation(samples.customer(email="ada@example.com", phone="1", billing_address=samples.address())),
        "Item": operation(samples.item(item_type="inventory", unit_price=Decimal(1))),
        "Deposit": operation(
            document(DocumentKind.DEPOSIT, "74.47", lines=deposit, deposit_to=samples.CHECKING), references=LINKS
        ),
        "JournalEntry": operation(document(DocumentKind.JOURNAL_ENTRY, lines=journal)),
        "Purchase": operation(document(DocumentKind.EXPENSE, "20.00", deposit_to=samples.CHECKING, **bought)),
        "Bill": operation(document(DocumentKind.BILL, "20.00", **bought)),
        "PurchaseOrder": operation(document(DocumentKind.PURCHASE_ORDER, "20.00", **bought)),
    }
    if entity == "Attachable":
        return attachment("Deposit", "12", note="x")
    return copy.deepcopy(build(wanted[entity], books).content)


def put(*path: str | int, value: Any) -> Spoil:
    """Set a value deep inside."""

    def spoil(content: Content) -> None:
        place: Any = content
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return spoil


def drop(*path: str | int) -> Spoil:
    def spoil(content: Content) -> None:
        place: Any = content
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return spoil


def add_line(**given: Any) -> Spoil:
    return lambda content: content["Line"].append(given)


ITEM_LINE = ("Line", 0, "SalesItemLineDetail")
DISCOUNT = {"PercentBased": False}
WRONG: list[tuple[str, str, Spoil]] = [
    ("Invoice", "no customer", drop("CustomerRef")),
    ("Invoice", "no lines", put("Line", value=[])),
    ("Invoice", "no line list", drop("Line")),
    ("Invoice", "a number of 22 characters", put("DocNumber", value="1" * 22)),
    ("Invoice", "a memo of 4,001 characters", put("PrivateNote", value="x" * 4001)),
    ("Invoice", "a message of 1,001 characters", put("CustomerMemo", value={"value": "x" * 1001})),
    ("Invoice", "a description of 4,001 characters", put("Line", 0, "Description", value="x" * 4001)),
    ("Invoice", "a date in words", put("TxnDate", value="14 March")),
    ("Invoice", "a due date with time", put("DueDate", value="2026-03-14T00:00:00Z")),
    ("Invoice", "a line without amount", drop("Line", 0, "Amount")),
    ("Invoice", "a line without kind", drop("Line", 0, "DetailType")),
    ("Invoice", "a line without detail", drop(*ITEM_LINE)),
    ("Invoice", "a line without item", drop(*ITEM_LINE, "ItemRef")),
    ("Invoice", "an empty item", put(*ITEM_LINE, "ItemRef", value={"value": ""})),
    ("Invoice", "quantity times price is not the amount", put("Line", 0, "Amount", value=Decimal("49.98"))),
    ("Invoice", "a US line with a code of its own", put(*ITEM_LINE, "TaxCodeRef", value={"value": "5"})),
    ("Invoice", "a journal line", put("Line", 0, "DetailType", value="JournalEntryLineDetail")),
    ("Invoice", "a negative discount", put("Line", -1, "Amount", value=Decimal("-5.00"))),
    ("Invoice", "a discount that does not say its kind", drop("Line", -1, "DiscountLineDetail", "PercentBased")),
    (
        "Invoice",
        "two discounts",
        add_line(Amount=Decimal(1), DetailType="DiscountLineDetail", DiscountLineDetail=DISCOUNT),
    ),
    ("Invoice", "the discount first", lambda content: content["Line"].insert(0, content["Line"].pop())),
    ("Invoice", "a total", put("TotalAmt", value=Decimal("77.00"))),
    ("Invoice", "a balance", put("Balance", value=Decimal("77.00"))),
    ("Invoice", "a payment linked", put("LinkedTxn", value=[{"TxnId": "1", "TxnType": "Payment"}])),
    ("Invoice", "two estimates linked", put("LinkedTxn", value=[{"TxnId": "1", "TxnType": "Estimate"}] * 2)),
    ("Invoice", "to be mailed without an address", put("EmailStatus", value="NeedToSend")),
    ("Invoice", "no e-mail address", put("BillEmail", value={"Address": "nobody"})),
    ("Invoice", "an address of 501 characters", put("BillAddr", value={"Line1": "x" * 501})),
    ("Invoice", "a post code of 31 characters", put("ShipAddr", value={"PostalCode": "9" * 31})),
    ("Invoice", "a currency that is not kept", put("CurrencyRef", value={"value": "EUR"})),
    ("Invoice", "a rate for one currency", put("ExchangeRate", value=Decimal("1.1"))),
    ("Invoice", "a float", put("Line", 0, "Amount", value=50.0)),
    ("Invoice", "six places", put("Line", 2, "Amount", value=Decimal("7.950001"))),
    ("Invoice", "a long custom field", put("CustomField", value=[{"DefinitionId": "1", "StringValue": "x" * 32}])),
    ("SalesReceipt", "no lines", put("Line", value=[])),
    ("SalesReceipt", "a reference of 22 characters", put("PaymentRefNum", value="x" * 22)),
    ("SalesReceipt", "less than nothing", put("Line", 2, "Amount", value=Decimal("-200.00"))),
    ("CreditMemo", "no customer", drop("CustomerRef")),
    ("CreditMemo", "an invoice linked", put("LinkedTxn", value=[{"TxnId": "1", "TxnType": "Invoice"}])),
    ("CreditMemo", "a remaining credit", put("RemainingCredit", value=Decimal(1))),
    ("RefundReceipt", "no account", drop("DepositToAccountRef")),
    ("RefundReceipt", "no lines", drop("Line")),
    ("Payment", "no customer", drop("CustomerRef")),
    ("Payment", "no total", drop("TotalAmt")),
    ("Payment", "more applied than paid", put("TotalAmt", value=Decimal("76.99"))),
    ("Payment", "a line that pays nothing", put("Line", 0, "LinkedTxn", value=[])),
    ("Payment", "a line that pays two", put("Line", 0, "LinkedTxn", value=[{"TxnId": "1", "TxnType": "Invoice"}] * 2)),
    ("Payment", "a receipt paid", put("Line", 0, "LinkedTxn", 0, "TxnType", value="SalesReceipt")),
    ("Payment", "a negative application", put("Line", 0, "Amount", value=Decimal(-1))),
    ("Payment", "a negative payment", put("TotalAmt", value=Decimal(-1))),
    ("Payment", "an unapplied amount", put("UnappliedAmt", value=Decimal(1))),
    ("Customer", "no name at all", drop("DisplayName")),
    ("Customer", "a colon in the name", put("DisplayName", value="Fenn: Ada")),
    ("Customer", "a tab in the name", put("DisplayName", value="Fenn\tAda")),
    ("Customer", "a name of 501 characters", put("DisplayName", value="x" * 501)),
    ("Customer", "a company of 101 characters", put("CompanyName", value="x" * 101)),
    ("Customer", "a phone of 31 characters", put("PrimaryPhone", value={"FreeFormNumber": "5" * 31})),
    ("Customer", "two e-mail addresses", put("PrimaryEmailAddr", value={"Address": "a@b.co, c@d.co"})),
    ("Customer", "a job without parent", put("Job", value=True)),
    ("Customer", "a balance", put("Balance", value=Decimal(1))),
    ("Item", "no name", drop("Name")),
    ("Item", "a name of 101 characters", put("Name", value="x" * 101)),
    ("Item", "a colon in the name", put("Name", value="Mugs:Blue")),
    ("Item", "a type that can't be made", put("Type", value="Group")),
    ("Item", "no income account", drop("IncomeAccountRef")),
    ("Item", "stock without a count", drop("QtyOnHand")),
    ("Item", "stock without a start", drop("InvStartDate")),
    ("Item", "stock without an asset account", drop("AssetAccountRef")),
    ("Item", "stock that is not tracked", put("TrackQtyOnHand", value=False)),
    ("Item", "a price too large", put("UnitPrice", value=Decimal(100000000000))),
    ("Deposit", "no account", drop("DepositToAccountRef")),
    ("Deposit", "no lines", put("Line", value=[])),
    ("Deposit", "a link without a line id", drop("Line", 0, "LinkedTxn", 0, "TxnLineId")),
    ("Deposit", "new money from nowhere", drop("Line", 1, "DepositLineDetail")),
    ("Deposit", "less than nothing", put("Line", 1, "Amount", value=Decimal("-100.00"))),
    ("JournalEntry", "one side only", drop("Line", 1)),
    ("JournalEntry", "sides that differ", put("Line", 0, "Amount", value=Decimal("77.01"))),
    ("JournalEntry", "a side that is none", put("Line", 0, "JournalEntryLineDetail", "PostingType", value="Left")),
    ("JournalEntry", "no account", drop("Line", 0, "JournalEntryLineDetail", "AccountRef")),
    ("JournalEntry", "a negative amount", put("Line", 0, "Amount", value=Decimal(-1))),
    ("JournalEntry", "a name without kind", drop("Line", 0, "JournalEntryLineDetail", "Entity", "Type")),
    ("Purchase", "no kind of payment", drop("PaymentType")),
    ("Purchase", "no account", drop("AccountRef")),
    ("Purchase", "a payee without kind", drop("EntityRef", "type")),
    ("Purchase", "a sales line", put("Line", 0, "DetailType", value="SalesItemLineDetail")),
    ("Bill", "no vendor", drop("VendorRef")),
    ("Bill", "no lines", drop("Line")),
    ("Bill", "a line without item", drop("Line", 0, "ItemBasedExpenseLineDetail", "ItemRef")),
    ("PurchaseOrder", "no account", drop("APAccountRef")),
    ("PurchaseOrder", "no vendor", drop("VendorRef")),
    ("Attachable", "neither file nor note", drop("Note")),
    ("Attachable", "a note of 2,001 characters", put("Note", value="x" * 2001)),
    ("Attachable", "on nothing", put("AttachableRef", 0, "EntityRef", value={"value": "12"})),
]


@pytest.mark.parametrize("entity", sorted({entity for entity, _, _ in WRONG}))
def test_the_body_that_is_about_to_be_spoilt_is_good(entity: str) -> None:
    assert check.problems(entity, good(entity)) == []


@pytest.mark.parametrize(("entity", "what", "spoil"), WRONG, ids=[f"{entity}: {what}" for entity, what, _ in WRONG])
def test_a_wrong_body_is_refused(entity: str, what: str, spoil: Spoil) -> None:
    content = good(entity)
    spoil(content)
    assert check.problems(entity, content), what


@pytest.mark.parametrize("missing", ["sparse", "Id", "SyncToken"])
def test_an_update_without_its_head_is_refused(missing: str) -> None:
    content = {"sparse": True, "Id": "1", "SyncToken": "0", "PrivateNote": "x"}
    assert check.problems("Invoice", content, update=True) == []
    del content[missing]
    assert check.problems("Invoice", content, update=True)


def test_lines_abroad_need_codes_and_documents_their_kind_of_tax() -> None:
    content = good("Invoice")
    assert "GlobalTaxCalculation" in "".join(check.problems("Invoice", content, united_states=False))
    content["GlobalTaxCalculation"] = "TaxExcluded"
    del content["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"]
    assert any("TaxCodeRef" in problem for problem in check.problems("Invoice", content, united_states=False))


def test_several_currencies_want_one_named() -> None:
    assert check.problems("Invoice", good("Invoice"), multi_currency=True)


def test_at_least_fifty_bodies_are_refused() -> None:
    assert len(WRONG) >= 50
