"""The custom store answers both pull contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.shops.conftest import Street


async def open_full(street: Street) -> dict[str, Any]:
    shop = await street.open(kind="custom", orders=40)
    await street.post(shop, "advance", deliver=False)
    return shop


async def test_the_native_list_is_walked_by_cursor_from_oldest_change_to_newest(street: Street) -> None:
    shop = await open_full(street)
    params: dict[str, Any] = {"limit": 6}
    seen: list[dict[str, Any]] = []
    while True:
        answer = await street.client.get(
            f"{shop['base_url']}/orders", params=params, auth=(shop["key"], shop["secret"])
        )
        seen += answer.json()["orders"]
        if answer.json()["next_cursor"] is None:
            break
        params["cursor"] = answer.json()["next_cursor"]
    assert len({order["external_id"] for order in seen}) == len(seen) == 40
    assert [order["updated_at"] for order in seen] == sorted(order["updated_at"] for order in seen)
    later = await street.client.get(
        f"{shop['base_url']}/orders",
        params={"updated_after": seen[30]["updated_at"]},
        headers={"Authorization": f"Bearer {shop['token']}"},
    )
    assert [order["external_id"] for order in later.json()["orders"]] == [order["external_id"] for order in seen[31:]]


async def test_the_older_envelope_holds_orders_refunds_and_payments(street: Street) -> None:
    shop = await open_full(street)
    auth = (shop["key"], shop["secret"])
    assert (await street.client.get(f"{shop['base_url']}/authenticatetowebservice", auth=auth)).json() == "OK"
    params = {"date_modified_min": "2026-01-01T00:00:00Z", "date_modified_max": "2027-01-01T00:00:00Z"}
    envelope = (await street.client.get(f"{shop['base_url']}/orders", params=params, auth=auth)).json()
    assert len(envelope["orders"]) == 40
    assert envelope["purchases"] == []
    expected = (await street.client.get(f"{street.url}/_sandbox/shops/{shop['name']}/expectation")).json()["totals"]
    for name, key, total in (
        ("orders", "total", "total"),
        ("payments", "paymentAmount", "paid"),
        ("cancelledOrders", "total", "refunded"),
    ):
        assert sum((Decimal(str(row[key])) for row in envelope[name]), Decimal(0)) == Decimal(expected[total])
    numbers = {order["orderNumber"] for order in envelope["orders"]}
    assert {row["parentOrderNumber"] for row in envelope["cancelledOrders"]} <= numbers
    assert {row["orderNumber"] for row in envelope["payments"]} <= numbers
    one = (await street.client.get(f"{shop['base_url']}/orders?orderNumber=1003", auth=auth)).json()
    assert [order["orderNumber"] for order in one["orders"]] == ["1003"]
    paid = (
        await street.client.get(f"{shop['base_url']}/orders", params={**params, "orderStatus": "paid"}, auth=auth)
    ).json()
    assert {order["orderStatus"] for order in paid["orders"]} == {"paid"}


async def test_the_native_list_finds_an_order_by_number_and_by_id(street: Street) -> None:
    shop = await open_full(street)
    auth = (shop["key"], shop["secret"])
    listed = (await street.client.get(f"{shop['base_url']}/orders?order_number=1005", auth=auth)).json()["orders"]
    assert [order["order_number"] for order in listed] == ["1005"]
    one = await street.client.get(f"{shop['base_url']}/orders/{listed[0]['external_id']}", auth=auth)
    assert one.json() == listed[0]
    assert (await street.client.get(f"{shop['base_url']}/orders/1", auth=auth)).status_code == 404


async def test_wrong_passwords_and_cursors_are_refused(street: Street) -> None:
    shop = await open_full(street)
    for path in ("orders", "authenticatetowebservice"):
        assert (await street.client.get(f"{shop['base_url']}/{path}", auth=(shop["key"], "no"))).status_code == 401
    bad = await street.client.get(f"{shop['base_url']}/orders?cursor=!", auth=(shop["key"], shop["secret"]))
    assert bad.status_code == 400
    assert "cursor" in bad.json()["error"]


async def test_what_a_store_bought_is_listed_at_both_of_its_addresses(street: Street) -> None:
    shop = await open_full(street)
    auth = (shop["key"], shop["secret"])
    address = f"{street.url}/_sandbox/shops/{shop['name']}/purchases"
    rows = [
        {"orderNumber": "PO-1", "creationDate": "2026-03-02T10:00:00Z", "orderStatus": "Ordered", "storeName": "A"},
        {"orderNumber": "PO-2", "creationDate": "2026-03-03T10:00:00Z", "modifiedDate": "2026-03-05T10:00:00Z"},
    ]
    assert (await street.client.put(address, json=rows)).json() == {"purchases": 2}
    assert (await street.client.put(address, json=[{"orderNumber": "PO-3"}])).status_code == 400

    async def bought(path: str = "purchaseorders", **params: str) -> list[str]:
        answer = await street.client.get(f"{shop['base_url']}/{path}", params=params, auth=auth)
        return [row["orderNumber"] for row in answer.json()["purchases"]]

    by_creation = {"date_created_min": "2026-03-03T00:00:00Z", "date_created_max": "2026-03-04T00:00:00Z"}
    by_change = {"date_modified_min": "2026-03-04T00:00:00Z", "date_modified_max": "2026-03-06T00:00:00Z"}
    for path in ("purchaseorders", "orders"):
        assert await bought(path, **by_creation) == ["PO-2"]
        assert await bought(path, **by_change) == ["PO-2"]
        assert await bought(path, orderNumber="PO-1") == ["PO-1"]
    assert await bought() == ["PO-1", "PO-2"]
    assert await bought(orderStatus="ordered") == ["PO-1"]
    assert await bought(storeName="A") == ["PO-1"]
    assert (await street.client.put(address, json=[rows[0] | {"orderStatus": "cancelled"}])).json() == {"purchases": 2}
    assert await bought(orderStatus="cancelled") == ["PO-1"]
    wrong = await street.client.get(f"{shop['base_url']}/purchaseorders?date_created_min=soon", auth=auth)
    assert wrong.status_code == 400
