"""Changing what is written already, with the edit token that the ledger wants."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from common.errors import Retryable
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Operation, Refused
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault, NoAnswer
from ledger_writer.ledgers.quickbooks_online.errors import classify, refusal
from ledger_writer.ledgers.quickbooks_online.requests import request_id
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

DELETED: Final = "LEDGER_DELETED"


def linked(operation: Operation) -> LedgerLink:
    """Where the operation's document lives. Only a bug sends a change without it."""
    if operation.link is None:
        raise TypeError(f"{operation.operation.value} of {operation.document_key} came without a link")
    return operation.link


async def send(
    client: Client,
    settings: OnlineSettings,
    operation: Operation,
    entity: str,
    content: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    how: Callable[[str, Any, str], Awaitable[Any]],
    *,
    whole: bool = False,
) -> Mapping[str, Any] | Refused:
    """Send with the newest token: a stale one is read again, at most three times. Returns the object or `Refused`.

    `content` makes the body from the object as far as it is known: its token at least, all of it where `whole`. A
    request that was refused as stale did nothing, so that the next one is an attempt of its own. Raises what the client
    raises for everything else.
    """
    link = linked(operation)
    known: Mapping[str, Any] | None = {"SyncToken": link.token} if link.token and not whole else None
    refused = refusal(ErrorClass.CONFLICT, "STALE", "the document keeps changing in QuickBooks", "It is tried again.")
    for attempt in range(settings.conflict_tries_max + 1):
        if attempt or known is None:
            known = await read_now(client, entity, link.ledger_id)
            if known is None:
                return deleted(link)
        step = f"t{known['SyncToken']}" if attempt else ""
        try:
            stored: Mapping[str, Any] = await how(entity, content(known), request_id(operation.idempotency_key, step))
        except LedgerFault as error:
            if "610" in error.fault.codes and await read_now(client, entity, link.ledger_id) is None:
                return deleted(link)
            refused = classify(error.fault)
            if refused.error_class is not ErrorClass.CONFLICT:
                raise
        else:
            return stored
    return refused


async def read_now(client: Client, entity: str, ledger_id: str) -> Mapping[str, Any] | None:
    """The object as it stands, or None where it is gone."""
    try:
        found = await client.read(entity, ledger_id)
        return {**found, "SyncToken": str(found.get("SyncToken") or "0")}
    except NoAnswer as error:
        # Nothing was changed by reading: this attempt is simply made again.
        raise Retryable(error.detail) from error
    except LedgerFault as error:
        if "610" in error.fault.codes:
            return None
        raise


def deleted(link: LedgerLink) -> Refused:
    return refusal(
        ErrorClass.CONFIG,
        DELETED,
        f"the document {link.number or link.ledger_id} was deleted in QuickBooks",
        "Resend to make it again, or dismiss to keep it absent.",
    )
