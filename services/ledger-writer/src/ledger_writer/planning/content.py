"""The content of a wanted document: the part whose change means that the ledger must change too."""

import hashlib

from common.messages.transactions import CustomerWanted, Document, ItemWanted

Wanted = Document | CustomerWanted | ItemWanted

_NOT_CONTENT = {"hold", "notices", "wanted", "depends_on"}
"""Fields of a document that say when or whether to write it, not what."""


def content_hash(wanted: Wanted) -> str:
    """Fingerprint of what the ledger should show: 32 hex characters.

    Fields at their default are left out, so that a release which adds a field does not make every document that is
    already written look edited.
    """
    excluded = _NOT_CONTENT if isinstance(wanted, Document) else None
    body = wanted.model_dump_json(exclude=excluded, exclude_defaults=True)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def body_hash(wanted: Document) -> str:
    """As `content_hash`, without what the document is applied to: money finding its invoice is not an edit."""
    body = wanted.model_dump_json(exclude=_NOT_CONTENT | {"applications"}, exclude_defaults=True)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def idempotency_key(document_key: str, operation: str, generation: int) -> str:
    """What the vendor is shown so that a repeated attempt returns the first result: 40 hex characters."""
    return hashlib.sha256(f"{document_key}\x1f{operation}\x1f{generation}".encode()).hexdigest()[:40]
