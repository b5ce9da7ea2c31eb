"""What a channel asks to be forgotten. Amounts stay, because the books rest on them; people go."""

import hashlib
from typing import Any

from common.batch import Batch
from common.crypto import Cipher
from common.database import Connection, lock_keys
from common.messages.orders import Order, order_key
from ingest.channel import NoticeKind
from ingest.store import connections
from ingest.store.due import StoredPrivacyRequest
from ingest.store.orders import OrderKey, content_context, load_orders

_PEOPLE: dict[str, Any] = {
    "customer": None,
    "billing_address": None,
    "shipping_address": None,
    "note": "",
    "custom_fields": {},
}


async def fulfil(connection: Connection, cipher: Cipher, request: StoredPrivacyRequest, batch: Batch) -> dict[str, int]:
    """Carry a request out in the caller's transaction. Returns what was removed, by kind."""
    if request.kind == NoticeKind.SHOP_REDACT:
        return {"rows": await connections.delete(connection, request.connection_id)}
    keys = [(request.connection_id, order_id) for order_id in request.order_ids]
    await lock_keys(connection, [order_key(*key) for key in keys])
    stored = await load_orders(connection, keys)
    status = await connection.execute(
        "DELETE FROM raw_parts WHERE connection_id = $1 AND order_id = ANY($2::text[])",
        request.connection_id,
        list(request.order_ids),
    )
    redacted = 0
    for key, order in stored.items():
        if order.content is not None:
            content = cipher.decrypt(order.content, content_context(key))
            _redact(key, Order.model_validate_json(content), order.revision + 1, cipher, batch)
            redacted += 1
    return {"raw_parts": int(status.rsplit(" ", 1)[1]), "orders": redacted}


def _redact(key: OrderKey, order: Order, revision: int, cipher: Cipher, batch: Batch) -> None:
    """Publish the order without its people as the next revision; mirrors converge on it like on any other."""
    left = order.model_copy(update={**_PEOPLE, "revision": revision})
    body = left.encoded()
    batch.execute(
        "UPDATE orders SET content = $3, content_revision = $4, revision = $4, state_hash = $5, due_at = NULL"
        " WHERE connection_id = $1 AND external_id = $2",
        *key,
        cipher.encrypt(body, content_context(key)),
        revision,
        hashlib.sha256(b"redacted" + body).digest(),
    )
    batch.publish(left, body=body)
