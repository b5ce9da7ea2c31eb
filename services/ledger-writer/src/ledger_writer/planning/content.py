"""The content of a wanted document: the part whose change means that the ledger must change too."""

import hashlib
from datetime import UTC, datetime

from common.messages.transactions import LOOKUP_DAYS, CustomerWanted, Document, ItemWanted, WantedState

Wanted = Document | CustomerWanted | ItemWanted

FILE = "file"
"""Detail of a link: the attachment that lists a summary's orders."""

_ANY_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_CONTENT = {"hold", "notices", "wanted", "depends_on", "lookup_days"}
"""Fields of a document that say when or whether to write it, or how to find it, not what."""


def content_hash(wanted: Wanted) -> str:
    """Fingerprint of what the ledger should show: 32 hex characters.

    Fields at their default are left out, so that a release which adds a field does not make every document that is
    already written look edited.
    """
    return encode(wanted)[1]


def encode(wanted: Wanted) -> tuple[str, str]:
    """JSON to store and the fingerprint of its content, from dumping the content only once."""
    if not isinstance(wanted, Document):
        body = wanted.model_dump_json(exclude_defaults=True)
        if isinstance(wanted, CustomerWanted) and wanted.contact_at is not None:
            # That the contact follows the orders is content; of which order it is, is not.
            undated = wanted.model_copy(update={"contact_at": _ANY_MOMENT})
            return body, _digest(undated.model_dump_json(exclude_defaults=True))
        return body, _digest(body)
    body = wanted.model_dump_json(exclude=_NOT_CONTENT, exclude_defaults=True)
    fingerprint = _digest(body)
    usual = wanted.hold is None and wanted.wanted is WantedState.PRESENT and wanted.lookup_days == LOOKUP_DAYS
    if wanted.depends_on or wanted.notices or not usual:
        rest = wanted.model_dump_json(include=_NOT_CONTENT, exclude_defaults=True)
        body = f"{body[:-1]},{rest[1:]}"
    return body, fingerprint


def _digest(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()


def body_hash(wanted: Document) -> str:
    """As `content_hash`, without what the document is applied to: money finding its invoice is not an edit."""
    return _digest(wanted.model_dump_json(exclude=_NOT_CONTENT | {"applications"}, exclude_defaults=True))


def wants_file(wanted: Wanted) -> bool:
    """Whether it is a summary, whose orders are listed in a file that hangs on it."""
    return isinstance(wanted, Document) and bool(wanted.orders_of_summary)


def idempotency_key(document_key: str, operation: str, generation: int) -> str:
    """What the vendor is shown so that a repeated attempt returns the first result: 40 hex characters."""
    return hashlib.sha256(f"{document_key}\x1f{operation}\x1f{generation}".encode()).hexdigest()[:40]
