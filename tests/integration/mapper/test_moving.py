"""A connection that points to another company file takes its plans along."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.integration.mapper.conftest import Service, company_changed, settings_changed
from tests.unit.mapper.samples import company, connection
from tests.unit.mapper.test_payouts import CHARGES, SALES, payout

from common.messages.transactions import SetOutcome, TransactionSet

APPROVED = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))
A, B = "books-1", "books-2"
MOVED = "CONNECTION_MOVED"


def newest(mapper: Service) -> dict[tuple[str, str], TransactionSet]:
    """(company file, source) → its set as ledger-writer knows it."""
    return {(one.company_id, one.source_id): one for one in sorted(mapper.versions, key=lambda one: one.revision)}


async def until(mapper: Service, wanted: dict[tuple[str, str], Any]) -> dict[tuple[str, str], TransactionSet]:
    """Wait until every set has this reason, or this many documents."""
    for _ in range(1000):
        sets = newest(mapper)
        if {key: one.reason.code if one.reason else len(one.documents) for key, one in sets.items()} == wanted:
            return sets
        await asyncio.sleep(0.02)
    raise AssertionError([(key, one.outcome, one.reason, len(one.documents)) for key, one in newest(mapper).items()])


async def two_company_files(mapper: Service, **changes: Any) -> None:
    await mapper.configure(connection(**changes), company=APPROVED)
    await mapper.send(company_changed(company_id=B, external_id="other"))
    await mapper.send(settings_changed(company=company(company_id=B)))


async def point(mapper: Service, company_id: str, revision: int, **changes: Any) -> None:
    await mapper.send(settings_changed(connection=connection(company_id=company_id, **changes), revision=revision))


async def test_a_sale_is_planned_in_the_company_file_that_its_connection_points_to_alone(mapper: Service) -> None:
    settings = {"mode": "sales_receipts", "payouts": {"enabled": True}}
    await two_company_files(mapper, **settings)
    await mapper.send(SALES[0])
    await mapper.send(payout("74.47", CHARGES[0]))
    there = await until(mapper, {(A, "id1001"): 2, (A, "po_1"): 1})
    await point(mapper, B, 2, **settings)
    left = await until(mapper, {(A, "id1001"): MOVED, (A, "po_1"): MOVED, (B, "id1001"): 2, (B, "po_1"): 1})
    reason = left[A, "id1001"].reason
    assert reason is not None
    assert (left[A, "id1001"].outcome, reason.field, reason.value) == (SetOutcome.FILTERED, "company_id", B)
    await point(mapper, A, 3, **settings)
    back = await until(mapper, {(A, "id1001"): 2, (A, "po_1"): 1, (B, "id1001"): MOVED, (B, "po_1"): MOVED})
    assert back[A, "id1001"].documents == there[A, "id1001"].documents
    assert back[A, "po_1"].documents == there[A, "po_1"].documents


async def test_so_are_the_days_of_a_summary(mapper: Service) -> None:
    await two_company_files(mapper, mode="summary_sales_receipt")
    await mapper.send(SALES[0])
    while not (days := [key for key in newest(mapper) if key[1] != "id1001"]):
        await asyncio.sleep(0.02)
    ((_, day),) = days
    await until(mapper, {(A, "id1001"): "IN_SUMMARY", (A, day): 1})
    await point(mapper, B, 2, mode="sales_receipts")
    await until(mapper, {(A, "id1001"): MOVED, (A, day): MOVED, (B, "id1001"): 2})
