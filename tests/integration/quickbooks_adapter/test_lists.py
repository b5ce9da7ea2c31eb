"""Reference lists in pages, and what changed in them since."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import operation

from common.messages.documents import CatalogEntry
from ledger_writer.ledgers.protocol import OperationKind
from ledger_writer.ledgers.quickbooks_online.adapter import Session


async def entries(session: Session, *names: str, since: datetime | None = None) -> list[CatalogEntry]:
    pages = session.lists(names) if since is None else session.changed_lists(names, since)
    return [entry async for page in pages for entry in page]


async def test_a_list_is_read_to_its_end_whatever_the_page(company: Company) -> None:
    async with company.session(page_size=7) as session:
        accounts = await entries(session, "accounts")
    assert len({entry.ledger_id for entry in accounts}) == len(accounts) > 50
    funds = next(entry for entry in accounts if entry.name == "Undeposited Funds")
    assert (funds.object_type, funds.details["sub_type"]) == ("Other Current Asset", "UndepositedFunds")
    nested = next(entry for entry in accounts if entry.full_name == "Automobile:Fuel")
    assert nested.name == "Fuel"


async def test_items_and_customers_bring_what_they_are_matched_by(company: Company) -> None:
    async with company.session() as session:
        await company.written(session, operation(samples.item("Mug", sku="M-1")))
        await company.written(session, operation(samples.customer(email="ada@example.com", company="Fenn & Co")))
        found = await entries(session, "items", "customers")
    item = next(entry for entry in found if entry.name == "Mug")
    customer = next(entry for entry in found if entry.name == "Ada Fenn")
    assert (item.sku, item.object_type, item.active) == ("M-1", "NonInventory", True)
    assert (customer.email, customer.company_name) == ("ada@example.com", "Fenn & Co")


async def test_only_what_changed_comes_from_the_feed(company: Company) -> None:
    async with company.session() as session:
        first = operation(samples.customer("Ada Fenn"))
        await company.written(session, first)
        since = datetime.now(UTC) + timedelta(minutes=10)
        assert await entries(session, "customers", "items", since=since) == []
        recent = await entries(session, "customers", "accounts", since=datetime.now(UTC) - timedelta(minutes=1))
        assert "Ada Fenn" in {entry.name for entry in recent}
        await company.change(session, first, OperationKind.VOID)
        (gone,) = [
            entry
            for entry in await entries(session, "customers", since=datetime.now(UTC))
            if entry.ledger_id == company.links[samples.CUSTOMER].ledger_id
        ]
        assert not gone.active


@pytest.mark.parametrize("days", [31, 400])
async def test_a_reading_that_is_too_old_is_made_whole(company: Company, days: int) -> None:
    async with company.session() as session:
        whole = await entries(session, "terms", "tax_codes")
        since = await entries(session, "terms", "tax_codes", since=datetime.now(UTC) - timedelta(days=days))
    assert {entry.key for entry in since} == {entry.key for entry in whole}


async def test_tax_codes_are_not_in_the_feed_and_come_whole(company: Company) -> None:
    async with company.session() as session:
        codes = await entries(session, "tax_codes", since=datetime.now(UTC) + timedelta(hours=1))
    assert {"California", "Tucson"} <= {entry.name for entry in codes}
