"""A stored document, customer or item as lanes and routes read it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
from pydantic import TypeAdapter

from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.content import Wanted
from ledger_writer.planning.model import Desired, Effect, Known, Written

_APPLIED_TO = frozenset({DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO, DocumentKind.PAYMENT, DocumentKind.BILL})
"""Kinds that other documents' money is applied to."""
_SHARED: dict[str, type[CustomerWanted | ItemWanted]] = {
    "customer": CustomerWanted,
    "vendor": CustomerWanted,
    "item": ItemWanted,
}


_UNDOING = f"{OperationKind.VOID.value}:"
_NOTICES = TypeAdapter(tuple[Reason, ...])


@dataclass(slots=True)
class Row:
    """Columns of `documents` that planning, recording and showing need, in the order they are selected."""

    document_key: str
    tenant_id: str
    company_id: str
    connection_id: str
    source_kind: str
    source_id: str
    source_number: str
    source_revision: int
    set_key: str
    kind: str
    seq: int
    wanted: str
    content_hash: str
    removed: bool
    hold_edits: bool
    override: bool
    number: str
    name: str
    on_date: dt.date | None
    amount: Decimal | None
    currency: str
    traceparent: str | None
    horizon: dt.date | None
    written: str | None
    written_hash: str | None
    effect: str
    applications: str
    applied: Decimal
    ledger_id: str
    link: str
    linked_by: str
    linked_at: dt.datetime | None
    former: str
    state: str
    code: str
    reason: str
    raw: str
    notices: str
    error_class: str
    blocked_by: str | None
    intent: str
    attempts: int
    failures: int
    generation: int
    next_attempt_at: dt.datetime | None
    first_seen_at: dt.datetime
    last_attempt_at: dt.datetime | None
    revision: int

    @classmethod
    def of(cls, record: asyncpg.Record) -> "Row":
        return cls(*record)

    @property
    def label(self) -> str:
        return self.number or self.name or self.source_number

    def reason_value(self) -> Reason | None:
        return Reason.model_validate_json(self.reason) if self.reason else None

    def notices_value(self) -> tuple[Reason, ...]:
        return decode_notices(self.notices)


COLUMNS = ", ".join(field.name for field in fields(Row))


_JUST_READ_MAX = 1000
_JUST_READ_LENGTH_MAX = 16_384
_just_read: dict[str, Wanted] = {}


def keep_read(body: str, wanted: Wanted) -> None:
    """Remember what a body says until the lane asks, mostly within a second and here: reading it again costs as much
    as planning it. By the body itself, so that nothing here can be out of date."""
    if len(body) > _JUST_READ_LENGTH_MAX:
        return
    if len(_just_read) >= _JUST_READ_MAX:
        del _just_read[next(iter(_just_read))]
    _just_read[body] = wanted


def parse_wanted(kind: str, body: str) -> Wanted:
    return _just_read.pop(body, None) or _SHARED.get(kind, Document).model_validate_json(body)


def intent_of(operation: str, sent_hash: str) -> str:
    """What a row keeps of a request without an answer: the operation that was sent, and with which content."""
    return f"{operation}:{sent_hash}"


def encode_notices(notices: Sequence[Reason]) -> str:
    return _NOTICES.dump_json(tuple(notices), exclude_defaults=True).decode() if notices else ""


def decode_notices(text: str) -> tuple[Reason, ...]:
    return _NOTICES.validate_json(text) if text else ()


def encode_link(link: LedgerLink) -> str:
    """JSON with only what is set: most links are an id and nothing else."""
    body: dict[str, Any] = {"i": link.ledger_id}
    if link.token:
        body["t"] = link.token
    if link.number:
        body["n"] = link.number
    if link.total is not None:
        body["a"] = f"{link.total:f}"
    if link.name:
        body["m"] = link.name
    if link.details:
        body["d"] = dict(link.details)
    return orjson.dumps(body).decode()


def decode_link(text: str) -> LedgerLink | None:
    if not text:
        return None
    body = orjson.loads(text)
    total = body.get("a")
    return LedgerLink(
        ledger_id=body["i"],
        token=body.get("t", ""),
        number=body.get("n", ""),
        total=None if total is None else Decimal(total),
        name=body.get("m", ""),
        details=body.get("d", {}),
    )


def forgotten_hash(former: str) -> str | None:
    """Fingerprint of what was written when the link was forgotten; None where it was given up otherwise, or never."""
    fingerprint: str | None = orjson.loads(former).get("h") if former else None
    return fingerprint


def encode_applications(applications: tuple[tuple[str, Decimal], ...]) -> str:
    return orjson.dumps([(key, f"{amount:f}") for key, amount in applications]).decode() if applications else ""


def decode_applications(text: str) -> tuple[tuple[str, Decimal], ...]:
    return tuple((key, Decimal(amount)) for key, amount in orjson.loads(text)) if text else ()


def to_desired(row: Row) -> Desired:
    """What planning is given for a due row."""
    wanted = parse_wanted(row.kind, row.wanted)
    return Desired(
        key=row.document_key,
        kind=DocumentKind(row.kind),
        wanted=wanted,
        content_hash=row.content_hash,
        state=DocumentState(row.state),
        written=_written(row, wanted) if row.written_hash is not None else None,
        removed=row.removed,
        hold_edits=row.hold_edits,
        override=row.override,
        generation=row.generation,
        undoing=row.intent.startswith(_UNDOING),
        unanswered=bool(row.intent),
        former=decode_link(row.former),
        set_key=row.set_key,
    )


def _written(row: Row, wanted: Wanted) -> Written | None:
    link = decode_link(row.link)
    if link is None or row.written_hash is None:
        return None
    document: Document | None = None
    if isinstance(wanted, Document):
        if row.written_hash == row.content_hash:
            document = wanted
        elif row.written is not None:
            document = Document.model_validate_json(row.written)
    return Written(row.written_hash, Effect(row.effect), link, document, decode_applications(row.applications))


def to_known(row: Row) -> Known:
    """What planning is given for a row that a due one refers to."""
    link = decode_link(row.link) if row.effect in {Effect.PRESENT, Effect.CLOSED} else None
    kind = DocumentKind(row.kind)
    balance: Decimal | None = None
    if kind in _APPLIED_TO and link is not None and link.total is not None:
        balance = link.total - row.applied
    return Known(
        key=row.document_key,
        kind=kind,
        state=DocumentState(row.state),
        label=row.label,
        link=link,
        reason=row.reason_value(),
        open_balance=balance,
        horizon=row.horizon,
    )
