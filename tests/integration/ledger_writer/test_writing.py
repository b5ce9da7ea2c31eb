"""From a transaction set to entries in the journal, and back out as states."""

from decimal import Decimal
from typing import Any

from common.messages.documents import DocumentChanged
from common.messages.transactions import DocumentKind
from common.packs import Envelope, decode


async def test_a_receipt_is_written_with_its_customer_and_item(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("1001", "77.00"))
    await open_desk.settled(3)
    assert await open_desk.balances() == {
        "Assets:UndepositedFunds": Decimal("77.00"),
        "Income:Sales": Decimal("-77.00"),
    }
    async with open_desk.broker.consume("api.documents-changed", 10) as subscription:
        delivery = await subscription.get()
        states = [one.state for one in decode(DocumentChanged, delivery.body) if isinstance(one, Envelope)]
    assert {(state.kind.value, state.state.value) for state in states} == {
        ("customer", "synced"),
        ("item", "synced"),
        ("sales_receipt", "synced"),
    }


async def test_one_order_with_invoice_payment_and_refund_needs_one_pass(open_desk: Any, make: Any) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    invoice = make.form("1002", DocumentKind.INVOICE, "77.00", customer=customer, item=item)
    paid = make.payment("1002", "77.00", customer=customer, to=invoice.key)
    refund = make.form(
        "1002", DocumentKind.REFUND_RECEIPT, "24.66", customer=customer, item=item, depends_on=(paid.key,)
    )
    await open_desk.send(make.order_set("1002", [refund, paid, invoice], customers=[customer], items=[item]))
    await open_desk.settled(5)
    assert await open_desk.balances() == {
        "Assets:Receivable": Decimal("0.00"),
        "Assets:UndepositedFunds": Decimal("52.34"),
        "Income:Sales": Decimal("-52.34"),
    }
    assert open_desk.journal().count(";; tillbook batch") == len(
        list((open_desk.folder / "journal").glob("*.beancount"))
    )
