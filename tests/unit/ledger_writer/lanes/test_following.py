"""What the ledger's facts mean for a document that was written: every combination is decided on."""

from decimal import Decimal

import pytest
from tests.unit.ledger_writer.lanes.test_outcomes import row_of
from tests.unit.quickbooks_adapter.samples import document

from common.messages.documents import DocumentState
from common.messages.transactions import DocumentKind, WantedState
from ledger_writer.lanes.following import CHANGED, verdict
from ledger_writer.ledgers.protocol import LedgerFacts
from ledger_writer.planning.states import LEDGER_DELETED

RECEIPT = document(DocumentKind.SALES_RECEIPT)


def facts(how: str) -> LedgerFacts:
    return LedgerFacts(
        open_balance={RECEIPT.key: Decimal(0)},
        deposited=frozenset(),
        missing=frozenset({RECEIPT.key} if how == "missing" else ()),
        changed={RECEIPT.key: "3"} if how == "changed" else {},
    )


# fmt: off
VERDICTS = [
    # state               code               found      state afterwards    code afterwards
    ("synced",            "",                "as ours", None,               None),
    ("synced",            "",                "changed", "action_required",  CHANGED),
    ("synced",            "",                "missing", "action_required",  LEDGER_DELETED),
    ("action_required",   CHANGED,           "changed", None,               None),
    ("action_required",   CHANGED,           "missing", "action_required",  LEDGER_DELETED),
    ("action_required",   CHANGED,           "as ours", "queued",           ""),
    ("action_required",   LEDGER_DELETED,           "missing", None,               None),
    ("action_required",   LEDGER_DELETED,           "as ours", "queued",           ""),
    ("action_required",   "SOURCE_CHANGED",  "as ours", None,               None),
    ("action_required",   "SOURCE_CHANGED",  "changed", "action_required",  CHANGED),
    ("dismissed",         CHANGED,           "changed", None,               None),
    ("queued",            "",                "missing", None,               None),
    ("blocked",           "",                "changed", None,               None),
    ("voided",            "",                "missing", None,               None),
]
# fmt: on


def test_somebody_elses_document_may_be_changed_there_but_is_missed_when_it_goes() -> None:
    row = row_of(RECEIPT.model_copy(update={"wanted": WantedState.FOUND}), state="synced", ledger_id="17")
    assert verdict(row, facts("changed")) is None
    gone = verdict(row, facts("missing"))
    assert gone is not None
    assert gone.code == LEDGER_DELETED
    assert "another one of its number" in (gone.reason or "")
    ours = verdict(row_of(RECEIPT, state="synced", ledger_id="17"), facts("missing"))
    assert ours is not None
    assert "Resend to make it again" in (ours.reason or "")


@pytest.mark.parametrize(("state", "code", "found", "to", "to_code"), VERDICTS)
def test_what_is_found_in_the_ledger_is_shown_once_and_never_written_over(
    state: str, code: str, found: str, to: str | None, to_code: str | None
) -> None:
    row = row_of(RECEIPT, state=state, code=code, ledger_id="17", generation=2, notices="[]")
    move = verdict(row, facts(found))
    if to is None:
        assert move is None
        return
    assert move is not None
    assert (move.state, move.code) == (DocumentState(to).value, to_code)
    assert not move.is_write
    assert (move.generation, move.notices, move.operation) == (2, "[]", "check")
    assert bool(move.reason) == (to == "action_required")


@pytest.mark.parametrize("state", ["synced", "action_required"])
def test_a_change_of_ours_that_got_no_answer_was_made_by_nobody_else(state: str) -> None:
    row = row_of(RECEIPT, state=state, code="PERIOD_CLOSED", ledger_id="17", intent="update:what was sent")
    assert verdict(row, facts("changed")) is None
    assert verdict(row, facts("missing")) is not None
