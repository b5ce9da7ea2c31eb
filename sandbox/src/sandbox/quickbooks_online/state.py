"""Snapshots: a company as JSON text, exact to the last digit, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.quickbooks_online.accounting.ledger import Entry, Posting
from sandbox.quickbooks_online.accounting.stock import Layer, Movement
from sandbox.quickbooks_online.clock import Clock
from sandbox.quickbooks_online.company import Company, CompanySettings
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.tokens import Client, Grant


def company_state(company: Company) -> dict[str, Any]:
    """Everything a company holds but uploaded contents and remembered request ids."""
    return {
        "realm": company.realm,
        "settings": asdict(company.settings),
        "tables": {
            name: [row.doc for row in table.rows.values()] for name, table in company.tables.items() if len(table)
        },
        "sequences": company.sequences,
        "doc_numbers": company.doc_numbers,
        "special": company.special,
        "deposited": company.deposited,
        "applied": company.applied,
        "deletions": company.deletions,
        "answers": {key: [print_, status, body.decode()] for key, (print_, status, body) in company.answers.items()},
        "layers": {item: [[x.source, x.quantity, x.cost] for x in layers] for item, layers in company.layers.items()},
        "movements": {
            txn: [[m.item, m.quantity, m.value, [[x.source, x.quantity, x.cost] for x in m.layers]] for m in moves]
            for txn, moves in company.movements.items()
        },
        "postings": [
            [
                p.txn,
                p.entity,
                p.day.isoformat(),
                p.number,
                [[e.account, e.amount, e.foreign, e.name, e.memo] for e in p.entries],
            ]
            for p in company.ledger.postings.values()
        ],
    }


def restore_company(state: dict[str, Any], clock: Clock) -> Company:
    """The company that ``company_state`` described; raises ``KeyError`` for a part that is missing."""
    company = Company(state["realm"], CompanySettings(**state["settings"]), clock)
    for name, docs in state["tables"].items():
        for doc in docs:
            company.tables[name].put(doc)
    company.sequences.update(state["sequences"])
    company.doc_numbers.update(state["doc_numbers"])
    company.special.update(state["special"])
    company.deposited.update(state["deposited"])
    for target, uses in state["applied"].items():
        company.applied[target] = {source: Decimal(amount) for source, amount in uses.items()}
    company.deletions.extend((int(stamp), entity, doc) for stamp, entity, doc in state["deletions"])
    for key, (print_, status, body) in state["answers"].items():
        company.answers[key] = (print_, status, body.encode())
    for item, layers in state["layers"].items():
        company.layers[item] = _layers(layers)
    for txn, moves in state["movements"].items():
        company.movements[txn] = [
            Movement(item, Decimal(quantity), Decimal(value), _layers(layers))
            for item, quantity, value, layers in moves
        ]
    for txn, entity, day, number, entries in state["postings"]:
        lines = tuple(Entry(account, Decimal(a), Decimal(f), name, memo) for account, a, f, name, memo in entries)
        company.ledger.replace(txn, Posting(txn, entity, date.fromisoformat(day), number, lines))
    return company


def _layers(parts: list[list[Any]]) -> tuple[Layer, ...]:
    return tuple(Layer(source, Decimal(quantity), Decimal(cost)) for source, quantity, cost in parts)


def save_state(server: Server, path: Path) -> None:
    """Write companies, clients and grants; the file is replaced as a whole."""
    grants = {id(grant): grant for grant in server.tokens.refresh.values()}
    state = {
        "companies": [company_state(company) for company in server.companies.values()],
        "clients": [asdict(client) for client in server.tokens.clients.values()],
        "grants": [
            {
                **asdict(grant),
                "access": [[key, until] for key, (owner, until) in server.tokens.access.items() if owner is grant],
                "times": [grant.consented, grant.refresh_expires, grant.rotated],
            }
            for grant in grants.values()
        ],
    }
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(encode(state))
    part.replace(path)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")


def _revive(value: dict[str, Any]) -> Any:
    return Decimal(value["$decimal"]) if "$decimal" in value else value


def load_state(server: Server, path: Path) -> None:
    """Read what ``save_state`` wrote."""
    state = decode(path.read_bytes())
    for part in state["companies"]:
        server.add(restore_company(part, server.clock))
    for part in state["clients"]:
        client = Client(part["identifier"], part["secret"], tuple(part["redirect_uris"]))
        server.tokens.clients[client.identifier] = client
    for part in state["grants"]:
        consented, expires, rotated = part["times"]
        grant = Grant(
            part["client"], part["realm"], tuple(part["scopes"]), consented, part["refresh"], expires, rotated
        )
        grant.revoked = part["revoked"]
        server.tokens.refresh[grant.refresh] = grant
        for access, until in part["access"]:
            server.tokens.access[access] = (grant, until)


def encode(value: Any) -> bytes:
    """Snapshot text that ``decode`` reads back exactly."""
    return json.dumps(value, default=_plain).encode()


def decode(text: bytes) -> Any:
    return json.loads(text, object_hook=_revive)
