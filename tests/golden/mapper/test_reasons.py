"""Every reason the core can give, with its code, field, value, words and cure."""

import inspect
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.golden.mapper.agreement import expectation

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.transactions import AccountRole
from mapper.mapping import filter_reasons, notices, payout_reasons, reasons
from mapper.mapping.payout_reasons import Missing

MODULES = (reasons, filter_reasons, payout_reasons, notices)
BUILDERS = {"notice", "error"}
REASONS = [
    (module.__name__.rpartition(".")[2], name, function)
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_") and name not in BUILDERS
]


def argument(parameter: inspect.Parameter, variant: int) -> Any:
    """A value that can be told from those of the other parameters."""
    position = sum(map(ord, parameter.name))
    kind = str(getattr(parameter.annotation, "__name__", parameter.annotation))
    values: dict[str, Any] = {
        "str": parameter.name.upper() if variant == 0 else "",
        "Decimal": Decimal(position) / 100 * (1 if variant == 0 else -1),
        "int": position % 40 + 2,
        "bool": variant == 0,
        "date": date(2026, 3, 1 + position % 27),
        "AccountRole": (AccountRole.TIPS, AccountRole.FEES)[variant],
        "TransactionMode": (TransactionMode.ESTIMATES, TransactionMode.NONE)[variant],
        "Reason": Reason(code="INNER", text="Inner words.", cure="Inner cure.", field="inner", value="v"),
        "Sequence": [f"1{n:03}" for n in range((3, 60)[variant])],
    }
    if parameter.annotation == Sequence[Missing]:
        return [Missing(number, "WHY", "Cure.") for number in values["Sequence"]]
    return values.get(kind.partition("[")[0].rpartition(".")[2], parameter.name.upper())


@pytest.mark.parametrize("variant", [0, 1], ids=["usual", "empty"])
@pytest.mark.parametrize(("module", "name", "function"), REASONS, ids=[f"{one[0]}-{one[1]}" for one in REASONS])
def test_a_reason_says_what_its_file_says(module: str, name: str, function: Callable[..., Any], variant: int) -> None:
    parameters = inspect.signature(function).parameters.values()
    named = {one.name: argument(one, variant) for one in parameters}
    found, expected = expectation(f"reasons/{module}/{name}-{variant}", function(**named))
    assert found == expected


def test_a_reason_is_cut_to_what_its_fields_can_hold() -> None:
    long = reasons.error("CODE", "t" * 5000, "c" * 600, "field", "v" * 600)
    assert (len(long.text), len(long.cure), len(long.value or "")) == (4000, 500, 500)
    warned = reasons.notice("CODE", "t" * 5000, "c" * 600, "field", "v" * 600)
    assert (len(warned.text), len(warned.cure), len(warned.value or "")) == (4000, 500, 500)


def test_the_reason_of_an_order_is_cut_to_what_a_summarys_can_hold() -> None:
    inner = reasons.error("CODE", "t" * 4000, "cure", "field", "value")
    of_summary = reasons.order_of_summary("1001", inner)
    assert of_summary.text == f"Order 1001 of the summary: {'t' * 3973}"
    assert (of_summary.code, of_summary.value) == ("CODE", "value")


def test_every_role_has_a_name_for_people() -> None:
    assert set(reasons.ROLE_NAMES) == set(AccountRole)
    assert len(set(reasons.ROLE_NAMES.values())) == len(AccountRole)
