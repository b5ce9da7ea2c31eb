"""The Stripe account of a shop that takes cards through Stripe: payouts, balance transactions, charges; read only.

It answers under `/{shop}/stripe/v1/…` to the key `sk_test_<shop>`, and signs events with `whsec_stripe_<shop>`.
"""

from __future__ import annotations

import hashlib
import hmac
import operator
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shops.faults import answer_instead
from sandbox.shops.payouts import Movement, Payout, payouts_of
from sandbox.shops.store import ShopStore
from sandbox.shops.web import Answer, Endpoint, Json, store_of

LIMIT_MAX: Final = 100
LIMIT_DEFAULT: Final = 10
COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {"gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def guarded(endpoint: Endpoint) -> Endpoint:
    """Count the call, let its fault happen, refuse a wrong key."""

    async def call(request: Request) -> Response:
        store = store_of(request)
        store.counters["stripe_calls"] += 1
        fault = store.faults.take(request.url.path)
        instead = await answer_instead(fault) if fault is not None else None
        if instead is not None:
            return instead
        if request.headers.get("authorization") != f"Bearer sk_test_{store.name}":
            return _error(401, "Invalid API Key provided")
        return await endpoint(request)

    return call


async def payouts(request: Request) -> Response:
    """GET /v1/payouts"""
    store, query = store_of(request), request.query_params
    rows = [_payout(row, store) for row in payouts_of(store)[::-1]]
    for name, keep in COMPARISONS.items():
        given = query.get(f"arrival_date[{name}]")
        if given is not None:
            rows = [row for row in rows if keep(row["arrival_date"], int(given))]
    return _listed(request, [row for row in rows if query.get("status") in (None, row["status"])])


async def payout(request: Request) -> Response:
    """GET /v1/payouts/{id}"""
    store = store_of(request)
    for row in payouts_of(store):
        if _payout_id(row) == request.path_params["id"]:
            return Answer(_payout(row, store))
    return _error(404, "No such payout")


async def balance_transactions(request: Request) -> Response:
    """GET /v1/balance_transactions, of one payout or of all; the source in full where `expand[]` asks for it."""
    store, query = store_of(request), request.query_params
    wanted = query.get("payout")
    expanded = "data.source" in query.getlist("expand[]")
    rows: list[Json] = []
    for found in payouts_of(store)[::-1]:
        if wanted in (None, _payout_id(found)):
            rows.append(_transfer(found, store, expanded=expanded))
            rows += [_transaction(movement, store, expanded=expanded) for movement in found.movements[::-1]]
    return _listed(request, rows)


async def charge(request: Request) -> Response:
    """GET /v1/charges/{id}"""
    store = store_of(request)
    for found in payouts_of(store):
        for movement in found.movements:
            if movement.amount >= 0 and _charge_id(movement.row.id) == request.path_params["id"]:
                return Answer(_charge(movement, store))
    return _error(404, "No such charge")


def event(store: ShopStore, row: Payout, now: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of the event `payout.paid`, signed as Stripe signs it at `now`."""
    seconds = int(now.timestamp())
    body = orjson.dumps(
        {
            "id": f"evt_{row.id}",
            "object": "event",
            "created": seconds,
            "livemode": False,
            "type": "payout.paid",
            "data": {"object": _payout(row, store)},
        }
    )
    secret = f"whsec_stripe_{store.name}".encode()
    signed = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "stripe-signature": f"t={seconds},v1={signed}"}, body


async def paid_event(request: Request) -> Response:
    """GET /_sandbox/shops/{shop}/stripe/events/{id}: the signed event of a payout, for whoever delivers it."""
    store = store_of(request)
    for row in payouts_of(store):
        if _payout_id(row) == request.path_params["id"]:
            headers, body = event(store, row, datetime.now(UTC))
            return Answer({"headers": headers, "body": body.decode()})
    return _error(404, "No such payout")


def _listed(request: Request, rows: Sequence[Json]) -> Response:
    query = request.query_params
    limit = min(LIMIT_MAX, max(1, int(query.get("limit", LIMIT_DEFAULT))))
    start = 0
    if "starting_after" in query:
        places = [place for place, row in enumerate(rows) if row["id"] == query["starting_after"]]
        if not places:
            return _error(400, f"No such object: {query['starting_after']}")
        start = places[0] + 1
    page = rows[start : start + limit]
    return Answer(
        {"object": "list", "url": request.url.path, "has_more": start + limit < len(rows), "data": list(page)}
    )


def _payout_id(row: Payout) -> str:
    return f"po_{row.id}"


def _charge_id(transaction_id: int) -> str:
    return f"ch_{transaction_id}"


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time.min, UTC).timestamp())


def _payout(row: Payout, store: ShopStore) -> Json:
    return {
        "id": _payout_id(row),
        "object": "payout",
        "amount": row.amount,
        "arrival_date": _midnight(row.arrives),
        "automatic": True,
        "balance_transaction": f"txn_{row.id}",
        "created": _midnight(row.day),
        "currency": store.life.shop.currency.code.lower(),
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed",
        "status": "paid" if row.is_paid else "in_transit",
        "type": "bank_account",
    }


def _transfer(row: Payout, store: ShopStore, *, expanded: bool) -> Json:
    common = {"amount": -row.amount, "net": -row.amount, "fee": 0, "fee_details": []}
    source: Any = _payout(row, store) if expanded else _payout_id(row)
    return _balance(f"txn_{row.id}", "payout", "payout", _midnight(row.day), source, common, store)


def _transaction(movement: Movement, store: ShopStore, *, expanded: bool) -> Json:
    row = movement.row
    at = int(row.at.timestamp())
    fees = [{"amount": row.fee, "currency": store.life.shop.currency.code.lower(), "type": "stripe_fee"}]
    amounts = {
        "amount": movement.amount, "net": movement.net, "fee": row.fee, "fee_details": fees if row.fee else []
    }  # fmt: skip
    if movement.amount >= 0:
        source: Any = _charge(movement, store) if expanded else _charge_id(row.id)
        return _balance(f"txn_{row.id}", "charge", "charge", at, source, amounts, store)
    refund = {
        "id": f"re_{row.id}",
        "object": "refund",
        "amount": row.amount,
        "charge": _charge_id(row.parent_id or 0),
        "created": at,
        "metadata": {},
        "payment_intent": f"pi_{row.parent_id}",
        "status": "succeeded",
    }
    return _balance(f"txn_{row.id}", "refund", "refund", at, refund if expanded else refund["id"], amounts, store)


def _charge(movement: Movement, store: ShopStore) -> Json:
    row = movement.row
    return {
        "id": _charge_id(row.id),
        "object": "charge",
        "amount": row.amount,
        "amount_captured": row.amount,
        "captured": True,
        "created": int(row.at.timestamp()),
        "currency": store.life.shop.currency.code.lower(),
        "metadata": {"order_number": movement.order_number},
        "paid": True,
        "payment_intent": f"pi_{row.id}",
        "status": "succeeded",
    }


def _balance(identity: str, kind: str, category: str, at: int, source: Any, amounts: Json, store: ShopStore) -> Json:
    return {
        "id": identity,
        "object": "balance_transaction",
        "available_on": at,
        "created": at,
        "currency": store.life.shop.currency.code.lower(),
        "description": None,
        "exchange_rate": None,
        "reporting_category": category,
        "source": source,
        "status": "available",
        "type": kind,
        **amounts,
    }


def _error(status: int, message: str) -> Response:
    return Answer({"error": {"type": "invalid_request_error", "message": message}}, status)


PREFIX: Final = "/{shop}/stripe/v1"
ROUTES: Final = (
    Route(f"{PREFIX}/payouts", guarded(payouts), methods=["GET"]),
    Route(f"{PREFIX}/payouts/{{id}}", guarded(payout), methods=["GET"]),
    Route(f"{PREFIX}/balance_transactions", guarded(balance_transactions), methods=["GET"]),
    Route(f"{PREFIX}/charges/{{id}}", guarded(charge), methods=["GET"]),
    Route("/_sandbox/shops/{shop}/stripe/events/{id}", paid_event, methods=["GET"]),
)
