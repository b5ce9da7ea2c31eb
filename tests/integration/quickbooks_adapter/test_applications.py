"""Money that was applied while its answer was lost: what stands in the ledger stands in our books too."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Any

import orjson
import pytest
from tests.integration.ledger_writer.conftest import COMPANY, Desk
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.integration.quickbooks_adapter.world import NAMES, order
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document

from common.messages.transactions import Application, Document, DocumentKind, TransactionSet
from ledger_writer.lanes.work import Pass
from ledger_writer.store.lanes import LeaseLost

WHOLE = Decimal("77.00")


@pytest.fixture
async def desk(open_desk: OpenDesk, company: Company) -> AsyncIterator[Desk]:
    async with open_desk(request_timeout_s=3.0) as made:
        await pair(made, company)
        yield made


def to(target: Document) -> dict[str, Any]:
    return {
        "applications": (Application(document_key=target.key, amount=target.total),),
        "depends_on": (target.key,),
    }


INVOICE = document(DocumentKind.INVOICE)
MONEY = document(DocumentKind.PAYMENT)
CREDIT = document(DocumentKind.CREDIT_MEMO)
BACK = document(DocumentKind.REFUND_PAYMENT, deposit_to=samples.CHECKING)

Cases = Callable[..., Any]
cases: Cases = pytest.mark.parametrize(
    ("before", "source", "target", "lost"),
    [
        pytest.param((INVOICE,), MONEY, INVOICE, "create", id="a payment with its application"),
        pytest.param((INVOICE, MONEY), MONEY, INVOICE, "update", id="a payment that was unapplied so far"),
        pytest.param((INVOICE,), CREDIT, INVOICE, "create", id="a credit memo set off by a payment of nothing"),
        pytest.param((INVOICE, CREDIT), CREDIT, INVOICE, "create", id="a credit memo that was open so far"),
        pytest.param((MONEY,), BACK, MONEY, "update", id="money paid back out of a payment"),
        pytest.param((CREDIT,), BACK, CREDIT, "create", id="money paid back for a credit memo"),
    ],
)


def steps(before: Sequence[Document], source: Document, target: Document) -> tuple[TransactionSet, TransactionSet]:
    """The order as it is at first, and with the source's money applied to the target."""
    applied = source.model_copy(update=to(target))
    after = [one for one in before if one.key != source.key]
    return order("1001", *before), order("1001", *after, applied, revision=2)


async def check(desk: Desk, company: Company, source: Document, target: Document) -> None:
    """The ledger has it once, our rows say the same, and nothing is left to do."""
    await desk.until(
        "SELECT string_agg(state, ',') FROM documents WHERE document_key = ANY($1::text[])",
        "synced,synced",
        [source.key, target.key],
    )
    rows = "SELECT applications FROM documents WHERE document_key = $1"
    applied = orjson.loads(await desk.pool.fetchval(rows, source.key) or "[]")
    assert [(key, Decimal(amount)) for key, amount in applied] == [(target.key, WHOLE)]
    assert await desk.pool.fetchval("SELECT applied FROM documents WHERE document_key = $1", target.key) == WHOLE
    for invoice in company.stored("Invoice"):
        assert invoice["Balance"] == 0
    for payment in company.stored("Payment"):
        assert payment["UnappliedAmt"] == 0
    for memo in company.stored("CreditMemo"):
        assert memo["RemainingCredit"] == 0
    assert len(company.stored("Payment")) == 1


def stands(company: Company) -> list[tuple[str, str]]:
    """Every document with its token: whatever is written again has another one."""
    entities = ("Invoice", "Payment", "CreditMemo", "Purchase")
    return sorted((one["Id"], one["SyncToken"]) for entity in entities for one in company.stored(entity))


@cases
async def test_an_application_whose_answer_was_lost_is_known_for_what_it_is(
    desk: Desk,
    company: Company,
    before: Sequence[Document],
    source: Document,
    target: Document,
    lost: str,
) -> None:
    first, second = steps(before, source, target)
    await desk.send(first)
    await desk.settled(NAMES + len(before))
    company.stand_in.fail(action="drop_after", entity="Payment", operation=lost, realm=company.realm)
    await desk.send(second)
    await desk.until("SELECT count(*) > 0 FROM attempts WHERE outcome = 'unanswered'", True)
    await check(desk, company, source, target)
    assert await desk.pool.fetchval("SELECT count(*) FROM attempts WHERE outcome = 'refused'") == 0
    standing = stands(company)
    await desk.send(second.model_copy(update={"revision": 3}))
    await desk.until("SELECT count(*) FROM sets WHERE revision = 3", 1)
    await desk.pool.execute("UPDATE documents SET state = 'queued', seq = nextval('due_seq') WHERE kind <> 'item'")
    await check(desk, company, source, target)
    assert stands(company) == standing


@cases
async def test_an_application_whose_writer_died_as_did_its_successor_is_known_for_what_it_is(
    desk: Desk,
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    before: Sequence[Document],
    source: Document,
    target: Document,
    lost: str,
) -> None:
    first, second = steps(before, source, target)
    await desk.send(first)
    await desk.settled(NAMES + len(before))
    record = Pass._record
    died: list[str] = []

    async def dying(self: Pass, moved: Any, *given: Any, clears: bool = False, **more: Any) -> None:
        if clears and not died and any(row.document_key == source.key for row, _ in moved):
            died.append(lost)
            raise LeaseLost(COMPANY)
        await record(self, moved, *given, clears=clears, **more)

    resolve_intents = Pass.resolve_intents

    async def dying_too(self: Pass, *given: Any) -> int:
        if len(died) == 1:
            died.append(lost)
            raise LeaseLost(COMPANY)
        return await resolve_intents(self, *given)

    monkeypatch.setattr(Pass, "_record", dying)
    monkeypatch.setattr(Pass, "resolve_intents", dying_too)
    await desk.send(second)
    async with asyncio.timeout(20):
        while not died:
            await asyncio.sleep(0.02)
    standing = stands(company)
    await desk.until("SELECT applied FROM documents WHERE document_key = $1", WHOLE, target.key)
    await check(desk, company, source, target)
    assert len(died) == 2
    assert stands(company) == standing
    assert await desk.pool.fetchval("SELECT count(*) FROM attempts WHERE outcome = 'refused'") == 0


async def test_money_whose_removal_got_no_answer_counts_as_taken_off(desk: Desk, company: Company) -> None:
    first, second = steps((INVOICE,), MONEY, INVOICE)
    await desk.send(second)
    await desk.settled(NAMES + 2)
    company.stand_in.fail(action="drop_after", entity="Payment", operation="void", realm=company.realm)
    await desk.send(first.model_copy(update={"revision": 3}))
    await desk.until_state(MONEY.key, "voided")
    assert await desk.pool.fetchval("SELECT applied FROM documents WHERE document_key = $1", INVOICE.key) == 0
    assert [one["Balance"] for one in company.stored("Invoice")] == [WHOLE]
