"""Files on documents: one list of orders on a summary, however often its orders change."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.integration.quickbooks_adapter.world import NAMES, order, waits_cut_short
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import DocumentKind, TransactionSet
from ledger_writer.planning.content import FILE


def contents(company: Company) -> list[str]:
    return [httpx.get(file["TempDownloadUri"]).text for file in company.stored("Attachable")]


async def test_a_file_takes_the_place_of_the_one_before_and_of_no_other(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        link = (await company.written(session, operation(document(DocumentKind.SALES_RECEIPT)))).link
        given: dict[str, Any] = {"content_type": "text/csv"}
        await session.attach(link, file_name="by-hand.csv", file=b"mine", **given)
        await session.attach(link, file_name="orders.csv", file=b"one", **given)
        for version, file in enumerate((b"two", b"one"), start=5):
            changed = replace(link, token=str(version))
            attached = await session.attach(changed, file_name="orders.csv", file=file, alone=True, **given)
            again = await session.attach(changed, file_name="orders.csv", file=file, alone=True, **given)
            assert attached == again
            assert sorted(contents(company)) == sorted(["mine", file.decode()])


def summary(revision: int, note: str) -> TransactionSet:
    given: dict[str, Any] = {"source_kind": "summary", "number": None, "memo_number": "day1"}
    made = document(DocumentKind.SALES_RECEIPT, source_id="day1", note=note, **given)
    return order("day1", made, revision=revision)


@pytest.mark.parametrize("trouble", ["none", "drop_after", "drop_before"])
async def test_a_changed_summary_has_one_list_of_its_orders(
    open_desk: OpenDesk, company: Company, trouble: str
) -> None:
    async with open_desk() as desk, waits_cut_short(desk):
        await pair(desk, company)
        await desk.send(summary(1, "#1, #2"))
        await desk.settled(NAMES + 1)
        assert contents(company) == ["order\n#1\n#2\n"]
        if trouble != "none":
            for struck in ("upload", "delete"):
                company.stand_in.fail(action=trouble, operation=struck, realm=company.realm, times=1)
        await desk.send(summary(2, "#1, #2, #3"))
        synced = "SELECT count(*) FROM documents WHERE state = 'synced' AND source_revision = 2 AND kind = $1"
        await desk.until(synced, 1, "sales_receipt", timeout_s=60)
        assert contents(company) == ["order\n#1\n#2\n#3\n"]


async def test_a_list_that_can_not_be_taken_off_does_not_cost_the_new_one(
    open_desk: OpenDesk, company: Company
) -> None:
    synced = "SELECT count(*) FROM documents WHERE state = 'synced' AND source_revision = $1 AND kind = 'sales_receipt'"
    lists = ["order\n#1\n", "order\n#1\n#2\n", "order\n#1\n#2\n#3\n"]
    async with open_desk() as desk, waits_cut_short(desk):
        await pair(desk, company)
        await desk.send(summary(1, "#1"))
        await desk.settled(NAMES + 1)
        company.stand_in.fail(
            action="fault", code="6000", entity="Attachable", operation="delete", realm=company.realm, times=1
        )
        await desk.send(summary(2, "#1, #2"))
        await desk.until(synced, 1, 2, timeout_s=60)
        assert contents(company) == lists[:2]
        assert await desk.pool.fetchval("SELECT count(*) FROM documents WHERE notices <> ''") == 0
        assert f'"{FILE}"' in await desk.pool.fetchval("SELECT link FROM documents WHERE kind = 'sales_receipt'")
        await desk.send(summary(3, "#1, #2, #3"))
        await desk.until(synced, 1, 3, timeout_s=60)
        assert contents(company) == lists[2:]
