"""Map stored orders with what holds now, and show the documents. Nothing is written."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from common.application import CurrentRuntime, InternalCaller
from common.internal.mapper import PreviewRequest, PreviewResult
from mapper.remapping import map_prepared, read_surroundings, rule_changes
from mapper.routes.views import preview_view
from mapper.store.configurations import Configurations
from mapper.store.orders import read_orders
from mapper.store.sets import NOT_YET, read_sets

router = APIRouter(prefix="/internal", tags=["preview"])


def _configurations(request: Request) -> Configurations:
    configurations: Configurations = request.app.state.configurations
    return configurations


CurrentConfigurations = Annotated[Configurations, Depends(_configurations)]


@router.post("/preview", operation_id="preview_orders")
async def preview_orders(
    body: PreviewRequest, runtime: CurrentRuntime, configurations: CurrentConfigurations, _: InternalCaller
) -> PreviewResult:
    """Orders of other company files than the one named are reported as missing, like those never received."""
    keys = [(body.tenant_id, *key.partition("/")[::2]) for key in dict.fromkeys(body.order_keys)]
    async with runtime.pool.acquire() as connection, connection.transaction(readonly=True):
        orders = await read_orders(connection, keys)
        around = await read_surroundings(connection, configurations, list(orders))
        set_keys = [(tenant, body.company_id, shop, "order", external_id) for tenant, shop, external_id in keys]
        sets = await read_sets(connection, set_keys)
    stored = {(one.connection_id, one.source_id): one.documents for one in sets}
    shown = []
    missing = []
    for key in keys:
        order = orders.get(key)
        prepared = around.prepared.get((key[0], key[1]))
        if order is None or prepared is None or prepared.connection.company_id != body.company_id:
            missing.append(f"{key[1]}/{key[2]}")
            continue
        set_key = (key[0], body.company_id, key[1], "order", key[2])
        known = around.known.get(set_key, NOT_YET)
        result = map_prepared(order, prepared, known)
        shown.append(preview_view(order, result, rule_changes(order, prepared), stored.get((key[1], key[2]), ())))
    return PreviewResult(orders=tuple(shown), missing=tuple(missing))
