"""A custom store's pull endpoints: the native list by cursor, and the older envelope by dates or order number.

Both live at `/orders`. A call that names dates or an order number in the older way gets the envelope.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from sandbox.shops.listing import BadCursor, matching, pack_cursor, page_after, parse_time, unpack_cursor
from sandbox.shops.store import Held
from sandbox.shops.web import Answer, Json, guarded, store_of
from sandbox.shops.woocommerce_rest import basic_credentials

LIMIT_MAX: Final = 250
LIMIT_DEFAULT: Final = 100
OLDER: Final = ("orderNumber", "date_created_min", "date_created_max", "date_modified_min", "date_modified_max")


def refusal(request: Request) -> Response | None:
    """Check the Basic user and password, or a bearer token."""
    credentials = store_of(request).credentials
    user, password = basic_credentials(request)
    if user is not None and hmac.compare_digest(f"{user}:{password}", f"{credentials.key}:{credentials.secret}"):
        return None
    if hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {credentials.token}".encode()):
        return None
    return Answer({"error": "wrong user or password"}, 401, {"WWW-Authenticate": 'Basic realm="orders"'})


async def check(request: Request) -> Response:
    """GET authenticatetowebservice"""
    del request
    return Answer("OK")


async def orders(request: Request) -> Response:
    """GET orders, in either way"""
    try:
        return _older(request) if any(name in request.query_params for name in OLDER) else _native(request)
    except BadCursor:
        return Answer({"error": "cursor: not one of ours; leave it out to start again"}, 400)
    except ValueError as error:
        return Answer({"error": str(error)}, 400)


async def one_order(request: Request) -> Response:
    """GET orders/{external_id}"""
    held = store_of(request).orders.get(int(request.path_params["id"]))
    return Answer(held.snapshot.body) if held else Answer({"error": "no such order"}, 404)


async def purchase_orders(request: Request) -> Response:
    """GET purchaseorders, with the filters of the older way"""
    try:
        return Answer({"orders": [], "cancelledOrders": [], "payments": [], "purchases": _purchases(request)})
    except ValueError as error:
        return Answer({"error": str(error)}, 400)


def _purchases(request: Request) -> list[Json]:
    """What the store bought, if anybody told it to (see `admin.py`)."""
    query = request.query_params
    field, low, high = _window(request)
    statuses = _statuses(query.get("orderStatus", ""))

    def accepts(row: Json) -> bool:
        at = parse_time(str(row.get(field) or row["creationDate"]))
        return (
            (query.get("orderNumber") in (None, str(row["orderNumber"])))
            and (low is None or at >= low)
            and (high is None or at <= high)
            and (not statuses or str(row.get("orderStatus", "")).lower() in statuses)
            and (query.get("storeName") in (None, "", row.get("storeName")))
        )

    return [row for row in store_of(request).purchases.values() if accepts(row)]


def _native(request: Request) -> Response:
    store, query = store_of(request), request.query_params
    since = parse_time(query["updated_after"]) if "updated_after" in query else None
    limit = max(1, min(LIMIT_MAX, int(query.get("limit", LIMIT_DEFAULT))))
    position = unpack_cursor(query["cursor"])[1] if query.get("cursor") else None
    number = query.get("order_number")

    def accepts(held: Held) -> bool:
        named = number is None or held.snapshot.body["order_number"] == number
        return named and (since is None or held.updated_at > since)

    rows = matching(store, "updated_at", accepts)
    page = page_after(rows, "updated_at", position, limit, descending=False)
    following = pack_cursor("updated_at", page.rows[-1]) if page.rows and page.has_next else None
    return Answer({"orders": [held.snapshot.body for held in page.rows], "next_cursor": following})


def _older(request: Request) -> Response:
    """All of it at once: the older way knows no pages."""
    query = request.query_params
    field, low, high = _window(request)
    statuses = _statuses(query.get("orderStatus", ""))

    def accepts(held: Held) -> bool:
        body = held.snapshot.body
        at = held.updated_at if field == "modifiedDate" else held.created_at
        return (
            (query.get("orderNumber") in (None, body["order_number"]))
            and (low is None or at >= low)
            and (high is None or at <= high)
            and (not statuses or body["status"] in statuses)
            and (query.get("storeName") in (None, "", body["store_name"]))
        )

    envelope: Json = {"orders": [], "cancelledOrders": [], "payments": [], "purchases": _purchases(request)}
    for held in matching(store_of(request), "updated_at", accepts):
        for name, rows in (held.snapshot.pulled or {}).items():
            envelope[name].extend(rows)
    return Answer(envelope)


def _window(request: Request) -> tuple[str, datetime | None, datetime | None]:
    """The field that is asked by, and its first and last moment."""
    query = request.query_params
    by_modified = "date_modified_min" in query or "date_modified_max" in query
    prefix, field = ("date_modified", "modifiedDate") if by_modified else ("date_created", "creationDate")
    return field, _bound(query.get(f"{prefix}_min")), _bound(query.get(f"{prefix}_max"))


def _statuses(text: str) -> set[str]:
    return {part.strip().lower() for part in text.split(",") if part.strip()}


def _bound(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


ROUTES: Final = guarded(
    "custom",
    "/{shop}",
    refusal,
    ("/authenticatetowebservice", check, ["GET"]),
    ("/orders", orders, ["GET"]),
    ("/orders/{id:int}", one_order, ["GET"]),
    ("/purchaseorders", purchase_orders, ["GET"]),
)
