"""The ordered explanation of section 8, reason by reason, for real orders through REST and on their timelines."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from tests.e2e.books import Books, Stage
from tests.e2e.canonical import Json
from tests.e2e.vectors.sales import INVOICES, ORDERS, OWN_NUMBERS, PAID_A, SOMEBODYS_ESTIMATE
from tests.e2e.world import eventually
from tests.unit.mapper.samples import D, example_a, line, order, tender, unpaid

from common.messages.orders import TenderKind
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONLINE = "quickbooks_online"
Seeds = list[tuple[str, Json]]
Story = Callable[[Stage], Awaitable[Books]]


async def why(books: Books) -> Json:
    """Wait for the reason of the order's only payment that is missing."""
    reason: Json = {}

    async def is_told() -> bool:
        nonlocal reason
        orders = await books.world.orders(books.connection)
        if "9001" not in orders:
            return False
        answer = await books.world.gateway.get(f"/orders/{orders['9001']['order_id']}/missing-payments")
        reason = next((one["reason"] for one in answer["payments"] if one["reason"]), {})
        return bool(reason) and answer["missing"] == 1

    await eventually(is_told, "a payment is missing", within_s=150, seen=lambda: reason)
    return reason


async def a_the_mode_has_no_payments(stage: Stage) -> Books:
    books = await stage.books("invoices_only")
    await books.push(example_a())
    await books.stands("invoice 77.00")
    return books


async def b_the_filter_never_sees_the_order_again(stage: Stage) -> Books:
    books = await stage.books(INVOICES, order_statuses=["pending"])
    await books.push(unpaid())
    await books.stands("invoice 77.00")
    await books.push(example_a())
    await books.push(unpaid(external_id="9002", number="1002"))
    await books.document_of("9002", "invoice", column="in_ledger")
    return books


async def c_the_order_form_was_refused(stage: Stage) -> Books:
    books = await stage.books(ORDERS, ONLINE, seeded=SOMEBODYS_ESTIMATE)
    await books.push(example_a())
    await books.document_becomes("estimate", "action_required", "SO_NOT_FOUND")
    return books


async def d_there_is_nothing_to_pay(stage: Stage) -> Books:
    books = await stage.books(INVOICES)
    free = line("l1", "HAMMER", "25.00", amount=D("0.00"), discount=D("25.00"))
    await books.push(order(lines=(free,), total=D("0.00"), tenders=(tender("0.00"),)))
    await books.stands("invoice 0.00")
    return books


async def e_the_customer_has_another_payment_of_the_reference(stage: Stage) -> Books:
    by_hand = {"CustomerRef": {"value": "1"}, "TotalAmt": 70, "TxnDate": "2026-05-20", "PaymentRefNum": "ch_t1"}
    seeded: Seeds = [OWN_NUMBERS, ("Customer", {"DisplayName": "Ada Lovelace"}), ("Payment", by_hand)]
    books = await stage.books(INVOICES, ONLINE, seeded=seeded)
    await books.push(example_a())
    await books.document_becomes("payment", "action_required", "PAYMENT_DUPLICATE_REFERENCE")
    return books


async def f_a_rule_marks_it_unpaid(stage: Stage) -> Books:
    books = await stage.books(INVOICES)
    await books.rule("mark_as_unpaid", "", ("number", "equals", "1001"), name="not paid yet")
    await books.push(example_a())
    await books.stands("invoice 77.00")
    return books


async def g_a_gift_card_is_a_line(stage: Stage) -> Books:
    books = await stage.books(INVOICES, ONLINE)
    card = tender("30.00", "t2", kind=TenderKind.GIFT_CARD, method="gift_card")
    await books.push(example_a(tenders=(tender("47.00"), card)))
    await books.stands("invoice 47.00", "payment 47.00")
    return books


async def h_its_period_is_closed(stage: Stage) -> Books:
    books = await stage.books(INVOICES)
    before = datetime(2025, 12, 20, 12, tzinfo=UTC)
    await books.push(example_a(tenders=(tender("77.00", captured_on=before.date(), captured_at=before),)))
    await books.document_becomes("payment", "action_required", "PERIOD_CLOSED")
    return books


STORIES: list[tuple[Story, str, str, str]] = [
    # what happened, then field, value and code of the reason
    (a_the_mode_has_no_payments, "mode", "invoices_only", "PAYMENT_NOT_IN_MODE"),
    (b_the_filter_never_sees_the_order_again, "order_statuses", "pending", "PAYMENT_NOT_FETCHED"),
    (c_the_order_form_was_refused, "memo", "4711", "PAYMENT_INVOICE_MISSING"),
    (d_there_is_nothing_to_pay, "balance", "0.00", "NO_BALANCE"),
    (e_the_customer_has_another_payment_of_the_reference, "reference", "ch_t1", "PAYMENT_DUPLICATE_REFERENCE"),
    (f_a_rule_marks_it_unpaid, "rule", "not paid yet", "PAYMENT_MARKED_UNPAID"),
    (g_a_gift_card_is_a_line, "tenders.kind", "gift_card", "PAYMENT_IS_A_LINE"),
    (h_its_period_is_closed, "start_date", "2026-01-01", "PAYMENT_OUT_OF_SCOPE"),
]


async def test_each_reason_for_a_missing_payment_is_told_over_rest_and_on_the_timeline(product: Stack) -> None:
    async def told(stage: Stage, story: Story) -> tuple[str, str, str, list[str]]:
        books = await story(stage)
        reason = await why(books)
        timeline = await books.world.timeline(await books.order())
        codes = [entry["reason"]["code"] for entry in timeline["entries"] if entry["outcome"] == "missing"]
        return reason["field"], reason["value"], reason["code"], codes

    async with Stage.of(product) as stage:
        answers = await asyncio.gather(*(told(stage, story) for story, *_ in STORIES))
    assert answers == [(field, value, code, [code]) for _, field, value, code in STORIES]


async def test_a_payment_that_somebody_typed_in_is_linked_by_its_reference(product: Stack) -> None:
    typed = {"CustomerRef": {"value": "1"}, "TotalAmt": 77, "TxnDate": "2026-05-20", "PaymentRefNum": "ch_t1"}
    seeded: Seeds = [OWN_NUMBERS, ("Customer", {"DisplayName": "Ada Lovelace"}), ("Payment", typed)]
    async with Stage.of(product) as stage:
        books = await stage.books(INVOICES, ONLINE, seeded=seeded)
        (there,) = await books.quickbooks("Payment")
        await books.push(example_a())
        rows = await books.stands(*PAID_A)
        assert [row["ledger_id"] for row in rows if row["kind"] == "payment"] == [there["Id"]]
        (payment,) = await books.quickbooks("Payment")
        assert [D(str(one["Amount"])) for one in payment["Line"]] == [D("77.00")]
        assert (await books.balances()).get("AR") is None
