"""Which document each charge and refund of a payout is: first hit wins, each document once (section 14)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.orders import Payout, PayoutLine
from common.messages.transactions import Account, AccountRole, Document, DocumentKind
from common.money import ZERO, prorate, quantize
from mapper.mapping.configuration import Configuration
from mapper.mapping.names import normal
from mapper.mapping.payout_reasons import (
    Missing,
    amounts_differ,
    currency_differs,
    in_other_payout,
    incomplete,
    kept_out,
    not_received,
    without_money,
)
from mapper.mapping.reasons import Held

CHARGES: Final = frozenset({"charge"})
REFUNDS: Final = frozenset({"refund"})
NEAR: Final = timedelta(days=7)
"""How far a document's date may be from a line that names nothing."""
RATE_TOLERANCE: Final = Decimal("0.10")
"""How far two days' exchange rates may be apart; more than that is no exchange difference but another amount."""
ACROSS_CURRENCIES: Final = "deposits_across_currencies"
"""Capability of ledgers that group documents of several currencies in one deposit."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that payout lines may stand for, by each way to find them. Built from the sets of the orders."""

    by_tender: Mapping[str, Document] = field(default_factory=dict)
    """Tender's external id → receipt or payment."""
    by_refund: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    """Refund's or refund transaction's external id → what went back."""
    by_reference: Mapping[str, Document] = field(default_factory=dict)
    by_order: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    """Order's external id, or `number:<order number>` → receipts and payments of the order."""
    refunds_by_order: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    why_not: Mapping[str, Reason] = field(default_factory=dict)
    """Order number or id → why the order has no documents."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Order's external id → IN_PAYOUT or IN_SUMMARY, where that is what accounts for it."""
    received: frozenset[str] = frozenset()
    """What lines may call the orders that are known: external id, `number:<order number>`, `tender:<external id>`."""
    waiting: frozenset[str] = frozenset()
    """External ids of orders with documents of their own for their money that are not all to be had: some are held, or
    are left in the ledger as they are while the order itself is held or filtered."""
    refused: frozenset[str] = frozenset()
    """External ids of orders that are held as a whole."""
    near: Sequence[Document] = ()
    """Receipts and payments of about those days, for lines that nothing else finds."""
    deposited: Mapping[str, str] = field(default_factory=dict)
    """Document key → the other payout whose deposit groups it already."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A document that the deposit moves to the bank. `sign`: 1 for money in, -1 for money back.

    `worth`: what it stands at in the books, in the payout's currency; `paid`: what was paid out for it, signed.
    """

    document: Document
    sign: int
    worth: Decimal
    paid: Decimal


@dataclass(slots=True)
class _Found:
    document: Document
    sign: int
    worth: Decimal
    is_foreign: bool
    paid: Decimal = ZERO

    @property
    def is_complete(self) -> bool:
        return self.is_foreign or self.paid == self.worth * self.sign


def match_documents(payout: Payout, candidates: Candidates, configuration: Configuration) -> list[Grouped]:
    """Match every charge and refund; each document once, with its sign.

    Raises `Held`: with all that are missing, or with those whose amounts are others than what was paid out.
    """
    found: dict[str, _Found] = {}
    missing: list[PayoutLine] = []
    for line in payout.lines:
        if line.kind in CHARGES or line.kind in REFUNDS:
            match = _free(_match(line, candidates, _taken(found)), candidates)
            if match:
                _add(found, line, match, payout, configuration)
            else:
                missing.append(line)
    still: list[Missing] = []
    for line in missing:
        alone = _near(line, candidates, found, payout.currency)
        if alone is not None:
            _add(found, line, (alone,), payout, configuration)
        else:
            still.append(_missing(line, candidates))
    if still:
        raise Held(incomplete(still))
    _add_excess(found, candidates)
    wrong = [one for one in found.values() if not _agrees(one)]
    if wrong:
        difference = sum((one.paid - one.worth * one.sign for one in wrong), ZERO)
        names = ", ".join(one.document.source_number for one in wrong[:20])
        raise Held(amounts_differ(difference, payout.currency, names))
    return [Grouped(one.document, one.sign, one.worth, one.paid) for one in found.values()]


def booked_before(payout: Payout, candidates: Candidates, configuration: Configuration) -> dict[str, Account]:
    """Charges and refunds that have documents of their own: the line's id → the account where their money lies.

    Of a settlement: sales of an earlier mode, or of another mode by a rule. They are income already. Of an order whose
    money lies on several accounts a processor pays out what lies on its own, unless a line names another document.
    """
    found: dict[str, Account] = {}
    for line in payout.lines:
        if line.kind in CHARGES or line.kind in REFUNDS:
            documents = _named_by(line, candidates, set()) or _of_order(line, candidates)
            if len({_place(one.deposit_to) for one in documents}) > 1:
                own = _place(configuration.deposit_account(payout.processor))
                on_own = [one for one in documents if _place(one.deposit_to) == own]
                documents = on_own or _of_amount(line, documents, candidates) or documents
            if documents and documents[0].deposit_to is not None:
                found[line.external_id] = documents[0].deposit_to
    return found


def _place(account: Account | None) -> tuple[str, str] | None:
    """Which account it is, whatever tender method led there."""
    return None if account is None else (account.role, account.name)


def _add(
    found: dict[str, _Found],
    line: PayoutLine,
    match: Sequence[Document],
    payout: Payout,
    configuration: Configuration,
) -> None:
    sign = 1 if line.kind in CHARGES else -1
    worths = [_worth(document, payout, configuration) for document in match]
    foreign = any(document.currency != payout.currency for document in match)
    shares = [worth * sign for worth in worths]
    if len(match) == 1 or foreign:
        shares = prorate(line.amount, worths, payout.currency)
    for document, worth, share in zip(match, worths, shares, strict=True):
        one = found.setdefault(document.key, _Found(document, sign, worth, document.currency != payout.currency))
        one.paid += share


def _add_excess(found: dict[str, _Found], candidates: Candidates) -> None:
    """What was paid beyond a receipt's total is a payment of its own, which the same charge brought."""
    receipts = [one for one in found.values() if one.document.kind is DocumentKind.SALES_RECEIPT and not one.is_foreign]
    for one in receipts:
        excess = one.paid - one.worth
        for document in candidates.by_order.get(one.document.source_id, ()):
            is_free = document.key not in found and document.key not in candidates.deposited
            if is_free and document.kind is DocumentKind.PAYMENT and document.total == excess:
                found[document.key] = _Found(document, 1, document.total, is_foreign=False, paid=excess)
                one.paid = one.worth
                break


def _worth(document: Document, payout: Payout, configuration: Configuration) -> Decimal:
    """What a document stands at in the books, in the payout's currency. Raises `Held` where nobody knows."""
    if document.currency == payout.currency:
        return document.total
    home, rate = configuration.ledger.home_currency, document.exchange_rate
    if payout.currency != home or rate is None or not _can_leave(document, configuration):
        raise Held(currency_differs(payout.currency, document.currency, document.source_number))
    return quantize(document.total * rate, home)


def _can_leave(document: Document, configuration: Configuration) -> bool:
    """Whether a deposit in home currency takes foreign money: from a clearing account every ledger moves an amount.

    What waits in undeposited funds is picked up as the document that it is, in one currency with its deposit.
    """
    on_clearing = document.deposit_to is not None and document.deposit_to.role is AccountRole.CLEARING
    return on_clearing or configuration.ledger.can(ACROSS_CURRENCIES)


def _agrees(one: _Found) -> bool:
    """To the cent in one currency; between two, what the rates of two days can explain."""
    difference = abs(one.paid - one.worth * one.sign)
    return difference <= one.worth * RATE_TOLERANCE if one.is_foreign else not difference


def _taken(found: Mapping[str, _Found]) -> set[str]:
    return {key for key, one in found.items() if one.is_complete}


def _free(match: Sequence[Document], candidates: Candidates) -> Sequence[Document]:
    """A document goes to the bank once: what another payout's deposit groups is not to be had."""
    return () if any(one.key in candidates.deposited for one in match) else match


def _match(line: PayoutLine, candidates: Candidates, taken: set[str]) -> Sequence[Document]:
    """By tender or refund id, by reference, then the order's only document of that amount."""
    named = _named_by(line, candidates, taken)
    if named:
        return named
    free = [one for one in _of_order(line, candidates) if one.key not in taken]
    return _of_amount(line, free, candidates) or (free if len(free) == 1 else ())


def _named_by(line: PayoutLine, candidates: Candidates, taken: set[str]) -> Sequence[Document]:
    """What the line itself calls by the id of a tender or refund, or by a reference."""
    if line.kind in REFUNDS:
        by_id = candidates.by_refund.get(line.refund_external_id or line.tender_external_id)
        if by_id:
            # One refund may have gone back in several payments, each with a line of its own.
            return _of_amount(line, [one for one in by_id if one.key not in taken], candidates) or by_id
    else:
        exact = candidates.by_tender.get(line.tender_external_id) or candidates.by_reference.get(normal(line.reference))
        if exact is not None and (line.tender_external_id or line.reference):
            return (exact,)
    return ()


def _of_order(line: PayoutLine, candidates: Candidates) -> Sequence[Document]:
    """Receipts and payments of the line's order, or what went back of it."""
    orders = candidates.refunds_by_order if line.kind in REFUNDS else candidates.by_order
    return orders.get(line.order_external_id) or orders.get(f"number:{normal(line.order_number)}") or ()


def _of_amount(line: PayoutLine, documents: Sequence[Document], candidates: Candidates) -> Sequence[Document]:
    """The first of the line's amount: one that no other payout's deposit groups, if there is such a one."""
    same = [one for one in documents if one.total == abs(line.amount)]
    return sorted(same, key=lambda one: one.key in candidates.deposited)[:1]


def _near(line: PayoutLine, candidates: Candidates, found: Mapping[str, _Found], currency: str) -> Document | None:
    """The only document of the amount within a week, for a charge whose order the payout does not name."""
    if line.kind not in CHARGES or line.order_number or line.order_external_id:
        return None
    single: Iterable[Document] = (
        one
        for one in candidates.near
        if one.total == line.amount
        and one.currency == currency
        and abs(one.date - line.occurred_on) <= NEAR
        and one.key not in found
        and one.key not in candidates.deposited
    )
    alone = list({one.key: one for one in single}.values())
    return alone[0] if len(alone) == 1 else None


def _missing(line: PayoutLine, candidates: Candidates) -> Missing:
    """Why nothing stands for a line: its order's own reason, before the order is said to have no such money."""
    name = line.order_number or line.order_external_id or line.reference or line.external_id
    elsewhere = {candidates.deposited.get(one.key) for one in _match(line, candidates, set())} - {None}
    if elsewhere:
        return in_other_payout(name, ", ".join(sorted(filter(None, elsewhere))))
    number = normal(line.order_number)
    why = candidates.why_not.get(number) or candidates.why_not.get(line.order_external_id)
    if why is not None:
        return kept_out(name, why)
    names = {f"number:{number}", line.order_external_id, f"tender:{line.tender_external_id}"}
    if candidates.received.isdisjoint(names):
        return not_received(name)
    return without_money(name, "refund" if line.kind in REFUNDS else "payment", abs(line.amount))
