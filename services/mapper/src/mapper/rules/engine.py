"""Runs compiled rules on one order: top-down by priority, each seeing what the earlier ones did."""

import heapq
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from common.messages.orders import Order
from mapper.mapping.directives import NO_DIRECTIVES, Directives
from mapper.rules.action_checks import BadValue
from mapper.rules.action_table import ActionKind, shown_value
from mapper.rules.fields import Field, Scope, field_named, text_of
from mapper.rules.model import Rule
from mapper.rules.working import Working

Predicate = Callable[[Working, int, Scope], bool]
"""Does the rule hold for the line or tender at an index, seen from the action's scope?"""

TEMPLATE: Final = re.compile(r"\{([a-z_0-9.]+)\}")


@dataclass(frozen=True, slots=True)
class Change:
    """What one rule did: for the dry run and the preview."""

    rule_id: str
    name: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions as one predicate. `anchor`: a field and the texts of which one must be there."""

    rule: Rule
    kind: ActionKind
    holds: Predicate
    anchor: tuple[Field, frozenset[str]] | None


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules of one tenant that are enabled for one connection, in order.

    Rules that need a field to have one of a few values are found through an index, so that thousands of rules that map
    one product each cost what the order's few products cost.
    """

    revision: int = 0
    rules: tuple[CompiledRule, ...] = ()
    unanchored: tuple[int, ...] = ()
    anchors: tuple[tuple[Field, dict[str, tuple[int, ...]]], ...] = ()
    about_refunds: tuple[int, ...] = ()
    """Rules that also run on refunds."""
    defers_invoices: bool = False
    """Whether any rule lets invoices wait: then they follow the shipments (section 9)."""

    def apply(self, order: Order, trace: list[Change] | None = None) -> tuple[Order, Directives]:
        """The order as the rules leave it, and what they decided beyond its fields.

        With `trace`, every change is appended to it.
        """
        if not self.rules:
            return order, NO_DIRECTIVES
        working = Working(order)
        self._run(working, trace, None)
        result = working.result()
        if order.refunds and self.about_refunds:
            self._run_on_refunds(result, working.directives, trace)
        return result, working.directives

    def _run_on_refunds(self, order: Order, directives: Directives, trace: list[Change] | None) -> None:
        """What rules say about the goods that came back, without touching the sale."""
        working = Working(order, of_refund=True)
        self._run(working, trace, frozenset(self.about_refunds))
        directives.failures.update(working.directives.failures)
        for before, after in zip(order.lines, working.lines, strict=True):
            if before.sku != after.sku:
                directives.refund_skus[before.external_id] = after.sku
        if working.order.number != order.number:
            directives.refund_number = working.order.number

    def _run(self, working: Working, trace: list[Change] | None, only: frozenset[int] | None) -> None:
        # Lines of one SKU find the same rule, which runs once all the same. A sorted list is a heap.
        seen = set(self._candidates(working))
        waiting = sorted(seen)
        stopped: set[tuple[Scope, int]] = set()
        while waiting:
            position = heapq.heappop(waiting)
            if only is not None and position not in only:
                continue
            compiled = self.rules[position]
            if self._run_one(compiled, working, stopped, trace):
                for found in self._candidates(working, moved=True):
                    if found > position and found not in seen:
                        seen.add(found)
                        heapq.heappush(waiting, found)

    def _candidates(self, working: Working, *, moved: bool = False) -> list[int]:
        """Positions of rules that could hold now; after a change only those that an index finds can be new."""
        found: list[int] = [] if moved else list(self.unanchored)
        for anchor, index in self.anchors:
            for place in range(working.count(anchor.scope)):
                found.extend(index.get(working.text(anchor, place), ()))
                if anchor.name == "financial_status":
                    found.extend(index.get(working.text(anchor, place, for_line=True), ()))
        return found

    def _run_one(
        self, compiled: CompiledRule, working: Working, stopped: set[tuple[Scope, int]], trace: list[Change] | None
    ) -> bool:
        scope = compiled.kind.scope
        changed = False
        for index in range(working.count(scope)):
            if (scope, index) in stopped or not compiled.holds(working, index, scope):
                continue
            before = (
                text_of(shown_value(working, compiled.kind, compiled.rule.action, index)) if trace is not None else ""
            )
            value = value_of(compiled.rule, working, index)
            if not _is_usable(compiled, value, working):
                continue
            compiled.kind.apply(working, index, value, compiled.rule)
            changed = True
            if trace is not None:
                after = text_of(shown_value(working, compiled.kind, compiled.rule.action, index))
                trace.append(Change(compiled.rule.rule_id, compiled.rule.name, compiled.kind.shows, before, after))
            if compiled.rule.stop:
                stopped.add((scope, index))
        return changed


def _is_usable(compiled: CompiledRule, value: str, working: Working) -> bool:
    """Whether a value that comes from the order is one the action takes; if not, the rule is named in a warning."""
    rule = compiled.rule
    if rule.clear or not (rule.copy_from or "{" in rule.value):
        return True
    try:
        compiled.kind.check(value)
    except BadValue as error:
        working.directives.failures.setdefault(rule.name, str(error))
        return False
    return True


def value_of(rule: Rule, working: Working, index: int) -> str:
    """The rule's value with templates filled in from the order as it is now."""
    if rule.clear:
        return ""
    if rule.copy_from:
        return _current(rule.copy_from, working, index)
    if "{" not in rule.value:
        return rule.value
    return TEMPLATE.sub(lambda found: _current(found[1], working, index), rule.value)


def _current(name: str, working: Working, index: int) -> str:
    wanted = field_named(name)
    place = index if index < working.count(wanted.scope) else 0
    if not working.count(wanted.scope):
        return ""
    return text_of(working.raw(wanted, place))
