"""Operation → request body, purely: values in, values out, no client, no clock.

`build` says what to create; `changed` turns the same body into a sparse update of what is already written, and
`replaced` into a full one, where a field has to go.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.bodies.base import Body, Books, Content
from ledger_writer.ledgers.quickbooks_online.bodies.money import deposit, journal_entry, payment, refund_payment
from ledger_writer.ledgers.quickbooks_online.bodies.names import (
    customer,
    customer_contact,
    has_code,
    item,
    item_contents,
    vendor,
)
from ledger_writer.ledgers.quickbooks_online.bodies.purchases import bill, expense, purchase_order
from ledger_writer.ledgers.quickbooks_online.bodies.sales import ENTITIES as SALES_ENTITIES
from ledger_writer.ledgers.quickbooks_online.bodies.sales import sales_form, without_estimate
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild, cannot

__all__ = [
    "ENTITIES",
    "Body",
    "Books",
    "attachment",
    "build",
    "changed",
    "closing",
    "dropped",
    "lists_needed",
    "replaced",
    "without_estimate",
]

ENTITIES: Final[Mapping[DocumentKind, str]] = {
    **SALES_ENTITIES,
    DocumentKind.CUSTOMER: "Customer",
    DocumentKind.VENDOR: "Vendor",
    DocumentKind.ITEM: "Item",
    DocumentKind.PAYMENT: "Payment",
    DocumentKind.REFUND_PAYMENT: "Purchase",
    DocumentKind.EXPENSE: "Purchase",
    DocumentKind.BILL: "Bill",
    DocumentKind.PURCHASE_ORDER: "PurchaseOrder",
    DocumentKind.JOURNAL_ENTRY: "JournalEntry",
    DocumentKind.DEPOSIT: "Deposit",
}
"""Kind of document → entity of QuickBooks. A kind that is not here can't be written."""

_DOCUMENTS: Final[Mapping[DocumentKind, Callable[[Operation, Document, Books], Body]]] = {
    **dict.fromkeys(SALES_ENTITIES, sales_form),
    DocumentKind.PAYMENT: payment,
    DocumentKind.REFUND_PAYMENT: refund_payment,
    DocumentKind.EXPENSE: expense,
    DocumentKind.BILL: bill,
    DocumentKind.PURCHASE_ORDER: purchase_order,
    DocumentKind.JOURNAL_ENTRY: journal_entry,
    DocumentKind.DEPOSIT: deposit,
}


_LEFT_ALONE: Final = frozenset({"LinkedTxn", "DocNumber"})
"""Links hang on other documents too, and a number that was given stays given."""
_CUSTOM: Final = "CustomField"
_WORKED_OUT: Final = frozenset({"TxnTaxDetail", "MetaData", "domain"})


def build(operation: Operation, books: Books, *, suffix: str = "", update: bool = False) -> Body:
    """What the operation wants, as QuickBooks says it. Raises `CannotBuild` where it can't be said.

    `suffix` frees a customer's or vendor's name; `update` leaves out what an update must not touch.
    """
    wanted = operation.wanted
    if isinstance(wanted, CustomerWanted):
        if update:
            body = customer_contact(wanted)
            return Body(ENTITIES[operation.kind], body.content, body.notices)
        named = vendor if operation.kind is DocumentKind.VENDOR else customer
        return named(wanted, books, suffix=suffix)
    if isinstance(wanted, ItemWanted):
        return item_contents(wanted) if update else item(wanted, books)
    builder = _DOCUMENTS.get(operation.kind)
    if builder is None:
        raise cannot(
            ErrorClass.CONFIG,
            "KIND_NOT_SUPPORTED",
            f"QuickBooks Online has no {operation.kind.value.replace('_', ' ')}",
            "Choose a transaction mode that QuickBooks Online supports.",
            "mode",
        )
    return builder(operation, wanted, books)


def changed(body: Body, link: LedgerLink, token: str) -> Content:
    """A sparse update: only what the body names is touched, but `Line` is replaced as a whole.

    Lines keep the ids they were written with, so that what the ledger hangs on them (links, reconciliation) stays.
    """
    content: Content = {"Id": link.ledger_id, "SyncToken": token, "sparse": True, **body.content}
    ids = [line_id for line_id in link.details.get("lines", "").split(",") if line_id]
    lines = content.get("Line")
    if lines and ids:
        content["Line"] = [{"Id": ids[index], **line} if index < len(ids) else line for index, line in enumerate(lines)]
    return content


def dropped(operation: Operation, body: Body, books: Books) -> frozenset[str]:
    """Fields that the document was written with and that it has no more: a sparse update would leave them there.

    Of what was sent without an answer, too: nobody knows whether it arrived. A custom field is `CustomField.<id>`.
    """
    if "Line" not in body.content:
        return frozenset()
    before: set[str] = set()
    for document in (operation.previous, *operation.sent):
        if document is None:
            continue
        try:
            before |= _fields(build(replace(operation, wanted=document), books, update=True).content)
        except CannotBuild:
            # It could not be said any more how it was written, so nobody knows which fields were ours.
            continue
    return frozenset(before - _fields(body.content) - _LEFT_ALONE)


def _fields(content: Mapping[str, Any]) -> set[str]:
    return {*(content.keys() - {_CUSTOM}), *(_field_name(field) for field in content.get(_CUSTOM) or ())}


def _field_name(field: Mapping[str, Any]) -> str:
    return f"{_CUSTOM}.{field.get('DefinitionId')}"


def replaced(body: Body, link: LedgerLink, stored: Mapping[str, Any], gone: frozenset[str]) -> Content:
    """A full update: the object as it was read just now, changed, and without the fields that are `gone`.

    What people added to it in QuickBooks stays. The tax it worked out is left out, so that it is worked out anew.
    """
    content = changed(body, link, stored["SyncToken"])
    kept = {name: value for name, value in stored.items() if name not in gone and name not in _WORKED_OUT}
    ours = content.get(_CUSTOM, ())
    left_out = gone | {_field_name(field) for field in ours}
    custom = [field for field in stored.get(_CUSTOM) or () if _field_name(field) not in left_out]
    whole = {**kept, **content, _CUSTOM: [*custom, *ours]}
    return {name: value for name, value in whole.items() if name != "sparse" and (name != _CUSTOM or value)}


def closing(kind: DocumentKind) -> Content | None:
    """The state that closes a document which posts nothing, or None where closing means nothing."""
    return {"Estimate": {"TxnStatus": "Closed"}, "PurchaseOrder": {"POStatus": "Closed"}}.get(ENTITIES.get(kind, ""))


def attachment(entity: str, ledger_id: str, *, note: str = "", file_name: str = "", content_type: str = "") -> Content:
    """An Attachable: a note, or the metadata of a file that is uploaded with it, hung on one document."""
    content: dict[str, Any] = {
        "AttachableRef": [{"EntityRef": {"type": entity, "value": ledger_id}, "IncludeOnSend": False}]
    }
    if note:
        content["Note"] = note[:2000]
    if file_name:
        content["FileName"] = file_name[:1000]
    if content_type:
        content["ContentType"] = content_type[:100]
    return content


def lists_needed(operation: Operation, books: Books) -> frozenset[str]:
    """Reference lists without which the operation's body, or the one that it replaces, can't be built."""
    if isinstance(operation.wanted, CustomerWanted):
        return frozenset({"tax_codes"}) if has_code(operation.wanted, books) else frozenset()
    needed = {"accounts"}
    for wanted in (operation.wanted, operation.previous, *operation.sent):
        if not isinstance(wanted, Document):
            continue
        if wanted.payment_method:
            needed.add("payment_methods")
        if wanted.terms:
            needed.add("terms")
        if books.profile.class_per_line or books.profile.class_per_form:
            needed.add("classes")
        if books.profile.departments and wanted.department:
            needed.add("departments")
        by_customer = bool(wanted.taxes) and not books.profile.united_states
        if by_customer or any(tax.tax_code for tax in wanted.taxes) or any(line.tax_code for line in wanted.lines):
            needed.add("tax_codes")
    return frozenset(needed)
