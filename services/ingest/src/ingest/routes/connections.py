"""Connections: credentials come in and never go out. Shapes and table of routes: `common.internal.ingest`."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from common.application import internal_caller
from common.cures import FieldProblem
from common.errors import Rejected, Retryable
from common.internal.base import CredentialField, TenantRequest
from common.internal.ingest import (
    ChannelDescription,
    ChannelList,
    ConnectionCreate,
    ConnectionState,
    ConnectionTest,
    ConnectionView,
    CredentialsUpdate,
    PrivacyRequest,
    PrivacyRequestList,
    PushContract,
    Watermark,
    WatermarkList,
)
from common.messages.base import Reason
from common.problems import Problem, not_found
from ingest.accounts import is_secret, open_connection, read_credentials
from ingest.channel import Capability, Channel
from ingest.channels import BY_NAME, CHANNELS
from ingest.outside import check_addresses
from ingest.second_connections import refuse_second
from ingest.service import Service
from ingest.store import connections
from ingest.store.connections import StoredConnection

routes = APIRouter(prefix="/internal", tags=["connections"], dependencies=[Depends(internal_caller)])
Tenant = Annotated[str, Query(min_length=1, max_length=128)]


def service_of(request: Request) -> Service:
    """Dependency: the running service."""
    service: Service = request.app.state.service
    return service


CurrentService = Annotated[Service, Depends(service_of)]


@routes.get("/channels", operation_id="list_channels")
async def list_channels() -> ChannelList:
    """Every channel and what a person fills in to connect it."""
    return ChannelList(channels=tuple(describe(channel) for channel in CHANNELS))


@routes.get("/channels/{name}/push", operation_id="read_push_contract")
async def push_contract(name: str) -> PushContract:
    """How documents are pushed to a channel that takes them in a shape of ours."""
    channel = BY_NAME.get(name)
    if channel is None or channel.pushed is None:
        raise not_found("channel with pushed documents", name)
    return push_contract_of(channel)


@routes.post("/connections", operation_id="create_connection", status_code=201)
async def create(request: ConnectionCreate, service: CurrentService, response: Response) -> ConnectionView:
    """Store a connection. The same request again answers 200; another one under the id is a conflict."""
    channel = BY_NAME.get(request.channel)
    if channel is None:
        cure = f"use one of {', '.join(BY_NAME)}"
        wrong = FieldProblem(field="body.channel", value=request.channel, cure=cure)
        raise Problem(422, "UNKNOWN_CHANNEL", f"there is no channel {request.channel!r}", cure=cure, errors=[wrong])
    secrets = {name: value.get_secret_value() for name, value in request.secrets.items()}
    read_credentials(channel, request.config, secrets)
    await check_addresses(request.config, allow_private=service.settings.allow_private_addresses)
    async with service.runtime.transaction() as (connection, _):
        given = {**request.config, **secrets}
        await refuse_second(connection, service.cipher, channel, request.tenant_id, request.connection_id, given)
        is_new = await connections.insert(
            connection,
            service.cipher,
            connection_id=request.connection_id,
            tenant_id=request.tenant_id,
            channel=channel.name,
            name=request.name,
            config=request.config,
            secrets=secrets,
        )
    service.accounts.forget(request.connection_id)
    stored = await connections.find(service.runtime.pool, service.cipher, request.connection_id)
    if stored is None or stored.tenant_id != request.tenant_id or stored.channel != channel.name:
        raise Problem(409, "CONNECTION_EXISTS", "this connection id is taken", cure="choose another id")
    if not is_new:
        response.status_code = 200
    return view(service, stored)


@routes.get("/connections/{connection_id}", operation_id="get_connection")
async def get(connection_id: str, tenant_id: Tenant, service: CurrentService) -> ConnectionView:
    """One connection without its secrets."""
    return view(service, await _find(service, connection_id, tenant_id))


@routes.put("/connections/{connection_id}/credentials", operation_id="update_credentials")
async def update_credentials(connection_id: str, request: CredentialsUpdate, service: CurrentService) -> ConnectionView:
    """Replace the credentials named; the others keep their value."""
    stored = await _find(service, connection_id, request.tenant_id)
    config = {**stored.config, **request.config}
    secrets = {**stored.secrets, **{name: value.get_secret_value() for name, value in request.secrets.items()}}
    channel = BY_NAME[stored.channel]
    read_credentials(channel, config, secrets)
    await check_addresses(config, allow_private=service.settings.allow_private_addresses)
    async with service.runtime.transaction() as (connection, _):
        given = {**config, **secrets}
        await refuse_second(connection, service.cipher, channel, request.tenant_id, connection_id, given)
        await connections.update_credentials(connection, service.cipher, stored, config, secrets)
    service.accounts.forget(connection_id)
    return view(service, await _find(service, connection_id, request.tenant_id))


@routes.post("/connections/{connection_id}/test", operation_id="test_connection")
async def test(connection_id: str, request: TenantRequest, service: CurrentService) -> ConnectionTest:
    """Ask the channel who these credentials belong to."""
    stored = await _find(service, connection_id, request.tenant_id)
    opened = open_connection(stored, allow_private=service.settings.allow_private_addresses)
    if not opened.credentials.fetches:
        text = "this connection lives by webhooks alone; there is nothing to sign in to"
        return ConnectionTest(ok=True, reason=Reason(code="NO_API_ACCESS", text=text))
    client = opened.client()
    try:
        shop = await client.check()
    except Rejected as error:
        return ConnectionTest(ok=False, reason=error.reason)
    except Retryable as error:
        return ConnectionTest(ok=False, reason=Reason(code="UPSTREAM_UNAVAILABLE", text=error.text, cure="try again"))
    finally:
        await client.close()
    return ConnectionTest(ok=True, shop_name=shop.name, shop_currency=shop.currency, shop_time_zone=shop.time_zone)


@routes.post("/connections/{connection_id}/{action}", operation_id="switch_connection")
async def switch(
    connection_id: str, action: Literal["disable", "enable"], request: TenantRequest, service: CurrentService
) -> ConnectionView:
    """Stop or resume fetching. Webhooks are taken either way: what a vendor sends once must not be lost."""
    await _find(service, connection_id, request.tenant_id)
    state = ConnectionState.DISABLED if action == "disable" else ConnectionState.ACTIVE
    await connections.set_state(service.runtime.pool, connection_id, state.value)
    service.accounts.forget(connection_id)
    return view(service, await _find(service, connection_id, request.tenant_id))


@routes.delete("/connections/{connection_id}", operation_id="delete_connection", status_code=204)
async def delete(connection_id: str, tenant_id: Tenant, service: CurrentService) -> None:
    """Remove a connection with its orders and raw parts."""
    await _find(service, connection_id, tenant_id)
    async with service.runtime.transaction() as (connection, _):
        await connections.delete(connection, connection_id)
    service.accounts.forget(connection_id)


@routes.get("/connections/{connection_id}/watermarks", operation_id="list_watermarks")
async def watermarks(connection_id: str, tenant_id: Tenant, service: CurrentService) -> WatermarkList:
    """Up to where each task has fetched and stored everything."""
    await _find(service, connection_id, tenant_id)
    rows = await service.runtime.pool.fetch(
        "SELECT kind, value, updated_at FROM watermarks WHERE connection_id = $1 ORDER BY kind", connection_id
    )
    return WatermarkList(watermarks=tuple(Watermark(**dict(row)) for row in rows))


@routes.get("/connections/{connection_id}/privacy-requests", operation_id="list_privacy_requests")
async def privacy_requests(connection_id: str, tenant_id: Tenant, service: CurrentService) -> PrivacyRequestList:
    """What the channel asked to forget or to hand out, newest first."""
    await _find(service, connection_id, tenant_id)
    rows = await service.runtime.pool.fetch(
        "SELECT delivery_id, kind, customer_id, order_ids, received_at, finished_at, removed FROM privacy_requests"
        " WHERE connection_id = $1 ORDER BY received_at DESC LIMIT 500",
        connection_id,
    )
    return PrivacyRequestList(
        requests=tuple(
            PrivacyRequest(
                **{
                    **dict(row),
                    "order_ids": orjson.loads(row["order_ids"]),
                    "removed": None if row["removed"] is None else orjson.loads(row["removed"]),
                }
            )
            for row in rows
        )
    )


async def _find(service: Service, connection_id: str, tenant_id: str) -> StoredConnection:
    stored = await connections.find(service.runtime.pool, service.cipher, connection_id, tenant_id=tenant_id)
    if stored is None:
        raise not_found("connection", connection_id)
    return stored


def view(service: Service, stored: StoredConnection) -> ConnectionView:
    """A connection as others may see it."""
    public_url = service.settings.public_url.rstrip("/")
    channel = BY_NAME.get(stored.channel)
    able = frozenset() if channel is None else channel.capabilities
    takes, reaches = Capability.WEBHOOKS in able, _reaches_api(stored)
    path = _webhook_path(stored.connection_id) if takes else ""
    return ConnectionView(
        connection_id=stored.connection_id,
        channel=stored.channel,
        name=stored.name,
        state=ConnectionState(stored.state),
        config=stored.config,
        secret_names=tuple(sorted(stored.secrets)),
        fetches=reaches and Capability.POLLING in able,
        fetches_payouts=reaches and Capability.PAYOUTS in able,
        webhook_path=path,
        webhook_url=f"{public_url}{path}" if takes and public_url else "",
        reason=stored.reason,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _reaches_api(stored: StoredConnection) -> bool:
    """False as well where its secrets were forgotten, for a connection must be seen to be mended."""
    try:
        return open_connection(stored).credentials.fetches
    except Rejected:
        return False


def _webhook_path(connection_id: str) -> str:
    return f"/webhooks/{connection_id}"


def push_contract_of(channel: Channel) -> PushContract:
    """The published contract of a channel's pushes. Raises ValueError for one that has none."""
    if channel.pushed is None:
        raise ValueError(f"nothing is pushed to {channel.name} in a shape of ours")
    return PushContract(
        channel=channel.name,
        headers=dict(channel.pushed.headers),
        documents_max=channel.pushed.documents_max,
        path=_webhook_path("{connection_id}"),
        example=dict(channel.pushed.example),
        document={
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:tillbook:{channel.name}.order.v1",
            **channel.pushed.document.model_json_schema(),
        },
    )


def describe(channel: Channel) -> ChannelDescription:
    """A channel with its credentials as inputs, read from its settings class."""
    fields = []
    for name, field in channel.credentials.model_fields.items():
        fields.append(
            CredentialField(
                name=name,
                title=field.title or name.replace("_", " ").capitalize(),
                secret=is_secret(field.annotation),
                required=field.is_required(),
                hint=field.description or "",
            )
        )
    return ChannelDescription(
        name=channel.name,
        title=channel.title,
        credentials=tuple(fields),
        has_webhooks=Capability.WEBHOOKS in channel.capabilities,
        has_polling=Capability.POLLING in channel.capabilities,
        has_push_contract=channel.pushed is not None,
    )
