"""Calls to a store's REST API v3. Answers become parts; nothing is mapped here."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson

from common.http import OutboundClient
from ingest.channel import By, Page, Shop, Subscription
from ingest.channels.woocommerce.settings import WooCommerceCredentials
from ingest.channels.woocommerce.webhook import identity_of, order_part
from ingest.channels.woocommerce.wire import WooWebhook
from ingest.parts import Part, PartKind, Source
from ingest.polite import PoliteClient
from ingest.signatures import moment

PAGE_SIZE = 100
_PAGES_MAX = 1000
_TIE = timedelta(seconds=1)
"""`after` excludes its own second, in which more orders may have changed than the page held."""


class WooCommerceClient:
    """One store. There is no published limit: 429, 503, 508 and pages of HTML mean wait."""

    def __init__(self, credentials: WooCommerceCredentials, transport: httpx.AsyncBaseTransport | None = None) -> None:
        key = credentials.consumer_key.get_secret_value() if credentials.consumer_key else ""
        secret = credentials.consumer_secret.get_secret_value() if credentials.consumer_secret else ""
        self._secret = credentials.webhook_secret
        self._store_url = credentials.store_url
        # Small hosts fall over before they say no: few connections, and patience.
        outbound = OutboundClient(
            "woocommerce", credentials.api_url, auth=(key, secret), connections_max=4, transport=transport
        )
        self._api = PoliteClient(outbound)

    async def check(self) -> Shop:
        """The store behind the keys."""
        currency, _ = await self._api.get("/data/currencies/current")
        code = currency.get("code", "") if isinstance(currency, dict) else ""
        return Shop(self._store_url, str(code))

    async def pages(self, start: datetime, end: datetime, *, by: By) -> AsyncIterator[Page]:
        """Orders of a window, oldest first.

        Each page starts where the last one ended rather than at a page number: an order that changes meanwhile leaves
        the window, everything behind it moves up, and numbered pages would skip one.
        """
        prefix, field = ("modified_", "modified") if by == "modified" else ("", "date")
        after, number = start, 1
        for _ in range(_PAGES_MAX):
            rows, _answer = await self._api.get(
                "/orders",
                {
                    f"{prefix}after": _text(after - _TIE),
                    f"{prefix}before": _text(end),
                    "dates_are_gmt": "true",
                    "orderby": field,
                    "order": "asc",
                    "per_page": PAGE_SIZE,
                    "page": number,
                },
            )
            yield Page(tuple([await self._with_refunds(row) for row in rows]))
            if len(rows) < PAGE_SIZE:
                return
            last = moment(rows[-1].get("date_modified_gmt" if by == "modified" else "date_created_gmt"))
            # A page of one and the same second has to be turned by its number.
            after, number = (last, 1) if last > after else (after, number + 1)

    async def fetch(self, order_id: str) -> tuple[Part, ...]:
        """The order and its refunds."""
        order = await self._api.find(f"/orders/{order_id}")
        return await self._with_refunds(order) if order else ()

    async def find(self, number: str) -> tuple[Part, ...]:
        """The order with this number: its id in plain stores, found by search where a plugin numbers orders."""
        if number.isdigit():
            order = await self._api.find(f"/orders/{number}")
            if order and str(order.get("number", "")) == number:
                return await self._with_refunds(order)
        rows, _ = await self._api.get("/orders", {"search": number, "per_page": 20})
        for order in rows:
            if str(order.get("number", "")) == number:
                return await self._with_refunds(order)
        return ()

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Every webhook of the store; one that failed five times in a row is disabled."""
        rows, _ = await self._api.get("/webhooks", {"per_page": PAGE_SIZE})
        hooks = [WooWebhook.model_validate(row) for row in rows]
        return tuple(Subscription(hook.topic, hook.delivery_url, hook.status == "active") for hook in hooks)

    async def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Register each topic, or switch it on again."""
        rows, _ = await self._api.get("/webhooks", {"per_page": PAGE_SIZE})
        held = {(hook.topic, hook.delivery_url): hook.id for hook in map(WooWebhook.model_validate, rows)}
        for topic in topics:
            identity = held.get((topic, address))
            body: dict[str, Any] = {
                "name": f"tillbook {topic}",
                "topic": topic,
                "delivery_url": address,
                "secret": self._secret.get_secret_value(),
                "status": "active",
            }
            if identity is None:
                await self._api.send("POST", "/webhooks", body)
            else:
                await self._api.send("PUT", f"/webhooks/{identity}", body)

    async def close(self) -> None:
        await self._api.close()

    async def _with_refunds(self, order: dict[str, Any]) -> tuple[Part, ...]:
        part = order_part(order, orjson.dumps(order), Source.API)
        if not order.get("refunds"):
            return (part,)
        identity = identity_of(order)
        rows, _ = await self._api.get(f"/orders/{identity}/refunds", {"per_page": PAGE_SIZE})
        listed = Part(PartKind.REFUNDS, identity, orjson.dumps(rows), part.version, source=Source.API, parsed=rows)
        return (part, listed)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
