"""What the vendors published of Shopify and WooCommerce, file by file, and what must become of each payload.

Expected outcomes are reasoned from the payload itself, never from what the product did with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

import orjson
from tests.vendor_data import FOLDER

from sandbox.shops.shop import Kind

VENDORS = ("shopify", "woocommerce")
Json = dict[str, Any]

PAYLOADS = {
    "shopify/webhooks/orders_create.json": "an order, as a webhook",
    "shopify/webhooks/orders_cancelled.json": "an order, as a webhook",
    "shopify/webhooks/orders_paid.json": "an order, as a webhook",
    "shopify/webhooks/orders_updated.json": "an order, as a webhook",
    "shopify/webhooks/orders_edited.json": "the difference an edit made to an order",
    "shopify/webhooks/orders_delete.json": "the end of an order",
    "shopify/webhooks/refunds_create.json": "a refund",
    "shopify/webhooks/order_transactions_create.json": "a transaction of an order",
    "shopify/webhooks/tender_transactions_create.json": "a transaction, told once more as a tender",
    "shopify/fixtures/order.json": "an order",
    "shopify/fixtures/orders.json": "a list of orders",
    "shopify/fixtures/refund.json": "a refund",
    "shopify/fixtures/transaction.json": "a transaction of an order",
    "shopify/fixtures/transactions.json": "a list of transactions of an order",
    "shopify/fixtures/tender_transactions.json": "transactions, told once more as tenders",
    "shopify/fixtures/draft_order.json": "a draft of an order",
    "shopify/fixtures/draft_order_completed.json": "a draft that became an order",
    "woocommerce/fixtures/orders.*.json": "orders",
    "woocommerce/fixtures/order-refunds.*.json": "refunds of an order",
}
"""Files that hold orders, refunds or transactions."""

NOT_PAYLOADS = {
    "shopify/webhooks/*.schema.json": "describes a payload and is none",
    "shopify/webhooks/app_uninstalled.json": "the app was removed from the shop",
    "shopify/webhooks/customers_update.json": "a customer",
    "shopify/webhooks/disputes_*.json": "a claim against a payment; money moves with the payout",
    "shopify/webhooks/returns_*.json": "goods on their way back; the refund says what is paid for them",
    "shopify/fixtures/balance.json": "what the processor still holds",
    "shopify/fixtures/checkouts.json": "a basket that was never ordered",
    "shopify/fixtures/currencies.json": "settings",
    "shopify/fixtures/customer.json": "a customer",
    "shopify/fixtures/discount_code.json": "an offer",
    "shopify/fixtures/dispute*.json": "a claim against a payment; money moves with the payout",
    "shopify/fixtures/fulfillment.json": "a parcel",
    "shopify/fixtures/gift_card*.json": "a gift card's balance; its sale and use are in orders",
    "shopify/fixtures/location*.json": "a place",
    "shopify/fixtures/order_risks.json": "an opinion about an order",
    "shopify/fixtures/payout*.json": "transfers to the bank and the processor's own lines in them",
    "shopify/fixtures/price_rule.json": "an offer",
    "shopify/fixtures/product.json": "a product",
    "shopify/fixtures/refund_calculate.json": "what a refund would be; its transaction is a suggestion and has no id",
    "shopify/fixtures/shop.json": "the shop",
    "shopify/fixtures/variant.json": "a product",
    "woocommerce/fixtures/coupons.*": "an offer",
    "woocommerce/fixtures/customers.*": "a customer",
    "woocommerce/fixtures/data.*": "settings",
    "woocommerce/fixtures/order-notes.*": "remarks on an order",
    "woocommerce/fixtures/payment-gateways.*": "settings",
    "woocommerce/fixtures/product*": "a product",
    "woocommerce/fixtures/setting*": "settings",
    "woocommerce/fixtures/taxes.*": "settings",
    "woocommerce/fixtures/webhooks.*": "subscriptions",
}
"""Files that hold none, and what they hold instead."""

PARTIAL = "alone it does not say what was sold; a connection without access to the API can't ask"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed webhook."""

    topic: str
    body: Json


@dataclass(frozen=True, slots=True)
class Case:
    """Payloads of one connection, sent one after the other, and what must come of them.

    `documents`: (kind, amount) of all that must be in the ledger. `code` and `words`: the reason that must be shown.
    `listed` is False where nothing at all may appear. `fetches`: the shop answers from the vendor's own files.
    """

    name: str
    files: tuple[str, ...]
    channel: Kind
    deliveries: tuple[Delivery, ...]
    why: str
    documents: tuple[tuple[str, str], ...] = ()
    code: str = ""
    words: tuple[str, ...] = ()
    listed: bool = True
    fetches: bool = False
    total: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order_id(self) -> str:
        body = self.deliveries[0].body
        return str(body.get("order_id") or body.get("order_edit", {}).get("order_id") or body["id"])


def read(path: str) -> Any:
    return orjson.loads((FOLDER / path).read_bytes())


def classified() -> Iterator[tuple[str, list[str]]]:
    """Every file of both vendors with what it is said to be. Exactly one thing, or the tables above are wrong."""
    tables = {**PAYLOADS, **NOT_PAYLOADS}
    for vendor in VENDORS:
        for path in sorted((FOLDER / vendor).glob("*/*.json")):
            name = path.relative_to(FOLDER).as_posix()
            yield name, [what for pattern, what in tables.items() if fnmatch(name, pattern)]


def cases() -> list[Case]:
    return [*_shopify_webhooks(), *_shopify_fixtures(), *_woocommerce()]


def _hook(name: str, **changes: Any) -> Delivery:
    content = read(f"shopify/webhooks/{name}.json")
    return Delivery(content["topic"], {**content["payload"], **changes})


SOLD = {"test": False, "cancelled_at": None, "cancel_reason": None, "financial_status": "paid"}
"""Shopify marks its samples as cancelled test orders. With these fields they are a sale like any other."""


def _shopify_webhooks() -> Iterator[Case]:
    folder = "shopify/webhooks"
    for name in ("orders_create", "orders_updated", "orders_paid", "orders_cancelled"):
        file = f"{folder}/{name}.json"
        yield Case(
            name, (file,), "shopify", (_hook(name),), "it says test: true, and test orders never sync",
            code="TEST_ORDER",
        )  # fmt: skip
        yield Case(
            f"{name}, not a test", (file,), "shopify", (_hook(name, test=False),),
            "cancelled before anything was paid or booked: there is nothing to write", code="NOT_NEEDED",
            changed={"test": False},
        )  # fmt: skip
        yield Case(
            f"{name}, sold", (file,), "shopify", (_hook(name, **SOLD),),
            "lines 414.95 + shipping 10.00 - discounts 20.00 = 404.95, all paid",
            documents=(("invoice", "404.95"), ("payment", "404.95")), total="404.95", changed=SOLD,
        )  # fmt: skip
    yield Case(
        "orders_delete", (f"{folder}/orders_delete.json",), "shopify", (_hook("orders_delete"),),
        "deleted before it was ever seen", code="ORDER_DELETED",
    )  # fmt: skip
    yield Case(
        "orders_edited", (f"{folder}/orders_edited.json",), "shopify", (_hook("orders_edited"),), PARTIAL,
        code="DETAILS_MISSING",
    )  # fmt: skip
    sale = _hook("orders_updated", **SOLD)
    yield Case(
        "orders_edited after its sale", (f"{folder}/orders_edited.json",), "shopify", (sale, _hook("orders_edited")),
        "the order was sent as it is after the edit: its own lines count, not the difference",
        documents=(("invoice", "404.95"), ("payment", "404.95")), total="404.95", changed=SOLD,
    )  # fmt: skip
    transaction = f"{folder}/order_transactions_create.json"
    yield Case(
        "order_transactions_create", (transaction,), "shopify", (_hook("order_transactions_create"),), PARTIAL,
        code="DETAILS_MISSING",
    )  # fmt: skip
    reserved = {**SOLD, "financial_status": "authorized"}
    yield Case(
        "order_transactions_create after its order", (transaction,), "shopify",
        (_hook("orders_create", **reserved), _hook("order_transactions_create")),
        "419.95 were authorised, and an authorisation is no payment: the invoice stays open",
        documents=(("invoice", "404.95"),), total="404.95", changed=reserved,
    )  # fmt: skip
    refund = f"{folder}/refunds_create.json"
    yield Case("refunds_create", (refund,), "shopify", (_hook("refunds_create"),), PARTIAL, code="DETAILS_MISSING")
    yield Case(
        "refunds_create after its sale", (refund,), "shopify", (sale, _hook("refunds_create")),
        "goods of 414.95 came back and 85.00 were returned, with nothing that says why: never a guess",
        documents=(("invoice", "404.95"), ("payment", "404.95")), total="404.95",
        code="TOTALS_MISMATCH", words=("85.00", "414.95"), changed=SOLD,
    )  # fmt: skip
    yield Case(
        "tender_transactions_create", (f"{folder}/tender_transactions_create.json",), "shopify",
        (_hook("tender_transactions_create"),), "order_transactions say the same with more detail", listed=False,
    )  # fmt: skip


def _shopify_fixtures() -> Iterator[Case]:
    folder = "shopify/fixtures"
    order = read(f"{folder}/order.json")["order"]
    created = Delivery("orders/create", order)
    yield Case(
        "order", (f"{folder}/order.json",), "shopify", (created,),
        "3 x 199.00 + tax 11.94 = 608.94 and the total says 409.94", code="TOTALS_MISMATCH",
        words=("409.94", "608.94"),
    )  # fmt: skip
    for number, row in enumerate(read(f"{folder}/orders.json")["orders"]):
        yield Case(
            f"orders[{number}]", (f"{folder}/orders.json",), "shopify", (Delivery("orders/create", row),),
            "it has no line_items: nobody can say what was sold", code="UNREADABLE_ORDER", words=("line_items",),
        )  # fmt: skip
    refund = Delivery("refunds/create", read(f"{folder}/refund.json")["refund"])
    yield Case("refund", (f"{folder}/refund.json",), "shopify", (refund,), PARTIAL, code="DETAILS_MISSING")
    transactions = [
        ("transaction", "transaction.json", read(f"{folder}/transaction.json")["transaction"]),
        *(
            (f"transactions[{number}]", "transactions.json", row)
            for number, row in enumerate(read(f"{folder}/transactions.json"))
        ),
    ]
    for name, file, row in transactions:
        body = Delivery("order_transactions/create", row)
        yield Case(name, (f"{folder}/{file}",), "shopify", (body,), PARTIAL, code="DETAILS_MISSING")
        yield Case(
            f"{name} after its order", (f"{folder}/{file}",), "shopify", (created, body),
            "the order itself does not add up, whatever is paid for it", code="TOTALS_MISMATCH", words=("608.94",),
        )  # fmt: skip
    for number, row in enumerate(read(f"{folder}/tender_transactions.json")["tender_transactions"]):
        yield Case(
            f"tender_transactions[{number}]", (f"{folder}/tender_transactions.json",), "shopify",
            (Delivery("tender_transactions/create", row),), "order_transactions say the same with more detail",
            listed=False,
        )  # fmt: skip
    for name in ("draft_order", "draft_order_completed"):
        body = Delivery("draft_orders/update", read(f"{folder}/{name}.json")["draft_order"])
        yield Case(
            name, (f"{folder}/{name}.json",), "shopify", (body,),
            "drafts are never synced; once completed, the order comes by itself", listed=False,
        )  # fmt: skip


def _woocommerce() -> Iterator[Case]:
    folder = "woocommerce/fixtures"
    for name in ("create-an-order", "retrieve-an-order", "update-an-order", "list-all-orders"):
        content = read(f"{folder}/orders.{name}.json")
        for number, row in enumerate(content if isinstance(content, list) else [content]):
            if not row["refunds"]:
                yield Case(
                    f"{name}[{number}]", (f"{folder}/orders.{name}.json",), "woocommerce",
                    (Delivery("order.updated", row),), "18.00 + shipping 10.00 + tax 1.35, paid by bank transfer",
                    documents=(("invoice", "29.35"), ("payment", "29.35")), total="29.35",
                )  # fmt: skip
                continue
            yield Case(
                f"{name}[{number}]", (f"{folder}/orders.{name}.json",), "woocommerce",
                (Delivery("order.updated", row),), f"its refunds are named only; {PARTIAL}", code="DETAILS_MISSING",
                words=("726",),
            )  # fmt: skip
            yield Case(
                f"{name}[{number}], refunds fetched",
                (f"{folder}/orders.{name}.json", f"{folder}/order-refunds.list-all-refunds.json"), "woocommerce",
                (Delivery("order.updated", row),),
                "29.00 + shipping 10.00; one album (9.00) and an amount (10.00) went back",
                documents=(
                    ("invoice", "39.00"), ("payment", "39.00"), ("refund_receipt", "9.00"), ("refund_receipt", "10.00"),
                ),
                total="39.00", fetches=True,
            )  # fmt: skip
    for name in ("create-a-refund", "retrieve-a-refund"):
        file = f"{folder}/order-refunds.{name}.json"
        order = next(row for row in read(f"{folder}/orders.list-all-orders.json") if row["refunds"])
        alone = {**order, "refunds": [{"id": 726, "refund": "", "total": "-10.00"}]}
        yield Case(
            f"{name}, fetched", (file,), "woocommerce", (Delivery("order.updated", alone),),
            "the order names this refund only: an amount of 10.00 went back",
            documents=(("invoice", "39.00"), ("payment", "39.00"), ("refund_receipt", "10.00")),
            total="39.00", fetches=True, changed={"refunds": "only 726"},
        )  # fmt: skip
