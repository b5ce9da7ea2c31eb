"""What a rule is: data that a person writes, a table imports, and the engine compiles (section 22)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from common.internal.mapper_rules import Action, Comparison, RuleDefinition

DEPTH_MAX = 5
"""Groups within groups; deeper nesting is no longer readable."""

WITHOUT_VALUE = frozenset({Comparison.IS_EMPTY, Comparison.IS_NOT_EMPTY})

WITHOUT_ARGUMENT = frozenset(
    {
        Action.DO_NOT_IMPORT,
        Action.DO_NOT_EXPORT,
        Action.DO_NOT_CREATE_INVOICE,
        Action.MARK_AS_UNPAID,
        Action.MARK_AS_PAID,
        Action.REMOVE_TAX,
        Action.EXCLUDE_PRODUCT_FROM_INVENTORY,
    }
)


class Rule(RuleDefinition):
    """One rule. Rules run by priority, then name; the last writer wins, `stop` ends the list for its scope."""

    rule_id: Annotated[str, Field(max_length=128)] = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    """No other rule of the tenant has it."""
    enabled: bool = True
    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
