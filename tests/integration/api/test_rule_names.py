"""Rules name accounts, classes and so on: each must be in the ledger of one of the rule's connections on save."""

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
    assert (error["field"], error["value"]) == ("body.definition.value", value)
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
    unknown = rule("map_class", "Market", connections=["gone"])
    assert http.post("/v1/rules", json=unknown).status_code == 201
    held = gateway.owners.companies[shop.company_id]["view"]
    held["lists_read_at"], read_at = None, held["lists_read_at"]
    assert http.post("/v1/rules", json=rule("map_ar_account", "Nowhere")).status_code == 201
    held["lists_read_at"] = read_at
    assert http.post("/v1/rules", json=rule("map_ar_account", "Nowhere")).status_code == 422


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
