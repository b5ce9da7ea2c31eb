"""A company file with one connection to it, and what its ledger says: one small world for one story.

Orders come in as a custom store pushes them, or (payouts, and refunds that say more than such a store can) as the
states that ingest publishes. The books are read by Beancount itself, or asked of QuickBooks' stand-in.
"""

import asyncio
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
from beancount import loader
from beancount.core.data import Custom, Transaction
from pydantic import SecretStr
from tests.e2e.canonical import Json, custom_document, listed
from tests.e2e.world import WRITTEN, Company, Connection, World, eventually

from common.broker import Broker, Outgoing
from common.messages.base import State
from common.messages.orders import Order, Payout
from common.packs import encode_member, join_members
from common.topology import EXCHANGE, routing_key
from sandbox.shops.life import Event
from sandbox.stack import Stack

CLOSED_THROUGH = date(2025, 12, 31)
START = date(2026, 1, 1)
WITHIN_S = 150.0
SECRET = "whsec_books_of_the_tests"
OF_A_CURRENCY = re.compile(r" - [A-Z]{3}$")
"""How QuickBooks calls the receivable account of a foreign currency after that of the home currency."""
_steps = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction of a ledger: account role → debit less credit."""

    kind: str
    on: date
    number: str
    sums: Mapping[str, Decimal]


@dataclass(slots=True)
class Books:
    """One company file, the connection whose orders go there, and the roles behind its account names."""

    stage: "Stage"
    company: Company
    connection: Connection
    settings: Json
    roles: Mapping[str, str]
    revisions: Counter[str] = field(default_factory=Counter)

    @property
    def world(self) -> World:
        return self.stage.world

    # ------------------------------------------------------------------------------------------------------- in

    async def push(self, *orders: Order) -> None:
        """Push orders as their custom store does, signed; a later push of the same order is a newer state of it."""
        for order in orders:
            step = next(_steps)
            document = custom_document(order, step=step)
            event = Event(
                "custom", "store.example", "orders", order.external_id, datetime.now(UTC), f"push-{step}", document
            )
            report = await self.world.send(self.connection, [event])
            assert report.accepted == 1, report

    async def publish(self, *states: Order | Payout) -> None:
        """Publish normalised orders (or payouts) as ingest does, each with its next revision."""
        owned = []
        for given in states:
            self.revisions[given.external_id] += 1
            mine = {
                "tenant_id": self.world.tenant_id,
                "connection_id": self.connection.connection_id,
                "revision": self.revisions[given.external_id],
            }
            owned.append(given.model_copy(update=mine))
        for start in range(0, len(owned), owned[0].packed_max):
            await self.stage.publish(*owned[start : start + owned[0].packed_max])
        orders = [listed(state) for state in owned if isinstance(state, Order)]
        if orders:
            await self.stage.publish(*orders)

    async def rule(self, action: str, value: str = "", *conditions: tuple[str, str, str], **more: Any) -> Json:
        """A rule for this connection alone: (field, comparison, value) each."""
        wanted = [{"field": name, "comparison": how, "value": text} for name, how, text in conditions]
        definition = {"action": action, "value": value, "conditions": wanted, **more}
        connection_id = self.connection.connection_id
        definition["connections"] = [connection_id]
        name = definition.pop("name", f"{action} {value} for {connection_id}")
        body = {"name": name, "priority": definition.pop("priority", 100)}
        return await self.world.gateway.post("/rules", {**body, "definition": definition})

    async def save(self, **changes: Any) -> None:
        """Save the connection's settings with these changed."""
        self.settings |= changes
        await self.world.gateway.save(f"/connections/{self.connection.connection_id}/settings", self.settings)

    # ------------------------------------------------------------------------------------------------------ out

    async def documents(self, *states: str) -> list[Json]:
        """Every document of the company but customers and items, in `states` or in any."""
        found = self.world.gateway.each("/documents", company_id=self.company.company_id)
        rows = [row async for row in found if row["kind"] not in {"customer", "item", "vendor"}]
        return [row for row in rows if not states or row["state"] in states]

    async def stands(self, *wanted: str, voided: Sequence[str] = ()) -> list[Json]:
        """Wait until exactly these documents (`kind amount`) are in the ledger and nothing is under way."""
        expected = Counter([*wanted, *(f"void {one}" for one in voided)])
        rows: list[Json] = []
        every: list[Json] = []

        async def is_so() -> bool:
            nonlocal rows, every
            every = await self.documents()
            rows = [row for row in every if row["state"] in WRITTEN]
            return Counter(map(shown, rows)) == expected

        await eventually(is_so, f"{dict(expected)}", within_s=WITHIN_S, seen=lambda: list(map(told, every)))
        await self.world.settled(self.company, within_s=WITHIN_S)
        assert await is_so(), f"then became {list(map(shown, rows))}"
        return rows

    async def order(self, external_id: str = "9001") -> Json:
        """The order as the API lists it."""
        return (await self.world.orders(self.connection))[external_id]

    async def order_becomes(self, column: str, code: str = "", external_id: str = "9001") -> Json:
        """Wait until the order is in this column, with this reason."""
        row: Json = {}

        async def is_so() -> bool:
            nonlocal row
            row = (await self.world.orders(self.connection)).get(external_id, {})
            reason = row.get("reason") or {}
            return row.get("column") == column and (not code or reason.get("code") == code)

        await eventually(is_so, f"the order is {column} {code}", within_s=WITHIN_S, seen=lambda: row)
        return row

    async def document_becomes(self, kind: str, state: str, code: str = "") -> Json:
        """Wait until one document of this kind is in this state, with this reason."""
        rows: list[Json] = []

        async def is_so() -> bool:
            nonlocal rows
            rows = [row for row in await self.documents() if row["kind"] == kind]
            return any(
                row["state"] == state and (not code or (row["reason"] or {}).get("code") == code) for row in rows
            )

        await eventually(is_so, f"{kind} is {state} {code}", within_s=WITHIN_S, seen=lambda: rows)
        return next(row for row in rows if row["state"] == state)

    async def document_with_notice(self, code: str) -> Json:
        """Wait until a document in the ledger carries this notice."""
        found: list[Json] = []

        async def is_so() -> bool:
            nonlocal found
            rows = await self.documents(*WRITTEN)
            found = [row for row in rows if code in {notice["code"] for notice in row["notices"]}]
            return bool(found)

        await eventually(is_so, f"a document with the notice {code}", within_s=WITHIN_S, seen=lambda: found)
        return found[0]

    async def resend(self, **wanted: Any) -> Json:
        """Resend documents or orders of this company."""
        return await self.world.gateway.post("/resends", {"company_id": self.company.company_id, **wanted})

    async def planned(self, external_id: str = "9001") -> list[Json]:
        """The documents that the order should be, with lines, items and accounts, as its timeline shows them."""
        timeline = await self.world.timeline(await self.order(external_id))
        (only,) = timeline["sets"]
        documents: list[Json] = only["documents"]
        return documents

    async def map_products(self, targets: Mapping[str, str]) -> None:
        """Rows of the product map: the channel's SKU → the ledger's item."""
        rows = [{"source": source, "target": target} for source, target in targets.items()]
        path = f"/connections/{self.connection.connection_id}/maps/products"
        answer = await self.world.gateway.replace(path, {"rows": rows})
        assert answer["saved"] == len(rows), answer

    async def customer(self, name: str) -> Json:
        """Wait until the customer is known, whatever its state. Returns it as a document."""
        found: list[Json] = []

        async def is_so() -> bool:
            nonlocal found
            rows = self.world.gateway.each("/documents", company_id=self.company.company_id)
            found = [row async for row in rows if row["kind"] == "customer"]
            return name in {row["name"] for row in found}

        await eventually(is_so, f"the customer {name} is known", within_s=WITHIN_S, seen=lambda: found)
        return next(row for row in found if row["name"] == name)

    async def document_of(self, order: str, kind: str, *, code: str = "", column: str = "") -> Json:
        """Wait until the document of an order has this reason or stands in this column of the overview."""
        rows: list[Json] = []

        async def is_so() -> bool:
            nonlocal rows
            rows = [row for row in await self.documents() if (row["source_id"], row["kind"]) == (order, kind)]
            return bool(rows) and all(
                (not code or (row["reason"] or {}).get("code") == code) and (not column or row["column"] == column)
                for row in rows
            )

        await eventually(is_so, f"{kind} of {order} is {code}{column}", within_s=WITHIN_S, seen=lambda: rows)
        return rows[0]

    async def company_becomes(self, status: str) -> Json:
        """Wait until the company file is connected, read-only, …"""
        company: Json = {}

        async def is_so() -> bool:
            nonlocal company
            company = await self.world.gateway.get(f"/companies/{self.company.company_id}")
            return bool(company["status"] == status)

        await eventually(is_so, f"the company is {status}", within_s=WITHIN_S, seen=lambda: company)
        return company

    async def fault(self, **rule: Any) -> None:
        """Let QuickBooks fail in a chosen way, in this company only."""
        await self.quickbooks_admin("POST", "/faults", {"realm": self.company.realm, **rule})

    async def fired(self) -> int:
        """How many faults of this company came true."""
        rules = await self.quickbooks_admin("GET", "/faults")
        return sum(rule["fired"] for rule in rules if rule["realm"] == self.company.realm)

    async def settlement(self, payout_id: str, code: str) -> Json:
        """Wait until a payout waits for this reason, as mapper tells the gateway. Returns the reason."""
        stack = self.world.stack
        reason: Json = {}
        headers = {"x-tillbook-caller": "api", "authorization": f"Bearer {stack.secrets.internal_keys['api']}"}
        asked = {"tenant_id": self.world.tenant_id, "connection_id": self.connection.connection_id}
        asked |= {"source_kind": "payout", "source_id": payout_id}

        async def is_so() -> bool:
            nonlocal reason
            async with httpx.AsyncClient(timeout=60, trust_env=False, headers=headers) as client:
                answer = await client.get(f"{stack.url_of('mapper')}/internal/sets", params=asked)
            reason = next((one["reason"] or {} for one in answer.json()["sets"]), {})
            return reason.get("code") == code

        await eventually(is_so, f"the payout says {code}", within_s=WITHIN_S, seen=lambda: reason)
        return reason

    async def refresh_lists(self) -> None:
        """Have the ledger's lists read again, and wait until its items are known."""
        company = f"/companies/{self.company.company_id}"
        await self.world.gateway.post(f"{company}/lists/refresh")
        count = 0

        async def is_so() -> bool:
            nonlocal count
            count = len([row async for row in self.world.gateway.each(f"{company}/lists/items")])
            return count > 0

        await eventually(is_so, "the items are listed", within_s=WITHIN_S, seen=lambda: count)

    async def entries(self) -> list[Entry]:
        """Every transaction in the books; reversals and what they undo are left out."""
        if self.company.ledger == "beancount":
            return await asyncio.to_thread(self._journal_entries)
        names = {row["Id"]: row["Name"] for row in await self.quickbooks("Account")}
        url = f"{self.world.stack.url_of('quickbooks-online')}/_sandbox/companies/{self.company.realm}/postings"
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            postings = (await client.get(url)).json()
        made = []
        for posting in postings:
            sums = defaultdict[str, Decimal](Decimal)
            for one in posting["entries"]:
                sums[self._role(names[one["account"]])] += Decimal(str(one["amount"]))
            made.append(Entry(posting["entity"], date.fromisoformat(posting["date"]), "", _plain(sums)))
        return made

    def _journal_entries(self) -> list[Entry]:
        found = {one.meta["posting-key"]: one for one in self._read() if isinstance(one, Transaction)}
        undone = {one.meta["reverses"] for one in found.values() if "reverses" in one.meta}
        return [
            Entry(one.meta["kind"], one.date, one.meta.get("number", ""), self._sums([one]))
            for key, one in found.items()
            if key not in undone and "reverses" not in one.meta
        ]

    async def seen(self, orders: Sequence[Order], *, within_s: float) -> None:
        """Wait until the newest revision of each of these orders is mapped and known to the API."""
        late: set[str] = set()

        async def is_so() -> bool:
            nonlocal late
            rows = await self.world.orders(self.connection)
            late = {one.external_id for one in orders}
            late -= {key for key, row in rows.items() if row["revision"] >= self.revisions[key]}
            return not late

        await eventually(is_so, "all orders are seen", within_s=within_s, seen=lambda: late)

    async def order_forms(self) -> tuple[int, Decimal, int]:
        """Estimates and sales orders that stand: how many, what they come to, and how many are open."""
        if self.company.ledger == "quickbooks_online":
            rows = await self.quickbooks("Estimate")
            total = sum((Decimal(str(row["TotalAmt"])) for row in rows), Decimal(0))
            return len(rows), total, sum(row["TxnStatus"] not in {"Closed", "Rejected"} for row in rows)
        latest: dict[str, Custom] = {}
        closed: set[str] = set()
        for one in await asyncio.to_thread(self._read):
            if isinstance(one, Custom) and one.type.startswith(("estimate", "sales-order")):
                latest[one.meta["document-key"]] = one
            elif isinstance(one, Transaction) and "closes" in one.meta:
                closed |= set(one.meta["closes"].split(", "))
        standing = {key: one for key, one in latest.items() if not one.type.endswith("-void")}
        total = sum((one.values[1].value.number for one in standing.values()), Decimal(0))
        still = {key for key, one in standing.items() if not one.type.endswith("-closed")}
        return len(standing), total, len(still - closed)

    async def directives(self) -> list[tuple[str, str, Decimal]]:
        """Documents that post nothing, as the journal tells them: (name, number, total)."""
        return [
            (one.type, one.values[0].value, one.values[1].value.number)
            for one in await asyncio.to_thread(self._read)
            if isinstance(one, Custom) and one.type not in {"customer", "item", "vendor"}
        ]

    async def balances(self, as_of: date | None = None) -> dict[str, Decimal]:
        """Account role → debit less credit, without what is even. The books have to be free of errors."""
        if self.company.ledger == "beancount":
            read = await asyncio.to_thread(self._read)
            return self._sums(
                [one for one in read if isinstance(one, Transaction) and (not as_of or one.date <= as_of)]
            )
        asked = {"as_of": as_of.isoformat()} if as_of else {}
        trial = await self.world.gateway.get(f"/companies/{self.company.company_id}/trial-balance", **asked)
        sums = defaultdict[str, Decimal](Decimal)
        for row in trial["rows"]:
            sums[self._role(row["account"])] += Decimal(row["debit"]) - Decimal(row["credit"])
        # A company of the stand-in opens with a little stock.
        sums[self._role("Inventory Asset")] += sums.pop("Opening Balance Equity", Decimal(0))
        return _plain(sums)

    async def quickbooks(self, entity: str) -> list[Json]:
        """Every object of one entity as the stand-in holds it."""
        url = self.world.stack.url_of("quickbooks-online")
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            answer = await client.get(f"{url}/_sandbox/companies/{self.company.realm}/documents/{entity}")
            answer.raise_for_status()
            rows: list[Json] = answer.json()
            return rows

    async def quickbooks_admin(self, method: str, path: str, body: object = None) -> Any:
        """Steer the stand-in: seed objects, change the company, inject faults."""
        url = self.world.stack.url_of("quickbooks-online")
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            answer = await client.request(method, f"{url}/_sandbox{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()

    def _role(self, account: str) -> str:
        """The role of an account of QuickBooks, which keeps accounts of its own for the tax of each agency, for what is
        owed in each currency and for what payments gain or lose by their rates."""
        if account == "Exchange Gain or Loss":
            return "FX"
        account = OF_A_CURRENCY.sub("", account)
        agency = account.endswith(" Payable") and account not in self.roles
        return "TAX" if agency else self.roles.get(account, account)

    def _read(self) -> list[Any]:
        entries, errors, _ = loader.load_file(str(self.world.journal(self.company)))
        assert not errors, errors[:5]
        return entries

    def _sums(self, transactions: Sequence[Transaction]) -> dict[str, Decimal]:
        sums = defaultdict[str, Decimal](Decimal)
        for one in transactions:
            for posting in one.postings:
                assert posting.units is not None, "the loader fills in what a posting leaves out"
                assert posting.units.number is not None, posting
                sums[self.roles.get(posting.account, posting.account)] += posting.units.number
        return _plain(sums)


def shown(row: Json) -> str:
    """`kind amount`, marked where it was voided."""
    return f"{'void ' if row['state'] == 'voided' else ''}{row['kind']} {Decimal(row['amount'] or 0):.2f}"


def told(row: Json) -> str:
    """The same with its state, and why it is in it."""
    return f"{shown(row)}, {row['state']} {(row['reason'] or {}).get('code', '')}".rstrip()


def _plain(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {role: amount for role, amount in sums.items() if amount}


class Stage:
    """One tenant, and the broker as its administrator sees it."""

    def __init__(self, world: World, broker: Broker) -> None:
        self.world = world
        self._broker = broker

    @classmethod
    @asynccontextmanager
    async def of(cls, product: Stack) -> AsyncIterator["Stage"]:
        broker = Broker(SecretStr(product.place.admin_broker_url), name="tests")
        async with World.of(product) as world:
            yield cls(world, broker)
        await broker.close()

    async def publish(self, *states: State) -> None:
        """States of one type as one message."""
        contract = type(states[0])
        body = join_members([encode_member(state.model_dump_json().encode(), "test", None) for state in states])
        await self._broker.publish([Outgoing(EXCHANGE, routing_key(contract), contract.type, body)])

    async def books(
        self,
        mode: str,
        ledger: str = "beancount",
        *,
        home_currency: str = "USD",
        accounts: Mapping[str, str | None] | None = None,
        approved: bool = True,
        realm: Mapping[str, Any] | None = None,
        seeded: Sequence[tuple[str, Json]] = (),
        **settings: Any,
    ) -> Books:
        """A fresh company with one connection. `accounts` change the proposed ones, None leaves a role out.

        In QuickBooks, `realm` are settings of the company and `seeded` the (entity, object) that stand there already.
        """
        company_id, number = await self._pair(ledger, home_currency, realm or {}, seeded)
        chosen = await self._set_up(company_id, ledger, accounts or {}, approved=approved)
        company = Company(company_id, ledger, number)
        return await self._connect(company, chosen, mode, settings)

    async def another(self, books: Books, mode: str, **settings: Any) -> Books:
        """Another connection to the same company file."""
        return await self._connect(books.company, {role: name for name, role in books.roles.items()}, mode, settings)

    async def _connect(self, company: Company, chosen: Mapping[str, str], mode: str, settings: Json) -> Books:
        products = {"missing": "create_non_inventory", "match_field": "name"} | settings.pop("products", {})
        secrets = {"signing_secret": SECRET} | settings.pop("secrets", {})
        config = settings.pop("config", {})
        connection = await self.world.connect(
            company, "custom", config=config, secrets=secrets, start=START, mode=mode, products=products, **settings
        )
        saved = await self.world.gateway.get(f"/connections/{connection.connection_id}/settings")
        roles = {name: role for role, name in chosen.items()}
        return Books(self, company, connection, saved.get("settings", saved), roles)

    async def _pair(
        self, ledger: str, home_currency: str, realm: Mapping[str, Any], seeded: Sequence[tuple[str, Json]]
    ) -> tuple[str, str]:
        """Make a company file. Returns its id and, in QuickBooks, its realm."""
        body = {"ledger": ledger, "name": f"Books {next(_steps)}", "home_currency": home_currency}
        company_id = (await self.world.gateway.post("/companies", body))["company_id"]
        if ledger != "quickbooks_online":
            return company_id, ""
        return company_id, await self.world.consent(company_id, seeded, **realm)

    async def _set_up(
        self, company_id: str, ledger: str, accounts: Mapping[str, str | None], *, approved: bool
    ) -> dict[str, str]:
        """Save the company's settings and approve its first sync. Returns role → account."""
        gateway = self.world.gateway
        detail = await gateway.get(f"/companies/{company_id}")
        chosen = {role: name for role, name in {**detail["default_accounts"], **accounts}.items() if name is not None}
        settings = {
            "company_id": company_id,
            "name": detail["name"],
            "ledger": ledger,
            "closed_through": CLOSED_THROUGH.isoformat(),
            "accounts": chosen,
        }
        await gateway.save(f"/companies/{company_id}/settings", settings)
        if approved:
            await gateway.post(f"/companies/{company_id}/approve")
        return chosen
