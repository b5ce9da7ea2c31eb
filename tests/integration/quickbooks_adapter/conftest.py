"""The adapter against the stand-in, which runs as a process of its own and speaks Intuit's wire protocol."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.ledger_writer.conftest import Desk, desk_of, desk_settings
from tests.unit.quickbooks_adapter import samples

from common.messages.control import CompanySettings
from common.messages.transactions import AccountRole, DocumentKind
from ledger_writer import ledgers
from ledger_writer.ledgers.protocol import CompanyFile, LedgerLink, Operation, OperationKind, Outcome, Written
from ledger_writer.ledgers.quickbooks_online import ledger
from ledger_writer.ledgers.quickbooks_online.adapter import OpenOnline, Session
from ledger_writer.ledgers.quickbooks_online.numbers import dumps, loads
from ledger_writer.ledgers.quickbooks_online.oauth import IntuitOAuth
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.settings import LedgerWriterSettings
from sandbox.fresh import FreshVhost

__all__ = ["desk_settings"]
CLIENT = ("adapter-tests", "secret-of-the-tests")
ROLES = {
    AccountRole.RECEIVABLE: "Accounts Receivable (A/R)",
    AccountRole.UNDEPOSITED_FUNDS: "Undeposited Funds",
    AccountRole.BANK: "Checking",
    AccountRole.INCOME: "Sales of Product Income",
    AccountRole.INVENTORY: "Inventory Asset",
    AccountRole.COST_OF_GOODS: "Cost of Goods Sold",
    AccountRole.PAYABLE: "Accounts Payable (A/P)",
}


@dataclass
class StandIn:
    """The running stand-in: its address and its steering paths."""

    url: str
    http: httpx.Client

    def steer(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_sandbox{path}", content=None if body is None else dumps(body))
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return loads(answer.content)

    def fail(self, **rule: Any) -> None:
        """Make the next matching request fail; see `sandbox.quickbooks_online.injection`."""
        self.steer("POST", "/faults", rule)

    def settings(self, **changes: Any) -> OnlineSettings:
        given: dict[str, Any] = {
            "api_url": self.url,
            "discovery_url": f"{self.url}/.well-known/openid_configuration",
            "client_id": CLIENT[0],
            "client_secret": CLIENT[1],
            "requests_per_second": 1000,
            "requests_per_window": 100000,
            "request_timeout_s": 5.0,
        }
        return OnlineSettings(**(given | changes))


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox.quickbooks_online", "--port", str(port), "--client", ":".join(CLIENT)]
    process = subprocess.Popen(command, cwd=Path.cwd(), env=dict(os.environ), stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as http:
            _wait_until_ready(http, process)
            yield StandIn(url, http)
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(http: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "the stand-in ended before it was ready"
        try:
            if http.get("/_sandbox/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the stand-in did not become ready within 20 s")


@dataclass
class Company:
    """One fresh company of the stand-in, written to through the adapter."""

    stand_in: StandIn
    realm: str
    country: str = "US"
    currency: str = "USD"
    kept: dict[str, str] = field(default_factory=dict)
    links: dict[str, LedgerLink] = field(default_factory=dict)

    def file(self, **changes: Any) -> CompanyFile:
        async def keep(secrets: Mapping[str, str]) -> None:
            self.kept = dict(secrets)

        given: dict[str, Any] = {
            "tenant_id": "t1",
            "company_id": f"co-{self.realm}",
            "external_id": self.realm,
            "home_currency": self.currency,
            "country": self.country,
            "preferences": {},
            "secrets": self.tokens(),
            "settings": CompanySettings(
                company_id="co1",
                name="Books",
                ledger="quickbooks_online",
                closed_through=date(2025, 12, 31),
                accounts=dict(ROLES),
            ),
            "keep_secrets": keep,
        }
        return CompanyFile(**(given | changes))

    def tokens(self, **more: Any) -> dict[str, str]:
        given = {"realm_id": self.realm, "client_id": CLIENT[0], **more}
        granted = self.stand_in.steer("POST", "/tokens", given)
        return {
            "access_token": granted["access_token"],
            "refresh_token": granted["refresh_token"],
            "expires_at": datetime.fromtimestamp(time.time() + granted["expires_in"], UTC).isoformat(),
        }

    @asynccontextmanager
    async def session(self, file: CompanyFile | None = None, **settings: Any) -> AsyncIterator[Session]:
        given = self.stand_in.settings(**settings)
        async with OpenOnline(given, IntuitOAuth(given))(file or self.file()) as session:
            yield session

    async def close_books(self, session: Session, through: str) -> None:
        """Close the company's books through a day, as its bookkeeper does in the ledger."""
        preferences = self.stored("Preferences")[0]
        prefs = {**preferences["AccountingInfoPrefs"], "BookCloseDate": through}
        body = {"Id": "1", "SyncToken": preferences["SyncToken"], "sparse": True, "AccountingInfoPrefs": prefs}
        await session._client.update("Preferences", body, "close-books")

    async def write(self, session: Session, operation: Operation) -> Outcome:
        """Carry out one operation; links of what was written are kept for the next ones."""
        wanted = replace(operation, references={**operation.references, **self.links})
        outcomes = [outcome async for _, outcome in session.write([wanted])]
        assert len(outcomes) == 1
        if isinstance(outcomes[0], Written):
            self.links[operation.document_key] = outcomes[0].link
        return outcomes[0]

    async def written(self, session: Session, operation: Operation) -> Written:
        outcome = await self.write(session, operation)
        assert isinstance(outcome, Written), outcome
        return outcome

    async def change(self, session: Session, operation: Operation, how: OperationKind) -> Outcome:
        """Update, void or close what was written before."""
        changed = replace(
            operation,
            operation=how,
            link=self.links[operation.document_key],
            idempotency_key=f"{operation.document_key}{how.value[0]}2",
        )
        return await self.write(session, changed)

    async def people_and_goods(self, session: Session) -> None:
        """The customer, vendor and items that the samples refer to."""
        await self.written(session, samples.operation(samples.customer()))
        vendor = samples.customer("Paper Mill").model_copy(update={"key": samples.VENDOR})
        await self.written(session, samples.operation(vendor, DocumentKind.VENDOR))
        for key, name in (
            (samples.ITEM, "MUG-1"),
            (samples.SHIPPING, "Shipping"),
            (samples.GIFT, "Gift card"),
            (samples.DISCOUNT, "Discount"),
        ):
            await self.written(session, samples.operation(samples.item(name).model_copy(update={"key": key})))

    def stored(self, entity: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stand_in.steer("GET", f"/companies/{self.realm}/documents/{entity}")
        return found

    def one(self, entity: str, ledger_id: str) -> dict[str, Any]:
        return next(found for found in self.stored(entity) if found["Id"] == ledger_id)

    def balances(self) -> dict[str, Decimal]:
        """Account id → balance from the postings; debits positive."""
        sums: dict[str, Decimal] = {}
        for posting in self.stand_in.steer("GET", f"/companies/{self.realm}/postings"):
            for entry in posting["entries"]:
                sums[entry["account"]] = sums.get(entry["account"], Decimal(0)) + entry["amount"]
        return {account: amount for account, amount in sums.items() if amount}


@pytest.fixture
def company(stand_in: StandIn) -> Iterator[Company]:
    """A US company with one currency, manual sales tax, no history."""
    realm = stand_in.steer("POST", "/companies", {"seed": "small"})["realm_id"]
    yield Company(stand_in, realm)
    stand_in.steer("DELETE", "/faults")


@pytest.fixture
def british(stand_in: StandIn) -> Iterator[Company]:
    """A British company in pounds with several currencies."""
    given = {"seed": "small", "country": "GB", "home_currency": "GBP", "tax_model": "global", "multi_currency": True}
    yield Company(stand_in, stand_in.steer("POST", "/companies", given)["realm_id"], "GB", "GBP")
    stand_in.steer("DELETE", "/faults")


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk(
    desk_settings: LedgerWriterSettings,
    rabbitmq_vhost: FreshVhost,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> OpenDesk:
    """Opens a ledger-writer whose QuickBooks is the stand-in. Keyword arguments are settings of the adapter."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Desk]:
        adapter = ledger(stand_in.settings(**settings))
        monkeypatch.setitem(ledgers.BY_NAME, "quickbooks_online", adapter)
        await rabbitmq_vhost.declare()
        async with desk_of(desk_settings) as made:
            await made.start()
            yield made
        stand_in.steer("DELETE", "/faults")
        stand_in.steer("DELETE", "/webhooks")

    return opened
