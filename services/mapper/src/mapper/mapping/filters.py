"""What keeps an order out of scope, each with its name (sections 4.2, 7). A filtered order is logged, never lost."""

from common.messages.base import Reason
from common.messages.control import ConnectionSettings, TransactionMode
from common.messages.orders import Direction, FinancialStatus, Lifecycle, Order
from common.messages.transactions import Document
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import Directives
from mapper.mapping.filter_reasons import (
    before_start,
    closed_period,
    connection_disabled,
    do_not_import,
    draft,
    mode_none,
    purchase_not_booked,
    status_filtered,
    store_filtered,
    test_order,
)
from mapper.mapping.modes import PURCHASE_FEEDS
from mapper.mapping.names import normal

PASSED_BEFORE = {
    FinancialStatus.PARTIALLY_REFUNDED: ("paid",),
    FinancialStatus.REFUNDED: ("paid",),
    FinancialStatus.VOIDED: ("pending", "authorized"),
}
"""An order was in these states before it got where it is. A filter for them let it in then, so what has happened since
still belongs to it: a refund of a paid order is not filtered by `paid`."""


def find_filter(
    order: Order, configuration: Configuration, directives: Directives, mode: TransactionMode
) -> Reason | None:
    """The first filter that keeps the order out, or None. Some don't where a person asked for it (section 27)."""
    connection = configuration.connection
    forced = "do_not_import" in order.let_through
    if order.lifecycle is Lifecycle.DRAFT:
        return draft()
    if normal(order.custom_fields.get("test", "")) == "true":
        return test_order()
    if not connection.enabled:
        return connection_disabled(connection.name)
    if order.do_not_import and not forced:
        return do_not_import(None)
    if directives.excluded_by is not None and not forced:
        return do_not_import(directives.excluded_by)
    if connection.store_filter and normal(order.store_name) not in {normal(name) for name in connection.store_filter}:
        return store_filtered(order.store_name)
    if mode is TransactionMode.NONE:
        return mode_none()
    if order.direction is Direction.PURCHASE and mode not in PURCHASE_FEEDS:
        return purchase_not_booked(mode.value)
    if "filters" in order.let_through:
        return None
    if order.ordered_on < connection.start_date:
        return before_start(order.ordered_on, connection.start_date)
    if not passes_status(order, connection):
        statuses = ", ".join(
            dict.fromkeys(
                filter(None, (order.native_status, order.financial_status.value, order.fulfillment_status.value))
            )
        )
        return status_filtered(statuses, ", ".join(connection.order_statuses))
    return None


def passes_status(order: Order, connection: ConnectionSettings) -> bool:
    """Any hit lets the order pass: native, financial or fulfilment status, or one it must have had before."""
    if not connection.order_statuses:
        return True
    wanted = {normal(status) for status in connection.order_statuses}
    own = {normal(order.native_status), order.financial_status.value, order.fulfillment_status.value}
    own.update(PASSED_BEFORE.get(order.financial_status, ()))
    if order.lifecycle is Lifecycle.CANCELLED:
        own.update(("cancelled", "pending"))
    return not wanted.isdisjoint(own)


def in_closed_period(documents: list[Document], configuration: Configuration) -> Reason | None:
    """Why an order that was never mapped stays out: everything it would become lies in a closed period.

    An order that was mapped before keeps its documents when its period closes; what of it may still be written is
    decided where it is written.
    """
    closed = configuration.closed_through
    if documents and all(one.date <= closed for one in documents):
        return closed_period(documents[0].date, closed)
    return None
