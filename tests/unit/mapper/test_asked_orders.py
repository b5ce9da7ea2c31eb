"""Orders that a person asked for by number, or insisted on: what keeps them out no more, and what they say of it."""

from datetime import date
from typing import Any

import pytest
from tests.unit.mapper.samples import company, configuration, example_a, mapped, unpaid
from tests.unit.mapper.test_bought import bought
from tests.unit.mapper.test_missing_payments import MODE, letter, why
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.base import Severity
from common.messages.orders import Lifecycle, Order
from common.messages.transactions import DocumentKind, SetOutcome
from mapper.mapping.catalog import Catalog, CustomerLink
from mapper.routes.views import preview_view

FILTERS, MARK = "filters", "do_not_import"
ASKED: list[tuple[Order, dict[str, Any], tuple[str, ...], str, str]] = [
    (unpaid(), {"mode": "invoices_only", "order_statuses": ["paid"]}, (FILTERS,), "order_statuses", "lets paid pass"),
    (example_a(), {"start_date": "2026-03-03"}, (FILTERS,), "start_date", "start date 2026-03-03"),
    (bought(), {"mode": "bills", "start_date": "2026-03-03"}, (FILTERS,), "start_date", "start date 2026-03-03"),
    (example_a(do_not_import=True), {}, (MARK,), "do_not_import", "not for import"),
    (example_a(do_not_import=True), {"start_date": "2026-03-03"}, (MARK, FILTERS), "do_not_import", "not for import"),
]


@pytest.mark.parametrize(("source", "changes", "let_through", "field", "says"), ASKED)
def test_an_order_that_somebody_asked_for_is_let_through_and_says_by_which_filter(
    source: Order, changes: dict[str, Any], let_through: tuple[str, ...], field: str, says: str
) -> None:
    settings = configuration(**changes)
    filtered = mapped(source, settings)
    assert filtered.reason is not None
    asked = mapped(source.model_copy(update={"let_through": let_through}), settings)
    assert (asked.outcome, [one.hold for one in asked.documents]) == (SetOutcome.MAPPED, [None])
    reason = asked.reason
    assert reason is not None
    assert (reason.code, reason.severity, reason.field) == ("LET_THROUGH", Severity.WARNING, field)
    assert reason.text == f"Somebody asked for the order; it would be filtered: {filtered.reason.text}"
    assert says in reason.text
    assert reason.value == filtered.reason.value


@pytest.mark.parametrize(
    ("source", "changes", "let_through", "code"),
    [
        (example_a(do_not_import=True), {}, (FILTERS,), "DO_NOT_IMPORT"),
        (unpaid(), {"order_statuses": ["paid"]}, (MARK,), "STATUS_FILTERED"),
        (example_a(lifecycle=Lifecycle.DRAFT), {}, (MARK, FILTERS), "DRAFT"),
        (example_a(store_name="Outlet"), {"store_filter": ["Main"]}, (MARK, FILTERS), "STORE_FILTERED"),
        (example_a(), {"mode": "none"}, (MARK, FILTERS), "MODE_NONE"),
        (example_a(), {"books": company(closed_through=date(2026, 3, 31))}, (MARK, FILTERS), "CLOSED_PERIOD"),
    ],
)
def test_what_nobody_asked_to_be_let_through_by_still_keeps_an_order_out(
    source: Order, changes: dict[str, Any], let_through: tuple[str, ...], code: str
) -> None:
    result = mapped(source.model_copy(update={"let_through": let_through}), configuration(**changes))
    assert (result.outcome, result.reason and result.reason.code) == (SetOutcome.FILTERED, code)


def test_a_rule_keeps_an_order_out_unless_somebody_forces_it_in() -> None:
    r6 = compiled(rule("do_not_import", "", name="R6"))
    assert mapped(example_a(let_through=(FILTERS,)), configuration(), rules=r6).outcome is SetOutcome.FILTERED
    forced = mapped(example_a(let_through=(MARK,)), configuration(), rules=r6)
    assert (forced.outcome, forced.reason and forced.reason.value) == (SetOutcome.MAPPED, "R6")


def test_an_order_that_no_filter_keeps_out_says_nothing_of_having_been_asked_for() -> None:
    assert mapped(example_a(let_through=(MARK, FILTERS)), configuration()).reason is None
    without = mapped(example_a(let_through=(FILTERS,)), configuration("credit_memos_only", start_date="2026-03-03"))
    assert (without.documents, without.reason and without.reason.code) == ((), "NO_DOCUMENTS")


def test_a_customers_horizon_holds_back_nothing_of_an_order_that_somebody_asked_for() -> None:
    catalog = Catalog(customer_links={"c1": CustomerLink("existing", "k", "L", "Ada", horizon=date(2026, 3, 3))})
    invoices = configuration("invoices_payments_if_paid")
    held = mapped(example_a(let_through=(MARK,)), invoices, catalog)
    assert {one.hold.code for one in held.documents if one.hold} == {"BEFORE_HORIZON"}
    assert held.reason is None
    asked = mapped(example_a(let_through=(FILTERS,)), invoices, catalog)
    assert [one.hold for one in asked.documents] == [None, None]
    assert asked.reason is not None
    assert asked.reason.text.endswith("The document of 2026-03-02 is older than the customer's horizon 2026-03-03.")
    same_day = Catalog(customer_links={"c1": CustomerLink("existing", "k", "L", "Ada", horizon=date(2026, 3, 2))})
    assert mapped(example_a(let_through=(FILTERS,)), invoices, same_day).reason is None


@pytest.mark.parametrize(
    ("let_through", "settings", "wanted"),
    [
        ((MARK,), {"order_statuses": ["pending"]}, "b"),
        ((FILTERS,), {"order_statuses": ["pending"]}, None),
        ((FILTERS,), {"follow_changes": False}, None),
        ((FILTERS,), {"start_date": "2026-03-03"}, None),
    ],
)
def test_no_filter_is_the_reason_of_a_missing_payment_that_was_asked_for(
    let_through: tuple[str, ...], settings: dict[str, Any], wanted: str | None
) -> None:
    source = example_a(let_through=let_through)
    assert letter(why(source, configuration(MODE, **settings))) == wanted


def test_a_preview_tells_documents_that_would_stay_from_those_that_would_change() -> None:
    source = example_a()
    stored = mapped(source, configuration(MODE)).documents
    renamed = mapped(source, configuration(MODE, class_name="Web"))
    shown = preview_view(source, renamed, stored=stored)
    assert [(one.kind, one.unchanged) for one in shown.documents] == [
        (DocumentKind.INVOICE, False),
        (DocumentKind.PAYMENT, True),
    ]
    assert [one.unchanged for one in preview_view(source, renamed).documents] == [False, False]
