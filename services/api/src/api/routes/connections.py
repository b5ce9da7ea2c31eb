"""Connections: accounts of sales channels. Credentials go straight to ingest, which encrypts them."""

from typing import Any

import structlog
from fastapi import Request, Response, status

from api.connection_tasks import ensure_tasks
from api.idempotency import seed_of
from api.ids import new_id
from api.routes.base import LOCATION, ONCE, Deps, Gateway, after_moment, following, found, router
from api.routes.settings_gate import connection_settings
from api.security import Reader, TenantPrincipal, Writer
from api.store import audit, connections
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.pairing import Connection, ConnectionCreate, ConnectionDetail, CredentialsUpdate
from common.errors import Retryable
from common.internal import ingest
from common.internal.base import TenantRequest
from common.messages.base import Identifier
from common.messages.control import SettingsChanged
from common.problems import Problem, not_found

log = structlog.get_logger(__name__)

routes = router("connections")


@routes.get("/channels", operation_id="list_channels")
async def list_channels(_: Reader, deps: Deps) -> ingest.ChannelList:
    """Channels that can be connected, with what a person has to fill in for each."""
    return await deps.services.ingest.get("/internal/channels", ingest.ChannelList)


@routes.get("/channels/{channel}/push", operation_id="get_push_contract")
async def get_push_contract(channel: Identifier, _: Reader, deps: Deps) -> ingest.PushContract:
    """The JSON Schema of the documents that a channel such as `custom` takes, and the headers that sign them."""
    if not channel.replace("_", "").isalnum() or not channel.isascii():
        raise not_found("channel", channel)
    return await deps.services.ingest.get(f"/internal/channels/{channel}/push", ingest.PushContract)


@routes.post(
    "/connections",
    operation_id="create_connection",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
    responses=LOCATION,
)
async def create_connection(
    body: ConnectionCreate, request: Request, response: Response, caller: Writer, deps: Deps
) -> ConnectionDetail:
    """Connect an account of a channel. Then save its settings: nothing is fetched before."""
    connection_id = new_id("con", seed_of(request))
    # Stored first, so that a request that is cut off leaves something that can be seen and deleted.
    await connections.insert(
        deps.pool,
        connection_id=connection_id,
        tenant_id=caller.tenant_id,
        channel=body.channel,
        name=body.name,
    )
    wanted = ingest.ConnectionCreate(
        tenant_id=caller.tenant_id,
        connection_id=connection_id,
        channel=body.channel,
        name=body.name,
        config=body.config,
        secrets=body.secrets,
    )
    try:
        view = await deps.services.ingest.post("/internal/connections", wanted, ingest.ConnectionView)
    except Problem:
        await connections.delete(deps.pool, caller.tenant_id, connection_id)
        raise
    async with deps.runtime.transaction() as (connection, _):
        await connections.mark_ready(connection, caller.tenant_id, view)
        await _audit(connection, caller, "connection_created", connection_id, channel=body.channel)
        row = await connections.one(connection, caller.tenant_id, connection_id)
    response.headers["location"] = f"/v1/connections/{connection_id}"
    return detail(found(row, "connection", connection_id), view)


@routes.get("/connections", operation_id="list_connections")
async def list_connections(
    caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[Connection]:
    """The tenant's connections, oldest first."""
    rows = await connections.page(deps.pool, caller.tenant_id, after_moment("connections", cursor), limit)
    after = following("connections", rows, limit, "created_at", "connection_id")
    return Page(items=[Connection(**_shown(row)) for row in rows], next_cursor=after)


@routes.get("/connections/{connection_id}", operation_id="get_connection")
async def get_connection(connection_id: str, caller: Reader, deps: Deps) -> ConnectionDetail:
    """One connection; its state comes from ingest and is null where that does not answer."""
    row = await own(deps, caller, connection_id)
    try:
        view = await deps.services.ingest.get(
            f"/internal/connections/{connection_id}", ingest.ConnectionView, tenant_id=caller.tenant_id
        )
    except (Retryable, Problem) as error:
        log.warning("connection_state_unavailable", connection_id=connection_id, error=type(error).__name__)
        return detail(row, None)
    return detail(row, view)


@routes.put("/connections/{connection_id}/credentials", operation_id="update_credentials")
async def update_credentials(
    connection_id: str, body: CredentialsUpdate, caller: Writer, deps: Deps
) -> ConnectionDetail:
    """Replace some of the credentials; names that are left out keep their value."""
    row = await own(deps, caller, connection_id)
    wanted = ingest.CredentialsUpdate(tenant_id=caller.tenant_id, config=body.config, secrets=body.secrets)
    view = await deps.services.ingest.put(
        f"/internal/connections/{connection_id}/credentials", wanted, ingest.ConnectionView
    )
    names = sorted({*body.config, *body.secrets})
    async with deps.runtime.transaction() as (connection, _):
        await connections.mark_ready(connection, caller.tenant_id, view)
        could_fetch = row["fetches"] or row["fetches_payouts"]
        row = found(await connections.one(connection, caller.tenant_id, connection_id), "connection", connection_id)
        can_fetch = row["fetches"] or row["fetches_payouts"]
        if not could_fetch and can_fetch and row["settings"] is not None:
            # Only now can it be asked at all. A task that somebody deleted before is not made again.
            await ensure_tasks(connection, row, connection_settings(row["settings"]))
        await _audit(connection, caller, "credentials_updated", connection_id, names=names)
    return detail(row, view)


@routes.post("/connections/{connection_id}/test", operation_id="test_connection")
async def test_connection(connection_id: str, caller: Writer, deps: Deps) -> ingest.ConnectionTest:
    """Ask the channel whether it answers to the stored credentials."""
    await own(deps, caller, connection_id)
    return await deps.services.ingest.post(
        f"/internal/connections/{connection_id}/test",
        TenantRequest(tenant_id=caller.tenant_id),
        ingest.ConnectionTest,
    )


@routes.post("/connections/{connection_id}/disable", operation_id="disable_connection")
async def disable_connection(connection_id: str, caller: Writer, deps: Deps) -> ConnectionDetail:
    """Stop taking webhooks and fetching; what has been fetched is still written."""
    return await _switch(deps, caller, connection_id, "disable")


@routes.post("/connections/{connection_id}/enable", operation_id="enable_connection")
async def enable_connection(connection_id: str, caller: Writer, deps: Deps) -> ConnectionDetail:
    """Go on after a disable."""
    return await _switch(deps, caller, connection_id, "enable")


@routes.get("/connections/{connection_id}/watermarks", operation_id="get_watermarks")
async def get_watermarks(connection_id: str, caller: Reader, deps: Deps) -> ingest.WatermarkList:
    """Up to where each task has fetched and stored everything."""
    await own(deps, caller, connection_id)
    return await deps.services.ingest.get(
        f"/internal/connections/{connection_id}/watermarks", ingest.WatermarkList, tenant_id=caller.tenant_id
    )


@routes.get("/connections/{connection_id}/privacy-requests", operation_id="list_privacy_requests")
async def list_privacy_requests(connection_id: str, caller: Reader, deps: Deps) -> ingest.PrivacyRequestList:
    """What the channel asked to forget or to hand out, newest first. A data_request is yours to answer."""
    await own(deps, caller, connection_id)
    return await deps.services.ingest.get(
        f"/internal/connections/{connection_id}/privacy-requests", ingest.PrivacyRequestList, tenant_id=caller.tenant_id
    )


@routes.delete("/connections/{connection_id}", operation_id="delete_connection", status_code=status.HTTP_204_NO_CONTENT)
async def delete_connection(connection_id: str, caller: Writer, deps: Deps) -> None:
    """Remove a connection with its orders. What is in the ledger stays there."""
    row = await own(deps, caller, connection_id)
    await deps.services.ingest.delete(f"/internal/connections/{connection_id}", tenant_id=caller.tenant_id)
    async with deps.runtime.transaction() as (connection, batch):
        await connections.delete(connection, caller.tenant_id, connection_id)
        batch.publish(
            SettingsChanged(
                tenant_id=caller.tenant_id,
                revision=row["settings_revision"] + 1,
                scope="connection",
                scope_id=connection_id,
                deleted=True,
            )
        )
        await _audit(connection, caller, "connection_deleted", connection_id)


async def own(deps: Gateway, caller: TenantPrincipal, connection_id: str) -> dict[str, Any]:
    """The tenant's connection. Raises a 404 problem."""
    return found(await connections.one(deps.pool, caller.tenant_id, connection_id), "connection", connection_id)


async def _switch(deps: Gateway, caller: TenantPrincipal, connection_id: str, action: str) -> ConnectionDetail:
    row = await own(deps, caller, connection_id)
    view = await deps.services.ingest.post(
        f"/internal/connections/{connection_id}/{action}",
        TenantRequest(tenant_id=caller.tenant_id),
        ingest.ConnectionView,
    )
    await _audit(deps.pool, caller, f"connection_{action}d", connection_id)
    return detail(row, view)


async def _audit(where: Any, caller: TenantPrincipal, action: str, subject: str, **details: Any) -> None:
    await audit.record(
        where, tenant_id=caller.tenant_id, actor=caller.key_id, action=action, subject=subject, details=details
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "has_settings": row["settings"] is not None}


def detail(row: dict[str, Any], view: ingest.ConnectionView | None) -> ConnectionDetail:
    """Our row and, where ingest answered, what it knows."""
    if view is None:
        return ConnectionDetail(**_shown(row), state=None)
    return ConnectionDetail(
        **_shown(row),
        state=view.state,
        reason=view.reason,
        config=view.config,
        secret_names=list(view.secret_names),
        webhook_path=view.webhook_path,
        webhook_url=view.webhook_url,
    )
