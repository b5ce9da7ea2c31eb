"""What the ledger is asked about before documents are planned."""

from typing import Any

import pytest
from tests.unit.ledger_writer.lanes.test_outcomes import item_of

from ledger_writer.lanes.gathering import asked_of
from ledger_writer.store.rows import encode_link


@pytest.mark.parametrize(
    ("intent", "is_asked"), [("", False), ("void:what was sent", True), ("update:what was sent", True)]
)
def test_what_a_request_without_an_answer_may_have_removed_is_asked_about(
    make: Any, intent: str, is_asked: bool
) -> None:
    before = make.written(make.document())
    standing = {"written_hash": before.content_hash, "effect": "present", "link": encode_link(before.link)}
    item = item_of(make.document(), intent=intent, **standing)
    assert (item.row.document_key in asked_of([item], {})) is is_asked
