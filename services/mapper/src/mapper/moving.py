"""What a connection leaves behind in a company file that it pointed to before.

Its orders are planned where it points to now. A plan that stayed behind would be written as well, at the next approval
or resend: the same sale in two company files.
"""

from collections.abc import Iterable, Mapping

from common.batch import Batch
from common.database import Connection
from common.messages.transactions import SetOutcome, TransactionSet
from mapper.mapping.filter_reasons import CONNECTION_MOVED, connection_moved
from mapper.store.configurations import ConnectionKey, Prepared
from mapper.store.sets import NOT_YET, known_sets, write_set

_LEFT_BEHIND = """
SELECT s.tenant_id, s.company_id, s.connection_id, s.source_kind, s.source_id, moved.company_id AS now_in, s.body
FROM unnest($3::text[], $4::text[], $5::text[]) AS moved (connection_id, source_id, company_id)
JOIN sets s ON s.tenant_id = $1 AND s.connection_id = moved.connection_id AND s.source_kind = $2
    AND s.source_id = moved.source_id AND s.company_id <> moved.company_id
WHERE s.body::jsonb #>> '{reason,code}' IS DISTINCT FROM $6
"""


async def leave_behind(
    connection: Connection,
    tenant_id: str,
    source_kind: str,
    sources: Iterable[tuple[str, str]],
    prepared: Mapping[ConnectionKey, Prepared],
    batch: Batch,
) -> None:
    """Filter the sets that these sources have in other company files; what is written there stays.

    `sources`: (connection id, source id). The caller holds their locks.
    """
    moved = [
        (connection_id, source_id, prepared[tenant_id, connection_id].connection.company_id)
        for connection_id, source_id in sources
        if (tenant_id, connection_id) in prepared
    ]
    if not moved:
        return
    columns = [list(column) for column in zip(*moved, strict=True)]
    rows = await connection.fetch(_LEFT_BEHIND, tenant_id, source_kind, *columns, CONNECTION_MOVED)
    keys = {
        (row["tenant_id"], row["company_id"], row["connection_id"], row["source_kind"], row["source_id"]): row
        for row in rows
    }
    known = await known_sets(connection, list(keys))
    for key, row in keys.items():
        left = TransactionSet.model_validate_json(row["body"])
        nothing = {
            "revision": 0,
            "outcome": SetOutcome.FILTERED,
            "reason": connection_moved(row["now_in"]),
            "documents": (),
            "customers": (),
            "vendors": (),
            "items": (),
        }
        write_set(
            left.model_copy(update=nothing),
            known.get(key, NOT_YET),
            batch,
            backfill=True,
            correlation_id="",
            by_shipment=True,
        )
