"""A product of a channel: kept for its names beside unmatched SKUs."""

from common.batch import Batch
from common.bulk import Upsert
from common.handling import Handler, load_nothing
from common.messages.orders import Product

PRODUCTS = Upsert(
    "products",
    ("tenant_id", "connection_id", "external_id"),
    {
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
)


def handler() -> Handler[Product, None]:
    return Handler(Product, load_nothing, handle_product_normalized)


def handle_product_normalized(state: Product, _: None, batch: Batch) -> None:
    batch.upsert(
        PRODUCTS,
        {
            "tenant_id": state.tenant_id,
            "connection_id": state.connection_id,
            "external_id": state.external_id,
            "revision": state.revision,
            "body": batch.body.decode(),
        },
    )
