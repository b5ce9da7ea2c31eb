"""What the sales and refunds inside a settlement consist of, from their orders (section 15).

A processor says that 77.00 was charged, not that 4.06 of it is tax: the order does. Where nobody sent the order the
charge is booked as a whole, and the document says so.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Final

from common.messages.base import Reason
from common.messages.orders import Order, Payout, PayoutLine
from common.messages.transactions import Account, DocumentLine, ItemWanted, LineKind
from common.money import ZERO, prorate
from mapper.mapping.case import Case
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration
from mapper.mapping.facts import RefundFact, money_back, read_facts
from mapper.mapping.grouping import negated, with_tax_lines
from mapper.mapping.history import IN_SUMMARY
from mapper.mapping.modes import SETTLED_MODES
from mapper.mapping.names import normal
from mapper.mapping.notices import settled_order_unknown
from mapper.mapping.payout_accounts import CHARGED
from mapper.mapping.payout_matching import Candidates, booked_before
from mapper.mapping.payout_reasons import Missing, incomplete, kept_out
from mapper.mapping.reasons import Held, order_of_summary
from mapper.mapping.refund_lines import refund_parts
from mapper.mapping.refunds import RETURNED, gift_card_lines, refund_body
from mapper.mapping.removals import without_removed
from mapper.mapping.sales import sale_of
from mapper.rules.engine import CompiledRules

NO_CANDIDATES: Final = Candidates()
BOOKED_BEFORE: Final = "Booked before"


@dataclass(frozen=True, slots=True)
class SalesSource:
    """Orders that a settlement's lines may speak of, as fetched, and what they are mapped with."""

    orders: Sequence[Order] = ()
    rules: CompiledRules = field(default_factory=CompiledRules)
    catalog: Catalog = field(default_factory=Catalog)


@dataclass(slots=True)
class SettledSales:
    """Payout line's external id → the lines of a sales form that it stands for; they sum to its amount."""

    lines: dict[str, tuple[DocumentLine, ...]] = field(default_factory=dict)
    items: dict[str, ItemWanted] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    product_hold: Reason | None = None
    """An item is missing: a receipt has to wait for it, a journal needs none."""
    notices: tuple[Reason, ...] = ()


def settled_sales(
    payout: Payout, configuration: Configuration, source: SalesSource, candidates: Candidates = NO_CANDIDATES
) -> SettledSales:
    """Find the order of every charge and refund that does not say itself what it consists of. Raises `Held`.

    What `candidates` know is income by a document of its own: here its money moves on. What is in a summary, or will
    be income by a document that is held yet, is not booked here: the settlement waits for it.
    """
    result = SettledSales()
    booked = booked_before(payout, candidates, configuration)
    known = _by_name(source.orders)
    of_order: dict[str, list[PayoutLine]] = defaultdict(list)
    unknown: list[str] = []
    waiting: list[Missing] = []
    for line in payout.lines:
        if line.external_id in booked:
            result.lines[line.external_id] = (_moved(line, booked[line.external_id]),)
            continue
        if line.kind not in CHARGED:
            continue
        order = _named_by(line, known)
        if order is not None and _is_booked_elsewhere(order, candidates, source.rules):
            waiting.append(kept_out(order.number, candidates.why_not[order.external_id]))
        elif line.description:
            continue
        elif order is not None:
            of_order[order.external_id].append(line)
        elif line.kind == "charge" and _names(line):
            unknown.append(line.order_number or line.order_external_id or line.reference or line.external_id)
    if waiting:
        raise Held(incomplete(waiting))
    if unknown:
        result.notices = (settled_order_unknown(unknown),)
    as_lines = with_tax_lines(configuration)
    for order in source.orders:
        if order.external_id in of_order:
            _add_order(result, order, of_order[order.external_id], payout.currency, as_lines, source)
    return result


def described_lines(payout: Payout, orders: Iterable[Order]) -> list[PayoutLine]:
    """Charges and refunds of these orders that say themselves what they consist of."""
    known = _by_name(orders)
    return [
        line
        for line in payout.lines
        if line.kind in CHARGED and line.description and _named_by(line, known) is not None
    ]


def _is_booked_elsewhere(order: Order, candidates: Candidates, rules: CompiledRules) -> bool:
    """Whether an order without a document in the books is, or will be, income by another one than the settlement."""
    if candidates.elsewhere.get(order.external_id) == IN_SUMMARY or order.external_id in candidates.waiting:
        return True
    if order.external_id not in candidates.refused:
        return False
    ruled, directives = rules.apply(order)
    mode = directives.mode or ruled.invoice_mode
    return bool(mode) and mode not in SETTLED_MODES


def _named_by(line: PayoutLine, known: Mapping[str, Order]) -> Order | None:
    return next((known[name] for name in _names(line) if name in known), None)


def _moved(line: PayoutLine, account: Account) -> DocumentLine:
    return DocumentLine(kind=LineKind.POSTING, account=account, amount=line.amount, description=BOOKED_BEFORE)


def _by_name(orders: Iterable[Order]) -> Mapping[str, Order]:
    """Orders by whatever a payout may call them; a name that two of them have is nobody's."""
    found: dict[str, Order | None] = {}
    for order in orders:
        for name in _names_of_order(order):
            found[name] = order if found.get(name, order) is order else None
    return {name: order for name, order in found.items() if order is not None}


def _names_of_order(order: Order) -> set[str]:
    names = {f"order:{order.external_id}", f"number:{normal(order.number)}"}
    names.update(f"id:{refund.external_id}" for refund in order.refunds)
    said = [(tender.external_id, tender.reference) for tender in order.tenders]
    for refund in order.refunds:
        said.extend((transaction.external_id, transaction.reference) for transaction in refund.transactions)
    for external_id, reference in said:
        names.add(f"id:{external_id}")
        if reference:
            names.add(f"reference:{normal(reference)}")
    return names


def _names(line: PayoutLine) -> list[str]:
    """What a line calls its order by, the surest first."""
    names = {
        f"id:{line.tender_external_id}": line.tender_external_id,
        f"id:{line.refund_external_id}": line.refund_external_id,
        f"order:{line.order_external_id}": line.order_external_id,
        f"reference:{normal(line.reference)}": line.reference,
        f"number:{normal(line.order_number)}": line.order_number,
    }
    return [name for name, value in names.items() if value]


def _add_order(
    result: SettledSales,
    order: Order,
    parts: Sequence[PayoutLine],
    currency: str,
    configuration: Configuration,
    source: SalesSource,
) -> None:
    ruled, directives = source.rules.apply(order)
    facts = read_facts(ruled, directives, configuration.connection.rounding_tolerance)
    case = Case(ruled, configuration, source.catalog, directives, facts)
    currency_is_same = ruled.currency == currency
    try:
        charges = [line for line in parts if line.kind == "charge"]
        if charges:
            sold = _as_paid_out(case, charges, _sold)
            _share_out(result, charges, sold, is_whole=currency_is_same, currency=currency)
        for fact, lines in _refunds_of([line for line in parts if line.kind == "refund"], facts.refunds):
            back = _as_paid_out(case, lines, partial(_given_back, fact))
            _share_out(result, lines, back, is_whole=currency_is_same, currency=currency)
    except Held as held:
        raise Held(order_of_summary(order.number, held.reason)) from held
    result.items.update(case.items)
    result.numbers.append(order.number)
    if case.product_hold is not None and result.product_hold is None:
        result.product_hold = order_of_summary(order.number, case.product_hold)


def _as_paid_out(
    case: Case, parts: Sequence[PayoutLine], lines_of: Callable[[Case], tuple[DocumentLine, ...]]
) -> tuple[DocumentLine, ...]:
    """The lines that the parts are worth: with the tax that a marketplace keeps, where the payout states them with it.

    Such a payout takes the tax off on a line of its own.
    """
    lines = lines_of(case)
    amount = _sum_of(parts)
    if not case.order.tax_remitted or amount == _sum_of(lines):
        return lines
    order = case.order.model_copy(update={"tax_remitted": ZERO})
    taxed = Case(order, case.configuration, case.catalog, case.directives, case.facts)
    taxed.items = case.items
    whole = lines_of(taxed)
    return whole if amount == _sum_of(whole) else lines


def _sum_of(lines: Iterable[DocumentLine | PayoutLine]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)


def _sold(case: Case) -> tuple[DocumentLine, ...]:
    return sale_of(case, without_removed(case.order, case.facts), redeem_gifts=True).lines


def _given_back(fact: RefundFact, case: Case) -> tuple[DocumentLine, ...]:
    """What the processor's part of a refund stands for: not what a marketplace, or a gift card, got back."""
    if fact.nature in RETURNED:
        lines, _, _ = refund_body(case, fact)
        lines.extend(gift_card_lines(case, fact))
    else:
        lines, _ = refund_parts(case, fact)
    return tuple(negated(line) for line in lines)


def _refunds_of(
    lines: Sequence[PayoutLine], facts: Sequence[RefundFact]
) -> Iterable[tuple[RefundFact, list[PayoutLine]]]:
    """Each refund with its lines: one that went back in several payments has a line for each."""
    found: dict[int, list[PayoutLine]] = {}
    for line in lines:
        place = _refund_of(line, facts, found)
        if place is not None:
            found.setdefault(place, []).append(line)
    return [(facts[place], parts) for place, parts in found.items()]


def _refund_of(line: PayoutLine, facts: Sequence[RefundFact], taken: Container[int]) -> int | None:
    """Place of the refund that a line names, else of the only one of its amount that no line has yet."""
    for place, fact in enumerate(facts):
        ids = {fact.refund.external_id, *(one.external_id for one in fact.refund.transactions)}
        if line.refund_external_id and line.refund_external_id in ids:
            return place
    same = [
        place
        for place, fact in enumerate(facts)
        if place not in taken and -line.amount in (fact.returned, money_back(fact.refund))
    ]
    return same[0] if len(same) == 1 else None


def _share_out(
    result: SettledSales,
    parts: Sequence[PayoutLine],
    lines: tuple[DocumentLine, ...],
    *,
    is_whole: bool,
    currency: str,
) -> None:
    """The lines as they are where the parts come to them, else each part's share of every line.

    A share is what another gateway's part, or an amount in another currency, leaves of a sale.
    """
    amounts = [line.amount for line in lines]
    if is_whole and _sum_of(parts) == _sum_of(lines):
        result.lines[parts[0].external_id] = lines
        result.lines.update((part.external_id, ()) for part in parts[1:])
        return
    if _sum_of(lines) == ZERO:
        return
    for part in parts:
        shares = prorate(part.amount, amounts, currency)
        result.lines[part.external_id] = tuple(
            _shared(line, share) for line, share in zip(lines, shares, strict=True) if share
        )


def _shared(line: DocumentLine, share: Decimal) -> DocumentLine:
    return line.model_copy(update={"amount": share, "quantity": None, "unit_price": None, "tax_amount": None})
