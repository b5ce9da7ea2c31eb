"""Shopify's deliveries: the signature, and which part of which order a topic brings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from ingest.channel import PRIVACY, Delivery, Notice, NoticeKind
from ingest.channels.shopify.settings import ShopifyCredentials, domain_of
from ingest.errors import BodyUnreadable, WrongShop
from ingest.parts import BEGINNING, Part, PartKind, Source
from ingest.signatures import moment, verify_base64_sha256

SIGNATURE = "x-shopify-hmac-sha256"
SHOP = "x-shopify-shop-domain"
ORDER_TOPICS = frozenset(
    {
        "orders/create",
        "orders/updated",
        "orders/paid",
        "orders/cancelled",
        "orders/fulfilled",
        "orders/partially_fulfilled",
    }
)
TOPICS: tuple[str, ...] = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/paid",
    "orders/cancelled",
    "orders/delete",
    "refunds/create",
    "order_transactions/create",
    "app/uninstalled",
)
"""What a connection subscribes to. The privacy topics are configured with the app, not per shop."""
NOTICES: dict[str, NoticeKind] = {
    "app/uninstalled": NoticeKind.UNINSTALLED,
    "customers/redact": NoticeKind.CUSTOMER_REDACT,
    "customers/data_request": NoticeKind.DATA_REQUEST,
    "shop/redact": NoticeKind.SHOP_REDACT,
}
_SETTLED = frozenset({"success", "failure", "error"})


def verify(headers: Mapping[str, str], body: bytes, credentials: ShopifyCredentials, now: datetime) -> None:  # noqa: ARG001
    """Raise `SignatureInvalid` unless the body was signed with the app's secret (or the one before a rotation).

    Raises `WrongShop` for another shop of the same app. No time is signed: replays are recognised by the delivery id
    instead.
    """
    secrets = (credentials.webhook_secret, credentials.previous_webhook_secret)
    verify_base64_sha256(headers.get(SIGNATURE, ""), body, secrets, SIGNATURE)
    # Shopify always names the shop. A sender that does not can only be somebody who holds the secret, such as a relay
    # that drops headers; its deliveries are as genuine as before, so they are not lost for that.
    for sent in (headers.get(SHOP, ""), _stated_shop(headers.get("x-shopify-topic", ""), body)):
        if sent and sent != credentials.shop_domain and domain_of(sent) != domain_of(credentials.shop_domain):
            raise WrongShop(sent, credentials.shop_domain)


def _stated_shop(topic: str, body: bytes) -> str:
    """The shop that the body of a privacy request names, which is signed as headers are not; empty where none is."""
    if NOTICES.get(topic) not in PRIVACY:
        return ""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    stated = content.get("shop_domain") if isinstance(content, dict) else None
    return stated if isinstance(stated, str) else ""


def parse(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Open a verified delivery. Raises `BodyUnreadable`."""
    topic = headers.get("x-shopify-topic", "")
    identity = headers.get("x-shopify-webhook-id", "")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyUnreadable("the body is not JSON") from error
    if not isinstance(content, dict):
        raise BodyUnreadable("the body is not a JSON object")
    if topic in NOTICES:
        at = moment(headers.get("x-shopify-triggered-at"))
        return Delivery(identity, topic, notice=_notice(NOTICES[topic], content, None if at == BEGINNING else at))
    part = to_part(topic, content, body)
    if part is None:
        return Delivery(identity, topic, notice=Notice(NoticeKind.IGNORED))
    return Delivery(identity, topic, parts=(part,))


def to_part(topic: str, content: dict[str, Any], raw: bytes, source: Source = Source.WEBHOOK) -> Part | None:
    """The part of an order that a topic's body is; None for a topic we keep nothing of."""
    if topic in ORDER_TOPICS:
        at = moment(content.get("updated_at"))
        return Part(PartKind.ORDER, identity_of(content, "id"), raw, at, source=source, parsed=content)
    if topic == "orders/edited":
        edit = content.get("order_edit")
        if not isinstance(edit, dict):
            raise BodyUnreadable("order_edit is missing")
        order_id, part_id = identity_of(edit, "order_id"), identity_of(edit, "id")
        at = moment(edit.get("committed_at") or edit.get("created_at"))
        return Part(PartKind.EDIT, order_id, orjson.dumps(edit), at, part_id, source=source, parsed=edit)
    if topic == "orders/delete":
        return Part(PartKind.DELETION, identity_of(content, "id"), raw, moment(None), source=source, parsed=content)
    if topic == "refunds/create":
        at = moment(content.get("processed_at") or content.get("created_at"))
        order_id, part_id = identity_of(content, "order_id"), identity_of(content, "id")
        rank = int(
            any(row.get("status") in _SETTLED for row in content.get("transactions") or () if isinstance(row, dict))
        )
        return Part(PartKind.REFUND, order_id, raw, at, part_id, rank, source, content)
    if topic == "order_transactions/create":
        at = moment(content.get("processed_at") or content.get("created_at"))
        order_id, part_id = identity_of(content, "order_id"), identity_of(content, "id")
        return Part(
            PartKind.TRANSACTION, order_id, raw, at, part_id, int(content.get("status") in _SETTLED), source, content
        )
    return None


def identity_of(content: dict[str, Any], field: str) -> str:
    """An id as text. Raises `BodyUnreadable`."""
    value = content.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not 0 < len(str(value)) <= 64:
        raise BodyUnreadable(f"{field} is missing or not an id")
    return str(value)


def _notice(kind: NoticeKind, content: dict[str, Any], at: datetime | None) -> Notice:
    orders = content.get("orders_to_redact") or content.get("orders_requested") or ()
    customer = content.get("customer")
    return Notice(
        kind,
        order_ids=tuple(dict.fromkeys(str(item)[:64] for item in orders)) if isinstance(orders, list) else (),
        customer_id=str(customer.get("id", ""))[:64] if isinstance(customer, dict) else "",
        at=at,
    )
