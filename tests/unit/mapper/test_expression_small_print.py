"""Free-form conditions to the letter: what a person is told, where the limits lie, and what a name stands for."""

from datetime import date

import pytest
from tests.unit.mapper.samples import D, example_a, first_refund, line, tender
from tests.unit.mapper.test_expressions import cel
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import FinancialStatus
from mapper.rules.compiling import RuleRefused, compile_rule
from mapper.rules.expressions import ExpressionFailed, compile_expression
from mapper.rules.fields import Scope
from mapper.rules.working import Working

FUNCTIONS = "contains, double, endsWith, int, lowerAscii, size, startsWith, string"
LONG_TEXT = "'" + "a" * 120 + "'"
PARSER_SAID = "it is not a CEL expression: "

REFUSALS = [
    (
        "sku == 'A' && payment_method == 'Visa'",
        (
            "it names fields of a line and of a payment together; loop over one of them, as in "
            "payments.exists(p, p.payment_method == 'Visa')"
        ),
    ),
    (
        "lines.exists(l, payments.exists(p, true))",
        "a loop stands within a loop, which could take too long; use two rules",
    ),
    ("lines.exists(true)", "a loop names its variable first, as in lines.exists(l, l.sku == 'A')"),
    ("lines.all(payments, true)", "the loop variable 'payments' is the name of a field; give it another name"),
    ("lines.all(custom, true)", "the loop variable 'custom' is the name of a field; give it another name"),
    (
        "lines.all(x, true) && payments.all(x, true)",
        "it has too many loops (3 at most, each variable over one list); use two rules",
    ),
    (
        "sku.matches('A')",
        f"there is no function 'matches'; use the comparison `regex` of its own; there are {FUNCTIONS}",
    ),
    ("now() == 1", f"there is no function 'now'; there are {FUNCTIONS}"),
    ("lines.all(l, l.total > 1.0)", "'total' is no field of lines; name it without 'l' in front"),
    ("total + 1.0", "'total + 1.0' can't be evaluated: it gives '2.0', not true or false"),
    (LONG_TEXT, f"{LONG_TEXT!r} can't be evaluated: it gives {LONG_TEXT[1:101]!r}, not true or false"),
    ("{" * 21, "it is nested deeper than 20; split it into several rules"),
    ("[" * 21, "it is nested deeper than 20; split it into several rules"),
    ("true" + " " * 497, "an expression needs 1 to 500 characters; split a longer one into several rules"),
]


def saved(source: str) -> None:
    """Compile a rule with the expression, as saving it does; longer texts than a condition takes are let through."""
    valid = cel("true", name="broken")
    condition = valid.conditions[0].model_copy(update={"value": source})
    compile_rule(valid.model_copy(update={"conditions": (condition,)}))


@pytest.mark.parametrize(("source", "says"), REFUSALS, ids=[source[:30] for source, _ in REFUSALS])
def test_a_refusal_says_what_is_wrong_and_what_to_write_instead(source: str, says: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        saved(source)
    reason = refusal.value.reason
    assert reason.text == f"The rule 'broken' can't be used: {says}"
    assert (reason.code, reason.field, reason.value) == ("RULE_REFUSED", "conditions.0.value", source[:500])
    assert reason.cure == says[:500]


def test_the_parser_is_quoted_where_it_cannot_read_an_expression() -> None:
    with pytest.raises(RuleRefused) as refusal:
        saved("total >")
    said = refusal.value.reason.text.partition(PARSER_SAID)[2]
    assert "total >" in said or "rror" in said
    assert len(said) <= 300


def test_a_mistake_behind_a_truth_is_found_when_the_rule_is_saved() -> None:
    with pytest.raises(RuleRefused, match="can't be evaluated"):
        saved("is_refund && total > 'a'")


@pytest.mark.parametrize(
    "source",
    [
        "true" + " " * 496,
        "(" * 20 + "true" + ")" * 20,
        "&&".join(["[1]==[1]"] * 21),
        "&&".join(["size({1:1})==1"] * 21),
        "(lines.exists(l, l.sku == 'NAILS'))",
        "!(lines.all(l, l.sku == 'NAILS'))",
        "2 == size(lines.filter(l, l.quantity > 0.0))",
        "'NAILS'.contains(lines.exists(l, l.sku == 'NAILS') ? 'N' : 'X')",
        "lines . exists ( l , l . sku == 'NAILS' )",
        "lines.exists(l, l['sku'] == 'NAILS')",
        'lines.exists(l, l["sku"] == "NAILS")',
        "lines.exists(l, l[r'sku'] == 'NAILS')",
        'lines.exists(l, l[R"sku"] == "NAILS")',
        "payments.exists(p, p.payment_date == '2026-03-02')",
        "lines.all(l, l.line_ship_date == '')",
        "lines.all(x, x.sku != 'A') && lines.all(x, x.sku != 'B')",
        "lines.all(a, true) && lines.all(b, true) && lines.all(c, true)",
        "[1, 2].exists(n, double(n) == 2.0)",
        "financial_status == 'paid'",
    ],
)
def test_what_stays_within_the_limits_is_taken_and_holds(source: str) -> None:
    expression = compile_expression(source)
    assert expression.holds(Working(example_a()), 0, for_line=False)


@pytest.mark.parametrize(
    ("source", "scope"),
    [
        ("total > 1.0", Scope.ORDER),
        ("custom.gate == 'a'", Scope.ORDER),
        ("lines.all(l, l.sku == 'A')", Scope.ORDER),
        ("sku == 'A' && total > 1.0", Scope.LINE),
        ("line_custom.gate == 'a'", Scope.LINE),
        ("payment_method == 'Visa' && total > 1.0", Scope.PAYMENT),
    ],
)
def test_an_expression_is_evaluated_per_what_it_names(source: str, scope: Scope) -> None:
    expression = compile_expression(source)
    assert (expression.scope, expression.source) == (scope, source)


def test_an_expression_costs_one_step_and_one_for_each_line_it_may_loop_over() -> None:
    expression = compile_expression("size(lines) == 2")
    working = Working(example_a())
    working.steps_left = 3
    assert expression.holds(working, 0, for_line=False)
    assert working.steps_left == 0
    with pytest.raises(ExpressionFailed) as failure:
        expression.holds(working, 0, for_line=False)
    assert str(failure.value) == "the order's expressions together took more than 10000 steps"


@pytest.mark.parametrize("status", [FinancialStatus.REFUNDED, FinancialStatus.PARTIALLY_REFUNDED])
@pytest.mark.parametrize("source", ["financial_status == 'paid'", "financial_status == 'paid' && amount > 0.0"])
def test_a_sales_line_does_not_see_that_its_order_was_refunded_later(status: FinancialStatus, source: str) -> None:
    refunded = example_a(financial_status=status)
    ruled, _ = compiled(cel(source, "map_class", "PAID"), cel(source, "map_line_class", "SOLD")).apply(refunded)
    assert [one.class_name for one in ruled.lines] == ["SOLD", "SOLD"]
    assert ruled.class_name == ""
    by_payment = cel("payment_method == 'card' && financial_status == 'paid'", "map_line_class", "SOLD")
    ruled, _ = compiled(by_payment).apply(refunded)
    assert [one.class_name for one in ruled.lines] == ["SOLD", "SOLD"]


def test_custom_fields_of_an_order_and_of_a_line_are_told_apart() -> None:
    lines = (
        line("l1", "HAMMER", "25.00", "2", custom_fields={"gate": "south"}),
        line("l2", "NAILS", "19.99", custom_fields={"gate": "north"}),
    )
    source = example_a(lines=lines, custom_fields={"gate": "west"})
    northern = cel("line_custom.gate == 'north'", "map_line_class", "N", priority=1)
    western = cel("custom.gate == 'west'", "map_class", "W", priority=2)
    ruled, directives = compiled(northern, western).apply(source)
    assert [one.class_name for one in ruled.lines] == ["", "N"]
    assert (ruled.class_name, directives.failures) == ("W", {})


def test_an_expression_on_payments_chooses_the_payment() -> None:
    source = example_a(tenders=(tender("30.00", "t1", method="card"), tender("47.00", "t2", method="wire")))
    chosen = cel("payment_amount > 40.0", "map_deposit_account", "Bank")
    _, directives = compiled(chosen).apply(source)
    assert directives.deposit_accounts == {"t2": "Bank"}


def test_a_rule_on_goods_that_came_back_sees_the_refund() -> None:
    source = example_a(refunds=(first_refund(),), due_on=date(2026, 4, 1))
    ruled, directives = compiled(cel("is_refund && total > 1.0", "map_sku", "BACK")).apply(source)
    assert [one.sku for one in ruled.lines] == ["HAMMER", "NAILS"]
    assert directives.refund_skus == {"l1": "BACK", "l2": "BACK"}


def test_a_failing_expression_is_told_once_with_what_the_library_said() -> None:
    failing = cel("lines[7].sku == 'A'", name="faulty")
    _, directives = compiled(failing, rule("map_memo", "M")).apply(example_a(total=D("77.00")))
    assert list(directives.failures) == ["faulty"]
    assert "7" in directives.failures["faulty"]
    assert "\n" not in directives.failures["faulty"]
