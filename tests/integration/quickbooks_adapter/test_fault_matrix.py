"""Every documented fault at every kind of write, through real lanes: the end state is that of a run without faults.

One company file takes hundreds of orders at once. Each request of a kind of write meets one fault of the table below,
so that all faults hit all kinds side by side. What passes must leave no trace, what needs a person must say what the
catalogue says and hold nothing else back, and after a resend the books are those of as many orders without trouble.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, desk_of, desk_settings, order_set
from tests.integration.quickbooks_adapter.conftest import Company, StandIn
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, line

from common.messages.base import Reason
from common.messages.control import ResendRequested
from common.messages.transactions import (
    Document,
    DocumentKind,
    LineKind,
    MissingPolicy,
    TransactionSet,
)
from ledger_writer import ledgers
from ledger_writer.ledgers.protocol import ErrorClass
from ledger_writer.ledgers.quickbooks_online import ledger
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES
from ledger_writer.ledgers.quickbooks_online.errors import TABLE, Row, row_of
from ledger_writer.ledgers.quickbooks_online.faults import FaultError
from ledger_writer.settings import LedgerWriterSettings
from sandbox.fresh import FreshVhost

__all__ = ["desk_settings"]
Rule = dict[str, Any]

_UNEXPLAINED: Final = (
    "1000 1010 1020 1050 2180 2190 2230 2240 2270 2280 6000 6010 6020 6040 6041 6050 6060 6110 6120 6130 6280 6290 "
    "6300 6320 6330 6340 6350 6360 6370 6380 6390 6400 6460 6490 6500 6510 6520"
)
"""Codes of Intuit's list without a meaning of their own: shown with the ledger's words."""
CODES: Final = sorted({*TABLE, *_UNEXPLAINED.split()}, key=int)
STOPPING: Final = sorted(code for code, row in TABLE.items() if row.stops_company)
_REFUSED: Final = [code for code in CODES if code not in STOPPING]
PASSING: Final[dict[str, Rule]] = {
    "throttled, JSON": {"action": "throttle"},
    "throttled, XML": {"action": "throttle", "content_type": "application/xml"},
    "token expired": {"action": "expire_token"},
    "cut before commit": {"action": "drop_before"},
    "answer cut after commit": {"action": "drop_after"},
    "time-out before commit": {"action": "timeout_before", "hold_s": 2.5},
    "time-out after commit": {"action": "timeout_after", "hold_s": 2.5},
    "HTTP 408": {"action": "status", "status": 408},
    "HTTP 500": {"action": "status", "status": 500},
    "HTTP 502": {"action": "status", "status": 502},
    "HTTP 503": {"action": "status", "status": 503},
    "HTTP 504": {"action": "status", "status": 504},
    "HTTP 200, not JSON": {"action": "status", "status": 200},
    "HTTP 200, cut off": {"action": "status", "status": 200, "body": '{"Invoice":', "content_type": "application/json"},
    "HTTP 200, nothing in it": {"action": "status", "status": 200, "body": "{}", "content_type": "application/json"},
}
"""Trouble that nobody has to hear of."""
TRANSIENT: Final = (ErrorClass.TRANSIENT, ErrorClass.CONFLICT)
CHANGES: Final = ["10000", "5010", "600", "610", "6200", "2500", "6540", "2050", "5030"]
"""Codes for updates, voids and deletes: one or more of each class. What a code means depends on nothing else."""


def meaning(code: str) -> Row:
    return row_of(FaultError(code))


def passes(code: str) -> bool:
    return meaning(code).error_class in TRANSIENT or code == "600"


def coded(code: str) -> Rule:
    return {"action": "fault", "code": code}


def postings(to: Any) -> tuple[Any, ...]:
    return (
        line(LineKind.POSTING, "77.00", None, account=to),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    )


COST: Final[dict[str, Any]] = {
    "lines": (line(LineKind.FEE, "77.00", None, account=samples.FEES),),
    "customer_key": samples.VENDOR,
    "deposit_to": samples.CHECKING,
}
KINDS: Final[dict[DocumentKind, dict[str, Any]]] = {
    DocumentKind.ESTIMATE: {},
    DocumentKind.INVOICE: {},
    DocumentKind.SALES_RECEIPT: {},
    DocumentKind.CREDIT_MEMO: {},
    DocumentKind.REFUND_RECEIPT: {},
    DocumentKind.PAYMENT: {},
    DocumentKind.JOURNAL_ENTRY: {"lines": postings(samples.RECEIVABLE)},
    DocumentKind.DEPOSIT: {"lines": postings(samples.CHECKING), "deposit_to": samples.CHECKING},
    DocumentKind.EXPENSE: COST,
    DocumentKind.BILL: COST,
    DocumentKind.PURCHASE_ORDER: {**COST, "lines": (line(amount="77.00", quantity="1", unit_price="77.00"),)},
}
VOIDABLE: Final = (DocumentKind.INVOICE, DocumentKind.SALES_RECEIPT, DocumentKind.PAYMENT)
"""The others can't be voided over the API and are deleted."""
VENDOR: Final = samples.customer("Paper Mill").model_copy(update={"key": samples.VENDOR})
ITEMS: Final = tuple(
    samples.item(name, missing=MissingPolicy.CREATE).model_copy(update={"key": key})
    for key, name in ((samples.ITEM, "MUG-1"), (samples.SHIPPING, "Shipping"), (samples.DISCOUNT, "Discount"))
)


def order(source: str, *documents: Document, revision: int = 1, **more: Any) -> TransactionSet:
    made = order_set(source, documents, customers=[samples.customer()], items=ITEMS, revision=revision)
    return made.model_copy(update={"vendors": (VENDOR,), **more})


def one_of(kind: DocumentKind, source: str, **more: Any) -> Document:
    return document(kind, source_id=source, **{**KINDS[kind], **more})


@pytest.fixture
async def desk(
    desk_settings: LedgerWriterSettings,
    rabbitmq_vhost: FreshVhost,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    """A ledger-writer whose QuickBooks is the stand-in, and whose waits are cut short."""
    adapter = ledger(stand_in.settings(throttled_wait_s=0.05, request_timeout_s=2.0))
    monkeypatch.setitem(ledgers.BY_NAME, "quickbooks_online", adapter)  # type: ignore[arg-type]
    await rabbitmq_vhost.declare()
    async with desk_of(desk_settings) as made:
        await made.start()
        yield made
    stand_in.steer("DELETE", "/faults")


_SKIP_WAITS: Final = """
WITH due AS (
    UPDATE documents SET next_attempt_at = now()
    WHERE state IN ('retry_wait', 'unknown') AND next_attempt_at > now() RETURNING company_id
), free AS (
    UPDATE lanes SET wait_until = now() WHERE wait_until > now() RETURNING company_id
)
SELECT count(*) FROM (SELECT company_id FROM due UNION ALL SELECT company_id FROM free) AS woken
"""


@asynccontextmanager
async def waits_cut_short(desk: Desk) -> AsyncIterator[None]:
    """Back-off takes minutes to hours: here the clock is put forward to its end again and again."""

    async def skip() -> None:
        while True:
            await desk.pool.execute(_SKIP_WAITS)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(skip())
    try:
        yield
    finally:
        task.cancel()


class World:
    """One company file with everything in it that orders need."""

    def __init__(self, desk: Desk, company: Company) -> None:
        self.desk = desk
        self.company = company
        self.table: list[tuple[str, str, str, int]] = []
        """(fault, kind of write, what became of it, how often)"""

    async def open(self) -> None:
        await pair(self.desk, self.company)
        await self.desk.send(order("first", one_of(DocumentKind.JOURNAL_ENTRY, "first")))
        await self.desk.settled(3 + len(ITEMS))

    def inject(self, rules: Iterable[Rule]) -> None:
        self.company.stand_in.steer("POST", "/faults", [{"realm": self.company.realm} | rule for rule in rules])

    def lift(self) -> list[Rule]:
        """Take all rules away. Returns them with how often each was `fired`."""
        rules: list[Rule] = self.company.stand_in.steer("GET", "/faults")
        self.company.stand_in.steer("DELETE", "/faults")
        return rules

    async def write(self, sets: Sequence[TransactionSet]) -> None:
        """Send them, and wait until nothing is left to do."""
        await self.desk.send(*sets)
        arrived = "SELECT count(*) FROM sets WHERE source_id = ANY($1::text[]) AND revision = $2"
        await self.desk.until(arrived, len(sets), [one.source_id for one in sets], sets[0].revision, timeout_s=120)
        await self.rest()

    async def rest(self) -> None:
        busy = "SELECT count(*) FROM documents WHERE state NOT IN ('synced', 'voided', 'skipped', 'action_required')"
        # Hundreds of documents with several tries each.
        await self.desk.until(busy, 0, timeout_s=120)

    async def refused(self) -> list[dict[str, Any]]:
        rows = await self.desk.pool.fetch(
            "SELECT document_key, kind, code, reason, raw FROM documents WHERE state = 'action_required' ORDER BY 2, 3"
        )
        return [{**dict(row), "reason": Reason.model_validate_json(row["reason"])} for row in rows]

    async def resend(self) -> None:
        """Everything that waits for a person, once the cause is gone."""
        keys = [row["document_key"] for row in await self.refused()]
        parts = [tuple(keys[start : start + 500]) for start in range(0, len(keys), 500)]
        common: dict[str, Any] = {"tenant_id": TENANT, "revision": 1, "company_id": COMPANY}
        await self.desk.send(
            *[ResendRequested(resend_id=f"again-{part[0]}", document_keys=part, **common) for part in parts]
        )
        await self.desk.until("SELECT count(*) FROM documents WHERE state = 'action_required'", 0, timeout_s=120)
        await self.rest()
        assert await self.refused() == []

    def show(self) -> None:
        """Print what was injected and what became of it."""
        for fault, write, became, times in self.table:
            print(f"{fault:26} {write:34} {became:28} {times:5}")


def tag(kind: DocumentKind, number: int) -> str:
    return f"{kind.value[:3]}{number}"


def orders(number: int, **more: Any) -> list[TransactionSet]:
    """One order of each kind of document."""
    return [
        order(tag(kind, number), one_of(kind, tag(kind, number), **more), revision=2 if more else 1) for kind in KINDS
    ]


_OWN: Final = frozenset(
    {"Id", "SyncToken", "MetaData", "DocNumber", "PrivateNote", "CustomerMemo", "LinkedTxn", "LineNum"}
)
"""What tells documents of the same content apart."""


def content(stored: Any) -> Any:
    """What a document of the ledger says, without what is its own."""
    if isinstance(stored, Mapping):
        return {name: content(value) for name, value in stored.items() if name not in _OWN}
    return [content(one) for one in stored] if isinstance(stored, list) else stored


def marks(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(re.findall(r"\[tb:([0-9a-f]{8})\]", " ".join(str(row.get("PrivateNote", "")) for row in rows)))


def scaled(before: Mapping[str, Decimal], unit: Mapping[str, Decimal], times: int) -> dict[str, Decimal]:
    """Balances after so many orders of each kind."""
    sums = {one: before.get(one, Decimal(0)) + unit.get(one, Decimal(0)) * times for one in {*before, *unit}}
    return {one: amount for one, amount in sums.items() if amount}


def difference(after: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {one: after.get(one, Decimal(0)) - before.get(one, Decimal(0)) for one in {*after, *before}}


def check_refusals(world: World, refused: Sequence[Mapping[str, Any]], write: str, codes: Sequence[str]) -> None:
    """Exactly the faults that need a person are shown, each once, with the code and the cure of the catalogue."""
    found: Counter[str] = Counter()
    for row in refused:
        said = re.search(r"refused it \((\d+)\)", row["reason"].text)
        if said is None:
            # A number that is taken is looked for; the look-up says what it found instead of the refusal.
            assert row["code"] == "NUMBER_COLLISION", row
            found["taken"] += 1
            continue
        expected = meaning(said[1])
        assert (row["code"], row["reason"].code, row["reason"].cure) == (expected.code, expected.code, expected.cure)
        assert said[1] in row["raw"]
        found[said[1]] += 1
    wanted = Counter(
        "taken" if meaning(code).error_class is ErrorClass.LOOKUP else code for code in codes if not passes(code)
    )
    assert found == wanted, write
    for code in codes:
        became = "written by itself" if passes(code) else f"{meaning(code).code}, then resent"
        world.table.append((code, write, became, 1))


async def strike(world: World, codes: Sequence[str], how: str, kind: DocumentKind, sets: list[TransactionSet]) -> None:
    """Every fault once at one kind of write, while the sets are written; then a resend of what a person has to see."""
    write = f"{how} {ENTITIES[kind]}"
    world.inject(
        {"entity": ENTITIES[kind], "operation": how} | rule for rule in [*PASSING.values(), *map(coded, codes)]
    )
    await world.write(sets)
    assert [rule for rule in world.lift() if not rule["fired"]] == [], write
    world.table += [(fault, write, "written by itself", 1) for fault in PASSING]
    check_refusals(world, await world.refused(), write, codes)
    await world.resend()


@pytest.fixture
async def world(desk: Desk, company: Company) -> AsyncIterator[World]:
    made = World(desk, company)
    async with waits_cut_short(desk):
        await made.open()
        yield made
    made.show()


def check_forms(world: World, shapes: Mapping[DocumentKind, Any], count: int) -> None:
    """So many documents of each kind, each once, all of the same content."""
    for kind, shape in shapes.items():
        rows = [row for row in world.company.stored(ENTITIES[kind]) if marks([row])]
        rows = [row for row in rows if not str(row["PrivateNote"]).startswith("first")]
        assert len(rows) == count, kind
        assert set(marks(rows).values()) == {1}, kind
        assert [row["Id"] for row in rows if content(row) != shape] == [], kind


def shapes_of(world: World) -> dict[DocumentKind, Any]:
    """The content of the last document of each kind."""
    return {kind: content(max(world.company.stored(ENTITIES[kind]), key=lambda row: int(row["Id"]))) for kind in KINDS}


async def test_documents_meet_every_fault_when_they_are_made_changed_and_taken_back(world: World) -> None:
    company, count = world.company, len(PASSING) + len(_REFUSED)
    empty = company.balances()
    await world.write(orders(0))
    assert await world.refused() == []
    unit, shapes = difference(company.balances(), empty), shapes_of(world)

    for kind in KINDS:
        sets = [order(tag(kind, n + 1), one_of(kind, tag(kind, n + 1))) for n in range(count)]
        await strike(world, _REFUSED, "create", kind, sets)
    check_forms(world, shapes, count + 1)
    assert company.balances() == scaled(empty, unit, count + 1)

    few = len(PASSING) + len(CHANGES)
    full = company.balances()
    for kind in KINDS:
        wanted = [one_of(kind, tag(kind, n + 1), note="as changed") for n in range(few)]
        await strike(world, CHANGES, "update", kind, [order(one.source_id, one, revision=2) for one in wanted])
        assert sum("as changed" in str(row) for row in company.stored(ENTITIES[kind])) == few, kind
    check_forms(world, shapes, count + 1)
    assert company.balances() == full

    for kind in KINDS:
        how = "void" if kind in VOIDABLE else "delete"
        await strike(world, CHANGES, how, kind, [order(tag(kind, n + 1), revision=3) for n in range(few)])
    assert company.balances() == scaled(empty, unit, count + 1 - few)
    # What a request without an answer took away is found missing by the next one, and nothing more is needed.
    gone = await world.desk.pool.fetchval("SELECT count(*) FROM documents WHERE state IN ('voided', 'skipped')")
    assert gone == few * len(KINDS)
    assert sum((await world.desk.balances()).values()) == 0
