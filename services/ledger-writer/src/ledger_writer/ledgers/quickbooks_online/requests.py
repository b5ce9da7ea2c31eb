"""Request ids: what makes a repeated write the same write."""

import hashlib
from typing import Final

_MAX: Final = 50


def request_id(idempotency_key: str, step: str = "") -> str:
    """At most 50 characters, the same for the same attempt, another for each step of it."""
    text = f"{idempotency_key}{step and '.'}{step}"
    if len(text) <= _MAX:
        return text
    return hashlib.sha256(text.encode()).hexdigest()[:_MAX]
