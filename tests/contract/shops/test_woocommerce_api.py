"""The WooCommerce stand-in pages, filters and refuses as WooCommerce's documentation says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.shops.conftest import Receiver, Street


async def open_full(street: Street, orders: int = 30) -> dict[str, Any]:
    shop = await street.open(kind="woocommerce", orders=orders)
    await street.post(shop, "advance", deliver=False)
    return shop


def pair(shop: dict[str, Any]) -> tuple[str, str]:
    return shop["key"], shop["secret"]


async def test_pages_have_totals_and_links_and_visit_every_order_once(street: Street) -> None:
    shop = await open_full(street)
    url: str | None = f"{shop['base_url']}/orders?orderby=modified&order=asc&per_page=8"
    seen: list[dict[str, Any]] = []
    while url:
        answer = await street.client.get(url, auth=pair(shop))
        assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("30", "4")
        seen += answer.json()
        found = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        url = found.group(1) if found else None
    assert len({order["id"] for order in seen}) == len(seen) == 30
    assert [order["date_modified_gmt"] for order in seen] == sorted(order["date_modified_gmt"] for order in seen)


async def test_modified_bounds_are_read_in_gmt_or_in_the_sites_own_time(street: Street) -> None:
    shop = await open_full(street)
    url = f"{shop['base_url']}/orders"
    everything = (await street.client.get(url, params={"per_page": 100}, auth=pair(shop))).json()
    bound = sorted(everything, key=lambda order: order["date_modified_gmt"])[15]
    gmt = {"modified_after": bound["date_modified_gmt"], "dates_are_gmt": "true", "per_page": 100}
    local = {"modified_after": bound["date_modified"], "per_page": 100}
    expected = {o["id"] for o in everything if o["date_modified_gmt"] > bound["date_modified_gmt"]}
    for params in (gmt, local):
        rows = (await street.client.get(url, params=params, auth=pair(shop))).json()
        assert {row["id"] for row in rows} == expected
    assert bound["date_modified"] != bound["date_modified_gmt"]


async def test_keys_go_in_the_header_or_in_the_query_and_wrong_ones_nowhere(street: Street) -> None:
    shop = await open_full(street, 2)
    url = f"{shop['base_url']}/orders"
    by_query = {"consumer_key": shop["key"], "consumer_secret": shop["secret"]}
    assert (await street.client.get(url, params=by_query)).status_code == 200
    for auth, params in ((None, {}), ((shop["key"], "no"), {}), (None, {**by_query, "consumer_secret": "no"})):
        refused = await street.client.get(url, params=params, auth=auth)
        assert refused.status_code == 401
        assert refused.json()["data"] == {"status": 401}


async def test_orders_are_found_by_number_and_the_currency_is_told(street: Street) -> None:
    shop = await open_full(street)
    found = (await street.client.get(f"{shop['base_url']}/orders?search=1007", auth=pair(shop))).json()
    assert [order["number"] for order in found] == ["1007"]
    current = await street.client.get(f"{shop['base_url']}/data/currencies/current", auth=pair(shop))
    assert current.json()["code"] == found[0]["currency"] == "USD"


async def test_refunds_are_listed_with_their_lines(street: Street) -> None:
    shop = await open_full(street)
    orders = (await street.client.get(f"{shop['base_url']}/orders?per_page=100", auth=pair(shop))).json()
    refunded = next(order for order in orders if order["refunds"] and order["status"] != "refunded")
    rows = (await street.client.get(f"{shop['base_url']}/orders/{refunded['id']}/refunds", auth=pair(shop))).json()
    assert {(row["id"], f"-{row['amount']}") for row in rows} == {(r["id"], r["total"]) for r in refunded["refunds"]}
    lines = {line["id"] for line in refunded["line_items"]}
    for row in rows:
        for line in row["line_items"]:
            assert line["quantity"] < 0
            assert {int(m["value"]) for m in line["meta_data"] if m["key"] == "_refunded_item_id"} <= lines
        one = await street.client.get(
            f"{shop['base_url']}/orders/{refunded['id']}/refunds/{row['id']}", auth=pair(shop)
        )
        assert one.json() == row


@pytest.mark.parametrize("query", ["per_page=101", "page=0", "orderby=colour", "modified_after=yesterday"])
async def test_bad_parameters_are_named(street: Street, query: str) -> None:
    shop = await open_full(street, 1)
    answer = await street.client.get(f"{shop['base_url']}/orders?{query}", auth=pair(shop))
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_invalid_param",
        "message": f"Invalid parameter(s): {query.split('=', maxsplit=1)[0]}",
        "data": {"status": 400},
    }


async def test_webhooks_are_registered_disabled_after_five_refusals_and_switched_on_again(
    street: Street, receiver: Receiver
) -> None:
    shop = await street.open(kind="woocommerce", orders=30)
    url = f"{shop['base_url']}/webhooks"
    given = {"name": "Orders", "topic": "order.created", "delivery_url": receiver.url, "secret": "their own"}
    made = (await street.client.post(url, json=given, auth=pair(shop))).json()
    assert (made["status"], made["topic"]) == ("active", "order.created")
    receiver.status = 500
    await street.post(shop, "advance", snapshots=20)
    assert len(receiver.requests) >= 5
    row = (await street.client.get(f"{url}/{made['id']}", auth=pair(shop))).json()
    assert row["status"] == "disabled"
    again = await street.client.put(f"{url}/{made['id']}", json={"status": "active"}, auth=pair(shop))
    assert again.json()["status"] == "active"
    await street.client.delete(f"{url}/{made['id']}", params={"force": "true"}, auth=pair(shop))
    assert (await street.client.get(url, auth=pair(shop))).json() == []
