"""Shops are opened, moved on and troubled from the admin side."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.shops.conftest import Street


async def orders(street: Street, shop: dict[str, Any]) -> httpx.Response:
    url = f"{shop['base_url']}/admin/api/2026-10/orders.json?status=any&limit=250&order=updated_at+asc"
    return await street.client.get(url, headers={"X-Shopify-Access-Token": shop["token"]}, timeout=10)


async def test_a_life_goes_on_step_by_step_and_the_expectation_with_it(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=30)
    assert (await orders(street, shop)).json() == {"orders": []}
    for _ in range(2):
        result = await street.post(shop, "advance", snapshots=20)
        assert result["snapshots"] == 20
        held = (await orders(street, shop)).json()["orders"]
        expected = (await street.client.get(f"{street.url}/_sandbox/shops/{shop['name']}/expectation")).json()
        assert set(expected["orders"]) == {str(order["id"]) for order in held}
        net = {key: row["net"] for key, row in expected["orders"].items()}
        assert net == {str(order["id"]): order["current_total_price"] for order in held}
    rest = await street.post(shop, "advance")
    assert rest["snapshots"] > 0
    assert (await street.post(shop, "advance"))["snapshots"] == 0


async def test_a_life_goes_on_until_a_time(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=500)
    result = await street.post(shop, "advance", until="2026-03-03T00:00:00-05:00")
    assert result["now"] < "2026-03-03T05:00:00"
    assert 100 <= len((await orders(street, shop)).json()["orders"]) <= 130


async def test_a_life_until_now_holds_nothing_from_the_future(street: Street) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    shop = await street.open(kind="shopify", plan="unlimited", orders=2000, start_date=yesterday.isoformat())
    result = await street.post(shop, "advance", until="now")
    assert result["snapshots"] > 0
    assert datetime.fromisoformat(result["now"]) <= datetime.now(UTC)


async def test_the_command_serves_shops_named_on_its_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    described = "name=north,kind=woocommerce,shop=eu,seed=7,orders=4"
    command = [sys.executable, "-m", "sandbox.shops", "--port", str(port), "--shop", described]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        url = f"http://127.0.0.1:{port}/_sandbox/shops"
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
            while True:
                try:
                    answer = await client.get(url)
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
            (shop,) = answer.json()["shops"]
            assert (shop["name"], shop["kind"], shop["currency"]) == ("north", "woocommerce", "EUR")
            moved = (await client.post(f"{url}/north/advance", json={"deliver": False})).json()
            assert moved["snapshots"] >= 4
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "throttle", "seconds": 3}, 429), ({"kind": "error"}, 500), ({"kind": "unavailable"}, 503)],
)
async def test_a_fault_happens_as_often_as_ordered_and_then_no_more(
    street: Street, fault: dict[str, Any], status: int
) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=3)
    await street.post(shop, "faults", times=2, **fault)
    answers = [await orders(street, shop) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    if status == 429:
        assert float(answers[0].headers["Retry-After"]) == 3
    if status == 503:
        assert answers[0].headers["Content-Type"].startswith("text/html")
    counters = (await street.client.get(f"{street.url}/_sandbox/shops/{shop['name']}/counters")).json()["counters"]
    assert counters[f"fault_{fault['kind']}"] == 2


async def test_answers_can_be_broken_late_or_missing(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=3)
    await street.post(shop, "advance", deliver=False)
    await street.post(shop, "faults", kind="broken_json")
    broken = await orders(street, shop)
    assert broken.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    await street.post(shop, "faults", kind="slow", seconds=0.2)
    started = time.monotonic()
    assert (await orders(street, shop)).status_code == 200
    assert time.monotonic() - started >= 0.2
    await street.post(shop, "faults", kind="timeout", seconds=0.1)
    assert (await orders(street, shop)).status_code == 504


async def test_drift_changes_the_list_between_pages(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=30)
    await street.post(shop, "advance", snapshots=10, deliver=False)
    before = len((await orders(street, shop)).json()["orders"])
    await street.post(shop, "faults", kind="drift", times=5)
    after = [len((await orders(street, shop)).json()["orders"]) for _ in range(5)]
    assert after[-1] > before
    assert after == sorted(after)


async def test_faults_meet_only_the_paths_they_name_and_can_be_taken_back(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=3)
    await street.post(shop, "faults", kind="error", path="/shop.json", times=10)
    assert (await orders(street, shop)).status_code == 200
    url = f"{shop['base_url']}/admin/api/2026-10/shop.json"
    token = {"X-Shopify-Access-Token": shop["token"]}
    assert (await street.client.get(url, headers=token)).status_code == 500
    await street.client.delete(f"{street.url}/_sandbox/shops/{shop['name']}/faults")
    assert (await street.client.get(url, headers=token)).status_code == 200


async def test_several_shops_live_side_by_side(street: Street) -> None:
    opened = [
        await street.open(name=f"{kind}-{shop}", kind=kind, shop=shop, orders=5)
        for kind in ("shopify", "woocommerce", "custom")
        for shop in ("us", "jp")
    ]
    await asyncio.gather(*(street.post(shop, "advance", deliver=False) for shop in opened))
    listed = (await street.client.get(f"{street.url}/_sandbox/shops")).json()["shops"]
    assert {row["name"]: row["orders"] for row in listed} == {shop["name"]: 5 for shop in opened}
    await street.client.delete(f"{street.url}/_sandbox/shops/custom-jp")
    assert len((await street.client.get(f"{street.url}/_sandbox/shops")).json()["shops"]) == 5


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"kind": "etsy"}, "kind: 'etsy'"),
        ({"shop": "mars"}, "shop: 'mars'"),
        ({"plan": "gold"}, "plan: 'gold'"),
        ({"orders": -1}, "orders: -1"),
        ({"name": "a/b"}, "name: 'a/b'"),
        ({"scenarios": ["teleport"]}, "teleport unknown"),
        ({"start_date": "soon"}, "soon"),
    ],
)
async def test_a_shop_that_makes_no_sense_is_refused_with_the_field_and_value(
    street: Street, given: dict[str, Any], word: str
) -> None:
    answer = await street.client.post(f"{street.url}/_sandbox/shops", json=given)
    assert answer.status_code == 400
    assert word in answer.json()["error"]
