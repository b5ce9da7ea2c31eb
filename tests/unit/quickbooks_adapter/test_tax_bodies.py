"""Section 12 as QuickBooks says it: codes without tax, codes that it does not have, and tax as it was charged."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.messages.transactions import Document, DocumentKind, DocumentTax, LineKind
from ledger_writer.ledgers.quickbooks_online.bodies import Body, build, lists_needed

SALES = (
    DocumentKind.ESTIMATE,
    DocumentKind.INVOICE,
    DocumentKind.SALES_RECEIPT,
    DocumentKind.CREDIT_MEMO,
    DocumentKind.REFUND_RECEIPT,
)


def coded(kind: DocumentKind, amount: str, code: str, **more: Any) -> Document:
    taxes = (DocumentTax(title="Tax", account=samples.TAXES, amount=Decimal(amount), tax_code=code),)
    lines = (line(amount="100.00", taxable=Decimal(amount) > 0),)
    return document(kind, str(Decimal("100.00") + Decimal(amount)), lines=lines, taxes=taxes, **more)


def body_of(wanted: Document, **profile: Any) -> Body:
    return build(operation(wanted), samples.books(**profile))


@pytest.mark.parametrize("kind", SALES)
def test_a_document_without_tax_names_its_code_and_is_taxed_nothing(kind: DocumentKind) -> None:
    wanted = coded(kind, "0.00", "California")
    body = body_of(wanted)
    assert body.content["TxnTaxDetail"] == {"TotalTax": Decimal("0.00"), "TxnTaxCodeRef": {"value": "2"}}
    assert body.content["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
    assert body.notices == ()
    assert check.problems(body.entity, body.content) == []
    assert "tax_codes" in lists_needed(operation(wanted), samples.books())


def test_automatic_tax_chooses_the_code_of_a_document_without_tax_itself() -> None:
    body = body_of(coded(DocumentKind.INVOICE, "0.00", "California"), automatic_tax=True)
    assert body.content["TxnTaxDetail"] == {"TotalTax": Decimal("0.00")}


@pytest.mark.parametrize("amount", ["0.00", "6.25"])
def test_a_code_that_quickbooks_does_not_have_is_left_out_and_said(amount: str) -> None:
    body = body_of(coded(DocumentKind.INVOICE, amount, "Nowhere"))
    assert body.content["TxnTaxDetail"] == {"TotalTax": Decimal(amount)}
    (said,) = body.notices
    assert (said.code, said.field, said.value) == ("TAX_CODE_UNKNOWN", "TxnTaxCodeRef", "Nowhere")
    assert said.text == "QuickBooks has no tax code named 'Nowhere'; the document was written without it"
    assert said.cure == "Make the tax code in QuickBooks, or map it to one that exists; then resend."


def test_abroad_a_tax_of_nothing_is_no_tax() -> None:
    gbp: dict[str, Any] = {"country": "GB", "home_currency": "GBP"}
    body = body_of(coded(DocumentKind.INVOICE, "0.00", "20.0% S", currency="GBP"), **gbp)
    assert body.content["GlobalTaxCalculation"] == "NotApplicable"
    assert "TxnTaxDetail" not in body.content
    lines = (line(amount="100.00", taxable=True, tax_code="20.0% S"),)
    taxes = (
        DocumentTax(title="VAT", account=samples.TAXES, amount=Decimal("20.00"), tax_code="20.0% S"),
        DocumentTax(title="Tax", account=samples.TAXES, amount=Decimal("0.00"), tax_code="Exempt"),
    )
    wanted = document(DocumentKind.INVOICE, "120.00", lines=lines, taxes=taxes, currency="GBP")
    (rate,) = body_of(wanted, **gbp).content["TxnTaxDetail"]["TaxLine"]
    assert (rate["Amount"], rate["TaxLineDetail"]["NetAmountTaxable"]) == (Decimal("20.00"), Decimal("100.00"))


@pytest.mark.parametrize("country", ["US", "GB"])
def test_the_channels_tax_is_sent_where_lines_or_a_rate_come_to_a_cent_more(country: str) -> None:
    """9.975 % of 4495.16 is 448.39, 448.40 summed over lines; 13.55 × 1.10 is 14.91 where 14.90 was charged."""
    for net, tax in (("4495.16", "448.39"), ("13.55", "1.35")):
        half = (Decimal(net) / 2).quantize(Decimal("0.01"))
        lines = tuple(
            line(LineKind.PRODUCT, str(amount), taxable=True, tax_code="20.0% S" if country == "GB" else "TAX")
            for amount in (half, Decimal(net) - half)
        )
        taxes = (DocumentTax(title="Tax", account=samples.TAXES, amount=Decimal(tax)),)
        total = Decimal(net) + Decimal(tax)
        wanted = document(DocumentKind.INVOICE, str(total), lines=lines, taxes=taxes)
        content = body_of(wanted, country=country).content
        assert content["TxnTaxDetail"]["TotalTax"] == Decimal(tax)
        assert sum(part["Amount"] for part in content["Line"]) + content["TxnTaxDetail"]["TotalTax"] == total
        assert total in (Decimal("4943.55"), Decimal("14.90"))
