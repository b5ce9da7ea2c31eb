"""Counting what a service holds of a tenant: statements are each service's own, the route and the answer are not."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from common.application import CurrentRuntime, InternalCaller
from common.database import Pool
from common.internal.counts import EntityCount, EntityCounts
from common.messages.base import Identifier, State

Statements = Mapping[type[State], str]
"""Contract → a query by tenant ($1) for company_id, connection_id, number of rows and sum of revisions."""


async def count(pool: Pool, statements: Statements, tenant_id: str) -> EntityCounts:
    """One answer a company file and connection. Each count is true at its own moment, which comparing allows for."""
    counts: list[EntityCount] = []
    for contract, statement in statements.items():
        for company_id, connection_id, rows, revisions in await pool.fetch(statement, tenant_id):
            counts.append(
                EntityCount(
                    entity=contract.type,
                    company_id=company_id,
                    connection_id=connection_id,
                    rows=rows,
                    revisions=int(revisions),
                )
            )
    return EntityCounts(counts=tuple(counts))


def counting_routes(statements: Statements) -> APIRouter:
    """The internal route that answers with them."""
    router = APIRouter(prefix="/internal", tags=["counts"])

    @router.get("/counts", operation_id="count_entities")
    async def count_entities(
        runtime: CurrentRuntime, _: InternalCaller, tenant_id: Annotated[Identifier, Query()]
    ) -> EntityCounts:
        """What this service holds of a tenant, by type, company file and connection."""
        return await count(runtime.pool, statements, tenant_id)

    return router
