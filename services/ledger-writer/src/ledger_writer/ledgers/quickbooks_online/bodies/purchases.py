"""The buying side: bill, expense, purchase order. Their partner is a vendor, carried in the document's customer key."""

from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole, Document, DocumentKind, DocumentLine, LineKind
from common.money import ZERO
from ledger_writer.ledgers.protocol import ErrorClass, Operation
from ledger_writer.ledgers.quickbooks_online.bodies.base import (
    Body,
    Books,
    Content,
    address,
    dated,
    linked,
    listed,
    memo,
    numbered,
    ref,
)
from ledger_writer.ledgers.quickbooks_online.bodies.lines import US_CODES, quantity
from ledger_writer.ledgers.quickbooks_online.names import cannot

_ITEM: Final = "ItemBasedExpenseLineDetail"
_ACCOUNT: Final = "AccountBasedExpenseLineDetail"


def bill(operation: Operation, document: Document, books: Books) -> Body:
    """What a vendor asks us to pay."""
    lines, notices = _lines(operation, document, books)
    content: Content = {
        **dated(document, books),
        **numbered(document),
        "VendorRef": _vendor(operation, document),
        "Line": lines,
        "PrivateNote": memo(document, document.reference, document.note),
    }
    if document.due_date is not None:
        content["DueDate"] = document.due_date.isoformat()
    if document.closes:
        content["LinkedTxn"] = [
            {"TxnId": linked(operation, key, "purchase order").ledger_id, "TxnType": "PurchaseOrder"}
            for key in document.closes
        ]
    terms, found = listed(books.names, "terms", document.terms, "SalesTermRef", "terms")
    return Body("Bill", content | terms, (*notices, *found))


def expense(operation: Operation, document: Document, books: Books) -> Body:
    """Money spent at once: a merchant fee, for example."""
    if document.deposit_to is None:
        raise cannot(
            ErrorClass.CONFIG,
            "ACCOUNT_MISSING",
            "the account that pays the expense is not set (role BANK)",
            "Choose an account for the role in the company's settings.",
            "deposit_to",
        )
    source = books.names.account(document.deposit_to, document.currency)
    lines, notices = _lines(operation, document, books)
    content: Content = {
        **dated(document, books),
        **numbered(document),
        "PaymentType": "CreditCard" if source.type == "Credit Card" else "Cash",
        "AccountRef": ref(source.ledger_id),
        "Line": lines,
        "PrivateNote": memo(document, document.reference, document.note),
    }
    if document.customer_key is not None:
        payee = linked(operation, document.customer_key, "vendor")
        content["EntityRef"] = {**ref(payee.ledger_id), "type": payee.details.get("entity", "Vendor")}
    method, found = listed(
        books.names, "payment_methods", document.payment_method, "PaymentMethodRef", "payment method"
    )
    return Body("Purchase", content | method, (*notices, *found))


def purchase_order(operation: Operation, document: Document, books: Books) -> Body:
    """An order to a vendor; posts nothing."""
    lines, notices = _lines(operation, document, books)
    payable = document.receivable or Account(
        role=AccountRole.PAYABLE, name=books.account_names.get(AccountRole.PAYABLE, "")
    )
    content: Content = {
        **dated(document, books),
        **numbered(document),
        "VendorRef": _vendor(operation, document),
        "APAccountRef": ref(books.names.account(payable, document.currency).ledger_id),
        "Line": lines,
        "PrivateNote": memo(document, document.reference, document.note),
    }
    if document.shipping_address is not None and (shipping := address(document.shipping_address)):
        content["ShipAddr"] = shipping
    if document.due_date is not None:
        content["DueDate"] = document.due_date.isoformat()
    return Body("PurchaseOrder", content, notices)


def _vendor(operation: Operation, document: Document) -> dict[str, str]:
    if document.customer_key is None:
        raise cannot(
            ErrorClass.CONFIG,
            "VENDOR_MISSING",
            f"a {document.kind.value.replace('_', ' ')} needs a vendor",
            "Set the payee or the product's preferred vendor.",
            "vendor",
        )
    return ref(linked(operation, document.customer_key, "vendor").ledger_id)


def _lines(operation: Operation, document: Document, books: Books) -> tuple[list[Content], tuple[Reason, ...]]:
    lines: list[Content] = []
    notices: tuple[Reason, ...] = ()
    for line in document.lines:
        content, found = _line(operation, document, line, books)
        lines.append(content)
        notices += found
    total = sum((line.amount for line in document.lines), ZERO)
    if not lines or total != document.total:
        raise cannot(
            ErrorClass.DATA,
            "NOT_BALANCED",
            f"the lines come to {total}, the document is {document.total}",
            "Report this: the document does not add up to what it says.",
            "lines",
        )
    return lines, notices


def _line(
    operation: Operation, document: Document, line: DocumentLine, books: Books
) -> tuple[Content, tuple[Reason, ...]]:
    notices: tuple[Reason, ...] = ()
    if line.item_key is not None:
        kind = _ITEM
        detail: Content = {
            "ItemRef": ref(linked(operation, line.item_key, "item").ledger_id),
            **quantity(line, document.currency),
        }
    elif document.kind is DocumentKind.PURCHASE_ORDER and line.kind is LineKind.PRODUCT:
        raise cannot(
            ErrorClass.CONFIG,
            "LINE_ITEM_MISSING",
            "a product of a purchase order names no item",
            "Map the product to an item of QuickBooks.",
            "item",
        )
    else:
        kind = _ACCOUNT
        detail = {"AccountRef": ref(books.names.account(line.account, document.currency).ledger_id)}
    code = line.tax_code or ""
    if code and books.profile.uses_sales_tax and code not in US_CODES and not books.profile.united_states:
        found = books.names.find("tax_codes", code)
        if found is not None:
            detail["TaxCodeRef"] = ref(found.ledger_id)
    if books.profile.class_per_line:
        classes, notices = listed(books.names, "classes", line.class_name or document.class_name, "ClassRef", "class")
        detail |= classes
    content: Content = {"Amount": line.amount, "DetailType": kind, kind: detail}
    if line.description:
        content["Description"] = line.description
    return content, notices
