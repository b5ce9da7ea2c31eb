"""Every order, refund and transaction payload the vendors published, signed, verified and normalised.

The table in this test's output says which becomes an order and which is refused, with the reason a bookkeeper reads.
"""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from tests.connectors.conftest import LOGINS, NOW, SECRET, Shelf, account
from tests.vendor_data import FOLDER, needs

from common.messages.orders import Order
from ingest.channels import BY_NAME
from ingest.errors import IncompleteOrder, NormalizationError, OutOfScope
from ingest.parts import Part, PartKind, Source
from ingest.signatures import moment
from sandbox.shops.signatures import mac_base64

pytestmark = [pytest.mark.vendor, needs("shopify", "woocommerce")]

EXPECTED: dict[str, str] = {
    "Shopify webhooks/order_transactions_create": "DETAILS_MISSING",
    "Shopify webhooks/order_transactions_create after its live order": "order",
    "Shopify webhooks/orders_cancelled": "TEST_ORDER",
    "Shopify webhooks/orders_cancelled as a live order": "order",
    "Shopify webhooks/orders_create": "TEST_ORDER",
    "Shopify webhooks/orders_create as a live order": "order",
    "Shopify webhooks/orders_delete": "ORDER_DELETED",
    "Shopify webhooks/orders_edited": "DETAILS_MISSING",
    "Shopify webhooks/orders_edited after its live order": "order",
    "Shopify webhooks/orders_paid as a live order": "order",
    "Shopify webhooks/orders_updated as a live order": "order",
    "Shopify webhooks/refunds_create": "DETAILS_MISSING",
    "Shopify webhooks/refunds_create after its live order": "TOTALS_MISMATCH",
    "Shopify webhooks/tender_transactions_create": "ignored",
    "Shopify fixtures/order": "TOTALS_MISMATCH",
    "Shopify fixtures/orders[0]": "UNREADABLE_ORDER",
    "Shopify fixtures/refund": "DETAILS_MISSING",
    "Shopify fixtures/refund after fixtures/order": "DETAILS_MISSING",
    "WooCommerce fixtures/orders.create-an-order[0]": "order",
    "WooCommerce fixtures/orders.list-all-orders[0]": "order",
    "WooCommerce fixtures/orders.list-all-orders[1]": "DETAILS_MISSING",
    "WooCommerce fixtures/orders.list-all-orders[1] with fetched refunds": "order",
    "WooCommerce fixtures/orders.update-an-order[0]": "order",
}
"""Payload → `order`, or the code of the reason why it is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One payload and what became of it."""

    source: str
    outcome: str
    detail: str

    def __str__(self) -> str:
        return f"{self.source:<62} {self.outcome:<22} {self.detail}"


def load(path: str) -> Any:
    return orjson.loads((FOLDER / path).read_bytes())


def shopify(topic: str, *bodies: dict[str, Any]) -> Shelf:
    """Bodies delivered as signed webhooks, in sequence."""
    channel = BY_NAME["shopify"]
    shelf = Shelf(channel, account("America/New_York", fetches=False))
    for number, body in enumerate(bodies):
        name = topic if number == len(bodies) - 1 else "orders/updated"
        raw = orjson.dumps(body)
        headers = {"x-shopify-topic": name, "x-shopify-hmac-sha256": mac_base64(raw, SECRET)}
        channel.verify(headers, raw, channel.credentials.model_validate(LOGINS["shopify"]), NOW)
        shelf.take(channel.parse(headers, raw).parts)
    return shelf


def woocommerce(body: dict[str, Any], refunds: list[dict[str, Any]]) -> Shelf:
    channel = BY_NAME["woocommerce"]
    shelf = Shelf(channel, account("America/Sao_Paulo", fetches=False))
    if refunds:
        part_id = str(body["id"])
        shelf.take([Part(PartKind.REFUNDS, part_id, orjson.dumps(refunds), moment(None), source=Source.API)])
    raw = orjson.dumps(body)
    headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-signature": mac_base64(raw, SECRET)}
    channel.verify(headers, raw, channel.credentials.model_validate(LOGINS["woocommerce"]), NOW)
    shelf.take(channel.parse(headers, raw).parts)
    return shelf


def row(source: str, shelf: Shelf) -> Row:
    if not shelf.outcomes:
        return Row(source, "ignored", "says nothing about an order's money")
    match next(iter(shelf.outcomes.values())):
        case Order() as order:
            paid = sum(tender.amount for tender in order.tenders)
            back = sum(item.amount for refund in order.refunds for item in refund.transactions)
            return Row(source, "order", f"{order.number}: {order.total} {order.currency}, paid {paid}, returned {back}")
        case OutOfScope() | NormalizationError() as error:
            return Row(source, error.reason.code, error.reason.text)
        case IncompleteOrder() as error:
            return Row(source, error.refused().code, error.refused().text)
        case other:
            raise AssertionError(f"{source}: {other!r}")


def live(body: dict[str, Any]) -> dict[str, Any]:
    """The same payload as a shop would send it: Shopify marks its samples as tests."""
    return {**body, "test": False}


def shopify_rows() -> list[Row]:
    rows = []
    sent = {path.stem: orjson.loads(path.read_bytes()) for path in sorted((FOLDER / "shopify/webhooks").glob("*.json"))}
    hooks = {name: hook for name, hook in sent.items() if isinstance(hook, dict) and "payload" in hook}
    order = hooks["orders_updated"]["payload"]
    for name, hook in hooks.items():
        topic, payload = hook["topic"], hook["payload"]
        if not topic.startswith(("orders/", "refunds/", "order_transactions/", "tender_transactions/")):
            continue
        rows.append(row(f"webhooks/{name}", shopify(topic, payload)))
        if topic in {"orders/create", "orders/updated", "orders/paid", "orders/cancelled"}:
            rows.append(row(f"webhooks/{name} as a live order", shopify(topic, live(payload))))
        elif topic.startswith(("refunds/", "order_transactions/", "orders/edited")):
            rows.append(row(f"webhooks/{name} after its live order", shopify(topic, live(order), payload)))
    single = load("shopify/fixtures/order.json")["order"]
    refund = load("shopify/fixtures/refund.json")["refund"]
    rows.append(row("fixtures/order", shopify("orders/create", single)))
    rows += [
        row(f"fixtures/orders[{n}]", shopify("orders/create", body))
        for n, body in enumerate(load("shopify/fixtures/orders.json")["orders"])
    ]
    rows.append(row("fixtures/refund", shopify("refunds/create", refund)))
    rows.append(row("fixtures/refund after fixtures/order", shopify("refunds/create", single, refund)))
    transaction = load("shopify/fixtures/transaction.json")["transaction"]
    rows.append(row("fixtures/transaction", shopify("order_transactions/create", transaction)))
    for number, body in enumerate(load("shopify/fixtures/transactions.json")):
        rows.append(
            row(
                f"fixtures/transactions[{number}] after fixtures/order",
                shopify("order_transactions/create", single, body),
            )
        )
    return rows


def woocommerce_rows() -> list[Row]:
    folder = FOLDER / "woocommerce/fixtures"
    refunds = orjson.loads((folder / "order-refunds.list-all-refunds.json").read_bytes())
    rows = []
    for path in sorted(folder.glob("orders.*.json")):
        content = orjson.loads(path.read_bytes())
        for number, body in enumerate(content if isinstance(content, list) else [content]):
            source = f"fixtures/{path.stem}[{number}]"
            rows.append(row(source, woocommerce(body, [])))
            if body.get("refunds"):
                rows.append(row(f"{source} with fetched refunds", woocommerce(body, refunds)))
    return rows


def test_every_published_payload_becomes_an_order_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    tables = {"Shopify": shopify_rows(), "WooCommerce": woocommerce_rows()}
    with capsys.disabled():
        for name, rows in tables.items():
            print(f"\n\n{name}: {len(rows)} payloads\n" + "\n".join(map(str, rows)))
    outcomes = {f"{name} {item.source}": item.outcome for name, rows in tables.items() for item in rows}
    for source, outcome in EXPECTED.items():
        assert outcomes[source] == outcome, source
    assert set(outcomes.values()) <= {*EXPECTED.values()}
