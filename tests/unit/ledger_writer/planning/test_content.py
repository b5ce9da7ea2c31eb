"""What counts as the content of a document."""

from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.transactions import DocumentKind as K
from common.messages.transactions import WantedState
from ledger_writer.planning.content import body_hash, content_hash, idempotency_key, wants_file

NOT_CONTENT = [
    {"hold": Reason(code="WAITING_FOR_PAYMENT", text="")},
    {"notices": (Reason(code="NAME_TRUNCATED", text=""),)},
    {"wanted": WantedState.VOID},
    {"depends_on": ("d" * 32,)},
    {"lookup_days": 30},
]
CONTENT = [{"total": Decimal("1.00")}, {"number": None}, {"note": "x"}, {"customer_key": "c" * 32}]


@pytest.mark.parametrize("change", NOT_CONTENT, ids=lambda change: next(iter(change)))
def test_when_to_write_is_not_content(make: Any, change: dict[str, Any]) -> None:
    document = make.document()
    assert content_hash(document.model_copy(update=change)) == content_hash(document)


@pytest.mark.parametrize("change", CONTENT, ids=lambda change: next(iter(change)))
def test_what_to_write_is_content(make: Any, change: dict[str, Any]) -> None:
    document = make.document()
    changed = document.model_copy(update=change)
    assert content_hash(changed) != content_hash(document)
    assert body_hash(changed) != body_hash(document)


def test_what_money_is_applied_to_is_content_but_not_body(make: Any) -> None:
    document, applied = make.document(), make.document(applies=[("a" * 32, "1.00")])
    assert content_hash(applied) != content_hash(document)
    assert body_hash(applied) == body_hash(document)


def test_a_field_at_its_default_does_not_count_so_that_new_fields_change_nothing(make: Any) -> None:
    document = make.document()
    assert b"ship_method" not in document.model_dump_json(exclude_defaults=True).encode()
    assert content_hash(document.model_copy(update={"ship_method": ""})) == content_hash(document)


def test_only_a_summary_wants_a_list_of_its_orders(make: Any) -> None:
    summary = make.document(K.SALES_RECEIPT, source_kind="summary", note="#1, #2")
    assert [wants_file(one) for one in (summary, make.document(), make.CUSTOMER, make.ITEM)] == [
        True,
        False,
        False,
        False,
    ]


def test_an_idempotency_key_never_runs_its_parts_together() -> None:
    assert len({idempotency_key("a", "b", 1), idempotency_key("a", "b", 11), idempotency_key("a", "b1", 1)}) == 3
    assert len(idempotency_key("a", "b", 1)) == 40
