"""What verified deliveries have in common: HMAC over the raw bytes, compared in constant time."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import SecretStr

from ingest.errors import SignatureInvalid
from ingest.parts import BEGINNING


def verify_base64_sha256(given: str, body: bytes, secrets: Iterable[SecretStr | None], header: str) -> None:
    """Check base64(HMAC-SHA256(body)) against each secret. Raises `SignatureInvalid`."""
    if not given:
        raise SignatureInvalid(f"header {header} is missing")
    presented = given.encode("utf-8", "replace")
    matched = False
    for secret in secrets:
        if secret is None:
            continue
        expected = base64.b64encode(hmac.digest(secret.get_secret_value().encode(), body, hashlib.sha256))
        # Every secret is compared, so that timing doesn't tell which one nearly matched.
        matched |= hmac.compare_digest(expected, presented)
    if not matched:
        raise SignatureInvalid(f"header {header} was not made with this connection's secret")


def verify_hex_sha256(given: str, signed: bytes, secret: SecretStr, header: str) -> None:
    """Check hex(HMAC-SHA256(signed)). Raises `SignatureInvalid`."""
    expected = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise SignatureInvalid(f"header {header} was not made with this connection's secret")


def moment(text: object, default: datetime = BEGINNING) -> datetime:
    """An ISO 8601 time in UTC; one without an offset counts as UTC. `default` where there is none."""
    if not isinstance(text, str) or not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return default
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
