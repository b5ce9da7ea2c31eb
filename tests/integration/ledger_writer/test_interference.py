"""A person meets what a lane has in hand."""

from typing import Any

import pytest

from common.messages.control import DocumentDismissed
from common.messages.transactions import DocumentKind
from ledger_writer.store import due
from ledger_writer.store.due import Move


def dismissal(make: Any, key: str, tenant_id: str) -> DocumentDismissed:
    return DocumentDismissed(tenant_id=tenant_id, revision=1, document_key=key, company_id=make.COMPANY, dismissed=True)


@pytest.mark.parametrize(
    ("learned", "state"),
    [
        ({"state": "action_required"}, "dismissed"),
        ({"state": "retry_wait", "wait_s": 60.0}, "dismissed"),
        ({"state": "unknown", "wait_s": 60.0}, "unknown"),
        ({"state": "synced", "is_write": True, "written_hash": "h", "effect": "present", "link": "{}"}, "synced"),
    ],
    ids=["refused", "refused for now", "unanswered", "written"],
)
async def test_a_dismissal_stands_against_what_a_lane_learns_unless_it_is_in_the_ledger(
    desk: Any, make: Any, learned: dict[str, Any], state: str
) -> None:
    await desk.start()
    await desk.send(make.receipt_set("1"))
    key = make.key_of("1", DocumentKind.SALES_RECEIPT)
    await desk.until_state(key, "not_tried")
    (taken,) = await due.by_keys(desk.pool, [key])
    await desk.send(dismissal(make, key, make.TENANT))
    await desk.until_state(key, "dismissed")
    async with desk.pool.acquire() as connection, connection.transaction():
        await due.record(connection, [Move(key, taken.seq, failures=1, generation=1, **learned)])
    assert (await desk.state_of(key))[0] == state


async def test_another_tenant_cannot_dismiss_a_document(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.send(make.receipt_set("1"), make.receipt_set("2"))
    mine, marker = (make.key_of(number, DocumentKind.SALES_RECEIPT) for number in ("1", "2"))
    await desk.until_state(marker, "not_tried")
    await desk.send(dismissal(make, mine, "another tenant"), dismissal(make, marker, make.TENANT))
    await desk.until_state(marker, "dismissed")
    assert (await desk.state_of(mine))[0] == "not_tried"
