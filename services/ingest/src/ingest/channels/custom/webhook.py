"""A custom store's pushes: the signature with its time, and one order document or a list of them."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from common.broken_json import broken_json
from common.cures import FieldProblem
from ingest.channel import Delivery
from ingest.channels.custom.settings import CustomCredentials
from ingest.channels.custom.wire import CustomOrder, order_id_of
from ingest.errors import BodyUnreadable
from ingest.parts import Part, PartKind, Source
from ingest.reading import path, wrong_fields
from ingest.signatures import malformed, missing, moment, outdated, verify_hex_sha256

SIGNATURE = "x-signature"
IDEMPOTENCY_KEY = "x-idempotency-key"
TOPICS: tuple[str, ...] = ()
SKEW_MAX_S = 300
ORDERS_MAX = 100
_IGNORED_MAX = 50
_SIGNATURE = re.compile(r"^t=([0-9]{1,12}),v1=([0-9a-f]{64})$")


def verify(headers: Mapping[str, str], body: bytes, credentials: CustomCredentials, now: datetime) -> None:
    """Raise `SignatureInvalid` unless time and raw body were signed with the connection's secret, not long ago."""
    signed = headers.get(SIGNATURE, "").replace(" ", "")
    if not signed:
        raise missing(SIGNATURE)
    match = _SIGNATURE.match(signed)
    if match is None:
        raise malformed(SIGNATURE, "t=<Unix seconds>,v1=<64 hex digits in small letters>")
    at, given = match.groups()
    verify_hex_sha256(given, at.encode() + b"." + body, credentials.signing_secret, SIGNATURE)
    if abs(now.timestamp() - int(at)) > SKEW_MAX_S:
        raise outdated(SIGNATURE, int(at), now, SKEW_MAX_S)


def parse(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Open a verified push. Raises `BodyUnreadable` with path, value and cure of every wrong field."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        found = broken_json(error, body)
        raise BodyUnreadable(found.text, (FieldProblem(field="body", cure=f"{found.place}: {found.cure}"),)) from error
    rows = content if isinstance(content, list) else [content]
    if not 0 < len(rows) <= ORDERS_MAX:
        cure = f"push one order, or a list of 1 to {ORDERS_MAX}"
        raise BodyUnreadable(
            "the list has no orders or too many", (FieldProblem(field="body", value=f"{len(rows)} orders", cure=cure),)
        )
    wrong: list[FieldProblem] = []
    ignored: list[str] = []
    parts: list[Part] = []
    for number, row in enumerate(rows):
        at = (number,) if isinstance(content, list) else ()
        try:
            order = CustomOrder.model_validate(row)
            raw = orjson.dumps(row) if isinstance(content, list) else body
            parts.append(Part(PartKind.ORDER, order.order_id, raw, order.updated_at, parsed=order))
            ignored += islice(_unknown(order, at), _IGNORED_MAX - len(ignored))
        except ValidationError as error:
            wrong += wrong_fields(error, at)
    if wrong:
        raise BodyUnreadable("the document does not fit the contract", tuple(wrong[:100]))
    return Delivery(headers.get(IDEMPOTENCY_KEY, "")[:200], "orders", parts=tuple(parts), ignored=tuple(ignored))


def _unknown(value: object, at: tuple[int | str, ...]) -> Iterator[str]:
    """Paths of what a document has beyond the contract; a path is cut after 200 characters."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or ():
            yield path((*at, name))[:200]
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name), (*at, name))
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _unknown(one, (*at, number))


def order_part(row: dict[str, Any], raw: bytes, source: Source = Source.WEBHOOK) -> Part:
    """One native order document as a part."""
    order_id = order_id_of(row.get("direction"), row["external_id"])
    return Part(PartKind.ORDER, order_id, raw, moment(row.get("updated_at")), source=source, parsed=row)
