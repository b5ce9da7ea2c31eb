"""How many orders and payouts of a tenant there are, for those who compare their mirrors."""

from common.counting import counting_routes
from common.messages.fetching import OrderListed
from common.messages.orders import Order, Payout

# What could not be read yet is listed, but was never sent: those who mirror states have nothing of it.
routes = counting_routes(
    {
        OrderListed: "SELECT '', connection_id, count(*), sum(revision) FROM orders WHERE tenant_id = $1 GROUP BY 2",
        Order: "SELECT '', connection_id, count(*), sum(content_revision) FROM orders"
        " WHERE tenant_id = $1 AND content IS NOT NULL GROUP BY 2",
        Payout: "SELECT '', connection_id, count(*), sum(content_revision) FROM payouts"
        " WHERE tenant_id = $1 AND content IS NOT NULL GROUP BY 2",
    }
)
