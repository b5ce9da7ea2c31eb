"""Why an order is out of scope, or accounted for elsewhere: every filter by its name."""

from datetime import date
from typing import Final

from common.messages.base import Reason
from mapper.mapping.reasons import error, notice

CONNECTION_MOVED: Final = "CONNECTION_MOVED"


def draft() -> Reason:
    return error("DRAFT", "Drafts are never synced.", "Complete the draft order in the shop.", "lifecycle", "draft")


def test_order() -> Reason:
    return error("TEST_ORDER", "Test orders are never synced.", field="custom_fields.test")


def connection_disabled(name: str) -> Reason:
    return error("CONNECTION_DISABLED", f"The connection {name!r} is switched off.", "Switch the connection on.")


def connection_moved(company_id: str) -> Reason:
    return error(
        CONNECTION_MOVED,
        "The connection points to another company file now.",
        "Point the connection here again to have it planned here.",
        "company_id",
        company_id,
    )


def do_not_import(rule: str | None) -> Reason:
    if rule is None:
        return error("DO_NOT_IMPORT", "The shop marked this order as not for import.", field="do_not_import")
    return error("DO_NOT_IMPORT", f"Filtered by the rule {rule!r}.", "Change or disable the rule.", "rule", rule)


def store_filtered(store: str) -> Reason:
    return error(
        "STORE_FILTERED",
        f"The store {store!r} is not among the stores of this connection.",
        "Add the store to the store filter.",
        "store_filter",
        store,
    )


def mode_none() -> Reason:
    return error("MODE_NONE", "The transaction mode is `none`.", "Choose a transaction mode.", "mode", "none")


def purchase_not_booked(mode: str) -> Reason:
    return error(
        "PURCHASE_NOT_BOOKED",
        f"This is a purchase, and the transaction mode {mode} books no purchases.",
        "Choose purchase_orders, bills, purchase_orders_bills or expenses for purchases: as the connection's mode, or "
        "by a rule map_transaction_type where direction equals purchase.",
        "mode",
        mode,
    )


def before_start(ordered_on: date, start: date) -> Reason:
    return error(
        "BEFORE_START_DATE",
        f"The order of {ordered_on} is older than the connection's start date {start}.",
        "Move the start date back, or leave the order out.",
        "start_date",
        start.isoformat(),
    )


def status_filtered(statuses: str, wanted: str) -> Reason:
    return error(
        "STATUS_FILTERED",
        f"The order is {statuses}; the status filter lets {wanted} pass.",
        "Add the status to the filter, or wait until the order reaches it.",
        "order_statuses",
        wanted,
    )


def closed_period(on: date, closed_through: date) -> Reason:
    return error(
        "CLOSED_PERIOD",
        f"The document is dated {on}, and the books are closed through {closed_through}.",
        "Open the period, post with a later date, or dismiss.",
        "closed_through",
        closed_through.isoformat(),
    )


def original_missing() -> Reason:
    return error(
        "ORIGINAL_MISSING",
        "The order was refunded before it was ever written, and refunds without their original are skipped.",
        "Set missing_original to sync_original_first.",
        "missing_original",
        "skip",
    )


def nothing_to_write(status: str) -> Reason:
    return notice("NO_DOCUMENTS", f"An order that is {status} becomes no document in this mode.")


def before_horizon(on: date, horizon: date) -> Reason:
    return error(
        "BEFORE_HORIZON",
        f"The document of {on} is older than the customer's horizon {horizon}.",
        "Move the customer's horizon back.",
        "horizon",
        horizon.isoformat(),
    )


def zero_total() -> Reason:
    return error(
        "ZERO_TOTAL",
        "The order's total is zero, and such orders are not synced.",
        "Switch sync_zero_total_orders on.",
        "sync_zero_total_orders",
        "false",
    )


def in_summary(on: date) -> Reason:
    return notice("IN_SUMMARY", f"The order is part of the summary of {on}.")


def in_payout() -> Reason:
    return notice("IN_PAYOUT", "The order is accounted for by the payout that pays it out.")
