"""A stand-in for ingest, mapper and ledger-writer as the gateway sees them: their internal HTTP, kept in memory.

It speaks the shared shapes of `common.internal`, refuses what belongs to another tenant as the owners do, and can be
told to be away. It imports nothing of the gateway.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from tests.integration.api import owners_checks

from common.internal import counts, ingest, ledger_writer, mapper
from common.internal import mapper_checks as checks
from common.internal.mapper_rules import RuleDefinition
from common.messages.documents import Attempt, CatalogEntry, CompanyStatus
from common.messages.transactions import DocumentKind, SetOutcome

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNTS = {
    "INC": "Income:Sales",
    "UF": "Assets:Undeposited",
    "AR": "Assets:Receivable",
    "TAX": "Liabilities:Tax",
}
NO_ACCOUNT = "an account is named like Assets:Bank"
ABILITIES = (
    "creates_items",
    "invoice",
    "sales_receipt",
    "credit_memo",
    "refund_receipt",
    "sales_order",
    "estimate",
    "deposit",
)


@dataclass
class Owners:
    """What the three services hold. `away` names services that answer 503; `seen` keeps the requests' bodies."""

    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    companies: dict[str, dict[str, Any]] = field(default_factory=dict)
    opens: dict[str, str] = field(default_factory=dict)
    """Accounts that the ledger would open on first use → their type; to other names it says NO_ACCOUNT."""
    closed: tuple[str, ...] = ()
    """Inactive accounts of every company file."""
    classes: tuple[str, ...] = ()
    """Active classes of every company file."""
    asleep: tuple[str, ...] = ()
    """Inactive items of every company file."""
    checked: list[str] = field(default_factory=list)
    """Company files whose check was asked for."""
    documents: dict[str, ledger_writer.DocumentView] = field(default_factory=dict)
    document_tenants: dict[str, str] = field(default_factory=dict)
    histories: dict[tuple[str, str], ingest.OrderHistory] = field(default_factory=dict)
    payouts: dict[tuple[str, str], ingest.PayoutHistory] = field(default_factory=dict)
    sets: list[tuple[str, mapper.SetView]] = field(default_factory=list)
    rules: dict[str, tuple[str, mapper.RuleView]] = field(default_factory=dict)
    payments: tuple[checks.PaymentState, ...] | None = ()
    """None: mapper has not heard of the order."""
    money: tuple[checks.MoneyPlace, ...] = ()
    money_kinds: dict[str, str] = field(default_factory=dict)
    """Document → the kind of its source, where that is no order."""
    attempts: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """Document → what the ledger said to its last attempt."""
    held: dict[tuple[str, str], tuple[counts.EntityCount, ...]] = field(default_factory=dict)
    """(service, tenant) → what it holds."""
    refused_links: set[str] = field(default_factory=set)
    """Ids of the ledger that no customer can be linked to."""
    away: set[str] = field(default_factory=set)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def _problem(status: int, code: str, detail: str) -> JSONResponse:
    body = {"type": f"urn:x:{code}", "title": code, "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, media_type="application/problem+json")


def _is_rule(definition: dict[str, Any]) -> bool:
    try:
        RuleDefinition.model_validate(definition)
    except ValidationError:
        return False
    return True


NOT_FOUND = _problem(404, "NOT_FOUND", "it is not here")


def _json(model: Any, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")


def build(owners: Owners, keys: dict[str, str]) -> FastAPI:
    """One application for all three; `keys`: calling service → key it must present."""
    app = FastAPI()

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        service = request.url.path.split("/")[1]
        caller = request.headers.get("x-tillbook-caller", "")
        if request.headers.get("authorization") != f"Bearer {keys.get(caller)}":
            return _problem(401, "UNAUTHORIZED", "no")
        if service in owners.away:
            return _problem(503, "UNAVAILABLE", "away")
        if request.method in {"POST", "PUT"} and request.headers.get("content-type") == "application/json":
            owners.seen.append((f"{request.method} {request.url.path}", await request.json()))
        answer: Response = await call_next(request)
        return answer

    @app.get("/{service}/internal/counts")
    async def count_entities(service: str, tenant_id: str) -> Response:
        return _json(counts.EntityCounts(counts=owners.held.get((service, tenant_id), ())))

    owners_checks.add(app, owners)
    _ingest(app, owners)
    _mapper(app, owners)
    _ledger_writer(app, owners)
    return app


def _ingest(app: FastAPI, owners: Owners) -> None:  # noqa: C901 - a list of routes
    base = "/ingest/internal"

    def view(held: dict[str, Any]) -> ingest.ConnectionView:
        return ingest.ConnectionView(**held["view"])

    def held_by(connection_id: str, tenant_id: str) -> dict[str, Any] | None:
        held = owners.connections.get(connection_id)
        return held if held is not None and held["tenant_id"] == tenant_id else None

    @app.get(f"{base}/channels")
    async def channels() -> Response:
        shop = ingest.ChannelDescription(
            name="custom", title="Custom store", credentials=(), has_webhooks=True, has_polling=True
        )
        return _json(ingest.ChannelList(channels=(shop,)))

    @app.get(base + "/channels/{name}/push")
    async def push(name: str) -> Response:
        contract = ingest.PushContract(channel=name, headers={}, documents_max=100, document={"type": "object"})
        return _json(contract) if name == "custom" else NOT_FOUND

    @app.post(f"{base}/connections")
    async def create(body: ingest.ConnectionCreate) -> Response:
        if body.channel == "unknown":
            return _problem(422, "UNKNOWN_CHANNEL", "there is no such channel")
        owners.connections[body.connection_id] = {
            "tenant_id": body.tenant_id,
            "secrets": {name: secret.get_secret_value() for name, secret in body.secrets.items()},
            "view": {
                "connection_id": body.connection_id,
                "channel": body.channel,
                "name": body.name,
                "state": "active",
                "config": dict(body.config),
                "secret_names": tuple(body.secrets),
                "fetches": body.config.get("fetches") != "no",
                "fetches_payouts": body.config.get("fetches_payouts", body.config.get("fetches")) != "no",
                "created_at": NOW,
                "updated_at": NOW,
            },
        }
        return _json(view(owners.connections[body.connection_id]), 201)

    @app.get(base + "/connections/{connection_id}")
    async def one(connection_id: str, tenant_id: str) -> Response:
        held = held_by(connection_id, tenant_id)
        return _json(view(held)) if held else NOT_FOUND

    @app.put(base + "/connections/{connection_id}/credentials")
    async def credentials(connection_id: str, body: ingest.CredentialsUpdate) -> Response:
        held = held_by(connection_id, body.tenant_id)
        if held is None:
            return NOT_FOUND
        held["secrets"] |= {name: secret.get_secret_value() for name, secret in body.secrets.items()}
        held["view"]["secret_names"] = tuple(held["secrets"])
        config = held["view"]["config"]
        held["view"] |= {"fetches": True, "fetches_payouts": config.get("fetches_payouts") != "no"}
        return _json(view(held))

    @app.post(base + "/connections/{connection_id}/test")
    async def test(connection_id: str, request: Request) -> Response:
        held = held_by(connection_id, (await request.json())["tenant_id"])
        return _json(ingest.ConnectionTest(ok=True, shop_name="Shop")) if held else NOT_FOUND

    @app.post(base + "/connections/{connection_id}/{action}")
    async def switch(connection_id: str, action: str, request: Request) -> Response:
        held = held_by(connection_id, (await request.json())["tenant_id"])
        if held is None:
            return NOT_FOUND
        held["view"]["state"] = "disabled" if action == "disable" else "active"
        return _json(view(held))

    @app.delete(base + "/connections/{connection_id}")
    async def delete(connection_id: str, tenant_id: str) -> Response:
        if held_by(connection_id, tenant_id) is None:
            return NOT_FOUND
        del owners.connections[connection_id]
        return Response(status_code=204)

    @app.get(base + "/connections/{connection_id}/watermarks")
    async def watermarks(connection_id: str, tenant_id: str) -> Response:
        mark = ingest.Watermark(kind="orders_to_ledger", value=NOW, updated_at=NOW)
        return _json(ingest.WatermarkList(watermarks=(mark,))) if held_by(connection_id, tenant_id) else NOT_FOUND

    @app.get(base + "/connections/{connection_id}/privacy-requests")
    async def privacy_requests(connection_id: str, tenant_id: str) -> Response:
        return _json(ingest.PrivacyRequestList(requests=())) if held_by(connection_id, tenant_id) else NOT_FOUND

    @app.get(base + "/connections/{connection_id}/orders")
    async def history(connection_id: str, tenant_id: str, external_id: str) -> Response:
        found = owners.histories.get((connection_id, external_id))
        return _json(found) if found and held_by(connection_id, tenant_id) else NOT_FOUND

    @app.get(base + "/connections/{connection_id}/payouts")
    async def payouts(connection_id: str, tenant_id: str) -> Response:
        found = [one.summary for (owner, _), one in owners.payouts.items() if owner == connection_id]
        return _json(ingest.PayoutList(payouts=tuple(found))) if held_by(connection_id, tenant_id) else NOT_FOUND

    @app.get(base + "/connections/{connection_id}/payouts/{payout_id}")
    async def payout(connection_id: str, payout_id: str, tenant_id: str) -> Response:
        one = owners.payouts.get((connection_id, payout_id))
        return _json(one) if one and held_by(connection_id, tenant_id) else NOT_FOUND


def _mapper(app: FastAPI, owners: Owners) -> None:  # noqa: C901 - a list of routes
    base = "/mapper/internal"

    @app.get(f"{base}/sets")
    async def sets(tenant_id: str, connection_id: str, source_kind: str, source_id: str) -> Response:
        wanted = (connection_id, source_kind, source_id)
        found = [
            view
            for tenant, view in owners.sets
            if tenant == tenant_id and (view.connection_id, view.source_kind, view.source_id) == wanted
        ]
        return _json(mapper.SetList(sets=tuple(found)))

    @app.post(f"{base}/preview")
    async def preview(body: mapper.PreviewRequest) -> Response:
        orders = tuple(
            mapper.PreviewOrder(order_key=key, number=key.rsplit("/", 1)[1], revision=1, outcome=SetOutcome.MAPPED)
            for key in body.order_keys
        )
        return _json(mapper.PreviewResult(orders=orders))

    @app.get(f"{base}/rules")
    async def rules(tenant_id: str) -> Response:
        return _json(mapper.RulePage(items=tuple(rule for owner, rule in owners.rules.values() if owner == tenant_id)))

    @app.post(f"{base}/rules")
    async def make(body: mapper.RuleSave) -> Response:
        identity = body.rule_id or f"rule{len(owners.rules) + 1}"
        if identity in owners.rules:
            return _json(owners.rules[identity][1], 201)
        if not _is_rule(body.definition):
            return _problem(422, "RULE_REFUSED", "the rule does not fit its contract")
        rule = mapper.RuleView(
            rule_id=identity,
            revision=1,
            updated_at=NOW,
            **body.model_dump(exclude={"tenant_id", "revision", "rule_id"}),
        )
        owners.rules[identity] = (body.tenant_id, rule)
        return _json(rule, 201)

    @app.get(base + "/rules/{rule_id}")
    async def rule(rule_id: str, tenant_id: str) -> Response:
        owner, found = owners.rules.get(rule_id, ("", None))
        return _json(found) if found and owner == tenant_id else NOT_FOUND

    @app.put(base + "/rules/{rule_id}")
    async def save(rule_id: str, body: mapper.RuleSave) -> Response:
        owner, found = owners.rules.get(rule_id, ("", None))
        return _json(found) if found and owner == body.tenant_id else NOT_FOUND

    @app.delete(base + "/rules/{rule_id}")
    async def remove(rule_id: str, tenant_id: str) -> Response:
        owners.rules.pop(rule_id)
        return Response(status_code=204)

    @app.get(base + "/maps/{map_name}")
    async def rows(map_name: str, tenant_id: str, connection_id: str = "") -> Response:
        return _json(mapper.MapPage(items=()))

    @app.put(base + "/maps/{map_name}")
    async def save_rows(map_name: str, body: mapper.MapSave) -> Response:
        return _json(mapper.MapSaved(saved=len(body.entries), removed=0, orders_affected=0))

    @app.get(f"{base}/unmatched-products")
    async def unmatched(tenant_id: str) -> Response:
        return _json(mapper.UnmatchedPage(items=()))


def _ledger_writer(app: FastAPI, owners: Owners) -> None:  # noqa: C901, PLR0915 - a list of routes
    base = "/ledger-writer/internal"

    def view(held: dict[str, Any]) -> ledger_writer.CompanyView:
        return ledger_writer.CompanyView(**held["view"])

    def held_by(company_id: str, tenant_id: str) -> dict[str, Any] | None:
        held = owners.companies.get(company_id)
        return held if held is not None and held["tenant_id"] == tenant_id else None

    @app.get(f"{base}/ledgers")
    async def ledgers() -> Response:
        one = ledger_writer.LedgerDescription(
            name="beancount", title="Beancount", capabilities=ABILITIES, default_accounts=ACCOUNTS
        )
        return _json(ledger_writer.LedgerList(ledgers=(one,)))

    @app.post(f"{base}/companies")
    async def pair(body: ledger_writer.PairRequest) -> Response:
        if body.ledger == "unknown":
            return _problem(422, "UNKNOWN_LEDGER", "there is no such ledger")
        owners.companies[body.company_id] = {
            "tenant_id": body.tenant_id,
            "view": {
                "company_id": body.company_id,
                "ledger": body.ledger,
                "name": body.name,
                "external_id": "books",
                "status": CompanyStatus.CONNECTED,
                "home_currency": body.home_currency or "USD",
                "capabilities": ABILITIES,
                "default_accounts": ACCOUNTS,
                "lists_read_at": NOW,
                "can_notify": True,
            },
        }
        return _json(view(owners.companies[body.company_id]), 201)

    @app.get(base + "/companies/{company_id}")
    async def one(company_id: str, tenant_id: str) -> Response:
        held = held_by(company_id, tenant_id)
        return _json(view(held)) if held else NOT_FOUND

    @app.delete(base + "/companies/{company_id}")
    async def delete(company_id: str, tenant_id: str) -> Response:
        if held_by(company_id, tenant_id) is None:
            return NOT_FOUND
        del owners.companies[company_id]
        return Response(status_code=204)

    @app.post(base + "/companies/{company_id}/oauth")
    async def oauth(company_id: str, body: ledger_writer.OAuthStart) -> Response:
        started = ledger_writer.OAuthStarted(authorization_url="https://vendor.example/consent", state="once")
        return _json(started) if held_by(company_id, body.tenant_id) else NOT_FOUND

    @app.post(f"{base}/oauth/callback")
    async def callback(body: ledger_writer.OAuthCallback) -> Response:
        return _problem(404, "STATE_UNKNOWN", "no sign-in was begun with this state")

    @app.post(base + "/companies/{company_id}/disconnect")
    async def disconnect(company_id: str, body: ledger_writer.Disconnect) -> Response:
        held = held_by(company_id, body.tenant_id)
        if held is None:
            return NOT_FOUND
        held["view"]["status"] = CompanyStatus.DISCONNECTED
        return _json(view(held))

    @app.post(base + "/companies/{company_id}/links/forget")
    async def forget(company_id: str, request: Request) -> Response:
        held = held_by(company_id, (await request.json())["tenant_id"])
        return _json(ledger_writer.LinksForgotten(documents=3, kept=2)) if held else NOT_FOUND

    @app.post(base + "/companies/{company_id}/lane/{action}")
    async def lane(company_id: str, action: str, request: Request) -> Response:
        held = held_by(company_id, (await request.json())["tenant_id"])
        if held is None:
            return NOT_FOUND
        held["view"]["lane_paused"] = action == "pause"
        return _json(view(held))

    @app.post(base + "/companies/{company_id}/check")
    async def check(company_id: str, request: Request) -> Response:
        held = held_by(company_id, (await request.json())["tenant_id"])
        if held is None:
            return NOT_FOUND
        if held["view"]["ledger"] == "beancount":
            return _problem(409, "NO_CHECK", "Beancount is written by nobody else and is not checked")
        owners.checked.append(company_id)
        return _json(view(held), 202)

    @app.post(base + "/companies/{company_id}/accounts")
    async def name_accounts(company_id: str, body: ledger_writer.AccountsQuestion) -> Response:
        if held_by(company_id, body.tenant_id) is None:
            return NOT_FOUND
        types = {name: owners.opens[name] for name in body.names if name in owners.opens}
        cures = {name: NO_ACCOUNT for name in body.names if name not in owners.opens}
        return _json(ledger_writer.AccountsAnswer(types=types, cures=cures))

    @app.post(base + "/companies/{company_id}/lists/refresh")
    async def refresh(company_id: str, request: Request) -> Response:
        held = held_by(company_id, (await request.json())["tenant_id"])
        return _json(view(held), 202) if held else NOT_FOUND

    def listed(tenant_id: str, company_id: str, list_name: str) -> ledger_writer.CatalogPage:
        accounts = (*ACCOUNTS.values(), *owners.closed)
        names = {"accounts": accounts, "classes": owners.classes, "items": owners.asleep}.get(list_name, ())
        entries = tuple(
            CatalogEntry(
                tenant_id=tenant_id,
                revision=1,
                company_id=company_id,
                list_name=list_name,
                ledger_id=str(number),
                name=name,
                full_name=name,
                active=list_name != "items" and name not in owners.closed,
            )
            for number, name in enumerate(names)
        )
        return ledger_writer.CatalogPage(items=entries)

    @app.get(base + "/companies/{company_id}/lists/{list_name}")
    async def lists(company_id: str, list_name: str, tenant_id: str) -> Response:
        if held_by(company_id, tenant_id) is None:
            return NOT_FOUND
        return _json(listed(tenant_id, company_id, list_name))

    @app.get(base + "/companies/{company_id}/customers")
    async def customers(company_id: str, tenant_id: str) -> Response:
        return _json(ledger_writer.CatalogPage(items=())) if held_by(company_id, tenant_id) else NOT_FOUND

    @app.get(base + "/companies/{company_id}/trial-balance")
    async def balance(company_id: str, tenant_id: str) -> Response:
        if held_by(company_id, tenant_id) is None:
            return NOT_FOUND
        row = ledger_writer.TrialBalanceRow(
            account="Income:Sales", currency="USD", debit=Decimal("0.00"), credit=Decimal("19.90")
        )
        return _json(ledger_writer.TrialBalance(company_id=company_id, as_of=None, rows=(row,)))

    @app.get(base + "/companies/{company_id}/usage")
    async def usage(company_id: str, tenant_id: str, first: date, last: date) -> Response:
        if held_by(company_id, tenant_id) is None:
            return NOT_FOUND
        written = {DocumentKind.INVOICE: 2, DocumentKind.SALES_ORDER: 1}
        counts = [ledger_writer.UsageCount(month=last, kind=kind, documents=many) for kind, many in written.items()]
        return _json(ledger_writer.UsageCounts(counts=tuple(counts) if first <= last else ()))

    def own(document_key: str, tenant_id: str) -> ledger_writer.DocumentView | None:
        return owners.documents.get(document_key) if owners.document_tenants.get(document_key) == tenant_id else None

    @app.get(f"{base}/documents")
    async def documents(tenant_id: str, connection_id: str, source_id: str) -> Response:
        found = tuple(
            view
            for key, view in owners.documents.items()
            if owners.document_tenants[key] == tenant_id
            and (view.connection_id, view.source_id) == (connection_id, source_id)
        )
        return _json(ledger_writer.DocumentList(documents=found))

    @app.get(base + "/documents/{document_key}")
    async def document(document_key: str, tenant_id: str) -> Response:
        found = own(document_key, tenant_id)
        return _json(found) if found else NOT_FOUND

    @app.post(base + "/documents/{document_key}/link/check")
    async def check_link(document_key: str, body: ledger_writer.LinkRequest) -> Response:
        if body.ledger_id in owners.refused_links:
            return _problem(422, "CURRENCY_DIFFERS", "kept in EUR, and the orders are in USD")
        return _json(ledger_writer.LinkTarget(ledger_id=body.ledger_id, name=f"Customer {body.ledger_id}"))

    @app.put(base + "/documents/{document_key}/link")
    async def link(document_key: str, body: ledger_writer.LinkRequest) -> Response:
        found = own(document_key, body.tenant_id)
        if found is None:
            return NOT_FOUND
        linked = ledger_writer.WrittenLink(ledger_id=body.ledger_id, linked_by="person", at=NOW)
        owners.documents[document_key] = found.model_copy(update={"link": linked})
        return _json(owners.documents[document_key])

    @app.delete(base + "/documents/{document_key}/link")
    async def unlink(document_key: str, tenant_id: str) -> Response:
        found = own(document_key, tenant_id)
        if found is None:
            return NOT_FOUND
        owners.documents[document_key] = found.model_copy(update={"link": None})
        return _json(owners.documents[document_key])
