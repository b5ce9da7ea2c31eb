"""Identities that follow from what something is: the same for ever, wherever they are computed (section 23.1)."""

import hashlib

from common.messages.transactions import DocumentKind


def document_key(
    tenant_id: str,
    company_id: str,
    connection_id: str,
    source_kind: str,
    source_id: str,
    kind: DocumentKind,
    ordinal: int = 0,
) -> str:
    """Identity of a document (section 23.1): 32 hex characters, the same for the same source for ever."""
    return _digest(tenant_id, company_id, connection_id, source_kind, source_id, kind.value, str(ordinal))


def shared_key(company_id: str, kind: DocumentKind, match_key: str) -> str:
    """Identity of a customer or item that many orders of a company file share; the match key is already normalised."""
    return _digest(company_id, kind.value, match_key)


def _digest(*parts: str) -> str:
    # The separator can't occur in an identifier, so ("a", "b/c") and ("a/b", "c") stay different.
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
