"""Maps of products and the queue of those that nothing matches."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import PlainTextResponse

from common.application import CurrentRuntime, InternalCaller
from common.internal.mapper import MapEntry, MapName, MapPage, MapSave, MapSaved, UnmatchedPage, UnmatchedProduct
from common.runtime import Runtime
from mapper.mapping.map_table import read_map, write_map
from mapper.routes.cursors import decode, encode
from mapper.routes.rules import TABLE_BYTES_MAX, CurrentWaker, Id
from mapper.store.locks import change_configuration
from mapper.store.maps import map_page, save_map, unmatched_page
from mapper.worker import Waker

router = APIRouter(prefix="/internal", tags=["maps"])

Limit = Annotated[int, Query(ge=1, le=1000)]
EXPORT_PAGE = 5000


@router.get("/maps/{map_name}.csv", operation_id="export_map", response_class=PlainTextResponse)
async def export_map(
    map_name: MapName, runtime: CurrentRuntime, _: InternalCaller, tenant_id: Id, connection_id: str = ""
) -> PlainTextResponse:
    """A whole map as a table."""
    entries: list[MapEntry] = []
    after = ("", "")
    async with runtime.pool.acquire() as connection:
        while rows := await map_page(connection, tenant_id, map_name, connection_id, after, EXPORT_PAGE):
            entries.extend(
                MapEntry(connection_id=row["connection_id"], source=row["source"], target=row["target"]) for row in rows
            )
            after = (rows[-1]["connection_id"], rows[-1]["source_key"])
    return PlainTextResponse(write_map(entries), media_type="text/csv")


@router.put("/maps/{map_name}.csv", operation_id="import_map")
async def import_map(
    map_name: MapName,
    runtime: CurrentRuntime,
    waker: CurrentWaker,
    _: InternalCaller,
    tenant_id: Id,
    table: Annotated[str, Body(media_type="text/csv", max_length=TABLE_BYTES_MAX)],
) -> MapSaved:
    """Save the entries of a table; all of them, or none with the wrong cell named."""
    return await _save(runtime, waker, tenant_id, map_name, read_map(table))


@router.get("/maps/{map_name}", operation_id="read_map")
async def get_map(
    map_name: MapName,
    runtime: CurrentRuntime,
    _: InternalCaller,
    tenant_id: Id,
    connection_id: str = "",
    cursor: str = "",
    limit: Limit = 200,
) -> MapPage:
    """Entries of a map by connection and source."""
    position = decode(cursor, (str, str)) or ["", ""]
    async with runtime.pool.acquire() as connection:
        rows = await map_page(
            connection, tenant_id, map_name, connection_id, (str(position[0]), str(position[1])), limit
        )
    following = encode((rows[-1]["connection_id"], rows[-1]["source_key"])) if len(rows) == limit else None
    return MapPage(
        items=tuple(
            MapEntry(connection_id=row["connection_id"], source=row["source"], target=row["target"]) for row in rows
        ),
        next_cursor=following,
    )


@router.put("/maps/{map_name}", operation_id="save_map")
async def put_map(
    map_name: MapName, body: MapSave, runtime: CurrentRuntime, waker: CurrentWaker, _: InternalCaller
) -> MapSaved:
    """Add, change and (with an empty target) remove entries."""
    return await _save(runtime, waker, body.tenant_id, map_name, list(body.entries))


async def _save(runtime: Runtime, waker: Waker, tenant_id: str, map_name: MapName, entries: list[MapEntry]) -> MapSaved:
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [tenant_id])
        saved, removed, affected = await save_map(connection, tenant_id, map_name, entries)
        batch.after_commit(waker.wake)
    return MapSaved(saved=saved, removed=removed, orders_affected=affected)


@router.get("/unmatched-products", operation_id="list_unmatched_products")
async def list_unmatched(
    runtime: CurrentRuntime,
    _: InternalCaller,
    tenant_id: Id,
    connection_id: str = "",
    cursor: str = "",
    limit: Limit = 200,
) -> UnmatchedPage:
    """Each product once, with how many orders wait for it."""
    position = decode(cursor, (str, str)) or ["", ""]
    async with runtime.pool.acquire() as connection:
        rows = await unmatched_page(connection, tenant_id, connection_id, (str(position[0]), str(position[1])), limit)
    following = encode((rows[-1]["connection_id"], rows[-1]["product_key"])) if len(rows) == limit else None
    return UnmatchedPage(
        items=tuple(
            UnmatchedProduct(
                connection_id=row["connection_id"],
                sku=row["sku"],
                name=row["name"],
                orders=row["orders"],
                first_seen_at=row["first_seen_at"],
            )
            for row in rows
        ),
        next_cursor=following,
    )
