"""What happened to an order's money, read from tenders and refunds rather than from its status (section 6).

Statuses of channels lag and disagree; the records of money do not. The status only counts where a channel reports a
paid order without telling how.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from common.messages.orders import FinancialStatus, Lifecycle, Order, Refund, Tender, TenderStatus
from common.money import ZERO, quantize, tolerance
from mapper.mapping.directives import Directives
from mapper.mapping.modes import Situation

PAID_STATUSES: Final = frozenset({FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED, FinancialStatus.REFUNDED})
STATED_TENDER: Final = "stated-as-paid"
"""External id of the tender that stands for a payment which the channel states but does not describe."""


class RefundNature(StrEnum):
    """What a refund record means for the books (section 11)."""

    MONEY = "money"
    """The value given back equals the money returned."""
    PART_CREDIT = "part_credit"
    """More value than money: the rest lowers what the customer still owes."""
    REMOVAL = "removal"
    """Items taken off an order that was not fully paid; no money moved (rule 7)."""
    STOCK_ONLY = "stock_only"
    """No money moved on a paid order: only goods came back."""
    AMOUNT_ONLY = "amount_only"
    """Money without lines: goes to returns and allowances."""
    BEYOND_PAID = "beyond_paid"
    """More money than ever came in: a payment is missing, or the refund is wrong (section 3, invariant 3)."""
    MISMATCH = "mismatch"
    """The parts do not add up to the money; nobody may guess."""


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund with its place among the order's refunds and its meaning. Amounts in the order's currency."""

    refund: Refund
    ordinal: int
    nature: RefundNature
    value: Decimal
    """Net lines + shipping + tax + adjustments."""
    returned: Decimal
    """What the customer got, whoever gave it: a marketplace gives the tax that it kept back itself."""
    credit: Decimal
    """The part of `value` that lowers the open balance."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The money of one order. `captured` counts gift cards; `open` is what is left after refunds and removals."""

    situation: Situation
    tenders: tuple[Tender, ...]
    voided: tuple[Tender, ...]
    captured: Decimal
    returned: Decimal
    removed: Decimal
    open: Decimal
    cancelled: bool
    refunds: tuple[RefundFact, ...]


def refund_value(refund: Refund) -> Decimal:
    """What a refund gives back in goods, shipping, tax and stated adjustments."""
    value = refund.shipping + refund.tax
    for line in refund.lines:
        value += line.amount
    for adjustment in refund.adjustments:
        value += adjustment.amount + adjustment.tax
    return value


def money_back(refund: Refund) -> Decimal:
    """What a refund's transactions come to."""
    return sum((transaction.amount for transaction in refund.transactions), ZERO)


def remitted_part(order: Order, tax: Decimal) -> Decimal:
    """Of `tax`, a part of the order's, what the marketplace collected and pays itself."""
    if not order.tax_total:
        return ZERO
    return quantize(tax * order.tax_remitted / order.tax_total, order.currency)


def read_facts(order: Order, directives: Directives, stated_tolerance: Decimal | None) -> Facts:
    """Pure reading of one order; refunds are taken by creation time, so their order of arrival doesn't matter."""
    tenders, voided = _tenders(order, directives)
    captured = sum((tender.amount for tender in tenders), ZERO)
    cancelled = order.lifecycle is Lifecycle.CANCELLED or order.financial_status is FinancialStatus.VOIDED
    if not order.refunds:
        open_balance = _owed(order.total - captured, order.tax_remitted)
        situation = _situation(order.total - order.tax_remitted, captured, cancelled=cancelled)
        return Facts(situation, tenders, voided, captured, ZERO, ZERO, open_balance, cancelled, ())
    refunds, open_balance = _refund_facts(order, captured, _ever_paid(order, captured), stated_tolerance)
    removals = [fact for fact in refunds if fact.nature is RefundNature.REMOVAL]
    removed = sum((fact.credit for fact in removals), ZERO)
    returned = sum((fact.returned for fact in refunds), ZERO)
    kept = order.tax_remitted - sum((remitted_part(order, fact.refund.tax) for fact in removals), ZERO)
    situation = _situation(order.total - removed - kept, captured, cancelled=cancelled)
    return Facts(situation, tenders, voided, captured, returned, removed, open_balance, cancelled, refunds)


def _tenders(order: Order, directives: Directives) -> tuple[tuple[Tender, ...], tuple[Tender, ...]]:
    # One that is listed twice is one payment; two of one amount have ids of their own.
    tenders = tuple(dict.fromkeys(order.tenders)) if len(order.tenders) > 1 else order.tenders
    if all(tender.status is TenderStatus.CAPTURED for tender in tenders):
        captured = tenders
        voided: tuple[Tender, ...] = ()
    else:
        captured = tuple(tender for tender in tenders if tender.status is TenderStatus.CAPTURED)
        voided = tuple(tender for tender in tenders if tender.status is TenderStatus.VOIDED)
    if directives.unpaid_by is not None:
        return (), voided
    stated = stated_payment(order, directives)
    return captured if stated is None else (*captured, stated), voided


def stated_payment(order: Order, directives: Directives) -> Tender | None:
    """What stands for money that the channel, or a rule, says was paid without telling how; None where all is told."""
    stated_paid = order.financial_status in PAID_STATUSES and not order.tenders
    if not stated_paid and directives.paid_by is None:
        return None
    told = (tender.amount for tender in order.tenders if tender.status is TenderStatus.CAPTURED)
    missing = order.total - sum(told, ZERO)
    return _stated_tender(order, missing) if missing > 0 else None


def _ever_paid(order: Order, captured: Decimal) -> Decimal:
    """What could go back: also money that a rule keeps out of the books for now."""
    stated = (tender.amount for tender in order.tenders if tender.status is TenderStatus.CAPTURED)
    return max(captured, sum(stated, ZERO))


def _stated_tender(order: Order, amount: Decimal) -> Tender:
    return Tender(
        external_id=STATED_TENDER,
        method="",
        amount=amount,
        currency=order.currency,
        captured_at=order.created_at,
        captured_on=order.ordered_on,
        reference=order.reference_number,
    )


def _owed(balance: Decimal, kept: Decimal) -> Decimal:
    """What the customer still owes of a balance: not the tax that a marketplace keeps, where tenders leave it out."""
    return balance if balance > kept else ZERO


def _returned(value: Decimal, money: Decimal, kept_back: Decimal, allowed: Decimal) -> Decimal:
    """What the customer of a paid order got. Money that is worth a refund without its tax is stated without it."""
    without_tax = abs(value - kept_back - money)
    if money > 0 and without_tax <= allowed and without_tax < abs(value - money):
        return money + kept_back
    return money


def _situation(due: Decimal, captured: Decimal, *, cancelled: bool) -> Situation:
    """`due` is what the merchant is to get."""
    if cancelled and captured <= 0:
        return Situation.CANCELLED_UNPAID
    if due <= 0 and captured <= 0:
        return Situation.ZERO
    if captured >= due:
        return Situation.PAID
    return Situation.PARTLY_PAID if captured > 0 else Situation.UNPAID


def _refund_facts(
    order: Order, captured: Decimal, paid: Decimal, stated_tolerance: Decimal | None
) -> tuple[tuple[RefundFact, ...], Decimal]:
    allowed = tolerance(order.currency, len(order.lines)) if stated_tolerance is None else stated_tolerance
    kept = order.tax_remitted
    open_balance = _owed(order.total - captured, kept)
    facts: list[RefundFact] = []
    numbered = 0
    for refund in sorted(order.refunds, key=lambda one: (one.created_at, one.external_id)):
        money = money_back(refund)
        value = refund_value(refund)
        kept_back = remitted_part(order, refund.tax)
        returned = money if open_balance else _returned(value, money, kept_back, allowed)
        nature, credit = _nature(refund, value, returned, open_balance, allowed)
        paid -= money
        if money > 0 > paid:
            nature, credit = RefundNature.BEYOND_PAID, ZERO
        kept -= kept_back if nature is RefundNature.REMOVAL else ZERO
        open_balance = _owed(open_balance - credit, kept)
        facts.append(RefundFact(refund, numbered, nature, value, returned, credit))
        if nature is not RefundNature.STOCK_ONLY:
            numbered += 1
    return tuple(facts), open_balance


def _nature(
    refund: Refund, value: Decimal, returned: Decimal, open_balance: Decimal, allowed: Decimal
) -> tuple[RefundNature, Decimal]:
    if returned > 0 and not refund.lines and value == 0:
        return RefundNature.AMOUNT_ONLY, ZERO
    if abs(value - returned) <= allowed and returned > 0:
        return RefundNature.MONEY, ZERO
    if returned == 0:
        if 0 < value <= open_balance:
            return RefundNature.REMOVAL, value
        return RefundNature.STOCK_ONLY, ZERO
    if value < returned and not refund.lines and not refund.adjustments:
        # Only tax or shipping is broken out; the rest is an amount that the channel does not explain by lines.
        return RefundNature.AMOUNT_ONLY, ZERO
    if 0 < value - returned <= open_balance:
        return RefundNature.PART_CREDIT, value - returned
    return RefundNature.MISMATCH, ZERO
