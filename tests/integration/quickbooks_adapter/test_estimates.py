"""Estimates that stand in for sales orders, and what a bookkeeper did with them first (domain reference, 9.7)."""

from decimal import Decimal

import pytest
from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import Application, DocumentKind
from ledger_writer.ledgers.protocol import Refused
from ledger_writer.planning.candidates import Same, judge


@pytest.mark.parametrize("memo", ["the estimate's", "by hand"])
async def test_an_invoice_that_somebody_made_of_the_estimate_is_found_through_it(company: Company, memo: str) -> None:
    estimates = [document(DocumentKind.ESTIMATE, source_id=source) for source in ("1001", "1002")]
    invoices = [
        document(DocumentKind.INVOICE, source_id=one.source_id, number=f"R-{one.source_id}", closes=(one.key,))
        for one in estimates
    ]
    async with company.session() as session:
        await company.people_and_goods(session)
        for estimate in estimates:
            await company.written(session, operation(estimate))
        # Converted in QuickBooks: linked to the estimate, under a number of its own.
        made = invoices[0].model_copy(update={"key": "0a1b2c3d" * 4, "number": "7001", "memo_number": "7001"})
        link = (await company.written(session, operation(made))).link
        note = estimates[0].memo if memo == "the estimate's" else memo
        body = {"Id": link.ledger_id, "SyncToken": link.token, "sparse": True, "PrivateNote": note}
        await session._client.update("Invoice", body, "by hand")
        wanted = [operation(one, references=company.links) for one in invoices]
        before = session._client.requests
        found = await session.find(wanted)
        assert session._client.requests - before == 3
        ((candidate,),) = found.values()
        assert (list(found), candidate.link.ledger_id) == ([invoices[0].key], link.ledger_id)
        assert judge(wanted[0], [candidate], frozenset()) == Same(candidate.link, ())
        assert await session.find([operation(one) for one in invoices]) == {}


async def test_an_invoice_whose_estimate_is_closed_stands_by_itself_and_says_so(company: Company) -> None:
    estimate = document(DocumentKind.ESTIMATE)
    invoice = document(DocumentKind.INVOICE, closes=(estimate.key,))
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(estimate))
        company.stand_in.fail(realm=company.realm, action="fault", entity="Invoice", operation="save", code="620")
        written = await company.written(session, operation(invoice))
        assert [notice.code for notice in written.notices] == ["ESTIMATE_NOT_LINKED"]
        (stored,) = company.stored("Invoice")
        assert (stored["Id"], stored["LinkedTxn"], stored["PrivateNote"]) == (written.link.ledger_id, [], invoice.memo)
        assert company.one("Estimate", company.links[estimate.key].ledger_id)["TxnStatus"] == "Pending"
        payment = document(
            DocumentKind.PAYMENT, applications=(Application(document_key=invoice.key, amount=Decimal("77.00")),)
        )
        company.stand_in.fail(realm=company.realm, action="fault", entity="Payment", operation="save", code="620")
        refused = await company.write(session, operation(payment, applications=((invoice.key, invoice.total),)))
        assert isinstance(refused, Refused)
        assert refused.reason.code == "CANNOT_LINK"
