"""The main job: three channels, two ledgers, three modes; books and shops agree to the cent."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.e2e import expected
from tests.e2e.expected import gift_cards_redeemed
from tests.e2e.world import Company, Connection, SampleShop, World, first_day, written

from sandbox.demo.gateway import Json
from sandbox.demo.proof import in_scope
from sandbox.shops.expectation import Expectation
from sandbox.shops.scenarios import STORIES
from sandbox.shops.shop import Kind
from sandbox.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

ORDERS = 24
"""Every story of the sample shops once."""
LEDGERS = ("beancount", "quickbooks_online")
WAYS = ("shopify", "woocommerce", "custom", "custom pulled", "custom pulled the older way")
PLAYS = [
    *itertools.product(WAYS[:3], LEDGERS, expected.MODES),
    *itertools.product(WAYS[3:], LEDGERS, ("invoices_payments_if_paid",)),
]
STAGES = ["raw", "normalized", "mapped", "planned", "written"]

KINDS: Mapping[str, Kind] = {"shopify": "shopify", "woocommerce": "woocommerce", "custom": "custom"}
Play = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Played:
    """How one way, ledger and mode ended."""

    world: World
    shop: SampleShop
    company: Company
    connection: Connection
    orders: dict[str, Json]
    documents: list[Json]
    accounts: dict[str, Decimal]

    @property
    def story(self) -> Expectation:
        return self.shop.life.expectation(ORDERS)


Ended = Mapping[Play, Played | BaseException]


def outcome_of(played: Ended, play: Play) -> Played:
    """How a play ended. One that failed fails its own tests only."""
    outcome = played[play]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(product: Stack) -> AsyncIterator[Ended]:
    """All plays at once, each in a company file of its own: that takes no longer than the slowest."""
    async with World.of(product) as world:
        prepared = [(play, *await prepare(world, play)) for play in PLAYS]
        for _, shop, _ in prepared:
            await world.begin_life(shop)
        results = await asyncio.gather(*(act(world, *one) for one in prepared), return_exceptions=True)
        yield dict(zip(PLAYS, results, strict=True))


async def prepare(world: World, play: Play) -> tuple[SampleShop, Connection]:
    """A shop of the play's own: they all lead the same life, but a shop is connected once."""
    way, ledger, mode = play
    older = way.endswith("older way")
    # The older envelope can't say that a line sells a gift card.
    stories = [row.name for row in STORIES if "custom" in row.kinds and row.name != "gift_card_bought"]
    kind: Kind = KINDS[way.split()[0]]
    life: Json = {"scenarios": stories} if older else {}
    shop = await world.open_shop(kind, orders=ORDERS, **life)
    company = await world.company(ledger, first_day(40))
    contract = {"pull_contract": "compatible"} if older else {}
    return shop, await world.connect_shop(company, shop, mode=mode, **contract)


async def act(world: World, play: Play, shop: SampleShop, connection: Connection) -> Played:
    """Send (or pull) everything, wait, and read what is there."""
    if "pulled" in play[0]:
        await world.poll(connection)
    else:
        report = await world.send(connection, shop.life.events(ORDERS), in_order=True, concurrency=4)
        assert report.accepted == report.sent, report.failures
    company = connection.company
    await world.settled(company, orders=ORDERS, within_s=180)
    orders, documents = await world.orders(connection), await world.documents(company)
    return Played(world, shop, company, connection, orders, documents, await world.balances(company))


@pytest.mark.parametrize("play", PLAYS, ids=", ".join)
async def test_books_and_shop_agree_to_the_cent(played: Ended, play: Play) -> None:
    outcome = outcome_of(played, play)
    assert sum(outcome.accounts.values()) == 0
    assert expected.by_role(outcome.accounts) == expected.balances(outcome.story, play[2])


@pytest.mark.parametrize("play", PLAYS, ids=", ".join)
async def test_every_order_is_in_the_ledger_or_says_why_not(played: Ended, play: Play) -> None:
    outcome, mode = outcome_of(played, play), play[2]
    assert set(outcome.orders) == set(outcome.story.orders)
    for key, row in outcome.story.orders.items():
        order = outcome.orders[key]
        if in_scope(row, mode):
            stands = (order["column"], Decimal(order["total"]))
            why = (row.scenario, order, expected.hindered(outcome.documents, key))
            assert stands == ("in_ledger", outcome.story.money(row.total)), why
        elif row.cancelled:
            assert order["column"] in {"out_of_scope", "in_ledger"}, order  # a voided invoice is in the ledger
        else:
            assert (order["column"], order["reason"]["code"]) == ("waiting", "WAITING_FOR_PAYMENT"), order


@pytest.mark.parametrize("play", PLAYS, ids=", ".join)
async def test_every_order_has_the_documents_of_its_mode_once(played: Ended, play: Play) -> None:
    outcome, mode = outcome_of(played, play), play[2]
    found = written(row for row in outcome.documents if row["state"] == "synced")
    payments: Counter[str] = Counter()
    for document in outcome.documents:
        if document["kind"] == "payment" and document["state"] == "synced":
            payments[document["source_id"]] += int(Decimal(document["amount"]) * 100)
    for key, row in outcome.story.orders.items():
        kinds = Counter({kind: n for (order, kind), n in found.items() if order == key and kind != "payment"})
        why = (row.scenario, outcome.orders[key], expected.hindered(outcome.documents, key))
        assert kinds == expected.documents(row, mode), why
        # A gift card redeemed is a payment where the ledger takes a liability as deposit-to account, else a line.
        lines = gift_cards_redeemed(row) if play[1] == "quickbooks_online" else 0
        paid = row.paid - lines if mode == "invoices_payments_if_paid" else 0
        assert payments[key] == paid, why


@pytest.mark.parametrize("play", PLAYS, ids=", ".join)
async def test_the_timeline_tells_an_order_from_its_payload_to_every_write(played: Ended, play: Play) -> None:
    outcome = outcome_of(played, play)
    refunded = next(key for key, row in outcome.story.orders.items() if row.scenario == "two_partial_refunds")
    timeline = await outcome.world.timeline(outcome.orders[refunded])
    assert not timeline["unavailable"]
    # Customers and items may have been written for an order that came before.
    entries = [entry for entry in timeline["entries"] if entry["kind"] not in {"customer", "item"}]
    assert [stage for stage in STAGES if stage not in {entry["stage"] for entry in entries}] == []
    assert entries[0]["stage"] == "raw"
    writes = {entry["document_key"] for entry in entries if entry["stage"] == "written" and entry["ledger_id"]}
    own = [row for row in outcome.documents if row["source_id"] == refunded]
    in_ledger = {row["document_key"] for row in own if row["ledger_id"]}
    assert in_ledger
    assert in_ledger <= writes
