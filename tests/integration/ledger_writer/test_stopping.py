"""A ledger that takes no writes stops its company file, and writing goes on when somebody has acted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from common.messages.base import Reason
from ledger_writer import ledgers
from ledger_writer.ledgers import beancount
from ledger_writer.ledgers.protocol import (
    CompanyFile,
    ErrorClass,
    LedgerSession,
    Operation,
    Outcome,
    Refused,
)

LAPSED = Refused(
    ErrorClass.PERMISSION, Reason(code="SUBSCRIPTION_ENDED", text="lapsed", cure="renew"), stops_company=True
)


@dataclass
class Lapsed:
    """Beancount whose subscription has ended: it refuses the first batch, when it is told to answer."""

    asked: list[Sequence[Operation]] = field(default_factory=list)
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self, company: CompanyFile) -> AsyncIterator[LedgerSession]:
        async with beancount.LEDGER.open(company) as session:
            yield Session(self, session)


class Session:
    def __init__(self, ledger: Lapsed, session: LedgerSession) -> None:
        self._ledger = ledger
        self._session = session
        self.find = session.find
        self.facts = session.facts
        self.lists = session.lists

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[tuple[str, Outcome]]:
        self._ledger.asked.append(operations)
        if len(self._ledger.asked) > 1:
            async for answer in self._session.write(operations):
                yield answer
            return
        self._ledger.waits.set()
        await self._ledger.answers.wait()
        for operation in operations:
            yield operation.document_key, LAPSED


@pytest.fixture
async def lapsed(open_desk: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> Lapsed:
    """The company file's ledger, asked to write a receipt; it has not answered yet."""
    ledger = Lapsed()
    await open_desk.until("SELECT lists_wanted FROM companies", False)
    monkeypatch.setitem(ledgers.BY_NAME, "beancount", replace(beancount.LEDGER, open=ledger.open))
    # Whoever holds the lane opens the ledger anew.
    await call(open_desk, make, "pause")
    await call(open_desk, make, "resume")
    await open_desk.send(make.receipt_set("1"))
    await asyncio.wait_for(ledger.waits.wait(), 20)
    return ledger


async def call(desk: Any, make: Any, action: str) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane/{action}"
    answer = await desk.call("POST", path, {"tenant_id": make.TENANT})
    assert answer.status_code == 200, answer.text


async def test_what_was_refused_is_asked_for_anew_when_the_company_file_is_resumed(
    open_desk: Any, make: Any, lapsed: Lapsed
) -> None:
    lapsed.answers.set()
    await open_desk.until("SELECT status FROM companies", "read_only")
    assert await open_desk.pool.fetchval("SELECT count(*) FROM documents WHERE state = 'not_tried'") == 3
    await call(open_desk, make, "resume")
    await open_desk.settled(3)
    first, second = lapsed.asked
    # A ledger that remembers requests answers a repeated one with its first answer, which was a refusal.
    keys = {one.document_key: one.idempotency_key for one in first}
    assert keys.keys() == {one.document_key for one in second}
    assert not set(keys.values()) & {one.idempotency_key for one in second}


async def test_a_refusal_that_comes_after_somebody_acted_stops_nothing(
    open_desk: Any, make: Any, lapsed: Lapsed
) -> None:
    await call(open_desk, make, "pause")
    await call(open_desk, make, "resume")
    lapsed.answers.set()
    await open_desk.settled(3)
    assert await open_desk.pool.fetchval("SELECT status FROM companies") == "connected"
