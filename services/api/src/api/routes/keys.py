"""API keys of a tenant, keys of operators, and the audit log."""

from fastapi import Request, status

from api.idempotency import seed_of
from api.ids import new_id
from api.routes.base import ONCE, Deps, Gateway, after_number, following, found, router
from api.security import TENANT_SCOPES, Admin, Operator, Scope, key_text, new_secret, secret_hash
from api.store import audit, keys
from api.store.sql import Row
from api.views.accounts import ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyRotate, AuditEntry
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from common.cures import FieldProblem
from common.problems import Problem, not_found

routes = router("api keys")


async def make_key(
    deps: Gateway, request: Request, tenant_id: str | None, actor: str, body: ApiKeyCreate
) -> ApiKeyCreated:
    """Make a key with scopes that fit its owner. Raises a 422 problem for others."""
    allowed = TENANT_SCOPES if tenant_id is not None else {Scope.OPERATOR}
    wrong = [scope for scope in body.scopes if scope not in allowed]
    if wrong:
        names = ", ".join(sorted(allowed))
        raise Problem(
            422,
            "SCOPE_NOT_ALLOWED",
            "this key can't have all of these scopes",
            errors=[FieldProblem(field="body.scopes", value=scope, cure=f"choose from {names}") for scope in wrong],
        )
    secret = new_secret()
    async with deps.runtime.transaction() as (connection, _):
        row = await keys.insert(
            connection,
            key_id=new_id("key", seed_of(request)),
            tenant_id=tenant_id,
            name=body.name,
            hashed=secret_hash(secret),
            scopes=sorted(set(body.scopes)),
            created_by=actor,
            expires_at=body.expires_at,
        )
        await audit.record(
            connection,
            tenant_id=tenant_id,
            actor=actor,
            action="api_key_created",
            subject=row["key_id"],
            details={"scopes": row["scopes"]},
        )
    return ApiKeyCreated(**row, key=key_text(row["key_id"], secret))


async def _rotate(
    deps: Gateway, request: Request, tenant_id: str | None, actor: str, old: Row, grace_s: int
) -> ApiKeyCreated:
    body = ApiKeyCreate(name=old["name"], scopes=old["scopes"], expires_at=old["expires_at"])
    created = await make_key(deps, request, tenant_id, actor, body)
    async with deps.runtime.transaction() as (connection, _):
        await keys.revoke(connection, tenant_id, old["key_id"], grace_s=grace_s)
        await audit.record(
            connection,
            tenant_id=tenant_id,
            actor=actor,
            action="api_key_rotated",
            subject=old["key_id"],
            details={"replaced_by": created.key_id, "grace_s": grace_s},
        )
    return created


@routes.get("/api-keys", operation_id="list_api_keys")
async def list_api_keys(caller: Admin, deps: Deps) -> Page[ApiKey]:
    """The tenant's keys, newest first, without their secrets."""
    return Page(items=[ApiKey(**row) for row in await keys.of_tenant(deps.pool, caller.tenant_id)])


@routes.post("/api-keys", operation_id="create_api_key", status_code=status.HTTP_201_CREATED, dependencies=ONCE)
async def create_api_key(body: ApiKeyCreate, request: Request, caller: Admin, deps: Deps) -> ApiKeyCreated:
    """Make a key. The answer shows it this once."""
    return await make_key(deps, request, caller.tenant_id, caller.key_id, body)


@routes.post(
    "/api-keys/{key_id}/rotate",
    operation_id="rotate_api_key",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
)
async def rotate_api_key(key_id: str, body: ApiKeyRotate, request: Request, caller: Admin, deps: Deps) -> ApiKeyCreated:
    """Make a key with the same name and scopes; the old one goes on working for the grace period."""
    old = found(await keys.one(deps.pool, caller.tenant_id, key_id), "API key", key_id)
    return await _rotate(deps, request, caller.tenant_id, caller.key_id, old, body.grace_s)


@routes.delete("/api-keys/{key_id}", operation_id="revoke_api_key", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_api_key(key_id: str, caller: Admin, deps: Deps) -> None:
    """End a key now."""
    async with deps.runtime.transaction() as (connection, _):
        if not await keys.revoke(connection, caller.tenant_id, key_id):
            raise not_found("API key", key_id)
        await audit.record(
            connection, tenant_id=caller.tenant_id, actor=caller.key_id, action="api_key_revoked", subject=key_id
        )


@routes.get("/audit-log", operation_id="list_audit_log")
async def list_audit_log(
    caller: Admin, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[AuditEntry]:
    """Who did what, newest first."""
    return await _audit_page(deps, caller.tenant_id, limit, cursor)


@routes.get("/operator/api-keys", operation_id="list_operator_api_keys")
async def list_operator_api_keys(_: Operator, deps: Deps) -> Page[ApiKey]:
    """Keys of operators, without the first one, which is a setting of the service."""
    return Page(items=[ApiKey(**row) for row in await keys.of_tenant(deps.pool, None)])


@routes.post(
    "/operator/api-keys",
    operation_id="create_operator_api_key",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
)
async def create_operator_api_key(body: ApiKeyCreate, request: Request, caller: Operator, deps: Deps) -> ApiKeyCreated:
    """Make a key for an operator, so that actions can be told apart in the audit log."""
    return await make_key(deps, request, None, caller.key_id, body)


@routes.delete(
    "/operator/api-keys/{key_id}", operation_id="revoke_operator_api_key", status_code=status.HTTP_204_NO_CONTENT
)
async def revoke_operator_api_key(key_id: str, caller: Operator, deps: Deps) -> None:
    """End an operator's key now."""
    async with deps.runtime.transaction() as (connection, _):
        if not await keys.revoke(connection, None, key_id):
            raise not_found("API key", key_id)
        await audit.record(connection, tenant_id=None, actor=caller.key_id, action="api_key_revoked", subject=key_id)


@routes.get("/operator/audit-log", operation_id="list_operator_audit_log")
async def list_operator_audit_log(
    _: Operator, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[AuditEntry]:
    """What operators did, newest first."""
    return await _audit_page(deps, None, limit, cursor)


async def _audit_page(deps: Gateway, tenant_id: str | None, limit: int, cursor: str | None) -> Page[AuditEntry]:
    rows = await audit.page(deps.pool, tenant_id, after_number("audit", cursor), limit)
    after = following("audit", rows, limit, "entry_id")
    return Page(items=[AuditEntry(**row) for row in rows], next_cursor=after)
