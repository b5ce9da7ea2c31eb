"""Every kind of document, written, changed and taken back, in books that balance."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.messages.orders import Address
from common.messages.transactions import AccountRole, Document, DocumentKind, DocumentTax, LineKind
from ledger_writer.ledgers.protocol import OperationKind, Refused, Written

UF, CHECKING, INCOME, AR, DISCOUNTS, FEES = "4", "35", "79", "84", "86", "96"
INVOICE = document(DocumentKind.INVOICE)
RECEIPT = document(DocumentKind.SALES_RECEIPT)
CREDIT = document(
    DocumentKind.CREDIT_MEMO,
    "24.66",
    lines=(
        line(amount="25.00", quantity="1", unit_price="25.00", taxable=True),
        line(LineKind.DISCOUNT, "-1.79", samples.DISCOUNT, account=samples.DISCOUNTS, taxable=True),
    ),
    taxes=(DocumentTax(title="California", account=samples.TAXES, amount=Decimal("1.45")),),
)
REFUND = CREDIT.model_copy(
    update={
        "kind": DocumentKind.REFUND_RECEIPT,
        "key": samples.key_of(DocumentKind.REFUND_RECEIPT),
        "deposit_to": samples.FUNDS,
    }
)


class Books:
    """What moved in the company since the books were opened."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._before = company.balances()

    def moved(self) -> dict[str, Decimal]:
        now = self._company.balances()
        assert sum(now.values(), Decimal(0)) == 0
        accounts = now.keys() | self._before.keys()
        found = {name: now.get(name, Decimal(0)) - self._before.get(name, Decimal(0)) for name in accounts}
        return {name: amount for name, amount in found.items() if amount}


async def test_a_sales_receipt_posts_what_the_order_was_paid(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        written = await company.written(session, operation(RECEIPT))
        assert (written.action, written.notices) == ("created", ())
        assert written.link.total == Decimal("77.00")
        assert written.link.number == "1001"
        moved = books.moved()
        assert moved[UF] == Decimal("77.00")
        assert moved[DISCOUNTS] == Decimal("5.00")
        assert moved[INCOME] == Decimal("-77.94")
        voided = await company.change(session, operation(RECEIPT), OperationKind.VOID)
        assert isinstance(voided, Written)
        assert voided.action == "voided"
        assert books.moved() == {}


async def test_an_invoice_is_changed_in_place_and_taken_back(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        first = await company.written(session, operation(INVOICE))
        assert books.moved()[AR] == Decimal("77.00")
        smaller = INVOICE.model_copy(
            update={
                "lines": (samples.example_lines()[0], *samples.example_lines()[2:]),
                "taxes": (DocumentTax(title="CA", account=samples.TAXES, amount=Decimal("2.81")),),
                "total": Decimal("55.76"),
            }
        )
        changed = await company.change(session, operation(smaller), OperationKind.UPDATE)
        assert isinstance(changed, Written)
        assert (changed.action, changed.notices) == ("updated", ())
        assert changed.link.ledger_id == first.link.ledger_id
        assert changed.link.token > first.link.token
        assert books.moved()[AR] == Decimal("55.76")
        stored = company.one("Invoice", first.link.ledger_id)
        assert stored["PrivateNote"] == INVOICE.memo
        assert len(company.stored("Invoice")) == 1
        await company.change(session, operation(smaller), OperationKind.VOID)
        assert books.moved() == {}


async def test_what_a_document_has_lost_goes_and_what_a_person_added_stays(company: Company) -> None:
    full = INVOICE.model_copy(
        update={
            "note": "Leave it at the door",
            "email": "ada@example.com",
            "billing_address": Address(name="Ada Lovelace", line1="1 Mill Lane", city="Salem", country="US"),
        }
    )
    bare = full.model_copy(update={"note": "", "email": "", "billing_address": None})
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        link = (await company.written(session, operation(full))).link
        by_hand = {"Id": link.ledger_id, "SyncToken": link.token, "sparse": True, "BillEmailCc": {"Address": "c@x.org"}}
        await session._client.update("Invoice", by_hand, "by hand")
        stored = company.one("Invoice", link.ledger_id)
        assert {"CustomerMemo", "BillEmail", "BillAddr", "BillEmailCc"} <= stored.keys()
        moved = books.moved()
        changed = await company.change(session, replace(operation(bare), previous=full), OperationKind.UPDATE)
        assert isinstance(changed, Written)
        assert (changed.action, changed.notices, changed.link.total) == ("updated", (), Decimal("77.00"))
        now = company.one("Invoice", link.ledger_id)
        assert stored.keys() - now.keys() == {"CustomerMemo", "BillEmail", "BillAddr"}
        assert now["BillEmailCc"] == {"Address": "c@x.org"}
        assert [part.get("Id") for part in now["Line"]] == [part.get("Id") for part in stored["Line"]]
        assert books.moved() == moved


async def test_an_invoice_is_paid_by_two_tenders_and_the_excess_stays_unapplied(company: Company) -> None:
    first = document(DocumentKind.PAYMENT, "30.00", reference="ch_1", payment_method="Visa")
    second = document(DocumentKind.PAYMENT, "50.00", ordinal=1, reference="W9", deposit_to=samples.CHECKING)
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(INVOICE))
        books = Books(company)
        await company.written(session, operation(first, applications=((INVOICE.key, Decimal("30.00")),)))
        await company.written(session, operation(second, applications=((INVOICE.key, Decimal("47.00")),)))
        assert books.moved() == {UF: Decimal("30.00"), CHECKING: Decimal("50.00"), AR: Decimal("-80.00")}
        facts = await session.facts({key: company.links[key] for key in (INVOICE.key, first.key, second.key)})
        assert facts.open_balance == {INVOICE.key: 0, first.key: 0, second.key: Decimal("3.00")}
        assert not facts.changed, "money that finds an invoice is no edit of it"
        assert not facts.missing


async def test_what_a_person_names_is_looked_at_before_it_is_linked(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(INVOICE))
        ours = company.links[INVOICE.key]
        found = await session.look_at(DocumentKind.INVOICE, ours.ledger_id)
        assert found is not None
        assert (found.number, found.total, found.token) == (ours.number, ours.total, ours.token)
        assert not (await session.facts({INVOICE.key: found})).missing
        assert await session.look_at(DocumentKind.PAYMENT, ours.ledger_id) is None
        assert await session.look_at(DocumentKind.INVOICE, "99999999") is None
        assert await session.look_at(DocumentKind.INVOICE, "nope") is None
        customer = await session.look_at(DocumentKind.CUSTOMER, company.links[samples.CUSTOMER].ledger_id)
        assert customer is not None


async def test_a_payment_is_taken_in_first_and_applied_later(company: Company) -> None:
    paid = document(DocumentKind.PAYMENT, "77.00")
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(paid))
        await company.written(session, operation(INVOICE))
        before = await session.facts(company.links)
        assert before.open_balance[paid.key] == Decimal("77.00")
        applied = operation(paid, applications=((INVOICE.key, Decimal("77.00")),))
        changed = await company.change(session, applied, OperationKind.UPDATE)
        assert isinstance(changed, Written)
        after = await session.facts(company.links)
        assert (after.open_balance[paid.key], after.open_balance[INVOICE.key]) == (Decimal(0), Decimal(0))


async def test_a_partial_refund_gives_back_income_tax_and_discount(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(RECEIPT))
        books = Books(company)
        written = await company.written(session, operation(REFUND))
        assert written.notices == ()
        moved = books.moved()
        assert (moved[UF], moved[INCOME], moved[DISCOUNTS]) == (Decimal("-24.66"), Decimal("25.00"), Decimal("-1.79"))
        voided = await company.change(session, operation(REFUND), OperationKind.VOID)
        assert isinstance(voided, Written)
        assert voided.action == "deleted"
        assert books.moved() == {}


async def test_a_credit_memo_is_set_off_against_the_open_invoice_once(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(INVOICE))
        books = Books(company)
        wanted = operation(CREDIT, applications=((INVOICE.key, Decimal("24.66")),))
        written = await company.written(session, wanted)
        assert written.notices == ()
        assert books.moved()[AR] == Decimal("-24.66")
        facts = await session.facts({key: company.links[key] for key in (INVOICE.key, CREDIT.key)})
        assert facts.open_balance == {INVOICE.key: Decimal("52.34"), CREDIT.key: 0}
        await company.change(session, wanted, OperationKind.UPDATE)
        assert len(company.stored("Payment")) == 1


async def test_a_payment_that_was_never_applied_is_paid_back_and_closed(company: Company) -> None:
    paid = document(DocumentKind.PAYMENT, "20.00")
    back = document(DocumentKind.REFUND_PAYMENT, "20.00", deposit_to=samples.CHECKING)
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(paid))
        books = Books(company)
        written = await company.written(session, operation(back, applications=((paid.key, Decimal("20.00")),)))
        assert written.notices == ()
        assert books.moved() == {CHECKING: Decimal("-20.00"), AR: Decimal("20.00")}
        facts = await session.facts({paid.key: company.links[paid.key]})
        assert facts.open_balance[paid.key] == 0


async def test_a_credit_memo_is_paid_out_once(company: Company) -> None:
    back = document(DocumentKind.REFUND_PAYMENT, "24.66", deposit_to=samples.CHECKING)
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(CREDIT))
        books = Books(company)
        wanted = operation(back, applications=((CREDIT.key, Decimal("24.66")),))
        written = await company.written(session, wanted)
        assert written.notices == ()
        assert books.moved() == {CHECKING: Decimal("-24.66"), AR: Decimal("24.66")}
        facts = await session.facts({CREDIT.key: company.links[CREDIT.key]})
        assert facts.open_balance[CREDIT.key] == 0
        again = await company.change(session, wanted, OperationKind.UPDATE)
        assert isinstance(again, Written)
        assert again.notices == ()
        assert len(company.stored("Payment")) == 1


async def test_what_can_not_be_set_off_is_written_all_the_same_and_told(company: Company) -> None:
    wanted = operation(CREDIT, applications=((INVOICE.key, Decimal("24.66")),))
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(INVOICE))
        company.stand_in.fail(action="fault", code="620", entity="Payment", operation="save", realm=company.realm)
        written = await company.written(session, wanted)
        assert [notice.code for notice in written.notices] == ["NOT_APPLIED"]
        healed = await company.change(session, wanted, OperationKind.UPDATE)
        assert isinstance(healed, Written)
        assert healed.notices == ()
        facts = await session.facts({CREDIT.key: company.links[CREDIT.key]})
        assert facts.open_balance[CREDIT.key] == 0


async def test_an_estimate_is_closed_by_its_invoice_or_by_hand(company: Company) -> None:
    estimate = document(DocumentKind.SALES_ORDER, lines=samples.example_lines(), taxes=RECEIPT.taxes)
    invoice = document(DocumentKind.INVOICE, closes=(estimate.key,))
    other = document(DocumentKind.ESTIMATE, source_id="1002")
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        await company.written(session, operation(estimate))
        await company.written(session, operation(other))
        assert books.moved() == {}
        await company.written(session, operation(invoice))
        assert company.one("Estimate", company.links[estimate.key].ledger_id)["TxnStatus"] == "Closed"
        closed = await company.change(session, operation(other), OperationKind.CLOSE)
        assert isinstance(closed, Written)
        assert closed.action == "closed"
        assert company.one("Estimate", company.links[other.key].ledger_id)["TxnStatus"] == "Closed"


async def test_a_payout_moves_money_from_undeposited_funds_to_the_bank(company: Company) -> None:
    deposit = document(
        DocumentKind.DEPOSIT,
        "49.81",
        deposit_to=samples.CHECKING,
        lines=(
            line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=samples.FUNDS, document_key=RECEIPT.key),
            line(LineKind.GROUPED_DOCUMENT, "24.66", None, account=samples.FUNDS, document_key=REFUND.key),
            line(LineKind.POSTING, "2.53", None, account=samples.FEES, description="Merchant fees"),
            line(LineKind.POSTING, "49.81", None, account=samples.CHECKING),
        ),
    )
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(RECEIPT))
        await company.written(session, operation(REFUND))
        books = Books(company)
        written = await company.written(session, operation(deposit))
        assert written.link.total == Decimal("49.81")
        assert books.moved() == {
            CHECKING: Decimal("49.81"),
            FEES: Decimal("2.53"),
            UF: Decimal("-52.34"),
        }
        facts = await session.facts(company.links)
        assert {RECEIPT.key, REFUND.key} <= facts.deposited
        refused = await company.change(session, operation(RECEIPT), OperationKind.VOID)
        assert isinstance(refused, Refused)
        assert refused.reason.code == "DEPOSITED"


async def test_a_negative_payout_comes_to_zero_on_the_shortfall_account(company: Company) -> None:
    """Payout C: sale 30.00, fee 1.17, refund 85.00."""
    sale = document(DocumentKind.SALES_RECEIPT, "30.00", lines=(line(amount="30.00"),), taxes=())
    back = document(DocumentKind.REFUND_RECEIPT, "85.00", lines=(line(amount="85.00"),), taxes=())
    short = samples.account(AccountRole.SHORTFALL, "Notes Payable")
    deposit = document(
        DocumentKind.DEPOSIT,
        "0.00",
        deposit_to=samples.CHECKING,
        lines=(
            line(LineKind.GROUPED_DOCUMENT, "-30.00", None, account=samples.FUNDS, document_key=sale.key),
            line(LineKind.GROUPED_DOCUMENT, "85.00", None, account=samples.FUNDS, document_key=back.key),
            line(LineKind.POSTING, "1.17", None, account=samples.FEES),
            line(LineKind.POSTING, "-56.17", None, account=short),
            line(LineKind.POSTING, "0.00", None, account=samples.CHECKING),
        ),
    )
    async with company.session() as session:
        await company.people_and_goods(session)
        for one in (sale, back):
            await company.written(session, operation(one))
        books = Books(company)
        await company.written(session, operation(deposit))
        assert books.moved() == {UF: Decimal("55.00"), FEES: Decimal("1.17"), "44": Decimal("-56.17")}


async def test_money_on_a_clearing_account_is_moved_from_it(company: Company) -> None:
    clearing = samples.account(AccountRole.CLEARING, "Merchant Clearing")
    sale = document(DocumentKind.SALES_RECEIPT, deposit_to=clearing)
    deposit = document(
        DocumentKind.DEPOSIT,
        "77.00",
        deposit_to=samples.CHECKING,
        lines=(
            line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=clearing, document_key=sale.key),
            line(LineKind.POSTING, "77.00", None, account=samples.CHECKING),
        ),
    )
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(sale))
        books = Books(company)
        await company.written(session, operation(deposit))
        assert books.moved() == {CHECKING: Decimal("77.00"), "94": Decimal("-77.00")}


async def test_a_journal_entry_posts_its_sides(company: Company) -> None:
    lines = (
        line(LineKind.POSTING, "77.00", None, account=samples.RECEIVABLE),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    )
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        written = await company.written(session, operation(document(DocumentKind.JOURNAL_ENTRY, lines=lines)))
        assert written.notices == ()
        assert books.moved() == {AR: Decimal("77.00"), INCOME: Decimal("-77.00")}


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (DocumentKind.EXPENSE, {CHECKING: Decimal("-2.53"), FEES: Decimal("2.53")}),
        (DocumentKind.BILL, {"33": Decimal("-2.53"), FEES: Decimal("2.53")}),
    ],
)
async def test_a_merchant_fee_is_an_expense_or_a_bill(
    company: Company, kind: DocumentKind, moved: dict[str, Decimal]
) -> None:
    lines = (line(LineKind.FEE, "2.53", None, account=samples.FEES),)
    fee = document(kind, "2.53", lines=lines, customer_key=samples.VENDOR, deposit_to=samples.CHECKING)
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        await company.written(session, operation(fee))
        assert books.moved() == moved
        await company.change(session, operation(fee), OperationKind.VOID)
        assert books.moved() == {}


async def test_a_purchase_order_posts_nothing_and_can_be_closed(company: Company) -> None:
    lines = (line(amount="20.00", quantity="2", unit_price="10.00"),)
    order = document(DocumentKind.PURCHASE_ORDER, "20.00", lines=lines, customer_key=samples.VENDOR)
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        await company.written(session, operation(order))
        assert books.moved() == {}
        await company.change(session, operation(order), OperationKind.CLOSE)
        assert company.one("PurchaseOrder", company.links[order.key].ledger_id)["POStatus"] == "Closed"


async def test_a_bill_closes_the_purchase_order_it_names_and_one_that_is_gone_opens_it_again(company: Company) -> None:
    goods = line(amount="20.00", quantity="2", unit_price="10.00")
    freight = line(LineKind.SHIPPING, "4.00", None, account=samples.FEES)
    both: dict[str, Any] = {"lines": (goods, freight), "customer_key": samples.VENDOR}
    order = document(DocumentKind.PURCHASE_ORDER, "24.00", key="po" * 16, **both)
    bill = document(DocumentKind.BILL, "24.00", key="bi" * 16, closes=(order.key,), depends_on=(order.key,), **both)
    async with company.session() as session:
        await company.people_and_goods(session)
        for wanted in (order, bill):
            await company.written(session, operation(wanted))

        def stored() -> Any:
            return company.one("PurchaseOrder", company.links[order.key].ledger_id)

        names = [{"TxnId": company.links[bill.key].ledger_id, "TxnType": "Bill"}]
        assert (stored()["POStatus"], stored()["LinkedTxn"], stored()["TotalAmt"]) == ("Closed", names, 24)
        facts = await session.facts(company.links)
        assert (len(facts.changed), len(facts.missing)) == (0, 0), "what QuickBooks did itself is no change"
        await company.change(session, operation(bill), OperationKind.VOID)
        assert (stored()["POStatus"], stored()["LinkedTxn"]) == ("Open", [])
        await company.change(session, operation(order), OperationKind.CLOSE)
        await company.written(session, operation(bill.model_copy(update={"key": "bj" * 16})))
        await company.change(session, operation(bill.model_copy(update={"key": "bj" * 16})), OperationKind.VOID)
        assert stored()["POStatus"] == "Closed", "closed by hand"


async def test_a_gift_card_and_a_rounding_line_keep_the_total(company: Company) -> None:
    lines = (
        *samples.example_lines(),
        line(LineKind.GIFT_CARD_REDEMPTION, "-30.00", samples.GIFT),
        line(LineKind.ROUNDING, "0.01", samples.GIFT),
    )
    receipt = document(DocumentKind.SALES_RECEIPT, "47.01", lines=lines)
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        written = await company.written(session, operation(receipt))
        assert (written.link.total, written.notices) == (Decimal("47.01"), ())
        assert books.moved()[UF] == Decimal("47.01")


async def test_inventory_items_carry_stock_and_cost(company: Company) -> None:
    wanted = samples.item("STOCKED", item_type="inventory", unit_price=Decimal("25.00"))
    async with company.session() as session:
        written = await company.written(session, operation(wanted))
        stored = company.one("Item", written.link.ledger_id)
        assert (stored["Type"], stored["InvStartDate"]) == ("Inventory", "2026-01-01")
        vat = await company.change(session, operation(wanted.model_copy(update={"sku": "S-1"})), OperationKind.UPDATE)
        assert isinstance(vat, Written)
        assert company.one("Item", written.link.ledger_id)["Sku"] == "S-1"


async def test_a_customers_contact_is_refreshed_and_the_name_is_kept(company: Company) -> None:
    wanted = samples.customer(email="ada@example.com")
    async with company.session() as session:
        written = await company.written(session, operation(wanted))
        renamed = wanted.model_copy(update={"display_name": "Somebody", "email": "new@example.com"})
        await company.change(session, operation(renamed), OperationKind.UPDATE)
        stored = company.one("Customer", written.link.ledger_id)
        assert stored["DisplayName"] == "Ada Fenn"
        assert stored["PrimaryEmailAddr"] == {"Address": "new@example.com"}


def british_order(total: str, code: str, tax: str) -> Document:
    return document(
        DocumentKind.INVOICE,
        total,
        currency="GBP",
        lines=(line(amount="13.55", taxable=True, tax_code=code),),
        taxes=(DocumentTax(title="VAT", account=samples.TAXES, amount=Decimal(tax)),),
    )


@pytest.mark.parametrize(
    ("tax", "total", "codes"), [("2.71", "16.26", []), ("2.72", "16.27", []), ("2.00", "15.55", [])]
)
async def test_abroad_the_channels_tax_is_kept_to_the_penny(
    british: Company, tax: str, total: str, codes: list[str]
) -> None:
    async with british.session() as session:
        await british.people_and_goods(session)
        written = await british.written(session, operation(british_order(total, "20.0% S", tax)))
        assert [notice.code for notice in written.notices] == codes
        assert written.link.total == Decimal(total)


async def test_a_total_that_the_ledger_works_out_otherwise_is_told_with_both_numbers(company: Company) -> None:
    """A payment's total is taken as sent, so the document's own total is made to differ by a cent and by a pound."""
    for source, claimed, code in (("1", "77.01", "TOTAL_ROUNDED"), ("2", "78.00", "TAX_DIFFERS")):
        receipt = document(DocumentKind.SALES_RECEIPT, claimed, source_id=source)
        async with company.session() as session:
            await company.people_and_goods(session)
            written = await company.written(session, operation(receipt))
        (notice,) = written.notices
        assert notice.code == code
        assert "77.00" in notice.text
        assert claimed in notice.text


async def test_a_foreign_order_is_written_in_its_own_currency(british: Company) -> None:
    euro = samples.customer("Ada Fenn (EUR)", currency="EUR")
    invoice = document(
        DocumentKind.INVOICE,
        "10.00",
        currency="EUR",
        exchange_rate=Decimal("0.85"),
        lines=(line(amount="10.00", tax_code="Exempt"),),
        taxes=(),
    )
    async with british.session() as session:
        await british.people_and_goods(session)
        # The customer of the same key, wanted anew: another request than the one that made the first.
        await british.written(session, operation(euro, attempt="g2"))
        written = await british.written(session, operation(invoice))
        stored = british.one("Invoice", written.link.ledger_id)
    assert stored["CurrencyRef"]["value"] == "EUR"
    assert stored["ExchangeRate"] == Decimal("0.85")
    assert stored["TotalAmt"] == Decimal("10.00")


async def test_a_mix_of_documents_leaves_the_trial_balance_that_their_postings_sum_to(company: Company) -> None:
    expected: dict[str, Decimal] = {}

    def expect(**postings: str) -> None:
        for account, amount in postings.items():
            expected[account] = expected.get(account, Decimal(0)) + Decimal(amount)

    async with company.session() as session:
        await company.people_and_goods(session)
        for number in range(1, 8):
            source = str(2000 + number)
            given: dict[str, Any] = {"source_id": source}
            if number % 2:
                await company.written(session, operation(document(DocumentKind.SALES_RECEIPT, **given)))
                expect(UF="77.00", DISC="5.00", INC="-77.94", TAX="-4.06")
                continue
            invoice = document(DocumentKind.INVOICE, **given)
            payment = document(DocumentKind.PAYMENT, "70.00", **given)
            await company.written(session, operation(invoice))
            await company.written(session, operation(payment, applications=((invoice.key, Decimal("70.00")),)))
            expect(AR="7.00", UF="70.00", DISC="5.00", INC="-77.94", TAX="-4.06")
        await company.written(session, operation(REFUND))
        expect(UF="-24.66", DISC="-1.79", INC="25.00", TAX="1.45")
        voided = document(DocumentKind.INVOICE, source_id="2002")
        payment = document(DocumentKind.PAYMENT, "70.00", source_id="2002")
        await company.change(session, operation(payment), OperationKind.VOID)
        await company.change(session, operation(voided), OperationKind.VOID)
        expect(AR="-7.00", UF="-70.00", DISC="-5.00", INC="77.94", TAX="4.06")
        balances = {row.account: row.balance for row in await session.trial_balance(None) if row.balance}
    names = {
        "UF": "Undeposited Funds",
        "AR": "Accounts Receivable (A/R)",
        "DISC": "Discounts given",
        "INC": "Sales of Product Income",
    }
    for short, name in names.items():
        assert balances[name] == expected[short], name
    assert sum(balance for name, balance in balances.items() if "Payable" in name) == expected["TAX"]
    assert sum(balances.values()) == 0


async def test_a_receipt_that_a_coupon_paid_in_full_is_written_at_zero(company: Company) -> None:
    lines = (
        line(amount="19.99", quantity="1", unit_price="19.99"),
        line(LineKind.DISCOUNT, "-19.99", samples.DISCOUNT, account=samples.DISCOUNTS),
    )
    async with company.session() as session:
        await company.people_and_goods(session)
        books = Books(company)
        free = document(DocumentKind.SALES_RECEIPT, "0.00", lines=lines, taxes=())
        written = await company.written(session, operation(free))
        assert (written.link.total, written.notices) == (Decimal(0), ())
        assert books.moved() == {DISCOUNTS: Decimal("19.99"), INCOME: Decimal("-19.99")}


async def test_a_report_hangs_on_its_document(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        written = await company.written(session, operation(RECEIPT))
        attached = await session.attach(
            written.link, file_name="report.csv", content_type="text/csv", file=b"order,amount\n1001,77.00\n"
        )
        stored = company.one("Attachable", attached)
    assert stored["AttachableRef"][0]["EntityRef"] == {"type": "SalesReceipt", "value": written.link.ledger_id}
    assert stored["FileName"] == "report.csv"
