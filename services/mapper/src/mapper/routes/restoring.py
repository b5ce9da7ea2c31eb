"""Rules and maps of a back-up, taken in as a whole: all that can be used is found out before anything is saved."""

import uuid

from fastapi import APIRouter

from common.application import CurrentRuntime, InternalCaller
from common.database import Connection
from common.errors import Rejected
from common.internal.mapper import MapEntry
from common.internal.mapper_checks import DraftRule, Restore, Restored
from common.messages.base import Reason
from common.problems import Problem
from mapper.routes.rules import CurrentWaker, check_room, checked
from mapper.rules.model import Rule
from mapper.store.locks import change_configuration
from mapper.store.maps import map_page, save_map, source_key
from mapper.store.orders import MARK_TENANT
from mapper.store.rules import is_stored, read_rules, write_rule

router = APIRouter(prefix="/internal", tags=["rules"])

MAP = "products"
_PAGE = 5000
_PROBLEMS_MAX = 50


@router.post("/restore", operation_id="restore_configuration")
async def restore(body: Restore, runtime: CurrentRuntime, waker: CurrentWaker, _: InternalCaller) -> Restored:
    """Save rules and map entries in one transaction, or say what would be saved and what can't be."""
    rules, problems = _read(body.rules)
    if problems:
        return Restored(problems=tuple(problems[:_PROBLEMS_MAX]))
    async with runtime.transaction() as (connection, batch):
        await change_configuration(connection, [body.tenant_id])
        held = {row["name"]: row for row in await read_rules(connection, body.tenant_id)}
        fresh = [rule for rule in rules if rule.name not in held]
        changed = [rule for rule in rules if rule.name in held and not is_stored(rule, held[rule.name])]
        entries = await _new_entries(connection, body.tenant_id, body.entries)
        await check_room(connection, body.tenant_id, len(fresh), runtime.settings)
        if not body.dry_run:
            for rule in (*fresh, *changed):
                row = held.get(rule.name)
                rule_id = row["rule_id"] if row else str(uuid.uuid4())
                revision = row["revision"] + 1 if row else 1
                await write_rule(connection, body.tenant_id, rule.model_copy(update={"rule_id": rule_id}), revision)
            if entries:
                await save_map(connection, body.tenant_id, MAP, entries)
            if fresh or changed or entries:
                batch.execute(MARK_TENANT, body.tenant_id)
                batch.after_commit(waker.wake)
    return Restored(
        rules_created=len(fresh),
        rules_replaced=len(changed),
        rules_unchanged=len(rules) - len(fresh) - len(changed),
        entries_saved=len(entries),
        entries_unchanged=len(body.entries) - len(entries),
    )


def _read(drafts: tuple[DraftRule, ...]) -> tuple[list[Rule], list[Reason]]:
    rules: dict[str, Rule] = {}
    problems: list[Reason] = []
    for number, draft in enumerate(drafts):
        place = f"rules.{number}."
        try:
            rule = checked(draft, "", place)
        except Problem as problem:
            first = problem.details.errors[0] if problem.details.errors else None
            problems.append(
                Reason(
                    code="RULE_REFUSED",
                    text=f"The rule {draft.name!r}: {first.cure if first else problem.details.detail}"[:4000],
                    cure="Correct the rule in the file.",
                    field=(first.field if first else place)[:500],
                    value=(first.value or "" if first else "")[:500],
                )
            )
        except Rejected as error:
            problems.append(error.reason.model_copy(update={"cure": "Correct the rule in the file."}))
        else:
            if rule.name in rules:
                text = f"The name {rule.name!r} stands twice."
                problems.append(
                    Reason(
                        code="RULE_REFUSED",
                        text=text,
                        cure="Give one of them another name.",
                        field=f"{place}name",
                        value=rule.name,
                    )
                )
            rules[rule.name] = rule
    return list(rules.values()), problems


async def _new_entries(connection: Connection, tenant_id: str, entries: tuple[MapEntry, ...]) -> list[MapEntry]:
    """Entries that are not stored just so."""
    stored: dict[tuple[str, str], str] = {}
    after = ("", "")
    while rows := await map_page(connection, tenant_id, MAP, "", after, _PAGE):
        stored |= {(row["connection_id"], row["source_key"]): row["target"] for row in rows}
        after = (rows[-1]["connection_id"], rows[-1]["source_key"])
    wanted = {(entry.connection_id, source_key(entry.source)): entry for entry in entries if entry.target}
    return [entry for key, entry in wanted.items() if stored.get(key) != entry.target]
