"""The Shopify stand-in pages, rations, filters and refuses as Shopify's documentation says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.shops.conftest import Receiver, Street

LIST = """
query Changed($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes {
      id legacyResourceId name updatedAt displayFinancialStatus
      totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
      transactions(first: 5) { id kind status gateway amountSet { shopMoney { amount } } parentTransaction { id } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def headers(shop: dict[str, Any]) -> dict[str, str]:
    return {"X-Shopify-Access-Token": shop["token"]}


def admin(shop: dict[str, Any], path: str) -> str:
    return f"{shop['base_url']}/admin/api/2026-10/{path}"


async def open_full(street: Street, **description: Any) -> dict[str, Any]:
    shop = await street.open(kind="shopify", plan="unlimited", **description)
    await street.post(shop, "advance", deliver=False)
    return shop


def next_link(answer: Any) -> str | None:
    found = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return found.group(1) if found else None


async def test_rest_pages_visit_every_order_once_in_the_order_of_change(street: Street) -> None:
    shop = await open_full(street, orders=60)
    url: str | None = admin(shop, "orders.json?status=any&order=updated_at+asc&limit=7")
    seen: list[dict[str, Any]] = []
    pages = 0
    while url:
        answer = await street.client.get(url, headers=headers(shop))
        assert answer.status_code == 200
        seen += answer.json()["orders"]
        url, pages = next_link(answer), pages + 1
    assert pages == 9
    assert len({order["id"] for order in seen}) == len(seen) == 60
    assert [order["updated_at"] for order in seen] == sorted(order["updated_at"] for order in seen)


async def test_a_previous_link_leads_back(street: Street) -> None:
    shop = await open_full(street, orders=20)
    first = await street.client.get(admin(shop, "orders.json?status=any&order=id+asc&limit=8"), headers=headers(shop))
    link = next_link(first)
    assert link
    second = await street.client.get(link, headers=headers(shop))
    back = re.search(r'<([^>]+)>; rel="previous"', second.headers["Link"])
    assert back
    again = await street.client.get(back.group(1), headers=headers(shop))
    assert again.json() == first.json()


async def test_page_info_goes_with_no_other_filter(street: Street) -> None:
    shop = await open_full(street, orders=10)
    first = await street.client.get(admin(shop, "orders.json?limit=2"), headers=headers(shop))
    link = next_link(first)
    assert link
    for bad in (f"{link}&status=any", admin(shop, "orders.json?page_info=nonsense")):
        answer = await street.client.get(bad, headers=headers(shop))
        assert (answer.status_code, answer.json()) == (400, {"errors": {"page_info": "Invalid value."}})


async def test_filters_keep_what_they_name(street: Street) -> None:
    shop = await open_full(street, orders=60)

    async def orders(query: str) -> list[dict[str, Any]]:
        answer = await street.client.get(admin(shop, f"orders.json?limit=250&{query}"), headers=headers(shop))
        rows: list[dict[str, Any]] = answer.json()["orders"]
        return rows

    everything = await orders("status=any")
    middle = sorted(order["updated_at"] for order in everything)[30]
    changed = await orders(f"status=any&updated_at_min={middle.replace('+', '%2B')}")
    assert {order["id"] for order in changed} == {o["id"] for o in everything if o["updated_at"] >= middle}
    assert all(order["cancelled_at"] is None for order in await orders(""))
    cancelled = await orders("status=cancelled")
    assert cancelled
    assert all(order["cancelled_at"] for order in cancelled)
    one = everything[3]
    assert [order["id"] for order in await orders(f"status=any&name=%23{one['order_number']}")] == [one["id"]]
    assert set((await orders("status=any&fields=id,name"))[0]) == {"id", "name"}
    ids = await orders(f"status=any&ids={everything[0]['id']},{everything[1]['id']}")
    assert {order["id"] for order in ids} == {everything[0]["id"], everything[1]["id"]}


async def test_an_order_its_transactions_and_its_refunds_agree(street: Street) -> None:
    shop = await open_full(street, orders=40)
    answer = await street.client.get(admin(shop, "orders.json?status=any&limit=250"), headers=headers(shop))
    refunded = next(order for order in answer.json()["orders"] if any(r["transactions"] for r in order["refunds"]))
    path = f"orders/{refunded['id']}"
    one = await street.client.get(admin(shop, f"{path}.json"), headers=headers(shop))
    assert one.json()["order"] == refunded
    refunds = (await street.client.get(admin(shop, f"{path}/refunds.json"), headers=headers(shop))).json()["refunds"]
    assert refunds == refunded["refunds"]
    rows = (await street.client.get(admin(shop, f"{path}/transactions.json"), headers=headers(shop))).json()[
        "transactions"
    ]
    inside = {row["id"] for refund in refunds for row in refund["transactions"]}
    assert {row["id"] for row in rows if row["kind"] == "refund"} == inside
    assert (await street.client.get(admin(shop, "orders/1.json"), headers=headers(shop))).status_code == 404


async def test_a_wrong_token_is_refused(street: Street) -> None:
    shop = await open_full(street, orders=2)
    for path in ("orders.json", "shop.json"):
        answer = await street.client.get(admin(shop, path), headers={"X-Shopify-Access-Token": "wrong"})
        assert answer.status_code == 401
    answer = await street.client.post(admin(shop, "graphql.json"), json={"query": "{ shop { name } }"})
    assert answer.status_code == 401


async def test_the_bucket_of_forty_empties_and_refills(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="plus", orders=1)
    answers = [await street.client.get(admin(shop, "shop.json"), headers=headers(shop)) for _ in range(90)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:40] == [200] * 40
    assert 429 in statuses
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert float(refused.headers["Retry-After"]) > 0
    assert answers[0].headers.get("X-Shopify-Shop-Api-Call-Limit", "").endswith("/40")
    import asyncio

    await asyncio.sleep(0.2)
    assert (await street.client.get(admin(shop, "shop.json"), headers=headers(shop))).status_code == 200


async def graphql(street: Street, shop: dict[str, Any], query: str, /, **variables: Any) -> dict[str, Any]:
    answer = await street.client.post(
        admin(shop, "graphql.json"), json={"query": query, "variables": variables}, headers=headers(shop)
    )
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


async def test_graphql_pages_visit_every_changed_order_once(street: Street) -> None:
    shop = await open_full(street, orders=50)
    everything = await graphql(street, shop, LIST, first=60)
    nodes = everything["data"]["orders"]["nodes"]
    since = nodes[20]["updatedAt"]
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await graphql(street, shop, LIST, first=4, after=after, query=f"updated_at:>='{since}'"))["data"][
            "orders"
        ]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [node["id"] for node in seen] == [node["id"] for node in nodes if node["updatedAt"] >= since]
    assert len(nodes) == 50


async def test_graphql_says_the_same_as_rest(street: Street) -> None:
    from decimal import Decimal

    shop = await open_full(street, orders=40, shop="eu")
    rest = (await street.client.get(admin(shop, "orders.json?status=any&limit=250"), headers=headers(shop))).json()[
        "orders"
    ]
    nodes = {
        node["legacyResourceId"]: node
        for node in (await graphql(street, shop, LIST, first=60))["data"]["orders"]["nodes"]
    }
    assert len(rest) == len(nodes) == 40
    for order in rest:
        node = nodes[str(order["id"])]
        money = node["totalPriceSet"]["shopMoney"]
        assert (Decimal(money["amount"]), money["currencyCode"]) == (Decimal(order["total_price"]), order["currency"])
        assert node["displayFinancialStatus"].lower() == order["financial_status"]
        assert (node["id"], node["name"]) == (order["admin_graphql_api_id"], order["name"])


async def test_graphql_prices_a_query_and_throttles_by_points(street: Street) -> None:
    shop = await street.open(kind="shopify", plan="standard", orders=5)
    await street.post(shop, "advance", deliver=False)
    answers = [await graphql(street, shop, LIST, first=60) for _ in range(8)]
    cost = answers[0]["extensions"]["cost"]
    assert cost["requestedQueryCost"] > 60
    assert cost["throttleStatus"]["maximumAvailable"] == 2000
    assert cost["throttleStatus"]["restoreRate"] == 100
    throttled = [answer for answer in answers if "errors" in answer]
    assert throttled
    assert throttled[0]["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in throttled[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ orders(first: 250) { nodes { lineItems(first: 50) { nodes { id } } } } }", "MAX_COST_EXCEEDED"),
        ("{ orders { nodes { id } } }", "BAD_REQUEST"),
        ('{ orders(first: 5, query: "colour:red") { nodes { id } } }', "BAD_REQUEST"),
        ('{ orders(first: 5, after: "nonsense") { nodes { id } } }', "BAD_REQUEST"),
    ],
)
async def test_graphql_refuses_what_shopify_refuses(street: Street, query: str, code: str) -> None:
    shop = await open_full(street, orders=2)
    answer = await graphql(street, shop, query)
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_graphql_finds_one_order_by_id_and_by_name(street: Street) -> None:
    shop = await open_full(street, orders=10)
    one = (await graphql(street, shop, LIST, first=3))["data"]["orders"]["nodes"][1]
    found = await graphql(street, shop, "query($id: ID!) { order(id: $id) { name } }", id=one["id"])
    assert found["data"]["order"]["name"] == one["name"]
    named = await graphql(street, shop, LIST, first=3, query=f"name:{one['name']}")
    assert [node["id"] for node in named["data"]["orders"]["nodes"]] == [one["id"]]
    missing = await graphql(street, shop, '{ order(id: "gid://shopify/Order/1") { name } }')
    assert missing["data"] == {"order": None}


async def test_subscribers_are_told_and_dropped_after_too_many_refusals(street: Street, receiver: Receiver) -> None:
    shop = await street.open(kind="shopify", plan="unlimited", orders=30)
    for topic in ("orders/create", "orders/updated"):
        body = {"webhook": {"topic": topic, "address": receiver.url, "format": "json"}}
        made = await street.client.post(admin(shop, "webhooks.json"), json=body, headers=headers(shop))
        assert made.status_code == 201
        again = await street.client.post(admin(shop, "webhooks.json"), json=body, headers=headers(shop))
        assert again.status_code == 422
    result = await street.post(shop, "advance", snapshots=20)
    assert result["delivered"] == {"200": len(receiver.requests)}
    assert {request[0]["x-shopify-topic"] for request in receiver.requests} <= {"orders/create", "orders/updated"}
    receiver.status = 500
    await street.post(shop, "advance")
    left = (await street.client.get(admin(shop, "webhooks.json"), headers=headers(shop))).json()["webhooks"]
    assert left == []


async def test_a_webhook_can_be_taken_back(street: Street) -> None:
    shop = await street.open(kind="shopify", orders=1)
    body = {"webhook": {"topic": "orders/paid", "address": "http://127.0.0.1:9/hook"}}
    made = (await street.client.post(admin(shop, "webhooks.json"), json=body, headers=headers(shop))).json()["webhook"]
    gone = await street.client.delete(admin(shop, f"webhooks/{made['id']}.json"), headers=headers(shop))
    assert (gone.status_code, gone.json()) == (200, {})
    assert (await street.client.get(admin(shop, "webhooks.json"), headers=headers(shop))).json() == {"webhooks": []}
