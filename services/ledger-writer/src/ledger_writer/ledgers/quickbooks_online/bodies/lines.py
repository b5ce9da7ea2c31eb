"""Lines and tax of the sales forms: invoice, sales receipt, estimate, credit memo, refund receipt.

Document lines are signed so that lines + taxes = total. QuickBooks wants the discount as one positive closing line,
and the tax not as lines but as the amount of the whole document.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Document, DocumentLine, LineKind
from common.money import ZERO, quantize
from ledger_writer.ledgers.protocol import ErrorClass, Operation
from ledger_writer.ledgers.quickbooks_online.bodies.base import Books, Content, linked, listed, ref
from ledger_writer.ledgers.quickbooks_online.names import TAX_CODE, cannot

SHIPPING_ITEM: Final = "SHIPPING_ITEM_ID"
"""Not an item of the list: the form's own shipping field, where the company allows it."""
US_CODES: Final = ("TAX", "NON")


def coded_by_customer(operation: Operation, document: Document, books: Books) -> Document:
    """The document with the customer's own tax code on lines that name none, where lines must have one (12.8)."""
    if books.profile.united_states or not _coded(document) or all(line.tax_code for line in document.lines):
        return document
    customer = operation.references.get(document.customer_key or "")
    code = books.names.by_id("tax_codes", customer.details.get(TAX_CODE, "")) if customer is not None else None
    if code is None:
        return document
    lines = (line if line.tax_code else line.model_copy(update={"tax_code": code.name}) for line in document.lines)
    return document.model_copy(update={"lines": tuple(lines)})


def sales_lines(operation: Operation, document: Document, books: Books) -> tuple[list[Content], tuple[Reason, ...]]:
    """Every line of a sales form, the discount last. Raises `CannotBuild` for a line without an item."""
    lines: list[Content] = []
    notices: tuple[Reason, ...] = ()
    discounts: list[DocumentLine] = []
    for line in document.lines:
        if _closes_form(line, discounts, books):
            discounts.append(line)
            continue
        content, found = _item_line(operation, document, line, books)
        lines.append(content)
        notices += found
    if discounts:
        lines.append(_discount_line(discounts, books))
    return lines, notices


def _closes_form(line: DocumentLine, discounts: Sequence[DocumentLine], books: Books) -> bool:
    """Whether a line goes into the form's one discount line: same account as the others, and money off."""
    return (
        line.kind is LineKind.DISCOUNT
        and line.amount <= 0
        and books.profile.allow_discount
        and (not discounts or discounts[0].account == line.account)
    )


def _discount_line(discounts: Sequence[DocumentLine], books: Books) -> Content:
    detail: Content = {"PercentBased": False}
    if discounts[0].account.name:
        detail["DiscountAccountRef"] = ref(books.names.account(discounts[0].account).ledger_id)
    content: Content = {
        "Amount": -sum((line.amount for line in discounts), ZERO),
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": detail,
    }
    described = ", ".join(dict.fromkeys(line.description for line in discounts if line.description))
    if described:
        content["Description"] = described[:4000]
    return content


def _item_line(
    operation: Operation, document: Document, line: DocumentLine, books: Books
) -> tuple[Content, tuple[Reason, ...]]:
    detail: Content = {"ItemRef": ref(_item(operation, line, books)), **quantity(line, document.currency)}
    tax_code = _line_code(line, document, books)
    if tax_code:
        detail["TaxCodeRef"] = ref(tax_code)
    notices: tuple[Reason, ...] = ()
    if books.profile.class_per_line:
        found, notices = listed(books.names, "classes", line.class_name or document.class_name, "ClassRef", "class")
        detail |= found
    if line.service_date is not None:
        detail["ServiceDate"] = line.service_date.isoformat()
    content: Content = {"Amount": line.amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    if line.description:
        content["Description"] = line.description
    return content, notices


def _item(operation: Operation, line: DocumentLine, books: Books) -> str:
    if line.item_key is not None:
        return linked(operation, line.item_key, "item").ledger_id
    if line.kind is LineKind.SHIPPING and books.profile.allow_shipping:
        return SHIPPING_ITEM
    raise cannot(
        ErrorClass.CONFIG,
        "LINE_ITEM_MISSING",
        f"a {line.kind.value.replace('_', ' ')} line ({line.description or line.amount}) names no item, and QuickBooks "
        "posts sales lines through items only",
        f"Set the item for {line.kind.value.replace('_', ' ')} lines in the connection's product settings.",
        f"products.{line.kind.value}_item",
    )


def quantity(line: DocumentLine, currency: str) -> Content:
    """Quantity and price, the price only where it multiplies out to the amount: else QuickBooks refuses (6070)."""
    if line.quantity is None or line.quantity == 0:
        return {}
    if line.unit_price is not None and quantize(line.quantity * line.unit_price, currency) == line.amount:
        return {"Qty": line.quantity, "UnitPrice": line.unit_price}
    if (line.quantity > 0) != (line.amount >= 0):
        return {}
    return {"Qty": line.quantity}


def _line_code(line: DocumentLine, document: Document, books: Books) -> str:
    """TAX or NON in the United States, else the id of the line's tax code; empty where the company has no sales tax."""
    profile = books.profile
    if not profile.uses_sales_tax:
        return ""
    if profile.united_states:
        if line.tax_code in US_CODES:
            return line.tax_code
        return "TAX" if line.taxable else "NON"
    if not _coded(document):
        return ""
    code = line.tax_code or ""
    found = books.names.find("tax_codes", code)
    if found is None:
        shown = f"QuickBooks has no tax code named {code!r}" if code else "a line has no tax code"
        raise cannot(
            ErrorClass.CONFIG,
            "TAX_CODE_MISSING",
            f"{shown}; outside the United States every line needs one",
            "Map a tax code for taxed and for untaxed lines.",
            "tax.codes",
        )
    return found.ledger_id


def _coded(document: Document) -> bool:
    return any(tax.amount for tax in document.taxes) or any(line.tax_code for line in document.lines)


def tax_fields(document: Document, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    """The tax as the channel charged it. QuickBooks may still compute its own: the total is compared afterwards."""
    total = sum((tax.amount for tax in document.taxes), ZERO)
    profile = books.profile
    if not profile.uses_sales_tax:
        if total:
            raise cannot(
                ErrorClass.CONFIG,
                "SALES_TAX_OFF",
                f"the document has {total} {document.currency} of tax and sales tax is switched off in QuickBooks",
                "Turn on sales tax in QuickBooks, or use the tax method `tax_line`.",
                "tax.method",
            )
        return {}, ()
    if profile.united_states:
        return _us_tax(document, total, books)
    return _global_tax(document, total, books), ()


def _us_tax(document: Document, total: Decimal, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    codes = {tax.tax_code for tax in document.taxes if tax.tax_code and tax.tax_code not in US_CODES}
    code: Content = {}
    notices: tuple[Reason, ...] = ()
    # Automatic sales tax chooses the code itself; several codes can't be said in one document.
    if len(codes) == 1 and not books.profile.automatic_tax:
        code, notices = listed(books.names, "tax_codes", codes.pop(), "TxnTaxCodeRef", "tax code")
    content: Content = {"TxnTaxDetail": {"TotalTax": total, **code}}
    if any(line.kind is LineKind.DISCOUNT for line in document.lines):
        content["ApplyTaxAfterDiscount"] = True
    return content, notices


def _global_tax(document: Document, total: Decimal, books: Books) -> Content:
    if not _coded(document):
        return {"GlobalTaxCalculation": "NotApplicable"}
    detail: Content = {"TotalTax": total}
    on_lines = {line.tax_code for line in document.lines if line.taxable}
    only = on_lines.pop() if len(on_lines) == 1 else None
    charged = [tax for tax in document.taxes if tax.amount]
    lines = [line for tax in charged if (line := _tax_line(tax.tax_code or only, tax.amount, document, books))]
    # Only a complete set overrides the ledger's own calculation.
    if lines and len(lines) == len(charged):
        detail["TaxLine"] = lines
    return {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": detail}


def _tax_line(code: str | None, amount: Decimal, document: Document, books: Books) -> Content | None:
    """The amount of one rate, where the code stands for exactly one rate; a group's split is the ledger's affair."""
    found = books.names.find("tax_codes", code or "")
    if found is None or len(found.sales_rates) != 1:
        return None
    base = sum((line.amount for line in document.lines if line.tax_code == code), ZERO)
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {"TaxRateRef": ref(found.sales_rates[0]), "NetAmountTaxable": base},
    }
