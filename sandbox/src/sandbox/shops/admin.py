"""The hidden side of the stand-ins: open a shop, let its life go on, order trouble, read the counters.

POST   /_sandbox/shops                    {"name", "kind", "shop", "seed", "orders", "start_date", …} → addresses, keys
GET    /_sandbox/shops                    all shops
DELETE /_sandbox/shops/{shop}
POST   /_sandbox/shops/{shop}/advance     {"snapshots"?, "until"? (a time or "now"), "deliver"?} → what happened
GET    /_sandbox/shops/{shop}/expectation what the books must say by now
POST   /_sandbox/shops/{shop}/faults      {"kind", "times"?, "path"?, "seconds"?}; DELETE takes them all back
GET    /_sandbox/shops/{shop}/counters
PUT    /_sandbox/shops/{shop}/purchases   [rows of `purchases[]`]: what a custom store bought; equal numbers replace
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shops.faults import Fault
from sandbox.shops.life import Event, ShopLife
from sandbox.shops.listing import parse_time
from sandbox.shops.sender import WebhookSender
from sandbox.shops.shop import Kind
from sandbox.shops.signatures import Delivery
from sandbox.shops.store import Credentials, ShopStore, Subscription
from sandbox.shops.web import Answer, Json, json_body, store_of

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ORDERS_MAX: Final = 200_000
BASE_PATHS: Final = {"shopify": "", "woocommerce": "/wp-json/wc/v3", "custom": ""}


def open_shop(given: Json) -> ShopStore:
    """Make a shop from its description. Raises ValueError naming the field, the value and the cure."""
    kind = given.get("kind", "shopify")
    if kind not in KINDS:
        message = f"kind: {kind!r} is not a kind of shop; use one of {', '.join(KINDS)}"
        raise ValueError(message)
    name = str(given.get("name") or kind)
    if not name.replace("-", "").isalnum():
        message = f"name: {name!r} can't be part of an address; use letters, digits and hyphens"
        raise ValueError(message)
    count = int(given["orders"]) if str(given.get("orders", "")).isdigit() else given.get("orders", 100)
    if not isinstance(count, int) or not 0 <= count <= ORDERS_MAX:
        message = f"orders: {count!r}; give a whole number up to {ORDERS_MAX}"
        raise ValueError(message)
    start = (
        date.fromisoformat(given["start_date"])
        if "start_date" in given
        else datetime.now(UTC).date() - timedelta(days=7)
    )
    life = ShopLife(
        int(given.get("seed", 1)),
        kind,
        str(given.get("shop", "us")),
        start,
        customers=int(given.get("customers", 40)),
        products=int(given.get("products", 24)),
        orders_per_day=int(given.get("orders_per_day", 60)),
        scenarios=given.get("scenarios"),
        host=str(given.get("host", "")),
    )
    credentials = Credentials(
        token=str(given.get("token") or f"shpat_{name}"),
        key=str(given.get("key") or f"ck_{name}"),
        secret=str(given.get("secret") or f"cs_{name}"),
        webhook_secret=str(given.get("webhook_secret") or f"whsec_{name}"),
    )
    return ShopStore(name, life, count, credentials, str(given.get("plan", "standard")))


async def shops(request: Request) -> Response:
    """List shops, or open one."""
    known: dict[str, ShopStore] = request.app.state.shops
    if request.method == "GET":
        return Answer({"shops": [_describe(store, request) for store in known.values()]})
    body = await json_body(request)
    try:
        store = open_shop(body if isinstance(body, dict) else {})
    except (TypeError, ValueError) as error:
        return Answer({"error": str(error)}, 400)
    if store.name in known:
        return Answer({"error": f"name: {store.name!r} is taken; delete that shop first or choose another"}, 409)
    known[store.name] = store
    return Answer(_describe(store, request), 201)


async def close_shop(request: Request) -> Response:
    """Forget a shop."""
    store = store_of(request)
    del request.app.state.shops[store.name]
    return Answer({"closed": store.name})


async def advance(request: Request) -> Response:
    """Let things happen, and tell the subscribers unless `deliver` is false."""
    store, body = store_of(request), await json_body(request)
    body = body if isinstance(body, dict) else {}
    try:
        until = _moment(body.get("until"))
        snapshots = int(body["snapshots"]) if body.get("snapshots") is not None else None
    except (TypeError, ValueError) as error:
        return Answer({"error": f"until or snapshots: {error}"}, 400)
    progress = store.advance(snapshots, until)
    delivered = await deliver(store, progress.events) if body.get("deliver", True) else {}
    now = store.now.isoformat() if store.now else None
    return Answer({"snapshots": progress.snapshots, "events": len(progress.events), "delivered": delivered, "now": now})


async def deliver(store: ShopStore, events: list[Event]) -> dict[str, int]:
    """Send events to whoever subscribed to their topics; gives the number of answers by status."""
    by_status: dict[str, int] = defaultdict(int)
    for subscription in list(store.subscriptions.values()):
        wanted = [event for event in events if subscription.active and event.topic == subscription.topic]
        if not wanted:
            continue
        sender = WebhookSender(subscription.address, subscription.secret, in_order=True, concurrency=8)
        report = await sender.send(Delivery.of(event) for event in wanted)
        for status, count in report.by_status.items():
            by_status[str(status)] += count
        _note(store, subscription, report.accepted, report.sent)
    store.counters["delivered"] += sum(by_status.values())
    return dict(by_status)


async def expectation(request: Request) -> Response:
    """What the books must say once everything up to now is in them."""
    store = store_of(request)
    until = store.now + timedelta(microseconds=1) if store.now else store.life.start
    return Answer(store.life.expectation(store.life_orders, until).as_json())


async def faults(request: Request) -> Response:
    """Order trouble, look at what is ordered, or take it all back."""
    store = store_of(request)
    if request.method == "DELETE":
        store.faults.waiting.clear()
    if request.method == "POST":
        body = await json_body(request)
        try:
            store.faults.add(Fault(**body))
        except (TypeError, ValueError) as error:
            return Answer({"error": str(error)}, 400)
    waiting: list[Any] = [
        {"kind": row.kind, "times": row.times, "path": row.path, "seconds": row.seconds} for row in store.faults.waiting
    ]
    return Answer({"faults": waiting})


async def counters(request: Request) -> Response:
    """How often what happened."""
    store = store_of(request)
    return Answer({"counters": dict(store.counters), "orders": len(store.orders), "snapshots": store.seen})


async def purchases(request: Request) -> Response:
    """Let the store buy something, or change what it bought."""
    store, body = store_of(request), await json_body(request)
    rows = [row for row in body if isinstance(row, dict)] if isinstance(body, list) else []
    try:
        for row in rows:
            parse_time(row.get("modifiedDate") or row["creationDate"])
        store.purchases |= {str(row["orderNumber"]): row for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        return Answer({"error": f"a purchase needs an orderNumber and a creationDate: {error}"}, 400)
    return Answer({"purchases": len(store.purchases)})


def _moment(text: Any) -> datetime | None:
    """A time, or "now", which keeps a life from running into the future of whoever polls it."""
    if not text:
        return None
    return datetime.now(UTC) if text == "now" else parse_time(text)


def _note(store: ShopStore, subscription: Subscription, accepted: int, sent: int) -> None:
    """Refusals count in a row, so one acceptance clears those before it."""
    if accepted:
        store.note_outcome(subscription, accepted=True)
    for _ in range(0 if accepted else sent):
        store.note_outcome(subscription, accepted=False)


def _describe(store: ShopStore, request: Request) -> Json:
    credentials = store.credentials
    return {
        "name": store.name,
        "kind": store.life.kind,
        "host": store.life.host,
        "currency": store.life.shop.currency.code,
        "base_url": f"{str(request.base_url).rstrip('/')}/{store.name}{BASE_PATHS[store.life.kind]}",
        "token": credentials.token,
        "key": credentials.key,
        "secret": credentials.secret,
        "webhook_secret": credentials.webhook_secret,
        "orders": len(store.orders),
        "now": store.now.isoformat() if store.now else None,
    }


ROUTES: Final = (
    Route("/_sandbox/shops", shops, methods=["GET", "POST"]),
    Route("/_sandbox/shops/{shop}", close_shop, methods=["DELETE"]),
    Route("/_sandbox/shops/{shop}/advance", advance, methods=["POST"]),
    Route("/_sandbox/shops/{shop}/expectation", expectation, methods=["GET"]),
    Route("/_sandbox/shops/{shop}/faults", faults, methods=["GET", "POST", "DELETE"]),
    Route("/_sandbox/shops/{shop}/counters", counters, methods=["GET"]),
    Route("/_sandbox/shops/{shop}/purchases", purchases, methods=["PUT"]),
)
