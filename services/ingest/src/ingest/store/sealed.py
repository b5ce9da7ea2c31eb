"""Every encrypted column of ingest, for moving from one key to the next."""

from common.resealing import Sealed
from ingest.store import connections, orders, payouts

_PART = ("connection_id", "order_id", "kind", "part_id")

SEALED = (
    Sealed(
        "connections",
        ("tenant_id", "connection_id"),
        "secrets",
        connections.secrets_context,
    ),
    Sealed("raw_parts", _PART, "body", lambda connection_id, *part: orders.part_context(connection_id, part)),
    Sealed("orders", ("connection_id", "external_id"), "content", lambda *key: orders.content_context(key)),
    Sealed(
        "payout_parts",
        ("connection_id", "payout_id", "kind", "part_id"),
        "body",
        lambda connection_id, payout_id, *part: payouts.part_context(connection_id, payout_id, part),
    ),
    Sealed("payouts", ("connection_id", "external_id"), "content", payouts.content_context),
)
