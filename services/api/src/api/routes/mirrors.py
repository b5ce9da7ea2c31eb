"""Mirrors: compared with their owners, and filled again. By operators."""

from typing import Annotated

from fastapi import Query, Request, status

from api.idempotency import seed_of
from api.ids import new_id
from api.mirrors import REQUESTED, Mirror
from api.routes.base import ONCE, Deps, Gateway, found, router
from api.security import Operator
from api.store import audit, mirrors, tenants
from api.views.accounts import Rebuild
from api.views.mirrors import MirrorCheck
from common.messages.control import StateRequested

routes = router("tenants")

_NEVER = {"checked_at": None, "next_look_at": None, "going_on": False, "result": None}
_NOTHING = {"differences": (), "under_way": 0, "entities": ()}


@routes.post(
    "/tenants/{tenant_id}/rebuild",
    operation_id="rebuild_tenant",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def rebuild_tenant(
    tenant_id: str,
    request: Request,
    caller: Operator,
    deps: Deps,
    mirror: Annotated[Mirror, Query(description="What is filled again.")] = Mirror.READ_MODEL,
) -> Rebuild:
    """Ask the owners for their states again, so that a mirror of a tenant is filled again. Nothing else is touched.

    The read model is emptied first. The mirrors of the other services are not: what they have is worked with meanwhile,
    and a state that is there already changes nothing.
    """
    found(await tenants.one(deps.pool, tenant_id), "tenant", tenant_id)
    request_id = new_id("req", seed_of(request))
    async with deps.runtime.transaction(correlation_id=request_id) as (connection, batch):
        removed = await tenants.empty_read_model(connection, tenant_id) if mirror is Mirror.READ_MODEL else {}
        for contract in REQUESTED[mirror]:
            batch.publish(
                StateRequested(
                    tenant_id=tenant_id, revision=1, request_id=f"{request_id}.{contract.type}", entity=contract.type
                )
            )
        await audit.record(
            connection,
            tenant_id=None,
            actor=caller.key_id,
            action=f"{mirror}_rebuilt",
            subject=tenant_id,
            details=dict(removed),
        )
    return Rebuild(request_id=request_id, removed=removed)


@routes.get("/tenants/{tenant_id}/mirrors", operation_id="get_tenant_mirrors")
async def get_tenant_mirrors(tenant_id: str, _: Operator, deps: Deps) -> MirrorCheck:
    """Whether what each service mirrors of a tenant is what its owner has, as last compared.

    Compared every night; `POST /v1/tenants/{tenant_id}/mirrors/check` does it now.
    """
    found(await tenants.one(deps.pool, tenant_id), "tenant", tenant_id)
    return await _shown(deps, tenant_id)


@routes.post(
    "/tenants/{tenant_id}/mirrors/check",
    operation_id="check_tenant_mirrors",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def check_tenant_mirrors(tenant_id: str, _: Operator, deps: Deps) -> MirrorCheck:
    """Compare now. What differs at the first look is looked at again some minutes later, before it is reported."""
    found(await tenants.one(deps.pool, tenant_id), "tenant", tenant_id)
    await mirrors.begin(deps.pool, tenant_id)
    return await _shown(deps, tenant_id)


async def _shown(deps: Gateway, tenant_id: str) -> MirrorCheck:
    row = await mirrors.one(deps.pool, tenant_id) or dict(_NEVER)
    result = row.pop("result") or _NOTHING
    return MirrorCheck(tenant_id=tenant_id, **row, **result)
