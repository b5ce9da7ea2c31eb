"""Rules, maps and unmatched products: owned by mapper, shown and changed here."""

from typing import Annotated

from fastapi import Query, Request, status
from pydantic import Field

from api.bodies import Body
from api.idempotency import seed_of
from api.ids import new_id
from api.routes import connections as connection_routes
from api.routes.base import ONCE, Deps, Gateway, router
from api.routes.rule_gate import refused_names, unknown_connections
from api.rule_checks import check_connections, limited_to, named_by
from api.security import Reader, TenantPrincipal, Writer
from api.store import audit
from api.views.base import PAGE_DEFAULT, Cursor, Limit
from common.internal import mapper
from common.internal.mapper_rules import Definition
from common.messages.base import ShortText
from common.problems import Problem

routes = router("rules and maps")


class RuleBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    enabled: bool = True
    priority: int = Field(default=100, ge=0, le=1_000_000)
    definition: Definition
    revision: int | None = Field(default=None, description="The revision that was read; leave out for a new rule.")


class MapRow(Body):
    source: ShortText
    target: ShortText = ""
    """Full name of the ledger's object; empty removes the row."""


class MapBody(Body):
    rows: list[MapRow] = Field(min_length=1, max_length=1000)


@routes.get("/rules", operation_id="list_rules")
async def list_rules(caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None) -> mapper.RulePage:
    """Rules in the order they are applied."""
    return await deps.services.mapper.get(
        "/internal/rules", mapper.RulePage, tenant_id=caller.tenant_id, limit=limit, cursor=cursor
    )


@routes.post("/rules", operation_id="create_rule", status_code=status.HTTP_201_CREATED, dependencies=ONCE)
async def create_rule(body: RuleBody, request: Request, caller: Writer, deps: Deps) -> mapper.RuleView:
    """Make a rule. Orders it may change are mapped again.

    No other rule may have its name: rows of a table that share one are one rule.

    Its connections must be there; an account, class, department or terms that it names must be in the ledger of one of
    them.
    """
    await _refuse(deps, caller, body, await _unknown(deps, caller, body))
    rule = _rule(caller.tenant_id, body, new_id("rul", seed_of(request)))
    view = await deps.services.mapper.post("/internal/rules", rule, mapper.RuleView)
    await note(deps, caller, "rule_created", view.rule_id)
    return view


@routes.get("/rules/{rule_id}", operation_id="get_rule")
async def get_rule(rule_id: str, caller: Reader, deps: Deps) -> mapper.RuleView:
    """One rule."""
    return await deps.services.mapper.get(
        f"/internal/rules/{segment(rule_id)}", mapper.RuleView, tenant_id=caller.tenant_id
    )


@routes.put("/rules/{rule_id}", operation_id="save_rule")
async def save_rule(rule_id: str, body: RuleBody, caller: Writer, deps: Deps) -> mapper.RuleView:
    """Change a rule. What it names must be there, as for a new one, but for connections that it was for before."""
    unknown = await _unknown(deps, caller, body)
    if unknown:
        before = await get_rule(rule_id, caller, deps)
        unknown -= set((limited_to(before.definition) or {}).values())
    await _refuse(deps, caller, body, unknown)
    view = await deps.services.mapper.put(
        f"/internal/rules/{segment(rule_id)}", _rule(caller.tenant_id, body), mapper.RuleView
    )
    await note(deps, caller, "rule_saved", rule_id)
    return view


@routes.delete("/rules/{rule_id}", operation_id="delete_rule", status_code=status.HTTP_204_NO_CONTENT)
async def delete_rule(rule_id: str, caller: Writer, deps: Deps) -> None:
    """Remove a rule."""
    # Read first: a rule of another tenant must answer 404, not look as if it had been deleted.
    await get_rule(rule_id, caller, deps)
    await deps.services.mapper.delete(f"/internal/rules/{segment(rule_id)}", tenant_id=caller.tenant_id)
    await note(deps, caller, "rule_deleted", rule_id)


@routes.get("/connections/{connection_id}/maps/{map_name}", operation_id="get_map")
async def get_map(
    connection_id: str,
    map_name: mapper.MapName,
    caller: Reader,
    deps: Deps,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> mapper.MapPage:
    """Rows of a map. `products`: the channel's SKU or name → the ledger's item."""
    await connection_routes.own(deps, caller, connection_id)
    return await deps.services.mapper.get(
        f"/internal/maps/{map_name}",
        mapper.MapPage,
        tenant_id=caller.tenant_id,
        connection_id=connection_id,
        limit=limit,
        cursor=cursor,
    )


@routes.put("/connections/{connection_id}/maps/{map_name}", operation_id="save_map")
async def save_map(
    connection_id: str, map_name: mapper.MapName, body: MapBody, caller: Writer, deps: Deps
) -> mapper.MapSaved:
    """Add, change and remove rows. Orders that waited for one of them are mapped again."""
    await connection_routes.own(deps, caller, connection_id)
    entries = tuple(
        mapper.MapEntry(connection_id=connection_id, source=row.source, target=row.target) for row in body.rows
    )
    saved = await deps.services.mapper.put(
        f"/internal/maps/{map_name}",
        mapper.MapSave(tenant_id=caller.tenant_id, entries=entries),
        mapper.MapSaved,
    )
    await note(deps, caller, "map_saved", connection_id)
    return saved


@routes.get("/unmatched-products", operation_id="list_unmatched_products")
async def list_unmatched_products(
    caller: Reader,
    deps: Deps,
    connection_id: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> mapper.UnmatchedPage:
    """Products that keep orders out of the ledger until they are mapped."""
    if connection_id is not None:
        await connection_routes.own(deps, caller, connection_id)
    return await deps.services.mapper.get(
        "/internal/unmatched-products",
        mapper.UnmatchedPage,
        tenant_id=caller.tenant_id,
        connection_id=connection_id,
        limit=limit,
        cursor=cursor,
    )


def _rule(tenant_id: str, body: RuleBody, rule_id: str | None = None) -> mapper.RuleSave:
    return mapper.RuleSave(tenant_id=tenant_id, rule_id=rule_id, **body.model_dump())


async def _unknown(deps: Gateway, caller: TenantPrincipal, body: RuleBody) -> set[str]:
    return await unknown_connections(deps, caller.tenant_id, [body.definition])


async def _refuse(deps: Gateway, caller: TenantPrincipal, body: RuleBody, unknown: set[str]) -> None:
    """Raises a 422 problem where no ledger has what the rule names, or it is for a connection of `unknown`."""
    named = named_by("definition.value", body.definition, enabled=body.enabled)
    wrong = [
        *check_connections("definition", body.definition, unknown),
        *(
            # As mapper names the places of a rule.
            one.model_copy(update={"field": one.field.removeprefix("body.")})
            for one in await refused_names(deps, caller.tenant_id, [named])
        ),
    ]
    if wrong:
        raise Problem(422, "RULE_REFUSED", "the rule names what is not there", errors=wrong[:50])


def segment(text: str) -> str:
    """A path segment for the owner, which a crafted id can't leave."""
    if not text.replace("_", "").replace("-", "").isalnum() or not text.isascii():
        raise Problem(404, "NOT_FOUND", f"there is nothing called {text[:50]!r} here")
    return text


async def note(deps: Gateway, caller: TenantPrincipal, action: str, subject: str) -> None:
    """Put a change of rules or maps into the audit log."""
    await audit.record(deps.pool, tenant_id=caller.tenant_id, actor=caller.key_id, action=action, subject=subject)
