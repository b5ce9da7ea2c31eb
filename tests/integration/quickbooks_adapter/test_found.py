"""Payments of invoices that somebody else writes: applied to the one with the order's number, and unapplied before."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_changes import bookkeeper
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document

from common.messages.control import ResendRequested
from common.messages.transactions import Application, Document, DocumentKind, MissingPolicy, WantedState


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    async with open_desk(request_timeout_s=3.0) as made:
        yield made


def paid(number: str) -> tuple[Document, Document]:
    """The invoice to be found, and its payment."""
    given: dict[str, Any] = {"source_id": number}
    invoice = document(DocumentKind.INVOICE, **given, lines=(), taxes=(), wanted=WantedState.FOUND)
    applied = (Application(document_key=invoice.key, amount=Decimal("77.00")),)
    return invoice, document(DocumentKind.PAYMENT, **given, applications=applied)


async def write_by_hand(company: Company, number: str) -> str:
    """Ledger id of an invoice over 77.00 that a bookkeeper made."""
    body = {
        "CustomerRef": {"value": company.links[samples.CUSTOMER].ledger_id},
        "DocNumber": number,
        "TxnDate": date(2026, 3, 14).isoformat(),
        "Line": [
            {
                "Amount": Decimal("77.00"),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": company.links[samples.ITEM].ledger_id}},
            }
        ],
    }
    made = await bookkeeper(company)("Invoice", body)
    ledger_id: str = made["Id"]
    return ledger_id


async def test_a_payment_is_applied_to_the_invoice_that_is_found_by_its_number(desk: Desk, company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
    there = await write_by_hand(company, "1001")
    await pair(desk, company)
    buyer = samples.customer(missing=MissingPolicy.STOP)
    orders = {number: paid(number) for number in ("1001", "1002", "1003")}
    await desk.send(*(order_set(number, two, customers=[buyer]) for number, two in orders.items()))
    for number, (invoice, payment) in orders.items():
        code = "" if number == "1001" else "INVOICE_NOT_FOUND"
        await desk.until_state(invoice.key, "skipped" if code else "synced", code)
        await desk.until_state(payment.key, "synced")
    assert (company.one("Invoice", there)["Balance"], len(company.stored("Invoice"))) == (0, 1)
    assert sorted(one["UnappliedAmt"] for one in company.stored("Payment")) == [0, 77, 77]

    # A bookkeeper writes the other two: one is looked for again, one is linked by hand.
    later, linked = await write_by_hand(company, "1002"), await write_by_hand(company, "1003")
    asked = (orders["1002"][0].key,)
    await desk.send(
        ResendRequested(tenant_id=TENANT, revision=1, resend_id="r", company_id=COMPANY, document_keys=asked)
    )
    path = f"/internal/documents/{orders['1003'][0].key}/link"
    assert (await desk.call("PUT", path, {"tenant_id": TENANT, "ledger_id": linked})).status_code == 200
    applied = "SELECT count(*) FROM documents WHERE kind = 'payment' AND state = 'synced' AND applications <> ''"
    await desk.until(applied, 3)
    assert [company.one("Invoice", one)["Balance"] for one in (there, later, linked)] == [0, 0, 0]
    assert len(company.stored("Payment")) == 3

    # Taken out of the books again, the payments go and the invoices stay: they are not ours.
    await desk.send(*(order_set(number, [], customers=[buyer], revision=2) for number in orders))
    await desk.until("SELECT count(*) FROM documents WHERE kind = 'payment' AND state = 'voided'", 3)
    await desk.until("SELECT count(*) FROM documents WHERE kind = 'invoice' AND state = 'skipped'", 3)
    invoices = [company.one("Invoice", one) for one in (there, later, linked)]
    assert [(one["TotalAmt"], one["Balance"]) for one in invoices] == [(77, 77)] * 3
