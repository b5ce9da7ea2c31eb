"""Tax that a marketplace keeps and pays itself never reaches the merchant, however an order goes on (section 12.5)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    mapped,
    only,
    refunded,
    second_refund,
    tender,
)
from tests.unit.mapper.test_payment_small_print import NO_RECEIPTS, applied, in_two_shipments

from common.messages.orders import FinancialStatus, Lifecycle, Order, TenderKind, TenderStatus
from common.messages.transactions import DocumentKind, LineKind, TransactionSet
from mapper.mapping.directives import NO_DIRECTIVES
from mapper.mapping.facts import RefundNature, read_facts
from mapper.mapping.modes import Situation
from mapper.mapping.postings import trial_balance

INVOICES = "invoices_payments_if_paid"
UNINVOICED = "sales_orders_payments_if_paid"
GIFT = TenderKind.GIFT_CARD
LEFT_OF_A = {"UF": D("49.73"), "INC": D("-44.99"), "SHIP": D("-7.95"), "DISC": D("3.21")}
"""Example A without one hammer and without tax."""


def marketplace(*tenders: Any, **changes: Any) -> Order:
    values: dict[str, Any] = {"tax_remitted": D("4.06"), "tenders": tenders or (tender("77.00"),)}
    return example_a(**(values | changes))


def part_paid(amount: str, **changes: Any) -> Order:
    return marketplace(tender(amount), financial_status=FinancialStatus.PARTIALLY_PAID, **changes)


def payments(result: TransactionSet) -> list[str]:
    return [str(one.total) for one in result.documents if one.kind is DocumentKind.PAYMENT]


def balance(source: Order, mode: str, **changes: Any) -> dict[str, Any]:
    return trial_balance(list(mapped(source, configuration(mode, **changes)).documents))


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_the_tax_of_goods_taken_off_before_payment_was_never_kept(mode: str, remitted: str) -> None:
    source = part_paid("52.34", refunds=(first_refund(transactions=()),))
    assert balance(source, mode, tax={"remitted": remitted}) == LEFT_OF_A


def test_goods_taken_off_pay_no_more_of_an_invoice_than_their_memo_is_worth() -> None:
    source = part_paid("52.34", refunds=(first_refund(transactions=()),))
    result = mapped(source, configuration(INVOICES))
    memo = only(result, DocumentKind.CREDIT_MEMO)
    assert memo.total == D("23.21")
    assert [str(part.amount) for one in result.documents for part in one.applications] == ["49.73", "23.21"]


def test_money_and_credit_of_one_refund_come_to_its_memo() -> None:
    source = part_paid("57.00", refunds=(first_refund(transactions=(refunded("4.66", "rt1"),)),))
    assert balance(source, INVOICES) == LEFT_OF_A
    little = part_paid("53.34", refunds=(first_refund(transactions=(refunded("1.00", "rt1"),)),))
    assert balance(little, INVOICES) == LEFT_OF_A, "less money than tax went back: the marketplace gave all of it"


def test_what_is_left_of_a_cancelled_order_is_credited_once() -> None:
    cancelled: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "refunds": (first_refund(transactions=()),)}
    result = mapped(part_paid("20.00", **cancelled), configuration(INVOICES))
    assert kinds(result) == ["invoice", "payment", "credit_memo", "credit_memo"]
    assert [str(one.total) for one in result.documents] == ["72.94", "20.00", "23.21", "29.73"]
    assert "AR" not in trial_balance(list(result.documents))


@pytest.mark.parametrize(
    ("tenders", "wanted"),
    [
        (("77.00",), ["72.94"]),
        (("72.94",), ["72.94"]),
        (("73.44",), ["72.94"]),
        (("76.00", "1.00"), ["72.94"]),
        (("40.00",), ["40.00"]),
        (("77.50",), ["73.44"]),
    ],
)
@pytest.mark.parametrize("mode", [INVOICES, UNINVOICED, "payments_only"])
def test_a_payment_is_what_arrived_of_it_whether_or_not_the_channel_states_it_with_the_tax(
    mode: str, tenders: tuple[str, ...], wanted: list[str]
) -> None:
    paid = tuple(tender(amount, f"t{number}") for number, amount in enumerate(tenders))
    status = FinancialStatus.PARTIALLY_PAID if tenders == ("40.00",) else FinancialStatus.PAID
    source = marketplace(*paid, financial_status=status)
    assert payments(mapped(source, configuration(mode))) == wanted


def test_a_few_cents_of_tax_are_kept_as_much_as_all_of_it() -> None:
    assert payments(mapped(marketplace(tax_remitted=D("0.50")), configuration(INVOICES))) == ["76.50"]


def test_a_marketplace_keeps_nothing_from_a_gift_card() -> None:
    source = marketplace(tender("57.00"), tender("20.00", "g", kind=GIFT))
    for result in (mapped(source, configuration(INVOICES)), in_two_shipments(source, {"l1": "1"})):
        assert payments(result) == ["52.94", "20.00"]
    assert payments(mapped(source, configuration(UNINVOICED))) == ["52.94"]


@pytest.mark.parametrize(
    ("changes", "first", "second"),
    [
        ({}, "27.95", "44.99"),
        ({"tax_remitted": D(0), "merchant_fee": D("4.06")}, "25.34", "47.60"),
        ({"tax_remitted": D("4.00"), "merchant_fee": D("0.06")}, "27.91", "45.03"),
    ],
)
def test_part_invoices_are_paid_with_what_arrived_and_nothing_stays_open(
    changes: dict[str, Any], first: str, second: str
) -> None:
    result = in_two_shipments(marketplace(**changes), {"l1": "1"}, fees={"on_order": "negative_line"})
    assert payments(result) == ["72.94"]
    assert applied(result) == [[("1001", first), ("1001-1", second)]]
    assert "AR" not in trial_balance(list(result.documents))


def test_a_fee_stands_on_no_order_form_so_its_payment_is_whole() -> None:
    source = example_a(merchant_fee=D("2.53"))
    assert payments(mapped(source, configuration(UNINVOICED, fees={"on_order": "negative_line"}))) == ["77.00"]


def test_all_of_an_uninvoiced_order_goes_back_by_what_came_in() -> None:
    source = marketplace(refunds=(first_refund(), second_refund()))
    result = mapped(source, configuration(UNINVOICED))
    back = [str(one.total) for one in result.documents if one.kind is DocumentKind.REFUND_PAYMENT]
    assert back == ["23.21", "49.73"]
    assert trial_balance(list(result.documents)) == {}


def test_a_refund_lowers_its_payment_by_what_the_merchant_gave_back() -> None:
    source = marketplace(refunds=(first_refund(),))
    assert payments(mapped(source, configuration(INVOICES, refund_policy="reduce_payment"))) == ["49.73"]


def test_the_marketplace_gives_its_tax_back_with_the_last_money_and_never_with_a_gift_card() -> None:
    tenders = (tender("57.00", "t1"), tender("20.00", "g", kind=GIFT))
    back = first_refund(
        transactions=(
            refunded("19.16", "rt1"),
            refunded("0.50", "rt2"),
            refunded("5.00", "rt3", kind=GIFT, tender_external_id="g"),
        )
    )
    result = mapped(marketplace(*tenders, refunds=(back,)), configuration(INVOICES, file=NO_RECEIPTS))
    paid = [(one.source_id, str(one.total)) for one in result.documents if one.kind is DocumentKind.REFUND_PAYMENT]
    assert [amount for _, amount in paid] == ["18.21", "5.00"]
    assert only(result, DocumentKind.CREDIT_MEMO).total == D("23.21")


def test_a_voided_payment_of_an_order_shipped_in_parts_is_voided() -> None:
    source = example_a(tenders=(tender("77.00", "t0", status=TenderStatus.VOIDED), tender("77.00", "t1")))
    assert kinds(in_two_shipments(source, {"l1": "1"}))[3:] == ["payment", "payment void"]


def test_the_tax_that_is_left_stands_on_the_receipt_and_is_taken_off_it() -> None:
    source = part_paid("52.34", refunds=(first_refund(transactions=()),))
    receipt = only(mapped(source, configuration()), DocumentKind.SALES_RECEIPT)
    assert [one.amount for one in receipt.taxes] == [D("2.61")]
    assert [one.amount for one in receipt.lines if one.kind is LineKind.REMITTED_TAX] == [D("-2.61")]


def test_only_the_marketplaces_part_of_the_tax_is_left_out_of_sale_and_refund() -> None:
    source = example_a(tax_remitted=D("2.03"), refunds=(first_refund(),))
    result = mapped(source, configuration(tax={"remitted": "leave_out"}))
    assert [[str(one.amount) for one in document.taxes] for document in result.documents] == [["2.03"], ["0.72"]]
    assert [str(one.total) for one in result.documents] == ["74.97", "23.93"]


def test_a_refund_of_an_order_that_says_no_tax_gives_none_of_the_marketplaces_back() -> None:
    untaxed = example_a(
        lines=example_a().lines[1:], discounts=(), taxes=(), tax_total=D("0.00"), tax_remitted=D("1.00")
    )
    bare = tuple(one.model_copy(update={"taxes": ()}) for one in untaxed.lines)
    (back,) = first_refund().lines
    gone = back.model_copy(update={"line_external_id": "l2", "amount": D("5.00"), "discount": D(0), "tax": D(0)})
    refund = first_refund(lines=(gone,), tax=D("0.00"), transactions=(refunded("5.00", "rt1"),))
    source = untaxed.model_copy(
        update={"lines": bare, "total": D("27.94"), "tenders": (tender("27.94"),), "refunds": (refund,)}
    )
    receipt = only(mapped(source, configuration()), DocumentKind.REFUND_RECEIPT)
    assert (receipt.total, [one.amount for one in receipt.lines]) == (D("5.00"), [D("5.00")])


def test_goods_that_come_back_without_money_leave_what_the_marketplace_kept() -> None:
    source = marketplace(refunds=(first_refund(transactions=()),))
    assert payments(mapped(source, configuration(INVOICES))) == ["72.94"]


GROSS, NET = "77.00", "72.94"
SOLD = {"UF": D(NET), "INC": D("-69.99"), "SHIP": D("-7.95"), "DISC": D("5.00")}


@pytest.mark.parametrize("stated", [GROSS, NET])
@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
def test_an_order_is_paid_whether_or_not_its_tender_holds_the_tax_that_was_kept(stated: str, remitted: str) -> None:
    source = marketplace(tender(stated))
    settings: dict[str, Any] = {"tax": {"remitted": remitted}}
    receipt = mapped(source, configuration(**settings))
    assert kinds(receipt) == ["sales_receipt"]
    assert only(receipt, DocumentKind.SALES_RECEIPT).hold is None
    assert trial_balance(list(receipt.documents)) == SOLD
    assert balance(source, INVOICES, **settings) == SOLD
    charged = configuration(INVOICES, fees={"on_order": "negative_line", "fixed": D("0.30")}, **settings)
    assert payments(mapped(source, charged)) == ["72.64"], "only a paid order has its fee"
    summarised = mapped(source, configuration("summary_sales_receipt", **settings))
    assert summarised.reason is not None
    assert summarised.reason.code == "IN_SUMMARY"


def test_an_order_that_lacks_a_cent_more_than_the_tax_is_not_paid() -> None:
    receipt = only(mapped(part_paid("72.93"), configuration()), DocumentKind.SALES_RECEIPT)
    assert receipt.hold is not None
    assert receipt.hold.code == "WAITING_FOR_PAYMENT"
    facts = read_facts(part_paid("72.93"), NO_DIRECTIVES, None)
    assert (facts.situation, facts.open) == (Situation.PARTLY_PAID, D("4.07"))
    assert read_facts(part_paid(NET), NO_DIRECTIVES, None).open == 0


def test_an_order_of_nothing_but_kept_tax_owes_the_merchant_nothing() -> None:
    source = marketplace(lines=(), discounts=(), shipping_lines=(), total=D("4.06"), tenders=())
    waiting = source.model_copy(update={"tenders": (), "financial_status": FinancialStatus.PENDING})
    assert read_facts(waiting, NO_DIRECTIVES, None).situation is Situation.ZERO


@pytest.mark.parametrize(("paid", "back"), [(GROSS, ("24.66", "52.34")), (NET, ("23.21", "49.73"))])
@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
@pytest.mark.parametrize("file", [None, NO_RECEIPTS])
def test_a_refund_without_the_tax_that_the_marketplace_gives_back_is_whole(
    paid: str, back: tuple[str, str], mode: str, file: Any
) -> None:
    first = first_refund(transactions=(refunded(back[0], "rt1"),))
    second = second_refund(transactions=(refunded(back[1], "rt2"),))
    one = mapped(marketplace(tender(paid), refunds=(first,)), configuration(mode, file=file))
    assert trial_balance(list(one.documents)) == LEFT_OF_A
    all_of_it = mapped(marketplace(tender(paid), refunds=(first, second)), configuration(mode, file=file))
    assert not [document for document in all_of_it.documents if document.hold]
    assert trial_balance(list(all_of_it.documents)) == {}


def test_what_the_customer_got_back_is_told_from_a_refund_that_does_not_add_up() -> None:
    def read(*refunds: Any) -> list[tuple[RefundNature, str]]:
        source = marketplace(tender(NET), refunds=refunds)
        return [(fact.nature, str(fact.returned)) for fact in read_facts(source, NO_DIRECTIVES, None).refunds]

    def of(amount: str) -> Any:
        return first_refund(transactions=(refunded(amount, "rt1"),))

    assert read(of("23.21")) == [(RefundNature.MONEY, "24.66")]
    assert read(of("23.18")) == [(RefundNature.MONEY, "24.63")], "three cents, one a line and one for the order"
    assert read(of("23.17")) == [(RefundNature.MISMATCH, "23.17")]
    assert read(of("24.66")) == [(RefundNature.MONEY, "24.66")]
    cents = marketplace(tax_remitted=D("0.06"), refunds=(of("24.65"),))
    assert read_facts(cents, NO_DIRECTIVES, None).refunds[0].returned == D("24.65"), "as near with the tax as without"
    assert read(first_refund(transactions=())) == [(RefundNature.STOCK_ONLY, "0")]
    least = first_refund(lines=(), shipping=D("1.00"), tax=D("0.06"), transactions=(refunded("1.00", "rt1"),))
    assert read(least) == [(RefundNature.MONEY, "1.06")]
    only_tax = first_refund(lines=(), tax=D("1.45"), transactions=())
    assert read(only_tax) == [(RefundNature.STOCK_ONLY, "0")], "no money moved"


def test_goods_taken_off_an_order_with_net_tenders_take_their_tax_off_what_was_kept() -> None:
    source = part_paid("49.73", refunds=(first_refund(transactions=()),))
    facts = read_facts(source, NO_DIRECTIVES, None)
    assert (facts.situation, facts.open) == (Situation.PAID, D(0))
    short = read_facts(source.model_copy(update={"tenders": (tender("49.72"),)}), NO_DIRECTIVES, None)
    assert (short.situation, short.open) == (Situation.PARTLY_PAID, D("2.62"))
    for mode in ("sales_receipts", INVOICES):
        assert balance(source, mode) == LEFT_OF_A


def test_money_back_on_an_order_that_is_not_paid_is_what_it_is_and_the_rest_is_credited() -> None:
    source = part_paid("49.73", refunds=(first_refund(transactions=(refunded("23.21", "rt1"),)),))
    facts = read_facts(source, NO_DIRECTIVES, None)
    (fact,) = facts.refunds
    assert (fact.nature, fact.returned, fact.credit) == (RefundNature.PART_CREDIT, D("23.21"), D("1.45"))
    assert facts.open == D("25.82")


@pytest.mark.parametrize(("captured", "owed"), [("49.73", "0"), ("49.72", "4.07")])
def test_only_goods_taken_off_lower_the_tax_that_was_kept_of_what_is_owed(captured: str, owed: str) -> None:
    """Money that went back is a document of its own: the sale keeps its 4.06 of tax."""
    removal = first_refund(
        external_id="r2", created_at=datetime(2026, 3, 11, tzinfo=UTC), tax=D("0.00"), transactions=()
    )
    facts = read_facts(part_paid(captured, refunds=(first_refund(), removal)), NO_DIRECTIVES, None)
    assert [one.nature for one in facts.refunds] == [RefundNature.MONEY, RefundNature.REMOVAL]
    assert facts.open == D(owed)
