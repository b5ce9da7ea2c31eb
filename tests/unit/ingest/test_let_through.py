"""What somebody asked for stays asked for, whatever else the order says (section 27)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from common.messages.orders import FinancialStatus, FulfillmentStatus, Lifecycle, Order
from ingest.intake import let_through_before

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTHING: Final = Decimal("0.00")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, set()),
        ({"let_through": ("filters",)}, {"filters"}),
        ({"custom_fields": {"let_through": "yes"}}, set()),
        ({"custom_fields": {"let_through": "yes"}, "let_through": ("do_not_import", "filters")},
         {"do_not_import", "filters"}),
    ],
)  # fmt: skip
def test_a_field_of_the_shop_lets_nothing_through_and_breaks_nothing(said: dict[str, Any], wanted: set[str]) -> None:
    order = Order(
        tenant_id="tenant",
        revision=1,
        connection_id="con",
        external_id="1",
        channel="custom",
        number="1001",
        financial_status=FinancialStatus.PAID,
        fulfillment_status=FulfillmentStatus.UNFULFILLED,
        lifecycle=Lifecycle.OPEN,
        created_at=NOON,
        modified_at=NOON,
        ordered_on=NOON.date(),
        currency="USD",
        total=NOTHING,
        tax_total=NOTHING,
        tips=NOTHING,
        tax_remitted=NOTHING,
        rounding=NOTHING,
        lines=(),
        **said,
    )
    assert let_through_before(order.encoded()) == wanted


def test_an_order_that_was_never_published_was_let_through_nothing() -> None:
    assert let_through_before(b"") == set()
