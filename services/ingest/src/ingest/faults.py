"""What a fault of ours leaves in the log: where it was, never what it choked on."""

import structlog

from common.recovery import first_own_frame, way_to
from ingest.store.orders import OrderKey

log = structlog.get_logger(__name__)


def log_fault(doing: str, key: OrderKey, error: Exception) -> None:
    """Log that a bug kept us from `doing` something (a constant) with an order."""
    log.error(
        "order_stumbled",
        doing=doing,
        connection_id=key[0],
        order_id=key[1],
        error=type(error).__name__,
        frame=first_own_frame(error),
        traceback=way_to(error),
    )
