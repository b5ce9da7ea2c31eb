"""Payouts: what a deposit would look like, one that is made by hand, and which payouts an order's money came with."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from common.application import CurrentRuntime, InternalCaller
from common.database import Connection
from common.internal.base import TenantRequest
from common.internal.mapper import PayoutMembership, PayoutMemberships, PayoutPreview
from common.messages.control import ConnectionSettings
from common.messages.orders import Payout
from common.problems import Problem, not_found
from mapper.matching import by_itself, known_payout, payout_set
from mapper.routes.preview import CurrentConfigurations
from mapper.routes.rules import CurrentWaker
from mapper.routes.views import planned_documents
from mapper.store.configurations import Configurations, ConnectionKey, Prepared
from mapper.store.payouts import ASK_FOR, payout_of, payouts_of_order
from mapper.store.sets import sets_of_source

router = APIRouter(prefix="/internal", tags=["payouts"])

Id = Annotated[str, Query(min_length=1, max_length=128)]


def _switched_on(settings: ConnectionSettings) -> ConnectionSettings:
    """A preview is for those who have not begun."""
    return by_itself(settings.model_copy(update={"payouts": settings.payouts.model_copy(update={"enabled": True})}))


@router.post("/connections/{connection_id}/payouts/{payout_id}/preview", operation_id="preview_payout")
async def preview_payout(
    connection_id: str,
    payout_id: str,
    body: TenantRequest,
    runtime: CurrentRuntime,
    configurations: CurrentConfigurations,
    _: InternalCaller,
) -> PayoutPreview:
    """Match a payout with what its orders have become now, and show the deposit or why there can be none."""
    key = (body.tenant_id, connection_id)
    async with runtime.pool.acquire() as connection, connection.transaction(readonly=True):
        payout, prepared = await _known(connection, configurations, key, payout_id)
        return await _preview(connection, payout, prepared, _switched_on(prepared.connection))


@router.post("/connections/{connection_id}/payouts/{payout_id}/deposit", operation_id="deposit_payout")
async def deposit_payout(
    connection_id: str,
    payout_id: str,
    body: TenantRequest,
    runtime: CurrentRuntime,
    configurations: CurrentConfigurations,
    waker: CurrentWaker,
    _: InternalCaller,
) -> PayoutPreview:
    """Let this payout be deposited though deposits are made by hand, and show what it becomes. Remembered."""
    key = (body.tenant_id, connection_id)
    async with runtime.transaction() as (connection, batch):
        payout, prepared = await _known(connection, configurations, key, payout_id)
        result = await _preview(connection, payout, prepared, by_itself(prepared.connection))
        batch.execute(ASK_FOR, *key, payout_id)
        batch.after_commit(waker.wake)
    return result


async def _known(
    connection: Connection, configurations: Configurations, key: ConnectionKey, payout_id: str
) -> tuple[Payout, Prepared]:
    """Raises a 404 or 409 problem."""
    payout = await payout_of(connection, *key, payout_id)
    if payout is None:
        raise not_found("payout", payout_id)
    prepared = (await configurations.load(connection, {key})).get(key)
    if prepared is None or prepared.configuration is None:
        raise Problem(409, "SETTINGS_NEEDED", "the connection has no settings, or its company file is not paired")
    return payout, prepared


async def _preview(
    connection: Connection, payout: Payout, prepared: Prepared, settings: ConnectionSettings
) -> PayoutPreview:
    if prepared.configuration is None:
        raise ValueError(f"connection {payout.connection_id} is not mapped yet")
    configuration = replace(prepared.configuration, connection=settings)
    known = await known_payout(connection, payout, prepared)
    result = await payout_set(connection, payout, prepared, configuration, known)
    return PayoutPreview(
        external_id=payout.external_id,
        revision=payout.revision,
        outcome=result.outcome,
        reason=result.reason,
        documents=planned_documents(result),
    )


@router.get("/payouts/of-order", operation_id="payouts_of_order")
async def of_order(
    runtime: CurrentRuntime, _: InternalCaller, tenant_id: Id, connection_id: Id, external_id: Id
) -> PayoutMemberships:
    """Payouts that speak of an order, with what became of each; newest first, at most 50."""
    found = []
    async with runtime.pool.acquire() as connection:
        for payout, lines in await payouts_of_order(connection, tenant_id, connection_id, external_id):
            sets = await sets_of_source(connection, tenant_id, connection_id, "payout", payout.external_id)
            for result, mapped_at in sets:
                found.append(
                    PayoutMembership(
                        payout_id=payout.external_id,
                        processor=payout.processor,
                        paid_on=payout.paid_on,
                        currency=payout.currency,
                        net=payout.net,
                        amounts=tuple(line.amount for line in lines),
                        kinds=tuple(line.kind for line in lines),
                        mapped_at=mapped_at,
                        outcome=result.outcome,
                        reason=result.reason,
                        document_keys=tuple(document.key for document in result.documents),
                    )
                )
    return PayoutMemberships(payouts=tuple(found))
