"""Settings: whole snapshots, versioned, checked against the ledger before they are saved and published."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Response

from api.bodies import from_json
from api.connection_tasks import ensure_tasks
from api.projections.rebuild import snapshot
from api.routes import companies as company_routes
from api.routes import connections as connection_routes
from api.routes.base import Deps, Gateway, Responses, after_number, following, found, problems, router
from api.routes.ledger_names import books_of
from api.routes.settings_gate import (
    can_notify,
    check_identity,
    check_notify,
    check_switches,
    check_target,
    check_version,
    company_settings,
    connection_settings,
    etag,
    none_yet,
    read_books,
    refuse,
    with_proposals,
)
from api.security import Reader, TenantPrincipal, Writer
from api.settings_bodies import (
    CompanySettingsBody,
    ConnectionSettingsBody,
    complete_company,
    complete_connection,
)
from api.settings_checks import Books, check_company
from api.store import audit, companies, connections
from api.store import settings as store
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.pairing import CompanySettingsVersion, ConnectionSettingsVersion
from common.batch import Batch
from common.database import Connection
from common.messages.control import CompanySettings, ConnectionSettings

routes = router("settings")

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description='ETag of the version that was read; "0" for the first.'),
]
_TAG = {"ETag": {"description": "The version, for the If-Match of the next save.", "schema": {"type": "string"}}}
_TAGGED: Responses = {200: {"headers": _TAG}}
_GUARDED = problems(412, 428) | _TAGGED


@routes.get("/connections/{connection_id}/settings", operation_id="get_connection_settings", responses=_TAGGED)
async def get_connection_settings(
    connection_id: str, caller: Reader, deps: Deps, response: Response
) -> ConnectionSettings:
    """The settings in force; the ETag goes into the If-Match of the next save."""
    row = await connection_routes.own(deps, caller, connection_id)
    if row["settings"] is None:
        raise none_yet("connection", connection_id)
    response.headers["etag"] = etag(row["settings_revision"])
    return connection_settings(row["settings"])


@routes.put("/connections/{connection_id}/settings", operation_id="save_connection_settings", responses=_GUARDED)
async def save_connection_settings(
    connection_id: str,
    body: Annotated[ConnectionSettingsBody, from_json(ConnectionSettingsBody)],
    caller: Writer,
    deps: Deps,
    response: Response,
    if_match: IfMatch = None,
) -> ConnectionSettings:
    """Save the whole of a connection's settings: what is left out goes back to its default, so send what GET answers
    with your change. The first save makes the task that fetches its orders, if it can.

    Each account that is named must be in the ledger's list and active, or have a name by which the ledger opens it on
    first use; its type must fit. A class or department must be in the ledger's list, where it keeps one, and the items
    of shipping, discounts, tax and fees active. `connection_id`, `channel` and `name` may be left out.
    """
    row = await connection_routes.own(deps, caller, connection_id)
    check_version(if_match, row["settings_revision"])
    settings = complete_connection(body, row)
    company = await companies.one(deps.pool, caller.tenant_id, settings.company_id)
    # Asked before the transaction: no connection is held while another service answers.
    books = Books() if company is None else await books_of(deps, caller.tenant_id, settings)
    async with deps.runtime.transaction() as (connection, batch):
        row = found(
            await connections.one(connection, caller.tenant_id, connection_id, lock=True), "connection", connection_id
        )
        check_version(if_match, row["settings_revision"])
        settings = complete_connection(body, row)
        company = await companies.one(connection, caller.tenant_id, settings.company_id)
        refuse(check_identity(settings, connection_id, row["channel"]) + check_target(settings, company, books))
        text = settings.model_dump(mode="json")
        revision = await save_snapshot(connection, batch, caller, "connection", connection_id, text, row["settings"])
        await ensure_tasks(connection, row, settings)
    response.headers["etag"] = etag(revision)
    return settings


@routes.get("/connections/{connection_id}/settings/history", operation_id="list_connection_settings")
async def list_connection_settings(
    connection_id: str, caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[ConnectionSettingsVersion]:
    """Every version that was saved, newest first."""
    await connection_routes.own(deps, caller, connection_id)
    rows, after = await _history(deps, caller, "connection", connection_id, limit, cursor)
    items = [ConnectionSettingsVersion(**{**row, "settings": connection_settings(row["settings"])}) for row in rows]
    return Page(items=items, next_cursor=after)


@routes.get("/companies/{company_id}/settings", operation_id="get_company_settings", responses=_TAGGED)
async def get_company_settings(company_id: str, caller: Reader, deps: Deps, response: Response) -> CompanySettings:
    """The settings in force; the ETag goes into the If-Match of the next save."""
    row = await company_routes.own(deps, caller, company_id)
    if row["settings"] is None:
        raise none_yet("company file", company_id)
    response.headers["etag"] = etag(row["settings_revision"])
    return company_settings(row["settings"])


@routes.put("/companies/{company_id}/settings", operation_id="save_company_settings", responses=_GUARDED)
async def save_company_settings(
    company_id: str,
    body: Annotated[CompanySettingsBody, from_json(CompanySettingsBody)],
    caller: Writer,
    deps: Deps,
    response: Response,
    if_match: IfMatch = None,
) -> CompanySettings:
    """Save the whole of a company file's settings: what is left out goes back to its default, so send what GET answers
    with your change. Each account must be in the ledger's list and active, or have a name by which the ledger opens it
    on first use; its type must fit its role.

    As long as no accounts are stored, roles that are left out take what the ledger proposes. `company_id`, `ledger`,
    `name`, `paused` and `approved_at` may be left out: they stay as they are.
    """
    row = await company_routes.own(deps, caller, company_id)
    check_version(if_match, row["settings_revision"])
    # Asked before the transaction: no connection is held while another service answers.
    books = Books()
    has_accounts = bool(row["settings"] and row["settings"]["accounts"])
    if body.accounts or not has_accounts:
        books = await read_books(deps, caller.tenant_id, company_id, body.accounts.values())
    able = await can_notify(deps, caller.tenant_id, company_id, body)
    async with deps.runtime.transaction() as (connection, batch):
        row = found(
            await companies.one(connection, caller.tenant_id, company_id, lock=True), "company file", company_id
        )
        check_version(if_match, row["settings_revision"])
        today = datetime.now(UTC).date()
        settings = complete_company(body, row, company_settings(row["settings"]) if row["settings"] else None)
        wrong = check_company(settings, row["ledger"], books, today) + check_notify(settings, able=able)
        refuse(check_switches(settings, company_id, row["settings"]) + wrong)
        if not has_accounts:
            settings = with_proposals(settings, books)
        text = settings.model_dump(mode="json")
        revision = await save_snapshot(connection, batch, caller, "company", company_id, text, row["settings"])
    response.headers["etag"] = etag(revision)
    return settings


@routes.get("/companies/{company_id}/settings/history", operation_id="list_company_settings")
async def list_company_settings(
    company_id: str, caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[CompanySettingsVersion]:
    """Every version that was saved, newest first."""
    await company_routes.own(deps, caller, company_id)
    rows, after = await _history(deps, caller, "company", company_id, limit, cursor)
    items = [CompanySettingsVersion(**{**row, "settings": company_settings(row["settings"])}) for row in rows]
    return Page(items=items, next_cursor=after)


async def switch_company(deps: Gateway, caller: TenantPrincipal, company_id: str, **changes: Any) -> dict[str, Any]:
    """Change what has routes of its own (paused, approved_at) as one more version of the settings. Returns the row."""
    async with deps.runtime.transaction() as (connection, batch):
        row = found(
            await companies.one(connection, caller.tenant_id, company_id, lock=True), "company file", company_id
        )
        if row["settings"] is None:
            raise none_yet("company file", company_id)
        if any(row["settings"].get(name) != value for name, value in changes.items()):
            text = {**row["settings"], **changes}
            await save_snapshot(connection, batch, caller, "company", company_id, text, row["settings"])
            row = found(await companies.one(connection, caller.tenant_id, company_id), "company file", company_id)
    return row


async def save_snapshot(
    connection: Connection,
    batch: Batch,
    caller: TenantPrincipal,
    scope: Literal["connection", "company"],
    scope_id: str,
    text: dict[str, Any],
    before: dict[str, Any] | None,
) -> int:
    """Store, publish and audit one more version of settings that were checked. Returns its revision."""
    revision = await store.save(connection, scope, caller.tenant_id, scope_id, text, caller.key_id)
    batch.publish(
        snapshot(
            {
                "scope": scope,
                "scope_id": scope_id,
                "tenant_id": caller.tenant_id,
                "settings": text,
                "settings_revision": revision,
            }
        )
    )
    changed = sorted(name for name in text if (before or {}).get(name) != text[name])
    await audit.record(
        connection,
        tenant_id=caller.tenant_id,
        actor=caller.key_id,
        action=f"{scope}_settings_saved",
        subject=scope_id,
        details={"revision": revision, "changed": changed},
    )
    return revision


async def _history(
    deps: Gateway,
    caller: TenantPrincipal,
    scope: Literal["connection", "company"],
    scope_id: str,
    limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    before = after_number(f"{scope}_settings", cursor)
    rows = await store.history(deps.pool, scope, caller.tenant_id, scope_id, before, limit)
    return rows, following(f"{scope}_settings", rows, limit, "revision")
