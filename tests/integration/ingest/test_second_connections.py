"""One shop is one connection of a tenant, whatever way its name is written and however it comes to be named."""

import asyncio

import pytest
from tests.integration.ingest.conftest import SECRET, Ingest

LOGIN = {"webhook_secret": SECRET}
SHOPIFY = ("shopify", "shop_domain", "harbour-pine.myshopify.com")
WOOCOMMERCE = ("woocommerce", "store_url", "https://harbour.example/shop")


@pytest.mark.parametrize(
    ("shop", "again", "status"),
    [
        (SHOPIFY, "harbour-pine.myshopify.com", 409),
        (SHOPIFY, "Harbour-Pine.MyShopify.com", 409),
        (SHOPIFY, "harbour-pine-2.myshopify.com", 201),
        (WOOCOMMERCE, "http://www.Harbour.example/shop/", 409),
        (WOOCOMMERCE, "https://harbour.example:443/shop", 409),
        (WOOCOMMERCE, "https://harbour.example/other-shop", 201),
        (WOOCOMMERCE, "https://harbour.example", 201),
    ],
)
async def test_a_second_connection_to_one_shop_is_refused_by_the_name_of_the_first(
    ingest: Ingest, shop: tuple[str, str, str], again: str, status: int
) -> None:
    channel, field, name = shop
    assert (await ingest.connect("first", channel, **LOGIN, **{field: name})).status_code == 201
    second = await ingest.connect("second", channel, **LOGIN, **{field: again})
    assert second.status_code == status, second.text
    known = await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM connections")
    assert known == (1 if status == 409 else 2)
    if status == 409:
        problem = second.json()
        assert problem["code"] == "SHOP_CONNECTED_ALREADY"
        assert "'Shop first' (first)" in problem["detail"]
        assert "delete it first" in problem["cure"]
        assert (problem["errors"][0]["field"], problem["errors"][0]["value"]) == (f"body.config.{field}", again)


async def test_another_tenant_or_the_first_ones_end_frees_the_shop_and_asking_again_is_no_second(
    ingest: Ingest,
) -> None:
    channel, field, name = SHOPIFY
    login = {**LOGIN, field: name}
    assert (await ingest.connect("first", channel, **login)).status_code == 201
    assert (await ingest.connect("first", channel, **login)).status_code == 200
    assert (await ingest.connect("theirs", channel, tenant="agency", **login)).status_code == 201
    assert (await ingest.connect("second", channel, **login)).status_code == 409
    gone = await ingest.http.delete("/internal/connections/first", params={"tenant_id": "tenant"})
    assert gone.status_code == 204
    assert (await ingest.connect("second", channel, **login)).status_code == 201


async def test_new_credentials_cant_lead_to_a_shop_that_is_connected(ingest: Ingest) -> None:
    channel, field, name = SHOPIFY
    await ingest.connect("first", channel, **LOGIN, **{field: name})
    await ingest.connect("second", channel, **LOGIN, **{field: "other.myshopify.com"})

    async def put(connection_id: str, config: dict[str, str]) -> int:
        body = {"tenant_id": "tenant", "config": config, "secrets": {"webhook_secret": "rotated-secret-of-it"}}
        answer = await ingest.http.put(f"/internal/connections/{connection_id}/credentials", json=body)
        return answer.status_code

    assert await put("second", {field: name}) == 409
    kept = await ingest.http.get("/internal/connections/second", params={"tenant_id": "tenant"})
    assert kept.json()["config"][field] == "other.myshopify.com"
    assert await put("first", {}) == 200
    assert await put("first", {field: name.upper()}) == 200
    assert await put("second", {field: "third.myshopify.com"}) == 200
    assert await put("first", {field: "other.myshopify.com"}) == 200


async def test_of_two_connections_made_at_once_one_is_refused(ingest: Ingest) -> None:
    channel, field, name = SHOPIFY
    made = await asyncio.gather(*(ingest.connect(f"con-{n}", channel, **LOGIN, **{field: name}) for n in range(6)))
    assert sorted(answer.status_code for answer in made) == [201, 409, 409, 409, 409, 409]
