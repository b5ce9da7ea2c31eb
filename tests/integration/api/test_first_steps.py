"""What a newcomer meets on the way to the first document: front page, proposals, what is pending, plain refusals."""

import json

import pytest
from tests.integration.api import gateway as running
from tests.integration.api import owners as stand_in
from tests.integration.api.gateway import Gateway, Shop
from tests.integration.api.test_command import parsed, tillbook

from common.messages.documents import DocumentState


def codes(shop: Shop) -> list[str]:
    overview = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/overview").json()
    return [each["code"] for each in overview["attention"]]


def test_the_front_page_leads_to_everything_without_a_key(gateway: Gateway) -> None:
    answer = gateway.client("not-a-key").get("/")
    assert answer.status_code == 200
    links = answer.json()["links"]
    assert gateway.operator.get(links["openapi"]).json()["info"]["title"] == "tillbook"
    paths = gateway.operator.get(links["openapi"]).json()["paths"]
    assert all(path in paths for name, path in links.items() if name not in {"openapi", "documentation"})
    assert gateway.operator.get(links["documentation"]).status_code == 200


def test_the_overview_says_what_is_pending_first_things_first(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False)
    assert codes(shop) == ["SETTINGS_NEEDED"]
    gateway.save_company(shop.tenant, shop.company_id)
    assert codes(shop) == ["FIRST_SYNC_NOT_APPROVED"]
    shown = tillbook(gateway, shop.tenant.key, "status")
    assert "The first sync waits for your approval" in shown.stdout
    approved = parsed(tillbook(gateway, shop.tenant.key, "--json", "approve", "--yes"))
    assert approved["approved_at"]
    assert codes(shop) == []
    shop.tenant.http.post(f"/v1/companies/{shop.company_id}/pause")
    assert codes(shop) == ["COMPANY_PAUSED"]


def test_an_order_of_a_connection_without_settings_says_what_it_waits_for(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False)
    gateway.publish(running.order_listed(shop, "1"))
    order = running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])[0]
    assert (order["column"], order["reason"]["code"]) == ("not_tried", "SETTINGS_NEEDED")
    assert f"PUT /v1/connections/{shop.connection_id}/settings" in order["reason"]["cure"]
    gateway.save_company(shop.tenant, shop.company_id)
    gateway.save_connection(shop.tenant, shop.connection_id, shop.company_id)
    assert shop.tenant.http.get("/v1/orders").json()["items"][0]["reason"] is None


def test_approve_shows_the_preview_and_asks(gateway: Gateway) -> None:
    shop = gateway.shop(approve=False)
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1"))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    held = running.reason("PRODUCT_MISSING", "no item X", "map X")
    gateway.publish(running.document_changed(shop, "1", state=DocumentState.ACTION_REQUIRED, reason=held))
    running.eventually(lambda: shop.tenant.http.get("/v1/documents").json()["items"])
    declined = tillbook(gateway, shop.tenant.key, "approve")
    assert declined.returncode == 1
    assert "PRODUCT_MISSING" in declined.stdout
    assert "map X" in declined.stdout
    assert codes(shop) == ["FIRST_SYNC_NOT_APPROVED"]


def test_the_first_save_without_accounts_takes_what_the_ledger_proposes(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False)
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/settings"
    body = running.company_settings(shop.company_id, accounts={})
    saved = http.put(path, json=body, headers={"if-match": '"0"'})
    assert saved.status_code == 200, saved.text
    assert saved.json()["accounts"] == stand_in.ACCOUNTS
    assert http.get(path).json()["accounts"] == stand_in.ACCOUNTS
    fewer = {**saved.json(), "accounts": {"INC": stand_in.ACCOUNTS["INC"]}}
    again = http.put(path, json=fewer, headers={"if-match": saved.headers["etag"]})
    assert again.json()["accounts"] == {"INC": stand_in.ACCOUNTS["INC"]}


def test_what_the_path_and_the_stored_settings_say_may_be_left_out(shop: Shop) -> None:
    http, company = shop.tenant.http, f"/v1/companies/{shop.company_id}"
    assert http.post(f"{company}/approve").json()["approved_at"]
    before = http.get(f"{company}/settings")
    known = {"company_id", "name", "ledger", "paused", "approved_at"}
    rest = {name: value for name, value in before.json().items() if name not in known}
    saved = http.put(f"{company}/settings", json=rest, headers={"if-match": before.headers["etag"]})
    assert saved.status_code == 200, saved.text
    assert saved.json() == before.json()
    for name, value in {"company_id": "com_other", "ledger": "other", "approved_at": None, "paused": True}.items():
        refused = http.put(
            f"{company}/settings", json={**rest, name: value}, headers={"if-match": saved.headers["etag"]}
        )
        assert refused.status_code == 422, name
        assert [error["field"] for error in refused.json()["errors"]] == [f"body.{name}"]
    connection = f"/v1/connections/{shop.connection_id}"
    before = http.get(f"{connection}/settings")
    rest = {k: v for k, v in before.json().items() if k not in {"connection_id", "channel", "name"}}
    saved = http.put(f"{connection}/settings", json=rest, headers={"if-match": before.headers["etag"]})
    assert saved.status_code == 200, saved.text
    assert saved.json() == before.json()
    lacking = http.put(f"{connection}/settings", json={"mode": "x"}, headers={"if-match": saved.headers["etag"]})
    cures = {error["field"]: error["cure"] for error in lacking.json()["errors"]}
    assert cures["body.company_id"] == cures["body.start_date"] == "fill it in"
    assert cures["body.mode"].startswith("give one of 'none', 'sales_receipts'")


def test_a_star_is_no_version(shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    body = shop.tenant.http.get(path).json()
    refused = shop.tenant.http.put(path, json=body, headers={"if-match": "*"})
    assert (refused.status_code, refused.json()["code"]) == (412, "VERSION_NOT_NAMED")
    assert '"1"' in refused.json()["cure"]


def test_a_version_without_quotes_is_told_to_have_them_and_a_weak_one_is_taken(shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    body = shop.tenant.http.get(path).json()
    bare = shop.tenant.http.put(path, json=body, headers={"if-match": "1"})
    assert (bare.status_code, bare.json()["code"]) == (412, "VERSION_NOT_NAMED")
    assert 'in double quotes; it is "1" now' in bare.json()["cure"]
    outdated = shop.tenant.http.put(path, json=body, headers={"if-match": 'W/"7"'})
    assert (outdated.status_code, outdated.json()["code"]) == (412, "CHANGED_MEANWHILE")
    assert shop.tenant.http.put(path, json=body, headers={"if-match": 'W/"1"'}).status_code == 200


@pytest.mark.parametrize(
    ("body", "place", "cure"),
    [
        (b'{"name": "x",}', "line 1, column 14 (byte 13)", "after the last one stands no comma"),
        (b"{", "line 1, column 2 (byte 1)", "send it whole"),
        (b'{\n"name": "\xfc"}', "line 2, column 10 (byte 11)", "encode the body as UTF-8"),
    ],
)
def test_broken_json_is_called_that_and_the_place_is_named(shop: Shop, body: bytes, place: str, cure: str) -> None:
    answer = shop.tenant.http.post("/v1/connections", content=body, headers={"content-type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "JSON_BROKEN")
    (error,) = problem["errors"]
    assert error["field"] == "body"
    assert error["cure"] == f"{place}: {problem['cure']}"
    assert place in problem["detail"]
    assert cure in problem["cure"]


def test_the_document_tells_what_a_newcomer_has_to_fill_in(gateway: Gateway) -> None:
    document = gateway.operator.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name in ("ConnectionSettingsBody", "CompanySettingsBody", "ProductSettings", "TaxSettings", "PayoutSettings"):
        bare = [field for field, shape in schemas[name]["properties"].items() if not shape.get("description")]
        assert bare == [], name
    assert schemas["ConnectionCreate"]["properties"]["config"]["examples"] == [{"shop_domain": "example.myshopify.com"}]
    puts = [path["put"] for path in document["paths"].values() if "put" in path]
    guarded = [each for put in puts for each in put.get("parameters", []) if each["name"] == "If-Match"]
    assert guarded
    assert all(each["required"] for each in guarded)


def test_the_shape_of_pushed_orders_is_published(shop: Shop) -> None:
    contract = shop.tenant.http.get("/v1/channels/custom/push").json()
    assert contract["channel"] == "custom"
    assert json.dumps(contract["document"])
    assert shop.tenant.http.get("/v1/channels/..%2fx/push").status_code == 404
