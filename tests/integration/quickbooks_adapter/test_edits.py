"""Orders edited after they were paid: QuickBooks is written to side by side, and money must not overtake."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.ledger_writer.conftest import (
    Desk,
    customer_of,
    form,
    item_of,
    order_set,
    payment,
)
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.integration.quickbooks_adapter.world import waits_cut_short

from common.messages.transactions import Account, AccountRole, Application, Document, DocumentKind, TransactionSet
from ledger_writer.store import due

INCOME = Account(role=AccountRole.INCOME, name="Sales of Product Income")
BUYER = customer_of("Jane Roe")
MUG = item_of("Mug").model_copy(update={"income_account": INCOME})
NUMBER = "3001"
RECEIVABLE = "84"
UNDEPOSITED = "4"
HELD_S = 0.7
"""Much longer than the stand-in takes for anything else: what is sent beside it has arrived long before."""


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    async with open_desk() as made:
        yield made


def invoice(amount: str) -> Document:
    made = form(NUMBER, DocumentKind.INVOICE, amount, customer=BUYER, item=MUG)
    return made.model_copy(update={"lines": (made.lines[0].model_copy(update={"account": INCOME}),)})


def credit(amount: str) -> Document:
    made = form(NUMBER, DocumentKind.CREDIT_MEMO, amount, customer=BUYER, item=MUG)
    return made.model_copy(update={"lines": (made.lines[0].model_copy(update={"account": INCOME}),)})


def paid(amount: str, *, ordinal: int = 0, applied: str | None = None) -> Document:
    made = payment(NUMBER, amount, customer=BUYER, to=invoice("1.00").key, ordinal=ordinal)
    if applied is None:
        return made
    application = Application(document_key=invoice("1.00").key, amount=Decimal(applied))
    return made.model_copy(update={"applications": (application,)})


def version(revision: int, *documents: Document) -> TransactionSet:
    return order_set(NUMBER, documents, customers=[BUYER], items=[MUG], revision=revision)


EDITS: dict[str, tuple[list[Document], list[Document], dict[str, Any]]] = {
    # how it stood; how it shall stand; what reaches the ledger last
    "up, and the difference is paid": (
        [invoice("80.00"), paid("80.00")],
        [invoice("100.00"), paid("80.00"), paid("20.00", ordinal=1)],
        {"entity": "Invoice", "operation": "save"},
    ),
    "down, and part of the money becomes a credit": (
        [invoice("100.00"), paid("60.00"), paid("40.00", ordinal=1)],
        [invoice("70.00"), paid("60.00"), paid("40.00", ordinal=1, applied="10.00")],
        {"entity": "Payment", "operation": "*"},
    ),
    "the money came another way": (
        [invoice("80.00"), paid("80.00")],
        [invoice("80.00"), paid("80.00", ordinal=1)],
        {"entity": "Payment", "operation": "void"},
    ),
    "the money came another way, and less of it for less": (
        [invoice("80.00"), paid("80.00")],
        [invoice("50.00"), paid("50.00", ordinal=1)],
        {"entity": "Payment", "operation": "void"},
    ),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edit_of_a_paid_order_arrives_whole_whatever_is_slow(desk: Desk, company: Company, edit: str) -> None:
    before, after, slow = EDITS[edit]
    await pair(desk, company)
    await desk.send(version(1, *before))
    await desk.settled(len(before) + 2)
    company.stand_in.fail(action="delay", hold_s=HELD_S, times=None, realm=company.realm, **slow)
    await desk.send(version(2, *after))
    await desk.until("SELECT revision FROM sets", 2)
    await is_at_rest(desk)
    await check(desk, company, after)


async def test_versions_of_an_order_that_arrive_while_it_is_written_end_as_the_last_one(
    desk: Desk, company: Company
) -> None:
    await pair(desk, company)
    company.stand_in.fail(
        action="delay", hold_s=0.3, times=None, realm=company.realm, entity="Invoice", operation="save"
    )
    last = [invoice("100.00"), paid("80.00"), paid("20.00", ordinal=1)]
    await desk.send(version(1, invoice("80.00"), paid("80.00")))
    await desk.until("SELECT count(*) FROM lanes WHERE intents IS NOT NULL", 1)
    await desk.send(version(2, invoice("100.00"), paid("80.00")))
    await desk.send(version(3, *last))
    await desk.until("SELECT revision FROM sets", 3)
    await is_at_rest(desk)
    await check(desk, company, last)


@pytest.mark.parametrize(("landing", "cut"), [("timeout_after", 0), ("timeout_after", 2), ("delay", 0)])
async def test_an_edit_that_was_taken_back_before_it_was_answered_does_not_stay(
    open_desk: OpenDesk, company: Company, landing: str, cut: int
) -> None:
    """It reaches the ledger before it is given up (`timeout_after`), or after all else was settled (`delay`).

    What takes it back is `cut` as often on its way there, and gets no answer either.
    """
    steer = company.stand_in.steer
    async with open_desk(request_timeout_s=3.0) as desk, waits_cut_short(desk):
        await pair(desk, company)
        await desk.send(version(1, invoice("80.00")))
        await desk.settled(3)
        before = Counter(steer("GET", "/counters"))
        company.stand_in.fail(action=landing, hold_s=6.0, entity="Invoice", operation="update", realm=company.realm)
        await desk.send(version(2, invoice("100.00").model_copy(update={"note": "At the door"})))
        await arrived(company, landing, before)
        if cut:
            company.stand_in.fail(
                action="drop_before", times=cut, entity="Invoice", operation="update", realm=company.realm
            )
        await desk.send(version(3, invoice("80.00")))
        await desk.until("SELECT revision FROM sets", 3)
        await is_at_rest(desk)
        if landing == "delay":
            # It is refused as outdated, or as a repetition; or it is taken.
            ends = ("fault:5010", "fault:600", "repeated")
            async with asyncio.timeout(30):
                while [one["TotalAmt"] for one in company.stored("Invoice")] == [Decimal("80.00")] and not any(
                    steer("GET", "/counters").get(name, 0) > before[name] for name in ends
                ):
                    await asyncio.sleep(0.05)
        await check(desk, company, [invoice("80.00")])
        assert [one.get("CustomerMemo") for one in company.stored("Invoice")] == [None]
        assert await desk.pool.fetchval("SELECT count(*) FROM documents WHERE sent IS NOT NULL") == 0


async def test_what_edits_without_an_answer_said_is_kept_once_each(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    await desk.send(version(1, invoice("80.00")))
    await desk.settled(3)
    key = invoice("80.00").key
    async with desk.pool.acquire() as connection:
        for body in ("one", "two", "one"):
            await due.keep_sent(connection, [due.Move(key, 1, "unknown", 1, 0, sent=body)])
    assert await due.sent(desk.pool, [key]) == {key: ["one", "two"]}


async def test_a_document_that_was_taken_back_before_it_was_answered_does_not_stay(
    open_desk: OpenDesk, company: Company
) -> None:
    async with open_desk(request_timeout_s=3.0) as desk, waits_cut_short(desk):
        await pair(desk, company)
        before = Counter(company.stand_in.steer("GET", "/counters"))
        company.stand_in.fail(
            action="timeout_after", hold_s=6.0, entity="Invoice", operation="create", realm=company.realm
        )
        await desk.send(version(1, invoice("80.00")))
        await arrived(company, "timeout_after", before)
        await desk.send(version(2))
        await desk.until("SELECT state FROM documents WHERE set_key <> ''", "voided")
        assert [one["TotalAmt"] for one in company.stored("Invoice")] == [0]
        assert company.balances().get(RECEIVABLE, Decimal(0)) == 0


@pytest.mark.parametrize(("kind", "operation"), [(DocumentKind.INVOICE, "void"), (DocumentKind.CREDIT_MEMO, "delete")])
async def test_a_removal_that_was_taken_back_before_it_was_answered_does_not_stay(
    open_desk: OpenDesk, company: Company, kind: DocumentKind, operation: str
) -> None:
    """QuickBooks voids an invoice and deletes a credit memo: there is nothing left of it to change."""
    wanted = invoice("80.00") if kind is DocumentKind.INVOICE else credit("80.00")
    async with open_desk(request_timeout_s=3.0) as desk, waits_cut_short(desk):
        await pair(desk, company)
        await desk.send(version(1, wanted))
        await desk.settled(3)
        before = Counter(company.stand_in.steer("GET", "/counters"))
        company.stand_in.fail(action="timeout_after", hold_s=6.0, operation=operation, realm=company.realm)
        await desk.send(version(2))
        await arrived(company, "timeout_after", before)
        await desk.send(version(3, wanted))
        await desk.until("SELECT revision FROM sets", 3)
        await is_at_rest(desk)
        await check(desk, company, [wanted])


async def arrived(company: Company, action: str, before: Counter[str]) -> None:
    """Wait until the request that the action is for has reached the ledger."""
    async with asyncio.timeout(30):
        while company.stand_in.steer("GET", "/counters").get(f"injected:{action}", 0) == before[f"injected:{action}"]:
            await asyncio.sleep(0.02)


async def is_at_rest(desk: Desk) -> None:
    busy = "SELECT count(*) FROM documents WHERE state NOT IN ('synced', 'voided', 'action_required', 'blocked')"
    await desk.until(busy, 0, timeout_s=30)


async def check(desk: Desk, company: Company, wanted: Sequence[Document]) -> None:
    """Every document is there as it is wanted, and the ledger's accounts say the same."""
    rows = await desk.pool.fetch("SELECT document_key, kind, state, code, raw, notices FROM documents")
    found = {row["document_key"]: row for row in rows}
    for document in wanted:
        row = found[document.key]
        assert (row["state"], row["notices"]) == ("synced", ""), dict(row)
    gone = [row for key, row in found.items() if row["kind"] == "payment" and key not in {one.key for one in wanted}]
    assert [row["state"] for row in gone] == ["voided"] * len(gone)
    money = sum((one.total for one in wanted if one.kind is DocumentKind.PAYMENT), Decimal(0))
    sign = {DocumentKind.INVOICE: 1, DocumentKind.CREDIT_MEMO: -1}
    sold = sum((sign.get(one.kind, 0) * one.total for one in wanted), Decimal(0))
    balances = company.balances()
    assert balances.get(UNDEPOSITED, Decimal(0)) == money
    assert balances.get(RECEIVABLE, Decimal(0)) == sold - money
    applied = sum((each.amount for one in wanted for each in one.applications), Decimal(0))
    assert sum(one["Balance"] for one in company.stored("Invoice")) == max(sold, Decimal(0)) - applied
