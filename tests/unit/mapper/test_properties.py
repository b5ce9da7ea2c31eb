"""What holds for every order: documents balance, receivables end right, arrival order does not matter."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.mapper.samples import ALL_CAPABILITIES, configuration, ledger, mapped, order

from common.messages.orders import (
    FinancialStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    OrderLine,
    Refund,
    RefundLine,
    RefundTransaction,
    ShippingLine,
    TaxLine,
    Tender,
    TenderKind,
)
from common.messages.transactions import DocumentKind, SetOutcome, TransactionSet, WantedState
from common.money import minor_unit, prorate
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import NO_DIRECTIVES
from mapper.mapping.facts import RefundNature, read_facts
from mapper.mapping.postings import postings, trial_balance

MODES = (
    "sales_receipts",
    "invoices_only",
    "invoices_payments_if_paid",
    "sales_orders",
    "sales_orders_payments_if_paid",
    "sales_orders_invoices_payments_if_paid",
    "estimates",
    "payments_only",
    "credit_memos_only",
)
CURRENCIES = ("USD", "JPY", "KWD")
START = datetime(2026, 3, 2, tzinfo=UTC)


# Strategies are made once: made anew at every draw they cost more than what they draw.
@cache
def amounts(currency: str, most: int = 50_000) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda units: units * minor_unit(currency))


@cache
def kinds_of_tender(count: int) -> st.SearchStrategy[list[TenderKind]]:
    return st.lists(TENDER_KIND, min_size=count, max_size=count)


TRUTH = st.booleans()
COUNT = st.integers(1, 4)
QUANTITY = st.integers(1, 5)
SKU = st.sampled_from(["SKU1", "SKU2", "SKU3"])
OFF = st.integers(-1, 1)
PAID_BACK = st.sampled_from([0, 1, 1])
MINUTES = st.integers(0, 5000)
TENDER_KIND = st.sampled_from(list(TenderKind))
LIFECYCLE = st.sampled_from([Lifecycle.OPEN, Lifecycle.CANCELLED])
TAX_TITLE = st.sampled_from(["State", "City"])
WEIGHTS = st.lists(st.integers(0, 5), min_size=0, max_size=3)
SHARE = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1), Decimal("1.1")])


@st.composite
def orders(draw: st.DrawFn, currency: str) -> Order:
    """An order that adds up, in any state of payment, with refunds that add up."""
    count = draw(COUNT)
    lines: list[OrderLine] = []
    for index in range(count):
        quantity = draw(QUANTITY)
        amount = draw(amounts(currency))
        discount = draw(amounts(currency, 500))
        charged = draw(amounts(currency, 3_000))
        lines.append(
            OrderLine(
                external_id=f"l{index}",
                sku=draw(SKU),
                name="Thing",
                quantity=Decimal(quantity),
                unit_price=(amount + discount) / quantity,
                amount=amount,
                discount=discount,
                taxes=(TaxLine(title=draw(TAX_TITLE), amount=charged),) if charged else (),
                is_gift_card=draw(TRUTH) and not charged,
            )
        )
    shipping = draw(amounts(currency, 2_000))
    goods = sum((line.amount for line in lines), Decimal(0)) + shipping
    coupon = min(draw(amounts(currency, 1_000)), goods)
    taxes = sum((tax.amount for line in lines for tax in line.taxes), Decimal(0))
    tips = draw(amounts(currency, 300))
    off = draw(OFF) * minor_unit(currency)
    total = goods - coupon + taxes + tips
    total = max(total + off, Decimal(0)) if total else total
    tenders = draw(paid_by(currency, total))
    captured = sum((one.amount for one in tenders), Decimal(0))
    refunds = draw(given_back(currency, lines, shipping, captured))
    status = FinancialStatus.PENDING
    if captured:
        status = FinancialStatus.PAID if captured >= total else FinancialStatus.PARTIALLY_PAID
    return order(
        currency=currency,
        lines=tuple(lines),
        shipping_lines=(ShippingLine(external_id="s", title="Post", amount=shipping, discount=Decimal(0)),),
        discounts=(OrderDiscount(code="C", amount=coupon),) if coupon else (),
        tax_total=taxes,
        tips=tips,
        total=total,
        tenders=tenders,
        refunds=refunds,
        financial_status=status,
        lifecycle=draw(LIFECYCLE),
        cancelled_on=date(2026, 3, 20),
    )


@st.composite
def paid_by(draw: st.DrawFn, currency: str, total: Decimal) -> tuple[Tender, ...]:
    weights = draw(WEIGHTS)
    share = draw(SHARE)
    if not weights or not total or not share or not any(weights):
        return ()
    paid = (total * share).quantize(minor_unit(currency))
    parts = prorate(paid, [Decimal(weight) for weight in weights], currency)
    kinds = draw(kinds_of_tender(len(parts)))
    return tuple(
        Tender(
            external_id=f"t{index}",
            method=kind.value,
            kind=kind,
            amount=part,
            currency=currency,
            captured_at=START + timedelta(hours=index),
            captured_on=START.date(),
        )
        for index, (part, kind) in enumerate(zip(parts, kinds, strict=True))
        if part > 0
    )


@st.composite
def given_back(
    draw: st.DrawFn, currency: str, lines: list[OrderLine], shipping: Decimal, captured: Decimal
) -> tuple[Refund, ...]:
    refunds: list[Refund] = []
    left = captured
    for index, line in enumerate(lines[: draw(st.integers(0, len(lines)))]):
        charged = sum((tax.amount for tax in line.taxes), Decimal(0))
        back = shipping if index == 0 and draw(TRUTH) else Decimal(0)
        value = line.amount + charged + back
        money = min(draw(PAID_BACK) * value, left)
        left -= money
        refunds.append(
            Refund(
                external_id=f"r{index}",
                created_at=START + timedelta(days=index + 1, minutes=draw(MINUTES)),
                refunded_on=date(2026, 3, 3 + index),
                lines=(
                    RefundLine(
                        line_external_id=line.external_id,
                        quantity=line.quantity,
                        amount=line.amount,
                        discount=line.discount,
                        tax=charged,
                        taxes=line.taxes if draw(TRUTH) else (),
                        restock=draw(TRUTH),
                    ),
                ),
                shipping=back,
                shipping_tax=Decimal(0),
                tax=charged,
                transactions=(RefundTransaction(external_id=f"rt{index}", method="money", amount=money),)
                if money
                else (),
            )
        )
    return tuple(refunds)


MISSING = st.sets(st.sampled_from(["refund_receipt", "deposit_to_liability"]))
TAX_METHOD = st.sampled_from(["override", "tax_codes", "inclusive", "none"])
OVERPAYMENT = st.sampled_from(["unapplied", "tip"])
UNPAID_CANCEL = st.sampled_from(["void", "credit_memo"])
CURRENCY = st.sampled_from(CURRENCIES)


@st.composite
def settings_of(draw: st.DrawFn, currency: str, mode: str) -> Configuration:
    missing = draw(MISSING)
    return configuration(
        mode,
        file=ledger(home_currency=currency, capabilities=ALL_CAPABILITIES - missing),
        show_line_discounts=draw(TRUTH),
        tax={"method": draw(TAX_METHOD)},
        overpayment_policy=draw(OVERPAYMENT),
        unpaid_cancel=draw(UNPAID_CANCEL),
    )


@st.composite
def mapped_orders(draw: st.DrawFn, modes: tuple[str, ...] = MODES) -> tuple[Order, Any, TransactionSet]:
    currency = draw(CURRENCY)
    source = draw(orders(currency))
    chosen = draw(settings_of(currency, draw(st.sampled_from(modes))))
    return source, chosen, mapped(source, chosen)


def live(result: TransactionSet) -> list[Any]:
    return [one for one in result.documents if one.wanted is WantedState.PRESENT and one.hold is None]


@given(mapped_orders())
def test_every_document_balances_to_the_cent(case: tuple[Order, Any, TransactionSet]) -> None:
    _, _, result = case
    assert result.outcome is not SetOutcome.HELD or result.reason is not None
    for document in result.documents:
        if document.hold is not None and document.hold.code == "TOTALS_MISMATCH":
            continue
        assert sum(amount for _, amount in postings(document)) == 0
        assert document.total >= 0
        if document.lines or document.taxes:
            parts = sum((line.amount for line in document.lines), Decimal(0))
            parts += sum((tax.amount for tax in document.taxes), Decimal(0))
            assert parts == document.total
        for line in document.lines:
            assert line.amount == line.amount.quantize(minor_unit(document.currency))


@given(mapped_orders())
def test_every_order_ends_with_documents_or_a_named_reason(case: tuple[Order, Any, TransactionSet]) -> None:
    _, _, result = case
    assert not result.documents or result.outcome is SetOutcome.MAPPED
    assert result.documents or (result.reason is not None and result.reason.text)
    keys = [document.key for document in result.documents]
    assert len(keys) == len(set(keys))
    seen: set[str] = set()
    for document in result.documents:
        assert set(document.depends_on) <= seen, "a document stands before one it depends on"
        seen.add(document.key)


@given(mapped_orders(("invoices_payments_if_paid", "sales_orders_invoices_payments_if_paid")))
def test_the_receivable_ends_at_the_open_balance(case: tuple[Order, Any, TransactionSet]) -> None:
    source, chosen, result = case
    facts = read_facts(source, NO_DIRECTIVES, None)
    if result.outcome is not SetOutcome.MAPPED or any(
        fact.nature in (RefundNature.MISMATCH, RefundNature.AMOUNT_ONLY) for fact in facts.refunds
    ):
        return
    balance = trial_balance(live(result)).get("AR", Decimal(0))
    excess = max(facts.captured - source.total, Decimal(0))
    if chosen.connection.overpayment_policy == "tip":
        excess = Decimal(0)
    open_balance = Decimal(0) if facts.cancelled else facts.open
    if any(tender.kind is not TenderKind.MONEY for tender in facts.tenders) and excess:
        return
    assert balance == open_balance - excess


@given(mapped_orders())
def test_mapping_again_gives_the_same_documents(case: tuple[Order, Any, TransactionSet]) -> None:
    source, chosen, result = case
    assert mapped(source, chosen) == result


@given(mapped_orders(), st.randoms(use_true_random=False))
def test_refunds_and_tenders_may_arrive_in_any_order(case: tuple[Order, Any, TransactionSet], chance: Any) -> None:
    source, chosen, result = case
    shuffled = list(source.refunds)
    chance.shuffle(shuffled)
    again = mapped(source.model_copy(update={"refunds": tuple(shuffled)}), chosen)
    assert again.documents == result.documents


def test_three_refunds_have_the_same_numbers_in_every_order_of_arrival() -> None:
    def refund(index: int) -> Refund:
        return Refund(
            external_id=f"r{index}",
            created_at=START + timedelta(days=index),
            refunded_on=date(2026, 3, 3),
            lines=(
                RefundLine(
                    line_external_id="l1",
                    quantity=Decimal(1),
                    amount=Decimal("10.00"),
                    discount=Decimal(0),
                    tax=Decimal(0),
                ),
            ),
            shipping=Decimal(0),
            shipping_tax=Decimal(0),
            tax=Decimal(0),
            transactions=(RefundTransaction(external_id=f"x{index}", method="card", amount=Decimal("10.00")),),
        )

    line = OrderLine(
        external_id="l1",
        sku="A",
        name="A",
        quantity=Decimal(3),
        unit_price=Decimal("10.00"),
        amount=Decimal("30.00"),
        discount=Decimal(0),
    )
    paid = Tender(
        external_id="t",
        method="card",
        amount=Decimal("30.00"),
        currency="USD",
        captured_at=START,
        captured_on=START.date(),
    )
    numbers = set()
    for arrival in permutations([refund(1), refund(2), refund(3)]):
        source = order(lines=(line,), total=Decimal("30.00"), tenders=(paid,), refunds=arrival)
        result = mapped(source, configuration())
        numbers.add(
            tuple((one.source_id, one.number) for one in result.documents if one.kind is DocumentKind.REFUND_RECEIPT)
        )
    assert numbers == {(("r1", "1001"), ("r2", "1001-1"), ("r3", "1001-2"))}


@given(
    st.integers(-10_000, 10_000),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8),
    st.sampled_from(CURRENCIES),
)
def test_proration_loses_no_cent(total: int, weights: list[int], currency: str) -> None:
    unit = minor_unit(currency)
    parts = prorate(total * unit, [weight * unit for weight in weights], currency)
    assert sum(parts) == total * unit
    assert len(parts) == len(weights)
