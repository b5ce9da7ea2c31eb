"""Every order, refund and transaction payload the vendors published, by signed webhook into both ledgers."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest
import pytest_asyncio
from tests.e2e.expected import by_role
from tests.e2e.vendor_cases import PAYLOADS, VENDORS, Case, cases, classified, read
from tests.e2e.world import Company, Connection, World
from tests.vendor_data import has, needs

from sandbox.demo.gateway import Json
from sandbox.shops.life import Event
from sandbox.stack import Stack

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.vendor,
    needs(*VENDORS),
]

LEDGERS = ("beancount", "quickbooks_online")
START = date(2005, 1, 1)
"""The oldest sample order is of 2008."""
SECRET = "whsec_vendor"


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a case in one ledger."""

    order: Json | None
    documents: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        if self.order is None:
            return "nothing, as it should be"
        reason = self.order["reason"]
        said = f"{reason['code']}: {reason['text']}" if reason else ""
        booked = ", ".join(f"{kind} {amount}" for kind, amount in self.documents)
        return " | ".join(filter(None, (self.order["column"], booked, said)))


@dataclass(frozen=True, slots=True)
class Sent:
    world: World
    companies: Mapping[str, Company]
    landed: Mapping[tuple[str, str], Landed]


@contextmanager
def serving_vendor_files() -> Iterator[str]:
    """A WooCommerce REST API that knows order 723 and its refunds as they were published. Yields its address."""
    orders = {row["id"]: row for row in read("woocommerce/fixtures/orders.list-all-orders.json")}
    refunds = read("woocommerce/fixtures/order-refunds.list-all-refunds.json")
    single = {
        name: read(f"woocommerce/fixtures/order-refunds.{name}.json")
        for name in ("create-a-refund", "retrieve-a-refund")
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            shop, _, resource = path.strip("/").partition("/wp-json/wc/v3/")
            shop = shop.partition("/")[0]
            match = re.fullmatch(r"orders/(\d+)(/refunds)?", resource)
            body: object = []
            if match and match[2]:
                body = [single[shop]] if shop in single else refunds
            elif match:
                body = orders[int(match[1])]
                if shop in single:
                    body = {**orders[int(match[1])], "refunds": [{"id": single[shop]["id"], "total": "-10.00"}]}
            raw = orjson.dumps(body)
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET  # noqa: N815 - the base class's name

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def own_name(case: Case, company: Company) -> str:
    """Of the shop that one case comes from: a shop is connected once."""
    return re.sub(r"[^a-z0-9]+", "-", f"{company.ledger} {case.name}".lower()).strip("-")


async def connect(world: World, company: Company, case: Case, number: int, store: str) -> Connection:
    """A connection for one case. Its numbers get a prefix, for the samples share numbers."""
    secrets = {"webhook_secret": SECRET}
    name = own_name(case, company)
    config = {"shop_domain": f"{name}.myshopify.com"}
    if case.channel == "woocommerce":
        config = {"store_url": f"{store}/{case.name.split(',')[0]}/{name}"}
        if case.fetches:
            secrets |= {"consumer_key": "ck_vendor", "consumer_secret": "cs_vendor"}
    return await world.connect(
        company, case.channel, config=config, secrets=secrets, start=START, mode="invoices_payments_if_paid",
        numbers={"prefix": f"{number}-"},
    )  # fmt: skip


async def deliver(world: World, connection: Connection, case: Case, step: int) -> None:
    if step >= len(case.deliveries):
        return
    delivery = case.deliveries[step]
    now = datetime.now(UTC)
    shop, name = f"{own_name(case, connection.company)}.myshopify.com", f"{case.name}-{step}".replace(" ", "")
    event = Event(case.channel, shop, delivery.topic, case.order_id, now, name, delivery.body)
    report = await world.send(connection, [event])
    assert report.accepted == 1, report


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sent(product: Stack) -> AsyncIterator[Sent]:
    """All cases delivered to a Beancount and to a QuickBooks company, step by step."""
    with serving_vendor_files() as store:
        async with World.of(product) as world:
            companies = {ledger: await world.company(ledger, date(2004, 12, 31)) for ledger in LEDGERS}
            made: dict[tuple[str, str], Connection] = {}
            for ledger, company in companies.items():
                wanted = [connect(world, company, case, number, store) for number, case in enumerate(cases())]
                connections = await asyncio.gather(*wanted)
                made |= {(case.name, ledger): one for case, one in zip(cases(), connections, strict=True)}
            by_name = {case.name: case for case in cases()}
            for step in range(2):
                for (name, _), connection in made.items():
                    await deliver(world, connection, by_name[name], step)
                for company in companies.values():
                    await world.settled(company, orders=sum(case.listed for case in cases()))
            landed = {key: await look(world, connection) for key, connection in made.items()}
            yield Sent(world, companies, landed)


async def look(world: World, connection: Connection) -> Landed:
    orders = list((await world.orders(connection)).values())
    assert len(orders) <= 1
    if not orders:
        return Landed(None, ())
    rows = await world.documents(connection.company)
    own = [row for row in rows if row["connection_id"] == connection.connection_id and row["state"] == "synced"]
    return Landed(orders[0], tuple(sorted((row["kind"], row["amount"]) for row in own)))


async def test_every_file_is_known_and_every_payload_is_sent() -> None:
    named = dict(classified())
    unclear = {name: found for name, found in named.items() if len(found) != 1}
    assert not unclear
    payloads = {name for name, (what,) in named.items() if what in PAYLOADS.values()}
    assert payloads == {file for case in cases() for file in case.files}


async def test_print_what_became_of_every_payload(sent: Sent, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n\nfiles")
        for name, what in classified():
            print(f"  {name:<62} {'; '.join(what)}")
        print("\npayloads")
        for case in cases():
            changes = (
                f" ({', '.join(f'{name}: {value}' for name, value in case.changed.items())})" if case.changed else ""
            )
            print(f"  {case.channel} {case.name}{changes}, from {', '.join(case.files)}\n    because {case.why}")
            for ledger in LEDGERS:
                print(f"    {ledger:<18} {sent.landed[case.name, ledger]}")
    assert len(sent.landed) == len(LEDGERS) * len(cases())


@pytest.mark.parametrize("ledger", LEDGERS)
@pytest.mark.parametrize("case", cases() if has(*VENDORS) else [], ids=lambda case: case.name)
async def test_payload_lands_in_the_ledger_or_in_the_right_reason(sent: Sent, case: Case, ledger: str) -> None:
    landed = sent.landed[case.name, ledger]
    assert landed.documents == tuple(sorted(case.documents)), str(landed)
    if not case.listed:
        assert landed.order is None
        return
    assert landed.order is not None
    if case.total:
        assert Decimal(landed.order["total"]) == Decimal(case.total)
    if case.code:
        assert landed.order["reason"]["code"] == case.code
        assert all(word in landed.order["reason"]["text"] for word in case.words), landed.order["reason"]
    else:
        assert landed.order["column"] == "in_ledger", str(landed)


@pytest.mark.parametrize("ledger", LEDGERS)
async def test_books_hold_exactly_what_the_payloads_say(sent: Sent, ledger: str) -> None:
    accounts = await sent.world.balances(sent.companies[ledger])
    sums: Counter[str] = Counter()
    for case in cases():
        for kind, amount in case.documents:
            sums[kind] += int(Decimal(amount) * 100)
    roles = by_role(accounts)
    assert roles["money"] == Decimal(sums["payment"] - sums["refund_receipt"]) / 100
    assert roles["receivable"] == Decimal(sums["invoice"] - sums["payment"]) / 100
    assert roles["income"] + roles["sales tax"] == Decimal(sums["refund_receipt"] - sums["invoice"]) / 100
    assert sum(roles.values()) == 0
