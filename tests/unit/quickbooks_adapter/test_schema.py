"""Everything the adapter sends, judged by Intuit's published schema and by the rules that it leaves out."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, line, operation
from tests.unit.quickbooks_adapter.schema import schema

from common.messages.transactions import DocumentKind, DocumentTax, LineKind
from ledger_writer.ledgers.protocol import LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.bodies import attachment, build, changed
from ledger_writer.ledgers.quickbooks_online.bodies.money import application

pytestmark = pytest.mark.vendor

INVOICE = document(DocumentKind.INVOICE)
LINKS = {
    INVOICE.key: LedgerLink("130", details={"entity": "Invoice"}),
    "est" * 8: LedgerLink("77", details={"entity": "Estimate"}),
    "po" * 16: LedgerLink("78", details={"entity": "PurchaseOrder"}),
    "rec" * 8: LedgerLink("79", details={"entity": "SalesReceipt"}),
}
US: dict[str, Any] = {"allow_shipping": True, "class_per_line": True, "departments": True, "custom_fields": "1=Crew #"}
GB: dict[str, Any] = {"country": "GB", "home_currency": "GBP", "multi_currency": True}
FULL: dict[str, Any] = {
    "billing_address": samples.address(),
    "shipping_address": samples.address(name="Bo Ng"),
    "email": "ada@example.com",
    "class_name": "Online",
    "department": "Store 2",
    "note": "Leave at the door",
    "ship_method": "UPS",
    "tracking_number": "1Z999",
    "reference": "pi_3NfG0vLkdIwHu7ix1a2b3c4d",
    "custom_fields": {"Crew #": "102"},
    "terms": "Net 30",
}


def operations() -> Iterator[tuple[str, dict[str, Any], Operation]]:
    """(name, profile, operation) of every kind, plain and with everything that can be on it."""
    yield "customer", {}, operation(samples.customer())
    yield (
        "customer, full",
        GB,
        operation(
            samples.customer(
                first_name="Ada",
                last_name="Fenn",
                company="Fenn & Co",
                email="ada@example.com",
                phone="+1 555 0100",
                currency="EUR",
                billing_address=samples.address(),
                shipping_address=samples.address(),
            )
        ),
    )
    yield "vendor", {}, operation(samples.customer("Paper Mill", company="Paper Mill Ltd"), DocumentKind.VENDOR)
    for item_type in ("service", "non_inventory", "inventory"):
        wanted = samples.item(item_type=item_type, sku="MUG-1", unit_price=Decimal("25.00"), description="A mug")
        yield f"item, {item_type}", {}, operation(wanted)
    for kind in (
        DocumentKind.ESTIMATE,
        DocumentKind.SALES_ORDER,
        DocumentKind.INVOICE,
        DocumentKind.SALES_RECEIPT,
        DocumentKind.CREDIT_MEMO,
        DocumentKind.REFUND_RECEIPT,
    ):
        given: dict[str, Any] = {"lines": samples.example_lines()} if kind is DocumentKind.SALES_ORDER else {}
        yield kind.value, {}, operation(document(kind, **given))
        yield f"{kind.value}, full", US, operation(document(kind, **given, **FULL))
        abroad = document(
            kind,
            "12.00",
            currency="EUR",
            exchange_rate=Decimal("0.85"),
            lines=(line(amount="10.00", quantity="3", unit_price="3.3333333", taxable=True, tax_code="20.0% S"),),
            taxes=(DocumentTax(title="VAT", account=samples.TAXES, amount=Decimal("2.00")),),
        )
        yield f"{kind.value}, abroad", GB, operation(abroad)
    for kind in (DocumentKind.INVOICE, DocumentKind.SALES_RECEIPT):
        closing = document(kind, closes=("est" * 8,))
        yield f"{kind.value} that closes an estimate", {}, operation(closing, references=LINKS)
    yield from _money()
    yield from _buying()


def _money() -> Iterator[tuple[str, dict[str, Any], Operation]]:
    paid = document(DocumentKind.PAYMENT, reference="ch_1", payment_method="Visa", receivable=samples.RECEIVABLE)
    yield "payment, unapplied", {}, operation(paid)
    yield "payment", {}, operation(paid, references=LINKS, applications=((INVOICE.key, Decimal("77.00")),))
    refund = document(DocumentKind.REFUND_PAYMENT, "20.00", deposit_to=samples.CHECKING)
    yield "refund of a payment", {}, operation(refund)
    lines = (
        line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=samples.FUNDS, document_key="rec" * 8),
        line(LineKind.POSTING, "2.53", None, account=samples.FEES, description="Merchant fees"),
        line(LineKind.POSTING, "74.47", None, account=samples.CHECKING),
    )
    deposit = document(DocumentKind.DEPOSIT, "74.47", lines=lines, deposit_to=samples.CHECKING, reference="po_1")
    yield "deposit", {}, operation(deposit, references=LINKS)
    journal = (
        line(LineKind.POSTING, "77.00", None, account=samples.RECEIVABLE),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    )
    yield "journal entry", {}, operation(document(DocumentKind.JOURNAL_ENTRY, lines=journal))


def _buying() -> Iterator[tuple[str, dict[str, Any], Operation]]:
    given: dict[str, Any] = {
        "lines": (line(amount="20.00", quantity="2", unit_price="10.00", description="Mugs"),),
        "customer_key": samples.VENDOR,
    }
    fee = {**given, "lines": (line(LineKind.FEE, "20.00", None, account=samples.FEES),)}
    yield "bill", {}, operation(document(DocumentKind.BILL, "20.00", **given))
    yield (
        "bill of a purchase order",
        {},
        operation(document(DocumentKind.BILL, "20.00", closes=("po" * 16,), terms="Net 30", **fee), references=LINKS),
    )
    yield "expense", {}, operation(document(DocumentKind.EXPENSE, "20.00", deposit_to=samples.CHECKING, **fee))
    card = samples.account(samples.CHECKING.role, "Mastercard")
    yield "expense by card", {}, operation(document(DocumentKind.EXPENSE, "20.00", deposit_to=card, **given))
    order = document(DocumentKind.PURCHASE_ORDER, "20.00", shipping_address=samples.address(), **given)
    yield "purchase order", {}, operation(order)


CASES = list(operations())


@pytest.mark.parametrize(("name", "profile", "wanted"), CASES, ids=[name for name, _, _ in CASES])
def test_the_schema_and_the_rules_take_every_body(name: str, profile: dict[str, Any], wanted: Operation) -> None:
    books = samples.books(**profile)
    body = build(wanted, books)
    usual = {
        "united_states": books.profile.united_states,
        "multi_currency": books.profile.multi_currency,
    }
    assert schema().problems(body.entity, body.content) == []
    assert check.problems(body.entity, body.content, **usual) == []
    update = changed(body, LedgerLink("9", "2", details={"lines": "1,2,3"}), "2")
    assert schema().problems(body.entity, update) == []
    assert check.problems(body.entity, update, update=True, **usual) == []


def test_the_schema_takes_applications_and_attachments() -> None:
    credit = document(DocumentKind.CREDIT_MEMO)
    pairs = [
        (LINKS[INVOICE.key], Decimal("20.00")),
        (LedgerLink("9", details={"entity": "CreditMemo"}), Decimal("20.00")),
    ]
    body = application(credit, "58", pairs, samples.books())
    assert schema().problems("Payment", body.content) == []
    assert check.problems("Payment", body.content) == []
    note = attachment("Deposit", "12", note="Payout of 14 March")
    assert schema().problems("Attachable", note) == []


def test_the_schema_refuses_a_field_that_does_not_exist() -> None:
    assert schema().problems("Invoice", {"BadJson": True}) == ["Invoice has no BadJson"]
    assert schema().problems("Invoice", {"TxnDate": "yesterday"})


def test_the_schema_takes_real_documents_of_intuits_samples() -> None:
    """The converter itself, judged by what Intuit's own sandbox has stored."""
    from tests.unit.quickbooks_adapter.schema import vendor_data

    from ledger_writer.ledgers.quickbooks_online.numbers import loads

    content = loads((vendor_data() / "samples" / "sandbox_invoices.json").read_bytes())
    invoices = content.get("QueryResponse", content).get("Invoice", content) if isinstance(content, dict) else content
    assert len(invoices) > 10
    for invoice in invoices:
        kept = {name: value for name, value in invoice.items() if name != "domain"}
        assert schema().problems("Invoice", kept) == []
