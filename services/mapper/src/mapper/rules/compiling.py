"""From rules as data to rules that run; what is wrong with one is said when it is saved."""

from collections.abc import Sequence

from common.errors import Rejected
from common.internal.mapper_rules import Action, Comparison, Condition, Group
from common.messages.base import Reason
from mapper.rules.action_checks import BadValue
from mapper.rules.action_table import ACTIONS
from mapper.rules.comparisons import BadCondition, compile_condition, wanted_text
from mapper.rules.engine import TEMPLATE, CompiledRule, CompiledRules, Predicate
from mapper.rules.expressions import EXPRESSION, compile_expression, expression_test
from mapper.rules.fields import Field, Scope, UnknownField, field_named
from mapper.rules.model import DEPTH_MAX, WITHOUT_ARGUMENT, Rule
from mapper.rules.working import Working


class RuleRefused(Rejected):
    """A rule that can't be compiled: names the rule, the part and the cure."""


class _Misfit(ValueError):
    """What is wrong with a condition: the place in the rule, such as `conditions.0.field`, and what stands there."""

    def __init__(self, place: str, value: str, problem: str) -> None:
        super().__init__(problem)
        self.place = place
        self.value = value


def refused(rule: Rule, part: str, value: str, problem: str) -> RuleRefused:
    return RuleRefused(
        Reason(
            code="RULE_REFUSED",
            text=f"The rule {rule.name!r} can't be used: {problem}"[:4000],
            cure=problem[:500],
            field=part[:500],
            value=value[:500],
        )
    )


def compile_rules(rules: Sequence[Rule], *, connection_id: str, revision: int) -> CompiledRules:
    """Compile the enabled rules that apply to a connection. Raises `RuleRefused` for the first that can't be."""
    wanted = sorted(
        (rule for rule in rules if rule.enabled and rule.direction == "to_ledger" and _applies(rule, connection_id)),
        key=lambda rule: (rule.priority, rule.name, rule.rule_id),
    )
    compiled = tuple(compile_rule(rule) for rule in wanted)
    unanchored: list[int] = []
    index: dict[str, tuple[Field, dict[str, list[int]]]] = {}
    for position, one in enumerate(compiled):
        if one.anchor is None:
            unanchored.append(position)
            continue
        anchor, texts = one.anchor
        held = index.setdefault(anchor.name, (anchor, {}))[1]
        for text in texts:
            held.setdefault(text, []).append(position)
    return CompiledRules(
        revision=revision,
        rules=compiled,
        unanchored=tuple(unanchored),
        anchors=tuple(
            (anchor, {text: tuple(positions) for text, positions in held.items()}) for anchor, held in index.values()
        ),
        defers_invoices=any(one.rule.action is Action.DO_NOT_CREATE_INVOICE for one in compiled),
        about_refunds=tuple(position for position, one in enumerate(compiled) if one.kind.for_refunds),
    )


def _applies(rule: Rule, connection_id: str) -> bool:
    return rule.connections == "all" or connection_id in rule.connections


def compile_rule(rule: Rule) -> CompiledRule:
    """Check and compile one rule. Raises `RuleRefused`."""
    kind = ACTIONS[rule.action]
    _check_value(rule)
    try:
        holds = _group(Group(match=rule.match, conditions=rule.conditions), 1, rule.name, "conditions")
    except _Misfit as error:
        raise refused(rule, error.place, error.value, str(error)) from error
    return CompiledRule(rule, kind, holds, _anchor(rule))


def _check_value(rule: Rule) -> None:
    if rule.action not in WITHOUT_ARGUMENT:
        _check_is_one(rule)
    try:
        for name in TEMPLATE.findall(rule.value):
            field_named(name)
        if rule.copy_from:
            field_named(rule.copy_from)
        if rule.value and "{" not in rule.value and rule.action not in WITHOUT_ARGUMENT:
            ACTIONS[rule.action].check(rule.value)
    except (UnknownField, BadValue) as error:
        part = "copy_from" if rule.copy_from else "value"
        raise refused(rule, part, rule.copy_from or rule.value, str(error)) from error


def _check_is_one(rule: Rule) -> None:
    given = [part for part in ("value", "copy_from", "clear") if getattr(rule, part)]
    if not given:
        problem = "the value is empty: give one, say `clear` to empty the field, or `copy_from` another field"
        raise refused(rule, "value", "", problem)
    if len(given) > 1:
        raise refused(rule, given[0], getattr(rule, given[0]), "give one of value, copy_from and clear")


def _group(group: Group, depth: int, rule_name: str, place: str) -> Predicate:
    if depth > DEPTH_MAX:
        raise _Misfit(place, "", f"groups are nested deeper than {DEPTH_MAX}; split the rule")
    # Expressions cost the most, so they come last: what the other conditions have decided is not evaluated.
    ordered = sorted(
        enumerate(group.conditions),
        key=lambda pair: isinstance(pair[1], Condition) and pair[1].comparison is Comparison.CEL,
    )
    parts = [
        _group(one, depth + 1, rule_name, f"{place}.{number}.conditions")
        if isinstance(one, Group)
        else _placed(one, rule_name, f"{place}.{number}")
        for number, one in ordered
    ]
    if not parts:
        return lambda _working, _index, _scope: True
    if len(parts) == 1:
        return parts[0]
    if group.match == "all":
        return lambda working, index, scope: all(part(working, index, scope) for part in parts)
    return lambda working, index, scope: any(part(working, index, scope) for part in parts)


def _placed(condition: Condition, rule_name: str, place: str) -> Predicate:
    try:
        return _condition(condition, rule_name)
    except (UnknownField, BadCondition) as error:
        expression = condition.comparison is Comparison.CEL and condition.field == EXPRESSION
        if not expression and (isinstance(error, UnknownField) or condition.comparison is Comparison.CEL):
            raise _Misfit(f"{place}.field", condition.field, str(error)) from error
        if condition.comparison in (Comparison.IN_LIST, Comparison.BETWEEN):
            raise _Misfit(f"{place}.values", ", ".join(condition.values), str(error)) from error
        raise _Misfit(f"{place}.value", condition.value, str(error)) from error


def _condition(condition: Condition, rule_name: str) -> Predicate:
    """A condition on a line or payment field holds for an order if it holds for any of them."""
    if condition.comparison is Comparison.CEL:
        if condition.field != EXPRESSION:
            raise BadCondition(f"the comparison cel stands alone: write {EXPRESSION!r} as its field")
        return expression_test(compile_expression(condition.value), rule_name)
    known = field_named(condition.field)
    test = compile_condition(condition, known.kind)
    if known.scope is Scope.ORDER:
        return lambda working, _index, scope: test(working.text(known, 0, for_line=scope is Scope.LINE))

    def holds(working: Working, index: int, scope: Scope) -> bool:
        if scope is known.scope:
            return test(working.text(known, index))
        return any(test(working.text(known, place)) for place in range(working.count(known.scope)))

    return holds


def _anchor(rule: Rule) -> tuple[Field, frozenset[str]] | None:
    """A condition that must hold and names its texts outright: the rule need not be looked at without one of them."""
    if rule.match == "any" and len(rule.conditions) > 1:
        return None
    best: tuple[Field, frozenset[str]] | None = None
    for one in rule.conditions:
        if isinstance(one, Group):
            continue
        texts = _texts(one)
        if not texts:
            continue
        known = field_named(one.field)
        normalised = frozenset(wanted_text(text, known.kind) for text in texts)
        if "*" in normalised:
            continue
        if best is None or (best[0].scope is Scope.ORDER and known.scope is not Scope.ORDER):
            best = (known, normalised)
    return best


def _texts(condition: Condition) -> tuple[str, ...]:
    if condition.comparison is Comparison.EQUALS and condition.value:
        return (condition.value,)
    return condition.values if condition.comparison is Comparison.IN_LIST else ()
