"""Columns and sums of the overview: every entity in exactly one column, every row adds up."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import overview
from api.columns import IN_SCOPE, Column, column_of_document, column_of_set
from api.overview import Count
from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState
from common.messages.transactions import DocumentKind, SetOutcome

CODES = ("WAITING_FOR_PAYMENT", "WAITING_FOR_INVOICE", "NO_BALANCE", "DISMISSED_DEPENDENCY", "PRODUCT_MISSING")


def reason(code: str, severity: Severity = Severity.ERROR) -> Reason:
    return Reason(code=code, text="x", severity=severity)


REASONS = st.none() | st.builds(reason, st.sampled_from(CODES), st.sampled_from(Severity))


@pytest.mark.parametrize(
    ("state", "held", "column"),
    [
        (DocumentState.SYNCED, None, Column.IN_LEDGER),
        (DocumentState.VOIDED, None, Column.IN_LEDGER),
        (DocumentState.ACTION_REQUIRED, reason("PRODUCT_MISSING"), Column.WARNINGS),
        (DocumentState.QUEUED, None, Column.IN_PROGRESS),
        (DocumentState.IN_FLIGHT, None, Column.IN_PROGRESS),
        (DocumentState.RETRY_WAIT, reason("RATE_LIMITED"), Column.IN_PROGRESS),
        (DocumentState.UNKNOWN, None, Column.IN_PROGRESS),
        (DocumentState.NOT_TRIED, None, Column.NOT_TRIED),
        (DocumentState.DISMISSED, None, Column.DISMISSED),
        (DocumentState.SKIPPED, reason("NO_BALANCE"), Column.OUT_OF_SCOPE),
        (DocumentState.BLOCKED, reason("WAITING_FOR_PAYMENT"), Column.WAITING),
        (DocumentState.BLOCKED, reason("NO_BALANCE"), Column.OUT_OF_SCOPE),
        (DocumentState.BLOCKED, reason("DISMISSED_DEPENDENCY"), Column.DISMISSED),
        (DocumentState.BLOCKED, reason("DEPENDENCY_FAILED"), Column.WARNINGS),
        # Its dependency is on its way: nobody has to do anything.
        (DocumentState.BLOCKED, None, Column.IN_PROGRESS),
    ],
)
def test_each_state_has_its_column(state: DocumentState, held: Reason | None, column: Column) -> None:
    assert column_of_document(state, held) is column


def test_every_state_and_reason_has_exactly_one_column() -> None:
    for state in DocumentState:
        for code in CODES:
            assert column_of_document(state, reason(code)) in Column
        assert column_of_document(state, None) in Column


@pytest.mark.parametrize(
    ("outcome", "held", "documents", "column"),
    [
        (SetOutcome.FILTERED, reason("STATUS_FILTER"), 0, Column.OUT_OF_SCOPE),
        (SetOutcome.HELD, reason("TOTALS_MISMATCH"), 0, Column.WARNINGS),
        (SetOutcome.HELD, reason("WAITING_FOR_PAYMENT"), 0, Column.WAITING),
        (SetOutcome.HELD, None, 0, Column.WARNINGS),
        (SetOutcome.MAPPED, None, 2, Column.IN_PROGRESS),
        # A cancelled order that was never paid becomes nothing, and nothing more will come.
        (SetOutcome.MAPPED, None, 0, Column.OUT_OF_SCOPE),
    ],
)
def test_an_order_without_documents_stands_where_mapping_left_it(
    outcome: SetOutcome, held: Reason | None, documents: int, column: Column
) -> None:
    assert column_of_set(outcome, held, documents) is column


AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)
ENTITIES = st.lists(
    st.tuples(
        st.sampled_from(DocumentKind),
        st.sampled_from(DocumentState),
        REASONS,
        st.sampled_from(("USD", "EUR", "")),
        AMOUNTS,
        st.just(Decimal(0)) | AMOUNTS,
    ),
    max_size=60,
)


@settings(deadline=None)
@given(ENTITIES)
def test_the_columns_of_every_row_sum_to_its_source_and_nobody_is_lost(
    entities: list[tuple[DocumentKind, DocumentState, Reason | None, str, Decimal, Decimal]],
) -> None:
    counts = [
        Count(overview.ROW_OF_KIND[kind], column_of_document(state, held), currency, 1, amount, standing)
        for kind, state, held, currency, amount, standing in entities
    ]
    built = overview.build(counts)
    assert sum(sum(row.columns.values()) for row in built.rows) == len(entities)
    for row in built.rows:
        assert row.source == sum(row.columns[column] for column in IN_SCOPE)
        assert row.source + row.columns[Column.OUT_OF_SCOPE] == sum(row.columns.values())
    for currency in ("USD", "EUR"):
        in_scope = [c for c in counts if c.currency == currency and c.column is not Column.OUT_OF_SCOPE]
        source = sum((row.totals[currency].source for row in built.rows if currency in row.totals), Decimal(0))
        ledger = sum((row.totals[currency].ledger for row in built.rows if currency in row.totals), Decimal(0))
        assert source == sum((c.amount for c in in_scope), Decimal(0))
        assert ledger == sum((c.standing for c in counts if c.currency == currency), Decimal(0))


def test_rows_stand_in_dependency_order_and_the_first_warning_is_the_topmost() -> None:
    counts = [
        Count("payments", Column.WARNINGS, "USD", 3, Decimal(3)),
        Count("invoices", Column.WARNINGS, "USD", 2, Decimal(2)),
        Count("deposits", Column.WARNINGS, "USD", 1, Decimal(1)),
        Count("orders", Column.WARNINGS, "USD", 9, Decimal(9)),
    ]
    built = overview.build(counts)
    names = [row.name for row in built.rows]
    assert names.index("customers") < names.index("products") < names.index("invoices") < names.index("payments")
    assert (built.first_warning, built.warnings_below) == ("invoices", 4)


def test_without_warnings_of_documents_the_orders_row_is_named() -> None:
    assert overview.build([]).first_warning is None
    only_orders = overview.build([Count("orders", Column.WARNINGS, "USD", 1, Decimal(1))])
    assert only_orders.first_warning == "orders"
