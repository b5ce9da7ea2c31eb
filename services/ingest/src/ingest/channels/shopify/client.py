"""Calls to Shopify's REST Admin API. Answers become parts; nothing is mapped here.

REST rather than GraphQL, because its orders have the very shape that webhooks push: one parser reads both.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson

from common.errors import UpstreamUnavailable
from common.http import OutboundClient
from ingest.channel import By, Page, Shop, Subscription
from ingest.channels.shopify.payments import UNPAID_STATUSES
from ingest.channels.shopify.settings import ShopifyCredentials
from ingest.channels.shopify.webhook import identity_of, to_part
from ingest.channels.shopify.wire import ShopifyShop, ShopifyWebhook
from ingest.errors import BodyUnreadable
from ingest.parts import Part, PartKind, Source
from ingest.payout_parts import PayoutHead, PayoutPart, page
from ingest.polite import PoliteClient
from ingest.text import short

PAGE_SIZE = 100
BALANCE_PAGE_SIZE = 250
_PAGES_MAX = 250
"""Paging stops at 25,000 objects; a run's windows are short enough never to get there."""
_BUCKET_HIGH = 0.8
_LEAK_PER_S = 2.0


class ShopifyClient:
    """One shop's Admin API, at the pace of its leaky bucket."""

    def __init__(self, credentials: ShopifyCredentials, transport: httpx.AsyncBaseTransport | None = None) -> None:
        token = credentials.access_token.get_secret_value() if credentials.access_token else ""
        outbound = OutboundClient(
            "shopify", credentials.admin_url, headers={"x-shopify-access-token": token}, transport=transport
        )
        self._api = PoliteClient(outbound, pace=pace)

    async def check(self) -> Shop:
        """The shop behind the token."""
        body, _ = await self._api.get("/shop.json")
        shop = ShopifyShop.model_validate(body.get("shop") or {})
        return Shop(shop.name, shop.currency, shop.iana_timezone or "")

    async def pages(self, start: datetime, end: datetime, *, by: By) -> AsyncIterator[Page]:
        """Orders of a window, oldest change first."""
        field = "updated_at" if by == "modified" else "created_at"
        params: Mapping[str, str | int] = {
            "status": "any",
            "limit": PAGE_SIZE,
            "order": f"{field} asc",
            f"{field}_min": _text(start),
            f"{field}_max": _text(end),
        }
        for _ in range(_PAGES_MAX):
            body, response = await self._api.get("/orders.json", params)
            yield Page(tuple([await self._with_transactions(order) for order in body.get("orders") or ()]))
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            # With page_info no other filter may be sent. Only the query is taken over: the token must not follow a
            # link to another host.
            params = dict(parse_qsl(urlsplit(following).query))

    async def fetch(self, order_id: str) -> tuple[Part, ...]:
        """The order and its transactions."""
        body = await self._api.find(f"/orders/{order_id}.json")
        return await self._with_transactions(body["order"]) if body and body.get("order") else ()

    async def find(self, number: str) -> tuple[Part, ...]:
        """The order whose name is the number, with or without the number sign."""
        body, _ = await self._api.get("/orders.json", {"status": "any", "name": number, "limit": 5})
        for order in body.get("orders") or ():
            if short(str(order.get("name") or "")).removeprefix("#") == number.removeprefix("#"):
                return await self._with_transactions(order)
        return ()

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Every webhook of this app in this shop; Shopify removes those that failed too often."""
        body, _ = await self._api.get("/webhooks.json", {"limit": 250})
        rows = [ShopifyWebhook.model_validate(row) for row in body.get("webhooks") or ()]
        return tuple(Subscription(row.topic, row.address, active=True) for row in rows)

    async def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Register each topic."""
        for topic in topics:
            await self._api.send(
                "POST", "/webhooks.json", {"webhook": {"topic": topic, "address": address, "format": "json"}}
            )

    async def payouts(self, start: date, end: date) -> AsyncIterator[tuple[PayoutHead, ...]]:
        """Payouts of Shopify Payments by the day they reach the bank."""
        params: Mapping[str, str | int] = {
            "limit": PAGE_SIZE, "date_min": start.isoformat(), "date_max": end.isoformat()
        }  # fmt: skip
        async for body in self._following("/shopify_payments/payouts.json", params):
            yield tuple(_head(row) for row in body.get("payouts") or () if isinstance(row, dict))

    async def payout(self, payout_id: str) -> PayoutHead | None:
        """One payout."""
        body = await self._api.find(f"/shopify_payments/payouts/{payout_id}.json")
        row = body.get("payout") if isinstance(body, dict) else None
        return _head(row) if isinstance(row, dict) else None

    async def payout_parts(self, head: PayoutHead) -> tuple[PayoutPart, ...]:
        """The payout and every balance transaction in it."""
        params: Mapping[str, str | int] = {"payout_id": head.payout_id, "limit": BALANCE_PAGE_SIZE}
        bodies = [body async for body in self._following("/shopify_payments/balance/transactions.json", params)]
        return (head.part, *(page(number, orjson.dumps(body)) for number, body in enumerate(bodies)))

    async def close(self) -> None:
        await self._api.close()

    async def _following(self, path: str, params: Mapping[str, str | int]) -> AsyncIterator[dict[str, Any]]:
        """Bodies of all pages. Raises `UpstreamUnavailable` for what is no object or never ends."""
        for _ in range(_PAGES_MAX):
            body, response = await self._api.get(path, params)
            if not isinstance(body, dict):
                raise UpstreamUnavailable(f"shopify answered {path} with something else than an object")
            yield body
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            params = dict(parse_qsl(urlsplit(following).query))
        # A payout with a part of its lines would look like one that does not balance.
        raise UpstreamUnavailable(f"shopify has more than {_PAGES_MAX} pages at {path}")

    async def _with_transactions(self, order: dict[str, Any]) -> tuple[Part, ...]:
        part = to_part("orders/updated", order, orjson.dumps(order), Source.API)
        if part is None:
            raise BodyUnreadable("an order without an id")
        if "transactions" in order or str(order.get("financial_status")) in UNPAID_STATUSES:
            return (part,)
        identity = identity_of(order, "id")
        body, _ = await self._api.get(f"/orders/{identity}/transactions.json", {"limit": 250})
        rows = body.get("transactions") or [] if isinstance(body, dict) else body
        listed = Part(PartKind.TRANSACTIONS, identity, orjson.dumps(rows), part.version, source=Source.API, parsed=rows)
        return (part, listed)


def _head(row: dict[str, Any]) -> PayoutHead:
    return PayoutHead(identity_of(row, "id"), orjson.dumps(row), row.get("status") == "paid")


async def pace(response: httpx.Response) -> None:
    """Wait when the bucket is nearly full, for as long as it takes to leak down to half."""
    used, _, size = response.headers.get("x-shopify-shop-api-call-limit", "").partition("/")
    if used.isdigit() and size.isdigit() and int(size) and int(used) >= int(size) * _BUCKET_HIGH:
        await asyncio.sleep(min((int(used) - int(size) / 2) / _LEAK_PER_S, 20.0))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
