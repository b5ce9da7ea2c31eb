"""What this service counts beside the runtime's own figures."""

from prometheus_client import Counter

ORDERS_TAKEN = Counter(
    "tillbook_ingest_orders_taken_total", "Orders taken in by channel and outcome", ["channel", "outcome"]
)
DELIVERIES_REPEATED = Counter(
    "tillbook_ingest_deliveries_repeated_total", "Deliveries that had come before", ["channel"]
)
