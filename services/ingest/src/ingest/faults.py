"""What a fault of ours leaves in the log about an order."""

from common import faults
from ingest.store.orders import OrderKey


def log_fault(doing: str, key: OrderKey, error: Exception) -> None:
    """Log that a bug kept us from `doing` something (a constant) with an order."""
    faults.log_fault("order_stumbled", error, doing=doing, connection_id=key[0], order_id=key[1])
