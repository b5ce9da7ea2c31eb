"""One company file to which everything happens, and what its books must be in the end."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar

from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.cable import ACTIONS, Cable
from tests.integration.quickbooks_adapter.conftest import Company
from tests.integration.quickbooks_adapter.test_lane import pair, sign_in
from tests.unit.quickbooks_adapter import samples

from common.messages.base import Reason
from common.messages.control import ResendRequested
from common.messages.transactions import Document, MissingPolicy, TransactionSet
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES

Rule = dict[str, Any]
VENDOR: Final = samples.customer("Paper Mill").model_copy(update={"key": samples.VENDOR})
ITEMS: Final = tuple(
    samples.item(name, missing=MissingPolicy.CREATE).model_copy(update={"key": key})
    for key, name in ((samples.ITEM, "MUG-1"), (samples.SHIPPING, "Shipping"), (samples.DISCOUNT, "Discount"))
)
NAMES: Final = 2 + len(ITEMS)
"""Customers, vendors and items that every order needs."""


def order(source: str, *documents: Document, revision: int = 1, **more: Any) -> TransactionSet:
    made = order_set(source, documents, customers=[samples.customer()], items=ITEMS, revision=revision)
    return made.model_copy(update={"vendors": (VENDOR,), **more})


_SKIP_WAITS: Final = """
WITH due AS (
    UPDATE documents SET next_attempt_at = now()
    WHERE state IN ('retry_wait', 'unknown') AND next_attempt_at > now() RETURNING company_id
), free AS (
    UPDATE lanes SET wait_until = now() WHERE wait_until > now() RETURNING company_id
)
SELECT count(*) FROM (SELECT company_id FROM due UNION ALL SELECT company_id FROM free) AS woken
"""
_BUSY: Final = """
SELECT count(*) FROM documents
WHERE state NOT IN ('synced', 'voided', 'action_required') AND NOT (state = 'blocked' AND code = 'DEPENDENCY_FAILED')
"""
"""Also what planning found not to be needed any more: here all that is wanted is made, and all that is made is wanted
until it is taken back, which ends as `voided`."""


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


@dataclass
class World:
    """One company file with everything in it that orders need."""

    desk: Desk
    company: Company
    cable: Cable
    table: list[tuple[str, str, str]] = field(default_factory=list)
    """(fault, kind of write, what became of it)"""

    async def open(self, first: Document) -> None:
        await pair(self.desk, self.company)
        await self.desk.send(order("first", first))
        await self.desk.settled(NAMES + 1)

    def inject(self, rules: Iterable[Rule]) -> None:
        """Rules of the stand-in, and of the line to it."""
        there: list[Rule] = []
        for rule in rules:
            one = {"realm": self.company.realm} | rule
            if rule["action"] in ACTIONS:
                self.cable.add(**one)
            else:
                there.append(one)
        self.company.stand_in.steer("POST", "/faults", there)

    def unfired(self) -> list[Rule]:
        """Take all rules away. Returns those that met no request."""
        rules: list[Rule] = self.company.stand_in.steer("GET", "/faults")
        self.company.stand_in.steer("DELETE", "/faults")
        return [rule for rule in (*rules, *self.cable.lift()) if rule["fired"] != rule["times"]]

    async def send(self, sets: Sequence[TransactionSet]) -> None:
        """Send them, and wait until they are taken in."""
        await self.desk.send(*sets)
        arrived = """
            SELECT count(*) FROM sets JOIN unnest($1::text[], $2::bigint[]) AS x (source_id, revision)
            USING (source_id, revision)
        """
        sources, revisions = [one.source_id for one in sets], [one.revision for one in sets]
        await self.desk.until(arrived, len(sets), sources, revisions, timeout_s=120)

    async def write(self, sets: Sequence[TransactionSet]) -> None:
        """Send them, and wait until nothing is left to do."""
        await self.send(sets)
        await self.rest()

    async def rest(self) -> None:
        # Hundreds of documents with several tries each, on whatever machine.
        await self.desk.until(_BUSY, 0, timeout_s=600)

    async def refused(self) -> list[dict[str, Any]]:
        rows = await self.desk.pool.fetch(
            "SELECT document_key, kind, code, reason, raw FROM documents WHERE state = 'action_required' ORDER BY 2, 3"
        )
        return [{**dict(row), "reason": Reason.model_validate_json(row["reason"])} for row in rows]

    async def noticed(self, code: str) -> list[str]:
        """Keys of written documents that carry a notice."""
        query = "SELECT document_key FROM documents WHERE state = 'synced' AND notices LIKE $1"
        return [row["document_key"] for row in await self.desk.pool.fetch(query, f'%"{code}"%')]

    async def resend(self, keys: Sequence[str]) -> None:
        """What waits for a person, once the cause is gone: nothing may be refused then."""
        parts = [tuple(keys[start : start + 500]) for start in range(0, len(keys), 500)]
        common: dict[str, Any] = {"tenant_id": TENANT, "revision": 1, "company_id": COMPANY}
        again = [ResendRequested(resend_id=f"again-{part[0]}", document_keys=part, **common) for part in parts]
        before = "SELECT count(*) FROM documents WHERE document_key = ANY($1::text[]) AND seq > $2"
        if not again:
            return
        newest = await self.desk.pool.fetchval("SELECT max(seq) FROM documents")
        await self.desk.send(*again)
        await self.desk.until(before, len(keys), list(keys), newest, timeout_s=60)
        await self.rest()
        assert await self.refused() == []

    async def ride_out(self, expected: str) -> int:
        """Act as the user is told to, each time the company stops, until all is written. Returns how often it did."""
        stops = 0
        while True:
            quiet = f"SELECT (SELECT status FROM companies) <> 'connected' OR ({_BUSY}) = 0"
            await self.desk.until(quiet, True, timeout_s=60)
            row = await self.desk.pool.fetchrow("SELECT status, reason FROM companies")
            assert row is not None
            if row["status"] == "connected":
                return stops
            stops += 1
            assert await self.refused() == [], "documents of a company that has stopped stay queued"
            reason = Reason.model_validate_json(row["reason"])
            assert reason.code == expected
            await self._act(reason)

    async def _act(self, reason: Reason) -> None:
        cure = (reason.cure or "").casefold()
        if "connect the company file again" in cure:
            await sign_in(self.desk, self.company)
            return
        assert "resume writing" in cure
        answer = await self.desk.call("POST", f"/internal/companies/{COMPANY}/lane/resume", {"tenant_id": TENANT})
        assert answer.status_code == 200, answer.text

    def show(self) -> None:
        """Print what was injected and what became of it."""
        for fault, write, became in sorted(self.table):
            print(f"{fault:26} {write:34} {became}")


_OWN: Final = frozenset(
    {"Id", "SyncToken", "MetaData", "DocNumber", "CustomerMemo", "LinkedTxn", "LineNum", "Description"}
    | {"FileName", "AttachableRef", "TempDownloadUri", "FileAccessUri"}
)
"""What tells documents of the same content apart."""
_MEMO: Final = re.compile(r"\S* ?\[tb:[0-9a-f]{8}\]")
_ENTITIES: Final = (*sorted(set(ENTITIES.values()) - {"Customer", "Vendor", "Item"}), "Attachable")


def content(stored: Any) -> Any:
    """What a document of the ledger says, without what is its own. Of links, what kind of document they lead to."""
    if isinstance(stored, Mapping):
        said = {name: content(value) for name, value in stored.items() if name not in _OWN}
        links = sorted(one["TxnType"] for one in stored.get("LinkedTxn") or ())
        return said | ({"links": links} if links else {})
    if isinstance(stored, list):
        return [content(one) for one in stored]
    if isinstance(stored, Decimal):
        return f"{stored.normalize():f}"
    return _MEMO.sub("marked", stored) if isinstance(stored, str) else stored


@dataclass(frozen=True)
class Books:
    """All that stands in a company: documents as (entity, content) with how many there are, and balances."""

    documents: Counter[tuple[str, str]]
    balances: Counter[str]
    """Account id → cents."""

    @classmethod
    def of(cls, company: Company) -> "Books":
        documents: Counter[tuple[str, str]] = Counter()
        for entity in _ENTITIES:
            rows = company.stored(entity)
            marks = Counter(re.findall(r"\[tb:[0-9a-f]{8}\]", " ".join(str(row.get("PrivateNote")) for row in rows)))
            assert [mark for mark, times in marks.items() if times > 1] == [], f"a {entity} stands twice"
            documents.update((entity, json.dumps(content(row), sort_keys=True)) for row in rows)
        return cls(documents, Counter({name: int(amount * 100) for name, amount in company.balances().items()}))

    def moved(self, before: "Books") -> "Books":
        """What came since; what went is negative."""
        return Books(_less(self.documents, before.documents), _less(self.balances, before.balances))

    def differs_from(self, other: "Books") -> dict[Any, int]:
        """What there is more (or, negative, less) than in the other ones; empty where both say the same."""
        return {**_less(self.documents, other.documents), **_less(self.balances, other.balances)}

    def plus(self, unit: "Books", times: int) -> "Books":
        """With what so many orders bring that bring `unit` each."""
        return Books(_more(self.documents, unit.documents, times), _more(self.balances, unit.balances, times))


Key = TypeVar("Key")


def _more(one: Counter[Key], other: Counter[Key], times: int) -> Counter[Key]:
    sums = {name: one[name] + other[name] * times for name in {*one, *other}}
    return Counter({name: count for name, count in sums.items() if count})


def _less(one: Counter[Key], other: Counter[Key]) -> Counter[Key]:
    return _more(one, other, -1)
