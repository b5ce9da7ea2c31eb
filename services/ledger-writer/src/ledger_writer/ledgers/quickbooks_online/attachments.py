"""Files that hang on documents: a summary's list of orders, a settlement report on its deposit."""

import hashlib
from typing import Any, Final

import structlog

from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink
from ledger_writer.ledgers.quickbooks_online.bodies import attachment
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault
from ledger_writer.ledgers.quickbooks_online.errors import classify
from ledger_writer.ledgers.quickbooks_online.lookup import quoted
from ledger_writer.ledgers.quickbooks_online.requests import request_id

log = structlog.get_logger(__name__)

_ENTITY: Final = "Attachable"
_GONE: Final = "610"


async def attach(
    client: Client, link: LedgerLink, *, file_name: str, content_type: str, file: bytes, alone: bool
) -> str:
    """Hang the file on the document, the same one under the same request id. Returns the attachment's id.

    With `alone` other files of this name are taken off the document, but not before the new one hangs there. One that
    the ledger does not let go of stays until the next file takes its place. Raises as `Client` does.
    """
    entity = link.details.get("entity", "")
    metadata = attachment(entity, link.ledger_id, file_name=file_name, content_type=content_type)
    content = hashlib.sha256(file).hexdigest()
    # A list that is changed and changed back hangs there anew: the ledger would answer with the one that was taken off.
    version = link.token if alone else ""
    attempt = hashlib.sha256(f"{entity}:{link.ledger_id}:{version}:{file_name}:{content}".encode()).hexdigest()
    stored = await client.upload(metadata, file_name, file, content_type, request_id(attempt))
    ledger_id = str(stored.get("Id", ""))
    if alone:
        for other in await _hanging(client, entity, link.ledger_id):
            if other.get("FileName") == file_name and str(other.get("Id")) != ledger_id:
                await _take_off(client, other)
    return ledger_id


async def _hanging(client: Client, entity: str, ledger_id: str) -> list[Any]:
    where = f"AttachableRef.EntityRef.Type = {quoted(entity)} AND AttachableRef.EntityRef.value = {quoted(ledger_id)}"
    found = await client.query(f"SELECT * FROM {_ENTITY} WHERE {where}")  # noqa: S608 - values are quoted
    return list(found.get(_ENTITY) or ())


async def _take_off(client: Client, other: Any) -> None:
    basic = {"Id": other["Id"], "SyncToken": str(other.get("SyncToken") or "0")}
    try:
        await client.delete(_ENTITY, basic, request_id(f"attachment{other['Id']}", f"t{basic['SyncToken']}"))
    except LedgerFault as error:
        refused = classify(error.fault)
        if refused.stops_company or refused.error_class is ErrorClass.TRANSIENT:
            raise
        # Else somebody was faster. The new file hangs there whatever becomes of this one.
        if _GONE not in error.fault.codes:
            log.warning("attachment_not_taken_off", attachment=other["Id"], code=refused.reason.code)
