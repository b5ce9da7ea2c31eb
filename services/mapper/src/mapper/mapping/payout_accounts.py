"""Which account a payout's line belongs to: by its description in settings, by words everybody uses, by its kind."""

from typing import Final

from common.messages.orders import Payout, PayoutLine
from common.messages.transactions import Account, AccountRole
from mapper.mapping.configuration import Configuration
from mapper.mapping.names import normal
from mapper.mapping.payout_reasons import adjustment_unmapped
from mapper.mapping.reasons import Held

TRANSFER: Final = "transfer"
FAILED: Final = "failed"
"""Status of a payout that its bank sent back, or that the processor took back."""
CHARGED: Final = frozenset({"charge", "refund"})
OTHERS: Final[dict[str, AccountRole]] = {
    "chargeback": AccountRole.CHARGEBACKS,
    "chargeback_reversal": AccountRole.CHARGEBACKS,
    "dispute_fee": AccountRole.FEES,
    "fee": AccountRole.FEES,
    "reserve_held": AccountRole.RESERVE,
    "reserve_released": AccountRole.RESERVE,
    "carried_forward": AccountRole.SHORTFALL,
}
"""Line kind → account; adjustments and loans are told apart by their description, in settings."""
SETTLED: Final[dict[str, AccountRole]] = {"charge": AccountRole.INCOME, "refund": AccountRole.RETURNS}
"""The same for settlements that are booked as a whole, whose charges group no documents."""
TITLES: Final[dict[str, AccountRole]] = {
    "shipping": AccountRole.SHIPPING_INCOME,
    "tax": AccountRole.TAX,
    "sales tax": AccountRole.TAX,
    "tax withheld": AccountRole.TAX,
    "promo": AccountRole.DISCOUNTS,
    "promotion": AccountRole.DISCOUNTS,
    "promotions": AccountRole.DISCOUNTS,
}
"""What marketplaces call the parts of a sale: tax is never income, whether or not settings say so (section 15)."""


def money_account(payout: Payout, configuration: Configuration) -> Account:
    """Where a payout's money is: at the bank or, sent back by it, where that processor's money lies.

    Processors pay such money out once more, as a transfer inside another payout, which takes it from there.
    """
    if payout.status == FAILED:
        return configuration.deposit_account(payout.processor)
    return configuration.payout_account(payout.currency)


def other_account(line: PayoutLine, payout: Payout, configuration: Configuration) -> Account:
    """Account of a line that is no charge or refund. Raises `Held` where neither its kind nor settings name one."""
    if line.kind in OTHERS:
        return configuration.account(OTHERS[line.kind])
    stated = _stated(line, configuration)
    if stated is not None:
        return stated
    if line.kind == TRANSFER:
        # Between balances of one processor: it stays where that processor's money lies.
        return configuration.deposit_account(payout.processor)
    raise Held(adjustment_unmapped(line.description or line.kind))


def settled_account(line: PayoutLine, payout: Payout, configuration: Configuration) -> Account:
    """Account of any line of a settlement: settings by description, the usual words, then the line's kind."""
    stated = _stated(line, configuration) if line.description else None
    if stated is not None:
        return stated
    if line.kind in CHARGED or line.kind == "adjustment":
        role = TITLES.get(normal(line.description)) or SETTLED.get(line.kind)
        if role is not None:
            return configuration.account(role)
    return other_account(line, payout, configuration)


def _stated(line: PayoutLine, configuration: Configuration) -> Account | None:
    """What settings say of a description, or else of a kind: a role, or an account of the ledger by its name."""
    payouts = configuration.connection.payouts
    for wanted in (normal(line.description), normal(line.kind)):
        for text, name in payouts.accounts.items():
            if wanted and normal(text) == wanted:
                return configuration.named_deposit_account(name, line.description or line.kind)
        for text, role in payouts.adjustments.items():
            if wanted and normal(text) == wanted:
                return configuration.account(role)
    return None
