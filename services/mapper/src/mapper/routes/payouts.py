"""Payouts: what a deposit would look like, and which payouts an order's money came with. Nothing is written."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from common.application import CurrentRuntime, InternalCaller
from common.internal.base import TenantRequest
from common.internal.mapper import PayoutMembership, PayoutMemberships, PayoutPreview
from common.messages.control import ConnectionSettings
from common.problems import Problem, not_found
from mapper.matching import payout_set
from mapper.routes.preview import CurrentConfigurations
from mapper.routes.views import planned_documents
from mapper.store.payouts import payout_of, payouts_of_order
from mapper.store.sets import sets_of_source

router = APIRouter(prefix="/internal", tags=["payouts"])

Id = Annotated[str, Query(min_length=1, max_length=128)]


def _switched_on(settings: ConnectionSettings) -> ConnectionSettings:
    """The same settings as if deposits were made by themselves: a preview is for those who have not begun."""
    shown = settings.payouts.model_copy(update={"enabled": True, "automatic": True})
    return settings.model_copy(update={"payouts": shown})


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
        payout = await payout_of(connection, *key, payout_id)
        if payout is None:
            raise not_found("payout", payout_id)
        prepared = (await configurations.load(connection, {key})).get(key)
        if prepared is None or prepared.configuration is None:
            raise Problem(409, "SETTINGS_NEEDED", "the connection has no settings, or its company file is not paired")
        configuration = replace(prepared.configuration, connection=_switched_on(prepared.connection))
        result = await payout_set(connection, payout, prepared, configuration)
    return PayoutPreview(
        external_id=payout_id,
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
