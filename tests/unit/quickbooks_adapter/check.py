"""What the schema can't say: required fields, lengths and conditional rules of Intuit's entity reference.

The schema alone accepts an invoice without customer and lines. `problems` lists everything that the API would refuse,
one sentence each, naming the field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Content = Mapping[str, Any]

LENGTHS = {
    "DocNumber": 21,
    "PrivateNote": 4000,
    "PaymentRefNum": 21,
    "DisplayName": 500,
    "Title": 16,
    "GivenName": 100,
    "MiddleName": 100,
    "FamilyName": 100,
    "Suffix": 16,
    "CompanyName": 100,
    "PrintOnCheckName": 110,
    "Notes": 2000,
    "ResaleNum": 16,
    "Sku": 100,
    "PurchaseDesc": 1000,
    "FreeFormNumber": 30,
    "Address": 100,
    "URI": 1000,
    "Line1": 500,
    "Line2": 500,
    "Line3": 500,
    "Line4": 500,
    "Line5": 500,
    "City": 255,
    "Country": 255,
    "CountrySubDivisionCode": 255,
    "PostalCode": 30,
    "StringValue": 31,
    "FileName": 1000,
    "ContentType": 100,
    "AcctNum": 100,
}
READ_ONLY = {
    "TotalAmt": ("Invoice", "SalesReceipt", "CreditMemo", "RefundReceipt", "Estimate", "Bill", "Deposit", "Purchase"),
    "Balance": ("Invoice", "Customer", "Bill", "CreditMemo", "SalesReceipt"),
    "HomeTotalAmt": ("Invoice", "SalesReceipt", "CreditMemo"),
    "UnappliedAmt": ("Payment",),
    "RemainingCredit": ("CreditMemo",),
    "FullyQualifiedName": ("Customer", "Item", "Vendor"),
}
SALES = ("Invoice", "SalesReceipt", "Estimate", "CreditMemo", "RefundReceipt")
LINKS = ("Invoice", "CreditMemo", "JournalEntry", "Expense", "Check", "CreditCardCredit", "Deposit")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_NAME_CHARACTERS = re.compile(r"[:\t\n]")
_EMAIL = re.compile(r"^[^@\s,]+@[^@\s,]+\.[^@\s,]+$")


def problems(
    entity: str, body: Content, *, united_states: bool = True, multi_currency: bool = False, update: bool = False
) -> list[str]:
    """Every rule that a body breaks; empty where the API would take it."""
    found = list(_anything(entity, body))
    if any(problem.endswith("a float") for problem in found):
        return found
    if not update:
        found += _currency(entity, body, multi_currency)
    if update and body.get("sparse") is not True:
        found.append("sparse: an update that is not sparse clears what it leaves out")
    if update and not (body.get("Id") and "SyncToken" in body):
        found.append("Id, SyncToken: an update needs both")
    rules = _RULES.get(entity)
    if rules is not None:
        found += rules(entity, body, united_states) if not update or "Line" in body else []
    return found


def _anything(entity: str, body: Content) -> Iterator[str]:
    for name, entities in READ_ONLY.items():
        if name in body and entity in entities:
            yield f"{name}: read only on {entity}"
    for name in ("TxnDate", "DueDate", "ShipDate", "InvStartDate"):
        if name in body and not _DATE.match(str(body[name])):
            yield f"{name}: not a date"
    yield from _walk(body, "")


def _walk(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, float):
        yield f"{path}: a float"
    elif isinstance(value, Mapping):
        for name, part in value.items():
            inside = f"{path}.{name}" if path else name
            most = LENGTHS.get(name, 4000 if name == "Description" else None)
            if most is not None and isinstance(part, str) and len(part) > most:
                yield f"{inside}: {len(part)} characters, at most {most}"
            if name == "CustomerMemo" and len(str(part.get("value", ""))) > 1000:
                yield f"{inside}: more than 1000 characters"
            if name.endswith("Ref") and not isinstance(part, list) and not str(part.get("value", "")):
                yield f"{inside}: an empty reference"
            if name == "Address" and not _EMAIL.match(str(part)):
                yield f"{inside}: not an e-mail address"
            if name == "Amount" and _places(part) > 5:
                yield f"{inside}: more than five places"
            yield from _walk(part, inside)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _walk(part, f"{path}[{index}]")


def _currency(entity: str, body: Content, multi_currency: bool) -> list[str]:
    if multi_currency and entity in (*SALES, "Payment") and "CurrencyRef" not in body:
        return ["CurrencyRef: required once several currencies are kept"]
    if not multi_currency and "CurrencyRef" in body:
        return ["CurrencyRef: the company keeps one currency"]
    if not multi_currency and "ExchangeRate" in body:
        return ["ExchangeRate: the company keeps one currency"]
    return []


def _sales(entity: str, body: Content, united_states: bool) -> list[str]:
    found: list[str] = []
    if entity in ("Invoice", "Estimate", "CreditMemo") and "CustomerRef" not in body:
        found.append("CustomerRef: required")
    if entity == "RefundReceipt" and "DepositToAccountRef" not in body:
        found.append("DepositToAccountRef: required")
    if body.get("EmailStatus") == "NeedToSend" and "BillEmail" not in body:
        found.append("BillEmail: required where the document is to be mailed")
    lines = body.get("Line") or []
    if not lines:
        found.append("Line: required")
    discounts = [line for line in lines if line.get("DetailType") == "DiscountLineDetail"]
    if len(discounts) > 1:
        found.append("Line: more than one discount")
    if discounts and lines[-1] is not discounts[0]:
        found.append("Line: the discount comes after the items")
    found += _estimates(entity, body.get("LinkedTxn") or [])
    if not united_states and body.get("GlobalTaxCalculation") not in ("TaxExcluded", "TaxInclusive", "NotApplicable"):
        found.append("GlobalTaxCalculation: required outside the United States")
    for index, line in enumerate(lines):
        found += [f"Line[{index}].{problem}" for problem in _sales_line(body, line, united_states)]
    if _total(lines) < 0:
        found.append("Line: the document comes to less than nothing")
    return found


def _estimates(entity: str, links: list[Content]) -> list[str]:
    takes = ("Estimate",) if entity in ("Invoice", "SalesReceipt") else ()
    wrong = [str(link.get("TxnType")) for link in links if link.get("TxnType") not in takes]
    found = [f"LinkedTxn: {kind} can't be linked here" for kind in wrong]
    return [*found, "LinkedTxn: more than one"] if len(links) > 1 else found


def _sales_line(body: Content, line: Content, united_states: bool) -> Iterator[str]:
    if "Amount" not in line:
        yield "Amount: required"
        return
    kind = line.get("DetailType")
    if kind not in ("SalesItemLineDetail", "DiscountLineDetail", "DescriptionOnly"):
        yield f"DetailType: {kind} has no place on a sales form"
        return
    if kind == "DescriptionOnly":
        return
    detail = line.get(kind)
    if not isinstance(detail, Mapping):
        yield f"{kind}: required"
    elif kind == "DiscountLineDetail":
        if line["Amount"] < 0:
            yield "Amount: a discount is positive"
        if not isinstance(detail.get("PercentBased"), bool):
            yield "DiscountLineDetail.PercentBased: required"
    else:
        yield from _sold(body, line, detail, united_states)


def _sold(body: Content, line: Content, detail: Content, united_states: bool) -> Iterator[str]:
    if not detail.get("ItemRef", {}).get("value"):
        yield "ItemRef: required"
    if {"Qty", "UnitPrice"} <= detail.keys() and _cents(detail["Qty"] * detail["UnitPrice"]) != line["Amount"]:
        yield "Amount: not quantity times price"
    code = detail.get("TaxCodeRef", {}).get("value")
    if united_states and code not in (None, "TAX", "NON"):
        yield f"TaxCodeRef: {code} is neither TAX nor NON"
    if not united_states and body.get("GlobalTaxCalculation") == "TaxExcluded" and not code:
        yield "TaxCodeRef: required on every line outside the United States"


def _payment(entity: str, body: Content, united_states: bool) -> list[str]:
    found = [f"{name}: required" for name in ("CustomerRef", "TotalAmt") if name not in body]
    applied = Decimal(0)
    for index, line in enumerate(body.get("Line") or []):
        links = line.get("LinkedTxn") or []
        if len(links) != 1:
            found.append(f"Line[{index}].LinkedTxn: exactly one")
        elif links[0].get("TxnType") not in LINKS or not links[0].get("TxnId"):
            found.append(f"Line[{index}].LinkedTxn: {links[0].get('TxnType')} can't be paid")
        if "Amount" not in line or line["Amount"] <= 0:
            found.append(f"Line[{index}].Amount: required and positive")
        elif links and links[0].get("TxnType") == "Invoice":
            applied += line["Amount"]
    if body.get("TotalAmt") is not None and 0 < body["TotalAmt"] < applied:
        found.append("Line: more is applied than was paid")
    if body.get("TotalAmt", Decimal(0)) < 0:
        found.append("TotalAmt: negative")
    return found


def _customer(entity: str, body: Content, united_states: bool) -> list[str]:
    names = ("DisplayName", "Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
    found = [] if any(body.get(name) for name in names) else ["DisplayName: one of the names is required"]
    found += [f"{name}: forbidden character" for name in names if _NAME_CHARACTERS.search(str(body.get(name, "")))]
    if body.get("Job") is True and "ParentRef" not in body:
        found.append("ParentRef: required for a job")
    return found


def _item(entity: str, body: Content, united_states: bool) -> list[str]:
    name = str(body.get("Name", ""))
    found = [] if name else ["Name: required"]
    if len(name) > 100:
        found.append("Name: more than 100 characters")
    if _NAME_CHARACTERS.search(name):
        found.append("Name: forbidden character")
    kind = body.get("Type")
    if kind not in ("Inventory", "Service", "NonInventory"):
        found.append(f"Type: {kind} can't be made")
    if kind in ("Inventory", "Service") and "IncomeAccountRef" not in body:
        found.append("IncomeAccountRef: required")
    if kind == "Inventory":
        needed = ("QtyOnHand", "InvStartDate", "AssetAccountRef", "ExpenseAccountRef")
        found += [f"{name}: required for inventory" for name in needed if name not in body]
        if body.get("TrackQtyOnHand") is not True:
            found.append("TrackQtyOnHand: required for inventory")
    if body.get("UnitPrice", Decimal(0)) > Decimal(99999999999):
        found.append("UnitPrice: too large")
    return found


def _deposit(entity: str, body: Content, united_states: bool) -> list[str]:
    found = [] if "DepositToAccountRef" in body else ["DepositToAccountRef: required"]
    lines = body.get("Line") or []
    if not lines:
        found.append("Line: required")
    for index, line in enumerate(lines):
        linked = line.get("LinkedTxn")
        if "Amount" not in line:
            found.append(f"Line[{index}].Amount: required")
        if linked and not all(link.get("TxnId") and link.get("TxnLineId") for link in linked):
            found.append(f"Line[{index}].LinkedTxn: needs TxnId and TxnLineId")
        if not linked and not line.get("DepositLineDetail", {}).get("AccountRef"):
            found.append(f"Line[{index}].AccountRef: new money needs an account")
    if sum((line.get("Amount", Decimal(0)) for line in lines), Decimal(0)) < 0:
        found.append("Line: a deposit can't be negative")
    return found


def _journal(entity: str, body: Content, united_states: bool) -> list[str]:
    found: list[str] = []
    sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
    for index, line in enumerate(body.get("Line") or []):
        detail = line.get("JournalEntryLineDetail") or {}
        if line.get("DetailType") != "JournalEntryLineDetail":
            found.append(f"Line[{index}].DetailType: must be JournalEntryLineDetail")
        if detail.get("PostingType") not in sums:
            found.append(f"Line[{index}].PostingType: Debit or Credit")
            continue
        if not detail.get("AccountRef"):
            found.append(f"Line[{index}].AccountRef: required")
        entity_given = detail.get("Entity")
        if entity_given is not None and not (entity_given.get("Type") and entity_given.get("EntityRef")):
            found.append(f"Line[{index}].Entity: needs Type and EntityRef")
        if line.get("Amount", Decimal(-1)) < 0:
            found.append(f"Line[{index}].Amount: required and positive")
            continue
        sums[detail["PostingType"]] += line["Amount"]
    if not all(sums.values()):
        found.append("Line: a debit and a credit are required")
    if sums["Debit"] != sums["Credit"]:
        found.append("Line: debits and credits differ")
    return found


def _spending(entity: str, body: Content, united_states: bool) -> list[str]:
    found: list[str] = []
    if entity == "Purchase":
        if body.get("PaymentType") not in ("Cash", "Check", "CreditCard"):
            found.append("PaymentType: Cash, Check or CreditCard")
        if "AccountRef" not in body:
            found.append("AccountRef: required")
        if "EntityRef" in body and body["EntityRef"].get("type") not in ("Customer", "Vendor", "Employee"):
            found.append("EntityRef.type: required")
    elif "VendorRef" not in body:
        found.append("VendorRef: required")
    if entity == "PurchaseOrder" and "APAccountRef" not in body:
        found.append("APAccountRef: required")
    lines = body.get("Line") or []
    if not lines:
        found.append("Line: required")
    for index, line in enumerate(lines):
        kind = line.get("DetailType")
        if "Amount" not in line:
            found.append(f"Line[{index}].Amount: required")
        wanted = {"AccountBasedExpenseLineDetail": "AccountRef", "ItemBasedExpenseLineDetail": "ItemRef"}.get(
            kind or ""
        )
        if wanted is None:
            found.append(f"Line[{index}].DetailType: {kind} has no place on a {entity}")
        elif not (line.get(kind) or {}).get(wanted):
            found.append(f"Line[{index}].{wanted}: required")
    return found


def _attachable(entity: str, body: Content, united_states: bool) -> list[str]:
    if not body.get("FileName") and not body.get("Note"):
        return ["FileName, Note: one is required"]
    found = ["Note: more than 2000 characters"] if len(str(body.get("Note", ""))) > 2000 else []
    untyped = any(not reference.get("EntityRef", {}).get("type") for reference in body.get("AttachableRef") or [])
    return [*found, "AttachableRef.EntityRef.type: required"] if untyped else found


_RULES: dict[str, Callable[[str, Content, bool], list[str]]] = {
    **dict.fromkeys(SALES, _sales),
    "Payment": _payment,
    "Customer": _customer,
    "Vendor": _customer,
    "Item": _item,
    "Deposit": _deposit,
    "JournalEntry": _journal,
    "Purchase": _spending,
    "Bill": _spending,
    "PurchaseOrder": _spending,
    "Attachable": _attachable,
}


def _total(lines: list[Content]) -> Decimal:
    total = Decimal(0)
    for line in lines:
        amount = line.get("Amount", Decimal(0))
        total += -amount if line.get("DetailType") == "DiscountLineDetail" else amount
    return total


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def _places(value: Any) -> int:
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0
