"""Stripe's events: the signature, and the payout an event is about."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from ingest.channel import Delivery, Notice, NoticeKind
from ingest.channels.stripe.settings import StripeCredentials
from ingest.errors import BodyUnreadable, SignatureInvalid
from ingest.payout_parts import PayoutHead
from ingest.signatures import malformed, missing, outdated, verify_hex_sha256

SIGNATURE = "stripe-signature"
TOLERANCE_S = 300
_SIGNATURES_MAX = 10
_FORM = "t=<Unix seconds>,v1=<64 hex digits>"
TOPICS: tuple[str, ...] = ("payout.paid", "payout.failed", "payout.reconciliation_completed")
"""Events that are acted on. Endpoints are set up at Stripe; nothing is registered from here."""


def verify(headers: Mapping[str, str], body: bytes, credentials: StripeCredentials, now: datetime) -> None:
    """Raise `SignatureInvalid` unless one `v1` signs time and body, and the time is less than five minutes away."""
    if credentials.webhook_secret is None:
        raise SignatureInvalid(
            "this connection has no webhook secret, so events can't be told from forgeries",
            header=SIGNATURE,
            code="WEBHOOK_SECRET_MISSING",
            cure="give the connection the signing secret of the endpoint at Stripe (webhook_secret)",
        )
    if not headers.get(SIGNATURE):
        raise missing(SIGNATURE)
    pairs = [item.partition("=")[::2] for item in headers.get(SIGNATURE, "").split(",")]
    times = [value for name, value in pairs if name.strip() == "t"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise malformed(SIGNATURE, _FORM)
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_S:
        raise outdated(SIGNATURE, int(times[0]), now, TOLERANCE_S)
    given = [value for name, value in pairs if name.strip() == "v1"][:_SIGNATURES_MAX]
    refusal = malformed(SIGNATURE, _FORM)
    for signature in given:
        try:
            verify_hex_sha256(signature, f"{times[0]}.".encode() + body, credentials.webhook_secret, SIGNATURE)
        except SignatureInvalid as error:
            refusal = error
        else:
            return
    raise refusal


def parse(headers: Mapping[str, str], body: bytes) -> Delivery:  # noqa: ARG001
    """Open a verified event. Raises `BodyUnreadable`."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyUnreadable("the body is not JSON") from error
    if not isinstance(event, dict):
        raise BodyUnreadable("the body is not a JSON object")
    topic, identity = str(event.get("type", ""))[:100], str(event.get("id", ""))[:128]
    if topic not in TOPICS:
        return Delivery(identity, topic, notice=Notice(NoticeKind.IGNORED))
    data = event.get("data")
    payout = data.get("object") if isinstance(data, dict) else None
    if not isinstance(payout, dict) or not isinstance(payout.get("id"), str) or not 0 < len(payout["id"]) <= 64:
        raise BodyUnreadable("data.object is no payout")
    head = PayoutHead(payout["id"], orjson.dumps(payout), payout.get("status") == "paid")
    return Delivery(identity, topic, payout=head)
