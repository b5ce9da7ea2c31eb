"""Internal HTTP of this service; the shapes and the table of routes are in `common.internal.ledger_writer`."""

from ledger_writer.routes import companies, counts, documents, lists, notices, pairing

ROUTERS = (pairing.router, companies.router, lists.router, documents.router, notices.router, counts.router)
"""Pairing first: `/internal/oauth/callback` is no company."""
