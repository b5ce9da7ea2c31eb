"""What the sample shops send satisfies the channels' own published schemas."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.vendor_data import published

from sandbox.shops import SHOPS, ShopLife

pytestmark = pytest.mark.vendor
START = date(2026, 3, 1)
SCHEMAS = {
    "orders/create": "orders_create",
    "orders/updated": "orders_create",
    "orders/paid": "orders_create",
    "orders/cancelled": "orders_create",
    "orders/edited": "orders_edited",
    "refunds/create": "refunds_create",
    "order_transactions/create": "order_transactions_create",
}
NAMELESS = ("customer", "billing_address", "shipping_address", "contact_email")


def vendor_file(path: str) -> Any:
    return json.loads(published(path).read_text())


def without_empty_samples(schema: Any) -> Any:
    """Drop `items: false`. The schemas were inferred from samples, and it only says that a sample's list was empty."""
    if isinstance(schema, dict):
        return {
            key: without_empty_samples(value)
            for key, value in schema.items()
            if not (key == "items" and value is False)
        }
    if isinstance(schema, list):
        return [without_empty_samples(value) for value in schema]
    return schema


def for_walk_ins(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema for an order from the till, which names nobody; no sample shows one, but shops have them."""
    properties = {key: value for key, value in schema["properties"].items() if key not in NAMELESS}
    return {**schema, "properties": properties}


@pytest.mark.parametrize("shop", sorted(SHOPS))
def test_every_shopify_webhook_satisfies_the_schema_of_its_topic(shop: str) -> None:
    validators = {
        topic: Draft202012Validator(without_empty_samples(vendor_file(f"shopify/webhooks/{name}.schema.json")))
        for topic, name in SCHEMAS.items()
    }
    walk_in = Draft202012Validator(
        for_walk_ins(without_empty_samples(vendor_file("shopify/webhooks/orders_create.schema.json")))
    )
    seen: Counter[str] = Counter()
    for event in ShopLife(11, "shopify", shop, START).events(80):
        body = json.loads(event.raw())
        nameless = SCHEMAS[event.topic] == "orders_create" and (
            body["customer"] is None or body["shipping_address"] is None
        )
        (walk_in if nameless else validators[event.topic]).validate(body)
        seen[event.topic] += 1
    assert set(seen) == set(SCHEMAS)


def test_new_orders_satisfy_shopifys_schema_to_the_letter() -> None:
    validator = Draft202012Validator(vendor_file("shopify/webhooks/orders_create.schema.json"))
    stories = ["plain_paid", "coupon", "percent_discount", "tip", "pending_then_paid", "authorized_then_captured"]
    events = list(ShopLife(11, "shopify", "us", START, scenarios=stories).orders(60))
    for event in events:
        validator.validate(json.loads(event.raw()))
    assert len(events) == 60


@pytest.mark.parametrize("shop", sorted(SHOPS))
def test_every_custom_store_order_satisfies_the_contract(shop: str) -> None:
    validator = Draft202012Validator(vendor_file("custom-store/order.schema.json"))
    statuses = set()
    for event in ShopLife(11, "custom", shop, START).events(80):
        validator.validate(json.loads(event.raw()))
        statuses.add(event.body["status"])
    assert {"paid", "pending", "authorized", "partially_refunded", "refunded", "cancelled"} <= statuses


@pytest.mark.parametrize(
    ("sample", "rendered"),
    [
        ("orders.retrieve-an-order", "order"),
        ("order-refunds.retrieve-a-refund", "refund"),
    ],
)
def test_woocommerce_documents_have_every_field_of_the_published_samples_in_the_same_types(
    sample: str, rendered: str
) -> None:
    published = vendor_file(f"woocommerce/fixtures/{sample}.json")
    snapshots = list(ShopLife(11, "woocommerce", "us", START).snapshots(80))
    documents = [s.body for s in snapshots] if rendered == "order" else [row for s in snapshots for row in s.refunds]
    assert documents
    for document in documents:
        check_like(published, json.loads(json.dumps(document)), sample)


def check_like(published: Any, ours: Any, where: str) -> None:
    if isinstance(published, dict):
        assert isinstance(ours, dict), where
        for key, value in published.items():
            assert key in ours, f"{where}.{key} is missing"
            if value is not None and ours[key] is not None:
                check_like(value, ours[key], f"{where}.{key}")
    elif isinstance(published, list):
        assert isinstance(ours, list), where
        if published and not where.endswith("meta_data"):
            for row in ours:
                check_like(published[0], row, f"{where}[]")
    elif isinstance(published, bool) or not isinstance(published, int | float):
        assert type(published) is type(ours), f"{where}: {published!r} against {ours!r}"
    else:
        assert isinstance(ours, int | float), f"{where}: {published!r} against {ours!r}"
