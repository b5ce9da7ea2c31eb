"""What rules name is there on save: their connections, and accounts, classes and so on in a ledger of one of those."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.api.gateway import Gateway, Shop
from tests.integration.api.owners import NO_ACCOUNT


@pytest.fixture(autouse=True)
def ledger(gateway: Gateway) -> Iterator[None]:
    gateway.owners.opens, gateway.owners.classes = {"Assets:PayPal": "Assets", "Income:Web": "Income"}, ("Web:Shop",)
    gateway.owners.opens["Income:Old"], gateway.owners.closed = "Income", ("Income:Old",)
    yield
    gateway.owners.closed = ()
    gateway.owners.opens, gateway.owners.classes = {}, ()


def rule(action: str, value: str, **more: Any) -> dict[str, Any]:
    return {"name": action, "definition": {"action": action, "value": value, **more}}


@pytest.mark.parametrize(
    ("action", "value", "cure"),
    [
        ("map_deposit_account", "Assets:PayPal", None),
        ("map_deposit_account", "assets:undeposited", "the ledger spells it 'Assets:Undeposited'"),
        ("map_deposit_account", "Income:Web", "needs an asset or a liability"),
        ("map_ar_account", "Receivable in Canada", NO_ACCOUNT),
        ("map_income_account", "Income:Old", "no active account of this name"),
        ("map_class", "web:shop", None),
        ("map_line_class", "Market", "no active class of this name"),
        ("map_terms", "NET 30", None),
    ],
)
def test_a_rule_names_what_the_ledger_has(shop: Shop, action: str, value: str, cure: str | None) -> None:
    http = shop.tenant.http
    made = http.post("/v1/rules", json=rule(action, value))
    table = http.put(
        "/v1/rules.csv", content=f"name,action,value\nR,{action},{value}\n", headers={"content-type": "text/csv"}
    )
    if cure is None:
        assert (made.status_code, table.status_code) == (201, 200)
        return
    assert (made.status_code, made.json()["code"]) == (422, "RULE_REFUSED")
    (error,) = made.json()["errors"]
    assert (error["field"], error["value"]) == ("definition.value", value)
    assert cure in error["cure"]
    assert (table.status_code, table.json()["code"]) == (422, "RULE_TABLE_REFUSED")
    (error,) = table.json()["errors"]
    assert (error["field"], error["value"]) == ("rule 'R', value", value)
    saved = http.post("/v1/rules", json=rule(action, value) | {"enabled": False})
    assert saved.status_code == 201, "a rule that is off books nothing"
    changed = http.put(f"/v1/rules/{saved.json()['rule_id']}", json=rule(action, value))
    assert (changed.status_code, changed.json()["code"]) == (422, "RULE_REFUSED")
    backup = http.get(f"/v1/companies/{shop.company_id}/backup").json()
    backup["rules"] = [rule("map_memo", "x"), rule(action, value)]
    restored = http.post(f"/v1/companies/{shop.company_id}/restore", json={"backup": backup})
    assert restored.status_code == 422
    (error,) = restored.json()["errors"]
    assert (error["field"], error["value"]) == ("body.backup.rules.1.definition.value", value)


def test_a_ledger_that_was_not_read_yet_and_a_connection_without_one_refuse_nothing(
    gateway: Gateway, shop: Shop
) -> None:
    http = shop.tenant.http
    other = http.post("/v1/connections", json={"channel": "custom", "name": "New", "secrets": {"push_key": "s3cret"}})
    unset = rule("map_class", "Market", connections=[other.json()["connection_id"]])
    assert http.post("/v1/rules", json=unset).status_code == 201
    held = gateway.owners.companies[shop.company_id]["view"]
    held["lists_read_at"], read_at = None, held["lists_read_at"]
    assert http.post("/v1/rules", json=rule("map_ar_account", "Nowhere")).status_code == 201
    held["lists_read_at"] = read_at
    assert http.post("/v1/rules", json=rule("map_ar_account", "Nowhere")).status_code == 422


TABLE = {"content-type": "text/csv"}


def test_a_rule_is_for_connections_that_are_there(gateway: Gateway, shop: Shop) -> None:
    http, stranger = shop.tenant.http, gateway.shop().connection_id
    made = http.post("/v1/rules", json=rule("map_memo", "x", connections=[shop.connection_id, "nope", stranger]))
    assert (made.status_code, made.json()["code"]) == (422, "RULE_REFUSED")
    wrong = [("definition.connections.1", "nope"), ("definition.connections.2", stranger)]
    assert [(one["field"], one["value"]) for one in made.json()["errors"]] == wrong
    assert "GET /v1/connections" in made.json()["errors"][0]["cure"]
    both = http.post("/v1/rules", json=rule("map_class", "Market", connections=[shop.connection_id, "nope"]))
    assert [one["field"] for one in both.json()["errors"]] == ["definition.connections.1", "definition.value"]
    table = f"name,action,value,connections\nR,map_memo,x,{shop.connection_id} | nope\nS,map_memo,x,all\n"
    imported = http.put("/v1/rules.csv", content=table, headers=TABLE)
    assert (imported.status_code, imported.json()["code"]) == (422, "RULE_TABLE_REFUSED")
    (error,) = imported.json()["errors"]
    assert (error["field"], error["value"]) == ("rule 'R', connections", "nope")
    assert "or `all`" in error["cure"]
    assert http.get("/v1/rules").json()["items"] == []


def test_a_rule_whose_connection_is_gone_can_still_be_changed_and_imported(shop: Shop) -> None:
    http = shop.tenant.http
    limited = rule("map_memo", "x", connections=[shop.connection_id])
    path = f"/v1/rules/{http.post('/v1/rules', json=limited).json()['rule_id']}"
    assert http.delete(f"/v1/connections/{shop.connection_id}").status_code == 204
    table = f"name,action,value,connections\n%s,map_memo,y,{shop.connection_id}\n"
    assert http.put("/v1/rules.csv", content=table % "map_memo", headers=TABLE).status_code == 200
    assert http.put("/v1/rules.csv", content=table % "New", headers=TABLE).status_code == 422
    assert http.put(path, json=limited | {"enabled": False}).status_code == 200
    more = http.put(path, json=rule("map_memo", "x", connections=[shop.connection_id, "nope"]))
    (error,) = more.json()["errors"]
    assert (more.status_code, error["field"]) == (422, "definition.connections.1")
    assert http.put(f"{path}x", json=limited).status_code == 404


def test_a_map_that_is_none_is_refused_with_those_there_are(shop: Shop) -> None:
    http, rows = shop.tenant.http, {"rows": [{"source": "A", "target": "B"}]}
    own = f"/v1/connections/{shop.connection_id}/maps/colours"
    table = http.put("/v1/maps/colours.csv", content="connection_id,source,target\n*,A,B\n", headers=TABLE)
    for answer in (http.get(own), http.put(own, json=rows), http.get("/v1/maps/colours.csv"), table):
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert (error["field"], error["value"]) == ("path.map_name", "colours")
        assert "products" in error["cure"]
    assert http.get(own.replace("colours", "products")).status_code == 200
    assert 'filename="products.csv"' in http.get("/v1/maps/products.csv").headers["content-disposition"]


def test_half_a_character_in_a_rule_is_refused_as_any_other_wrong_text(shop: Shop) -> None:
    body = r'{"name": "Half", "definition": {"action": "map_memo", "value": "\ud83d"}}'
    answer = shop.tenant.http.post("/v1/rules", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == "body.definition"
    assert "both halves of its pair" in error["cure"]


def test_a_restore_goes_on_and_names_the_connections_that_its_rules_are_for_and_that_are_not_here(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}"
    backup = http.get(f"{path}/backup").json()
    backup["rules"] = [rule("map_memo", "x"), rule("add_tag", "x", connections=[shop.connection_id, "elsewhere"])]
    for dry_run in (True, False):
        restored = http.post(f"{path}/restore", json={"backup": backup, "dry_run": dry_run})
        assert restored.status_code == 200, restored.text
        (missing,) = restored.json()["missing"]
        assert (missing["field"], missing["value"]) == ("backup.rules.1.definition.connections.1", "elsewhere")


def test_settings_name_a_class_of_the_ledger_and_items_that_are_active(gateway: Gateway, shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/connections/{shop.connection_id}/settings"
    read = http.get(path)
    tag = {"if-match": read.headers["etag"]}
    gateway.owners.asleep = ("Discount", "Discounts of old")
    try:
        answer = http.put(path, json=read.json() | {"class_name": "Market"}, headers=tag)
        assert answer.status_code == 422
        errors = {error["field"]: error["value"] for error in answer.json()["errors"]}
        assert errors == {"body.class_name": "Market", "body.products.discount_item": "Discount"}
        products = {**read.json().get("products", {}), "discount_item": "Rebate"}
        saved = http.put(path, json=read.json() | {"class_name": "Web:Shop", "products": products}, headers=tag)
        assert saved.status_code == 200, saved.text
    finally:
        gateway.owners.asleep = ()
