"""Tables out and in: documents, rules, and maps."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from api import sheets
from api.columns import Column
from api.routes.base import Deps, Gateway, router
from api.routes.ledger_links import with_urls
from api.routes.rule_gate import refused_names, stored_rules, unknown_connections
from api.routes.rules import note
from api.rule_checks import check_connections, limited_to, named_by
from api.security import Reader, Writer
from api.sheets import Sheet
from api.store import connections, documents
from common.cures import FieldProblem
from common.internal.mapper import MapName, MapSaved
from common.internal.mapper_checks import DraftRule, RulesImported, RulesRead
from common.messages.documents import DocumentState
from common.messages.transactions import DocumentKind
from common.problems import Problem

routes = router("tables")

EXPORT_MAX = 100_000
_PAGE = 1000
_COLUMNS = (
    "date", "kind", "number", "state", "amount", "currency", "name", "order_number", "reason_code", "reason", "cure",
    "ledger_id", "ledger_url", "company_id", "connection_id", "source_kind", "source_id", "attempts", "first_seen_at",
    "last_attempt_at", "document_key",
)  # fmt: skip
_RULES = "name,action,value,field,comparison,source_value\nAmazon prefix,add_prefix,AZ,store_name,equals,Amazon\n"
_MAP = "connection_id,source,target\n*,SHIRT-S,Shirts:Small\n"
_DOCUMENTS = ",".join(_COLUMNS) + "\n2026-11-20,invoice,1001,synced,77.00,USD,…\n"

Text = Annotated[str | None, Query(max_length=200)]


@routes.get(
    "/documents.csv",
    operation_id="export_documents",
    response_class=StreamingResponse,
    responses=sheets.documented(_DOCUMENTS),
)
async def export_documents(
    caller: Reader,
    deps: Deps,
    company_id: Text = None,
    connection_id: Text = None,
    kind: DocumentKind | None = None,
    state: DocumentState | None = None,
    column: Annotated[Column | None, Query(description="Column of the overview.")] = None,
    code: Annotated[str | None, Query(max_length=64, description="Code of the reason.")] = None,
    date_from: Annotated[date | None, Query(description="Date of the document, from.")] = None,
    date_to: Annotated[date | None, Query(description="Date of the document, to and including.")] = None,
) -> StreamingResponse:
    """Documents as a table, last seen first: what `GET /v1/documents` lists, at most 100,000 rows."""
    wanted = documents.Filter(
        company_id=company_id,
        connection_id=connection_id,
        kinds=None if kind is None else [kind.value],
        state=state,
        column=column,
        code=code,
        date_from=date_from,
        date_to=date_to,
    )
    found = await documents.count(deps.pool, caller.tenant_id, wanted, EXPORT_MAX + 1)
    if found > EXPORT_MAX:
        cure = "narrow it by date_from and date_to, company_id, kind or state"
        given = date_from.isoformat() if date_from else None
        raise Problem(
            422,
            "TOO_MANY_ROWS",
            f"more than {EXPORT_MAX} documents match",
            cure=cure,
            errors=[FieldProblem(field="query.date_from", value=given, cure=cure)],
        )
    return StreamingResponse(
        _rows(deps, caller.tenant_id, wanted),
        media_type=sheets.MEDIA_TYPE,
        headers=sheets.attachment("documents.csv"),
    )


async def _rows(deps: Gateway, tenant_id: str, wanted: documents.Filter) -> AsyncIterator[str]:
    """The table page by page: no connection is held while a slow reader takes it in."""
    yield sheets.lines([_COLUMNS])
    before = None
    left = EXPORT_MAX
    while left > 0:
        rows = await documents.matching(deps.pool, tenant_id, wanted, before, min(_PAGE, left))
        await with_urls(deps, tenant_id, rows)
        for row in rows:
            reason = row["reason"]
            row |= {
                "order_number": row["source_number"],
                "reason_code": reason.code if reason else "",
                "reason": reason.text if reason else "",
                "cure": reason.cure if reason else "",
            }
        yield sheets.lines([row[column] for column in _COLUMNS] for row in rows)
        left -= len(rows)
        if len(rows) < _PAGE:
            return
        before = (rows[-1]["first_seen_at"], rows[-1]["document_key"])


@routes.get("/rules.csv", operation_id="export_rules", response_class=Sheet, responses=sheets.documented(_RULES))
async def export_rules(caller: Reader, deps: Deps) -> Sheet:
    """All rules as a table, which changes nothing when it is imported unchanged.

    A rule that rows can't say, such as one with nested groups, is named (422): a back-up holds every rule.
    """
    text = await deps.services.mapper.text("/internal/rules.csv", tenant_id=caller.tenant_id)
    return Sheet(text, headers=sheets.attachment("rules.csv"))


@routes.put("/rules.csv", operation_id="import_rules", openapi_extra=sheets.body_documented(_RULES))
async def import_rules(request: Request, caller: Writer, deps: Deps) -> RulesImported:
    """Save all rules of a table, or none with the wrong cell named. A rule of the same name is replaced.

    Its connections must be there, but for those that the rule of its name was for before; an account, class, department
    or terms that it names must be in the ledger of one of them.
    """
    table = await _table(request)
    read = await deps.services.mapper.post_text("/internal/rules.csv", table, RulesRead)
    absent = await _absent(deps, caller.tenant_id, read.rules)
    named = [named_by(f"rule {one.name!r}, value", one.definition, enabled=one.enabled) for one in read.rules]
    wrong = absent + [
        one.model_copy(update={"field": one.field.removeprefix("body.")})
        for one in await refused_names(deps, caller.tenant_id, named)
    ]
    if wrong:
        text = f"rules name what is not there, in {len(wrong)} place(s); nothing was saved"
        raise Problem(422, "RULE_TABLE_REFUSED", text, errors=wrong[:50])
    done = await deps.services.mapper.put_text("/internal/rules.csv", table, RulesImported, tenant_id=caller.tenant_id)
    await note(deps, caller, "rules_imported", f"{done.created} created, {done.replaced} replaced")
    return done


async def _absent(deps: Gateway, tenant_id: str, rules: Sequence[DraftRule]) -> list[FieldProblem]:
    """Connections of rules that are none, but for those that the rule of the name is for already."""
    unknown = await unknown_connections(deps, tenant_id, [rule.definition for rule in rules])
    if not unknown:
        return []
    held = {one.name: set((limited_to(one.definition) or {}).values()) for one in await stored_rules(deps, tenant_id)}
    cure = "write ids of your connections (GET /v1/connections lists them), or `all`"
    return [
        FieldProblem(field=f"rule {rule.name!r}, connections", value=one.value, cure=cure)
        for rule in rules
        for one in check_connections("definition", rule.definition, unknown - held.get(rule.name, set()))
    ]


@routes.get("/maps/{map_name}.csv", operation_id="export_map", response_class=Sheet, responses=sheets.documented(_MAP))
async def export_map(
    map_name: MapName,
    caller: Reader,
    deps: Deps,
    connection_id: Annotated[str, Query(max_length=128, description="Only rows of this connection.")] = "",
) -> Sheet:
    """A whole map as a table; connection `*` means all of them."""
    text = await deps.services.mapper.text(
        f"/internal/maps/{map_name}.csv", tenant_id=caller.tenant_id, connection_id=connection_id
    )
    return Sheet(text, headers=sheets.attachment(f"{map_name}.csv"))


@routes.put("/maps/{map_name}.csv", operation_id="import_map", openapi_extra=sheets.body_documented(_MAP))
async def import_map(map_name: MapName, request: Request, caller: Writer, deps: Deps) -> MapSaved:
    """Save the rows of a table, or none with the wrong cell named; an empty target removes a row.

    Orders that waited for one of the products are mapped again.
    """
    table = await _table(request)
    await _check_connections(deps, caller.tenant_id, table)
    done = await deps.services.mapper.put_text(
        f"/internal/maps/{map_name}.csv", table, MapSaved, tenant_id=caller.tenant_id
    )
    await note(deps, caller, "map_imported", map_name)
    return done


async def _table(request: Request) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in {"text/csv", "text/plain", "application/csv"}:
        cure = "send the table itself with Content-Type: text/csv"
        raise Problem(
            422,
            "NOT_A_TABLE",
            f"the body is {given or 'of no stated type'}",
            cure=cure,
            errors=[FieldProblem(field="header.content-type", value=given, cure=cure)],
        )
    body = await request.body()
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Problem(
            422,
            "NOT_A_TABLE",
            f"row {line} is not UTF-8",
            cure="save the table as CSV in UTF-8",
            errors=[FieldProblem(field=f"row {line}", value=None, cure="save the table as CSV in UTF-8")],
        ) from error


async def _check_connections(deps: Gateway, tenant_id: str, table: str) -> None:
    """Name rows of connections that are not the tenant's; anything else about the table is for its owner to judge."""
    cells = [(row, name) for row, name in sheets.column(table, "connection_id") if name not in {"", "*"}]
    unknown = await connections.unknown(deps.pool, tenant_id, sorted({name for _, name in cells}))
    wrong = [
        FieldProblem(field=f"row {row}, connection_id", value=name[:200], cure="use `*`, or the id of a connection")
        for row, name in cells
        if name in unknown
    ]
    if wrong:
        raise Problem(422, "MAP_TABLE_REFUSED", f"{len(wrong)} row(s) name no connection of yours", errors=wrong[:50])
