"""What a channel asks to be forgotten. Amounts stay, because the books rest on them; people go."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from common.batch import Batch
from common.crypto import Cipher
from common.database import Connection, affected, lock_keys
from common.messages.base import Reason
from common.messages.orders import Order, order_key
from ingest.arrivals import to_listed
from ingest.channel import NoticeKind
from ingest.store import connections
from ingest.store.due import StoredPrivacyRequest
from ingest.store.orders import NORMALISATIONS, OrderKey, content_context, load_orders, replaced

ORDERS_AT_ONCE = 200
SHOP_FORGOTTEN = Reason(
    code="SHOP_FORGOTTEN",
    text="the channel asked us to forget this shop: its people and its credentials were removed, its amounts stay",
    cure="nothing; save new credentials should the shop come back",
)
WITHOUT_PEOPLE: dict[str, Any] = {
    "customer": None,
    "billing_address": None,
    "shipping_address": None,
    "note": "",
    "private_note": "",
    "gift_message": "",
    "custom_fields": {},
    "forgotten": True,
}


async def fulfil(connection: Connection, cipher: Cipher, request: StoredPrivacyRequest, batch: Batch) -> str | None:
    """Carry out a request, or the next part of it, in the caller's transaction.

    Adds to `request.removed` what was removed, by kind. Returns the order to go on behind, None when all is done.
    """
    order_ids: Sequence[str] = request.order_ids
    if request.kind == NoticeKind.SHOP_REDACT:
        order_ids = await _orders_behind(connection, request.connection_id, request.after)
    await _forget_orders(connection, cipher, request, order_ids, batch)
    if request.kind == NoticeKind.SHOP_REDACT:
        if len(order_ids) == ORDERS_AT_ONCE:
            return order_ids[-1]
        await connections.forget_secrets(connection, cipher, request.connection_id, SHOP_FORGOTTEN)
    return None


async def _orders_behind(connection: Connection, connection_id: str, after: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT external_id FROM orders WHERE connection_id = $1 AND external_id > $2 ORDER BY external_id LIMIT $3",
        connection_id,
        after,
        ORDERS_AT_ONCE,
    )
    return [row["external_id"] for row in rows]


async def _forget_orders(
    connection: Connection, cipher: Cipher, request: StoredPrivacyRequest, order_ids: Sequence[str], batch: Batch
) -> None:
    keys = [(request.connection_id, order_id) for order_id in order_ids]
    await lock_keys(connection, [order_key(*key) for key in keys])
    stored = await load_orders(connection, keys)
    status = await connection.execute(
        "DELETE FROM raw_parts WHERE connection_id = $1 AND order_id = ANY($2::text[])",
        request.connection_id,
        list(order_ids),
    )
    redacted = 0
    for key, order in stored.items():
        if order.content is not None:
            full = Order.model_validate_json(cipher.decrypt(order.content, content_context(key)))
            revision = order.revision + 1
            _redact(key, full, revision, cipher, batch)
            batch.upsert(NORMALISATIONS, replaced(key, order))
            batch.publish(to_listed(key, full.channel, {**asdict(order), "revision": revision}, order.problem))
            redacted += 1
    for kind, count in (("raw_parts", affected(status)), ("orders", redacted)):
        request.removed[kind] = request.removed.get(kind, 0) + count


def _redact(key: OrderKey, order: Order, revision: int, cipher: Cipher, batch: Batch) -> None:
    """Publish the order without its people as the next revision; mirrors converge on it like on any other."""
    left = order.model_copy(update={**WITHOUT_PEOPLE, "revision": revision})
    body = left.encoded()
    batch.execute(
        "UPDATE orders SET content = $3, content_revision = $4, revision = $4, state_hash = $5, due_at = NULL,"
        " due_kind = '', due_attempts = 0"
        " WHERE connection_id = $1 AND external_id = $2",
        *key,
        cipher.encrypt(body, content_context(key)),
        revision,
        hashlib.sha256(b"redacted" + body).digest(),
    )
    batch.publish(left, body=body)
