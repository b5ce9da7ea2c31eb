"""The gateway as it runs: real database, real broker, a real port; the other services are `owners`."""

import asyncio
import base64
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from tests.integration.api import owners as stand_in

from api.main import build
from api.settings import ApiSettings
from common.broker import Broker, Outgoing
from common.messages.base import Reason, State
from common.messages.documents import DocumentChanged, DocumentState
from common.messages.fetching import OrderListed
from common.messages.transactions import DocumentKind, SetOutcome, TransactionsListed
from common.packs import encode_member, join_members
from common.topology import EXCHANGE, routing_key
from sandbox.fresh import FreshDatabase, FreshVhost

OPERATOR_KEY = "operator-key-of-the-tests"
INTERNAL_KEY = "internal-key-of-the-tests"
ALL_SCOPES = ["read", "write", "sync", "admin"]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve on a free port of the loopback interface, in a thread. Yields the address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, loop="asyncio", log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started and bool(server.servers), timeout_s=20)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def eventually(check: Callable[[], Any], *, timeout_s: float = 15.0) -> Any:
    """Wait until the check gives something true, and return it. Raises AssertionError in the end."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still not true after {timeout_s} s: {check}")
        time.sleep(0.05)


def api_settings(database_url: str, broker_url: str, owners_url: str, **more: Any) -> ApiSettings:
    """Settings of a gateway whose neighbours are the stand-in."""
    values: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "broker_url": SecretStr(broker_url),
        "encryption_keys": SecretStr("1:" + base64.b64encode(b"k" * 32).decode()),
        "internal_key": SecretStr(INTERNAL_KEY),
        "internal_callers": {},
        "operator_key": SecretStr(OPERATOR_KEY),
        "ingest_url": f"{owners_url}/ingest",
        "mapper_url": f"{owners_url}/mapper",
        "ledger_writer_url": f"{owners_url}/ledger-writer",
        "scheduler_interval_s": 0.2,
        "progress_interval_s": 0.1,
        "internal_timeout_s": 10.0,
        "log_level": "WARNING",
        "linger_ms": 1,
    }
    return ApiSettings(**(values | more))


@dataclass
class Tenant:
    """A tenant with a key that may do everything a tenant may."""

    tenant_id: str
    http: httpx.Client
    key: str


@dataclass
class Shop:
    """A company file and a connection that point at each other, with settings, approved."""

    tenant: Tenant
    company_id: str
    connection_id: str


class Gateway:
    """A running gateway and everything a test needs to talk to it."""

    def __init__(self, url: str, database_url: str, broker_url: str, owners: stand_in.Owners, app: FastAPI) -> None:
        self.url = url
        self.owners = owners
        self.app = app
        self.database_url = database_url
        self.broker_url = broker_url
        self.clients: list[httpx.Client] = []
        self.operator = self.client(OPERATOR_KEY)

    def client(self, key: str) -> httpx.Client:
        """A client with a key; the gateway's end closes it."""
        client = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=30)
        self.clients.append(client)
        return client

    def tenant(self, scopes: Sequence[str] = ALL_SCOPES) -> Tenant:
        made = self.operator.post("/v1/tenants", json={"name": "Test tenant"})
        assert made.status_code == 201, made.text
        tenant_id = made.json()["tenant_id"]
        key = self.operator.post(f"/v1/tenants/{tenant_id}/api-keys", json={"name": "all", "scopes": list(scopes)})
        assert key.status_code == 201, key.text
        return Tenant(tenant_id, self.client(key.json()["key"]), key.json()["key"])

    def shop(self, tenant: Tenant | None = None, *, approve: bool = True, settings: bool = True) -> Shop:
        tenant = tenant or self.tenant()
        http = tenant.http
        company = http.post("/v1/companies", json={"ledger": "beancount", "name": "Books", "home_currency": "USD"})
        assert company.status_code == 201, company.text
        company_id = company.json()["company_id"]
        connection = http.post(
            "/v1/connections", json={"channel": "custom", "name": "Shop", "secrets": {"push_key": "s3cret"}}
        )
        assert connection.status_code == 201, connection.text
        connection_id = connection.json()["connection_id"]
        if settings:
            self.save_company(tenant, company_id)
            self.save_connection(tenant, connection_id, company_id)
        if approve and settings:
            assert http.post(f"/v1/companies/{company_id}/approve").status_code == 200
        return Shop(tenant, company_id, connection_id)

    def save_company(self, tenant: Tenant, company_id: str) -> None:
        body = company_settings(company_id)
        saved = tenant.http.put(f"/v1/companies/{company_id}/settings", json=body, headers={"if-match": '"0"'})
        assert saved.status_code == 200, saved.text

    def save_connection(self, tenant: Tenant, connection_id: str, company_id: str) -> None:
        body = connection_settings(connection_id, company_id)
        saved = tenant.http.put(f"/v1/connections/{connection_id}/settings", json=body, headers={"if-match": '"0"'})
        assert saved.status_code == 200, saved.text

    def publish(self, *states: State) -> None:
        """Send states as the other services would: one pack per type."""

        async def send() -> None:
            broker = Broker(SecretStr(self.broker_url), name="test")
            by_type: dict[type[State], list[State]] = {}
            for state in states:
                by_type.setdefault(type(state), []).append(state)
            for contract, members in by_type.items():
                body = join_members([encode_member(s.model_dump_json().encode(), "c", None) for s in members])
                await broker.publish([Outgoing(EXCHANGE, routing_key(contract), contract.type, body)])
            await broker.close()

        asyncio.run(send())

    def fetch(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows of the gateway's own schema."""

        async def run() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(self.database_url)
            try:
                return [dict(record) for record in await connection.fetch(statement, *arguments)]
            finally:
                await connection.close()

        return asyncio.run(run())

    def sent(self, contract: type[State]) -> list[Any]:
        """States of a type that the gateway published, oldest first, from its outbox."""
        rows = self.fetch("SELECT body FROM outbox WHERE type = $1 AND exchange = '' ORDER BY id", contract.type)
        return [contract.model_validate_json(row["body"]) for row in rows]


@contextmanager
def running(database: FreshDatabase, vhost: FreshVhost, **more: Any) -> Iterator[Gateway]:
    """A gateway with its neighbours, on a declared topology and with the rights of its own broker user."""
    asyncio.run(vhost.declare())
    users = asyncio.run(vhost.users())
    owners = stand_in.Owners()
    with serving(stand_in.build(owners, {"api": INTERNAL_KEY})) as owners_url:
        settings = api_settings(database.url_for("api"), users["api"], owners_url, **more)
        app = build(settings)
        with serving(app) as url:
            gateway = Gateway(url, database.url_for("api"), vhost.url, owners, app)
            try:
                yield gateway
            finally:
                for client in gateway.clients:
                    client.close()


def company_settings(company_id: str, **more: Any) -> dict[str, Any]:
    body = {
        "company_id": company_id,
        "name": "Books",
        "ledger": "beancount",
        "closed_through": "2025-12-31",
        "accounts": stand_in.ACCOUNTS,
    }
    return body | more


def connection_settings(connection_id: str, company_id: str, **more: Any) -> dict[str, Any]:
    body = {
        "connection_id": connection_id,
        "channel": "custom",
        "name": "Shop",
        "company_id": company_id,
        "start_date": "2026-01-01",
    }
    return body | more


MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def order_listed(shop: Shop, external_id: str, **more: Any) -> OrderListed:
    values: dict[str, Any] = {
        "tenant_id": shop.tenant.tenant_id,
        "revision": 1,
        "connection_id": shop.connection_id,
        "external_id": external_id,
        "channel": "custom",
        "number": f"#{external_id}",
        "status": "paid/fulfilled/open",
        "ordered_on": date(2026, 11, 20),
        "currency": "USD",
        "total": Decimal("19.90"),
        "received_at": MOMENT,
    }
    return OrderListed(**(values | more))


def transactions_listed(shop: Shop, external_id: str, **more: Any) -> TransactionsListed:
    values: dict[str, Any] = {
        "tenant_id": shop.tenant.tenant_id,
        "revision": 1,
        "company_id": shop.company_id,
        "connection_id": shop.connection_id,
        "source_kind": "order",
        "source_id": external_id,
        "source_number": f"#{external_id}",
        "source_revision": 1,
        "outcome": SetOutcome.MAPPED,
        "documents": 1,
        "total": Decimal("19.90"),
        "currency": "USD",
        "date": date(2026, 11, 20),
    }
    return TransactionsListed(**(values | more))


def document_changed(shop: Shop, external_id: str, **more: Any) -> DocumentChanged:
    kind = more.get("kind", DocumentKind.SALES_RECEIPT)
    values: dict[str, Any] = {
        "tenant_id": shop.tenant.tenant_id,
        "revision": 1,
        "document_key": f"{shop.company_id[-8:]}{kind.value}{external_id}",
        "company_id": shop.company_id,
        "connection_id": shop.connection_id,
        "source_kind": "order",
        "source_id": external_id,
        "source_number": f"#{external_id}",
        "source_revision": 1,
        "kind": kind,
        "state": DocumentState.SYNCED,
        "number": f"#{external_id}",
        "date": date(2026, 11, 20),
        "amount": Decimal("19.90"),
        "currency": "USD",
        "first_seen_at": MOMENT,
        "last_attempt_at": MOMENT,
    }
    return DocumentChanged(**(values | more))


def reason(code: str, text: str = "it did not work", cure: str = "mend it") -> Reason:
    return Reason(code=code, text=text, cure=cure)


def random_name() -> str:
    return secrets.token_hex(6)
