"""Shopify's REST Admin API as far as orders, money, the shop and webhooks go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sandbox.shops.listing import SORT_KEYS, BadCursor, matching, pack_cursor, page_after, parse_time, unpack_cursor
from sandbox.shops.shopify_wire import API_VERSION
from sandbox.shops.store import Held, ShopStore, Subscription
from sandbox.shops.web import Answer, Json, guarded, json_body, store_of

LIMIT_MAX: Final = 250
LIMIT_DEFAULT: Final = 50
TIME_FILTERS: Final = ("updated_at", "created_at", "processed_at")
FILTERS: Final = (
    "status", "order", "since_id", "ids", "name", "financial_status", "fulfillment_status",
    *(f"{name}_{end}" for name in TIME_FILTERS for end in ("min", "max")),
)  # fmt: skip


def refusal(request: Request) -> Response | None:
    """Check token and call limit, as every REST call must; None lets the call through."""
    store = store_of(request)
    if request.headers.get("X-Shopify-Access-Token") != store.credentials.token:
        return Answer({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401)
    if not store.calls.take(1):
        store.counters["throttled"] += 1
        message = f"Exceeded {store.calls.leak_per_s} calls per second for api client. Reduce request rates to resume."
        headers = {"Retry-After": f"{max(0.1, store.calls.wait_s(1)):.1f}", **call_limit(store)}
        return Answer({"errors": message}, 429, headers=headers)
    return None


def call_limit(store: ShopStore) -> dict[str, str]:
    """The header that says how full the bucket is."""
    used = int(store.calls.size - store.calls.available)
    return {"X-Shopify-Shop-Api-Call-Limit": f"{max(0, used)}/{int(store.calls.size)}"}


async def list_orders(request: Request) -> Response:
    """GET orders.json"""
    store, query = store_of(request), request.query_params
    try:
        sort, descending, filters, position, backwards = _place(dict(query))
        limit = _limit(query.get("limit"))
        rows = matching(store, sort, _filter(filters), descending=descending)
        page = page_after(rows, sort, position, limit, descending=descending, backwards=backwards)
    except BadCursor:
        return _bad({"page_info": "Invalid value."})
    except ValueError as error:
        return _bad({"order": str(error)})
    links = []
    extra = {"f": filters, "o": "desc" if descending else "asc"}
    for there, rel, held in ((page.has_previous, "previous", page.rows[:1]), (page.has_next, "next", page.rows[-1:])):
        if there and held:
            cursor = pack_cursor(sort, held[0], {**extra, "b": rel == "previous"})
            links.append(f'<{_own_url(request)}?{urlencode({"limit": limit, "page_info": cursor})}>; rel="{rel}"')
    headers = {"Link": ", ".join(links)} if links else {}
    orders = [_fields(held.snapshot.body, query.get("fields")) for held in page.rows]
    return Answer({"orders": orders}, headers=headers)


async def count_orders(request: Request) -> Response:
    """GET orders/count.json"""
    try:
        _, _, filters, _, _ = _place(dict(request.query_params))
        rows = matching(store_of(request), "id", _filter(filters))
    except ValueError as error:
        return _bad({"order": str(error)})
    return Answer({"count": len(rows)})


async def one_order(request: Request) -> Response:
    """GET orders/{id}.json"""
    held = _held(request)
    return Answer({"order": _fields(held.snapshot.body, request.query_params.get("fields"))}) if held else _missing()


async def transactions(request: Request) -> Response:
    """GET orders/{id}/transactions.json"""
    held = _held(request)
    return Answer({"transactions": held.snapshot.transactions}) if held else _missing()


async def refunds(request: Request) -> Response:
    """GET orders/{id}/refunds.json"""
    held = _held(request)
    return Answer({"refunds": held.snapshot.refunds}) if held else _missing()


async def shop(request: Request) -> Response:
    """GET shop.json"""
    life = store_of(request).life
    return Answer(
        {
            "shop": {
                "id": life.base_id,
                "name": life.shop.name,
                "email": "owner@example.com",
                "domain": life.host,
                "myshopify_domain": life.host,
                "country": life.shop.country_code,
                "country_code": life.shop.country_code,
                "currency": life.shop.currency.code,
                "enabled_presentment_currencies": [life.shop.currency.code],
                "iana_timezone": life.shop.timezone,
                "timezone": life.shop.timezone,
                "taxes_included": life.shop.taxes_included,
                "plan_name": "basic",
                "created_at": life.start.isoformat(timespec="seconds"),
            }
        }
    )


async def webhooks(request: Request) -> Response:
    """GET and POST webhooks.json"""
    store = store_of(request)
    if request.method == "GET":
        wanted = request.query_params.get("topic")
        rows = [row for row in store.subscriptions.values() if wanted in (None, row.topic)]
        return Answer({"webhooks": [_webhook(row) for row in rows]})
    body = await json_body(request)
    given = body.get("webhook") if isinstance(body, dict) else None
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("topic"), str)
        or not isinstance(given.get("address"), str)
    ):
        return _bad({"webhook": "Required parameter missing or invalid"})
    if any((row.topic, row.address) == (given["topic"], given["address"]) for row in store.subscriptions.values()):
        return Answer({"errors": {"address": ["for this topic has already been taken"]}}, 422)
    return Answer({"webhook": _webhook(store.subscribe(given["topic"], given["address"]))}, 201)


async def webhook(request: Request) -> Response:
    """GET and DELETE webhooks/{id}.json"""
    row = store_of(request).subscriptions.get(int(request.path_params["id"]))
    if row is None:
        return _missing()
    if request.method == "DELETE":
        del store_of(request).subscriptions[row.id]
        return Answer({})
    return Answer({"webhook": _webhook(row)})


def _place(query: dict[str, str]) -> tuple[str, bool, dict[str, str], tuple[Any, int] | None, bool]:
    """Sort key, direction, filters, position and whether to go backwards: all from a page_info, or all from filters."""
    if "page_info" in query:
        if set(query) - {"page_info", "limit", "fields"}:
            raise BadCursor("page_info")
        sort, position, rest = unpack_cursor(query["page_info"])
        if not isinstance(rest.get("f"), dict):
            raise BadCursor("page_info")
        return sort, rest.get("o") == "desc", rest["f"], position, bool(rest.get("b"))
    filters = {name: value for name, value in query.items() if name in FILTERS}
    words = filters.get("order", "created_at desc").split()
    if not words or words[0] not in SORT_KEYS:
        message = f"{filters.get('order')!r} can't be sorted by; use one of {', '.join(SORT_KEYS)}"
        raise ValueError(message)
    descending = words[1:] == ["desc"] or (len(words) == 1 and "order" not in filters)
    return words[0], descending, filters, None, False


def _filter(filters: dict[str, str]) -> Callable[[Held], bool]:
    """One test for all filters. Raises ValueError for a time or number that is none."""
    bounds = [
        (name == "updated_at", end, parse_time(filters[f"{name}_{end}"]))
        for name in TIME_FILTERS
        for end in ("min", "max")
        if filters.get(f"{name}_{end}")
    ]
    status, since = filters.get("status", "open"), int(filters.get("since_id", "0"))
    ids = {int(part) for part in filters["ids"].split(",")} if filters.get("ids") else None

    def accepts(held: Held) -> bool:
        for updated, end, bound in bounds:
            at = held.updated_at if updated else held.created_at
            if (at < bound) if end == "min" else (at > bound):
                return False
        body = held.snapshot.body
        return (
            held.id > since and (ids is None or held.id in ids) and _in_status(body, status) and _named(body, filters)
        )

    return accepts


def _in_status(body: Json, status: str) -> bool:
    ended = {"closed": body["closed_at"], "cancelled": body["cancelled_at"]}
    if status == "open":
        return not any(ended.values())
    return bool(ended[status]) if status in ended else True


def _named(body: Json, filters: dict[str, str]) -> bool:
    for name in ("financial_status", "fulfillment_status"):
        wanted = filters.get(name, "any")
        if wanted != "any" and (body[name] or "unshipped") not in wanted.split(","):
            return False
    return "name" not in filters or body["name"].lstrip("#") == filters["name"].lstrip("#")


def _limit(text: str | None) -> int:
    limit = int(text) if text else LIMIT_DEFAULT
    return max(1, min(LIMIT_MAX, limit))


def _fields(body: Json, fields: str | None) -> Json:
    return {name: body[name] for name in fields.split(",") if name in body} if fields else body


def _held(request: Request) -> Held | None:
    return store_of(request).orders.get(int(request.path_params["id"]))


def _own_url(request: Request) -> str:
    return str(request.url.replace(query=""))


def _webhook(row: Subscription) -> Json:
    at = row.created_at.isoformat(timespec="seconds")
    return {
        "id": row.id,
        "address": row.address,
        "topic": row.topic,
        "created_at": at,
        "updated_at": at,
        "format": "json",
        "fields": [],
        "metafield_namespaces": [],
        "api_version": API_VERSION,
        "private_metafield_namespaces": [],
    }


def _bad(errors: Json) -> Response:
    return Answer({"errors": errors}, 400)


def _missing() -> Response:
    return Answer({"errors": "Not Found"}, 404)


PREFIX: Final = "/{shop}/admin/api/{version}"
ROUTES: Final = guarded(
    "shopify",
    PREFIX,
    refusal,
    ("/orders.json", list_orders, ["GET"]),
    ("/orders/count.json", count_orders, ["GET"]),
    ("/orders/{id:int}.json", one_order, ["GET"]),
    ("/orders/{id:int}/transactions.json", transactions, ["GET"]),
    ("/orders/{id:int}/refunds.json", refunds, ["GET"]),
    ("/shop.json", shop, ["GET"]),
    ("/webhooks.json", webhooks, ["GET", "POST"]),
    ("/webhooks/{id:int}.json", webhook, ["GET", "DELETE"]),
    always=call_limit,
)
