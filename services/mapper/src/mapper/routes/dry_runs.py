"""Rules tried on orders before they are saved: for each rule, whether it matched, and before → after."""

from collections.abc import Sequence

from fastapi import APIRouter

from common.application import CurrentRuntime, InternalCaller
from common.internal.mapper import AppliedRule
from common.internal.mapper_checks import DryRun, DryRunResult, OrderRun, RuleRun
from common.messages.orders import Order
from mapper.routes.rules import checked
from mapper.rules.compiling import compile_rules
from mapper.rules.engine import Change, CompiledRules
from mapper.rules.model import Rule
from mapper.store.orders import read_orders
from mapper.store.rules import read_rules, rule_of

router = APIRouter(prefix="/internal", tags=["rules"])


@router.post("/rules/dry-run", operation_id="dry_run_rules")
async def dry_run(body: DryRun, runtime: CurrentRuntime, _: InternalCaller) -> DryRunResult:
    """Run orders through the saved rules and the drafts. A draft with the id of a saved rule stands in for it."""
    drafts = [
        checked(draft, draft.rule_id or f"draft-{number}", f"drafts.{number}.")
        for number, draft in enumerate(body.drafts)
    ]
    keys = [(body.tenant_id, *key.partition("/")[::2]) for key in dict.fromkeys(body.order_keys)]
    async with runtime.pool.acquire() as connection, connection.transaction(readonly=True):
        orders = await read_orders(connection, keys)
        saved = [] if body.only_drafts else [rule_of(row) for row in await read_rules(connection, body.tenant_id)]
    replaced = {draft.rule_id for draft in drafts}
    rules = [*(rule for rule in saved if rule.rule_id not in replaced), *drafts]
    compiled = {
        connection_id: compile_rules(rules, connection_id=connection_id, revision=0)
        for connection_id in {key[1] for key in orders}
    }
    return DryRunResult(
        orders=tuple(_run(orders[key], compiled[key[1]], drafts) for key in keys if key in orders),
        missing=tuple(f"{key[1]}/{key[2]}" for key in keys if key not in orders),
    )


def _run(order: Order, rules: CompiledRules, drafts: Sequence[Rule]) -> OrderRun:
    trace: list[Change] = []
    after, _ = rules.apply(order, trace)
    changes: dict[str, list[Change]] = {}
    for change in trace:
        changes.setdefault(change.rule_id, []).append(change)
    asked = {draft.rule_id for draft in drafts}
    shown = [
        *(one.rule for one in rules.rules if one.rule.rule_id in changes or one.rule.rule_id in asked),
        # Disabled, or of other connections: it was asked for, so it is answered for.
        *(draft for draft in drafts if draft.rule_id not in {one.rule.rule_id for one in rules.rules}),
    ]
    return OrderRun(
        order_key=order.key,
        number=order.number,
        rules=tuple(_shown(rule, changes.get(rule.rule_id, [])) for rule in shown),
        not_matched=sum(one.rule.rule_id not in changes and one.rule.rule_id not in asked for one in rules.rules),
        total_before=order.total,
        total_after=after.total,
        currency=after.currency,
    )


def _shown(rule: Rule, changes: Sequence[Change]) -> RuleRun:
    return RuleRun(
        rule_id=rule.rule_id,
        name=rule.name,
        priority=rule.priority,
        matched=bool(changes),
        changes=tuple(
            AppliedRule(rule_id=one.rule_id, name=one.name, field=one.field, before=one.before, after=one.after)
            for one in changes
        ),
    )
