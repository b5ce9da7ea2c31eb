"""Many orders as one document: a summary per day, store, currency and deposit account (section 15)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.keys import document_key
from common.messages.orders import Order
from common.messages.transactions import (
    Account,
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    Inputs,
    ItemWanted,
    LineKind,
    SetOutcome,
    TransactionSet,
)
from common.money import ZERO
from mapper.mapping.case import Case
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import Directives
from mapper.mapping.facts import Facts, RefundFact, RefundNature, read_facts
from mapper.mapping.grouping import Grouping, negated, summary_customer, with_tax_lines
from mapper.mapping.listing import listing_of
from mapper.mapping.names import normal
from mapper.mapping.payments import receipt_deposit
from mapper.mapping.reasons import Held, order_of_summary, summary_negative, waiting_for_day_end
from mapper.mapping.refunds import RETURNED, UNEXPLAINED, gift_card_lines, refund_body, unexplained
from mapper.mapping.removals import without_removed
from mapper.mapping.sales import sale_of
from mapper.mapping.settlements import postings_of
from mapper.mapping.summary_changes import with_change_noted
from mapper.mapping.summary_costs import costs_of
from mapper.rules.engine import CompiledRules

M = TransactionMode
KINDS: Final = {
    M.SUMMARY_SALES_RECEIPT: DocumentKind.SALES_RECEIPT,
    M.SUMMARY_INVOICE: DocumentKind.INVOICE,
    M.SUMMARY_SALES_ORDER: DocumentKind.SALES_ORDER,
    M.SUMMARY_JOURNAL_ENTRY: DocumentKind.JOURNAL_ENTRY,
}
MODES: Final = frozenset(M)
RECEIVED: Final = "Money received"
RATE_PLACES: Final = Decimal("0.0000000001")


MERGED: Final = RETURNED | UNEXPLAINED | {RefundNature.PART_CREDIT}


@dataclass(frozen=True, slots=True)
class Membership:
    """One summary that an order is part of: by its sale, or by a refund on another day."""

    summary_id: str
    day: date


def memberships(
    order: Order, configuration: Configuration, rules: CompiledRules, kept_mode: str = ""
) -> tuple[Membership, ...]:
    """Summaries that this order's sale and, if they are merged, its refunds belong to.

    `kept_mode`: the mode by which the order is mapped, where neither a rule nor the order names it.
    """
    ruled, directives = rules.apply(order)
    facts = read_facts(ruled, directives, configuration.connection.rounding_tolerance)
    case = Case(ruled, configuration, Catalog(), directives, facts)
    named = _named_mode(ruled, directives)
    account = _account(case, named or M(kept_mode or configuration.connection.mode))
    days = [ruled.ordered_on]
    if configuration.connection.merge_refunds:
        days.extend(fact.refund.refunded_on for fact in _returned(facts))
    return tuple(Membership(_summary_id(day, ruled, account, named), day) for day in dict.fromkeys(days))


def summary_key(case: Case, mode: TransactionMode) -> str:
    """Document key of the summary that the order's sale is part of."""
    order = case.order
    named = _named_mode(order, case.directives)
    summary_id = _summary_id(order.ordered_on, order, _account(case, mode), named)
    company_id = case.connection.company_id
    return document_key(order.tenant_id, company_id, order.connection_id, "summary", summary_id, KINDS[mode])


def summary_mode(
    orders: Sequence[Order], configuration: Configuration, rules: CompiledRules, kept_mode: str
) -> TransactionMode:
    """The mode that a summary of these orders is made by: that of before, its members', the connection's.

    Orders that name a mode have summaries of their own, so that the first member speaks for all.
    """
    if kept_mode:
        return M(kept_mode)
    named = _named_mode(*rules.apply(orders[0])) if orders else None
    return named or configuration.connection.mode


def _named_mode(ruled: Order, directives: Directives) -> TransactionMode | None:
    """A rule's mode or the order's own; None where the connection chooses."""
    return directives.mode or (M(ruled.invoice_mode) if ruled.invoice_mode in MODES else None)


def takes_unpaid(case: Case, mode: TransactionMode) -> bool:
    return mode is M.SUMMARY_INVOICE and case.connection.unpaid_in_summary_invoice


def _account(case: Case, mode: TransactionMode) -> str:
    """Where the money went, which keeps summaries apart; where unpaid orders are in them, nobody knows it yet."""
    return "" if takes_unpaid(case, mode) else receipt_deposit(case)[0].name


def _summary_id(day: date, order: Order, account: str, named: TransactionMode | None) -> str:
    parts = [normal(order.store_name), account, *([named.value] if named else [])]
    apart = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]
    return f"{day.isoformat()}.{order.currency}.{apart}"


def _returned(facts: Facts) -> list[RefundFact]:
    """Refunds that a summary takes off: not goods taken off before payment, without which the sale is in it."""
    return [fact for fact in facts.refunds if fact.nature in MERGED]


def map_summary(
    membership: Membership,
    tenant_id: str,
    orders: Sequence[Order],
    configuration: Configuration,
    rules: CompiledRules,
    catalog: Catalog,
    *,
    mode: TransactionMode,
    finished: bool,
    previous: TransactionSet | None = None,
) -> TransactionSet:
    """One document for all members; waits while the day is not over. Pure; revision 0.

    `previous` is what was made of it before: a change after that is said on the document.

    A member whose parts do not add up holds the whole summary and is named: a summary that leaves one out would never
    agree with the bank.
    """
    first = orders[0] if orders else None
    documents: tuple[Document, ...] = ()
    items: dict[str, ItemWanted] = {}
    reason: Reason | None = None
    try:
        document, sold, items = _summarise(membership, orders, configuration, rules, catalog, mode)
        if document is not None:
            if not finished:
                document = document.model_copy(update={"hold": waiting_for_day_end(membership.day)})
            documents = (with_change_noted(document, previous),)
            if configuration.connection.summary_costs == "journal" and mode is not M.SUMMARY_SALES_ORDER:
                documents = _with_costs(tenant_id, documents[0], sold, items, configuration, catalog, previous)
    except Held as held:
        documents, reason = (), held.reason
    return _answer(membership, tenant_id, first, configuration, mode, reason, documents, items)


def _with_costs(
    tenant_id: str,
    summary: Document,
    sold: Sequence[DocumentLine],
    items: Mapping[str, ItemWanted],
    configuration: Configuration,
    catalog: Catalog,
    previous: TransactionSet | None,
) -> tuple[Document, ...]:
    costs = costs_of(tenant_id, summary, sold, items, configuration, catalog, previous)
    noted = summary.model_copy(update={"notices": (*summary.notices, *costs.missing)})
    return (noted, costs.journal) if costs.journal is not None else (noted,)


def _summarise(
    membership: Membership,
    orders: Sequence[Order],
    configuration: Configuration,
    rules: CompiledRules,
    catalog: Catalog,
    mode: TransactionMode,
) -> tuple[Document | None, tuple[DocumentLine, ...], dict[str, ItemWanted]]:
    """The document, the lines of what was sold, and their items."""
    as_lines = with_tax_lines(configuration)
    is_journal = KINDS[mode] is DocumentKind.JOURNAL_ENTRY
    grouping = Grouping()
    items: dict[str, ItemWanted] = {}
    deposit: Account | None = None
    numbers: list[str] = []
    rates: list[tuple[Decimal, Decimal]] = []
    for order in sorted(orders, key=lambda one: (one.created_at, one.external_id)):
        ruled, directives = rules.apply(order)
        facts = read_facts(ruled, directives, configuration.connection.rounding_tolerance)
        case = Case(ruled, as_lines, catalog, directives, facts)
        try:
            lines = _member_lines(membership, case)
            grouping.add(lines)
        except Held as held:
            raise Held(order_of_summary(order.number, held.reason)) from held
        if case.product_hold is not None and not is_journal:
            raise Held(order_of_summary(order.number, case.product_hold))
        if ruled.exchange_rate is not None:
            rates.append((abs(sum((line.amount for line in lines), ZERO)), ruled.exchange_rate))
        items.update(case.items)
        deposit = deposit or receipt_deposit(case)[0]
        numbers.append(order.number)
    sold = grouping.lines()
    # A journal entry of nothing is none; a receipt of 0.00 is one.
    if deposit is None or (is_journal and not any(line.amount for line in sold)):
        return None, sold, {}
    document = _document(membership, orders[0], as_lines, mode, sold, deposit, numbers)
    return document.model_copy(update={"exchange_rate": _day_rate(rates)}), sold, items


def _day_rate(rates: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """One rate for a day's members, so that together they are worth what each is: (amount, rate) of each.

    None where no member has one: the ledger then takes its own of that day.
    """
    known = [rate for _, rate in rates]
    weight = sum((amount for amount, _ in rates), ZERO)
    if not known or not weight or min(known) == max(known):
        return known[0] if known else None
    return (sum((amount * rate for amount, rate in rates), ZERO) / weight).quantize(RATE_PLACES)


def _member_lines(membership: Membership, case: Case) -> list[DocumentLine]:
    lines: list[DocumentLine] = []
    if case.order.ordered_on == membership.day:
        net = without_removed(case.order, case.facts)
        lines.extend(sale_of(case, net, redeem_gifts=True).lines)
    if case.connection.merge_refunds:
        for fact in _returned(case.facts):
            if fact.refund.refunded_on == membership.day:
                if fact.nature in UNEXPLAINED:
                    raise Held(unexplained(case, fact))
                back, _, _ = refund_body(case, fact)
                back.extend(gift_card_lines(case, fact))
                lines.extend(negated(line) for line in back)
    return lines


def _document(
    membership: Membership,
    first: Order,
    configuration: Configuration,
    mode: TransactionMode,
    lines: tuple[DocumentLine, ...],
    deposit: Account,
    numbers: Sequence[str],
) -> Document:
    total = sum((line.amount for line in lines), ZERO)
    kind = KINDS[mode]
    is_journal = kind is DocumentKind.JOURNAL_ENTRY
    if is_journal:
        lines = _postings(lines, deposit, total)
        total = sum((line.amount for line in lines if line.amount > 0), ZERO)
    if total < 0:
        raise Held(summary_negative(membership.day, total, first.currency))
    connection = configuration.connection
    key = document_key(
        first.tenant_id, connection.company_id, first.connection_id, "summary", membership.summary_id, kind
    )
    is_receipt = kind is DocumentKind.SALES_RECEIPT
    listing = listing_of(numbers)
    from_roles = configuration.account(AccountRole.RECEIVABLE) if kind is DocumentKind.INVOICE else None
    return Document(
        key=key,
        kind=kind,
        source_kind="summary",
        source_id=membership.summary_id,
        number=None,
        memo_number=membership.summary_id,
        note=listing.note,
        orders=listing.orders,
        orders_left_out=listing.left_out,
        date=membership.day,
        currency=first.currency,
        total=total,
        customer_key=None if is_journal else summary_customer(first.currency, configuration).key,
        lines=lines,
        deposit_to=deposit if is_receipt else None,
        receivable=from_roles,
        class_name=connection.class_name,
        department=connection.department,
    )


def _postings(lines: Sequence[DocumentLine], deposit: Account, received: Decimal) -> tuple[DocumentLine, ...]:
    """A day as a journal entry: what was sold against where its money went. A day that lost money is one like any."""
    money = DocumentLine(kind=LineKind.POSTING, account=deposit, amount=received, description=RECEIVED)
    return (*postings_of(lines), *([money] if received else []))


def _answer(
    membership: Membership,
    tenant_id: str,
    first: Order | None,
    configuration: Configuration,
    mode: TransactionMode,
    reason: Reason | None,
    documents: tuple[Document, ...],
    items: Mapping[str, ItemWanted],
) -> TransactionSet:
    connection = configuration.connection
    has_customer = any(document.customer_key is not None for document in documents)
    customers = (summary_customer(first.currency, configuration),) if first is not None and has_customer else ()
    used = {line.item_key for document in documents for line in document.lines}
    return TransactionSet(
        tenant_id=tenant_id,
        revision=0,
        company_id=connection.company_id,
        connection_id=connection.connection_id,
        source_kind="summary",
        source_id=membership.summary_id,
        source_number=membership.summary_id,
        inputs=Inputs(
            source_revision=0,
            connection_revision=configuration.connection_revision,
            company_revision=configuration.company_revision,
        ),
        outcome=SetOutcome.MAPPED if reason is None else SetOutcome.HELD,
        reason=reason,
        kept_mode=mode.value,
        date=membership.day,
        currency=first.currency if first is not None else configuration.ledger.home_currency,
        source_total=documents[0].total if documents else ZERO,
        after_posting=connection.after_posting,
        customers=customers,
        items=tuple(item for key, item in items.items() if key in used),
        documents=documents,
    )
