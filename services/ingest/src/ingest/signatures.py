"""What verified deliveries have in common: HMAC over the raw bytes, compared in constant time, and the refusals."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import SecretStr

from ingest.errors import SignatureInvalid
from ingest.parts import BEGINNING


def missing(header: str) -> SignatureInvalid:
    """No signature came at all."""
    return SignatureInvalid(
        f"header {header} is missing",
        header=header,
        code="SIGNATURE_MISSING",
        cure=f"sign the request and send the signature as {header}; a proxy on the way must pass this header on",
    )


def malformed(header: str, form: str) -> SignatureInvalid:
    """Something came that is no signature. `form` is how one is written."""
    return SignatureInvalid(
        f"header {header} is not written as {form}",
        header=header,
        code="SIGNATURE_MALFORMED",
        cure=f"write it as {form}",
    )


def outdated(header: str, made_at: int, now: datetime, allowed_s: int) -> SignatureInvalid:
    """The signature's time (Unix seconds) is too far from now. Says in which direction, as clocks err in both."""
    apart_s = int(now.timestamp()) - made_at
    where = f"{apart_s} s ago" if apart_s >= 0 else f"{-apart_s} s ahead of our clock"
    return SignatureInvalid(
        f"header {header} was made {where}, and at most {allowed_s} s are allowed",
        header=header,
        code="SIGNATURE_OUTDATED",
        cure="take the time, in Unix seconds, right before each sending and sign anew, also when the same body is sent"
        " again; if the time was right, set the sender's clock",
        value=f"t={made_at}",
    )


def foreign(header: str) -> SignatureInvalid:
    """A signature came that was made of something else or with another secret: which of the two can't be told."""
    return SignatureInvalid(
        f"header {header} was not made of this body with this connection's secret",
        header=header,
        code="SIGNATURE_INVALID",
        cure="sign the raw body, byte for byte as it is sent, with the secret of this connection",
    )


def verify_base64_sha256(given: str, body: bytes, secrets: Iterable[SecretStr | None], header: str) -> None:
    """Check base64(HMAC-SHA256(body)) against each secret. Raises `SignatureInvalid`."""
    if not given:
        raise missing(header)
    presented = given.encode("utf-8", "replace")
    matched = False
    for secret in secrets:
        if secret is None:
            continue
        expected = base64.b64encode(hmac.digest(secret.get_secret_value().encode(), body, hashlib.sha256))
        # Every secret is compared, so that timing doesn't tell which one nearly matched.
        matched |= hmac.compare_digest(expected, presented)
    if not matched:
        raise foreign(header)


def verify_hex_sha256(given: str, signed: bytes, secret: SecretStr, header: str) -> None:
    """Check hex(HMAC-SHA256(signed)). Raises `SignatureInvalid`."""
    expected = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise foreign(header)


def moment(text: object, default: datetime = BEGINNING) -> datetime:
    """An ISO 8601 time in UTC; one without an offset counts as UTC. `default` where there is none."""
    if not isinstance(text, str) or not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return default
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
