"""What a custom store bought, from its own API into the books of either ledger, in each of the four modes."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.e2e.books import Books, Stage
from tests.e2e.vectors.returns import HAMMERS
from tests.e2e.world import SampleShop, first_day

from sandbox.demo import proof
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOUGHT_ON = first_day(3)
AT = f"{BOUGHT_ON}T10:00:00Z"
PO, BILL, EXPENSE = "purchase_order 48.00", "bill 48.00", "expense 48.00"
DOCUMENTS = {
    "purchase_orders": (PO,),
    "bills": (BILL,),
    "purchase_orders_bills": (PO, BILL),
    "expenses": (EXPENSE,),
}
OWED_TO = {"bills": "AP", "purchase_orders_bills": "AP", "expenses": "BANK"}
ID = "purchase:PO-7"


def purchase(**changes: Any) -> dict[str, Any]:
    """4 hammers at 10.00 with 5 % tax, freight 6.00: 48.00."""
    hammers = {"id": 1, "sku": "HAMMER", "name": "Hammer", "quantity": 4, "priceExclTax": 10, "priceInclTax": 10.5}
    return {
        "orderNumber": "PO-7",
        "orderStatus": "ordered",
        "vendor": "Forge Ltd",
        "creationDate": AT,
        "modifiedDate": AT,
        "salesTerms": "NET 30",
        "currencyCode": "USD",
        "orderDetails": [hammers],
        "shippingExclTax": 6,
        "shippingInclTax": 6,
        "totalTax": 2,
        "total": 48,
    } | changes


async def buys(stage: Stage, shop: SampleShop, **changes: Any) -> None:
    """Let the store buy, or change what it bought."""
    async with httpx.AsyncClient(base_url=stage.world.stack.url_of("shops"), timeout=60, trust_env=False) as client:
        answer = await client.put(f"/_sandbox/shops/{shop.name}/purchases", json=[purchase(**changes)])
        answer.raise_for_status()


async def store_with(stage: Stage, mode: str, ledger: str, **settings: Any) -> tuple[SampleShop, Books]:
    """A store that bought something, its company file, and the connection that pulls in the older contract."""
    shop = await stage.world.open_shop("custom", orders=0)
    await buys(stage, shop)
    config = {"base_url": shop.address, "pull_contract": "compatible"}
    seeded = [HAMMERS] if ledger == "quickbooks_online" else []
    books = await stage.books(
        mode, ledger, seeded=seeded, config=config, secrets={"token": f"shpat_{shop.name}"}, **settings
    )
    if seeded:
        await books.refresh_lists()
    return shop, books


def moved(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> dict[str, Decimal]:
    changes = {role: after.get(role, Decimal(0)) - before.get(role, Decimal(0)) for role in {*before, *after}}
    return {role: amount for role, amount in changes.items() if amount}


async def check(books: Books) -> None:
    """Have bean-check judge the books."""
    if books.company.ledger == "beancount":
        await asyncio.to_thread(proof.check_books, books.world.journal(books.company))


async def is_booked(stage: Stage, mode: str, ledger: str) -> tuple[str, ...]:
    """Pull, look into the books, pull again; cancel, and look again. Returns the kinds of documents there were."""
    shop, books = await store_with(stage, mode, ledger)
    before = await books.balances()
    await stage.world.poll(books.connection)
    rows = await books.stands(*DOCUMENTS[mode])
    # QuickBooks numbers purchase orders itself where the company's preferences say so.
    numbered = [row for row in rows if ledger == "beancount" or row["kind"] != "purchase_order"]
    assert {row["number"] for row in numbered} <= {"PO-7"}
    assert {(row["source_number"], row["source_id"]) for row in rows} == {("PO-7", ID)}
    assert {row["date"] for row in rows} == {BOUGHT_ON.isoformat()}
    goods = {"INV": Decimal(40), "COGS": Decimal(8)} if ledger == "quickbooks_online" else {"COGS": Decimal(48)}
    posted = {**goods, OWED_TO[mode]: Decimal(-48)} if mode in OWED_TO else {}
    assert moved(before, await books.balances()) == posted
    await check(books)
    order = await books.order(ID)
    assert (order["direction"], order["column"], order["documents_in_ledger"]) == ("purchase", "in_ledger", len(rows))
    overview = await stage.world.gateway.get(f"/companies/{books.company.company_id}/overview")
    counted = {row["name"]: row["in_ledger"] for row in overview["rows"]}
    assert {name: counted.get(f"{name}s", 0) for name in {row["kind"] for row in rows}} == dict.fromkeys(
        {row["kind"] for row in rows}, 1
    )
    if ledger == "quickbooks_online":
        await is_in_quickbooks(books, mode)
    await stage.world.poll(books.connection)
    again = await books.stands(*DOCUMENTS[mode])
    assert sorted(row["ledger_id"] for row in again) == sorted(row["ledger_id"] for row in rows)
    assert sum(row["attempts"] for row in again) == sum(row["attempts"] for row in rows), "nothing was written again"
    later = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    await buys(stage, shop, orderStatus="cancelled", modifiedDate=later)
    await stage.world.poll(books.connection)
    kept = [one for one in DOCUMENTS[mode] if one == PO]
    await books.stands(*kept, voided=[one.replace("48", "0") for one in DOCUMENTS[mode] if one != PO])
    assert moved(before, await books.balances()) == {}
    await check(books)
    if ledger == "quickbooks_online":
        assert {row["POStatus"] for row in await books.quickbooks("PurchaseOrder")} <= {"Closed"}
    elif kept:
        assert "purchase-order-closed" in {name for name, _, _ in await books.directives()}
    return tuple(sorted(row["kind"] for row in rows))


async def is_in_quickbooks(books: Books, mode: str) -> None:
    (vendor,) = [row for row in await books.quickbooks("Vendor") if row["DisplayName"] == "Forge Ltd"]
    orders = await books.quickbooks("PurchaseOrder")
    bills = [row for row in await books.quickbooks("Bill") if row["VendorRef"]["value"] == vendor["Id"]]
    assert [row["POStatus"] for row in orders] == {
        "purchase_orders": ["Open"],
        "purchase_orders_bills": ["Closed"],
    }.get(mode, [])
    if bills:
        due = (BOUGHT_ON + timedelta(days=30)).isoformat()
        assert [(row["DueDate"], row["Balance"]) for row in bills] == [(due, 48)]
        named = [link["TxnId"] for link in bills[0]["LinkedTxn"]]
        assert named == [row["Id"] for row in orders]
    (hammer,) = [row for row in await books.quickbooks("Item") if row["Name"] == "HAMMER"]
    assert hammer["QtyOnHand"] == (14 if mode in OWED_TO else 10)


@pytest.mark.parametrize("ledger", ["beancount", "quickbooks_online"])
async def test_purchases_of_a_store_are_booked_in_every_mode_for_them(product: Stack, ledger: str) -> None:
    async with Stage.of(product) as stage:
        booked = await asyncio.gather(*(is_booked(stage, mode, ledger) for mode in DOCUMENTS))
    assert booked == [("purchase_order",), ("bill",), ("bill", "purchase_order"), ("expense",)]


async def test_a_purchase_in_a_mode_of_sales_is_listed_with_its_reason_until_a_rule_books_it(product: Stack) -> None:
    async with Stage.of(product) as stage:
        shop, books = await store_with(stage, "invoices_payments_if_paid", "beancount")
        await buys(stage, shop, vendor="")
        await stage.world.poll(books.connection)
        listed = await books.order_becomes("out_of_scope", "PURCHASE_NOT_BOOKED", ID)
        assert (listed["direction"], listed["number"]) == ("purchase", "PO-7")
        assert await books.documents() == []
        await books.rule("map_transaction_type", "bills", ("direction", "equals", "purchase"))
        await books.document_becomes("bill", "action_required", "VENDOR_MISSING")
        await buys(stage, shop, modifiedDate=datetime.now(UTC).isoformat())
        await stage.world.poll(books.connection)
        await books.stands(BILL)
