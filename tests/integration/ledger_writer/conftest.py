"""A ledger-writer on real Postgres and RabbitMQ with a Beancount company, driven by messages and internal HTTP."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from common.broker import Broker, Outgoing
from common.messages.base import State
from common.messages.control import CompanySettings, SettingsChanged
from common.messages.keys import document_key, shared_key
from common.messages.transactions import (
    Account,
    AccountRole,
    Application,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    Inputs,
    ItemWanted,
    LineKind,
    MissingPolicy,
    SetOutcome,
    TransactionSet,
)
from common.packs import PACK_BYTES_MAX, encode_member, join_members, split_by_size
from common.topology import EXCHANGE, routing_key
from ledger_writer.main import create
from ledger_writer.settings import LedgerWriterSettings
from sandbox.fresh import FreshDatabase, FreshVhost

TENANT, COMPANY, CONNECTION = "ten_1", "com_1", "con_1"
CALLER = {"x-tillbook-caller": "api", "authorization": "Bearer the-key-of-the-gateway"}


def key_of(number: str, kind: DocumentKind, ordinal: int = 0) -> str:
    return document_key(TENANT, COMPANY, CONNECTION, "order", number, kind, ordinal)


def customer_of(name: str) -> CustomerWanted:
    return CustomerWanted(key=shared_key(COMPANY, DocumentKind.CUSTOMER, name.casefold()), display_name=name)


def item_of(name: str, missing: MissingPolicy = MissingPolicy.CREATE) -> ItemWanted:
    return ItemWanted(
        key=shared_key(COMPANY, DocumentKind.ITEM, name.casefold()),
        name=name,
        missing=missing,
        income_account=Account(role=AccountRole.INCOME, name="Income:Sales"),
    )


def form(
    number: str,
    kind: DocumentKind,
    amount: str,
    *,
    customer: CustomerWanted,
    item: ItemWanted,
    ordinal: int = 0,
    on: date = date(2026, 1, 5),
    **more: Any,
) -> Document:
    """A sales form with one line."""
    return Document(
        key=key_of(number, kind, ordinal),
        kind=kind,
        ordinal=ordinal,
        source_kind="order",
        source_id=number,
        number=number,
        memo_number=number,
        date=on,
        currency="USD",
        total=Decimal(amount),
        customer_key=customer.key,
        lines=(
            DocumentLine(
                kind=LineKind.PRODUCT,
                account=Account(role=AccountRole.INCOME, name="Income:Sales"),
                amount=Decimal(amount),
                item_key=item.key,
                description=item.name,
            ),
        ),
        **more,
    )


def payment(number: str, amount: str, *, customer: CustomerWanted, to: str, ordinal: int = 0) -> Document:
    return Document(
        key=key_of(number, DocumentKind.PAYMENT, ordinal),
        kind=DocumentKind.PAYMENT,
        ordinal=ordinal,
        source_kind="tender",
        source_id=f"{number}-{ordinal}",
        number=number,
        memo_number=number,
        date=date(2026, 1, 6),
        currency="USD",
        total=Decimal(amount),
        customer_key=customer.key,
        applications=(Application(document_key=to, amount=Decimal(amount)),),
        depends_on=(to,),
    )


def order_set(
    number: str,
    documents: Iterable[Document],
    *,
    customers: Iterable[CustomerWanted] = (),
    items: Iterable[ItemWanted] = (),
    revision: int = 1,
    after_posting: str = "update",
) -> TransactionSet:
    wanted = tuple(documents)
    return TransactionSet(
        tenant_id=TENANT,
        revision=revision,
        company_id=COMPANY,
        connection_id=CONNECTION,
        source_kind="order",
        source_id=number,
        source_number=number,
        inputs=Inputs(source_revision=revision, connection_revision=1, company_revision=1),
        outcome=SetOutcome.MAPPED,
        date=date(2026, 1, 5),
        currency="USD",
        source_total=sum((document.total for document in wanted), Decimal(0)),
        after_posting=after_posting,
        customers=tuple(customers),
        items=tuple(items),
        documents=wanted,
    )


def receipt_set(number: str, amount: str = "25.00", *, revision: int = 1, **more: Any) -> TransactionSet:
    """An order that is one sales receipt of a customer of its own."""
    customer, item = customer_of(f"Buyer {number}"), item_of("Mug")
    receipt = form(number, DocumentKind.SALES_RECEIPT, amount, customer=customer, item=item)
    return order_set(number, [receipt], customers=[customer], items=[item], revision=revision, **more)


@dataclass
class Desk:
    """One or more replicas of the service, and what a test does with them."""

    settings: LedgerWriterSettings
    broker: Broker
    pool: asyncpg.Pool
    data_dir: Path
    replicas: list[AsyncExitStack] = field(default_factory=list)
    apps: list[FastAPI] = field(default_factory=list)
    revisions: dict[str, int] = field(default_factory=dict)

    async def start(self, **changes: Any) -> FastAPI:
        """Start a replica in this process."""
        stack = AsyncExitStack()
        app = create(self.settings.model_copy(update=changes))
        await stack.enter_async_context(app.router.lifespan_context(app))
        self.replicas.append(stack)
        self.apps.append(app)
        return app

    async def stop(self) -> None:
        """Stop every replica gracefully."""
        while self.replicas:
            await self.replicas.pop().aclose()
        self.apps.clear()

    async def send(self, *states: State, backfill: bool = False) -> None:
        members = [encode_member(state.model_dump_json().encode(), "cor-1", None) for state in states]
        contract = type(states[0])
        key = routing_key(contract, backfill=backfill)
        assert all(len(member) < PACK_BYTES_MAX for member in members)
        packs = [
            Outgoing(EXCHANGE, key, contract.type, join_members(members[index] for index in indexes))
            for indexes in split_by_size(members, contract.packed_max)
        ]
        await self.broker.publish(packs)

    async def call(self, method: str, path: str, json: Mapping[str, Any] | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.apps[0])
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger-writer") as client:
            return await client.request(method, path, json=json, headers=CALLER)

    async def configure(self, **changes: Any) -> None:
        """Send the company's settings at the next revision."""
        values: dict[str, Any] = {
            "company_id": COMPANY,
            "name": "Mug shop",
            "ledger": "beancount",
            "closed_through": date(2025, 12, 31),
            "approved_at": datetime(2026, 1, 1, tzinfo=UTC),
        } | changes
        self.revisions[COMPANY] = revision = self.revisions.get(COMPANY, 0) + 1
        await self.send(
            SettingsChanged(
                tenant_id=TENANT,
                revision=revision,
                scope="company",
                scope_id=COMPANY,
                company=CompanySettings(**values),
            )
        )
        await self.until(
            "SELECT count(*) FROM company_settings WHERE company_id = $1 AND revision >= $2", 1, COMPANY, revision
        )

    async def pair(self) -> None:
        answer = await self.call(
            "POST",
            "/internal/companies",
            {
                "tenant_id": TENANT,
                "company_id": COMPANY,
                "ledger": "beancount",
                "name": "Mug shop",
                "home_currency": "USD",
            },
        )
        assert answer.status_code in {200, 201}, answer.text

    async def until(self, query: str, expected: Any, *arguments: Any, timeout_s: float = 20) -> None:
        """Wait until a query gives this value."""
        found = None
        try:
            async with asyncio.timeout(timeout_s):
                # The service works in other tasks and processes: the database is the only place to see it.
                while (found := await self.pool.fetchval(query, *arguments)) != expected:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            states = await self.pool.fetch("SELECT kind, state, code, raw, count(*) FROM documents GROUP BY 1, 2, 3, 4")
            raise AssertionError(f"{found!r} is not {expected!r}: {[tuple(row) for row in states]}") from None

    async def settled(self, count: int, timeout_s: float = 30) -> None:
        """Wait until there are `count` documents (with customers and items), all of them in the ledger."""
        await self.until("SELECT count(*) FROM documents WHERE state = 'synced'", count, timeout_s=timeout_s)

    async def state_of(self, key: str) -> tuple[str, str]:
        row = await self.pool.fetchrow("SELECT state, code FROM documents WHERE document_key = $1", key)
        return (row["state"], row["code"]) if row else ("", "")

    async def until_state(self, key: str, state: str, code: str | None = None) -> None:
        await self.until("SELECT state FROM documents WHERE document_key = $1", state, key)
        if code is not None:
            assert (await self.state_of(key))[1] == code

    @property
    def folder(self) -> Path:
        return self.data_dir / "beancount" / TENANT / COMPANY

    def journal(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "journal").glob("*.beancount")))

    def posting_keys(self) -> list[str]:
        return [line.split('"')[1] for line in self.journal().splitlines() if line.startswith("  posting-key:")]

    async def balances(self) -> dict[str, Decimal]:
        answer = await self.call("GET", f"/internal/companies/{COMPANY}/trial-balance?tenant_id={TENANT}")
        assert answer.status_code == 200, answer.text
        return {row["account"]: Decimal(row["debit"]) - Decimal(row["credit"]) for row in answer.json()["rows"]}


def bean_check(folder: Path) -> None:
    """The outside judge: the books must be what Beancount accepts."""
    program = Path(sys.executable).with_name("bean-check")
    result = subprocess.run(
        [program, "--no-cache", folder / "main.beancount"], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def desk_settings(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost, tmp_path: Path) -> LedgerWriterSettings:
    return LedgerWriterSettings(
        database_url=SecretStr(postgres_database.url_for("ledger-writer")),
        broker_url=SecretStr(rabbitmq_vhost.url),
        encryption_keys=SecretStr("1:" + base64.b64encode(os.urandom(32)).decode()),
        internal_key=SecretStr("mine"),
        internal_callers={"api": SecretStr("the-key-of-the-gateway")},
        data_dir=tmp_path / "books",
        lane_lease_s=1.0,
        lane_poll_s=0.1,
        log_level="WARNING",
        log_format="console",
    )


@asynccontextmanager
async def desk_of(settings: LedgerWriterSettings) -> AsyncIterator[Desk]:
    broker = Broker(settings.broker_url, name="test")
    pool = await asyncpg.create_pool(settings.database_url.get_secret_value(), min_size=1, max_size=3)
    desk = Desk(settings, broker, pool, settings.data_dir)
    try:
        yield desk
    finally:
        await desk.stop()
        await broker.close()
        await pool.close()


@pytest.fixture
async def desk(desk_settings: LedgerWriterSettings, rabbitmq_vhost: FreshVhost) -> AsyncIterator[Desk]:
    """Not started, nothing paired. The books are checked at the end of every test that made some."""
    await rabbitmq_vhost.declare()
    async with desk_of(desk_settings) as made:
        yield made
    if (made.folder / "main.beancount").exists():
        bean_check(made.folder)
        keys = made.posting_keys()
        assert len(keys) == len(set(keys))


@pytest.fixture
async def open_desk(desk: Desk) -> Desk:
    """One replica, one Beancount company, approved."""
    await desk.start()
    await desk.pair()
    await desk.configure()
    return desk


@pytest.fixture
def check_books() -> Callable[[Path], None]:
    return bean_check


@pytest.fixture
def make() -> Any:
    """Builders of what the mapper would send."""
    return sys.modules[__name__]
