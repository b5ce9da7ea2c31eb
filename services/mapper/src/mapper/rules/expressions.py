"""Free-form conditions in CEL, for what the table of comparisons can't say.

An expression is compiled once per version of its rule and can never hang the mapper: its length and nesting are
bounded, it may call only functions that take time in proportion to their input, loops may not stand within loops, and
all expressions of one order share a budget of loop steps. Numbers are doubles while they are compared; nothing that
an expression works out enters the books.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, Final, Protocol

from mapper.rules.comparisons import BadCondition
from mapper.rules.fields import FIELDS, Field, Kind, Scope, field_named
from mapper.rules.working import STEPS_MAX, Working

EXPRESSION: Final = "expression"
"""Stands where a condition names its field."""
LENGTH_MAX: Final = 500
DEPTH_MAX: Final = 20
LOOPS_MAX: Final = 3

LOOPS: Final = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
FUNCTIONS: Final = frozenset({"size", "contains", "startsWith", "endsWith", "int", "double", "string", "lowerAscii"})
CALLABLES: Final[dict[str, Any]] = {"lowerAscii": str.lower}
"""Functions that the library leaves to its caller."""
LISTS: Final[Mapping[str, Scope]] = {"lines": Scope.LINE, "payments": Scope.PAYMENT}
"""Variables to loop over: every line or payment with its fields."""
MAPS: Final[Mapping[str, Scope]] = {"custom": Scope.ORDER, "line_custom": Scope.LINE}
TRUTHS: Final = frozenset({"tax_included", "is_refund", "tax_exempt", "is_gift_card", "sku_missing"})
TEXTS: Final = frozenset({"email", "customer_tags", "tags", "discount_codes"})
"""Fields that hold several texts."""

_TOKEN: Final = re.compile(
    r"""(?P<text>[rR]?"(?:\\.|[^"\\])*"|[rR]?'(?:\\.|[^'\\])*')|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)"""
    r"""|(?P<space>\s+)|(?P<mark>.)""",
    re.DOTALL,
)
FAILURES: Final = (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What evaluating raises: unknown keys, types that can't be compared, division by zero, overflow."""


class ExpressionFailed(ValueError):
    """An expression that could not be evaluated on an order."""


class Program(Protocol):
    """What the CEL library compiles to."""

    def execute(self, context: dict[str, Any]) -> Any: ...

    def variables(self) -> list[str]: ...

    def functions(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of an expression from its tokens: loop variables with what they run over, names after dots."""

    loops: Mapping[str, str]
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `scope`: whose fields it names outright, so per what it is evaluated."""

    source: str
    scope: Scope
    program: Program
    fields: tuple[Field, ...]
    maps: tuple[str, ...]
    lists: tuple[tuple[str, Scope, tuple[Field, ...]], ...]

    def holds(self, working: Working, index: int, *, for_line: bool) -> bool:
        """Whether it is true of the order, or of the line or payment at `index`. Raises `ExpressionFailed`."""
        if not working.spend(1 + sum(working.count(scope) for _, scope, _ in self.lists)):
            raise ExpressionFailed(f"the order's expressions together took more than {STEPS_MAX} steps")
        context: dict[str, Any] = {
            field.name: _value(field, working.raw(field, index, for_line=for_line)) for field in self.fields
        }
        for name in self.maps:
            context[name] = (working.order if name == "custom" else working.lines[index]).custom_fields
        for one in self.lists:
            context[one[0]] = working.remembered(one, partial(_listed, working, one[1], one[2]))
        return self._run(context)

    def _run(self, context: dict[str, Any]) -> bool:
        try:
            result = self.program.execute(CALLABLES | context)
        except FAILURES as error:
            raise ExpressionFailed(_first_line(error)) from error
        if result is True or result is False:
            return result
        raise ExpressionFailed(f"it gives {str(result)[:100]!r}, not true or false")


def compile_expression(source: str) -> Expression:
    """Check and compile an expression. Raises `BadCondition` or `UnknownField`, naming what is wrong and the cure."""
    if not source.strip() or len(source) > LENGTH_MAX:
        raise BadCondition(f"an expression needs 1 to {LENGTH_MAX} characters; split a longer one into several rules")
    shape = _shape_of(source)
    program = _parsed(source)
    _check_functions(program)
    names = [name for name in program.variables() if name not in shape.loops]
    fields = tuple(field_named(name) for name in names if name not in LISTS and name not in MAPS)
    maps = tuple(name for name in names if name in MAPS)
    lists = tuple((name, LISTS[name], tuple(_fields_of(LISTS[name], shape.members))) for name in names if name in LISTS)
    scopes = {field.scope for field in fields} | {MAPS[name] for name in maps}
    if {Scope.LINE, Scope.PAYMENT} <= scopes:
        raise BadCondition(
            "it names fields of a line and of a payment together; loop over one of them, as in "
            "payments.exists(p, p.payment_method == 'Visa')"
        )
    scope = Scope.LINE if Scope.LINE in scopes else Scope.PAYMENT if Scope.PAYMENT in scopes else Scope.ORDER
    expression = Expression(source, scope, program, fields, maps, lists)
    _try_on_sample(expression)
    return expression


def _shape_of(source: str) -> _Shape:
    """Read the tokens for what bounds the work: nesting, loops within loops, loop variables."""
    tokens = [(str(found.lastgroup), found[0]) for found in _TOKEN.finditer(source) if found.lastgroup != "space"]
    loops: dict[str, str] = {}
    members: set[str] = set()
    open_marks: list[bool] = []
    for place, (kind, text) in enumerate(tokens):
        before = [one for _, one in tokens[max(place - 2, 0) : place]]
        after = [one for _, one in tokens[place + 1 : place + 4]]
        if kind == "text":
            members.add(text.strip("rR").strip("'\""))
        elif kind == "name" and before[-1:] == ["."]:
            if text in LOOPS and after[:1] == ["("]:
                _enter_loop(loops, open_marks, after, before[0] if len(before) == 2 else "")
            else:
                _check_member(loops, before[0] if len(before) == 2 else "", text)
                members.add(text)
        elif text in ("(", "[", "{"):
            open_marks.append(before[-1:] != ["."] and _opens_loop(tokens, place))
            if len(open_marks) > DEPTH_MAX:
                raise BadCondition(f"it is nested deeper than {DEPTH_MAX}; split it into several rules")
        elif text in (")", "]", "}") and open_marks:
            open_marks.pop()
    return _Shape(loops, frozenset(members))


def _opens_loop(tokens: list[tuple[str, str]], place: int) -> bool:
    return place >= 2 and tokens[place - 1][1] in LOOPS and tokens[place - 2][1] == "."


def _enter_loop(loops: dict[str, str], open_marks: list[bool], after: list[str], over: str) -> None:
    if any(open_marks):
        raise BadCondition("a loop stands within a loop, which could take too long; use two rules")
    variable = after[1] if len(after) == 3 and after[2] == "," else ""
    if not variable.isidentifier():
        raise BadCondition("a loop names its variable first, as in lines.exists(l, l.sku == 'A')")
    if variable in FIELDS or variable in LISTS or variable in MAPS:
        raise BadCondition(f"the loop variable {variable!r} is the name of a field; give it another name")
    if loops.get(variable, over) != over or len(loops) >= LOOPS_MAX:
        raise BadCondition(f"it has too many loops ({LOOPS_MAX} at most, each variable over one list); use two rules")
    loops[variable] = over


def _check_member(loops: Mapping[str, str], owner: str, name: str) -> None:
    """Refuse a field that no line or payment has where the loop says which of them is meant."""
    scope = LISTS.get(loops.get(owner, ""))
    known = FIELDS.get(name)
    if scope is not None and (known is None or known.scope is not scope):
        field_named(name)
        raise BadCondition(f"{name!r} is no field of {loops[owner]}; name it without {owner!r} in front")


def _parsed(source: str) -> Program:
    # Imported where it is first needed: the library brings a command line along, which takes a third of a second.
    import cel  # noqa: PLC0415

    try:
        return cel.compile(source)
    except FAILURES as error:
        raise BadCondition(f"it is not a CEL expression: {str(error)[:300]}") from error


def _check_functions(program: Program) -> None:
    unknown = [name for name in program.functions() if name.isidentifier() and name not in FUNCTIONS]
    if unknown:
        hint = "; use the comparison `regex` of its own" if "matches" in unknown else ""
        raise BadCondition(f"there is no function {unknown[0]!r}{hint}; there are {', '.join(sorted(FUNCTIONS))}")


def _fields_of(scope: Scope, members: frozenset[str]) -> Iterable[Field]:
    return (field for field in FIELDS.values() if field.scope is scope and field.name in members)


def _listed(working: Working, scope: Scope, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    return [
        {field.name: _value(field, working.raw(field, place)) for field in fields}
        for place in range(working.count(scope))
    ]


def _value(field: Field, raw: Any) -> Any:
    """An order's value as CEL knows it: numbers, truths, lists of texts, texts; dates as 2026-01-31."""
    if raw is None and field.kind is Kind.DATE:
        return ""
    if raw is None or isinstance(raw, bool | Decimal):
        return raw
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, tuple):
        return list(raw)
    return raw.value if isinstance(raw, StrEnum) else str(raw)


def _sample_of(field: Field) -> Any:
    if field.name in TRUTHS:
        return True
    if field.name in TEXTS:
        return ["a"]
    samples: dict[Kind, Any] = {Kind.TEXT: "a", Kind.NUMBER: Decimal(1), Kind.DATE: "2026-01-31"}
    return samples[field.kind]


def _try_on_sample(expression: Expression) -> None:
    """Refuse what can't be right on any order: types that don't compare, an answer that is no truth."""
    context = {field.name: _sample_of(field) for field in expression.fields}
    context.update({name: {} for name in expression.maps})
    context.update({name: [{one.name: _sample_of(one) for one in fields}] for name, _, fields in expression.lists})
    try:
        expression._run(context)  # noqa: SLF001 - the same module
    except ExpressionFailed as error:
        if error.__cause__ is None or isinstance(error.__cause__, TypeError):
            raise BadCondition(f"{expression.source!r} can't be evaluated: {error}") from error


def _first_line(error: BaseException) -> str:
    return (str(error.args[0]) if error.args else type(error).__name__).partition("\n")[0][:300]


Test = Callable[[Working, int, Scope], bool]


def expression_test(expression: Expression, rule_name: str) -> Test:
    """The expression as a condition of a rule: where it fails, the rule is named in a warning and does not hold."""

    def at(working: Working, index: int, *, for_line: bool) -> bool:
        try:
            return expression.holds(working, index, for_line=for_line)
        except ExpressionFailed as error:
            working.directives.failures.setdefault(rule_name, str(error))
            return False

    def holds(working: Working, index: int, scope: Scope) -> bool:
        for_line = scope is Scope.LINE
        if expression.scope is Scope.ORDER:
            return at(working, 0, for_line=for_line)
        if expression.scope is scope:
            return at(working, index, for_line=for_line)
        return any(at(working, place, for_line=for_line) for place in range(working.count(expression.scope)))

    return holds
