"""Sets and documents as people see them: names instead of keys."""

from datetime import datetime

from common.internal.mapper import AppliedRule, PlannedDocument, PlannedLine, PreviewOrder, SetView
from common.messages.orders import Order
from common.messages.transactions import Document, DocumentTax, LineKind, TransactionSet


def set_view(result: TransactionSet, mapped_at: datetime, rules: tuple[AppliedRule, ...] = ()) -> SetView:
    return SetView(
        company_id=result.company_id,
        connection_id=result.connection_id,
        source_kind=result.source_kind,
        source_id=result.source_id,
        source_number=result.source_number,
        revision=result.revision,
        mapped_at=mapped_at,
        inputs=result.inputs,
        outcome=result.outcome,
        reason=result.reason,
        documents=planned_documents(result),
        rules=rules,
    )


def preview_view(
    order: Order, result: TransactionSet, rules: tuple[AppliedRule, ...] = (), stored: tuple[Document, ...] = ()
) -> PreviewOrder:
    """`stored`: documents that the order was last mapped to."""
    before = {document.key: document for document in stored}
    same = {document.key for document in result.documents if document == before.get(document.key)}
    return PreviewOrder(
        order_key=order.key,
        number=order.number,
        revision=order.revision,
        outcome=result.outcome,
        reason=result.reason,
        documents=tuple(
            planned.model_copy(update={"unchanged": planned.key in same}) for planned in planned_documents(result)
        ),
        rules=rules,
    )


def planned_documents(result: TransactionSet) -> tuple[PlannedDocument, ...]:
    customers = {one.key: one.display_name for one in (*result.customers, *result.vendors)}
    items = {one.key: one.name for one in result.items}
    return tuple(_planned(document, customers, items) for document in result.documents)


def _planned(document: Document, customers: dict[str, str], items: dict[str, str]) -> PlannedDocument:
    lines = [
        PlannedLine(
            kind=line.kind,
            description=line.description,
            item=items.get(line.item_key or "", ""),
            quantity="" if line.quantity is None else f"{line.quantity:f}",
            amount=line.amount,
            account_role=line.account.role,
            account=line.account.name,
            tax_code=line.tax_code or "",
        )
        for line in document.lines
    ]
    lines.extend(_tax_line(tax) for tax in document.taxes)
    return PlannedDocument(
        key=document.key,
        kind=document.kind,
        number=document.number,
        memo_number=document.memo_number,
        due_date=document.due_date,
        date=document.date,
        currency=document.currency,
        total=document.total,
        customer=customers.get(document.customer_key or "", ""),
        wanted=document.wanted,
        hold=document.hold,
        notices=document.notices,
        lines=tuple(lines),
        deposit_to=document.deposit_to.name if document.deposit_to else "",
        depends_on=document.depends_on,
    )


def _tax_line(tax: DocumentTax) -> PlannedLine:
    return PlannedLine(
        kind=LineKind.TAX,
        description=tax.title,
        amount=tax.amount,
        account_role=tax.account.role,
        account=tax.account.name,
        tax_code=tax.tax_code or "",
    )
