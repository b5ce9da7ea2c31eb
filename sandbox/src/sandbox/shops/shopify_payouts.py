"""Shopify Payments in the REST Admin API: payouts and the balance transactions they consist of."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.shops.payouts import Movement, Payout, payouts_of
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.shopify_rest import PREFIX, call_limit, refusal
from sandbox.shops.web import Answer, guarded, store_of

LIMIT_MAX: Final = 250
LIMIT_DEFAULT: Final = 50


async def payouts(request: Request) -> Response:
    """GET shopify_payments/payouts.json, newest first."""
    found = payouts_of(store_of(request))[::-1]
    money = Money(store_of(request).life.shop.currency)
    try:
        rows, headers = _page(request, found, ("date_min", "date_max", "date", "status"), _wanted)
    except ValueError as error:
        return Answer({"errors": {"payouts": str(error)}}, 400)
    return Answer({"payouts": [_payout(row, money) for row in rows]}, headers=headers)


async def payout(request: Request) -> Response:
    """GET shopify_payments/payouts/{id}.json"""
    money = Money(store_of(request).life.shop.currency)
    for row in payouts_of(store_of(request)):
        if row.id == int(request.path_params["id"]):
            return Answer({"payout": _payout(row, money)})
    return Answer({"errors": "Not Found"}, 404)


async def transactions(request: Request) -> Response:
    """GET shopify_payments/balance/transactions.json?payout_id="""
    store = store_of(request)
    money, zone = Money(store.life.shop.currency), store.life.shop.zone
    rows: list[Json] = []
    for found in payouts_of(store):
        rows.append(_transfer(found, money))
        rows += [_transaction(found, movement, money, zone) for movement in found.movements]
    try:
        page, headers = _page(request, rows, ("payout_id",), _of_payout)
    except ValueError as error:
        return Answer({"errors": {"transactions": str(error)}}, 400)
    return Answer({"transactions": page}, headers=headers)


def _page(request: Request, rows: list[Any], names: tuple[str, ...], wanted: Any) -> tuple[list[Any], dict[str, str]]:
    """One page and its Link header. Raises ValueError for a cursor or a filter that makes no sense."""
    query = dict(request.query_params)
    limit = min(LIMIT_MAX, max(1, int(query.get("limit", LIMIT_DEFAULT))))
    start, filters = 0, {name: query[name] for name in names if name in query}
    if "page_info" in query:
        if set(query) - {"page_info", "limit"}:
            raise ValueError("page_info goes with limit alone")
        start, filters = orjson.loads(base64.urlsafe_b64decode(query["page_info"].encode()))
    chosen = [row for row in rows if wanted(row, filters)]
    end = start + limit
    if end >= len(chosen):
        return chosen[start:], {}
    cursor = base64.urlsafe_b64encode(orjson.dumps([end, filters])).decode()
    address = f"{request.url.replace(query='')}?{urlencode({'limit': limit, 'page_info': cursor})}"
    return chosen[start:end], {"Link": f'<{address}>; rel="next"'}


def _wanted(row: Payout, filters: dict[str, str]) -> bool:
    if "date" in filters and row.arrives != date.fromisoformat(filters["date"]):
        return False
    if "date_min" in filters and row.arrives < date.fromisoformat(filters["date_min"]):
        return False
    if "date_max" in filters and row.arrives > date.fromisoformat(filters["date_max"]):
        return False
    return filters.get("status") in (None, _status(row))


def _of_payout(row: Json, filters: dict[str, str]) -> bool:
    return "payout_id" not in filters or row["payout_id"] == int(filters["payout_id"])


def _status(row: Payout) -> str:
    return "paid" if row.is_paid else "scheduled"


def _payout(row: Payout, money: Money) -> Json:
    charges = [movement for movement in row.movements if movement.amount >= 0]
    refunds = [movement for movement in row.movements if movement.amount < 0]
    none = money.text(0)
    return {
        "id": row.id,
        "status": _status(row),
        "date": row.arrives.isoformat(),
        "currency": money.code,
        "amount": money.text(row.amount),
        "summary": {
            "adjustments_fee_amount": none,
            "adjustments_gross_amount": none,
            "charges_fee_amount": money.text(sum(one.row.fee for one in charges)),
            "charges_gross_amount": money.text(sum(one.amount for one in charges)),
            "refunds_fee_amount": money.text(sum(one.row.fee for one in refunds)),
            "refunds_gross_amount": money.text(sum(one.amount for one in refunds)),
            "reserved_funds_fee_amount": none,
            "reserved_funds_gross_amount": none,
            "retried_payouts_fee_amount": none,
            "retried_payouts_gross_amount": none,
        },
    }


def _transfer(row: Payout, money: Money) -> Json:
    """The transfer itself, listed with what it consists of."""
    return {
        "id": row.id * 10,
        "type": "payout",
        "test": False,
        "payout_id": row.id,
        "payout_status": _status(row),
        "currency": money.code,
        "amount": money.text(-row.amount),
        "fee": money.text(0),
        "net": money.text(-row.amount),
        "source_id": row.id,
        "source_type": "payout",
        "source_order_id": None,
        "source_order_transaction_id": None,
        "processed_at": f"{row.arrives.isoformat()}T00:00:00+00:00",
    }


def _transaction(payout: Payout, movement: Movement, money: Money, zone: Any) -> Json:
    is_refund = movement.amount < 0
    return {
        "id": movement.row.id * 10 + 1,
        "type": "refund" if is_refund else "charge",
        "test": False,
        "payout_id": payout.id,
        "payout_status": _status(payout),
        "currency": money.code,
        "amount": money.text(movement.amount),
        "fee": money.text(movement.row.fee),
        "net": money.text(movement.net),
        "source_id": movement.row.id * 10 + 2,
        "source_type": "Payments::Refund" if is_refund else "charge",
        "source_order_id": movement.order_id,
        "source_order_transaction_id": movement.row.id,
        "processed_at": movement.row.at.astimezone(zone).isoformat(timespec="seconds"),
    }


ROUTES: Final = guarded(
    "shopify",
    PREFIX,
    refusal,
    ("/shopify_payments/payouts.json", payouts, ["GET"]),
    ("/shopify_payments/payouts/{id:int}.json", payout, ["GET"]),
    ("/shopify_payments/balance/transactions.json", transactions, ["GET"]),
    always=call_limit,
)
