"""``/_sandbox/…``: steering the stand-in from tests and demos. No part of Intuit's interface."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.company import Company, CompanySettings
from sandbox.quickbooks_online.entities.accounts import with_balance
from sandbox.quickbooks_online.limits import LimitSettings
from sandbox.quickbooks_online.schema import entity_name
from sandbox.quickbooks_online.seed import REALMS, new_company, seed_realms
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.state import company_state, decode, encode, restore_company
from sandbox.quickbooks_online.tokens import Client, Grant
from sandbox.quickbooks_online.webhooks import Subscription
from sandbox.quickbooks_online.wire import dump, parse_json

Body = dict[str, Any]


def _json(value: Any, status: int = 200) -> Response:
    return Response(dump(value), status, media_type="application/json")


def _assign(target: object, body: Body) -> None:
    """Set dataclass fields from a body; 422 names an unknown one."""
    known = {item.name for item in fields(target)}  # type: ignore[arg-type]
    for name, value in body.items():
        if name not in known:
            raise HTTPException(422, f"unknown setting {name!r}; known are {', '.join(sorted(known))}")
        setattr(target, name, value)


async def _body(request: Request) -> Any:
    body = await request.body()
    return json.loads(body) if body else {}


def _held(server: Server, realm: str) -> Company:
    found = server.companies.get(realm)
    if found is None:
        raise HTTPException(404, f"no company {realm}; there are {', '.join(server.companies)}")
    return found


def build_admin(server: Server) -> APIRouter:
    """The router with every route under ``/_sandbox``."""
    router = APIRouter(prefix="/_sandbox")
    for add in (_general, _companies, _contents, _snapshots, _access, _trouble, _webhooks, _counters):
        add(router, server)
    return router


def _general(router: APIRouter, server: Server) -> None:
    @router.get("/health")
    async def health() -> Response:
        return _json({"status": "ok", "companies": list(server.companies)})

    @router.post("/reset")
    async def reset() -> Response:
        """Back to the seeds: companies, tokens, limits, rules and counters as at the start."""
        clients = server.tokens.clients
        server.webhooks.clear()
        server.__dict__.update(Server().__dict__)
        server.tokens.clients.update(clients)
        seed_realms(server)
        return _json({"companies": list(server.companies)})


def _companies(router: APIRouter, server: Server) -> None:
    @router.get("/companies")
    async def companies() -> Response:
        return _json({realm: _summary(held) for realm, held in server.companies.items()})

    @router.post("/companies")
    async def add_company(request: Request) -> Response:
        body = await _body(request)
        realm = str(body.pop("realm_id", "")) or str(int(max(server.companies, default=REALMS[0])) + 1)
        seed = str(body.pop("seed", "small"))
        settings = CompanySettings()
        _assign(settings, body)
        try:
            server.add(new_company(server, realm, settings, seed))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return _json({"realm_id": realm}, 201)

    @router.patch("/companies/{realm}")
    async def change_company(realm: str, request: Request) -> Response:
        held = _held(server, realm)
        _assign(held.settings, await _body(request))
        return _json(_summary(held))


def _contents(router: APIRouter, server: Server) -> None:
    @router.get("/companies/{realm}/documents/{entity}")
    async def documents(realm: str, entity: str) -> Response:
        held, name = _held(server, realm), entity_name(entity)
        if name is None or name not in held.tables:
            raise HTTPException(404, f"no entity {entity}")
        docs = [with_balance(held, doc) if name == "Account" else doc for doc in held.tables[name].docs()]
        return _json(docs)

    @router.get("/companies/{realm}/postings")
    async def postings(realm: str) -> Response:
        return _json([_posting(posting) for posting in _held(server, realm).ledger.postings.values()])

    @router.get("/companies/{realm}/duplicates")
    async def duplicates(realm: str) -> Response:
        """Numbers that several documents of one entity have: ``[{"entity", "number", "ids"}]``."""
        found = []
        for name, table in _held(server, realm).tables.items():
            for number, held in table.indexes.get("DocNumber", {}).items():
                if len(held) > 1:
                    found.append({"entity": name, "number": number, "ids": list(held)})
        return _json(found)

    @router.post("/companies/{realm}/seed")
    async def seed(realm: str, request: Request) -> Response:
        """``[{"entity": "Customer", "object": {...}}, …]``: created by the ordinary rules, all or none."""
        held = _held(server, realm)
        made = []
        with held.step():
            for part in parse_json(await request.body()):
                name = entity_name(str(part.get("entity", "")))
                if name is None:
                    raise HTTPException(422, f"no entity {part.get('entity')!r}")
                made.append({"entity": name, "id": operations.save(held, name, part["object"])["Id"]})
        return _json(made, 201)


def _snapshots(router: APIRouter, server: Server) -> None:
    @router.get("/companies/{realm}/snapshot")
    async def snapshot(realm: str) -> Response:
        return Response(encode(company_state(_held(server, realm))), media_type="application/json")

    @router.put("/companies/{realm}/snapshot")
    async def restore(realm: str, request: Request) -> Response:
        """Put a company back to a snapshot (also one of another realm, under this realm's id)."""
        state = decode(await request.body())
        state["realm"] = realm
        server.add(restore_company(state, server.clock))
        return _json(_summary(_held(server, realm)))

    @router.get("/files/{realm}/{identifier}")
    async def file(realm: str, identifier: str) -> Response:
        content = _held(server, realm).files.get(identifier)
        if content is None:
            raise HTTPException(404, f"no content for attachable {identifier}")
        return Response(content, media_type="application/octet-stream")


def _access(router: APIRouter, server: Server) -> None:
    @router.post("/tokens")
    async def tokens(request: Request) -> Response:
        """Tokens without the consent dance: ``{"realm_id", "client_id"?, "expires_in"?}``."""
        body = await _body(request)
        realm = str(body.get("realm_id") or next(iter(server.companies)))
        _held(server, realm)
        client = str(body.get("client_id") or next(iter(server.tokens.clients)))
        grant = Grant(client, realm, ("com.intuit.quickbooks.accounting",), server.tokens.now())
        access = server.tokens.issue(grant)
        lifetime = int(body.get("expires_in") or server.tokens.settings.access_s)
        server.tokens.access[access] = (grant, server.tokens.now() + lifetime)
        pair = {"access_token": access, "refresh_token": grant.refresh}
        return _json({**pair, "realm_id": realm, "expires_in": lifetime})

    @router.post("/clients")
    async def clients(request: Request) -> Response:
        body = await _body(request)
        client = Client(str(body["client_id"]), str(body["client_secret"]), tuple(body.get("redirect_uris", ())))
        server.tokens.clients[client.identifier] = client
        return _json({"client_id": client.identifier}, 201)

    @router.put("/settings")
    async def settings(request: Request) -> Response:
        """``{"server": {...}, "tokens": {...}, "clock_offset_s": n}``, each part optional."""
        body = await _body(request)
        _assign(server.settings, body.get("server", {}))
        _assign(server.tokens.settings, body.get("tokens", {}))
        if "clock_offset_s" in body:
            server.clock.offset = timedelta(seconds=float(body["clock_offset_s"]))
        return _json({"ok": True})


def _trouble(router: APIRouter, server: Server) -> None:
    @router.get("/limits")
    async def get_limits() -> Response:
        return _json(server.limits.public())

    @router.put("/limits")
    async def limits(request: Request) -> Response:
        """Limits by name, or ``{"published": true, "scale": 20}``; ``{}`` takes them all off."""
        body = await _body(request)
        if body.pop("published", False):
            server.limits = LimitSettings.published(float(body.pop("scale", 1)))
        else:
            server.limits = LimitSettings()
        if "scale" in body:
            body["scale"] = float(body["scale"])
        _assign(server.limits, body)
        server.windows.clear()
        return _json(server.limits.public())

    @router.get("/faults")
    async def faults() -> Response:
        return _json(server.injection.public())

    @router.post("/faults")
    async def add_fault(request: Request) -> Response:
        body = await _body(request)
        try:
            rules = [server.injection.add(part) for part in (body if isinstance(body, list) else [body])]
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from None
        return _json({"added": [rule.number for rule in rules]}, 201)

    @router.delete("/faults")
    async def clear_faults() -> Response:
        server.injection.rules.clear()
        return _json({"ok": True})


def _webhooks(router: APIRouter, server: Server) -> None:
    @router.post("/webhooks")
    async def subscribe(request: Request) -> Response:
        """``{"url", "verifier", "format"?: "legacy"|"cloudevents", "entities"?, "delay_s"?, "speed"?}``."""
        body = await _body(request)
        body["entities"] = tuple(body.get("entities", ()))
        for name in ("delay_s", "speed"):
            if name in body:
                body[name] = float(body[name])
        return _json({"number": server.webhooks.subscribe(Subscription(**body))}, 201)

    @router.get("/webhooks")
    async def subscriptions() -> Response:
        shown = ("number", "url", "format", "delivered", "failed")
        listed = [
            {**{name: getattr(held, name) for name in shown}, "queued": len(held.queue)}
            for held in server.webhooks.subscriptions
        ]
        return _json(listed)

    @router.delete("/webhooks")
    async def unsubscribe() -> Response:
        server.webhooks.clear()
        return _json({"ok": True})


def _counters(router: APIRouter, server: Server) -> None:
    @router.get("/counters")
    async def counters() -> Response:
        return _json(dict(sorted(server.counts.items())))

    @router.delete("/counters")
    async def clear_counters() -> Response:
        server.counts.clear()
        return _json({"ok": True})


def _summary(held: Company) -> Body:
    settings = {item.name: getattr(held.settings, item.name) for item in fields(held.settings)}
    return {"settings": settings, "objects": {name: len(table) for name, table in held.tables.items() if len(table)}}


def _posting(posting: Any) -> Body:
    entries = [{"account": entry.account, "amount": entry.amount, "name": entry.name} for entry in posting.entries]
    return {"txn": posting.txn, "entity": posting.entity, "date": posting.day.isoformat(), "entries": entries}
