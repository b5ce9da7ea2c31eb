"""Publishes stored payouts again for those who rebuild what they keep of them."""

from common.batch import Batch
from common.crypto import Cipher
from common.database import Connection
from common.messages.orders import Payout
from ingest.faults import log_fault
from ingest.store import due, payouts
from ingest.store.due import StoredRebuild

_ROWS = 50


async def publish_payouts(connection: Connection, cipher: Cipher, rebuild: StoredRebuild, batch: Batch) -> None:
    """Publish one page, as each payout was last sent."""
    rows = await payouts.rebuild_page(connection, rebuild.tenant_id, rebuild.after, _ROWS)
    for row in rows:
        if row.content is None:
            continue
        try:
            body = cipher.decrypt(row.content, payouts.content_context(row.connection_id, row.external_id))
            batch.publish(Payout.model_validate_json(body), body=body)
        except Exception as error:  # noqa: BLE001 - logged; everybody else's rebuild goes on without this one
            log_fault("publish payout again", (row.connection_id, row.external_id), error)
    after = f"{rows[-1].connection_id}/{rows[-1].external_id}" if rows else rebuild.after
    await due.move_rebuild(connection, rebuild, after, finished=len(rows) < _ROWS)
