"""Which documents a payout's lines may mean: each once, by names that somebody gave, and money only (section 14)."""

from tests.unit.mapper.samples import D, example_a, first_refund, mapped, refunded, tender
from tests.unit.mapper.test_payouts import payout, payout_line, sale, settled
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import Direction, TenderKind
from common.messages.transactions import DocumentKind
from mapper.mapping.payout_candidates import candidates_of, money_received
from mapper.mapping.payout_reasons import not_automatic
from mapper.mapping.payouts import map_payout
from mapper.store.payouts import reference_rows, references_of_order

RECEIPTS = settled("sales_receipts")


def test_a_refund_that_the_processor_calls_as_the_shop_does_is_found_once() -> None:
    same = example_a(refunds=(first_refund(transactions=(refunded("24.66", "r1"),)),))
    result = mapped(same, RECEIPTS)
    assert candidates_of([result]).by_refund == {"r1": [result.documents[1]]}


def test_what_went_back_to_a_gift_card_has_no_reference_that_a_line_without_names_could_find() -> None:
    card = refunded("24.66", "rt1", kind=TenderKind.GIFT_CARD)
    result = mapped(example_a(refunds=(first_refund(transactions=(card,)),)), RECEIPTS)
    refund = result.documents[1]
    assert (refund.kind, refund.reference, refund.total) == (DocumentKind.REFUND_RECEIPT, "", D("0.00"))
    part = refunded("4.66", "rt2")
    both = first_refund(transactions=(card.model_copy(update={"amount": D("20.00")}), part))
    result = mapped(example_a(refunds=(both,)), RECEIPTS)
    assert set(candidates_of([result]).by_refund) == {"r1", "rt2"}


def test_money_received_is_receipts_and_payments_that_a_processor_could_have_paid_out() -> None:
    payments = settled("invoices_payments_if_paid")
    gifted = example_a(tenders=(tender("30.00", "g", kind=TenderKind.GIFT_CARD), tender("47.00", "m")))
    unpaid_yet = sale("1002", "10.00").model_copy(update={"tenders": (tender("4.00"),)})
    sets = [
        mapped(example_a(refunds=(first_refund(),)), RECEIPTS),
        mapped(unpaid_yet, RECEIPTS),
        mapped(gifted, payments),
    ]
    found = [(one.kind.value, one.total) for one in money_received(sets)]
    assert found == [("sales_receipt", D("77.00")), ("payment", D("47.00"))]
    assert money_received([]) == []


def test_a_held_payment_by_gift_card_keeps_no_payout_waiting() -> None:
    gifted = example_a(tenders=(tender("30.00", "g", kind=TenderKind.GIFT_CARD), tender("47.00", "m")))
    result = mapped(gifted, settled("invoices_payments_if_paid"))
    for amount, waiting in ((D("30.00"), set()), (D("47.00"), {result.source_id})):
        held = [
            one.model_copy(update={"hold": not_automatic()}) if one.total == amount else one for one in result.documents
        ]
        assert candidates_of([result.model_copy(update={"documents": tuple(held)})]).waiting == waiting


def test_a_missing_sale_of_a_summary_is_said_to_be_in_it_though_its_refund_is_a_document() -> None:
    rules = compiled(rule("map_transaction_type", "summary_sales_receipt"))
    summarised = mapped(example_a(refunds=(first_refund(),)), RECEIPTS, rules=rules)
    assert [one.kind for one in summarised.documents] == [DocumentKind.REFUND_RECEIPT]
    source = payout("77.00", payout_line("charge", "77.00", order_number="1001"))
    result = map_payout(source, RECEIPTS, candidates_of([summarised]))
    assert result.reason is not None
    assert "1001 (The order is part of the summary of 2026-03-02.)" in result.reason.text


def test_a_purchase_numbered_as_a_sale_takes_no_payout_from_it() -> None:
    sold = example_a()
    assert references_of_order(sold) == ["id:t1", "number:1001", "reference:ch_t1"]
    bought = sold.model_copy(update={"external_id": "purchase:7", "direction": Direction.PURCHASE})
    assert (references_of_order(bought), list(reference_rows(bought))) == ([], [])
