"""Company files: pairing, sign-in and lanes. Tokens and links are with ledger-writer."""

from typing import Any

import structlog
from fastapi import Query, Request, Response, status
from fastapi.responses import HTMLResponse

from api.idempotency import seed_of
from api.ids import new_id
from api.routes.base import LOCATION, ONCE, Deps, Gateway, after_moment, following, found, router
from api.security import Reader, TenantPrincipal, Writer
from api.store import audit, companies
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.pairing import (
    Company,
    CompanyCreate,
    CompanyDetail,
    DisconnectRequest,
    ForgetLinksRequest,
    LinksForgotten,
    OAuthBegun,
)
from common.cures import FieldProblem
from common.errors import Retryable
from common.internal import ledger_writer
from common.internal.base import TenantRequest
from common.messages.control import SettingsChanged
from common.problems import Problem

log = structlog.get_logger(__name__)

routes = router("company files")

CALLBACK_PATH = "/v1/oauth/callback"


@routes.get("/ledgers", operation_id="list_ledgers")
async def list_ledgers(_: Reader, deps: Deps) -> ledger_writer.LedgerList:
    """Ledgers that company files can be kept in, with their abilities and proposed accounts."""
    return await deps.services.ledger_writer.get("/internal/ledgers", ledger_writer.LedgerList)


@routes.post(
    "/companies",
    operation_id="create_company",
    status_code=status.HTTP_201_CREATED,
    dependencies=ONCE,
    responses=LOCATION,
)
async def create_company(
    body: CompanyCreate, request: Request, response: Response, caller: Writer, deps: Deps
) -> CompanyDetail:
    """Pair a company file. Where the ledger asks for a sign-in, go on with `POST …/oauth`."""
    company_id = new_id("com", seed_of(request))
    # Stored first, so that a request that is cut off leaves something that can be seen and deleted.
    await companies.insert(
        deps.pool, company_id=company_id, tenant_id=caller.tenant_id, ledger=body.ledger, name=body.name
    )
    wanted = ledger_writer.PairRequest(
        tenant_id=caller.tenant_id,
        company_id=company_id,
        ledger=body.ledger,
        name=body.name,
        home_currency=body.home_currency,
        settings=body.settings,
        secrets=body.secrets,
    )
    try:
        view = await deps.services.ledger_writer.post("/internal/companies", wanted, ledger_writer.CompanyView)
    except Problem:
        await companies.delete(deps.pool, caller.tenant_id, company_id)
        raise
    async with deps.runtime.transaction() as (connection, _):
        await companies.mark_ready(
            connection,
            caller.tenant_id,
            company_id,
            status=view.status,
            external_id=view.external_id,
            home_currency=view.home_currency,
            country=view.country,
            capabilities=list(view.capabilities),
        )
        await note(connection, caller, "company_paired", company_id, ledger=body.ledger)
        row = await companies.one(connection, caller.tenant_id, company_id)
    response.headers["location"] = f"/v1/companies/{company_id}"
    return detail(found(row, "company file", company_id), view)


@routes.get("/companies", operation_id="list_companies")
async def list_companies(
    caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[Company]:
    """The tenant's company files, oldest first."""
    rows = await companies.page(deps.pool, caller.tenant_id, after_moment("companies", cursor), limit)
    after = following("companies", rows, limit, "created_at", "company_id")
    return Page(items=[Company(**_shown(row)) for row in rows], next_cursor=after)


@routes.get("/companies/{company_id}", operation_id="get_company")
async def get_company(company_id: str, caller: Reader, deps: Deps) -> CompanyDetail:
    """One company file; `available` is false where ledger-writer does not answer."""
    row = await own(deps, caller, company_id)
    try:
        view = await deps.services.ledger_writer.get(
            f"/internal/companies/{company_id}", ledger_writer.CompanyView, tenant_id=caller.tenant_id
        )
    except (Retryable, Problem) as error:
        log.warning("company_state_unavailable", company_id=company_id, error=type(error).__name__)
        return detail(row, None)
    return detail(row, view)


@routes.post("/companies/{company_id}/oauth", operation_id="begin_sign_in", dependencies=ONCE)
async def begin_sign_in(company_id: str, caller: Writer, deps: Deps) -> OAuthBegun:
    """Get the address at which a person signs in to the ledger and gives consent."""
    await own(deps, caller, company_id)
    started = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/oauth",
        ledger_writer.OAuthStart(tenant_id=caller.tenant_id, redirect_url=_callback_url(deps)),
        ledger_writer.OAuthStarted,
    )
    await note(deps.pool, caller, "sign_in_begun", company_id)
    return OAuthBegun(authorization_url=started.authorization_url)


@routes.get("/oauth/callback", operation_id="finish_sign_in", response_class=HTMLResponse)
async def finish_sign_in(
    deps: Deps,
    state: str = Query(min_length=1, max_length=500),
    code: str = Query(default="", max_length=4000),
    realm_id: str = Query(default="", alias="realmId", max_length=128),
    error: str = Query(default="", max_length=500),
) -> HTMLResponse:
    """Where the vendor sends the browser back to. Needs no key: the one-time `state` says whose sign-in it is."""
    view = await deps.services.ledger_writer.post(
        "/internal/oauth/callback",
        ledger_writer.OAuthCallback(
            state=state, code=code, realm_id=realm_id, error=error, redirect_url=_callback_url(deps)
        ),
        ledger_writer.CompanyView,
    )
    await audit.record(deps.pool, tenant_id=None, actor="sign-in", action="company_signed_in", subject=view.company_id)
    return HTMLResponse("<!doctype html><title>Connected</title><p>The company file is connected. Close this page.</p>")


@routes.post("/companies/{company_id}/disconnect", operation_id="disconnect_company")
async def disconnect_company(company_id: str, body: DisconnectRequest, caller: Writer, deps: Deps) -> CompanyDetail:
    """Give the ledger's tokens back. Links and settings are kept, so that reconnecting makes no duplicates."""
    row = await own(deps, caller, company_id)
    if body.forget_links:
        _confirmed(company_id, body.confirm)
    view = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/disconnect",
        ledger_writer.Disconnect(tenant_id=caller.tenant_id, forget_links=body.forget_links),
        ledger_writer.CompanyView,
    )
    await note(deps.pool, caller, "company_disconnected", company_id, forget_links=body.forget_links)
    return detail(row, view)


@routes.post(
    "/companies/{company_id}/links/forget",
    operation_id="forget_links",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def forget_links(company_id: str, body: ForgetLinksRequest, caller: Writer, deps: Deps) -> LinksForgotten:
    """Give up what is known about where each document of the company file stands in its ledger.

    Nothing is deleted there and nothing is written blindly: what is written as it is wanted is looked up again by its
    mark and number, linked where it is found, and written where it is not. `kept` counts what keeps its link, because
    it could not be told from the ledger alone: what is yet to be changed or taken out, was changed in the ledger, was
    linked by hand, dismissed or put on hold, was sent without an answer, or lies in the closed period or before its
    customer's horizon.
    """
    await own(deps, caller, company_id)
    _confirmed(company_id, body.confirm)
    done = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/links/forget",
        TenantRequest(tenant_id=caller.tenant_id),
        ledger_writer.LinksForgotten,
    )
    await note(deps.pool, caller, "links_forgotten", company_id, documents=done.documents, kept=done.kept)
    return LinksForgotten(
        company_id=company_id,
        documents=done.documents,
        kept=done.kept,
        next="Each is looked up in the ledger as soon as the company file is written to: linked where it is found,"
        " written where it is not. The overview shows what is left.",
    )


@routes.post("/companies/{company_id}/lane/pause", operation_id="pause_lane")
async def pause_lane(company_id: str, caller: Writer, deps: Deps) -> CompanyDetail:
    """Stop writing to the company file; documents gather until the lane is resumed."""
    return await _lane(deps, caller, company_id, "pause")


@routes.post("/companies/{company_id}/lane/resume", operation_id="resume_lane")
async def resume_lane(company_id: str, caller: Writer, deps: Deps) -> CompanyDetail:
    """Go on writing."""
    return await _lane(deps, caller, company_id, "resume")


@routes.post(
    "/companies/{company_id}/check",
    operation_id="check_company",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def check_company(company_id: str, caller: Writer, deps: Deps) -> CompanyDetail:
    """Compare what was written with what the ledger has now, as is done every night.

    The answer does not wait for it: differences show on the documents (`LEDGER_CHANGED`, `LEDGER_DELETED`).
    Refused with `NO_CHECK` for a ledger that nobody else writes to.
    """
    row = await own(deps, caller, company_id)
    view = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/check",
        TenantRequest(tenant_id=caller.tenant_id),
        ledger_writer.CompanyView,
    )
    await note(deps.pool, caller, "company_check_asked", company_id)
    return detail(row, view)


@routes.delete("/companies/{company_id}", operation_id="delete_company", status_code=status.HTTP_204_NO_CONTENT)
async def delete_company(company_id: str, caller: Writer, deps: Deps) -> None:
    """Remove a company file with its links. Refused while a connection points at it."""
    row = await own(deps, caller, company_id)
    users = await companies.used_by(deps.pool, caller.tenant_id, company_id)
    if users:
        raise Problem(
            409,
            "COMPANY_IN_USE",
            f"{len(users)} connection(s) point at this company file: {', '.join(users[:5])}",
            cure="delete them or point them at another company file first",
        )
    await deps.services.ledger_writer.delete(f"/internal/companies/{company_id}", tenant_id=caller.tenant_id)
    async with deps.runtime.transaction() as (connection, batch):
        await companies.delete(connection, caller.tenant_id, company_id)
        batch.publish(
            SettingsChanged(
                tenant_id=caller.tenant_id,
                revision=row["settings_revision"] + 1,
                scope="company",
                scope_id=company_id,
                deleted=True,
            )
        )
        await note(connection, caller, "company_deleted", company_id)


async def own(deps: Gateway, caller: TenantPrincipal, company_id: str) -> dict[str, Any]:
    """The tenant's company file. Raises a 404 problem."""
    return found(await companies.one(deps.pool, caller.tenant_id, company_id), "company file", company_id)


def _confirmed(company_id: str, confirm: str) -> None:
    """Raises a 422 problem where forgetting the links is not confirmed with the company file's id."""
    if confirm != company_id:
        raise Problem(
            422,
            "CONFIRMATION_NEEDED",
            "forgetting the links has documents of the company file looked up again",
            errors=[FieldProblem(field="body.confirm", value=confirm, cure=f"set it to {company_id}")],
        )


async def _lane(deps: Gateway, caller: TenantPrincipal, company_id: str, action: str) -> CompanyDetail:
    row = await own(deps, caller, company_id)
    view = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/lane/{action}",
        TenantRequest(tenant_id=caller.tenant_id),
        ledger_writer.CompanyView,
    )
    await note(deps.pool, caller, f"lane_{action}d", company_id)
    return detail(row, view)


def _callback_url(deps: Gateway) -> str:
    return deps.settings.public_url.rstrip("/") + CALLBACK_PATH


async def note(where: Any, caller: TenantPrincipal, action: str, subject: str, **details: Any) -> None:
    """Put an action into the audit log."""
    await audit.record(
        where, tenant_id=caller.tenant_id, actor=caller.key_id, action=action, subject=subject, details=details
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    settings = row["settings"] or {}
    return {
        **row,
        "paused": bool(settings.get("paused")),
        "approved_at": settings.get("approved_at"),
        "has_settings": row["settings"] is not None,
    }


def detail(row: dict[str, Any], view: ledger_writer.CompanyView | None) -> CompanyDetail:
    """Our row and, where ledger-writer answered, its newer knowledge of the company file."""
    if view is None:
        return CompanyDetail(**_shown(row), available=False)
    live = view.model_dump(exclude={"name", "ledger", "company_id", "capabilities"})
    return CompanyDetail(**(_shown(row) | live | {"capabilities": list(view.capabilities)}))
