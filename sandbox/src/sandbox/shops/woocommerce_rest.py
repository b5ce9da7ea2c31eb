"""WooCommerce's REST API, version 3: orders, their refunds, webhooks."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sandbox.shops.listing import matching
from sandbox.shops.store import Held, ShopStore, Subscription
from sandbox.shops.web import Answer, Json, guarded, json_body, store_of

PER_PAGE_MAX: Final = 100
ORDERINGS: Final = {"date": "created_at", "modified": "updated_at", "id": "id"}
TOPICS: Final = ("order.created", "order.updated", "order.deleted", "order.restored")


class BadParameter(ValueError):
    """A query parameter with a value WooCommerce refuses."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def refusal(request: Request) -> Response | None:
    """Check the key pair, in the Authorization header or in the query."""
    credentials = store_of(request).credentials
    key, secret = basic_credentials(request)
    if key is None:
        key, secret = request.query_params.get("consumer_key"), request.query_params.get("consumer_secret")
    if key is None:
        return _error("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401)
    if key != credentials.key:
        return _error("woocommerce_rest_authentication_error", "Consumer key is invalid.", 401)
    if not hmac.compare_digest((secret or "").encode(), credentials.secret.encode()):
        return _error("woocommerce_rest_authentication_error", "Consumer secret is invalid.", 401)
    return None


def basic_credentials(request: Request) -> tuple[str | None, str | None]:
    """User and password of Basic authentication, or two Nones."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return user, password


async def list_orders(request: Request) -> Response:
    """GET orders"""
    store, query = store_of(request), request.query_params
    try:
        page, per_page = _number(query.get("page"), 1, "page"), _number(query.get("per_page"), 10, "per_page")
        if per_page > PER_PAGE_MAX:
            raise BadParameter("per_page")
        ordering, direction = query.get("orderby", "date"), query.get("order", "desc")
        if ordering not in ORDERINGS or direction not in ("asc", "desc"):
            raise BadParameter("orderby" if ordering not in ORDERINGS else "order")
        rows = matching(store, ORDERINGS[ordering], _filter(store, dict(query)), descending=direction == "desc")
    except BadParameter as error:
        return _error("rest_invalid_param", f"Invalid parameter(s): {error.name}", 400)
    pages = -(-len(rows) // per_page)
    headers = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
    links = [
        f'<{_url(request, {**query, "page": str(number)})}>; rel="{rel}"'
        for number, rel in ((page - 1, "prev"), (page + 1, "next"))
        if 1 <= number <= pages
    ]
    if links:
        headers["Link"] = ", ".join(links)
    return Answer([held.snapshot.body for held in rows[(page - 1) * per_page : page * per_page]], headers=headers)


async def currency(request: Request) -> Response:
    """GET data/currencies/current"""
    code = store_of(request).life.shop.currency.code
    return Answer({"code": code, "name": code, "symbol": code})


async def one_order(request: Request) -> Response:
    """GET orders/{id}"""
    held = store_of(request).orders.get(int(request.path_params["id"]))
    return Answer(held.snapshot.body) if held else _no_order()


async def refunds(request: Request) -> Response:
    """GET orders/{id}/refunds, newest first"""
    held = store_of(request).orders.get(int(request.path_params["id"]))
    return Answer(held.snapshot.refunds[::-1]) if held else _no_order()


async def one_refund(request: Request) -> Response:
    """GET orders/{id}/refunds/{refund_id}"""
    held = store_of(request).orders.get(int(request.path_params["id"]))
    rows = held.snapshot.refunds if held else []
    row = next((row for row in rows if row["id"] == int(request.path_params["refund_id"])), None)
    return Answer(row) if row else _error("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)


async def webhooks(request: Request) -> Response:
    """GET and POST webhooks"""
    store = store_of(request)
    if request.method == "GET":
        rows = [_webhook(row) for row in store.subscriptions.values()]
        return Answer(rows, headers={"X-WP-Total": str(len(rows)), "X-WP-TotalPages": "1"})
    body = await json_body(request)
    if not isinstance(body, dict) or body.get("topic") not in TOPICS:
        return _error("woocommerce_rest_webhook_invalid_topic", "Webhook topic is required and must be valid.", 400)
    if not str(body.get("delivery_url", "")).startswith(("http://", "https://")):
        return _error("woocommerce_rest_webhook_invalid_delivery_url", "Webhook delivery URL must be valid.", 400)
    name = str(body.get("name") or f"Webhook on {body['topic']}")
    row = store.subscribe(body["topic"], body["delivery_url"], str(body.get("secret") or ""), name)
    return Answer(_webhook(row), 201)


async def webhook(request: Request) -> Response:
    """GET, PUT and DELETE webhooks/{id}"""
    store = store_of(request)
    row = store.subscriptions.get(int(request.path_params["id"]))
    if row is None:
        return _error("woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.", 404)
    if request.method == "DELETE":
        del store.subscriptions[row.id]
    if request.method == "PUT":
        body = await json_body(request)
        if isinstance(body, dict) and body.get("status") in ("active", "paused", "disabled"):
            row.active, row.failures = body["status"] == "active", 0
    return Answer(_webhook(row))


def _filter(store: ShopStore, query: dict[str, str]) -> Callable[[Held], bool]:
    """Times without an offset are the site's own unless `dates_are_gmt` is true; both bounds are exclusive."""
    gmt = query.get("dates_are_gmt", "false").lower() in ("true", "1")
    bounds = {name: _time(query[name], name, store, gmt) for name in
              ("after", "before", "modified_after", "modified_before") if name in query}  # fmt: skip
    statuses = set(query["status"].split(",")) - {"any"} if "status" in query else set()
    include = {int(part) for part in query["include"].split(",") if part.isdigit()} if "include" in query else set()
    sought = query.get("search", "").lower()

    def accepts(held: Held) -> bool:
        for name, bound in bounds.items():
            at = held.updated_at if name.startswith("modified") else held.created_at
            if (at <= bound) if name.endswith("after") else (at >= bound):
                return False
        if (statuses and held.snapshot.body["status"] not in statuses) or (include and held.id not in include):
            return False
        return not sought or sought in _words(held.snapshot.body)

    return accepts


def _words(body: Json) -> str:
    """What a search looks through: number, id, name and address of the buyer."""
    return " ".join([body["number"], str(body["id"]), *(str(value) for value in body["billing"].values())]).lower()


def _time(text: str, name: str, store: ShopStore, gmt: bool) -> datetime:
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise BadParameter(name) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC if gmt else store.life.shop.zone)
    return at.astimezone(UTC)


def _number(text: str | None, default: int, name: str) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise BadParameter(name)
    return int(text)


def _url(request: Request, query: dict[str, str]) -> str:
    return f"{request.url.replace(query='')}?{urlencode(query)}"


def _webhook(row: Subscription) -> Json:
    at = row.created_at.replace(tzinfo=None).isoformat(timespec="seconds")
    resource, event = row.topic.split(".", 1)
    return {
        "id": row.id,
        "name": row.name,
        "status": "active" if row.active else "disabled",
        "topic": row.topic,
        "resource": resource,
        "event": event,
        "hooks": [f"woocommerce_{event}_order"],
        "delivery_url": row.address,
        "date_created": at,
        "date_created_gmt": at,
        "date_modified": at,
        "date_modified_gmt": at,
    }


def _no_order() -> Response:
    return _error("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)


def _error(code: str, message: str, status: int) -> Response:
    body: dict[str, Any] = {"code": code, "message": message, "data": {"status": status}}
    return Answer(body, status)


ROUTES: Final = guarded(
    "woocommerce",
    "/{shop}/wp-json/wc/v3",
    refusal,
    ("/data/currencies/current", currency, ["GET"]),
    ("/orders", list_orders, ["GET"]),
    ("/orders/{id:int}", one_order, ["GET"]),
    ("/orders/{id:int}/refunds", refunds, ["GET"]),
    ("/orders/{id:int}/refunds/{refund_id:int}", one_refund, ["GET"]),
    ("/webhooks", webhooks, ["GET", "POST"]),
    ("/webhooks/{id:int}", webhook, ["GET", "PUT", "DELETE"]),
)
