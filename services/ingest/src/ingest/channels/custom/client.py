"""Pulling from a custom store: the native contract by cursor, or the older one by date window."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from common.errors import UpstreamRefused
from common.http import OutboundClient
from common.messages.base import Reason
from common.messages.orders import PURCHASE_PREFIX, Direction, direction_of
from ingest.channel import By, Page, Shop
from ingest.channels.custom import compatible
from ingest.channels.custom.settings import CustomCredentials
from ingest.channels.custom.webhook import order_part
from ingest.channels.custom.wire import order_id_of
from ingest.parts import Part, PartKind, Source
from ingest.polite import PoliteClient
from ingest.signatures import moment

PAGE_SIZE = 100
_PAGES_MAX = 10_000


class CustomClient:
    """One store, in whichever contract its credentials name."""

    def __init__(self, credentials: CustomCredentials, transport: httpx.AsyncBaseTransport | None = None) -> None:
        auth: tuple[str, str] | None = None
        headers: dict[str, str] = {}
        if credentials.token is not None:
            headers["authorization"] = f"Bearer {credentials.token.get_secret_value()}"
        elif credentials.user is not None:
            auth = (credentials.user, credentials.password.get_secret_value() if credentials.password else "")
        base = (credentials.base_url or "http://localhost").rstrip("/")
        self._base = base
        self._is_native = credentials.pull_contract == "native"
        asked = {"storeName": credentials.store_name, "orderStatus": credentials.order_status}
        self._asked = {name: value for name, value in asked.items() if value}
        self._api = PoliteClient(OutboundClient("custom store", base, auth=auth, headers=headers, transport=transport))

    async def check(self) -> Shop:
        """Whether the store answers to the login."""
        if self._is_native:
            await self._api.get("/orders", {"limit": 1})
            return Shop(self._base)
        answer, _ = await self._api.get("/authenticatetowebservice")
        if answer != "OK":
            raise UpstreamRefused(
                Reason(
                    code="UPSTREAM_UNAUTHORIZED", text=f"the store said {str(answer)[:200]!r}", cure="check the login"
                )
            )
        return Shop(self._base)

    async def pages(self, start: datetime, end: datetime, *, by: By) -> AsyncIterator[Page]:
        """Orders of a window, oldest change first."""
        if not self._is_native:
            window = {f"date_{by}_min": _text(start), f"date_{by}_max": _text(end)}
            envelope, _ = await self._api.get("/orders", window | self._asked)
            parts = [*_pulled(envelope), *_purchases(envelope, await self._purchases(window | self._asked))]
            # What was paid or sent back later comes without its order, which did not change: the order is asked for.
            for number, more in compatible.without_order(envelope if isinstance(envelope, dict) else {}).items():
                found, _ = await self._api.get("/orders", {"orderNumber": number})
                parts.extend(_pulled(compatible.joined(found if isinstance(found, dict) else {}, more)))
            yield Page(tuple((part,) for part in parts))
            return
        field = "updated_at" if by == "modified" else "created_at"
        params: dict[str, str | int] = {"updated_after": _text(start), "limit": PAGE_SIZE}
        for _ in range(_PAGES_MAX):
            body, _ = await self._api.get("/orders", params)
            rows = [row for row in body.get("orders") or () if start <= moment(row.get(field)) < end]
            yield Page(tuple((order_part(row, orjson.dumps(row), Source.API),) for row in rows))
            cursor = body.get("next_cursor")
            if not cursor:
                return
            params["cursor"] = str(cursor)

    async def fetch(self, order_id: str) -> tuple[Part, ...]:
        """The order document, or that of the purchase."""
        if not self._is_native:
            return await self._named(order_id.removeprefix(PURCHASE_PREFIX), direction_of(order_id))
        bought = direction_of(order_id) is Direction.PURCHASE
        said = {"direction": Direction.PURCHASE.value} if bought else None
        row = await self._api.find(f"/orders/{order_id.removeprefix(PURCHASE_PREFIX)}", said)
        part = order_part(row, orjson.dumps(row), Source.API) if row else None
        # A store may have an order of that id and no such purchase, and not read what it was asked.
        return (part,) if part is not None and part.order_id == order_id else ()

    async def find(self, number: str) -> tuple[Part, ...]:
        """The order with this number, else the purchase; `purchase:` before the number asks for the purchase alone."""
        if self._is_native:
            bare, bought = number.removeprefix(PURCHASE_PREFIX), number.startswith(PURCHASE_PREFIX)
            body, _ = await self._api.get("/orders", {"order_number": bare, "limit": 5})
            rows = [row for row in body.get("orders") or () if str(row.get("order_number")) == bare]
            rows.sort(key=lambda row: row.get("direction") == Direction.PURCHASE)
            found = [row for row in rows if not bought or row.get("direction") == Direction.PURCHASE]
            return (order_part(found[0], orjson.dumps(found[0]), Source.API),) if found else ()
        sold = () if number.startswith(PURCHASE_PREFIX) else await self._named(number, Direction.SALE)
        return sold or await self._named(number.removeprefix(PURCHASE_PREFIX), Direction.PURCHASE)

    async def _named(self, number: str, direction: Direction) -> tuple[Part, ...]:
        """The order or purchase of that number or id in the older contract."""
        asked = {"orderNumber": number}
        envelope, _ = await self._api.get("/orders", asked)
        sold = direction is Direction.SALE
        for part in _pulled(envelope) if sold else _purchases(envelope, await self._purchases(asked)):
            row = (part.body["orders"] or part.body["purchases"])[0]
            if number in {str(row.get("orderNumber", "")), compatible.identity_of(row)}:
                return (part,)
        return ()

    async def _purchases(self, asked: Mapping[str, str]) -> Any:
        """The envelope of `/purchaseorders`, which not every store has."""
        return await self._api.find("/purchaseorders", asked)

    async def close(self) -> None:
        await self._api.close()


def _pulled(envelope: Any) -> list[Part]:
    parts = []
    for single in compatible.split(envelope if isinstance(envelope, dict) else {}):
        order = single["orders"][0]
        # A payment or refund can change without the order's own time; the newest of them is the version.
        times = [moment(row.get("modifiedDate")) for group in single.values() for row in group]
        parts.append(
            Part(
                PartKind.ORDER,
                compatible.identity_of(order),
                orjson.dumps(single),
                max(times),
                source=Source.API,
                parsed=single,
            )
        )
    return parts


def _purchases(*envelopes: Any) -> list[Part]:
    """What the store bought, each purchase once: a store may list it at both of its addresses."""
    parts: dict[str, Part] = {}
    for envelope in envelopes:
        for single in compatible.purchases(envelope if isinstance(envelope, dict) else {}):
            row = single["purchases"][0]
            at = moment(row.get("modifiedDate") or row.get("creationDate"))
            identity = order_id_of(Direction.PURCHASE, compatible.identity_of(row))
            part = Part(PartKind.ORDER, identity, orjson.dumps(single), at, source=Source.API, parsed=single)
            parts.setdefault(identity, part)
    return list(parts.values())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
