"""What the goods of a summary cost: a journal beside it, where the ledger does not book the cost (section 15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.keys import document_key
from common.messages.transactions import (
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    ItemWanted,
    LineKind,
    TransactionSet,
)
from common.money import ZERO, quantize
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration
from mapper.mapping.notices import cost_missing
from mapper.mapping.products import STOCK_ITEM

KIND: Final = DocumentKind.JOURNAL_ENTRY


@dataclass(frozen=True, slots=True)
class Costs:
    """The journal, if anything has a cost, and a warning for each product whose cost is not known."""

    journal: Document | None
    missing: tuple[Reason, ...]


def costs_of(
    tenant_id: str,
    summary: Document,
    sold: Sequence[DocumentLine],
    items: Mapping[str, ItemWanted],
    configuration: Configuration,
    catalog: Catalog,
    previous: TransactionSet | None,
) -> Costs:
    """Dr cost of goods / Cr inventory for each product of the lines: quantity × cost, in the ledger's own currency.

    A cost that the previous version used is kept: what goods cost later says nothing about that day.
    """
    home = configuration.ledger.home_currency
    used = _costs_before(previous)
    # Goods leave stock by a sales form's items, and a journal entry has none.
    books_stock = summary.kind is not KIND
    lines: list[DocumentLine] = []
    missing: list[Reason] = []
    for label, quantity in _quantities(sold, items).items():
        found = _cost(label, configuration, catalog, books_stock=books_stock)
        if found is None and label not in used:
            missing.append(cost_missing(label))
            continue
        cost = used.get(label, found)
        if cost is None or cost == ZERO:
            continue
        amount = quantize(quantity * cost, home)
        for role, signed in ((AccountRole.COST_OF_GOODS, amount), (AccountRole.INVENTORY, -amount)):
            lines.append(
                DocumentLine(
                    kind=LineKind.POSTING,
                    account=configuration.account(role),
                    amount=signed,
                    description=label,
                    quantity=quantity,
                    unit_price=cost,
                )
            )
    return Costs(_journal(tenant_id, summary, lines, configuration) if lines else None, tuple(missing))


def _quantities(sold: Sequence[DocumentLine], items: Mapping[str, ItemWanted]) -> dict[str, Decimal]:
    """What was sold by product: its SKU, or the name of its item."""
    sums: dict[str, Decimal] = {}
    for line in sold:
        item = items.get(line.item_key or "")
        # Of a summary's lines only products have a quantity.
        if item is not None and line.quantity:
            label = item.sku or item.name
            sums[label] = sums.get(label, ZERO) + line.quantity
    return {label: quantity for label, quantity in sums.items() if quantity}


def _cost(label: str, configuration: Configuration, catalog: Catalog, *, books_stock: bool) -> Decimal | None:
    """Cost of one, zero for what the ledger books itself, None where nobody knows it."""
    match_field = configuration.connection.products.match_field
    # As a product is found: what several items answer to is nobody's, even if another has it as its name.
    by_field = bool(catalog.find_items(match_field, label))
    item = catalog.active_item(match_field if by_field else "name", label)
    if item is None:
        return None
    # A ledger says zero where nobody entered a cost.
    is_booked = books_stock and item.item_type.casefold() == STOCK_ITEM
    return ZERO if is_booked else item.purchase_cost or None


def _costs_before(previous: TransactionSet | None) -> dict[str, Decimal]:
    journals = (one for one in previous.documents if one.kind is KIND) if previous else ()
    return {line.description: line.unit_price for one in journals for line in one.lines if line.unit_price is not None}


def _journal(tenant_id: str, summary: Document, lines: list[DocumentLine], configuration: Configuration) -> Document:
    connection = configuration.connection
    # Where the summary is a journal entry itself, this is the second one.
    ordinal = int(summary.kind is KIND)
    return Document(
        key=document_key(
            tenant_id, connection.company_id, connection.connection_id, "summary", summary.source_id, KIND, ordinal
        ),
        kind=KIND,
        ordinal=ordinal,
        hold=summary.hold,
        source_kind="summary",
        source_id=summary.source_id,
        number=None,
        memo_number=summary.memo_number,
        note="Cost of goods sold",
        date=summary.date,
        currency=configuration.ledger.home_currency,
        total=sum((line.amount for line in lines if line.amount > 0), ZERO),
        lines=tuple(lines),
        depends_on=(summary.key,),
        class_name=summary.class_name,
        department=summary.department,
    )
