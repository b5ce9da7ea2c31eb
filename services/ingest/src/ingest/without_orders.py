"""What a processor answers where a shop would speak of orders: it has none."""

from common.messages.orders import Order
from ingest.channel import Account, Glance
from ingest.errors import OutOfScope
from ingest.parts import Parts


def refuse(parts: Parts, account: Account) -> Order:  # noqa: ARG001
    """Whatever looks like an order came to the wrong place. Raises `OutOfScope`."""
    raise OutOfScope("NO_ORDERS_HERE", "a payment processor has payouts, and no orders")


def glance(parts: Parts) -> Glance:  # noqa: ARG001
    """Nothing can be seen of what is no order."""
    return Glance()
