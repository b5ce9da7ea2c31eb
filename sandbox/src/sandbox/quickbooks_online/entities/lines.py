"""Lines of sales forms: items, amounts, discounts, the closing subtotal, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.tax import HUNDRED, TaxedLine, check_line_code, is_us
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Write
from sandbox.quickbooks_online.faults import Fault, bad_reference, business, missing
from sandbox.quickbooks_online.table import Doc

SHIPPING = "SHIPPING_ITEM_ID"
GRATUITY = "GRATUITY_ITEM_ID"
DETAIL = "SalesItemLineDetail"


@dataclass(slots=True)
class SalesTotals:
    """What the lines of a sales form come to; amounts in the document's currency, ``discount`` positive."""

    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    taxed: list[TaxedLine] = field(default_factory=list)


def sales_lines(write: Write) -> SalesTotals:
    """Check and complete ``write.doc["Line"]`` in place: ids, numbers, names, amounts, the subtotal line."""
    company, doc = write.company, write.doc
    totals = SalesTotals()
    kept: list[Doc] = []
    discounts: list[Doc] = []
    for line in doc["Line"]:
        if line.get("DetailType") == "DiscountLineDetail":
            discounts.append(line)
        elif line.get("DetailType") != "SubTotalLineDetail":
            kept.append(_form_line(company, line, totals))
    charged = _statement_charges(doc)
    if not kept and not discounts and not charged:
        raise Fault("2250", "The transaction has no lines; send at least one item line", "Line")
    totals.subtotal += charged
    if len(discounts) > 1:
        raise Fault("6090", "At most one discount line is allowed", "Line")
    number_lines(kept + discounts, write.previous)
    if doc.get("GlobalTaxCalculation") != "TaxInclusive" or is_us(company):
        for taxed in totals.taxed:
            taxed.gross = None
    kept.append({"Amount": totals.subtotal, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    kept.extend([_discount(company, line, totals) for line in discounts])
    doc["Line"] = kept
    return totals


def _form_line(company: Company, line: Doc, totals: SalesTotals) -> Doc:
    kind = line.get("DetailType")
    if kind is None:
        raise missing("Line.DetailType")
    if kind in ("DescriptionOnly", "DescriptionLineDetail"):
        return _description(line)
    if kind == "GroupLineDetail":
        return _group(company, line, totals)
    if kind == DETAIL:
        return _item_line(company, line, totals)
    raise Fault("2170", f"{kind} is not a line of a sales form", "Line.DetailType")


def _statement_charges(doc: Doc) -> Decimal:
    """A form made of statement charges carries them as links, and its subtotal stands for lines it cannot show."""
    if not any(link.get("TxnType") == "StatementCharge" for link in doc.get("LinkedTxn") or []):
        return ZERO
    closing = [line for line in doc["Line"] if line.get("DetailType") == "SubTotalLineDetail"]
    return sum((line.get("Amount") or ZERO for line in closing), ZERO)


def number_lines(lines: list[Doc], previous: Doc | None) -> None:
    """Keep the ids of lines that were there before, give new lines the next ones; LineNum follows the order."""
    before = {line["Id"] for line in (previous or {}).get("Line", []) if "Id" in line}
    highest = max((int(identifier) for identifier in before if identifier.isdigit()), default=0)
    used: set[str] = set()
    for position, line in enumerate(lines, 1):
        identifier = line.get("Id")
        if identifier not in before or identifier in used:
            highest += 1
            identifier = str(highest)
        used.add(str(identifier))
        body = {name: value for name, value in line.items() if name not in ("Id", "LineNum")}
        line.clear()
        line["Id"] = identifier
        line["LineNum"] = position
        line.update(body)


def _description(line: Doc) -> Doc:
    line["DetailType"] = "DescriptionOnly"
    line.setdefault("DescriptionLineDetail", {})
    line.pop("Amount", None)
    return line


def line_amount(line: Doc, detail: Doc) -> Decimal:
    """The line's amount to the cent; raises 2020 without one and 6070 when it is not quantity times price."""
    amount: Decimal | None = line.get("Amount")
    if amount is None:
        raise missing("Line.Amount")
    amount = cents(amount)
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    blank = not quantity and not price  # clients send both as 0 for "not given"; the ledger takes the amount then
    if quantity is not None and price is not None and not blank and cents(quantity * price) != amount:
        raise Fault(
            "6070",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}",
            "Line.Amount",
        )
    line["Amount"] = amount
    return amount


def _item_line(company: Company, line: Doc, totals: SalesTotals) -> Doc:
    detail = line.get(DETAIL)
    if detail is None:
        detail = line[DETAIL] = {}
    amount = line_amount(line, detail)
    _item(company, detail)
    code = detail.get("TaxCodeRef")
    check_line_code(company, code, "Line.SalesItemLineDetail.TaxCodeRef")
    if code is None and is_us(company):
        code = detail["TaxCodeRef"] = {"value": "NON"}
    if detail.get("ClassRef"):
        company.resolve("Class", detail["ClassRef"], "Line.SalesItemLineDetail.ClassRef")
    totals.subtotal += amount
    totals.taxed.append(TaxedLine(amount, code["value"] if code else None, detail.get("TaxInclusiveAmt")))
    return line


def _item(company: Company, detail: Doc) -> None:
    reference = detail.get("ItemRef")
    if reference is None:
        reference = detail["ItemRef"] = {"value": company.special["default_item"]}
    value = reference["value"]
    if value in (SHIPPING, GRATUITY):
        if value == SHIPPING and company.preferences.get("SalesFormsPrefs", {}).get("AllowShipping") is not True:
            raise business("Shipping is not turned on in the sales settings of this company.", "Line")
        reference.pop("name", None)
        return
    item = company.resolve("Item", reference, "Line.SalesItemLineDetail.ItemRef")
    if item["Type"] == "Category":
        raise bad_reference("Items", value, "Line.SalesItemLineDetail.ItemRef")
    if item.get("IncomeAccountRef") is None and item["Type"] != "Group":
        raise business(f"{item['Name']} is not sold: it has no income account.", "Line.SalesItemLineDetail.ItemRef")
    if detail.get("ItemAccountRef") is not None:
        company.resolve("Account", detail["ItemAccountRef"], "Line.SalesItemLineDetail.ItemAccountRef")


def _group(company: Company, line: Doc, totals: SalesTotals) -> Doc:
    detail = line.get("GroupLineDetail") or {}
    reference = detail.get("GroupItemRef")
    if reference is None:
        raise missing("Line.GroupLineDetail.GroupItemRef")
    item = company.resolve("Item", reference, "Line.GroupLineDetail.GroupItemRef")
    quantity = detail.setdefault("Quantity", Decimal(1))
    if not detail.get("Line"):
        detail["Line"] = [_member(company, member, quantity) for member in _members(item)]
    amount = ZERO
    for position, inner in enumerate(detail["Line"], 1):
        if inner.get("DetailType") != DETAIL:
            raise Fault("2170", "Lines of a bundle must be item lines", "Line.GroupLineDetail.Line")
        _item_line(company, inner, totals)
        inner.setdefault("Id", str(1000 + position))
        amount += inner["Amount"]
    line["Amount"] = amount
    line["GroupLineDetail"] = detail
    return line


def _members(item: Doc) -> list[Doc]:
    group: Any = item.get("ItemGroupDetail") or {}
    return list(group.get("ItemGroupLine") or [])


def _member(company: Company, member: Doc, quantity: Decimal) -> Doc:
    reference = {"value": str(member["ItemRef"]["value"])}
    item = company.resolve("Item", reference, "Item.ItemGroupDetail")
    each = Decimal(str(member.get("Qty", 1))) * quantity
    price = item.get("UnitPrice") or ZERO
    return {
        "Amount": cents(each * price),
        "DetailType": DETAIL,
        DETAIL: {"ItemRef": reference, "Qty": each, "UnitPrice": price},
    }


def _discount(company: Company, line: Doc, totals: SalesTotals) -> Doc:
    if company.preferences.get("SalesFormsPrefs", {}).get("AllowDiscount") is False:
        raise Fault("6090", "Discounts are not turned on in the sales settings of this company", "Line")
    detail = line.get("DiscountLineDetail") or {}
    line["DiscountLineDetail"] = detail
    if detail.get("PercentBased") is True:
        if detail.get("DiscountPercent") is None:
            raise Fault("6090", "A percent based discount needs DiscountPercent", "Line.DiscountLineDetail")
        amount = cents(totals.subtotal * detail["DiscountPercent"] / HUNDRED)
    else:
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        amount = cents(line["Amount"])
        detail["PercentBased"] = False
    if amount < 0:
        raise Fault("2290", "The amount of a discount line is positive; the ledger subtracts it", "Line.Amount")
    reference = detail.get("DiscountAccountRef")
    if reference is None:
        reference = detail["DiscountAccountRef"] = {"value": company.special["discounts"]}
    account = company.resolve("Account", reference, "Line.DiscountLineDetail.DiscountAccountRef")
    if account["AccountType"] not in ("Income", "Expense", "Other Income"):
        raise Fault("6430", f"{account['Name']} cannot hold discounts", "Line.DiscountLineDetail.DiscountAccountRef")
    line["Amount"] = amount
    totals.discount = amount
    return line


def item_lines(doc: Doc) -> list[Doc]:
    """Every item line of a stored sales form, those inside bundles too."""
    found = []
    for line in doc.get("Line", []):
        if line.get("DetailType") == DETAIL:
            found.append(line)
        elif line.get("DetailType") == "GroupLineDetail":
            found.extend(line["GroupLineDetail"].get("Line", []))
    return found
