"""Back-up and restore of a company file's settings, its connections' settings, rules and maps as one file."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Response

from api.connection_tasks import ensure_tasks
from api.restoring import MISSING_MAX, Ledger, mapped_entries, mapped_rules, missing_in, moved, taken_unasked, unmapped
from api.routes import companies as company_routes
from api.routes.base import Deps, Gateway, router
from api.routes.ledger_names import read_names
from api.routes.rule_gate import refused_names, stored_rules, unknown_connections
from api.routes.settings import save_snapshot
from api.routes.settings_gate import (
    can_notify,
    check_notify,
    company_settings,
    connection_settings,
    none_yet,
    read_books,
    refuse,
)
from api.rule_checks import Named, check_connections, named_by
from api.security import Reader, TenantPrincipal, Writer
from api.settings_checks import check_company, check_connection, named_accounts
from api.sheets import attachment
from api.store import audit, companies, connections
from api.views.backup import Backup, BackupEntry, BackupMaps, BackupRule, Changes, RestoreReport, RestoreRequest
from common.cures import FieldProblem
from common.internal import mapper
from common.internal.mapper_checks import DraftRule, Restore, Restored
from common.messages.control import CompanySettings, ConnectionSettings

routes = router("books")

_MAP_PAGE = 1000
_ANY = "*"
_LISTS = ("items", "payment_methods", "classes", "departments", "tax_codes")


@routes.get("/companies/{company_id}/backup", operation_id="back_up")
async def back_up(company_id: str, caller: Reader, deps: Deps, response: Response) -> Backup:
    """Settings of the company file and of the connections that point at it, all rules, and their maps, as one file.

    Credentials, sign-ins and links to documents are never in it.
    """
    row = await company_routes.own(deps, caller, company_id)
    if row["settings"] is None:
        raise none_yet("company file", company_id)
    pointing = [
        connection_settings(each["settings"])
        for each in await connections.of_company(deps.pool, caller.tenant_id, company_id)
    ]
    entries = await _entries(deps, caller.tenant_id)
    mine = {_ANY, *(each.connection_id for each in pointing)}
    response.headers.update(attachment(f"tillbook-{company_id}.json"))
    return Backup(
        made_at=datetime.now(UTC),
        company=company_settings(row["settings"]),
        connections=sorted(pointing, key=lambda each: each.connection_id),
        rules=[
            BackupRule(name=one.name, enabled=one.enabled, priority=one.priority, definition=one.definition)
            for one in await stored_rules(deps, caller.tenant_id)
        ],
        maps=BackupMaps(products=[entry for entry in entries if entry.connection_id in mine]),
    )


@routes.post("/companies/{company_id}/restore", operation_id="restore")
async def restore(company_id: str, body: RestoreRequest, caller: Writer, deps: Deps) -> RestoreReport:
    """Take settings, rules and maps of a back-up over into a company file; without `dry_run: false` only say what would
    change.

    Everything is checked before anything is saved; every wrong field is named. Approval, pause and a later
    `closed_through` of the company file stay as they are. A rule of the same name is replaced, others are kept. A rule
    for a connection that is not here is taken over as it is, and `missing` names it.

    A connection of the back-up that is here and points at another company file is moved to this one, where all its
    orders are planned then, only if `connections` names it (`{"con_…": "con_…"}`); else the restore is refused (422).
    """
    row = await company_routes.own(deps, caller, company_id)
    company, wanted, wrong = await _settings(deps, caller, row, body)
    refuse(wrong)
    targets = {each.connection_id for each in body.backup.connections}
    names = {old: body.connections.get(old, old) for old in targets}
    rules = mapped_rules(body.backup.rules, names)
    places = {each.connection_id: company_id for each in wanted}
    refuse(await refused_names(deps, caller.tenant_id, _named(rules), places))
    ledger = await _ledger(deps, caller.tenant_id, company_id)
    asked = Restore(
        tenant_id=caller.tenant_id,
        rules=rules,
        entries=mapped_entries(body.backup.maps.products, names),
        dry_run=True,
    )
    # First without saving: what one service refuses must not be half done in the other.
    found = await deps.services.mapper.post("/internal/restore", asked, Restored)
    refuse([FieldProblem(field=f"body.backup.{one.field}", value=one.value, cure=f"{one.text} {one.cure}".strip())
            for one in found.problems])  # fmt: skip
    changes = await _save(deps, caller, company, wanted, dry_run=body.dry_run)
    if not body.dry_run:
        found = await deps.services.mapper.post(
            "/internal/restore", asked.model_copy(update={"dry_run": False}), Restored
        )
    return RestoreReport(
        dry_run=body.dry_run,
        restored=not body.dry_run,
        made_at=body.backup.made_at,
        changes=Changes(
            company=changes.pop(company.company_id, []),
            connections=changes,
            rules_created=found.rules_created,
            rules_replaced=found.rules_replaced,
            rules_unchanged=found.rules_unchanged,
            map_rows_saved=found.entries_saved,
            map_rows_unchanged=found.entries_unchanged,
        ),
        missing=[
            *await _absent(deps, caller.tenant_id, rules),
            *missing_in(ledger, wanted, body.backup.maps.products),
        ][:MISSING_MAX],
    )


async def _settings(
    deps: Gateway, caller: TenantPrincipal, row: dict[str, Any], body: RestoreRequest
) -> tuple[CompanySettings, list[ConnectionSettings], list[FieldProblem]]:
    """The file's settings as they would stand here, and what is wrong with them."""
    backup = body.backup
    before = company_settings(row["settings"]) if row["settings"] else None
    company = backup.company.model_copy(
        update={
            "company_id": row["company_id"],
            "approved_at": before.approved_at if before else None,
            "paused": before.paused if before else False,
            "closed_through": max(backup.company.closed_through, before.closed_through)
            if before
            else backup.company.closed_through,
        }
    )
    named = {name for each in backup.connections for _, _, name in named_accounts(each)}
    books = await read_books(deps, caller.tenant_id, row["company_id"], {*company.accounts.values(), *named})
    wrong = check_company(company, row["ledger"], books, datetime.now(UTC).date())
    wrong += check_notify(company, able=await can_notify(deps, caller.tenant_id, row["company_id"], company))
    wrong = [one.model_copy(update={"field": one.field.replace("body.", "body.backup.company.", 1)}) for one in wrong]
    known = {each["connection_id"]: each async for each in _own_connections(deps, caller.tenant_id)}
    wrong += unmapped(backup.connections, body.connections, {name: each["channel"] for name, each in known.items()})
    places = await connections.pointing(deps.pool, caller.tenant_id)
    wrong += taken_unasked(backup.connections, body.connections, places, row["company_id"])
    wanted = []
    for number, each in enumerate(backup.connections):
        target = known.get(body.connections.get(each.connection_id, each.connection_id))
        if target is None:
            continue
        settings = moved(each, target["connection_id"], target["channel"], row["company_id"])
        wanted.append(settings)
        wrong += [
            one.model_copy(update={"field": one.field.replace("body.", f"body.backup.connections.{number}.", 1)})
            for one in check_connection(settings, row["capabilities"], company.accounts, books)
        ]
    return company, wanted, wrong


async def _own_connections(deps: Gateway, tenant_id: str) -> Any:
    after = None
    while rows := await connections.page(deps.pool, tenant_id, after, 500):
        for row in rows:
            yield row
        after = (rows[-1]["created_at"], rows[-1]["connection_id"])


async def _save(
    deps: Gateway,
    caller: TenantPrincipal,
    company: CompanySettings,
    wanted: Iterable[ConnectionSettings],
    *,
    dry_run: bool,
) -> dict[str, list[str]]:
    """Save what differs in one transaction. Returns company or connection → names of settings that change."""
    changes: dict[str, list[str]] = {}
    async with deps.runtime.transaction() as (connection, batch):
        row = await companies.one(connection, caller.tenant_id, company.company_id, lock=True)
        text = company.model_dump(mode="json")
        before = row["settings"] if row else None
        changes[company.company_id] = _changed(company_settings(before) if before else None, text)
        if not dry_run and changes[company.company_id]:
            await save_snapshot(connection, batch, caller, "company", company.company_id, text, before)
        for settings in wanted:
            identity = settings.connection_id
            row = await connections.one(connection, caller.tenant_id, identity, lock=True)
            text = settings.model_dump(mode="json")
            before = row["settings"] if row else None
            changes[identity] = _changed(connection_settings(before) if before else None, text)
            if not dry_run and row is not None and changes[identity]:
                await save_snapshot(connection, batch, caller, "connection", identity, text, before)
                await ensure_tasks(connection, row, settings)
        if not dry_run:
            await audit.record(
                connection,
                tenant_id=caller.tenant_id,
                actor=caller.key_id,
                action="restored",
                subject=company.company_id,
                details={"changed": {name: fields for name, fields in changes.items() if fields}},
            )
    return changes


def _changed(before: CompanySettings | ConnectionSettings | None, after: dict[str, Any]) -> list[str]:
    """Names of settings that say something else; one moment may be written in two ways."""
    stored = before.model_dump(mode="json") if before else {}
    return sorted(name for name, value in after.items() if stored.get(name) != value)


async def _entries(deps: Gateway, tenant_id: str) -> list[BackupEntry]:
    entries: list[BackupEntry] = []
    cursor: str | None = None
    while True:
        page = await deps.services.mapper.get(
            "/internal/maps/products", mapper.MapPage, tenant_id=tenant_id, limit=_MAP_PAGE, cursor=cursor
        )
        entries += [
            BackupEntry(connection_id=one.connection_id, source=one.source, target=one.target) for one in page.items
        ]
        cursor = page.next_cursor
        if cursor is None:
            return entries


def _named(rules: Iterable[DraftRule]) -> Iterator[Named | None]:
    for number, rule in enumerate(rules):
        yield named_by(f"backup.rules.{number}.definition.value", rule.definition, enabled=rule.enabled)


async def _absent(deps: Gateway, tenant_id: str, rules: Sequence[DraftRule]) -> list[FieldProblem]:
    """Connections that rules of the file are for and that are not here: only those of its company file can be moved."""
    unknown = await unknown_connections(deps, tenant_id, [rule.definition for rule in rules])
    return [
        one
        for number, rule in enumerate(rules)
        for one in check_connections(f"backup.rules.{number}.definition", rule.definition, unknown)
    ]


async def _ledger(deps: Gateway, tenant_id: str, company_id: str) -> Ledger:
    """Names in the ledger's lists, for saying what of a back-up it lacks."""
    return Ledger({each: await read_names(deps, tenant_id, company_id, each) for each in _LISTS})
