"""A little history for the full seed: estimates, the invoices made from them, receipts, payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.company import Company

Line = tuple[str, str, str, str]

_ESTIMATES: tuple[tuple[str, str, str, tuple[Line, ...], bool], ...] = (
    (
        "41",
        "10",
        "2015-09-27",
        (("5", "275", "1", "NON"), ("4", "75", "3.5", "NON"), ("11", "22.5", "2", "NON")),
        False,
    ),
    ("46", "20", "2015-10-05", (("10", "35", "2", "NON"),), False),
    (
        "48",
        "18",
        "2015-10-05",
        (("4", "75", "4", "NON"), ("7", "50", "5", "NON"), ("5", "275", "1", "NON"), ("13", "22.5", "8", "NON")),
        False,
    ),
    (
        "100",
        "24",
        "2015-10-06",
        (("5", "275", "1", "TAX"), ("11", "12.75", "1", "TAX"), ("3", "9.5", "5", "TAX")),
        True,
    ),
)

_INVOICES: tuple[tuple[str, str, str, str | None, tuple[Line, ...], bool], ...] = (
    ("9", "2", "2015-09-10", None, (("6", "25", "3", "TAX"),), True),
    ("12", "1", "2015-09-29", None, (("16", "2", "10", "TAX"), ("14", "35", "50", "TAX")), True),
    ("49", "18", "2015-10-07", "48", _ESTIMATES[2][3], False),
    ("69", "20", "2015-10-08", "46", _ESTIMATES[1][3], False),
    ("103", "10", "2015-10-08", "41", _ESTIMATES[0][3], False),
    ("119", "24", "2015-10-09", None, (("17", "4", "4", "TAX"),), True),
    ("130", "24", "2015-10-10", "100", _ESTIMATES[3][3], True),
)

_RECEIVED = (
    ("15", "3", "86.40", "2015-09-15"),
    ("31", "11", "108.00", "2015-09-20"),
    ("33", "3", "50.00", "2015-09-21"),
    ("72", "22", "155.00", "2015-10-01"),
)


def _lines(company: Company, lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    found = []
    for item, price, quantity, code in lines:
        amount = Decimal(price) * Decimal(quantity)
        detail = {
            "ItemRef": {"value": item},
            "UnitPrice": Decimal(price),
            "Qty": Decimal(quantity),
            "TaxCodeRef": {"value": code},
        }
        about = (company.get("Item", item) or {}).get("Description")
        kind = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        found.append({"Description": about, **kind})
    return found


def _form(company: Company, customer: str, day: str, lines: tuple[Line, ...], taxed: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "CustomerRef": {"value": customer},
        "TxnDate": day,
        "Line": _lines(company, lines),
        "CustomerMemo": {"value": "Thank you for your business and have a great day!"},
    }
    held = company.get("Customer", customer) or {}
    if held.get("BillAddr"):
        address = held["BillAddr"]
        city = f"{address['City']}, {address['CountrySubDivisionCode']}  {address['PostalCode']}"
        person = f"{held.get('GivenName', '')} {held.get('FamilyName', '')}".strip()
        written = [person, held.get("CompanyName"), address["Line1"], city]
        body["BillAddr"] = {f"Line{n}": text for n, text in enumerate(filter(None, written), 1)}
    if held.get("PrimaryEmailAddr"):
        body["BillEmail"] = {"Address": held["PrimaryEmailAddr"]["Address"]}
    if taxed:
        body["TxnTaxDetail"] = {"TxnTaxCodeRef": {"value": "2"}}
    return body


def seed_history(company: Company) -> None:
    """Post the history through the ordinary rules; the next transaction gets an id above all of it."""

    def save(entity: str, identifier: str, body: dict[str, Any]) -> None:
        with company.step():
            company.sequences["txn"] = int(identifier) - 1
            operations.save(company, entity, body)

    before = company.sequences.get("txn", 0)
    for identifier, customer, day, lines, taxed in _ESTIMATES:
        mailed = {"EmailStatus": "NeedToSend"} if identifier == "48" else {}
        save("Estimate", identifier, {**_form(company, customer, day, lines, taxed), **mailed})
    for identifier, customer, day, estimate, lines, taxed in _INVOICES:
        body = _form(company, customer, day, lines, taxed)
        if estimate is not None:
            body["LinkedTxn"] = [{"TxnId": estimate, "TxnType": "Estimate"}]
        save("Invoice", identifier, body)
    save("SalesReceipt", "17", _form(company, "11", "2015-09-20", (("10", "35", "3", "NON"),), False))
    paid = {"Amount": Decimal(81), "LinkedTxn": [{"TxnId": "9", "TxnType": "Invoice"}]}
    save(
        "Payment",
        "120",
        {"CustomerRef": {"value": "2"}, "TotalAmt": Decimal(81), "TxnDate": "2015-10-10", "Line": [paid]},
    )
    for identifier, customer, total, day in _RECEIVED:
        save("Payment", identifier, {"CustomerRef": {"value": customer}, "TotalAmt": Decimal(total), "TxnDate": day})
    save("CreditMemo", "73", _form(company, "3", "2015-10-02", (("10", "35", "1", "NON"),), False))
    refund = {
        **_form(company, "11", "2015-10-03", (("10", "35", "1", "NON"),), False),
        "DepositToAccountRef": {"value": "35"},
    }
    save("RefundReceipt", "75", refund)
    spent = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "64"}},
    }
    save(
        "Bill",
        "25",
        {"VendorRef": {"value": "46"}, "TxnDate": "2015-09-06", "Line": [{"Amount": Decimal(205), **spent}]},
    )
    meal = {
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "13"}},
    }
    cash = {"PaymentType": "Cash", "AccountRef": {"value": "35"}, "TxnDate": "2015-09-27"}
    save("Purchase", "252", {**cash, "Line": [{"Amount": Decimal(10), **meal}]})
    company.sequences["txn"] = max(before, 265)
    company.doc_numbers["sales"] = 1042
    company.doc_numbers["estimate"] = 1004
