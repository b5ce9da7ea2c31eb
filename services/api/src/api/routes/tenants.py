"""Tenants: made and removed by operators."""

from fastapi import Request, Response, status

from api.idempotency import seed_of
from api.ids import new_id
from api.routes.base import LOCATION, ONCE, Deps, after_moment, following, found, router
from api.routes.keys import make_key
from api.security import Operator, Reader
from api.store import audit, tenants
from api.views.accounts import (
    ApiKeyCreate,
    ApiKeyCreated,
    Purge,
    Purged,
    PurgedByService,
    Tenant,
    TenantCreate,
)
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from common.messages.control import TenantDeleted
from common.problems import not_found
from common.topology import SERVICES

routes = router("tenants")


@routes.post(
    "/tenants",
    operation_id="create_tenant",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
    responses=LOCATION,
)
async def create_tenant(
    body: TenantCreate, request: Request, response: Response, caller: Operator, deps: Deps
) -> Tenant:
    """Make a tenant. Then make its first key with `POST /v1/tenants/{tenant_id}/api-keys`."""
    tenant_id = new_id("ten", seed_of(request))
    async with deps.runtime.transaction() as (connection, _):
        row = await tenants.insert(connection, tenant_id, body.name)
        await audit.record(connection, tenant_id=None, actor=caller.key_id, action="tenant_created", subject=tenant_id)
    response.headers["location"] = f"/v1/tenants/{tenant_id}"
    return Tenant(**row)


@routes.get("/tenants", operation_id="list_tenants")
async def list_tenants(_: Operator, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None) -> Page[Tenant]:
    """All tenants, oldest first."""
    rows = await tenants.page(deps.pool, after_moment("tenants", cursor), limit)
    after = following("tenants", rows, limit, "created_at", "tenant_id")
    return Page(items=[Tenant(**row) for row in rows], next_cursor=after)


@routes.get("/tenants/{tenant_id}", operation_id="get_tenant")
async def get_tenant(tenant_id: str, _: Operator, deps: Deps) -> Tenant:
    """One tenant."""
    return Tenant(**found(await tenants.one(deps.pool, tenant_id), "tenant", tenant_id))


@routes.delete("/tenants/{tenant_id}", operation_id="delete_tenant")
async def delete_tenant(tenant_id: str, caller: Operator, deps: Deps) -> Purged:
    """Remove a tenant and everything it has, here and in every service. This can't be undone."""
    async with deps.runtime.transaction() as (connection, batch):
        removed = await tenants.purge(connection, tenant_id)
        if removed is None:
            raise not_found("tenant", tenant_id)
        batch.publish(TenantDeleted(tenant_id=tenant_id, revision=await tenants.revision(connection, tenant_id)))
        tenants.report(batch, tenant_id, "api", 1, removed)
        await audit.record(
            connection,
            tenant_id=None,
            actor=caller.key_id,
            action="tenant_deleted",
            subject=tenant_id,
            details=dict(removed),
        )
    return Purged(tenant_id=tenant_id, removed=removed)


@routes.get("/tenants/{tenant_id}/purge", operation_id="get_tenant_purge")
async def get_tenant_purge(tenant_id: str, _: Operator, deps: Deps) -> Purge:
    """What each service has removed of a deleted tenant."""
    purged = await tenants.purged(deps.pool, tenant_id)
    if purged is None:
        raise not_found("deleted tenant", tenant_id)
    deleted_at, services = purged
    return Purge(
        tenant_id=tenant_id,
        deleted_at=deleted_at,
        complete={row["service"] for row in services} == set(SERVICES),
        services=tuple(PurgedByService(**row) for row in services),
    )


@routes.post(
    "/tenants/{tenant_id}/api-keys",
    operation_id="create_tenant_api_key",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
)
async def create_tenant_api_key(
    tenant_id: str, body: ApiKeyCreate, request: Request, caller: Operator, deps: Deps
) -> ApiKeyCreated:
    """Make a key for a tenant, usually its first one."""
    found(await tenants.one(deps.pool, tenant_id), "tenant", tenant_id)
    return await make_key(deps, request, tenant_id, caller.key_id, body)


@routes.get("/tenant", operation_id="get_own_tenant")
async def get_own_tenant(caller: Reader, deps: Deps) -> Tenant:
    """The tenant that the key belongs to."""
    return Tenant(**found(await tenants.one(deps.pool, caller.tenant_id), "tenant", caller.tenant_id))
