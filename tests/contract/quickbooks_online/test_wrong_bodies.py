"""Deliberately wrong bodies are refused with the code that says what is wrong, and change nothing."""

from typing import Any

import pytest

LINE: dict[str, Any] = {
    "Amount": 10,
    "DetailType": "SalesItemLineDetail",
    "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
}
CUSTOMER = {"value": "1"}
EXPENSE = {
    "Amount": 10,
    "DetailType": "AccountBasedExpenseLineDetail",
    "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "13"}},
}


def sale(**fields: Any) -> dict[str, Any]:
    return {"CustomerRef": CUSTOMER, "Line": [LINE], **fields}


def sale_line(**fields: Any) -> dict[str, Any]:
    return sale(Line=[{**LINE, **fields}])


def item_detail(**fields: Any) -> dict[str, Any]:
    return sale_line(SalesItemLineDetail={"ItemRef": {"value": "1"}, **fields})


def discount(**detail: Any) -> dict[str, Any]:
    return {"Amount": 1, "DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}


def journal(*lines: tuple[str, float, str], **fields: Any) -> dict[str, Any]:
    made = [
        {
            "Amount": amount,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
        }
        for side, amount, account in lines
    ]
    return {"Line": made, **fields}


def linked(kind: str, txn: str, amount: float = 1) -> list[dict[str, Any]]:
    return [{"Amount": amount, "LinkedTxn": [{"TxnId": txn, "TxnType": kind}]}]


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    # path, what is wrong, body, code
    ("invoice", "unknown property", sale(BadJson=True), "2010"),
    ("invoice", "unknown property in a line", sale_line(Quantity=1), "2010"),
    ("invoice", "unknown property in a detail", item_detail(Price=1), "2010"),
    ("invoice", "a list where an object belongs", sale(BillAddr=[]), "2010"),
    ("invoice", "a text where a list belongs", {"CustomerRef": CUSTOMER, "Line": "x"}, "2010"),
    ("invoice", "no customer", {"Line": [LINE]}, "2020"),
    ("invoice", "no lines", {"CustomerRef": CUSTOMER}, "2020"),
    ("invoice", "empty lines", sale(Line=[]), "2020"),
    ("invoice", "only a subtotal", sale(Line=[{"Amount": 1, "DetailType": "SubTotalLineDetail"}]), "2250"),
    ("invoice", "a line without amount", sale(Line=[{"DetailType": "SalesItemLineDetail"}]), "2020"),
    ("invoice", "a line without detail type", sale(Line=[{"Amount": 5}]), "2020"),
    ("invoice", "unknown detail type", sale_line(DetailType="Fancy"), "2170"),
    ("invoice", "a journal line on an invoice", sale_line(DetailType="JournalEntryLineDetail"), "2170"),
    ("invoice", "amount is not a number", sale_line(Amount="ten"), "2140"),
    ("invoice", "amount too large", sale_line(Amount=10**12), "2140"),
    ("invoice", "amount is not quantity times price", item_detail(Qty=2, UnitPrice=6), "6070"),
    ("invoice", "quantity is not a number", item_detail(Qty="two"), "2160"),
    ("invoice", "unknown customer", sale(CustomerRef={"value": "99999"}), "2500"),
    ("invoice", "unknown item", item_detail(ItemRef={"value": "99999"}), "2500"),
    ("invoice", "unknown term", sale(SalesTermRef={"value": "99"}), "2500"),
    ("invoice", "unknown class", item_detail(ClassRef={"value": "99"}), "2500"),
    ("invoice", "unknown department", sale(DepartmentRef={"value": "99"}), "2500"),
    ("invoice", "unknown tax code", sale(TxnTaxDetail={"TxnTaxCodeRef": {"value": "99"}}), "2500"),
    ("invoice", "a rate's code on a US line", item_detail(TaxCodeRef={"value": "2"}), "6100"),
    ("invoice", "tax without a taxable line", sale(TxnTaxDetail={"TotalTax": 1}), "6470"),
    ("invoice", "document number too long", sale(DocNumber="9" * 22), "2050"),
    ("invoice", "private note too long", sale(PrivateNote="x" * 4001), "2050"),
    ("invoice", "memo too long", sale(CustomerMemo={"value": "x" * 1001}), "2050"),
    ("invoice", "description too long", sale_line(Description="x" * 4001), "2050"),
    ("invoice", "address line too long", sale(BillAddr={"Line1": "x" * 501}), "2050"),
    ("invoice", "postal code too long", sale(BillAddr={"PostalCode": "x" * 31}), "2050"),
    ("invoice", "control character", sale(PrivateNote="a\x01b"), "2040"),
    ("invoice", "no such day", sale(TxnDate="2026-02-30"), "2060"),
    ("invoice", "date in another form", sale(TxnDate="31.01.2026"), "2060"),
    ("invoice", "unknown print status", sale(PrintStatus="Maybe"), "2170"),
    ("invoice", "malformed e-mail", sale(BillEmail={"Address": "nobody"}), "2210"),
    ("invoice", "to be mailed nowhere", sale(CustomerRef={"value": "6"}, EmailStatus="NeedToSend"), "6420"),
    ("invoice", "foreign currency where there is only one", sale(CurrencyRef={"value": "EUR"}), "2220"),
    ("invoice", "two discounts", sale(Line=[LINE, discount(), discount()]), "6090"),
    ("invoice", "percent discount without percent", sale(Line=[LINE, discount(PercentBased=True)]), "6090"),
    ("invoice", "discount over 100 %", sale(Line=[LINE, discount(PercentBased=True, DiscountPercent=101)]), "2150"),
    ("invoice", "negative discount", sale(Line=[LINE, {**discount(), "Amount": -1}]), "2290"),
    ("invoice", "discount to a bank", sale(Line=[LINE, discount(DiscountAccountRef={"value": "35"})]), "6430"),
    ("invoice", "negative total", sale_line(Amount=-10), "6000"),
    ("invoice", "down payment where it is switched off", sale(Deposit=5), "6000"),
    ("invoice", "unknown estimate", sale(LinkedTxn=[{"TxnId": "9999", "TxnType": "Estimate"}]), "2500"),
    ("invoice", "another customer's estimate", sale(LinkedTxn=[{"TxnId": "41", "TxnType": "Estimate"}]), "620"),
    (
        "invoice",
        "stock before its first day",
        {**item_detail(ItemRef={"value": "11"}), "TxnDate": "2014-12-31"},
        "6270",
    ),
    ("invoice", "undefined custom field", sale(CustomField=[{"DefinitionId": "3", "StringValue": "x"}]), "2500"),
    ("invoice", "boolean is a word", sale(ApplyTaxAfterDiscount="perhaps"), "2120"),
    ("estimate", "unknown status", sale(TxnStatus="Lost"), "2170"),
    ("salesreceipt", "deposit to an income account", sale(DepositToAccountRef={"value": "1"}), "6430"),
    ("salesreceipt", "unknown payment method", sale(PaymentMethodRef={"value": "99"}), "2500"),
    ("salesreceipt", "reference too long", sale(PaymentRefNum="x" * 22), "2050"),
    ("refundreceipt", "no account to pay from", sale(), "2020"),
    ("creditmemo", "no customer", {"Line": [LINE]}, "2020"),
    ("payment", "no total", {"CustomerRef": CUSTOMER}, "2020"),
    ("payment", "no customer", {"TotalAmt": 5}, "2020"),
    ("payment", "negative total", {"CustomerRef": CUSTOMER, "TotalAmt": -5}, "2290"),
    ("payment", "unknown invoice", {"CustomerRef": CUSTOMER, "TotalAmt": 5, "Line": linked("Invoice", "99999")}, "610"),
    (
        "payment",
        "another customer's invoice",
        {"CustomerRef": CUSTOMER, "TotalAmt": 5, "Line": linked("Invoice", "49")},
        "620",
    ),
    (
        "payment",
        "more than is open",
        {"CustomerRef": CUSTOMER, "TotalAmt": 9999, "Line": linked("Invoice", "12", 9999)},
        "6000",
    ),
    (
        "payment",
        "more than is paid",
        {"CustomerRef": CUSTOMER, "TotalAmt": 5, "Line": linked("Invoice", "12", 10)},
        "6000",
    ),
    (
        "payment",
        "estimates are not paid",
        {"CustomerRef": CUSTOMER, "TotalAmt": 5, "Line": linked("Estimate", "41")},
        "620",
    ),
    (
        "payment",
        "a raw card number",
        {
            "CustomerRef": CUSTOMER,
            "TotalAmt": 5,
            "CreditCardPayment": {"CreditChargeInfo": {"Number": "4111111111111111"}},
        },
        "6530",
    ),
    ("deposit", "no account", {"Line": [{"Amount": 5}]}, "2020"),
    ("deposit", "new money without account", {"DepositToAccountRef": {"value": "35"}, "Line": [{"Amount": 5}]}, "6440"),
    (
        "deposit",
        "unknown receipt",
        {"DepositToAccountRef": {"value": "35"}, "Line": linked("SalesReceipt", "9999")},
        "610",
    ),
    (
        "deposit",
        "negative deposit",
        {
            "DepositToAccountRef": {"value": "35"},
            "Line": [{"Amount": -5, "DepositLineDetail": {"AccountRef": {"value": "96"}}}],
        },
        "6000",
    ),
    ("journalentry", "one-sided", journal(("Debit", 5, "13")), "2300"),
    ("journalentry", "does not balance", journal(("Debit", 5, "13"), ("Credit", 4, "35")), "2300"),
    ("journalentry", "negative amount", journal(("Debit", -5, "13"), ("Credit", -5, "35")), "2290"),
    ("journalentry", "no side", journal(("", 5, "13"), ("Credit", 5, "35")), "2260"),
    ("journalentry", "receivable without customer", journal(("Debit", 5, "84"), ("Credit", 5, "35")), "6000"),
    ("journalentry", "unknown account", journal(("Debit", 5, "9999"), ("Credit", 5, "35")), "2500"),
    ("purchase", "no payment type", {"AccountRef": {"value": "35"}, "Line": [EXPENSE]}, "2020"),
    (
        "purchase",
        "card paid from a bank",
        {"PaymentType": "CreditCard", "AccountRef": {"value": "35"}, "Line": [EXPENSE]},
        "6430",
    ),
    ("bill", "no vendor", {"Line": [EXPENSE]}, "2020"),
    ("bill", "unknown vendor", {"VendorRef": {"value": "9999"}, "Line": [EXPENSE]}, "2500"),
    (
        "bill",
        "line without account",
        {"VendorRef": {"value": "46"}, "Line": [{**EXPENSE, "AccountBasedExpenseLineDetail": {}}]},
        "6440",
    ),
    ("customer", "no name at all", {"CompanyName": "No Name Ltd"}, "6080"),
    ("customer", "taken name, other case", {"DisplayName": "amy's BIRD sanctuary"}, "6240"),
    ("customer", "a vendor's name", {"DisplayName": "Cal Telephone"}, "6240"),
    ("customer", "colon in the name", {"DisplayName": "a:b"}, "2040"),
    ("customer", "name too long", {"DisplayName": "x" * 501}, "2050"),
    ("customer", "phone too long", {"DisplayName": "P", "PrimaryPhone": {"FreeFormNumber": "1" * 31}}, "2050"),
    ("customer", "bad web address", {"DisplayName": "W", "WebAddr": {"URI": "not a url"}}, "2200"),
    ("customer", "unknown parent", {"DisplayName": "J", "Job": True, "ParentRef": {"value": "999"}}, "2500"),
    ("vendor", "a customer's name", {"DisplayName": "Cool Cars"}, "6240"),
    ("item", "no income account", {"Name": "Loose", "Type": "Service"}, "2020"),
    ("item", "taken name", {"Name": "pump", "Type": "Service", "IncomeAccountRef": {"value": "1"}}, "6240"),
    ("item", "inventory without accounts", {"Name": "S", "Type": "Inventory", "TrackQtyOnHand": True}, "2020"),
    ("item", "colon in the name", {"Name": "a:b", "Type": "Service", "IncomeAccountRef": {"value": "1"}}, "2040"),
    ("account", "no type", {"Name": "Typeless"}, "2020"),
    (
        "account",
        "detail type of another type",
        {"Name": "X", "AccountType": "Bank", "AccountSubType": "Inventory"},
        "6430",
    ),
    ("account", "taken name", {"Name": "checking", "AccountType": "Bank"}, "6240"),
    ("term", "neither days nor day", {"Name": "Soon"}, "2020"),
    ("term", "too many days", {"Name": "Late", "DueDays": 1000}, "2090"),
    ("paymentmethod", "name too long", {"Name": "x" * 32}, "2050"),
    ("taxservice/taxcode", "no rates", {"TaxCode": "Empty"}, "2020"),
    (
        "taxservice/taxcode",
        "rate over 100",
        {"TaxCode": "T", "TaxRateDetails": [{"TaxRateName": "T", "RateValue": 101}]},
        "2150",
    ),
    ("attachable", "neither file nor note", {"ContentType": "text/plain"}, "2020"),
    ("taxcode", "codes come from the tax service", {"Name": "Mine"}, "500"),
]


@pytest.fixture(scope="module")
def shared_company(stand_in: Any) -> Any:
    return stand_in.new_company()


def state(company: Any) -> Any:
    return company.http.get(f"{company.base}/_sandbox/companies/{company.realm}/snapshot").json()


@pytest.mark.parametrize(("path", "what", "body", "code"), WRONG, ids=[f"{row[0]}: {row[1]}" for row in WRONG])
def test_a_wrong_body_is_refused_and_leaves_no_trace(
    shared_company: Any, path: str, what: str, body: dict[str, Any], code: str
) -> None:
    before = state(shared_company)
    assert shared_company.fault(path, body) == code
    after = state(shared_company)
    for part in ("tables", "postings", "applied", "deposited", "layers", "movements", "deletions"):
        assert after[part] == before[part], part


def test_a_body_that_is_no_json_is_refused(shared_company: Any) -> None:
    url = f"{shared_company.base}/v3/company/{shared_company.realm}/invoice"
    for content in (b"{", b"[]", b'{"Line": NaN}', b"\xff\xfe"):
        answer = shared_company.http.post(url, content=content, headers=shared_company.headers)
        assert answer.status_code == 400
        assert answer.json()["Fault"]["Error"][0]["code"] == "2010"


def test_a_taken_number_is_refused_unless_duplicates_are_allowed(company: Any) -> None:
    body = {"CustomerRef": CUSTOMER, "Line": [LINE], "DocNumber": "W-1"}
    company.make("Invoice", body)
    assert company.fault("invoice", {**body, "DocNumber": "w-1"}) == "6140"
    assert company.post("salesreceipt", body).status_code == 200
    assert company.post("invoice", body, include="allowduplicatedocnum").status_code == 200


@pytest.mark.parametrize("entity", ["customer", "item", "account", "vendor", "term", "class"])
def test_list_objects_cannot_be_deleted(shared_company: Any, entity: str) -> None:
    assert shared_company.fault(entity, {"Id": "1", "SyncToken": "0"}, operation="delete") == "500"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"SyncToken": "0"}, "2020"),
        ({"Id": "12"}, "2020"),
        ({"Id": "12", "SyncToken": "9"}, "5010"),
        ({"Id": "9999", "SyncToken": "0"}, "610"),
    ],
)
def test_deleting_needs_the_id_and_the_current_token(shared_company: Any, body: dict[str, Any], code: str) -> None:
    assert shared_company.fault("invoice", body, operation="delete") == code
