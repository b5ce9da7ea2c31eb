"""A payout says of every order why its document is not in the ledger."""

from datetime import date
from decimal import Decimal

import pytest

from api.columns import Column
from api.payout_parts import KnownOrder, Part, missing_orders, named_parts
from common.messages.base import Reason
from common.messages.orders import Payout, PayoutLine

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


def paid_out(*lines: dict[str, str]) -> Payout:
    shared = {"amount": Decimal("1.00"), "fee": Decimal(0)}
    made = [
        PayoutLine.model_validate(
            {"external_id": f"l{day}", "kind": "charge", "occurred_on": date(2026, 11, day), **shared, **line}
        )
        for day, line in enumerate(lines, start=1)
    ]
    return Payout(
        tenant_id="t", revision=1, connection_id="c", external_id="po", processor="p", currency="USD",
        paid_on=date(2026, 11, 20), status="paid", net=Decimal(len(made)), lines=tuple(made),
    )  # fmt: skip


def test_missing_are_orders_without_documents_by_the_number_that_is_known_of_them() -> None:
    payout = paid_out(
        {"order_number": "1001"},
        {"order_number": "1002"},
        {"order_external_id": "id3"},
        {"order_external_id": "id4", "kind": "refund"},
        {"order_number": "1005"},
        {"order_number": "1005", "kind": "refund"},
        {"reference": "ch_7"},
        {"order_number": "9" * 101},
        {"order_number": "1009", "kind": "fee"},
        {"order_number": "9" * 100},
    )
    known = [
        KnownOrder("id1", "#1001", has_money=True),
        KnownOrder("id3", "#1003", has_money=False),
        KnownOrder("id4", "#1004", has_money=True),
    ]
    assert missing_orders(payout, known) == (
        ["1002", "#1003", "1005", "9" * 100],
        [date(2026, 11, 7), date(2026, 11, 8)],
    )
    assert missing_orders(paid_out(), known) == ([], [])
