"""The part of the stand-in that answers why and what if, and takes tables."""

import csv
import io
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from common.internal import ledger_writer, mapper
from common.internal import mapper_checks as checks
from common.messages.documents import Attempt


class Held(Protocol):
    """What of the owners' state is answered from here."""

    payments: tuple[checks.PaymentState, ...] | None
    money: tuple[checks.MoneyPlace, ...]
    money_kinds: dict[str, str]
    attempts: dict[str, tuple[Attempt, ...]]
    said: dict[str, str]
    document_tenants: dict[str, str]


def _json(model: Any) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def add(app: FastAPI, owners: Held) -> None:
    """Before the other routes: a table's path ends like the id in another one."""
    _mapper(app, owners)
    _ledger_writer(app, owners)


def _definition(row: dict[str, str]) -> dict[str, Any]:
    named = row.get("connections", "all")
    return {**row, "connections": named if named == "all" else named.split(" | ")}


def _mapper(app: FastAPI, owners: Held) -> None:
    base = "/mapper/internal"

    @app.get(f"{base}/rules.csv")
    async def table(tenant_id: str) -> Response:
        return Response("name,action\n", media_type="text/csv")

    @app.post(f"{base}/rules.csv")
    async def read_table(request: Request) -> Response:
        rows = csv.DictReader(io.StringIO((await request.body()).decode()))
        rules = (checks.DraftRule(name=row.pop("name"), definition=_definition(row)) for row in rows)
        return _json(checks.RulesRead(rules=tuple(rules)))

    @app.put(f"{base}/rules.csv")
    async def take_table(tenant_id: str) -> Response:
        return _json(checks.RulesImported(created=1, replaced=0))

    @app.post(f"{base}/rules/dry-run")
    async def dry_run(body: checks.DryRun) -> Response:
        return _json(checks.DryRunResult(orders=(), missing=body.order_keys))

    @app.post(f"{base}/missing-payments")
    async def missing_payments(body: checks.PaymentQuestion) -> Response:
        if owners.payments is None:
            return JSONResponse({"code": "NOT_FOUND", "detail": f"there is no order {body.order_key} here"}, 404)
        return _json(checks.PaymentAnswer(payments=owners.payments))

    @app.post(f"{base}/money")
    async def money(body: checks.MoneyQuestion) -> Response:
        kinds = owners.money_kinds
        asked = {one.document_key for one in body.documents if one.source_kind == kinds.get(one.document_key, "order")}
        return _json(checks.MoneyAnswer(places=tuple(one for one in owners.money if one.document_key in asked)))

    @app.post(f"{base}/restore")
    async def restore(body: checks.Restore) -> Response:
        return _json(checks.Restored(rules_created=len(body.rules), entries_saved=len(body.entries)))

    @app.get(base + "/maps/{map_name}.csv")
    async def map_table(map_name: str, tenant_id: str) -> Response:
        return Response("connection_id,source,target\n", media_type="text/csv")

    @app.put(base + "/maps/{map_name}.csv")
    async def take_map(map_name: str, tenant_id: str) -> Response:
        return _json(mapper.MapSaved(saved=1, removed=0, orders_affected=0))


def _ledger_writer(app: FastAPI, owners: Held) -> None:
    base = "/ledger-writer/internal"

    @app.post(f"{base}/attempts")
    async def attempts(body: ledger_writer.AttemptsQuestion) -> Response:
        mine = {
            key: owners.attempts[key]
            for key in body.document_keys
            if key in owners.attempts and owners.document_tenants.get(key) == body.tenant_id
        }
        said = {key: owners.said[key] for key in mine if key in owners.said}
        return _json(ledger_writer.AttemptsAnswer(attempts=mine, said=said))
