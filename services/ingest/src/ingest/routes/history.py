"""The history of one order, for its timeline: what arrived, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from common.application import internal_caller
from common.internal.ingest import Normalisation, OrderHistory, RawPart
from common.messages.base import Reason
from common.messages.orders import Order
from common.problems import not_found
from ingest.parts import BEGINNING
from ingest.routes.connections import CurrentService, Tenant
from ingest.store.orders import content_context

routes = APIRouter(prefix="/internal", tags=["orders"], dependencies=[Depends(internal_caller)])
_ROWS_MAX = 500
_ARRIVALS = """
SELECT delivery_id AS part_id, topic, 'webhook' AS via, size AS size_bytes, received_at, channel_time,
       NULL AS run_id, ignored
FROM deliveries WHERE connection_id = $1 AND order_id = $2
UNION ALL
SELECT concat_ws('/', kind, nullif(part_id, '')), kind, CASE WHEN run_id IS NULL THEN 'refetch' ELSE 'poll' END, size,
       received_at, version, run_id, false
FROM raw_parts WHERE connection_id = $1 AND order_id = $2 AND source = 'api'
ORDER BY received_at LIMIT $3
"""
_REVISIONS = """
SELECT revision, at, status, total, currency FROM normalisations WHERE connection_id = $1 AND external_id = $2
UNION ALL
SELECT revision, received_at, status, total, currency FROM orders WHERE connection_id = $1 AND external_id = $2
ORDER BY revision LIMIT $3
"""


@routes.get("/connections/{connection_id}/orders", operation_id="get_order_history")
async def get_order_history(
    connection_id: str,
    tenant_id: Tenant,
    external_id: Annotated[str, Query(min_length=1, max_length=128)],
    service: CurrentService,
) -> OrderHistory:
    """Everything ingest knows of one order."""
    pool, key = service.runtime.pool, (connection_id, external_id)
    row = await pool.fetchrow(
        "SELECT revision, content, problem FROM orders"
        " WHERE connection_id = $1 AND external_id = $2 AND tenant_id = $3",
        *key,
        tenant_id,
    )
    if row is None:
        raise not_found("order", external_id)
    order = None
    if row["content"] is not None:
        order = Order.model_validate_json(service.cipher.decrypt(row["content"], content_context(key)))
    arrivals = await pool.fetch(_ARRIVALS, *key, _ROWS_MAX)
    revisions = await pool.fetch(_REVISIONS, *key, _ROWS_MAX)
    return OrderHistory(
        connection_id=connection_id,
        external_id=external_id,
        revision=row["revision"],
        order=order,
        problem=None if row["problem"] is None else Reason.model_validate_json(row["problem"]),
        parts=tuple(
            RawPart(
                **{**dict(item), "channel_time": None if item["channel_time"] == BEGINNING else item["channel_time"]}
            )
            for item in arrivals
        ),
        normalisations=tuple(
            Normalisation(**{**dict(item), "total": None if item["total"] is None else f"{item['total']:f}"})
            for item in revisions
        ),
    )
