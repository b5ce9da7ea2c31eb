"""Arithmetic of the overview: counts per kind and column become the rows a bookkeeper reads, and the sums hold.

total in source = in ledger + warnings + dismissed + not tried + in progress + waiting, in every row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from api.columns import IN_SCOPE, Column
from common.messages.transactions import DocumentKind

ORDERS_ROW = "orders"

ROW_OF_KIND: Mapping[DocumentKind, str] = {
    DocumentKind.CUSTOMER: "customers",
    DocumentKind.VENDOR: "vendors",
    DocumentKind.ITEM: "products",
    DocumentKind.ESTIMATE: "estimates",
    DocumentKind.SALES_ORDER: "sales_orders",
    DocumentKind.PURCHASE_ORDER: "purchase_orders",
    DocumentKind.INVOICE: "invoices",
    DocumentKind.SALES_RECEIPT: "sales_receipts",
    DocumentKind.BILL: "bills",
    DocumentKind.CREDIT_MEMO: "credits",
    DocumentKind.PAYMENT: "payments",
    DocumentKind.REFUND_RECEIPT: "refunds",
    DocumentKind.REFUND_PAYMENT: "refunds",
    DocumentKind.EXPENSE: "expenses",
    DocumentKind.JOURNAL_ENTRY: "journal_entries",
    DocumentKind.INVENTORY_ADJUSTMENT: "inventory_adjustments",
    DocumentKind.DEPOSIT: "deposits",
}

ROWS: tuple[str, ...] = (ORDERS_ROW, *dict.fromkeys(ROW_OF_KIND.values()))
"""In dependency order; a warning further up explains warnings further down."""

ALWAYS_SHOWN: frozenset[str] = frozenset(
    {
        ORDERS_ROW,
        "customers",
        "products",
        "sales_orders",
        "invoices",
        "sales_receipts",
        "credits",
        "payments",
        "refunds",
        "deposits",
    }
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many entities of one row are in one column, and what they add up to in one currency.

    `amount` counts what has an effect in the books: a voided document is in the ledger with zero.
    """

    row: str
    column: Column
    currency: str
    entities: int
    amount: Decimal
    standing: Decimal = Decimal(0)
    """What of it stands in the ledger, whatever else is wanted there and waits."""
    notices: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Both sides of one row in one currency."""

    source: Decimal
    ledger: Decimal


@dataclass(frozen=True, slots=True)
class OverviewRow:
    name: str
    columns: Mapping[Column, int]
    notices: int
    """Posted with a notice; these are inside `in_ledger`."""
    totals: Mapping[str, Totals] = field(default_factory=dict)

    @property
    def source(self) -> int:
        """Entities in scope."""
        return sum(self.columns[column] for column in IN_SCOPE)


@dataclass(frozen=True, slots=True)
class Overview:
    rows: tuple[OverviewRow, ...]
    first_warning: str | None
    """The row to work on first: fixing a lower one before it only produces more warnings."""
    warnings_below: int
    """Warnings in the rows under it."""


def build(counts: Iterable[Count]) -> Overview:
    """Fold counts into rows. Every count lands in exactly one row and column."""
    columns = {row: dict.fromkeys(Column, 0) for row in ROWS}
    notices = dict.fromkeys(ROWS, 0)
    source: dict[str, dict[str, Decimal]] = {row: {} for row in ROWS}
    ledger: dict[str, dict[str, Decimal]] = {row: {} for row in ROWS}
    for count in counts:
        columns[count.row][count.column] += count.entities
        notices[count.row] += count.notices
        in_scope = count.column is not Column.OUT_OF_SCOPE
        if count.currency and (in_scope or count.standing):
            _add(source[count.row], count.currency, count.amount if in_scope else Decimal(0))
            _add(ledger[count.row], count.currency, count.standing)
    rows = tuple(
        OverviewRow(
            name=row,
            columns=columns[row],
            notices=notices[row],
            totals={currency: Totals(amount, ledger[row][currency]) for currency, amount in source[row].items()},
        )
        for row in ROWS
        if row in ALWAYS_SHOWN or any(columns[row].values())
    )
    warned = [row for row in rows if row.name != ORDERS_ROW and row.columns[Column.WARNINGS]]
    if not warned:
        orders = rows[0]
        return Overview(rows, ORDERS_ROW if orders.columns[Column.WARNINGS] else None, 0)
    return Overview(rows, warned[0].name, sum(row.columns[Column.WARNINGS] for row in warned[1:]))


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, Decimal(0)) + amount
