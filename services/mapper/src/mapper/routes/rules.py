"""Rules: read, save, delete, and as a table. A saved rule maps the tenant's orders again."""

import uuid
from typing import Annotated

import asyncpg
import orjson
from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError

from common.application import CurrentRuntime, InternalCaller
from common.cures import FieldProblem, cure_of, scalar
from common.database import Connection
from common.internal.mapper import RulePage, RuleSave, RuleView
from common.internal.mapper_checks import DraftRule, RulesImported, RulesRead
from common.internal.mapper_rules import Condition, Group
from common.problems import Problem, not_found
from mapper.routes.cursors import decode, encode
from mapper.rules.compiling import RuleRefused, compile_rule
from mapper.rules.model import Rule
from mapper.rules.table import read_table, write_table
from mapper.settings import MapperSettings
from mapper.store.locks import change_configuration
from mapper.store.orders import MARK_TENANT
from mapper.store.rules import (
    HELD_IN_COLUMNS,
    count_rules,
    delete_rules,
    is_name_taken,
    is_stored,
    read_rule,
    read_rules,
    rule_of,
    rule_page,
    updated_at,
    write_rule,
)
from mapper.worker import Waker

router = APIRouter(prefix="/internal", tags=["rules"])

Id = Annotated[str, Query(min_length=1, max_length=128)]
TABLE_BYTES_MAX = 4 * 1024 * 1024


def _waker(request: Request) -> Waker:
    waker: Waker = request.app.state.waker
    return waker


CurrentWaker = Annotated[Waker, Depends(_waker)]


@router.get("/rules", operation_id="list_rules")
async def list_rules(
    runtime: CurrentRuntime,
    _: InternalCaller,
    tenant_id: Id,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RulePage:
    """Rules in the order of their priority."""
    position = decode(cursor, (int, str)) or [-1, ""]
    async with runtime.pool.acquire() as connection:
        rows = await rule_page(connection, tenant_id, (int(position[0]), str(position[1])), limit)
    following = encode((rows[-1]["priority"], rows[-1]["rule_id"])) if len(rows) == limit else None
    return RulePage(items=tuple(_view(row) for row in rows), next_cursor=following)


@router.post("/rules", operation_id="create_rule", status_code=201)
async def create_rule(body: RuleSave, runtime: CurrentRuntime, waker: CurrentWaker, _: InternalCaller) -> RuleView:
    """Save a new rule; one that is there under its identifier stays as it is."""
    rule = checked(body, body.rule_id or str(uuid.uuid4()))
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [body.tenant_id])
        held = await read_rule(connection, body.tenant_id, rule.rule_id)
        if held is not None:
            return _view(held)
        await _check_name(connection, body.tenant_id, rule)
        await check_room(connection, body.tenant_id, 1, runtime.settings)
        row = await write_rule(connection, body.tenant_id, rule, 1)
        batch.execute(MARK_TENANT, body.tenant_id)
        batch.after_commit(waker.wake)
    return _view(row)


@router.get("/rules.csv", operation_id="export_rules", response_class=PlainTextResponse)
async def export_rules(runtime: CurrentRuntime, _: InternalCaller, tenant_id: Id) -> PlainTextResponse:
    """All rules as a table. Read back unchanged it changes nothing; a 422 names a rule that no table can hold."""
    async with runtime.pool.acquire() as connection:
        rows = await read_rules(connection, tenant_id)
    return PlainTextResponse(write_table(rule_of(row) for row in rows), media_type="text/csv")


@router.post("/rules.csv", operation_id="read_rules_table")
async def read_rules_table(
    _: InternalCaller, table: Annotated[str, Body(media_type="text/csv", max_length=TABLE_BYTES_MAX)]
) -> RulesRead:
    """Rules of a table, or the wrong cell named. Nothing is saved."""
    return RulesRead(rules=tuple(_draft(rule) for rule in read_table(table)))


@router.put("/rules.csv", operation_id="import_rules")
async def import_rules(
    runtime: CurrentRuntime,
    waker: CurrentWaker,
    _: InternalCaller,
    tenant_id: Id,
    table: Annotated[str, Body(media_type="text/csv", max_length=TABLE_BYTES_MAX)],
) -> RulesImported:
    """Save all rules of a table, or none with the wrong cell named; a rule of the same name is replaced."""
    rules = read_table(table)
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [tenant_id])
        known = {row["name"]: row for row in await read_rules(connection, tenant_id)}
        fresh = [rule for rule in rules if rule.name not in known]
        changed = [rule for rule in rules if rule.name in known and not is_stored(rule, known[rule.name])]
        await check_room(connection, tenant_id, len(fresh), runtime.settings)
        for rule in (*fresh, *changed):
            held = known.get(rule.name)
            rule_id = held["rule_id"] if held else str(uuid.uuid4())
            revision = held["revision"] + 1 if held else 1
            await write_rule(connection, tenant_id, rule.model_copy(update={"rule_id": rule_id}), revision)
        if fresh or changed:
            batch.execute(MARK_TENANT, tenant_id)
            batch.after_commit(waker.wake)
    unchanged = len(rules) - len(fresh) - len(changed)
    return RulesImported(created=len(fresh), replaced=len(changed), unchanged=unchanged)


@router.get("/rules/{rule_id}", operation_id="read_rule")
async def get_rule(rule_id: str, runtime: CurrentRuntime, _: InternalCaller, tenant_id: Id) -> RuleView:
    """One rule."""
    async with runtime.pool.acquire() as connection:
        row = await read_rule(connection, tenant_id, rule_id)
    if row is None:
        raise not_found("rule", rule_id)
    return _view(row)


@router.put("/rules/{rule_id}", operation_id="replace_rule")
async def replace_rule(
    rule_id: str, body: RuleSave, runtime: CurrentRuntime, waker: CurrentWaker, _: InternalCaller
) -> RuleView:
    """Replace a rule that was read at `revision`."""
    rule = checked(body, rule_id)
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [body.tenant_id])
        held = await read_rule(connection, body.tenant_id, rule_id)
        if held is None:
            raise not_found("rule", rule_id)
        if body.revision is not None and body.revision != held["revision"]:
            raise Problem(
                409,
                "STALE_REVISION",
                f"the rule is at revision {held['revision']}, not {body.revision}",
                cure="read the rule again and repeat the change",
            )
        await _check_name(connection, body.tenant_id, rule)
        row = await write_rule(connection, body.tenant_id, rule, held["revision"] + 1)
        batch.execute(MARK_TENANT, body.tenant_id)
        batch.after_commit(waker.wake)
    return _view(row)


@router.delete("/rules/{rule_id}", operation_id="delete_rule", status_code=204)
async def delete_rule(
    rule_id: str, runtime: CurrentRuntime, waker: CurrentWaker, _: InternalCaller, tenant_id: Id
) -> None:
    """Remove a rule; orders are mapped again without it."""
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [tenant_id])
        if not await delete_rules(connection, tenant_id, [rule_id]):
            raise not_found("rule", rule_id)
        batch.execute(MARK_TENANT, tenant_id)
        batch.after_commit(waker.wake)


def checked(body: RuleSave | DraftRule, rule_id: str, place: str = "") -> Rule:
    """The rule, read and compiled. Raises a 422 problem or `RuleRefused`; fields are named below `place`."""
    try:
        rule = Rule.model_validate(
            {
                **body.definition,
                "rule_id": rule_id,
                "name": body.name,
                "enabled": body.enabled,
                "priority": body.priority,
            }
        )
    except ValidationError as error:
        fields = [
            FieldProblem(
                field=place + _place_of(item["loc"]),
                value=scalar(item.get("input")),
                cure=cure_of(item),
            )
            for item in error.errors()[:20]
        ]
        raise Problem(422, "RULE_REFUSED", "the rule does not fit its contract", errors=fields) from error
    try:
        compile_rule(rule)
    except RuleRefused as error:
        where = {"field": f"{place}definition.{error.reason.field}"}
        raise RuleRefused(error.reason.model_copy(update=where)) from error
    return rule


def _place_of(location: tuple[int | str, ...]) -> str:
    """Where a request has what is wrong; without the kinds of condition that were tried."""
    if location and location[0] in HELD_IN_COLUMNS:
        return str(location[0])
    return ".".join(
        ["definition", *(str(part) for part in location if part not in (Condition.__name__, Group.__name__))]
    )


def _draft(rule: Rule) -> DraftRule:
    definition = rule.model_dump(mode="json", exclude={"rule_id", "name", "enabled", "priority"})
    return DraftRule(name=rule.name, enabled=rule.enabled, priority=rule.priority, definition=definition)


async def _check_name(connection: Connection, tenant_id: str, rule: Rule) -> None:
    """Raises a 409 problem where another rule has the name: rows of a table that share one are one rule."""
    if await is_name_taken(connection, tenant_id, rule.name, rule.rule_id):
        cure = "give it another name, or change the rule that has this one"
        raise Problem(
            409,
            "RULE_NAME_TAKEN",
            f"there is another rule named {rule.name!r}",
            cure=cure,
            errors=[FieldProblem(field="name", value=rule.name, cure=cure)],
        )


async def check_room(connection: Connection, tenant_id: str, more: int, settings: object) -> None:
    """Raises a 409 problem where the tenant would have too many rules."""
    limit = settings.rules_max if isinstance(settings, MapperSettings) else 0
    if await count_rules(connection, tenant_id) + more > limit:
        raise Problem(
            409, "TOO_MANY_RULES", f"a tenant may have {limit} rules", cure="join rules: one may list several values"
        )


def _view(row: asyncpg.Record) -> RuleView:
    return RuleView(
        rule_id=row["rule_id"],
        name=row["name"],
        enabled=row["enabled"],
        priority=row["priority"],
        definition=orjson.loads(row["definition"]),
        revision=row["revision"],
        updated_at=updated_at(row),
    )
