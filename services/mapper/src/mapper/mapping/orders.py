"""The front door of the core: one order in, one set of documents or one named reason out."""

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.orders import Direction, Order
from common.messages.transactions import Document, Inputs, SetOutcome, TransactionSet
from common.money import UnknownCurrency, exponent, is_exact
from mapper.mapping.bought import plan_purchase
from mapper.mapping.case import Case
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration
from mapper.mapping.customers import resolve_customer
from mapper.mapping.directives import Directives
from mapper.mapping.facts import Facts, read_facts
from mapper.mapping.filter_reasons import before_horizon, nothing_to_write, original_missing, zero_total
from mapper.mapping.filters import find_filter, in_closed_period
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.modes import PURCHASE_FEEDS, SALES_ORDER_MODES, TABLE, Situation
from mapper.mapping.notices import invoice_out_of_scope, let_through, rule_failed
from mapper.mapping.planning import choose_row, plan_documents
from mapper.mapping.pricing import with_price_levels
from mapper.mapping.reasons import (
    Held,
    amount_changed,
    currency_not_enabled,
    fees_conflict,
    mode_not_supported,
    refused_value,
    tax_line_refused,
    tender_currency,
    unknown_currency,
)
from mapper.rules.engine import CompiledRules

NO_RULES = CompiledRules()


def map_order(
    order: Order,
    configuration: Configuration,
    rules: CompiledRules = NO_RULES,
    catalog: Catalog | None = None,
    history: History = FIRST_TIME,
) -> TransactionSet:
    """Decide which documents an order should be in its company file. Pure and total.

    Whatever the order, settings and rules: the answer is MAPPED with documents that balance to the cent (none, with a
    reason, where its mode makes none of it), FILTERED with the filter's name, or HELD with the reason. Only a MAPPED
    set says which documents should be there: the others leave the ledger as it is. Revision 0; the caller assigns it.
    """
    catalog = catalog or Catalog()
    ruled, directives = rules.apply(order)
    try:
        return _map(order, ruled, directives, configuration, rules, catalog, history)
    except Held as held:
        return _answer(order, configuration, rules, catalog, SetOutcome.HELD, held.reason)


def _map(
    order: Order,
    ruled: Order,
    directives: Directives,
    configuration: Configuration,
    rules: CompiledRules,
    catalog: Catalog,
    history: History,
) -> TransactionSet:
    mode = _mode(ruled, directives, configuration, history)
    out = find_filter(ruled, configuration, directives, mode)
    if out is not None:
        return _answer(order, configuration, rules, catalog, SetOutcome.FILTERED, out)
    passed = None
    if order.let_through:
        passed = find_filter(ruled.model_copy(update={"let_through": ()}), configuration, directives, mode)
    ruled = with_price_levels(ruled, directives, catalog, configuration.connection.products.match_field)
    _check_values(ruled, configuration)
    facts = read_facts(ruled, directives, configuration.connection.rounding_tolerance)
    _check_settings(order, ruled, directives, configuration, mode, facts)
    out = _out_of_scope(configuration, facts, history)
    if out is not None:
        return _answer(order, configuration, rules, catalog, SetOutcome.FILTERED, out)
    case = Case(ruled, configuration, catalog, directives, facts)
    if directives.failures:
        case.notices.extend(rule_failed(rule, problem) for rule, problem in directives.failures.items())
    if ruled.direction is Direction.PURCHASE:
        note = plan_purchase(case, TABLE[mode], history)
    else:
        resolve_customer(case)
        row = choose_row(case, TABLE[mode], mode, history)
        note = plan_documents(case, row, mode, history, defers=rules.defers_invoices)
    kept = mode.value if directives.mode is None and not order.invoice_mode else ""
    return _finish(order, case, rules, note, history, kept, passed)


def _mode(order: Order, directives: Directives, configuration: Configuration, history: History) -> TransactionMode:
    """A rule's mode, the order's own, the one it was written by, the connection's: the first there is."""
    if directives.mode is not None:
        return directives.mode
    if order.invoice_mode:
        try:
            return TransactionMode(order.invoice_mode)
        except ValueError:
            raise Held(
                mode_not_supported(
                    order.invoice_mode, "there is no such mode", "Correct the order's invoice mode in the shop."
                )
            ) from None
    return TransactionMode(history.mode) if _keeps(history, configuration) else configuration.connection.mode


def _keeps(history: History, configuration: Configuration) -> bool:
    """Whether the order stays with the mode it was written by. Before the first approval nothing is written."""
    return bool(history.mode) and configuration.company.approved_at is not None


def _check_values(order: Order, configuration: Configuration) -> None:
    """Refuse what no ledger can hold: unknown currencies, negative quantities and totals, fractions of a cent."""
    currency = order.currency
    try:
        exponent(currency)
    except UnknownCurrency:
        raise Held(unknown_currency(currency)) from None
    ledger = configuration.ledger
    if currency != ledger.home_currency and not ledger.multi_currency:
        raise Held(currency_not_enabled(currency, ledger.home_currency))
    if order.total < 0:
        raise Held(refused_value("total", f"{order.total}", "an order's total can't be negative"))
    if not is_exact(order.total, currency):
        raise Held(refused_value("total", f"{order.total}", f"{currency} has no such fraction"))
    for line in order.lines:
        if line.quantity < 0:
            raise Held(refused_value("lines.quantity", f"{line.quantity}", "a sold quantity can't be negative"))
        if not is_exact(line.amount, currency):
            raise Held(refused_value("lines.amount", f"{line.amount}", f"{currency} has no such fraction"))
    for tender in order.tenders:
        if tender.currency != currency:
            raise Held(tender_currency(tender.currency, currency))


def _check_settings(
    order: Order,
    ruled: Order,
    directives: Directives,
    configuration: Configuration,
    mode: TransactionMode,
    facts: Facts,
) -> None:
    connection = configuration.connection
    if mode in PURCHASE_FEEDS and order.direction is Direction.SALE:
        raise Held(
            mode_not_supported(mode.value, "it is for feeds of purchases, not of sales", "Choose a mode for sales.")
        )
    if mode in SALES_ORDER_MODES and connection.tax.method == "tax_line":
        raise Held(tax_line_refused(mode.value))
    if connection.fees.on_order != "none" and connection.payouts.enabled:
        raise Held(fees_conflict())
    changed = directives.changed_by
    if changed and ruled.total != order.total and facts.tenders:
        raise Held(amount_changed(order.total, ruled.total, order.currency, changed))


def _out_of_scope(configuration: Configuration, facts: Facts, history: History) -> Reason | None:
    connection = configuration.connection
    if facts.situation is Situation.ZERO and not connection.sync_zero_total_orders:
        return zero_total()
    if connection.missing_original == "skip" and facts.returned and not history.mapped:
        return original_missing()
    return None


def _finish(
    order: Order,
    case: Case,
    rules: CompiledRules,
    note: Reason | None,
    history: History,
    kept_mode: str,
    passed: Reason | None,
) -> TransactionSet:
    """`passed`: the filter that would keep the order out, had nobody asked for it."""
    configuration = case.configuration
    documents = _within_horizon(case)
    closed = None if history.mapped else in_closed_period(documents, configuration)
    if closed is not None:
        return _answer(order, configuration, rules, case.catalog, SetOutcome.FILTERED, closed)
    if not documents and note is None:
        note = nothing_to_write(case.facts.situation.value.replace("_", " "))
    passed = passed or _passed_horizon(case)
    if note is None and passed is not None:
        note = let_through(passed)
    return _answer(order, configuration, rules, case.catalog, SetOutcome.MAPPED, note, case, documents, kept_mode)


def _within_horizon(case: Case) -> list[Document]:
    horizon = case.customer_horizon
    if horizon is None or "filters" in case.order.let_through:
        return case.documents
    outside = {one.key for one in case.documents if one.date < horizon}
    return [
        one.model_copy(update={"hold": before_horizon(one.date, horizon)})
        if one.key in outside
        else _without(one, outside)
        for one in case.documents
    ]


def _passed_horizon(case: Case) -> Reason | None:
    """The horizon that would hold the first of the documents back, had nobody asked for the order."""
    horizon = case.customer_horizon
    if horizon is None or "filters" not in case.order.let_through:
        return None
    return next((before_horizon(one.date, horizon) for one in case.documents if one.date < horizon), None)


def _without(document: Document, outside: set[str]) -> Document:
    """A document in scope never waits for one that is not: the payment of an older invoice stays unapplied."""
    named = {*document.depends_on, *(one.document_key for one in document.applications)}
    if outside.isdisjoint(named):
        return document
    notices = document.notices
    if any(one.document_key in outside for one in document.applications):
        notices = (*notices, invoice_out_of_scope())
    return document.model_copy(
        update={
            "applications": tuple(one for one in document.applications if one.document_key not in outside),
            "depends_on": tuple(key for key in document.depends_on if key not in outside),
            "notices": notices,
        }
    )


def _answer(
    order: Order,
    configuration: Configuration,
    rules: CompiledRules,
    catalog: Catalog,
    outcome: SetOutcome,
    reason: Reason | None,
    case: Case | None = None,
    documents: list[Document] | None = None,
    kept_mode: str = "",
) -> TransactionSet:
    connection = configuration.connection
    needed = case if documents else None
    return TransactionSet(
        tenant_id=order.tenant_id,
        revision=0,
        company_id=connection.company_id,
        connection_id=order.connection_id,
        source_kind="order",
        source_id=order.external_id,
        source_number=order.number,
        inputs=Inputs(
            source_revision=order.revision,
            connection_revision=configuration.connection_revision,
            company_revision=configuration.company_revision,
            rules_revision=rules.revision,
            catalog_revision=catalog.revision,
        ),
        outcome=outcome,
        reason=reason,
        date=order.ordered_on,
        currency=order.currency,
        source_total=order.total,
        kept_mode=kept_mode,
        after_posting=connection.after_posting,
        customers=(needed.customer,) if needed is not None and needed.customer is not None else (),
        vendors=tuple(needed.vendors.values()) if needed is not None else (),
        items=tuple(needed.items.values()) if needed is not None else (),
        documents=tuple(documents or ()),
    )
