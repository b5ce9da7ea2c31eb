"""What documents of one batch know of each other before they are written, and what is missing of one that is."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.planning.model import Settle, Write
from ledger_writer.planning.plan import ahead, plan
from ledger_writer.planning.states import Event


def test_what_is_about_to_be_created_is_known_by_its_total_rate_or_name(make: Any) -> None:
    plain = make.document()
    assert ahead("k", plain) == LedgerLink("k", total=Decimal("77.00"))
    foreign = make.document(exchange_rate=Decimal("1.10"))
    assert ahead("k", foreign) == LedgerLink("k", total=Decimal("77.00"), details={"rate": "1.10"})
    assert ahead("k", make.CUSTOMER) == LedgerLink("k", name="Jane Roe")
    assert ahead("k", make.ITEM) == LedgerLink("k", name="Mug")


HOLDS = [
    ("PRODUCT_MISSING", {}, Event.NEEDS_PERSON),
    ("WAITING_FOR_PAYMENT", {}, Event.WAITS),
    ("PRODUCT_MISSING", {"override": True}, Event.NEEDS_PERSON),
]


@pytest.mark.parametrize(("code", "more", "event"), HOLDS)
def test_what_is_written_stays_while_what_is_wanted_waits_for_somebody(
    make: Any, code: str, more: dict[str, Any], event: Event
) -> None:
    written = make.document()
    hold = Reason(code=code, text="waits")
    held = make.document(lines=(), hold=hold)
    (step,) = plan([make.desired(held, written=make.written(written), **more)], {}, make.TERMS)
    assert step == Settle(written.key, event, hold)
    (released,) = plan([make.desired(written, written=make.written(written))], {}, make.TERMS)
    assert released == Settle(written.key, Event.UNCHANGED)


def test_a_document_out_of_its_customers_scope_follows_its_order_once_it_is_written(make: Any) -> None:
    out = Reason(code="BEFORE_HORIZON", text="out of scope")
    before, after = make.document(), make.document(amount="80.00", hold=out)
    (step,) = plan([make.desired(after, written=make.written(before))], {}, make.TERMS)
    assert isinstance(step, Write)


@pytest.mark.parametrize(
    ("attaches", "details", "expected"), [(True, {}, True), (True, {"file": "7"}, False), (False, {}, False)]
)
def test_a_summary_without_its_list_of_orders_is_written_again(
    make: Any, attaches: bool, details: dict[str, str], expected: bool
) -> None:
    summary = make.document(K.SALES_RECEIPT, source_kind="summary", note="#1, #2")
    due = make.desired(summary, written=make.written(summary, details=details))
    terms = replace(make.TERMS, attaches=attaches)
    (step,) = plan([due], {}, terms)
    assert isinstance(step, Write) is expected
    for held in ({"deposited": frozenset({summary.key})}, {"closed_through": summary.date}):
        (kept,) = plan([due], {}, replace(terms, **held))
        assert isinstance(kept, Settle)
        assert kept.event is Event.UNCHANGED
