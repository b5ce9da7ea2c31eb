"""Documents, customers and items: the list, one with its attempts, and links made by hand."""

from typing import Annotated, Any

from fastapi import Query

from api.bodies import Body
from api.columns import Column
from api.ids import order_key_of
from api.overview import ROW_OF_KIND
from api.routes.base import Deps, Gateway, after_moment, following, found, router
from api.routes.ledger_links import with_urls
from api.routes.orders import document, document_fields
from api.security import Reader, TenantPrincipal, Writer
from api.store import audit, documents
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.orders import Document, DocumentDetail
from common.errors import Retryable
from common.internal.ledger_writer import DocumentView, LinkRequest
from common.messages.base import Identifier
from common.messages.documents import DocumentState
from common.messages.transactions import DocumentKind
from common.problems import Problem, not_found

routes = router("documents")

Text = Annotated[str | None, Query(max_length=200)]


class LinkBody(Body):
    ledger_id: Identifier
    """Id of the object in the ledger."""


@routes.get("/documents", operation_id="list_documents")
async def list_documents(
    caller: Reader,
    deps: Deps,
    company_id: Text = None,
    connection_id: Text = None,
    kind: DocumentKind | None = None,
    row: Annotated[str | None, Query(max_length=50, description="Row of the overview.")] = None,
    state: DocumentState | None = None,
    column: Annotated[Column | None, Query(description="Column of the overview.")] = None,
    code: Annotated[str | None, Query(max_length=64, description="Code of the reason.")] = None,
    number: Text = None,
    order_id: Annotated[str | None, Query(max_length=500)] = None,
    search: Annotated[str | None, Query(max_length=200, description="Part of a name or number.")] = None,
    notices: Annotated[bool | None, Query(description="Only with (or without) notices.")] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[Document]:
    """Documents, customers and items, last seen first."""
    kinds = [kind.value] if kind is not None else None
    if row is not None:
        kinds = [each.value for each, name in ROW_OF_KIND.items() if name == row and kind in {None, each}]
    rows = await documents.page(
        deps.pool,
        caller.tenant_id,
        company_id=company_id,
        connection_id=connection_id,
        kinds=kinds,
        state=state,
        column=column,
        code=code,
        number=number,
        order=_order(order_id),
        search=search,
        notices=notices,
        before=after_moment("documents", cursor),
        limit=limit,
    )
    await with_urls(deps, caller.tenant_id, rows)
    after = following("documents", rows, limit, "first_seen_at", "document_key")
    return Page(items=[document(found_row) for found_row in rows], next_cursor=after)


@routes.get("/documents/{document_key}", operation_id="get_document")
async def get_document(document_key: str, caller: Reader, deps: Deps) -> DocumentDetail:
    """One document with every attempt at writing it."""
    row = await own(deps, caller, document_key)
    await with_urls(deps, caller.tenant_id, [row])
    try:
        history = await deps.services.ledger_writer.get(
            f"/internal/documents/{document_key}", DocumentView, tenant_id=caller.tenant_id
        )
    except (Retryable, Problem):
        history = None
    return DocumentDetail(**document_fields(row), history=history)


@routes.put("/documents/{document_key}/link", operation_id="link_document")
async def link_document(document_key: str, body: LinkBody, caller: Writer, deps: Deps) -> DocumentView:
    """Tie a document to an object that is in the ledger already."""
    await own(deps, caller, document_key)
    view = await deps.services.ledger_writer.put(
        f"/internal/documents/{document_key}/link",
        LinkRequest(tenant_id=caller.tenant_id, ledger_id=body.ledger_id),
        DocumentView,
    )
    await _audit(deps, caller, "document_linked", document_key, {"ledger_id": body.ledger_id})
    return view


@routes.delete("/documents/{document_key}/link", operation_id="unlink_document")
async def unlink_document(document_key: str, caller: Writer, deps: Deps) -> DocumentView:
    """Take a link back. The object in the ledger is left alone."""
    await own(deps, caller, document_key)
    view = await deps.services.ledger_writer.remove(
        f"/internal/documents/{document_key}/link", DocumentView, tenant_id=caller.tenant_id
    )
    await _audit(deps, caller, "document_unlinked", document_key, {})
    return view


async def own(deps: Gateway, caller: TenantPrincipal, document_key: str) -> dict[str, Any]:
    """The tenant's document. Raises a 404 problem."""
    return found(await documents.one(deps.pool, caller.tenant_id, document_key), "document", document_key)


async def _audit(
    deps: Gateway, caller: TenantPrincipal, action: str, document_key: str, details: dict[str, Any]
) -> None:
    await audit.record(
        deps.pool,
        tenant_id=caller.tenant_id,
        actor=caller.key_id,
        action=action,
        subject=document_key,
        details=details,
    )


def _order(identifier: str | None) -> tuple[str, str] | None:
    if identifier is None:
        return None
    key = order_key_of(identifier)
    if key is None:
        raise not_found("order", identifier)
    connection_id, _, external_id = key.partition("/")
    return connection_id, external_id
