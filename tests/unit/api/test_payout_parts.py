"""A payout says of every order why its document is not in the ledger."""

import pytest

from api.columns import Column
from api.payout_parts import Part, named_parts
from common.messages.base import Reason

BLOCKED = Reason(code="DEPENDENCY_FAILED", text="Needs sales receipt 1001, which is not in the ledger: No item.")
MISSING = Reason(code="PAYOUT_INCOMPLETE", text="These parts of the payout are not in the books yet: 1003 (filtered).")


def part(number: str, column: Column = Column.WARNINGS, **more: object) -> Part:
    values: dict[str, object] = {
        "document_key": f"k{number}",
        "order_number": number,
        "kind": "sales_receipt",
        "state": "action_required",
        "column": column,
        "reason": Reason(code="ITEM_INACTIVE", text=f"No item for {number}."),
    }
    return Part(**{**values, **more})  # type: ignore[arg-type]


def test_a_blocked_deposit_names_every_order_with_its_own_reason() -> None:
    parts = [
        part("1001"),
        part("1002", Column.DISMISSED, kind="payment", state="dismissed", reason=None),
        part("1003", Column.IN_PROGRESS),
    ]
    said = named_parts(BLOCKED, "blocked", parts)
    assert said is not None
    assert (said.code, said.value) == ("PAYOUT_INCOMPLETE", "1001")
    assert said.text == (
        "These parts of the payout are not in the ledger: "
        "1001 (sales receipt: No item for 1001), 1002 (payment: dismissed)."
    )


def test_what_is_missing_and_what_failed_stand_side_by_side() -> None:
    said = named_parts(MISSING, None, [part("1001")])
    assert said is not None
    assert said.text == (
        "These parts of the payout are not in the books yet: 1003 (filtered). "
        "And these could not be written: 1001 (sales receipt: No item for 1001)."
    )


@pytest.mark.parametrize(
    ("reason", "state", "parts"),
    [
        (BLOCKED, "blocked", []),
        (BLOCKED, "blocked", [part("1", Column.IN_PROGRESS), part("2", Column.WAITING)]),
        (Reason(code="ACCOUNT_UNKNOWN", text="No such account."), "action_required", [part("1")]),
        (Reason(code="PAYOUT_UNBALANCED", text="It does not add up."), None, [part("1")]),
        (None, None, [part("1")]),
        (None, "synced", [part("1")]),
    ],
)
def test_another_reason_stays_as_it_is(reason: Reason | None, state: str | None, parts: list[Part]) -> None:
    assert named_parts(reason, state, parts) == reason


def test_a_payout_of_thousands_stays_readable() -> None:
    said = named_parts(BLOCKED, "blocked", [part(str(number)) for number in range(60)])
    assert said is not None
    assert said.text.endswith(" and 10 more.")
    long = part("1", reason=Reason(code="LONG", text="y" * 4_000))
    shown = named_parts(BLOCKED, "blocked", [long] * 60)
    assert shown is not None
    assert len(shown.text) == 4_000
