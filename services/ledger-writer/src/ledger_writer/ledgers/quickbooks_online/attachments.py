"""Files that hang on documents: a summary's list of orders, a settlement report on its deposit."""

import hashlib
from typing import Any, Final

from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.ledgers.quickbooks_online.bodies import attachment
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault
from ledger_writer.ledgers.quickbooks_online.lookup import quoted
from ledger_writer.ledgers.quickbooks_online.requests import request_id

_ENTITY: Final = "Attachable"


async def attach(
    client: Client, link: LedgerLink, *, file_name: str, content_type: str, file: bytes, alone: bool
) -> str:
    """Hang the file on the document, the same one under the same request id. Returns the attachment's id.

    With `alone` other files of this name are taken off the document, but not before the new one hangs there. Raises as
    `Client` does.
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
        # Somebody was faster.
        if "610" not in error.fault.codes:
            raise
