"""Identifiers: a prefix that says what it is, and 128 bits that nobody can guess.

With an idempotency key the identifier is derived from it, so that a request which is repeated after a crash makes the
same thing again instead of a second one.
"""

import base64
import binascii
import hashlib
import secrets

_HEX_CHARS = 32


def new_id(prefix: str, seed: str | None = None) -> str:
    """`<prefix>_<32 hex characters>`; the same seed gives the same identifier."""
    if seed is None:
        return f"{prefix}_{secrets.token_hex(_HEX_CHARS // 2)}"
    return f"{prefix}_{hashlib.sha256(f'{prefix}:{seed}'.encode()).hexdigest()[:_HEX_CHARS]}"


def order_id(order_key: str) -> str:
    """The order's key as one path segment: a channel's ids may hold slashes."""
    return base64.urlsafe_b64encode(order_key.encode()).rstrip(b"=").decode()


def order_key_of(identifier: str) -> str | None:
    """Undo `order_id`; None for what it can't have made."""
    try:
        padded = identifier.encode("ascii") + b"=" * (-len(identifier) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, UnicodeEncodeError):
        return None
    return key if "/" in key and "\x00" not in key else None
