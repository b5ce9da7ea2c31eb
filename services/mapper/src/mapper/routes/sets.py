"""The stored sets of one source entity, for timelines."""

from typing import Annotated

from fastapi import APIRouter, Query

from common.application import CurrentRuntime, InternalCaller
from common.internal.mapper import SetList
from mapper.routes.views import set_view
from mapper.store.sets import sets_of_source

router = APIRouter(prefix="/internal", tags=["sets"])

Id = Annotated[str, Query(min_length=1, max_length=128)]


@router.get("/sets", operation_id="read_sets")
async def read_sets(
    runtime: CurrentRuntime, _: InternalCaller, tenant_id: Id, connection_id: Id, source_kind: Id, source_id: Id
) -> SetList:
    """Sets of one order, payout or summary in every company file; empty where nothing was mapped yet."""
    async with runtime.pool.acquire() as connection:
        found = await sets_of_source(connection, tenant_id, connection_id, source_kind, source_id)
    return SetList(sets=tuple(set_view(result, mapped_at) for result, mapped_at in found))
