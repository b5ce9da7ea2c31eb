"""Sales forms: estimate, invoice, sales receipt, credit memo, refund receipt."""

from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole, Document, DocumentKind
from ledger_writer.ledgers.protocol import ErrorClass, Operation
from ledger_writer.ledgers.quickbooks_online.bodies.base import (
    Body,
    Books,
    Content,
    address,
    customer_memo,
    customer_ref,
    dated,
    email,
    linked,
    listed,
    memo,
    notice,
    numbered,
    ref,
    reference,
)
from ledger_writer.ledgers.quickbooks_online.bodies.lines import coded_by_customer, sales_lines, tax_fields
from ledger_writer.ledgers.quickbooks_online.bodies.names import email_dropped
from ledger_writer.ledgers.quickbooks_online.names import cannot

ENTITIES: Final = {
    DocumentKind.ESTIMATE: "Estimate",
    # QuickBooks Online has no sales order; an estimate stands in and is closed by the invoice.
    DocumentKind.SALES_ORDER: "Estimate",
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.SALES_RECEIPT: "SalesReceipt",
    DocumentKind.CREDIT_MEMO: "CreditMemo",
    DocumentKind.REFUND_RECEIPT: "RefundReceipt",
}

_PAID: Final = (DocumentKind.SALES_RECEIPT, DocumentKind.REFUND_RECEIPT)


def sales_form(operation: Operation, document: Document, books: Books) -> Body:
    """The body of any sales form; lines and tax always whole, because an update replaces them whole."""
    document = coded_by_customer(operation, document, books)
    lines, notices = sales_lines(operation, document, books)
    if not lines:
        raise cannot(
            ErrorClass.DATA, "LINES_MISSING", "the document has no lines", "Check the order and the rules.", "lines"
        )
    tax, found = tax_fields(document, books)
    content: Content = {
        **dated(document, books),
        **numbered(document),
        **_customer(operation, document),
        "Line": lines,
        **tax,
    }
    notices += found
    if document.note:
        content["CustomerMemo"] = {"value": customer_memo(document)}
    for extra, found in (
        _delivery(document, books),
        _dimensions(document, books),
        _money(document, books),
        _terms(document, books),
    ):
        content |= extra
        notices += found
    _, whole_reference = reference(document) if document.kind in _PAID else ({}, "")
    content["PrivateNote"] = memo(document, whole_reference)
    closes, found = _closes(operation, document)
    return Body(ENTITIES[document.kind], content | closes, (*notices, *found))


def _customer(operation: Operation, document: Document) -> Content:
    """Receipts and refunds may go without a customer, the other forms may not."""
    if document.customer_key is None and document.kind in _PAID:
        return {}
    return {"CustomerRef": customer_ref(operation, document)}


def _delivery(document: Document, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    content: Content = {}
    notices: tuple[Reason, ...] = ()
    if document.billing_address is not None and (billing := address(document.billing_address)):
        content["BillAddr"] = billing
    if document.shipping_address is not None and (shipping := address(document.shipping_address)):
        content["ShipAddr"] = shipping
    if document.email:
        usable = email(document.email)
        if usable:
            content["BillEmail"] = {"Address": usable}
        else:
            notices = (email_dropped(document.email),)
    if books.profile.allow_shipping:
        if document.ship_date is not None:
            content["ShipDate"] = document.ship_date.isoformat()
        if document.ship_method:
            content["ShipMethodRef"] = ref(document.ship_method[:30])
        if document.tracking_number:
            content["TrackingNum"] = document.tracking_number[:100]
    return content, notices


def _dimensions(document: Document, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    """Class, location and custom fields, where the company uses them."""
    content: Content = {}
    notices: tuple[Reason, ...] = ()
    profile = books.profile
    if profile.class_per_form:
        found, missing = listed(books.names, "classes", document.class_name, "ClassRef", "class")
        content |= found
        notices += missing
    if profile.departments:
        found, missing = listed(books.names, "departments", document.department, "DepartmentRef", "location")
        content |= found
        notices += missing
    known = profile.custom_field_ids
    fields = [
        {"DefinitionId": known[name.casefold()], "Name": name, "Type": "StringType", "StringValue": value[:31]}
        for name, value in document.custom_fields.items()
        if name.casefold() in known and value
    ]
    if fields:
        content["CustomField"] = fields
    return content, notices


def _money(document: Document, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    """Where the money of a receipt comes in, or that of a refund leaves, and how."""
    if document.kind not in _PAID:
        return {}, ()
    content, _ = reference(document)
    notices: tuple[Reason, ...] = ()
    account = document.deposit_to
    if document.kind is DocumentKind.REFUND_RECEIPT and account is None:
        account = Account(role=AccountRole.UNDEPOSITED_FUNDS, name="")
    if account is not None:
        content["DepositToAccountRef"] = ref(books.names.account(account, document.currency).ledger_id)
    if document.payment_method:
        found, notices = listed(
            books.names, "payment_methods", document.payment_method, "PaymentMethodRef", "payment method"
        )
        content |= found
    return content, notices


def _terms(document: Document, books: Books) -> tuple[Content, tuple[Reason, ...]]:
    if document.kind is not DocumentKind.INVOICE:
        return {}, ()
    content, notices = listed(books.names, "terms", document.terms, "SalesTermRef", "terms")
    if document.due_date is not None:
        content["DueDate"] = document.due_date.isoformat()
    return content, notices


def _closes(operation: Operation, document: Document) -> tuple[Content, tuple[Reason, ...]]:
    """The estimate that an invoice or receipt closes. QuickBooks links one; others stay open and are named."""
    if not document.closes or document.kind not in (DocumentKind.INVOICE, DocumentKind.SALES_RECEIPT):
        return {}, ()
    links = [linked(operation, key, "estimate") for key in document.closes]
    content: Content = {"LinkedTxn": [{"TxnId": links[0].ledger_id, "TxnType": "Estimate"}]}
    if len(links) == 1:
        return content, ()
    others = ", ".join(link.number or link.ledger_id for link in links[1:])
    return content, (
        notice(
            "ESTIMATE_NOT_LINKED",
            f"QuickBooks links one estimate to a document; these stay open: {others}",
            "Close them in QuickBooks.",
            field_name="closes",
        ),
    )


def without_estimate(body: Body) -> Body | None:
    """The same invoice or receipt without its estimate, which QuickBooks refuses to link; None where it has none."""
    if body.entity not in ("Invoice", "SalesReceipt") or "LinkedTxn" not in body.content:
        return None
    content = {name: value for name, value in body.content.items() if name != "LinkedTxn"}
    told = notice(
        "ESTIMATE_NOT_LINKED",
        "QuickBooks refused to link the estimate, as it does with one that is closed: the document stands by itself",
        "Look whether somebody invoiced the estimate in QuickBooks: then void one of the two.",
        field_name="closes",
    )
    return Body(body.entity, content, (*body.notices, told))
