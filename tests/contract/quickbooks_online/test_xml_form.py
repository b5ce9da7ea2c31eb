"""XML in and out: what the stand-in answers is valid by Intuit's published schema."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.unit.quickbooks_adapter.schema import complaints

pytestmark = pytest.mark.vendor

NAMESPACE = "{http://schema.intuit.com/finance/v3}"
ENTITIES = (
    "Customer",
    "Vendor",
    "Item",
    "Account",
    "TaxCode",
    "TaxRate",
    "TaxAgency",
    "PaymentMethod",
    "Term",
    "Estimate",
    "Invoice",
    "SalesReceipt",
    "Payment",
    "CreditMemo",
    "RefundReceipt",
    "Bill",
    "Purchase",
    "CompanyInfo",
    "ExchangeRate",
    "CompanyCurrency",
    "Deposit",
    "JournalEntry",
    "PurchaseOrder",
)


@pytest.fixture(scope="module")
def schema(vendor_data: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(vendor_data / "xsd" / "IntuitRestServiceDef.xsd"))


def fetch(company: Any, path: str, **params: Any) -> Any:
    url = f"{company.base}/v3/company/{company.realm}/{path}"
    answer = company.http.get(url, params=params, headers={"Authorization": f"Bearer {company.access}"})
    assert answer.headers["content-type"].startswith("application/xml")
    return etree.fromstring(answer.content)


def violations(schema: etree.XMLSchema, document: Any) -> list[str]:
    """What the schema finds, but for custom fields without a value: real answers have them and break it too."""
    for field in document.iter(f"{NAMESPACE}CustomField"):
        if field.find(f"{NAMESPACE}StringValue") is None and field.find(f"{NAMESPACE}Type") is not None:
            etree.SubElement(field, f"{NAMESPACE}StringValue")
    schema.validate(document)
    return complaints(schema)


@pytest.mark.parametrize("entity", ENTITIES)
def test_answers_in_xml_are_valid(schema: etree.XMLSchema, company: Any, entity: str) -> None:
    receipt = company.make("SalesReceipt", company.form(company.line(5), DocNumber="X1"))
    line = {"LinkedTxn": [{"TxnId": receipt["Id"], "TxnType": "SalesReceipt", "TxnLineId": "0"}]}
    company.make("Deposit", {"DepositToAccountRef": {"value": "35"}, "Line": [line]})
    document = fetch(company, "query", query=f"select * from {entity}")
    assert violations(schema, document) == []


def test_faults_counts_and_changes_in_xml_are_valid(schema: etree.XMLSchema, company: Any) -> None:
    invoice = company.make("Invoice", company.form(company.line(5)))
    company.make("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="delete")
    for path, params in (
        ("query", {"query": "select count(*) from Item"}),
        ("query", {"query": "select * from Nothing"}),
        ("cdc", {"entities": "Invoice,Item", "changedSince": "2011-01-01T00:00:00-08:00"}),
    ):
        assert violations(schema, fetch(company, path, **params)) == []


def test_a_document_sent_in_xml_is_the_same_as_one_sent_in_json(company: Any) -> None:
    body = """<Invoice xmlns="http://schema.intuit.com/finance/v3">
      <TxnDate>2026-03-01</TxnDate>
      <Line><Amount>10.50</Amount><DetailType>SalesItemLineDetail</DetailType>
        <SalesItemLineDetail><ItemRef name="Concrete">3</ItemRef><UnitPrice>5.25</UnitPrice><Qty>2</Qty>
          <TaxCodeRef>TAX</TaxCodeRef></SalesItemLineDetail></Line>
      <TxnTaxDetail><TxnTaxCodeRef>2</TxnTaxCodeRef></TxnTaxDetail>
      <CustomerRef>1</CustomerRef><CustomerMemo>Thanks</CustomerMemo>
      <BillEmail><Address>a@people.example</Address></BillEmail></Invoice>"""
    url = f"{company.base}/v3/company/{company.realm}/invoice"
    headers = {"Authorization": f"Bearer {company.access}", "Content-Type": "application/xml"}
    answer = company.http.post(url, content=body, headers=headers)
    made = etree.fromstring(answer.content)
    identifier = made.findtext(f"{NAMESPACE}Invoice/{NAMESPACE}Id")
    held = company.read("Invoice", identifier)
    assert held["TotalAmt"] == 11.34
    assert held["CustomerMemo"] == {"value": "Thanks"}
    assert held["BillEmail"] == {"Address": "a@people.example"}


def test_external_entities_in_xml_are_not_read(company: Any) -> None:
    body = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Customer><DisplayName>&f;</DisplayName></Customer>'
    url = f"{company.base}/v3/company/{company.realm}/customer"
    answer = company.http.post(url, content=body, headers={**company.headers, "Content-Type": "application/xml"})
    assert answer.status_code == 400
    assert "root:" not in answer.text
