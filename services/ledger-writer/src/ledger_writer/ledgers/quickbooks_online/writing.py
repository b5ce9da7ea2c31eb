"""One operation → one outcome: build the body, send it, and deal with what the ledger says.

What is settled here, because only the ledger's own objects are needed for it: a stale token (read again, at most three
times), a name that somebody else has (suffix), a number or request that is there already (our mark decides), a total
that the ledger worked out differently (told, never hidden). Everything else is the lane's.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

import structlog
from pydantic import ValidationError

from common.errors import Retryable
from common.messages.transactions import DocumentKind
from common.money import ZERO
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    LedgerLink,
    NotSent,
    Operation,
    OperationKind,
    Outcome,
    Refused,
    Unanswered,
    Written,
)
from ledger_writer.ledgers.quickbooks_online import conflicts, taken
from ledger_writer.ledgers.quickbooks_online.applying import apply
from ledger_writer.ledgers.quickbooks_online.bodies import (
    ENTITIES,
    Body,
    Books,
    build,
    changed,
    closing,
    dropped,
    replaced,
    without_estimate,
)
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault, NoAnswer, NotAsked
from ledger_writer.ledgers.quickbooks_online.contacts import differing
from ledger_writer.ledgers.quickbooks_online.errors import CANNOT_LINK, classify, reconnect
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild
from ledger_writer.ledgers.quickbooks_online.outcomes import link_of, written_as
from ledger_writer.ledgers.quickbooks_online.requests import request_id
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.tokens import NeedsReconnect

log = structlog.get_logger(__name__)

_VOIDABLE: Final = ("Invoice", "SalesReceipt", "Payment")
"""The other transactions can't be voided through the API and are deleted."""
_LISTED: Final = ("Customer", "Vendor", "Item")
"""List objects can be neither deleted nor voided, only made inactive."""


Result = TypeVar("Result")


async def outcome_of(call: Awaitable[Result]) -> Result | Refused | NotSent | Unanswered:
    """What a call gives, or what its failure means for the document: the one place where exceptions become outcomes."""
    try:
        return await call
    except CannotBuild as error:
        return error.refused
    except LedgerFault as error:
        return classify(error.fault)
    except NotAsked as error:
        return NotSent(error.detail, error.retry_after_s)
    except NoAnswer as error:
        return Unanswered(error.detail)
    except NeedsReconnect as error:
        return reconnect(str(error))
    except Retryable as error:
        return NotSent(error.text, error.retry_after_s or 5.0)
    except ValidationError as error:
        # The ledger has acted; only a look-up can tell what it has now.
        log.warning("quickbooks_object_unreadable", problems=error.error_count())
        return Unanswered("QuickBooks' answer can't be read")


class Writer:
    """Writes operations of one batch. Raises nothing that the ledger or the network can cause."""

    def __init__(
        self,
        client: Client,
        settings: OnlineSettings,
        books: Books,
        customers: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        """`customers`: id → customer as it stands, of those whose contact is to be changed."""
        self._client = client
        self._settings = settings
        self._books = books
        self._customers = customers

    async def write(self, operation: Operation) -> Outcome:
        """Carry one operation out. The outcome is a value, whatever happens."""
        return await outcome_of(self._write(operation))

    async def _write(self, operation: Operation) -> Outcome:
        match operation.operation:
            case OperationKind.CREATE:
                return await self._create(operation)
            case OperationKind.UPDATE:
                return await self._update(operation)
            case OperationKind.VOID:
                return await self._void(operation)
            case OperationKind.CLOSE:
                return await self._close(operation)

    async def _create(self, operation: Operation) -> Outcome:
        body = build(operation, self._books)
        try:
            stored = await self._client.create(body.entity, body.content, request_id(operation.idempotency_key))
        except LedgerFault as error:
            refused = classify(error.fault)
            alone = without_estimate(body) if refused.reason.code == CANNOT_LINK else None
            if alone is not None:
                return await self._create_unlinked(operation, alone)
            if refused.error_class is not ErrorClass.LOOKUP:
                raise
            found = await taken.settle(self._client, self._settings, self._books, operation, body, refused)
            return await apply(self._client, self._books, operation, found) if isinstance(found, Written) else found
        written = written_as(operation, body, stored, "created")
        return await apply(self._client, self._books, operation, written)

    async def _create_unlinked(self, operation: Operation, body: Body) -> Outcome:
        """The estimate is closed, and no invoice of it was found: the invoice stands by itself (section 9.7)."""
        stored = await self._client.create(body.entity, body.content, request_id(operation.idempotency_key, "u"))
        return await apply(self._client, self._books, operation, written_as(operation, body, stored, "created"))

    async def _update(self, operation: Operation) -> Outcome:
        if operation.kind is DocumentKind.CUSTOMER:
            return await self._refresh(operation)
        link = conflicts.linked(operation)
        body = build(operation, self._books, update=True)
        if not body.content:
            return Written(link=link, action="unchanged")
        gone = dropped(operation, body, self._books)
        stored = await conflicts.send(
            self._client,
            self._settings,
            operation,
            body.entity,
            lambda known: replaced(body, link, known, gone) if gone else changed(body, link, known["SyncToken"]),
            self._client.update,
            whole=bool(gone),
        )
        if isinstance(stored, Refused):
            return stored
        written = written_as(operation, body, stored, "updated")
        return await apply(self._client, self._books, operation, written)

    async def _refresh(self, operation: Operation) -> Outcome:
        """Bring a customer's contact up to date, by a request only where it differs."""
        link = conflicts.linked(operation)
        stored = self._customers.get(link.ledger_id)
        if stored is None:
            # It is inactive or gone, which its next document shows.
            return Written(link=link, action="unchanged")
        body = build(operation, self._books, update=True)
        known = link_of(body.entity, stored)
        other = replace(body, content=differing(body.content, stored))
        if not other.content:
            return Written(link=known, action="unchanged", notices=body.notices)
        changed_now = await conflicts.send(
            self._client,
            self._settings,
            replace(operation, link=known),
            body.entity,
            lambda now: changed(other, known, now["SyncToken"]),
            self._client.update,
        )
        if isinstance(changed_now, Refused):
            return changed_now
        return written_as(operation, body, changed_now, "updated")

    async def _void(self, operation: Operation) -> Outcome:
        link = conflicts.linked(operation)
        entity = link.details.get("entity") or ENTITIES[operation.kind]
        if entity in _LISTED:
            return await self._set(operation, entity, {"Active": False}, "deactivated")
        basic = {"Id": link.ledger_id, **({"sparse": True} if entity in _VOIDABLE and entity != "Invoice" else {})}
        action, how = ("voided", self._client.void) if entity in _VOIDABLE else ("deleted", self._client.delete)
        stored = await self._send(operation, entity, basic, how)
        if isinstance(stored, Refused):
            # What is gone has no effect any more, which is all that was wanted.
            gone = stored.reason.code == conflicts.DELETED
            return Written(link=link, action="absent") if gone else stored
        return Written(link=_without_effect(link, stored), action=action)

    async def _close(self, operation: Operation) -> Outcome:
        link = conflicts.linked(operation)
        state = closing(operation.kind)
        if state is None:
            return Written(link=link, action="unchanged")
        return await self._set(operation, ENTITIES[operation.kind], state, "closed")

    async def _set(self, operation: Operation, entity: str, state: Mapping[str, Any], action: str) -> Outcome:
        """A sparse update of a state and nothing else."""
        basic = {"Id": conflicts.linked(operation).ledger_id, "sparse": True, **state}
        stored = await self._send(operation, entity, basic, self._client.update)
        if isinstance(stored, Refused):
            return stored
        return Written(link=link_of(entity, stored), action=action)

    async def _send(
        self, operation: Operation, entity: str, content: Mapping[str, Any], how: Any
    ) -> Mapping[str, Any] | Refused:
        def with_token(known: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**content, "SyncToken": known["SyncToken"]}

        return await conflicts.send(self._client, self._settings, operation, entity, with_token, how)


def _without_effect(link: LedgerLink, stored: Mapping[str, Any]) -> LedgerLink:
    return replace(link, token=str(stored.get("SyncToken") or link.token), total=ZERO)
