"""What a company file's front page says before any single document."""

from typing import Any

import pytest
from tests.unit.mapper.samples import company, connection

from api.attention import attention


def row(**changes: Any) -> dict[str, Any]:
    return {"status": "connected", "reason": None, "lane_paused": False, "assigns_numbers": True} | changes


@pytest.mark.parametrize(("policy", "assigns", "found"), [("next", True, 0), ("mirror", False, 0), ("next", False, 1)])
def test_numbers_left_to_a_ledger_that_assigns_none_are_told_by_connection(
    policy: str, assigns: bool, found: int
) -> None:
    shop = connection(numbers={"policy": policy})
    said = [one for one in attention(row(assigns_numbers=assigns), company(), [shop]) if one.field == "numbers.policy"]
    assert [(one.code, one.value) for one in said] == [("NEXT_NUMBER_UNAVAILABLE", "next")] * found
    assert all(shop.name in one.text and "mirror" in one.cure for one in said)
