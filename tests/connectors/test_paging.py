"""Polls while the shop goes on selling: no order is skipped because another one moved."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError
from tests.connectors.conftest import LOGINS

from ingest.channels import BY_NAME
from ingest.parts import Part

Json = dict[str, Any]

START = datetime(2026, 5, 1, tzinfo=UTC)
END = START + timedelta(days=2)
LOGIN = {**LOGINS["woocommerce"], "consumer_key": "ck", "consumer_secret": "cs"}


class MovingStore:
    """A store in which the oldest order of the window is modified again after each answer."""

    def __init__(self, modified: list[datetime], *, moves: bool) -> None:
        self.modified = dict(enumerate(modified, start=1))
        self.moves = moves
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        query = request.url.params
        after, before = (_moment(query[name]) for name in ("modified_after", "modified_before"))
        rows = sorted((at, number) for number, at in self.modified.items() if after < at < before)
        first = (int(query["page"]) - 1) * int(query["per_page"])
        page = rows[first : first + int(query["per_page"])]
        if self.moves and rows:
            self.modified[rows[0][1]] = END + timedelta(hours=1)
        body = [_order(number, at) for at, number in page]
        return httpx.Response(200, content=orjson.dumps(body), headers={"content-type": "application/json"})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _order(number: int, at: datetime) -> dict[str, Any]:
    return {"id": number, "date_modified_gmt": at.replace(tzinfo=None).isoformat(), "refunds": []}


async def seen(store: MovingStore) -> set[str]:
    channel = BY_NAME["woocommerce"]
    client = channel.connect(channel.credentials.model_validate(LOGIN), httpx.MockTransport(store))
    found = {parts[0].order_id async for page in client.pages(START, END, by="modified") for parts in page.orders}
    await client.close()
    return found


async def test_an_order_that_changes_during_the_poll_makes_no_other_one_disappear() -> None:
    store = MovingStore([START + timedelta(minutes=5 * n) for n in range(350)], moves=True)
    found = await seen(store)
    assert {str(number) for number in range(1, 351)} - found == set()


async def test_more_orders_in_one_second_than_a_page_holds_are_all_seen() -> None:
    store = MovingStore([START + timedelta(hours=1)] * 250 + [START + timedelta(hours=2)] * 10, moves=False)
    assert len(await seen(store)) == 260
    assert store.calls < 10


OLDER = {"base_url": "https://shop.example", "pull_contract": "compatible", "signing_secret": "4f9c0b7e21d86a53"}


async def pulled(answer: Callable[[httpx.Request], Json], **more: str) -> list[Part]:
    """What a client of the older contract makes of a store's answers."""
    channel = BY_NAME["custom"]

    def store(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer(request))

    client = channel.connect(channel.credentials.model_validate(OLDER | more), httpx.MockTransport(store))
    parts = [part async for page in client.pages(START, END, by="modified") for found in page.orders for part in found]
    await client.close()
    return parts


async def test_the_older_contract_is_asked_for_one_store_and_for_statuses() -> None:
    asked: list[Json] = []

    def answer(request: httpx.Request) -> Json:
        asked.append(dict(request.url.params))
        return {"orders": [], "payments": [{"orderNumber": "7"}] if len(asked) == 1 else []}

    await pulled(answer, store_name="Nordic", order_status="paid,shipped")
    window, purchases, order = asked
    assert (window["storeName"], window["orderStatus"]) == ("Nordic", "paid,shipped")
    assert purchases == window
    assert order == {"orderNumber": "7"}, "an order that is asked for by number is wanted whatever its status"
    asked.clear()
    await pulled(answer)
    assert set(asked[0]) == {"date_modified_min", "date_modified_max"}
    with pytest.raises(ValidationError, match="pull_contract compatible"):
        BY_NAME["custom"].credentials.model_validate(OLDER | {"pull_contract": "native", "store_name": "Nordic"})


async def test_what_is_paid_later_comes_with_its_order_in_the_older_contract() -> None:
    order = {"id": "9", "orderNumber": "1001", "modifiedDate": "2026-03-01T10:00:00Z"}
    payment = {"id": "p1", "orderNumber": "1001", "paymentAmount": 77, "modifiedDate": "2026-03-02T10:00:00Z"}
    refund = {"id": "r1", "parentOrderNumber": "1001", "total": 7, "modifiedDate": "2026-03-02T11:00:00Z"}
    asked: list[str] = []

    def store(request: httpx.Request) -> Json:
        number = request.url.params.get("orderNumber", "")
        if request.url.path == "/purchaseorders":
            return {}
        asked.append(number)
        window = {"orders": [], "payments": [payment], "cancelledOrders": [refund]}
        return {"orders": [order], "payments": [payment]} if number else window

    (part,) = await pulled(store)
    assert asked == ["", "1001"]
    assert part.order_id == "9"
    assert (part.body["payments"], part.body["cancelledOrders"]) == ([payment], [refund]), "each once"
