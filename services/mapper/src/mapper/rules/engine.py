"""Runs compiled rules on one order."""

from dataclasses import dataclass

from common.messages.orders import Order
from mapper.mapping.directives import NO_DIRECTIVES, Directives


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules of one tenant that are enabled for one connection, in order."""

    revision: int = 0

    def apply(self, order: Order) -> tuple[Order, Directives]:
        """The order as the rules leave it, and what they decided beyond its fields."""
        return order, NO_DIRECTIVES
