"""What a card processor pays out of a shop's life: one payout for each of the shop's days, two days later.

A payout balances by construction: its amount is what its movements come to. Refunds keep the fee of the sale, and a day
of refunds alone takes money away again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sandbox.shops.clerk import CARD_GATEWAYS
from sandbox.shops.state import Transaction
from sandbox.shops.store import ShopStore

ARRIVES_AFTER: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Movement:
    """Money of one order that went through the processor. `amount` is signed; `net` is what it brings."""

    order_id: int
    order_number: str
    row: Transaction

    @property
    def amount(self) -> int:
        return -self.row.amount if self.row.kind == "refund" else self.row.amount

    @property
    def net(self) -> int:
        return self.amount - self.row.fee


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer to the bank (from it, where `amount` is negative)."""

    id: int
    day: date
    arrives: date
    movements: tuple[Movement, ...]

    @property
    def amount(self) -> int:
        return sum(movement.net for movement in self.movements)

    @property
    def is_paid(self) -> bool:
        return self.arrives <= datetime.now(UTC).date()


def payouts_of(store: ShopStore) -> list[Payout]:
    """All payouts of what has happened so far, oldest first."""
    zone = store.life.shop.zone
    days: dict[date, list[Movement]] = {}
    for held in store.in_order_of("id", lambda row: (row.id, row.id)):
        for row in held.snapshot.money:
            if row.moves_money and row.gateway in CARD_GATEWAYS:
                movement = Movement(held.id, held.snapshot.number, row)
                days.setdefault(row.at.astimezone(zone).date(), []).append(movement)
    return [
        Payout(store.life.base_id + day.toordinal(), day, day + ARRIVES_AFTER, tuple(sorted(found, key=_when)))
        for day, found in sorted(days.items())
    ]


def _when(movement: Movement) -> tuple[datetime, int]:
    return movement.row.at, movement.row.id
