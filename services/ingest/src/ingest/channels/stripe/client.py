"""Calls to Stripe's REST API. Answers become parts; nothing is mapped here."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import orjson

from common.errors import UpstreamUnavailable
from common.http import OutboundClient
from ingest.channel import By, Page, Shop
from ingest.channels.stripe.settings import API_VERSION, StripeCredentials
from ingest.parts import Part
from ingest.payout_parts import CHARGE, PayoutHead, PayoutPart, page
from ingest.polite import PoliteClient

PAGE_SIZE = 100
_PAGES_MAX = 1000
_CHARGES_MAX = 500
"""Charges that are looked up for one payout's refunds and disputes; beyond it they are matched by amount alone."""


class StripeClient:
    """One Stripe account."""

    def __init__(self, credentials: StripeCredentials, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {
            "authorization": f"Bearer {credentials.secret_key.get_secret_value()}",
            "stripe-version": API_VERSION,
        }
        if credentials.stripe_account:
            headers["stripe-account"] = credentials.stripe_account
        self._api = PoliteClient(OutboundClient("stripe", credentials.api_url, headers=headers, transport=transport))

    async def check(self) -> Shop:
        """Whether the key may read payouts; the account's name is not asked for."""
        await self._api.get("/payouts", {"limit": 1})
        return Shop("Stripe")

    async def pages(self, start: datetime, end: datetime, *, by: By) -> AsyncIterator[Page]:  # noqa: ARG002
        """No pages: Stripe has no orders."""
        nothing: tuple[Page, ...] = ()
        for page_of_orders in nothing:
            yield page_of_orders

    async def fetch(self, order_id: str) -> tuple[Part, ...]:  # noqa: ARG002
        """Nothing: Stripe has no orders."""
        return ()

    async def find(self, number: str) -> tuple[Part, ...]:  # noqa: ARG002
        """Nothing: Stripe has no orders."""
        return ()

    async def payouts(self, start: date, end: date) -> AsyncIterator[tuple[PayoutHead, ...]]:
        """Payouts by the day they reach the bank, newest first."""
        params: dict[str, str | int] = {
            "limit": PAGE_SIZE,
            "arrival_date[gte]": _seconds(start),
            "arrival_date[lt]": _seconds(end + timedelta(days=1)),
        }
        async for body in self._following("/payouts", params):
            yield tuple(_head(row) for row in body["data"] if isinstance(row, dict) and isinstance(row.get("id"), str))

    async def payout(self, payout_id: str) -> PayoutHead | None:
        """One payout."""
        body = await self._api.find(f"/payouts/{payout_id}")
        return _head(body) if isinstance(body, dict) and isinstance(body.get("id"), str) else None

    async def payout_parts(self, head: PayoutHead) -> tuple[PayoutPart, ...]:
        """The payout, every balance transaction in it, and the charges that its refunds and disputes are about."""
        params: dict[str, str | int] = {
            "payout": head.payout_id, "limit": PAGE_SIZE, "expand[]": "data.source"
        }  # fmt: skip
        bodies = [body async for body in self._following("/balance_transactions", params)]
        parts = [head.part, *(page(number, orjson.dumps(body)) for number, body in enumerate(bodies))]
        for charge_id in _charges_elsewhere(bodies)[:_CHARGES_MAX]:
            charge = await self._api.find(f"/charges/{charge_id}")
            if isinstance(charge, dict):
                parts.append(PayoutPart(CHARGE, charge_id, orjson.dumps(charge)))
        return tuple(parts)

    async def close(self) -> None:
        await self._api.close()

    async def _following(self, path: str, params: Mapping[str, str | int]) -> AsyncIterator[dict[str, Any]]:
        """Bodies of all pages, by cursor."""
        asked = dict(params)
        for _ in range(_PAGES_MAX):
            body, _response = await self._api.get(path, asked)
            if not isinstance(body, dict) or not isinstance(body.get("data"), list):
                raise UpstreamUnavailable(f"stripe answered {path} with something else than a list")
            yield body
            if not body.get("has_more") or not body["data"]:
                return
            asked["starting_after"] = str(body["data"][-1].get("id", ""))
        raise UpstreamUnavailable(f"stripe has more than {_PAGES_MAX} pages at {path}")


def _head(row: dict[str, Any]) -> PayoutHead:
    return PayoutHead(str(row["id"]), orjson.dumps(row), row.get("status") == "paid")


def _charges_elsewhere(bodies: list[dict[str, Any]]) -> list[str]:
    """Charges that rows refer to and that are not among the rows themselves."""
    sources = [row["source"] for body in bodies for row in body["data"] if isinstance(row.get("source"), dict)]
    here = {source.get("id") for source in sources}
    wanted = (source.get("charge") for source in sources)
    return list(dict.fromkeys(one for one in wanted if isinstance(one, str) and one and one not in here))


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time.min, UTC).timestamp())
