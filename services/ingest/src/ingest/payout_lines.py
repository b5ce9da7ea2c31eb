"""What the payouts of every source share: which word means which kind of line, and sums that stay exact. Pure."""

from decimal import Decimal
from typing import Final

from common.messages.orders import Payout, PayoutLine
from common.money import exponent
from ingest.errors import NormalizationError
from ingest.totals import ZERO, known_currency

PAID: Final = "paid"
PENDING: Final = "pending"
FAILED: Final = "failed"
STATUSES: Final = {
    "paid": PAID,
    "scheduled": PENDING,
    "pending": PENDING,
    "in_transit": PENDING,
    "failed": FAILED,
    "canceled": FAILED,
    "cancelled": FAILED,
    "action_required": PENDING,
}
"""A processor's word for how far a payout is → ours. Only a paid one becomes a deposit."""

KINDS: Final = frozenset(
    {
        "charge",
        "refund",
        "chargeback",
        "chargeback_reversal",
        "dispute_fee",
        "fee",
        "reserve_held",
        "reserve_released",
        "adjustment",
        "loan",
        "transfer",
        "carried_forward",
    }
)
"""Every kind of line a payout can have (domain reference, section 14)."""


def status_of(word: object) -> str:
    """Raises `NormalizationError` with UNKNOWN_STATUS for a word no table has."""
    found = STATUSES.get(str(word))
    if found is None:
        raise NormalizationError(
            "status",
            word,
            f"expected one of {', '.join(STATUSES)}",
            code="UNKNOWN_STATUS",
            text=f"status is {str(word)!r}, and what that means for the bank is not known",
        )
    return found


def payout_currency(code: object) -> str:
    """Three capital letters of ISO 4217. Raises `NormalizationError`."""
    return known_currency(str(code or "").upper(), "currency")


def in_places(value: Decimal, currency: str, field: str) -> Decimal:
    """The exact amount with the currency's decimals. Nothing is rounded: what has more decimals is refused."""
    places = exponent(currency)
    scaled = value.quantize(Decimal(1).scaleb(-places))
    if scaled != value:
        raise NormalizationError(
            field, value, f"{currency} has {places} decimals", code="UNREADABLE_AMOUNT",
            text=f"{field} is {value:f}, which is no amount of {currency}",
        )  # fmt: skip
    return scaled


def net_of(lines: tuple[PayoutLine, ...]) -> Decimal:
    """What the lines come to."""
    return sum((line.amount - line.fee for line in lines), ZERO)


def is_settled(payout: Payout) -> bool:
    """Whether the money is at the bank."""
    return payout.status == PAID
