"""Notices from QuickBooks that something changed there. They name objects and never say what changed: read it after.

The signature is checked over the raw bytes. Two formats are in use: an object with `eventNotifications` (old) and an
array of CloudEvents (new). Notices may come twice, late or never; the change feed fills gaps.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from ledger_writer.ledgers.changes import Notice, NoticeRefused, ReadNotices
from ledger_writer.ledgers.quickbooks_online.lists import ENTITIES as LISTS
from ledger_writer.ledgers.quickbooks_online.numbers import loads
from ledger_writer.ledgers.quickbooks_online.reading import DOCUMENTS

BYTES_MAX: Final = 2 * 1024 * 1024
_EVENTS_MAX: Final = 5000
_ENTITIES: Final = {
    name.lower(): name
    for name in re.findall(
        r"\w+",
        "Account Bill BillPayment Budget Class CreditMemo Currency Customer Department Deposit Employee Estimate "
        "Invoice Item JournalCode JournalEntry Payment PaymentMethod Preferences Purchase PurchaseOrder RefundReceipt "
        "SalesReceipt TaxAgency Term TimeActivity Transfer Vendor VendorCredit",
    )
}
_LIST_OF: Final = {entity: name for name, entity in LISTS.items()}
_OPERATIONS: Final = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "merge": "merged",
    "void": "voided",
    "emailed": "emailed",
}


@dataclass(frozen=True, slots=True)
class Changed:
    """One object of one company that is not what it was."""

    realm_id: str
    entity: str
    ledger_id: str
    operation: str
    """created, updated, deleted, merged, voided or emailed."""
    at: datetime | None = None
    merged_id: str = ""
    """The object that is gone, merged into this one."""
    event_id: str = ""
    """New format only; the same event delivered twice has the same id."""


class NotANotice(ValueError):
    """A body that is none of the two formats, or too large."""


def verify(headers: Mapping[str, str], body: bytes, verifier: SecretStr) -> bool:
    """Whether `intuit-signature` is the HMAC-SHA256 of the raw body under the app's verifier token."""
    token = verifier.get_secret_value()
    given = next((value for name, value in headers.items() if name.lower() == "intuit-signature"), "")
    if not token or not given:
        return False
    expected = base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, given.strip().encode())


def parse(body: bytes) -> tuple[Changed, ...]:
    """What changed, in the order told, each event once. Raises `NotANotice`. Unknown entities are left out."""
    if len(body) > BYTES_MAX:
        raise NotANotice(f"a notice of {len(body)} bytes, at most {BYTES_MAX} are read")
    try:
        content = loads(body)
    except ValueError as error:
        raise NotANotice("the notice is not JSON") from error
    if isinstance(content, list):
        changes = [_new(event) for event in content[:_EVENTS_MAX]]
    elif isinstance(content, dict) and isinstance(content.get("eventNotifications"), list):
        changes = _old(content["eventNotifications"])
    else:
        raise NotANotice("the notice has neither of the two known formats")
    return tuple(dict.fromkeys(change for change in changes if change is not None))


def reader(verifier: SecretStr) -> ReadNotices:
    """What the service's webhook route calls: verified, parsed, and only what a lane can do something about."""

    def read(headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        if not verify(headers, body, verifier):
            raise NoticeRefused
        notices = []
        for change in parse(body):
            list_name = _LIST_OF.get(change.entity, "")
            if list_name or change.entity in DOCUMENTS:
                notices.append(Notice(change.realm_id, change.ledger_id, list_name))
        return notices

    return read


def _old(notifications: list[Any]) -> list[Changed | None]:
    changes: list[Changed | None] = []
    for notification in notifications:
        if not isinstance(notification, dict):
            continue
        realm = str(notification.get("realmId") or "")
        entities = (notification.get("dataChangeEvent") or {}).get("entities") or []
        for entity in entities[: _EVENTS_MAX - len(changes)]:
            name = _ENTITIES.get(str(entity.get("name") or "").lower())
            operation = _OPERATIONS.get(str(entity.get("operation") or "").lower())
            changes.append(
                _change(
                    realm,
                    name,
                    str(entity.get("id") or ""),
                    operation,
                    at=entity.get("lastUpdated"),
                    merged_id=str(entity.get("deletedId") or ""),
                )
            )
    return changes


def _new(event: Any) -> Changed | None:
    """`type` is `qbo.<entity>.<operation>.v1`."""
    if not isinstance(event, dict):
        return None
    parts = str(event.get("type") or "").split(".")
    if len(parts) < 3 or parts[0] != "qbo":
        return None
    operation = parts[2].lower()
    return _change(
        str(event.get("intuitaccountid") or ""),
        _ENTITIES.get(parts[1].lower()),
        str(event.get("intuitentityid") or ""),
        operation if operation in _OPERATIONS.values() else None,
        at=event.get("time"),
        event_id=str(event.get("id") or ""),
    )


def _change(
    realm: str,
    entity: str | None,
    ledger_id: str,
    operation: str | None,
    *,
    at: Any,
    merged_id: str = "",
    event_id: str = "",
) -> Changed | None:
    if not (realm and entity and ledger_id and operation):
        return None
    return Changed(
        realm_id=realm[:64],
        entity=entity,
        ledger_id=ledger_id[:64],
        operation=operation,
        at=_time(at),
        merged_id=merged_id[:64],
        event_id=event_id[:128],
    )


def _time(given: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
