"""What rules do at the edges: which lines and payments they touch, what they find again, and what they report."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import D, example_a, first_refund, line, order, tender
from tests.unit.mapper.test_rules import compiled, rule, run

from common.internal.mapper_rules import Group
from common.messages.orders import FinancialStatus, Order, OrderLine, ShippingLine
from common.messages.transactions import DocumentKind
from mapper.rules.compiling import RuleRefused, compile_rule, compile_rules
from mapper.rules.engine import Change
from mapper.rules.fields import Field, Kind, Scope, UnknownField, field_named, plain
from mapper.rules.model import Rule
from mapper.rules.working import Working


def grouped(*conditions: Any, match: str = "all", **more: Any) -> Rule:
    values = {"name": "grouped", "action": "map_class", "value": "HIT", "match": match, "conditions": conditions}
    return Rule.model_validate(values | more)


def is_(field: str, comparison: str, value: str = "", **more: Any) -> dict[str, Any]:
    return {"field": field, "comparison": comparison, "value": value, **more}


def any_of(*conditions: Any) -> dict[str, Any]:
    return {"match": "any", "conditions": conditions}


def hits(given: Rule, source: Order | None = None) -> bool:
    ruled, _ = compiled(given).apply(source or example_a())
    return ruled.class_name == "HIT"


def refusal_of(given: Rule) -> tuple[str, str | None, str | None, str]:
    with pytest.raises(RuleRefused) as refusal:
        compile_rule(given)
    reason = refusal.value.reason
    assert f" can't be used: {reason.cure}" in reason.text
    return reason.code, reason.field, reason.value, reason.text


REFUSED = [
    (rule("map_class", name="R"), "value", "the value is empty: give one, say `clear`"),
    (rule("map_class", "A", copy_from="sku", name="R"), "value", "give one of value, copy_from and clear"),
    (rule("map_class", "A", clear=True, name="R"), "value", "give one of value, copy_from and clear"),
    (rule("map_class", copy_from="sku", clear=True, name="R"), "copy_from", "give one of value, copy_from and clear"),
    (rule("map_sku", "{skuu}", name="R"), "value", "there is no field 'skuu'; did you mean sku"),
    (rule("map_sku", copy_from="skuu", name="R"), "copy_from", "there is no field 'skuu'; did you mean sku"),
    (rule("map_due_date", "+12345", name="R"), "value", "'+12345' is not a date"),
    (rule("map_due_date", "soon", name="R"), "value", "'soon' is not a date"),
    (rule("map_due_date", "2026", name="R"), "value", "'2026' is not a date"),
    (rule("split_sku", "- 0", name="R"), "value", "'- 0': write the delimiter and the side"),
    (rule("split_sku", "- ²", name="R"), "value", "'- ²': write the delimiter and the side"),
    (rule("split_sku", "first", name="R"), "value", "'first': write the delimiter"),
    (rule("split_sku", "- middle", name="R"), "value", "'- middle': write the delimiter"),
    (rule("map_custom_field", "gate", name="R"), "value", "'gate': write it as name=value"),
    (rule("map_custom_field", " =north", name="R"), "value", "' =north': write it as name=value"),
    (rule("map_custom_field", " =a=b", name="R"), "value", "' =a=b': write it as name=value"),
    (rule("multiply_quantity", "0", name="R"), "value", "'0' is not a number above zero"),
    (
        rule("map_sku", "X", ("total", "more_than", "Infinity"), name="R"),
        "conditions.0.value",
        "'Infinity' is not a number",
    ),
    (rule("map_sku", "X", ("total", "less_than", "NaN"), name="R"), "conditions.0.value", "'NaN' is not a number"),
    (
        rule("map_sku", "X", ("sku", "equals", ""), name="R"),
        "conditions.0.value",
        "equals needs a value; use is_empty to test for nothing",
    ),
    (
        rule("map_sku", "X", ("due_date", "before", "soon"), name="R"),
        "conditions.0.value",
        "'soon' is not a date; write it as 2026-01-31",
    ),
    (
        rule("map_sku", "X", ("sku", "regex", "a" * 201), name="R"),
        "conditions.0.value",
        "a regular expression needs 1 to 200 characters",
    ),
    (
        rule("map_sku", "X", ("sku", "regex", "(a"), name="R"),
        "conditions.0.value",
        "'(a' is not a regular expression of RE2: missing ): (a",
    ),
    (
        rule("map_sku", "X", ("sku", "regex", r"\pL{100}"), name="R"),
        "conditions.0.value",
        "is not a regular expression of RE2: pattern too large",
    ),
    (
        rule("map_sku", "X", ("sku", "cel", "true"), name="R"),
        "conditions.0.field",
        "the comparison cel stands alone: write 'expression' as its field",
    ),
]


@pytest.mark.parametrize(("given", "part", "says"), REFUSED)
def test_a_rule_that_can_never_work_is_refused_with_its_name_and_part(given: Rule, part: str, says: str) -> None:
    code, field, value, text = refusal_of(given)
    wrong: Any = given
    for step in part.split("."):
        wrong = wrong[int(step)] if step.isdigit() else getattr(wrong, step)
    assert (code, field, value) == ("RULE_REFUSED", part, wrong)
    assert text.startswith("The rule 'R' can't be used: ")
    assert says in text


def test_a_long_refusal_is_cut_to_what_a_reason_holds() -> None:
    long = rule("map_sku", copy_from="sku", name="R").model_copy(update={"copy_from": "a" * 5000})
    _, _, _, text = refusal_of(long)
    assert len(text) == 4000


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("map_due_date", "+9999"),
        ("map_due_date", "+0"),
        ("map_due_date", "2026-01-31"),
        ("split_sku", "- 1"),
        ("split_sku", "a b last"),
        ("map_custom_field", "gate="),
        ("map_custom_field", "gate=a=b"),
    ],
)
def test_a_value_at_the_limit_is_taken(action: str, value: str) -> None:
    assert compile_rule(rule(action, value)).rule.value == value


def nested(depth: int) -> Rule:
    inner: Any = is_("sku", "equals", "HAMMER")
    for _ in range(depth):
        inner = {"match": "all", "conditions": [inner]}
    return grouped(inner)


def test_groups_may_be_nested_four_deep_in_a_rule_and_no_deeper() -> None:
    assert hits(nested(4))
    code, field, value, text = refusal_of(nested(5))
    assert (code, field, value) == ("RULE_REFUSED", ".".join(["conditions", *["0.conditions"] * 5]), "")
    assert text == "The rule 'grouped' can't be used: groups are nested deeper than 5; split the rule"


def test_a_failing_expression_within_a_group_names_its_rule() -> None:
    failing = grouped(any_of(is_("sku", "equals", "Z"), is_("expression", "cel", "lines[9].sku == 'A'")))
    _, directives = compiled(failing).apply(example_a())
    assert list(directives.failures) == ["grouped"]


def test_what_the_other_conditions_decide_is_not_evaluated() -> None:
    decided = grouped(is_("expression", "cel", "lines[9].sku == 'A'"), is_("currency", "equals", "EUR"))
    _, directives = compiled(decided).apply(example_a())
    assert directives.failures == {}


FOUND = [
    ([is_("sku", "equals", "NAILS")], "all", True),
    ([is_("sku", "equals", "NAILS")], "any", True),
    ([is_("total", "equals", "77.00")], "all", True),
    ([is_("total", "equals", "77")], "any", True),
    ([is_("total", "in_list", values=["1", "77.0"])], "all", True),
    ([is_("total", "in_list", values=["1", "2"])], "all", False),
    ([is_("note", "equals", "*")], "all", False),
    ([is_("sku", "equals", "*")], "all", True),
    ([is_("sku", "equals", "*"), is_("total", "equals", "77")], "all", True),
    ([is_("sku", "in_list", values=["", "A"]), is_("total", "equals", "77")], "all", False),
    ([is_("note", "in_list", values=["", "A"]), is_("total", "equals", "77")], "all", True),
    ([is_("note", "in_list", values=["", "A"])], "all", True),
    ([any_of(is_("sku", "equals", "Z"), is_("sku", "equals", "NAILS")), is_("total", "equals", "77")], "all", True),
    ([is_("sku", "contains", "AIL"), is_("total", "equals", "77")], "all", True),
    ([is_("sku", "equals", "Z"), is_("total", "equals", "77")], "any", True),
    ([is_("sku", "equals", "Z"), is_("total", "equals", "1")], "any", False),
    ([is_("payment_method", "equals", "card"), is_("sku", "equals", "NAILS")], "all", True),
    ([is_("currency", "equals", "USD"), is_("sku", "equals", "NAILS")], "all", True),
    ([is_("currency", "equals", "USD"), is_("sku", "equals", "Z")], "all", False),
    ([is_("sku", "is_not", "Z")], "all", True),
    ([is_("sku", "is_not", "*")], "all", True),
    ([is_("sku", "regex", "^HAM")], "all", True),
    ([is_("sku", "regex", "^hammer$" + "|z" * 96)], "all", True),
    ([is_("order_date", "between", values=["2026-03-01", "2026-03-02"])], "all", True),
    ([is_("order_date", "between", values=["2026-03-02", "2026-03-03"])], "all", True),
    ([is_("order_date", "between", values=["2026-03-03", "2026-03-04"])], "all", False),
    ([is_("created_at", "after", "2026-03-01T23:59:59")], "all", True),
    ([is_("total", "between", values=["77", "78"])], "all", True),
    ([is_("total", "between", values=["76", "77"])], "all", True),
    ([is_("total", "more_than", "77")], "all", False),
    ([is_("total", "less_than", "77")], "all", False),
]


@pytest.mark.parametrize(("conditions", "match", "holds"), FOUND)
def test_a_rule_holds_as_its_conditions_say_however_it_is_found(conditions: list[Any], match: str, holds: bool) -> None:
    assert hits(grouped(*conditions, match=match)) is holds


def test_a_text_that_is_no_number_is_neither_more_nor_less() -> None:
    for comparison in ("more_than", "less_than"):
        for text in ("NaN", "Infinity", "many", ""):
            assert not hits(grouped(is_("note", comparison, "1")), example_a(note=text))


def test_a_rule_with_several_conditions_touches_only_the_lines_for_which_all_hold() -> None:
    both = rule("map_sku", "X", ("sku", "is_not", "Z"), ("quantity", "more_than", "1"))
    either = rule("map_line_class", "C", ("sku", "equals", "Z"), ("unit_price", "less_than", "20"), match="any")
    ruled, _ = compiled(both, either).apply(example_a())
    assert [one.sku for one in ruled.lines] == ["X", "NAILS"]
    assert [one.class_name for one in ruled.lines] == ["", "C"]


def test_a_rule_about_paid_orders_keeps_finding_the_lines_of_a_sale_that_was_refunded_later() -> None:
    refunded = example_a(financial_status=FinancialStatus.REFUNDED)
    renamed = rule("map_sku", "X", ("financial_status", "equals", "paid"))
    ruled, _ = compiled(renamed).apply(refunded)
    assert [one.sku for one in ruled.lines] == ["X", "X"]
    ruled, _ = compiled(rule("map_class", "HIT", ("financial_status", "equals", "refunded"))).apply(refunded)
    assert ruled.class_name == "HIT"
    pending = example_a(financial_status=FinancialStatus.PENDING)
    ruled, _ = compiled(rule("map_sku", "X", ("financial_status", "equals", "pending"))).apply(pending)
    assert [one.sku for one in ruled.lines] == ["X", "X"]


def test_only_rules_about_goods_run_on_a_refund_and_each_of_them() -> None:
    rules = (
        rule("map_class", "C", name="class", priority=1),
        rule("map_sku", "BACK", ("is_refund", "equals", "true"), name="back", priority=2),
        rule("map_memo", "M", name="memo", priority=3),
        rule("map_order_number", "R-{number}", ("is_refund", "equals", "true"), name="number", priority=4),
    )
    trace: list[Change] = []
    ruled, directives = compiled(*rules).apply(example_a(refunds=(first_refund(),)), trace)
    assert directives.refund_skus == {"l1": "BACK", "l2": "BACK"}
    assert (directives.refund_number, ruled.number) == ("R-1001", "1001")
    assert [(one.name, one.field, one.before, one.after) for one in trace] == [
        ("class", "class", "", "C"),
        ("memo", "memo", "", "M"),
        ("back", "sku", "HAMMER", "BACK"),
        ("back", "sku", "NAILS", "BACK"),
        ("number", "number", "1001", "R-1001"),
    ]


def test_a_trace_tells_what_stood_before_in_the_same_place() -> None:
    rules = (
        rule("map_deposit_account", "Bank", name="first", priority=1),
        rule("map_payment_method", "Wire", name="method", priority=2),
        rule("map_deposit_account", "Vault", name="second", priority=3),
        rule("add_shipping_surcharge", "10%", name="freight", priority=4, allow_total_change=True),
        rule("map_line_class", "C", ("sku", "equals", "NAILS"), name="line", priority=5),
    )
    trace: list[Change] = []
    compiled(*rules).apply(example_a(), trace)
    assert [(one.name, one.before, one.after) for one in trace] == [
        ("first", "", "Bank"),
        ("method", "", "Wire"),
        ("second", "Bank", "Vault"),
        ("freight", "7.95", "8.75"),
        ("line", "", "C"),
    ]


def test_a_value_that_one_line_cannot_give_leaves_the_next_line_its_turn() -> None:
    lines = (line("l1", "HAMMER", "25.00", "2"), line("l2", "3", "9.00", "2", fulfilled_quantity=D(1)))
    multiplied = rule("multiply_quantity", copy_from="sku", name="packs")
    ruled, directives = compiled(multiplied).apply(example_a(lines=lines))
    assert [(one.quantity, one.unit_price) for one in ruled.lines] == [(D(2), D("25.00")), (D(6), D(3))]
    assert [one.fulfilled_quantity for one in ruled.lines] == [None, D(3)]
    assert directives.failures == {"packs": "'HAMMER' is not a number above zero"}


def test_a_field_of_payments_is_empty_where_nobody_paid() -> None:
    for value in ({"copy_from": "payment_method"}, {"value": "{payment_method}"}):
        _, directives = compiled(rule("map_memo", name="memo", **value)).apply(order(tenders=()))
        assert directives.memo == ""


def test_a_field_of_another_list_is_taken_from_the_same_place_or_the_first() -> None:
    source = example_a(tenders=(tender("77.00", method="wire"),))
    ruled, _ = compiled(rule("map_line_class", "{payment_method}")).apply(source)
    assert [one.class_name for one in ruled.lines] == ["wire", "wire"]


@pytest.mark.parametrize(
    ("number", "text"),
    [("-0.00", "0"), ("0E+3", "0"), ("0.00", "0"), ("1E+2", "100"), ("19.90", "19.9"), ("-2.0", "-2")],
)
def test_equal_numbers_have_equal_texts(number: str, text: str) -> None:
    assert plain(D(number)) == text


def test_an_action_on_the_first_and_the_last_part_of_a_sku() -> None:
    split = {"- first": "A", "- last": "C", "- 2": "B", "- 3": "C", "- 4": "A-B-C"}
    for value, wanted in split.items():
        ruled, _ = compiled(rule("split_sku", value)).apply(order(lines=(line("l1", "A-B-C", "1.00"),)))
        assert ruled.lines[0].sku == wanted
    for whole in ("/ first", "/ last"):
        ruled, _ = compiled(rule("split_sku", whole)).apply(order(lines=(line("l1", " A-B-C ", "1.00"),)))
        assert ruled.lines[0].sku == "A-B-C"


def test_a_rule_that_takes_the_tax_away_changes_the_total_only_with_leave() -> None:
    for allowed in (True, False):
        given = rule("remove_tax", name="untaxed", allow_total_change=allowed)
        ruled, directives = compiled(given).apply(example_a())
        assert (ruled.total, ruled.tax_total) == (D("72.94"), D("0"))
        assert directives.changed_by == (None if allowed else "untaxed")


def test_shipping_that_a_rule_sets_is_shared_among_the_shipping_lines() -> None:
    lines = tuple(
        ShippingLine(external_id=f"s{n}", title="Ground", amount=D(amount), discount=D("1.00"))
        for n, amount in enumerate(("3.00", "1.00"))
    )
    ruled, _ = compiled(rule("map_shipping_amount", "8", allow_total_change=True)).apply(
        example_a(shipping_lines=lines)
    )
    assert [one.amount for one in ruled.shipping_lines] == [D("6.00"), D("2.00")]
    assert [one.discount for one in ruled.shipping_lines] == [D(0), D(0)]
    assert ruled.total == D("81.00")


def test_a_custom_field_may_hold_an_equals_sign_and_is_empty_where_nobody_set_it() -> None:
    ruled, _ = compiled(rule("map_custom_field", "gate = a=b")).apply(example_a(custom_fields={"old": "1"}))
    assert ruled.custom_fields == {"old": "1", "gate": "a=b"}
    for name in ("custom.other", "line_custom.other"):
        assert Working(example_a()).raw(field_named(name), 0) == ""


def test_a_currency_that_a_rule_sets_is_the_payments_too() -> None:
    later = rule("map_memo", "{payment_currency}", priority=200)
    ruled, directives = compiled(rule("map_currency", " eur "), later).apply(example_a())
    assert (ruled.currency, [one.currency for one in ruled.tenders]) == ("EUR", ["EUR"])
    assert directives.memo == "EUR"


def test_an_unknown_field_is_answered_with_up_to_three_near_ones() -> None:
    with pytest.raises(UnknownField) as refusal:
        field_named("ship_stat")
    assert refusal.value.name == "ship_stat"
    said = str(refusal.value)
    assert said.startswith("there is no field 'ship_stat'; did you mean ship_state, ")
    assert said.endswith("? Custom fields are written custom.<name>.")
    assert said.partition("did you mean ")[2].partition("?")[0].count(", ") == 2
    with pytest.raises(UnknownField, match="did you mean number, "):
        field_named("order_number")
    with pytest.raises(UnknownField) as refusal:
        field_named("qqqqqq")
    assert str(refusal.value) == "there is no field 'qqqqqq'. Custom fields are written custom.<name>."


def test_an_index_finds_the_rules_that_an_earlier_rule_made_hold() -> None:
    chain = [
        rule("map_sku", f"S{n + 1}", ("sku", "equals", f"S{n}"), name=f"step {n}", priority=n + 1) for n in range(4)
    ]
    ruled, _ = compile_rules(tuple(chain), connection_id="shop-1", revision=3).apply(
        order(lines=(line("l1", "S0", "1.00"), line("l2", "S2", "1.00")))
    )
    assert [one.sku for one in ruled.lines] == ["S4", "S4"]


def test_a_rule_that_several_lines_find_runs_once() -> None:
    twice = order(lines=(line("l1", "A", "12.00"), line("l2", "A", "12.00")))
    packs = rule("multiply_quantity", "12", ("sku", "equals", "A"))
    ruled, _ = compiled(packs).apply(twice)
    assert [(one.quantity, one.unit_price) for one in ruled.lines] == [(D(12), D(1)), (D(12), D(1))]
    renamed = rule("map_sku", "A", ("sku", "equals", "B"), priority=1)
    later = order(lines=(line("l1", "B", "12.00"), line("l2", "B", "12.00")))
    ruled, _ = compiled(renamed, packs).apply(later)
    assert [one.quantity for one in ruled.lines] == [D(12), D(12)]


def test_indexed_rules_are_not_tried_on_orders_without_their_texts() -> None:
    rules = compiled(
        rule("map_class", "A", ("sku", "equals", "X"), name="a"),
        rule("map_class", "B", ("currency", "equals", "USD"), ("sku", "equals", "Y"), name="b"),
        rule("map_class", "C", ("total", "in_list", ""), name="c").model_copy(
            update={"conditions": (Group(conditions=()),)}
        ),
        grouped(is_("total", "in_list", values=["77.00"]), name="d"),
        grouped(is_("total", "equals", "77.00"), is_("sku", "contains", "A"), match="any", name="e"),
        grouped(is_("currency", "equals", "USD"), match="any", name="f"),
        grouped(is_("sku", "is_empty"), is_("sku", "equals", "*"), is_("currency", "equals", "EUR"), name="g"),
        grouped(
            any_of(is_("sku", "equals", "A"), is_("sku", "equals", "B")), is_("currency", "equals", "CAD"), name="h"
        ),
        grouped(is_("sku", "equals", "Q"), is_("currency", "equals", "USD"), name="i"),
    )
    names = {
        field.name: {text: [rules.rules[place].rule.name for place in places] for text, places in texts.items()}
        for field, texts in rules.anchors
    }
    assert names == {
        "sku": {"x": ["a"], "y": ["b"], "q": ["i"]},
        "total": {"77": ["d"]},
        "currency": {"usd": ["f"], "eur": ["g"], "cad": ["h"]},
    }
    assert [rules.rules[position].rule.name for position in rules.unanchored] == ["c", "e"]


def test_texts_are_remembered_until_something_changes() -> None:
    reads: list[str] = []

    def read(one: OrderLine) -> str:
        reads.append(one.sku)
        return one.sku

    working = Working(example_a())
    counted = Field("sku", Scope.LINE, Kind.TEXT, read)
    assert [working.text(counted, 0) for _ in range(3)] == ["hammer"] * 3
    assert reads == ["HAMMER"]
    working.set_line(0, sku="SAW")
    assert working.text(counted, 0) == "saw"


def test_zero_and_round_numbers_have_one_text() -> None:
    for amount, text in (("0.00", "0"), ("1E+2", "100"), ("19.90", "19.9"), ("-3.0", "-3")):
        assert hits(grouped(is_("total", "equals", text)), example_a(total=Decimal(amount)))


@pytest.mark.parametrize(("memo", "stated"), [("Spring fair", "1001"), ("1001", ""), ("", "")])
def test_a_memo_that_a_rule_wrote_hides_no_order_number(memo: str, stated: str) -> None:
    rules = [rule("map_memo", memo)] if memo else []
    result = run(example_a(), *rules, mode="invoices_payments_if_paid")
    assert {one.kind for one in result.documents} == {DocumentKind.INVOICE, DocumentKind.PAYMENT}
    for document in result.documents:
        assert (document.memo_number, document.order_number) == (memo or "1001", stated)
        assert (document.source_number, document.shown_number) == ("1001", "1001")
