"""Rows of documents with the address at which their ledger shows them."""

from collections.abc import Iterable
from typing import Any

from api.deep_links import url_of
from api.routes.base import Gateway
from api.store import companies


async def with_urls(deps: Gateway, tenant_id: str, rows: Iterable[dict[str, Any]]) -> None:
    """Fill `ledger_url` of rows that have `company_id`, `ledger_id`, and `kind` or, in the log, `entity`."""
    written = [row for row in rows if row["ledger_id"]]
    if not written:
        return
    books = await companies.identities(deps.pool, tenant_id)
    for row in written:
        ledger, external_id = books.get(row["company_id"], ("", ""))
        kind = row["kind"] if "kind" in row else row["entity"]
        row["ledger_url"] = url_of(ledger, external_id, kind, row["ledger_id"], deps.settings.quickbooks_online_url)
