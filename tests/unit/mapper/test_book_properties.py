"""What holds for whole books: receivables, order of arrival, writing twice, summaries, payouts, any set of rules."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ledger_writer.planning.test_properties import Books
from tests.unit.mapper.samples import ALL_CAPABILITIES, ORDER_DAY, configuration, ledger, mapped
from tests.unit.mapper.test_properties import CURRENCIES, MODES, live, mapped_orders, orders, settings_of

from common.internal.mapper_rules import Action
from common.messages.control import TransactionMode
from common.messages.orders import FinancialStatus, Order, Payout, PayoutLine
from common.messages.transactions import Document, DocumentKind, SetOutcome, TransactionSet
from common.money import ZERO, minor_unit
from ledger_writer.planning.model import Settle, Terms
from mapper.mapping.catalog import Catalog
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.orders import NO_RULES, map_order
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payouts import map_payout
from mapper.mapping.postings import postings, trial_balance
from mapper.mapping.summaries import map_summary, memberships
from mapper.rules.compiling import RuleRefused, compile_rule, compile_rules
from mapper.rules.model import WITHOUT_ARGUMENT, Rule

K = DocumentKind
TERMS = SimpleNamespace(TERMS=Terms(edits_posted=True, approved=True, closed_through=date(2025, 12, 31)))
ALL_MODES = (*MODES, "sales_orders_invoices_po", "none")


def total_of(documents: Iterable[Document], *kinds: DocumentKind) -> Decimal:
    """What documents of these kinds move on the receivable account."""
    return sum((one.total for one in documents if one.kind in kinds and one.receivable is not None), ZERO)


@given(mapped_orders(ALL_MODES))
def test_the_receivable_is_invoices_and_refunds_less_credits_and_payments(
    case: tuple[Order, Any, TransactionSet],
) -> None:
    written = live(case[2])
    owed = total_of(written, K.INVOICE, K.REFUND_PAYMENT) - total_of(written, K.CREDIT_MEMO, K.PAYMENT)
    assert trial_balance(written).get("AR", ZERO) == owed


def as_of(order: Order, tenders: int, refunds: int) -> Order:
    """The order when only so many of its payments and refunds had arrived."""
    arrived = order.tenders[:tenders]
    captured = sum((one.amount for one in arrived), ZERO)
    status = FinancialStatus.PENDING
    if captured:
        status = FinancialStatus.PAID if captured >= order.total else FinancialStatus.PARTIALLY_PAID
    changes = {"tenders": arrived, "refunds": order.refunds[:refunds], "financial_status": status}
    return order.model_copy(update=changes)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Order, Any, list[Order]]:
    """An order, settings, and the versions in which it became known: its parts in any order, some at once."""
    currency = draw(st.sampled_from(CURRENCIES))
    whole = draw(orders(currency))
    settings = draw(settings_of(currency, draw(st.sampled_from(MODES))))
    more = {"unpaid_in_receipt_mode": draw(st.sampled_from(["hold", "invoice"]))}
    settings.connection = settings.connection.model_copy(update=more)
    tenders = draw(st.permutations(whole.tenders))
    refunds = draw(st.permutations(whole.refunds))
    shuffled = whole.model_copy(update={"tenders": tuple(tenders), "refunds": tuple(refunds)})
    steps = draw(st.permutations(["tender"] * len(tenders) + ["refund"] * len(refunds)))
    versions = []
    for count in range(len(steps)):
        known = steps[:count]
        if draw(st.booleans()):
            versions.append(as_of(shuffled, known.count("tender"), known.count("refund")))
    return whole, settings, [*versions, as_of(shuffled, len(tenders), len(refunds))]


@given(arrivals())
def test_paid_and_refunded_parts_end_in_the_same_books_in_any_order_of_arrival(
    case: tuple[Order, Any, list[Order]],
) -> None:
    whole, settings, versions = case
    books = Books(TERMS, edits_posted=True, links_ahead=True)
    history = FIRST_TIME
    for version in versions:
        result = mapped(version, settings, history=history)
        if result.outcome is SetOutcome.MAPPED:
            books.want([one for one in result.documents if one.hold is None])
            books.converge()
            now = History.of(result)
            history = History(
                now.mapped or history.mapped, now.invoiced or history.invoiced, now.cancellation, now.shipments
            )
    at_once = mapped(as_of(whole, len(whole.tenders), len(whole.refunds)), settings)
    assert result.outcome is at_once.outcome
    assert trial_balance(live(result)) == trial_balance(live(at_once))


@given(mapped_orders(ALL_MODES), st.booleans(), st.booleans())
def test_planning_a_written_order_again_yields_nothing(
    case: tuple[Order, Any, TransactionSet], edits_posted: bool, links_ahead: bool
) -> None:
    source, settings, result = case
    books = Books(TERMS, edits_posted=edits_posted, links_ahead=links_ahead)
    books.want([one for one in result.documents if one.hold is None])
    books.converge()
    again = mapped(source, settings, history=History.of(result))
    assert trial_balance(live(again)) == trial_balance(live(result))
    if [one.key for one in again.documents] == [one.key for one in result.documents]:
        books.want([one for one in again.documents if one.hold is None])
    assert all(isinstance(step, Settle) for step in books.plan())


@given(mapped_orders(ALL_MODES))
def test_mapping_what_is_mapped_changes_no_document(case: tuple[Order, Any, TransactionSet]) -> None:
    source, settings, result = case
    assert mapped(source, settings, history=History.of(result)).documents == result.documents


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Order], Any, TransactionMode]:
    currency = draw(st.sampled_from(CURRENCIES))
    mode = draw(st.sampled_from(["summary_sales_receipt", "summary_invoice", "summary_sales_order"]))
    settings = draw(settings_of(currency, mode))
    settings.connection = settings.connection.model_copy(update={"merge_refunds": draw(st.booleans())})
    drawn = draw(st.lists(orders(currency), min_size=1, max_size=4))
    numbered = [
        one.model_copy(update={"external_id": f"o{index}", "number": str(index), "ordered_on": ORDER_DAY})
        for index, one in enumerate(drawn)
    ]
    return numbered, settings, TransactionMode(mode)


@given(days(), st.randoms(use_true_random=False))
def test_a_summary_balances_and_does_not_depend_on_the_order_of_its_members(
    case: tuple[list[Order], Any, TransactionMode], chance: Any
) -> None:
    members, settings, mode = case
    (first, *_) = memberships(members[0], settings, NO_RULES)
    shuffled = list(members)
    chance.shuffle(shuffled)
    made = [
        map_summary(first, "tenant", some, settings, NO_RULES, Catalog(), mode=mode, finished=True)
        for some in (members, shuffled)
    ]
    assert made[0].documents == made[1].documents
    assert made[0].outcome is SetOutcome.MAPPED or made[0].reason is not None
    for document in made[0].documents:
        assert sum(amount for _, amount in postings(document)) == 0
        assert sum((line.amount for line in document.lines), ZERO) == document.total


def paid_out(results: list[TransactionSet], fee: Decimal) -> tuple[PayoutLine, ...]:
    lines: list[PayoutLine] = []
    for result in results:
        for document in live(result):
            sign = {K.SALES_RECEIPT: 1, K.PAYMENT: 1, K.REFUND_RECEIPT: -1, K.REFUND_PAYMENT: -1}.get(document.kind)
            if sign is None or not document.total:
                continue
            lines.append(
                PayoutLine(
                    external_id=document.key,
                    kind="charge" if sign > 0 else "refund",
                    amount=document.total * sign,
                    fee=fee if sign > 0 else ZERO,
                    order_external_id=result.source_id,
                    tender_external_id=document.source_id if document.kind is K.PAYMENT else "",
                    refund_external_id=document.source_id if sign < 0 else "",
                    occurred_on=document.date,
                )
            )
    return tuple(lines)


@st.composite
def payouts(draw: st.DrawFn) -> tuple[Payout, list[TransactionSet], Any]:
    """What a processor pays out for a few orders, with fees, and at times something that no order explains."""
    currency = draw(st.sampled_from(CURRENCIES))
    mode = draw(st.sampled_from(["sales_receipts", "invoices_payments_if_paid", "journal_entries", "summary_payout"]))
    settings = configuration(
        mode,
        file=ledger(home_currency=currency, capabilities=ALL_CAPABILITIES),
        payouts={"enabled": True, "adjustments": {"Storage": "FEES"}},
    )
    sources = [
        one.model_copy(update={"external_id": f"o{index}", "number": str(index)})
        for index, one in enumerate(draw(st.lists(orders(currency), min_size=1, max_size=3)))
    ]
    results = [mapped(one, configuration("sales_receipts", file=settings.ledger)) for one in sources]
    unit = minor_unit(currency)
    lines = list(paid_out(results, draw(st.integers(0, 99)) * unit))
    for kind in draw(st.lists(st.sampled_from(["chargeback", "reserve_held", "adjustment"]), max_size=2)):
        amount = -draw(st.integers(1, 50_000)) * unit
        day = draw(st.sampled_from([date(2026, 2, 20), date(2026, 3, 10)]))
        lines.append(
            PayoutLine(external_id=kind, kind=kind, amount=amount, fee=ZERO, description="Storage", occurred_on=day)
        )
    net = sum((line.amount - line.fee for line in lines), ZERO)
    payout = Payout(
        tenant_id="tenant",
        revision=1,
        connection_id="shop-1",
        external_id="po",
        processor="processor",
        currency=currency,
        paid_on=date(2026, 3, 15),
        status="paid",
        net=net + draw(st.sampled_from([0, 0, 0, 1])) * unit,
        lines=tuple(lines),
    )
    return payout, results, settings


@given(payouts())
def test_a_payout_is_deposited_to_the_cent_or_named_as_what_it_is(
    case: tuple[Payout, list[TransactionSet], Any],
) -> None:
    payout, results, settings = case
    made = map_payout(payout, settings, candidates_of(results))
    stated = sum((line.amount - line.fee for line in payout.lines), ZERO)
    if stated != payout.net:
        assert made.outcome is SetOutcome.HELD
        assert made.reason is not None
        assert made.reason.code == "PAYOUT_UNBALANCED"
        return
    if made.outcome is not SetOutcome.MAPPED:
        assert made.reason is not None
        assert made.reason.cure
        return
    for document in made.documents:
        assert sum(amount for _, amount in postings(document)) == 0
    balance = trial_balance(list(made.documents))
    assert balance.get("BANK", ZERO) + balance.get("SHORT", ZERO) == payout.net
    assert balance.get("CFWD", ZERO) == 0


TEXTS = ("", "A", "SKU1", "10", "-3", "*", "2026-03-01", "{sku}", "USD", "sales_receipts", "+30", "- first", "a=b")


VALUE = st.sampled_from(TEXTS[1:])
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["sku", "total", "currency", "payment_method", "is_refund", "ordered_on"]),
            "comparison": st.sampled_from(["equals", "is_not", "contains", "more_than", "is_empty", "before"]),
            "value": VALUE,
        }
    ),
    max_size=2,
)
# Any action with any value on any condition; many of them make no sense, which is the point.
RULES = st.fixed_dictionaries(
    {
        "name": st.sampled_from("abcdef"),
        "priority": st.integers(0, 3),
        "action": st.sampled_from(list(Action)),
        "value": VALUE,
        "conditions": CONDITIONS,
        "stop": st.booleans(),
        "allow_total_change": st.booleans(),
    }
).map(lambda drawn: rule_of(**drawn))


def rule_of(action: Action, value: str, **more: Any) -> Rule:
    given = {"action": action, "value": "" if action in WITHOUT_ARGUMENT else value, **more}
    return Rule.model_validate(given, strict=False)


def compiles(rule: Rule) -> bool:
    """Whether the rule could be saved."""
    try:
        compile_rule(rule)
    except RuleRefused:
        return False
    return True


@given(st.data(), st.lists(RULES.filter(compiles), min_size=1, max_size=6))
def test_whatever_the_rules_do_documents_balance_or_a_reason_is_named(data: st.DataObject, some: list[Rule]) -> None:
    currency = data.draw(st.sampled_from(CURRENCIES))
    source = data.draw(orders(currency))
    settings = data.draw(settings_of(currency, data.draw(st.sampled_from(ALL_MODES))))
    compiled = compile_rules(some, connection_id="shop-1", revision=1)
    result = map_order(source, settings, compiled)
    assert result.documents or result.reason is not None
    for document in result.documents:
        if document.hold is None or document.hold.code != "TOTALS_MISMATCH":
            assert sum(amount for _, amount in postings(document)) == 0
    assert map_order(source, settings, compiled) == result
