"""From a transaction set to entries in the journal, and back out as states."""

from datetime import date
from decimal import Decimal
from typing import Any

from common.messages.base import Reason
from common.messages.control import DocumentDismissed, ResendRequested
from common.messages.documents import DocumentChanged
from common.messages.transactions import DocumentKind, MissingPolicy, SetOutcome, WantedState
from common.packs import Envelope, decode
from ledger_writer.messages import to_document_changed
from ledger_writer.store.rows import COLUMNS, Row

D = Decimal
K = DocumentKind


def receipt_key(make: Any, number: str) -> str:
    key: str = make.key_of(number, K.SALES_RECEIPT)
    return key


async def test_a_receipt_is_written_with_its_customer_and_item(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("1001", "77.00"))
    await open_desk.settled(3)
    assert await open_desk.balances() == {"Assets:UndepositedFunds": D("77.00"), "Income:Sales": D("-77.00")}
    async with open_desk.broker.consume("api.documents-changed", 10) as subscription:
        delivery = await subscription.get()
        states = [one.state for one in decode(DocumentChanged, delivery.body) if isinstance(one, Envelope)]
    assert {(state.kind.value, state.state.value, state.attempts) for state in states} == {
        ("customer", "synced", 1),
        ("item", "synced", 1),
        ("sales_receipt", "synced", 1),
    }


async def test_one_order_with_invoice_payment_and_refund_needs_one_pass(open_desk: Any, make: Any) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    invoice = make.form("1002", K.INVOICE, "77.00", customer=customer, item=item)
    paid = make.payment("1002", "77.00", customer=customer, to=invoice.key)
    refund = make.form("1002", K.REFUND_RECEIPT, "24.66", customer=customer, item=item, depends_on=(paid.key,))
    await open_desk.send(make.order_set("1002", [refund, paid, invoice], customers=[customer], items=[item]))
    await open_desk.settled(5)
    assert await open_desk.balances() == {
        "Assets:Receivable": D("0.00"),
        "Assets:UndepositedFunds": D("52.34"),
        "Income:Sales": D("-52.34"),
    }
    files = list((open_desk.folder / "journal").glob("*.beancount"))
    assert open_desk.journal().count(";; tillbook batch") == len(files)


async def test_a_repeated_or_older_set_changes_nothing(open_desk: Any, make: Any) -> None:
    newer = make.receipt_set("1001", "80.00", revision=2)
    await open_desk.send(newer)
    await open_desk.settled(3)
    await open_desk.send(make.receipt_set("1001", "77.00"), newer)
    await open_desk.send(newer)
    await open_desk.send(make.receipt_set("1002", "1.00"))
    await open_desk.settled(5)
    assert (await open_desk.balances())["Income:Sales"] == D("-81.00")
    assert "Reversal" not in open_desk.journal()


async def test_an_edit_reverses_and_writes_anew(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("1001", "77.00"))
    await open_desk.settled(3)
    for revision, amount in ((2, "80.00"), (3, "79.00")):
        await open_desk.send(make.receipt_set("1001", amount, revision=revision))
        await open_desk.until("SELECT max(source_revision) FROM documents WHERE state = 'synced'", revision)
    assert (await open_desk.balances())["Income:Sales"] == D("-79.00")
    assert open_desk.journal().count("reverses:") == 2


async def test_what_is_no_longer_in_the_set_is_voided_and_comes_back(open_desk: Any, make: Any) -> None:
    whole = make.receipt_set("1001", "77.00")
    await open_desk.send(whole)
    await open_desk.settled(3)
    await open_desk.send(make.order_set("1001", [], revision=2))
    await open_desk.until_state(receipt_key(make, "1001"), "voided")
    assert (await open_desk.balances())["Income:Sales"] == D("0.00")
    await open_desk.send(make.receipt_set("1001", "77.00", revision=3))
    await open_desk.until_state(receipt_key(make, "1001"), "synced")
    assert (await open_desk.balances())["Income:Sales"] == D("-77.00")


async def test_a_cancelled_order_that_was_never_written_is_skipped(open_desk: Any, make: Any) -> None:
    wanted = make.receipt_set("1001")
    document = wanted.documents[0].model_copy(update={"wanted": WantedState.VOID})
    await open_desk.send(wanted.model_copy(update={"documents": (document,)}))
    await open_desk.until_state(document.key, "skipped", "NOT_NEEDED")


async def test_a_held_edit_waits_for_a_person_who_applies_or_ignores_it(open_desk: Any, make: Any) -> None:
    for number in ("1", "2"):
        await open_desk.send(make.receipt_set(number, "77.00", after_posting="hold"))
    await open_desk.settled(5)
    for number in ("1", "2"):
        await open_desk.send(make.receipt_set(number, "80.00", revision=2, after_posting="hold"))
        await open_desk.until_state(receipt_key(make, number), "action_required", "SOURCE_CHANGED")
    await open_desk.send(
        ResendRequested(
            tenant_id=make.TENANT,
            revision=1,
            resend_id="res_1",
            company_id=make.COMPANY,
            order_keys=(f"{make.CONNECTION}/1",),
        ),
    )
    await open_desk.send(dismissal(make, receipt_key(make, "2"), 1, dismissed=True))
    await open_desk.until_state(receipt_key(make, "1"), "synced")
    await open_desk.until_state(receipt_key(make, "2"), "dismissed")
    assert (await open_desk.balances())["Income:Sales"] == D("-157.00")
    await open_desk.send(make.receipt_set("1", "81.00", revision=3, after_posting="hold"))
    await open_desk.until_state(receipt_key(make, "1"), "action_required", "SOURCE_CHANGED")


async def test_what_is_written_is_left_alone_while_its_order_is_held_and_after(open_desk: Any, make: Any) -> None:
    wanted = make.receipt_set("1", "77.00")
    await open_desk.send(wanted)
    await open_desk.settled(3)
    key = receipt_key(make, "1")
    # A product that nobody maps any more leaves its line without an item, and the postings as they were.
    hold = Reason(code="PRODUCT_MISSING", text="No item is found.")
    (receipt,) = wanted.documents
    lines = tuple(line.model_copy(update={"item_key": None}) for line in receipt.lines)
    held = receipt.model_copy(update={"hold": hold, "lines": lines, "total": D("80.00")})
    await open_desk.send(wanted.model_copy(update={"documents": (held,), "revision": 2}))
    await open_desk.until_state(key, "action_required", "PRODUCT_MISSING")
    row = Row.of(await open_desk.pool.fetchrow(f"SELECT {COLUMNS} FROM documents WHERE document_key = $1", key))
    told = to_document_changed(row)
    assert (told.amount, told.standing) == (D("80.00"), D("77.00"))
    await open_desk.send(wanted.model_copy(update={"revision": 3}))
    await open_desk.until_state(key, "synced", "")
    assert open_desk.journal().count(f'document-key: "{key}"') == 1


async def test_what_takes_the_place_of_a_standing_document_waits_until_that_is_void(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("1", "77.00"))
    await open_desk.settled(3)
    await open_desk.configure(closed_through=date(2026, 1, 31))
    # The mode changed: an invoice takes the place of a receipt that may not be made void.
    customer, item = make.customer_of("Buyer 1"), make.item_of("Mug")
    invoice = make.form("1", K.INVOICE, "80.00", customer=customer, item=item, on=date(2026, 2, 5))
    await open_desk.send(make.order_set("1", [invoice], customers=[customer], items=[item], revision=2))
    stands = "SELECT state || ' ' || code FROM documents WHERE document_key = $1"

    async def both_wait() -> None:
        await open_desk.until(stands, "action_required PERIOD_CLOSED", receipt_key(make, "1"))
        await open_desk.until(stands, "blocked REPLACED_STILL_IN_LEDGER", invoice.key)
        assert (await open_desk.balances())["Income:Sales"] == D("-77.00")

    await both_wait()
    before = await open_desk.pool.fetchval("SELECT max(seq) FROM documents")
    order = f"{make.CONNECTION}/1"
    await open_desk.send(
        ResendRequested(
            tenant_id=make.TENANT, revision=1, resend_id="res_1", company_id=make.COMPANY, order_keys=(order,)
        )
    )
    await open_desk.until("SELECT min(seq) > $1 FROM documents WHERE set_key <> ''", True, before)
    await both_wait()
    await open_desk.configure()
    await open_desk.until_state(invoice.key, "synced")
    await open_desk.until_state(receipt_key(make, "1"), "voided")
    assert (await open_desk.balances())["Income:Sales"] == D("-80.00")


def dismissal(make: Any, key: str, revision: int, *, dismissed: bool) -> DocumentDismissed:
    return DocumentDismissed(
        tenant_id=make.TENANT,
        revision=revision,
        company_id=make.COMPANY,
        document_key=key,
        dismissed=dismissed,
    )


async def test_nothing_is_written_before_the_preview_is_approved(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.pair()
    await desk.send(make.receipt_set("1001"))
    await desk.until_state(receipt_key(make, "1001"), "blocked", "WAITING_FOR_APPROVAL")
    await desk.configure(approved_at=None)
    await desk.until_state(receipt_key(make, "1001"), "blocked", "WAITING_FOR_APPROVAL")
    assert "document-key" not in desk.journal()
    await desk.configure()
    await desk.settled(3)


async def test_what_was_planned_is_not_written_once_its_order_is_held_or_filtered(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.pair()
    planned = make.receipt_set("1001", "77.00")
    await desk.send(planned)
    await desk.until_state(receipt_key(make, "1001"), "blocked", "WAITING_FOR_APPROVAL")
    left_out = {"documents": (), "reason": Reason(code="DO_NOT_IMPORT", text="A rule leaves it out.")}
    await desk.send(planned.model_copy(update={"revision": 2, "outcome": SetOutcome.FILTERED, **left_out}))
    await desk.until_state(receipt_key(make, "1001"), "skipped", "NOT_NEEDED")
    await desk.configure()
    await desk.send(make.receipt_set("1002", "5.00"))
    await desk.until_state(receipt_key(make, "1002"), "synced")
    assert (await desk.balances())["Income:Sales"] == D("-5.00")
    await desk.send(planned.model_copy(update={"revision": 3}))
    await desk.until_state(receipt_key(make, "1001"), "synced")
    await desk.send(planned.model_copy(update={"revision": 4, "outcome": SetOutcome.HELD, **left_out}))
    await desk.send(make.receipt_set("1003", "1.00"))
    await desk.until_state(receipt_key(make, "1003"), "synced")
    assert (await desk.balances())["Income:Sales"] == D("-83.00"), "what is written stays"


async def test_a_closed_period_is_told_before_the_preview_is_approved(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.pair()
    await desk.configure(approved_at=None, closed_through=date(2026, 1, 31))
    await desk.send(make.receipt_set("1001"))
    await desk.until_state(receipt_key(make, "1001"), "action_required", "PERIOD_CLOSED")
    await desk.configure(approved_at=None, closed_through=date(2025, 12, 31))
    await desk.until_state(receipt_key(make, "1001"), "blocked", "WAITING_FOR_APPROVAL")
    await desk.configure()
    await desk.settled(3)


async def test_a_document_of_a_closed_period_waits_until_it_is_opened(open_desk: Any, make: Any) -> None:
    await open_desk.configure(closed_through=date(2026, 1, 31))
    await open_desk.send(make.receipt_set("1001"))
    await open_desk.until_state(receipt_key(make, "1001"), "action_required", "PERIOD_CLOSED")
    await open_desk.configure(closed_through=date(2025, 12, 31))
    await open_desk.settled(3)


async def test_a_missing_product_holds_its_orders_until_it_may_be_made(open_desk: Any, make: Any) -> None:
    customer, strict = make.customer_of("Jane Roe"), make.item_of("Mug", MissingPolicy.STOP)
    receipts = [make.form(number, K.SALES_RECEIPT, "5.00", customer=customer, item=strict) for number in "123"]
    for receipt in receipts:
        await open_desk.send(make.order_set(receipt.number, [receipt], customers=[customer], items=[strict]))
    await open_desk.until("SELECT count(*) FROM documents WHERE code = 'DEPENDENCY_FAILED' AND state = 'blocked'", 3)
    assert await open_desk.state_of(strict.key) == ("action_required", "PRODUCT_MISSING")
    view = (await open_desk.call("GET", f"/internal/documents/{receipts[0].key}?tenant_id={make.TENANT}")).json()
    assert "item Mug" in view["reason"]["text"]
    assert view["blocked_by"] == [strict.key]
    item = make.item_of("Mug")
    await open_desk.send(make.order_set("4", [], customers=[customer], items=[item]))
    await open_desk.settled(5)


async def test_a_resend_without_its_dependency_is_refused_by_name_and_with_cascade_written(
    open_desk: Any, make: Any
) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    hold = Reason(code="ACCOUNT_UNMAPPED", text="No account for tips.")
    invoice = make.form("7", K.INVOICE, "77.00", customer=customer, item=item, hold=hold)
    paid = make.payment("7", "77.00", customer=customer, to=invoice.key)
    await open_desk.send(make.order_set("7", [invoice, paid], customers=[customer], items=[item]))
    await open_desk.until_state(paid.key, "blocked", "DEPENDENCY_FAILED")
    ask = {"tenant_id": make.TENANT, "company_id": make.COMPANY, "document_keys": (paid.key,)}
    await open_desk.send(ResendRequested(revision=1, resend_id="res_1", **ask))
    await open_desk.until("SELECT revision > 1 FROM documents WHERE document_key = $1", True, paid.key)
    await open_desk.until_state(paid.key, "blocked", "DEPENDENCY_FAILED")
    view = (await open_desk.call("GET", f"/internal/documents/{paid.key}?tenant_id={make.TENANT}")).json()
    assert view["reason"]["text"] == "Needs invoice 7, which is not in the ledger: No account for tips."
    free = invoice.model_copy(update={"hold": None})
    await open_desk.send(make.order_set("7", [free, paid], revision=2))
    await open_desk.settled(4)
    assert (await open_desk.balances())["Assets:Receivable"] == D("0.00")


async def test_dismissing_a_dependency_says_so_and_undismissing_brings_both(open_desk: Any, make: Any) -> None:
    customer, strict = make.customer_of("Jane Roe"), make.item_of("Mug", MissingPolicy.STOP)
    receipt = make.form("1", K.SALES_RECEIPT, "5.00", customer=customer, item=strict)
    await open_desk.send(make.order_set("1", [receipt], customers=[customer], items=[strict]))
    await open_desk.until_state(receipt.key, "blocked")
    await open_desk.send(dismissal(make, strict.key, 1, dismissed=True))
    await open_desk.until("SELECT code FROM documents WHERE document_key = $1", "DISMISSED_DEPENDENCY", receipt.key)
    await open_desk.send(dismissal(make, strict.key, 1, dismissed=False))
    await open_desk.send(dismissal(make, strict.key, 2, dismissed=False))
    await open_desk.until_state(strict.key, "action_required", "PRODUCT_MISSING")
    await open_desk.until("SELECT code FROM documents WHERE document_key = $1", "DEPENDENCY_FAILED", receipt.key)


async def test_money_before_the_invoice_is_applied_when_it_arrives(open_desk: Any, make: Any) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    invoice = make.form("3001", K.INVOICE, "250.00", customer=customer, item=item)
    early = make.payment("3001", "100.00", customer=customer, to=invoice.key)
    unapplied = early.model_copy(update={"applications": (), "depends_on": ()})
    await open_desk.send(make.order_set("3001", [unapplied], customers=[customer], items=[item]))
    await open_desk.settled(3)
    assert (await open_desk.balances())["Assets:Receivable"] == D("-100.00")
    late = make.payment("3001", "150.00", customer=customer, to=invoice.key, ordinal=1)
    await open_desk.send(make.order_set("3001", [invoice, early, late], revision=2))
    await open_desk.settled(5)
    assert (await open_desk.balances())["Assets:Receivable"] == D("0.00")
    applied = await open_desk.pool.fetchval("SELECT applied FROM documents WHERE document_key = $1", invoice.key)
    assert applied == D("250.00")


async def test_an_overpayment_leaves_the_rest_unapplied_and_says_so(open_desk: Any, make: Any) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    invoice = make.form("8", K.INVOICE, "77.00", customer=customer, item=item)
    paid = make.payment("8", "80.00", customer=customer, to=invoice.key)
    await open_desk.send(make.order_set("8", [invoice, paid], customers=[customer], items=[item]))
    await open_desk.settled(4)
    view = (await open_desk.call("GET", f"/internal/documents/{paid.key}?tenant_id={make.TENANT}")).json()
    assert [notice["code"] for notice in view["notices"]] == ["PARTLY_UNAPPLIED"]
    assert (await open_desk.balances())["Assets:Receivable"] == D("-3.00")
