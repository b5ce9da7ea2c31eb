"""What this service counts beside the runtime's own figures."""

from prometheus_client import Counter

from ingest.channel import PRIVACY

ORDERS_TAKEN = Counter(
    "tillbook_ingest_orders_taken_total", "Orders taken in by channel and outcome", ["channel", "outcome"]
)
DELIVERIES_REPEATED = Counter(
    "tillbook_ingest_deliveries_repeated_total", "Deliveries that had come before", ["channel"]
)
PRIVACY_FOR_NOBODY = Counter(
    "tillbook_ingest_privacy_requests_for_nobody_total",
    "Genuine privacy requests that name a shop without a connection: nothing is done or kept",
    ["kind"],
)
for _kind in PRIVACY:
    PRIVACY_FOR_NOBODY.labels(_kind.value)  # at zero from the start, or the first one would be no increase
