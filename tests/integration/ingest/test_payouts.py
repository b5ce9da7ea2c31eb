"""Payouts through the service: fetched once, kept with a reason until they are paid, never taken for another tenant."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.ingest.conftest import Ingest, served, task

from common.messages.control import TaskKind
from common.messages.orders import Payout
from ingest.channel import Account
from ingest.payout_parts import PayoutParts
from ingest.payout_readers import READERS
from sandbox.shops.life import ShopLife
from sandbox.shops.payouts import payouts_of
from sandbox.shops.store import Credentials, ShopStore

TODAY = datetime.now(UTC).date()


def shop(days: int, kind: str = "shopify") -> ShopStore:
    """A shop whose life began so many days ago."""
    life = ShopLife(3, kind, "us", TODAY - timedelta(days=days), orders_per_day=20)  # type: ignore[arg-type]
    store = ShopStore("north", life, 40, Credentials("shpat", "ck", "cs", "whsec"), "unlimited")
    store.advance()
    return store


async def run(ingest: Ingest, run_id: str, connection_id: str = "con") -> str | None:
    """Run the payouts of the last weeks; the code of what failed, if anything did."""
    now = datetime.now(UTC)
    start, end = now - timedelta(days=60), now + timedelta(days=30)
    await ingest.send(task(run_id, connection_id, TaskKind.PAYOUTS, window_start=start, window_end=end))
    last = (await ingest.finished(run_id))[-1]
    return None if last.failed is None else last.failed.code


async def test_a_second_run_asks_for_no_rows_again_and_changes_nothing(ingest: Ingest) -> None:
    store = shop(40)
    async with served(store) as address:
        login = {"shop_domain": "x.myshopify.com", "webhook_secret": "s", "access_token": "shpat"}
        await ingest.connect("con", "shopify", base_url=f"{address}/north", **login)
        assert await run(ingest, "one") is None
        pool = ingest.service.runtime.pool
        paid = [payout for payout in payouts_of(store) if payout.is_paid]
        assert await pool.fetchval("SELECT count(*) FROM payouts WHERE status = 'paid' AND problem IS NULL") == len(
            paid
        )
        calls = store.counters["calls"]
        assert await run(ingest, "two") is None
        again = store.counters["calls"] - calls
        assert again < len(paid), "a payout that was paid and read is not fetched again"
        assert await pool.fetchval("SELECT max(revision) FROM payouts") == 1
        shown = await ingest.http.get("/internal/connections/con/payouts", params={"tenant_id": "tenant"})
        assert len(shown.json()["payouts"]) == len(payouts_of(store))
        other = await ingest.http.get("/internal/connections/con/payouts", params={"tenant_id": "other"})
        assert other.json()["payouts"] == []
        raw = await pool.fetchval("SELECT body FROM payout_parts WHERE kind = 'rows' LIMIT 1")
        assert b"transactions" not in raw, "raw parts are encrypted"


@dataclass
class Reader:
    """How a release reads Shopify's payouts, until its bug is mended."""

    sound: Callable[[PayoutParts, Account], Payout]
    is_broken: bool = True

    def read(self, parts: PayoutParts, account: Account) -> Payout:
        if self.is_broken:
            raise KeyError(parts.payout_id)
        return self.sound(parts, account)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    built = Reader(READERS["shopify"])
    monkeypatch.setitem(READERS, "shopify", built.read)
    return built


async def test_payouts_that_a_bug_keeps_from_being_read_are_kept_and_read_by_a_later_run(
    reader: Reader, ingest: Ingest
) -> None:
    store = shop(40)
    async with served(store) as address:
        login = {"shop_domain": "x.myshopify.com", "webhook_secret": "s", "access_token": "shpat"}
        await ingest.connect("con", "shopify", base_url=f"{address}/north", **login)
        pool = ingest.service.runtime.pool
        faulty = "SELECT count(*) FROM payouts WHERE problem->>'code' = 'PRODUCT_FAULT'"
        assert await run(ingest, "one") is None
        assert await pool.fetchval(faulty) == len(payouts_of(store)) > 0
        assert await pool.fetchval("SELECT count(DISTINCT payout_id) FROM payout_parts") == len(payouts_of(store))
        reader.is_broken = False
        assert await run(ingest, "two") is None
        assert await pool.fetchval(faulty) == 0
        paid = [payout for payout in payouts_of(store) if payout.is_paid]
        assert await pool.fetchval("SELECT count(*) FROM payouts WHERE content IS NOT NULL") == len(paid) > 0


async def test_a_payout_on_its_way_is_kept_and_not_sent_on(ingest: Ingest) -> None:
    store = shop(1)
    async with served(store) as address:
        await ingest.connect("con", "woocommerce", store_url=f"{address}/north", webhook_secret="s")
        stripe = {"orders_connection": "con", "base_url": f"{address}/north/stripe"}
        made = await ingest.http.post(
            "/internal/connections",
            json={
                "tenant_id": "tenant", "connection_id": "pay", "channel": "stripe", "name": "Stripe", "config": stripe,
                "secrets": {"secret_key": "sk_test_north"},
            },
        )  # fmt: skip
        assert made.status_code == 201, made.text
        assert await run(ingest, "one", "pay") is None
        rows = await ingest.service.runtime.pool.fetch("SELECT connection_id, source_id, content, problem FROM payouts")
        open_payouts = [payout for payout in payouts_of(store) if not payout.is_paid]
        assert open_payouts
        waiting = [row for row in rows if row["content"] is None]
        assert len(waiting) == len(open_payouts)
        assert {(row["connection_id"], row["source_id"]) for row in rows} == {("con", "pay")}
        assert all("PAYOUT_NOT_PAID" in row["problem"] for row in waiting)


@pytest.mark.parametrize(
    ("channel", "given", "orders", "payouts"),
    [
        ("shopify", {"shop_domain": "a.myshopify.com", "webhook_secret": "s", "access_token": "t"}, True, True),
        ("shopify", {"shop_domain": "a.myshopify.com", "webhook_secret": "s"}, False, False),
        ("woocommerce", {"webhook_secret": "s", "consumer_key": "ck", "consumer_secret": "cs"}, True, False),
        ("woocommerce", {"webhook_secret": "s"}, False, False),
        ("stripe", {"secret_key": "sk", "orders_connection": "con"}, False, True),
    ],
)
async def test_a_connection_says_what_can_be_fetched_from_it(
    ingest: Ingest, channel: str, given: dict[str, str], orders: bool, payouts: bool
) -> None:
    config = {"store_url": "https://93.184.215.14"} if channel == "woocommerce" else {}
    secret = {"webhook_secret", "access_token", "consumer_key", "consumer_secret", "secret_key"}
    body = {
        "tenant_id": "tenant", "connection_id": "con", "channel": channel, "name": "A",
        "config": config | {name: value for name, value in given.items() if name not in secret},
        "secrets": {name: value for name, value in given.items() if name in secret},
    }  # fmt: skip
    made = await ingest.http.post("/internal/connections", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["fetches"], made.json()["fetches_payouts"]) == (orders, payouts)


async def test_payouts_for_another_tenants_shop_and_from_a_channel_without_any_say_why(ingest: Ingest) -> None:
    await ingest.connect("con", "custom", signing_secret="0123456789abcdef")
    assert await run(ingest, "one") == "NOT_SUPPORTED"
    made = await ingest.http.post(
        "/internal/connections",
        json={
            "tenant_id": "other", "connection_id": "pay", "channel": "stripe", "name": "Stripe",
            "config": {"orders_connection": "con"}, "secrets": {"secret_key": "sk"},
        },
    )  # fmt: skip
    assert made.status_code == 201
    now = datetime.now(UTC)
    asked = task("two", "pay", TaskKind.PAYOUTS, window_start=now, window_end=now).model_copy(
        update={"tenant_id": "other"}
    )
    await ingest.send(asked)
    failed = (await ingest.finished("two"))[-1].failed
    assert failed is not None
    assert (failed.code, failed.value) == ("ORDERS_CONNECTION_MISSING", "con")
