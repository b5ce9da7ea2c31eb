"""Payouts into both ledgers to the cent: worked examples by upload, a life by Shopify Payments, one by Stripe."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.e2e.world import Company, Connection, SampleShop, World, eventually, first_day

from sandbox.demo.gateway import Json, Refused
from sandbox.shops.life import Event
from sandbox.shops.payouts import Payout, payouts_of
from sandbox.shops.store import Credentials, ShopStore
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

D = Decimal
LEDGERS = ("beancount", "quickbooks_online")
PAID_ON = first_day(3)
ORDERS = 24
SEEDED = {
    "SHORT": {"Name": "Payout Shortfall", "AccountType": "Other Current Liability"},
    "RSV": {"Name": "Payout Reserve", "AccountType": "Other Current Asset"},
}
"""Accounts that QuickBooks proposes nothing for."""

EXAMPLE_B = (
    "order_number,amount,fee,type\n"
    "1001,77.00,2.53,charge\n1002,120.00,3.78,charge\n1003,45.50,1.62,charge\n1001,-24.66,0,refund\n"
)
OTHERS = (
    "payout_id,paid_on,currency,net,order_number,amount,fee,type\n"
    "po-c,{day},USD,-56.17,1004,30.00,1.17,charge\n"
    "po-c,{day},USD,-56.17,1005,-85.00,0,refund\n"
    "po-c2,{day},USD,137.73,1006,200.00,6.10,charge\n"
    "po-c2,{day},USD,137.73,,-56.17,0,carried_forward\n"
    "po-d,{day},USD,174.07,1007,77.00,2.53,charge\n"
    "po-d,{day},USD,174.07,1008,120.00,3.78,charge\n"
    "po-d,{day},USD,174.07,1009,45.50,1.62,charge\n"
    "po-d,{day},USD,174.07,,-45.50,0,chargeback\n"
    "po-d,{day},USD,174.07,,-15.00,0,dispute_fee\n"
    "po-wrong,{day},USD,50.00,1010,45.50,1.62,charge\n"
    "po-bad,{day},USD,50.00,1010,many,1.62,charge\n"
)
BY_HAND = "payout_id,paid_on,currency,order_number,amount,fee,type\npo-hand,{day},USD,1010,45.50,1.62,charge\n"
BELOW_ZERO = "".join(OTHERS.splitlines(keepends=True)[:3])
SALES = {
    "1001": "77.00", "1002": "120.00", "1003": "45.50", "1004": "30.00", "1005": "85.00", "1006": "200.00",
    "1007": "77.00", "1008": "120.00", "1009": "45.50", "1010": "45.50",
}  # fmt: skip
REFUNDS = {"1001": "24.66", "1005": "85.00"}
LATE = "1002"
TAKEN_BACK = ("1004", "1005")


def document(number: str) -> Json:
    """A paid order of one line, with what went back of it."""
    day, amount = (datetime.now(UTC) - timedelta(days=10)).replace(microsecond=0), SALES[number]
    back = REFUNDS.get(number)
    refund: Json = {
        "external_id": f"r{number}", "created_at": day.isoformat(), "amount": back, "payment_external_id": f"t{number}",
        "lines": [],
    }  # fmt: skip
    return {
        "external_id": f"id{number}",
        "order_number": number,
        "status": "paid" if back is None else "refunded" if back == amount else "partially_refunded",
        "created_at": day.isoformat(),
        "updated_at": day.isoformat(),
        "currency": "USD",
        "prices_include_tax": False,
        "customer": {"external_id": "c1", "first_name": "Ada", "last_name": "Harbour"},
        "lines": [
            {"external_id": "l1", "sku": "THING", "name": "Thing", "quantity": "1", "unit_price": amount},
        ],
        "totals": {"grand_total": amount},
        "payments": [
            {"external_id": f"t{number}", "method": "card", "amount": amount, "paid_at": day.isoformat(),
             "reference": f"ref{number}"}
        ],
        "refunds": [] if back is None else [refund],
    }  # fmt: skip


@dataclass
class Books:
    """One ledger's part in all this."""

    world: World
    company: Company
    names: Mapping[str, str]
    """Role → account."""
    examples: Connection
    debited: Connection
    """Whose processor takes payouts below zero from the bank."""
    marketplace: Connection
    by_hand: Connection
    """Whose deposits are made one by one, by a person."""
    shop: Connection
    store: Connection
    stripe_id: str
    incomplete: Json = field(default_factory=dict)
    waiting: Json = field(default_factory=dict)
    """The payout by hand, before somebody asked for it."""
    uploads: list[Json] = field(default_factory=list)
    lives: dict[str, list[Payout]] = field(default_factory=dict)
    """What the shops' lives pay out."""


async def upload(world: World, connection: Connection, form: str, raw: bytes, **given: str) -> httpx.Response:
    url = f"{world.stack.url_of('api')}/v1/connections/{connection.connection_id}/payout-files"
    wanted = {"name": "uploads", "scopes": ["read", "sync"]}
    key = await world.operator.post(f"/tenants/{world.tenant_id}/api-keys", wanted)
    headers = {"authorization": f"Bearer {key['key']}", "content-type": "application/octet-stream"}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        return await client.post(url, params={"format": form, **given}, content=raw, headers=headers)


async def push(world: World, connection: Connection, *numbers: str) -> None:
    now = datetime.now(UTC)
    events = [
        Event("custom", "sample.example", "order", number, now, f"push-{number}", document(number))
        for number in numbers
    ]
    report = await world.send(connection, events, in_order=True)
    assert report.accepted == len(numbers), report.failures


async def payout_of(world: World, connection: Connection, payout_id: str) -> Json:
    return await world.gateway.get(f"/connections/{connection.connection_id}/payouts/{payout_id}")


async def run_payouts(world: World, connection_id: str) -> None:
    """Run the connection's payout task now, as a person does with one click, until everything is fetched."""
    asked = {"connection_id": connection_id, "kind": "payouts", "interval_s": 86_400}
    task = await world.gateway.post("/tasks", asked)
    await world.gateway.change(f"/tasks/{task['task_id']}", {"active": False})
    started: list[Json] = []

    async def is_started() -> bool:
        """The task's own first run may be under way."""
        try:
            started.append(await world.gateway.post(f"/tasks/{task['task_id']}/run"))
        except Refused as error:
            if "answered 409" not in str(error):
                raise
            return False
        return True

    await eventually(is_started, "the task can be run", within_s=120)
    run = started[0]

    async def is_over() -> bool:
        nonlocal run
        run = await world.gateway.get(f"/runs/{run['run_id']}")
        assert run["failed"] is None, run["failed"]
        return bool(run["state"] == "finished")

    await eventually(is_over, "the payouts are fetched", within_s=120, seen=lambda: run)


def settlement(total: str, *rows: tuple[str, str, str, str, str]) -> bytes:
    """A settlement report of our own, compressed as Amazon hands them out."""
    header = (
        "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
        "transaction-type", "order-id", "amount-type", "amount-description", "amount", "posted-date",
    )  # fmt: skip
    day = PAID_ON.isoformat()
    lines = [header, ("9001", f"{day} 00:00:00 UTC", f"{day} 00:00:00 UTC", f"{day} 00:00:00 UTC", total, "USD")]
    lines += [("9001", "", "", "", "", "", *row, day) for row in rows]
    return gzip.compress("\r\n".join("\t".join(line) for line in lines).encode())


MARKETPLACE = settlement(
    "565.00",
    ("Order", "111", "ItemPrice", "Principal", "1000.00"),
    ("Order", "111", "ItemPrice", "Shipping", "50.00"),
    ("Order", "111", "ItemPrice", "Tax", "62.50"),
    ("Order", "111", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-62.50"),
    ("Order", "111", "Promotion", "Principal", "-20.00"),
    ("Order", "111", "ItemFees", "Commission", "-150.00"),
    ("Order", "111", "ItemFees", "FBAPerUnitFulfillmentFee", "-180.00"),
    ("Refund", "110", "ItemPrice", "Principal", "-80.00"),
    ("Refund", "110", "ItemFees", "Commission", "10.00"),
    ("other-transaction", "", "other-transaction", "Storage Fee", "-25.00"),
    ("other-transaction", "", "other-transaction", "Current Reserve Amount", "-100.00"),
    ("other-transaction", "", "other-transaction", "Previous Reserve Amount Balance", "60.00"),
)


def life_of(shop: SampleShop) -> list[Payout]:
    """What the shop's life pays out, worked out beside the product; those that have arrived."""
    store = ShopStore("beside", shop.life, ORDERS, Credentials("", "", "", ""))
    store.advance()
    return [payout for payout in payouts_of(store) if payout.is_paid]


async def prepare(world: World, ledger: str, shop: SampleShop, store: SampleShop) -> Books:
    company = await world.company(ledger, first_day(60))
    detail = await world.gateway.get(f"/companies/{company.company_id}")
    names = await accounts_of(world, company, detail["default_accounts"])
    payouts: dict[str, Any] = {"enabled": True, "fee_payee": "Card Processor"}
    made = {}
    titles = {"shipping": "SHIP", "tax": "TAX", "tax withheld": "TAX", "promotion": "DISC"}
    for name, mode, prefix, more in (
        ("examples", "sales_receipts", "", {}),
        (
            "debited",
            "sales_receipts",
            "D",
            {"negative": "debited", "fee_payee": "Bank Of Cards", "fee_payee_is": "customer"},
        ),
        ("marketplace", "journal_entries", "", {"adjustments": titles}),
        ("by_hand", "sales_receipts", "H", {"automatic": False}),
    ):
        made[name] = await world.connect(
            company, "custom", config={}, secrets={"signing_secret": "whsec_0123456789abcdef"}, start=first_day(40),
            mode=mode, payouts={**payouts, **more}, numbers={"prefix": prefix},
        )  # fmt: skip
    mode = "invoices_payments_if_paid"
    # Both shops sell things of one name under different SKUs, and an item's name is unique in a ledger.
    by_name = {"missing": "create_non_inventory", "match_field": "name"}
    sold = await world.connect_shop(
        company, shop, mode=mode, payouts=payouts, products=by_name, numbers={"prefix": "S"}
    )
    paid = await world.connect_shop(
        company, store, mode=mode, payouts=payouts, products=by_name, numbers={"prefix": "W"}
    )
    processor = await world.connect(
        company, "stripe", config={"base_url": f"{store.address}/stripe", "orders_connection": paid.connection_id},
        secrets={"secret_key": f"sk_test_{store.name}", "webhook_secret": f"whsec_stripe_{store.name}"},
        start=first_day(40), mode="none",
    )  # fmt: skip
    own = (made["examples"], made["debited"], made["marketplace"], made["by_hand"])
    return Books(world, company, names, *own, sold, paid, processor.connection_id)


async def accounts_of(world: World, company: Company, proposed: Mapping[str, str]) -> dict[str, str]:
    """Role → account. What a QuickBooks company lacks for payouts is opened there, as its bookkeeper would."""
    if company.ledger != "quickbooks_online":
        return dict(proposed)
    steering = f"{world.stack.url_of('quickbooks-online')}/_sandbox/companies/{company.realm}/seed"
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        parts = [{"entity": "Account", "object": account} for account in SEEDED.values()]
        (await client.post(steering, json=parts)).raise_for_status()
    await world.gateway.post(f"/companies/{company.company_id}/lists/refresh")
    accounts = {**proposed, **{role: account["Name"] for role, account in SEEDED.items()}}
    path = f"/companies/{company.company_id}/settings"
    settings = await world.gateway.get(path)

    async def is_saved() -> bool:
        with suppress(Refused):  # the list has not been read again yet
            await world.gateway.save(path, {**settings, "accounts": accounts})
            return True
        return False

    await eventually(is_saved, "the company's accounts are known", within_s=60)
    return accounts


async def upload_all(world: World, books: Books) -> None:
    """Upload every file while one sale is missing; send that one when its payout says so."""
    examples = books.examples
    given = {"payout_id": "po-b", "paid_on": PAID_ON.isoformat(), "currency": "USD", "net": "209.91"}
    for form, connection, raw, more in (
        ("payout_csv", examples, EXAMPLE_B.encode(), given),
        ("payout_csv", examples, OTHERS.format(day=PAID_ON.isoformat()).encode(), {}),
        ("payout_csv", books.debited, BELOW_ZERO.format(day=PAID_ON.isoformat()).encode(), {}),
        ("amazon_settlement_v2", books.marketplace, MARKETPLACE, {}),
        ("payout_csv", books.by_hand, BY_HAND.format(day=PAID_ON.isoformat()).encode(), {}),
    ):
        answer = await upload(world, connection, form, raw, **more)
        assert answer.status_code == 200, answer.text
        books.uploads += answer.json()["payouts"]

    async def is_incomplete() -> bool:
        with suppress(KeyError):
            books.incomplete = await payout_of(world, examples, "po-b")
            reason = books.incomplete["payout"]["reason"]
            # All others have to be there before the reason names the late one alone.
            return bool(reason) and reason["code"] == "PAYOUT_INCOMPLETE" and "1001" not in reason["text"]
        return False

    await eventually(is_incomplete, "the payout waits for the late sale", within_s=120, seen=lambda: books.incomplete)
    await push(world, examples, LATE)


async def deposit_by_hand(world: World, books: Books) -> None:
    async def is_waiting() -> bool:
        with suppress(Refused):  # it was not uploaded yet
            books.waiting = (await payout_of(world, books.by_hand, "po-hand"))["payout"]
        return bool(books.waiting.get("document_state") == "blocked")

    await eventually(is_waiting, "the payout waits for a person", within_s=120, seen=lambda: books.waiting)
    made = await world.gateway.post(f"/connections/{books.by_hand.connection_id}/payouts/po-hand/deposit")
    assert [one["total"] for one in made["documents"]] == ["43.88"]


async def act(world: World, books: Books) -> Books:
    await push(world, books.examples, *(number for number in SALES if number != LATE))
    await push(world, books.debited, *TAKEN_BACK)
    await push(world, books.by_hand, "1010")
    async with asyncio.TaskGroup() as together:
        together.create_task(world.poll(books.shop))
        together.create_task(world.poll(books.store))
        together.create_task(upload_all(world, books))
        together.create_task(deposit_by_hand(world, books))
    await run_payouts(world, books.shop.connection_id)
    await run_payouts(world, books.stripe_id)
    await world.settled(books.company, orders=len(SALES) + len(TAKEN_BACK) + 1, within_s=180)
    open_payouts: list[Json] = []

    async def is_deposited() -> bool:
        nonlocal open_payouts
        rows = [
            row
            for one in (books.shop, books.store, books.debited, books.by_hand)
            for row in (await listed(books, one)).values()
        ]
        open_payouts = [row for row in rows if row["status"] == "paid" and row["document_state"] != "synced"]
        return bool(rows) and not open_payouts

    await eventually(is_deposited, "every payout is a deposit", within_s=120, seen=lambda: open_payouts[:3])
    return books


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(product: Stack) -> AsyncIterator[dict[str, Books]]:
    """Everything at once, into a company file of each ledger."""
    async with World.of(product) as world:
        prepared = []
        for ledger in LEDGERS:
            shop = await world.open_shop("shopify", orders=ORDERS)
            store = await world.open_shop("woocommerce", orders=ORDERS)
            books = await prepare(world, ledger, shop, store)
            books.lives = {"shop": life_of(shop), "store": life_of(store)}
            for one in (shop, store):
                await world.begin_life(one)
            prepared.append(books)
        done = await asyncio.gather(*(act(world, books) for books in prepared))
        yield {books.company.ledger: books for books in done}


async def listed(books: Books, connection: Connection) -> dict[str, Json]:
    rows = books.world.gateway.each(f"/connections/{connection.connection_id}/payouts", limit=5)
    return {row["payout_id"]: row async for row in rows}


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_the_worked_examples_are_deposits_and_what_is_wrong_says_why(
    played: dict[str, Books], ledger: str
) -> None:
    books = played[ledger]
    reason = books.incomplete["payout"]["reason"]
    assert f"{LATE} (not received)" in reason["text"], "the late sale is named while it is missing"
    found = await listed(books, books.examples)
    fate = {
        key: (row["outcome"], row["document_state"], (row["reason"] or {}).get("code")) for key, row in found.items()
    }
    done = ("mapped", "synced", None)
    assert fate == {
        "po-b": done, "po-c": done, "po-c2": done, "po-d": done,
        "po-wrong": ("held", None, "PAYOUT_UNBALANCED"),
        "po-bad": ("refused", None, "UNREADABLE_AMOUNT"),
    }  # fmt: skip
    assert found["po-bad"]["reason"]["field"] == "row 12, column amount"
    assert [one["outcome"] for one in books.uploads] == ["stored"] * 5 + ["refused"] + ["stored"] * 3
    assert books.waiting["reason"]["code"] == "WAITING_FOR_APPROVAL"


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_bank_fees_and_shortfall_are_exact_in_the_ledger(played: dict[str, Books], ledger: str) -> None:
    books = played[ledger]
    lives: list[Payout] = [payout for one in books.lives.values() for payout in one]
    deposited, fees, short = D(0), D(0), D(0)
    for connection, name in ((books.shop, "shop"), (books.store, "store")):
        rows = await listed(books, connection)
        mine: list[Payout] = books.lives[name]
        assert len(rows) >= len(mine) > 5
        states = {row["document_state"] for row in rows.values() if row["status"] == "paid"}
        assert states == {"synced"}, [row for row in rows.values() if row["document_state"] != "synced"]
    for payout in lives:
        net = D(payout.amount).scaleb(-2)
        deposited += max(net, D(0))
        short += min(net, D(0))
        fees += D(sum(one.row.fee for one in payout.movements)).scaleb(-2)
    accounts = await books.world.balances(books.company)
    taken = D("56.17")
    examples = D("209.91") + D("137.73") + D("174.07") + D("565.00") + D("43.88") - taken
    assert accounts[books.names["BANK"]] == deposited + examples
    settled_fees = D("140.00") + D("180.00") + D("25.00") + D("1.62")
    assert accounts[books.names["FEES"]] == fees + D("7.93") + D("1.17") * 2 + D("6.10") + D("22.93") + settled_fees
    assert accounts[books.names["CHB"]] == D("45.50")
    assert accounts[books.names["RSV"]] == D("40.00")
    assert accounts.get(books.names["SHORT"], D(0)) == short
    assert sum(accounts.values()) == 0


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_a_deposit_stands_on_the_timelines_of_its_orders(played: dict[str, Books], ledger: str) -> None:
    books = played[ledger]
    orders = await books.world.orders(books.examples)
    timeline = await books.world.timeline(orders["id1001"])
    (paid,) = [entry for entry in timeline["entries"] if entry["stage"] == "paid_out"]
    assert (paid["outcome"], paid["reason"]) == ("mapped", None)
    assert "upload payout po-b" in paid["text"]
    assert "charge 77.00, refund -24.66" in paid["text"]
    assert not timeline["unavailable"]


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_a_preview_shows_the_deposit_and_the_same_file_again_changes_nothing(
    played: dict[str, Books], ledger: str
) -> None:
    books = played[ledger]
    path = f"/connections/{books.examples.connection_id}/payouts/po-b/preview"
    shown = await books.world.gateway.post(path)
    assert shown["reason"] is None
    (deposit,) = shown["documents"]
    amounts = sorted(D(line["amount"]) for line in deposit["lines"])
    assert amounts == sorted(map(D, ("-77.00", "-120.00", "-45.50", "24.66", "7.93", "209.91")))
    again = await upload(books.world, books.marketplace, "amazon_settlement_v2", MARKETPLACE)
    assert [one["outcome"] for one in again.json()["payouts"]] == ["unchanged"]
    wrong = await upload(books.world, books.examples, "payout_csv", EXAMPLE_B.replace("fee", "cost", 1).encode())
    assert (wrong.status_code, wrong.json()["code"]) == (422, "PAYOUT_FILE_INVALID")
    assert [one["field"] for one in wrong.json()["errors"]] == ["fee"]


async def test_a_signed_event_fetches_a_payout_at_once_and_a_forged_one_nothing(played: dict[str, Books]) -> None:
    books = played["beancount"]
    world = books.world
    detail = await world.gateway.get(f"/connections/{books.stripe_id}")
    payout_id = next(iter(await listed(books, books.store)))
    config = (await world.gateway.get(f"/connections/{books.stripe_id}"))["config"]
    steering, _, name = config["base_url"].removesuffix("/stripe").rpartition("/")
    before = (await payout_of(world, books.store, payout_id))["source"]["parts"][0]["received_at"]
    url = world.stack.url_of("ingest") + detail["webhook_path"]
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        event = (await client.get(f"{steering}/_sandbox/shops/{name}/stripe/events/{payout_id}")).json()
        forged = await client.post(url, content=event["body"] + " ", headers=event["headers"])
        assert forged.status_code == 401
        taken = await client.post(url, content=event["body"], headers=event["headers"])
        assert taken.status_code == 200

    async def is_fetched() -> bool:
        now = await payout_of(world, books.store, payout_id)
        return bool(now["source"]["parts"][0]["received_at"] > before)

    await eventually(is_fetched, "the announced payout is fetched", within_s=60)
