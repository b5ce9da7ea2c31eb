"""Section 8: why a payment is missing, in order, the first that is true."""

from datetime import date
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    ledger,
    line,
    mapped,
    order,
    tender,
    unpaid,
)

from common.messages.base import Reason, Severity
from common.messages.keys import document_key
from common.messages.orders import FinancialStatus, Order, TenderKind, TenderStatus
from common.messages.transactions import AccountRole, DocumentKind
from mapper.mapping.case import Case
from mapper.mapping.catalog import Catalog, CustomerLink
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import Directives
from mapper.mapping.facts import STATED_TENDER, read_facts
from mapper.mapping.missing_payments import LedgerView, payments_of, summary_of, why_no_payment
from mapper.mapping.summaries import summary_key

MODE = "invoices_payments_if_paid"


def why(source: Order, settings: Configuration, written: bool = True, **more: Any) -> Reason | None:
    directives = more.pop("directives", Directives())
    result = mapped(source, settings)
    keys = [document.key for document in result.documents] if written else []
    view = LedgerView(written=keys, **more)
    paid = source.tenders[0] if source.tenders else tender("77.00")
    return why_no_payment(source, paid, settings, directives, result, view)


LETTERS = {
    "PAYMENT_NOT_IN_MODE": "a",
    "PAYMENT_NOT_FETCHED": "b",
    "PAYMENT_INVOICE_MISSING": "c",
    "NO_BALANCE": "d",
    "PAYMENT_DUPLICATE_REFERENCE": "e",
    "PAYMENT_MARKED_UNPAID": "f",
    "PAYMENT_IS_A_LINE": "g",
    "PAYMENT_UNMAPPED": "g",
    "PAYMENT_OUT_OF_SCOPE": "h",
}


def letter(reason: Reason | None) -> str | None:
    """The check of section 8 that a reason is of."""
    return LETTERS[reason.code] if reason else None


FREE = order(lines=(line("l", "A", "5.00", amount=D("0.00"), discount=D("5.00")),), total=D("0.00"))
SHUT = company(closed_through="2026-03-02")
NO_UF = company(accounts={role: name for role, name in ACCOUNTS.items() if role is not AccountRole.UNDEPOSITED_FUNDS})


@pytest.mark.parametrize(
    ("source", "settings", "more", "wanted"),
    [
        (example_a(), configuration("invoices_only"), {}, "a"),
        (example_a(), configuration(MODE, follow_changes=False), {}, "b"),
        (example_a(), configuration(MODE, order_statuses=["pending"]), {}, "b"),
        (example_a(), configuration(MODE), {"written": False}, "c"),
        (FREE, configuration(MODE), {}, "d"),
        (example_a(), configuration(MODE), {"references": ["ch_t1"]}, "e"),
        (example_a(), configuration(MODE), {"directives": Directives(unpaid_by="R17")}, "f"),
        (example_a(), configuration(MODE, books=NO_UF), {"written": True, "references": []}, "c"),
        (example_a(), configuration(MODE), {}, None),
        # The first that is true wins over all later ones.
        (example_a(), configuration("invoices_only", follow_changes=False), {"written": False}, "a"),
        (example_a(), configuration(MODE, follow_changes=False), {"written": False, "references": ["ch_t1"]}, "b"),
    ],
)
def test_the_first_true_reason_is_shown(
    source: Order, settings: Configuration, more: dict[str, Any], wanted: str | None
) -> None:
    assert letter(why(source, settings, **more)) == wanted


@pytest.mark.parametrize(
    ("source", "settings", "more", "field", "value"),
    [
        (example_a(), configuration("invoices_only"), {}, "mode", "invoices_only"),
        (example_a(), configuration(MODE, follow_changes=False), {}, "follow_changes", "false"),
        (example_a(), configuration(MODE, order_statuses=["pending", "void"]), {}, "order_statuses", "pending, void"),
        (example_a(), configuration(MODE), {"written": False}, "invoice", "1001"),
        (FREE, configuration(MODE), {}, "balance", "0.00"),
        (example_a(), configuration(MODE), {"references": ["ch_t1"]}, "reference", "ch_t1"),
        (example_a(), configuration(MODE), {"directives": Directives(unpaid_by="R17")}, "rule", "R17"),
        (example_a(), configuration(MODE, start_date="2026-03-03"), {}, "start_date", "2026-03-03"),
        (example_a(), configuration(MODE, books=SHUT), {}, "closed_through", "2026-03-02"),
    ],
)
def test_a_reason_names_the_field_that_keeps_the_payment_out_and_its_value(
    source: Order, settings: Configuration, more: dict[str, Any], field: str, value: str
) -> None:
    result = mapped(source, configuration(settings.connection.mode.value))
    keys = [one.key for one in result.documents] if more.pop("written", True) else []
    directives = more.pop("directives", Directives())
    paid = source.tenders[0] if source.tenders else tender("77.00")
    reason = why_no_payment(source, paid, settings, directives, result, LedgerView(written=keys, **more))
    assert reason is not None
    assert (reason.field, reason.value, bool(reason.cure), reason.severity) == (field, value, True, Severity.WARNING)


def test_a_gift_card_and_a_method_without_an_account_are_named_too() -> None:
    card = example_a(tenders=(tender("77.00", kind=TenderKind.GIFT_CARD, method="gift"),))
    line_of_it = why(card, configuration(MODE, file=ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})))
    assert line_of_it is not None
    assert (line_of_it.field, line_of_it.value) == ("tenders.kind", "gift_card")
    result = mapped(example_a(), configuration(MODE))
    view = LedgerView(written=[one.key for one in result.documents])
    settings = configuration(MODE, books=NO_UF)
    reason = why_no_payment(example_a(), example_a().tenders[0], settings, Directives(), result, view)
    assert reason is not None
    assert (reason.code, reason.field, reason.severity) == ("PAYMENT_UNMAPPED", "accounts.UF", Severity.WARNING)


@pytest.mark.parametrize(
    ("changes", "directives", "stated", "field", "value", "says"),
    [
        ({"tenders": ()}, Directives(), "77.00", "financial_status", "paid", "order is paid and names no payment"),
        (
            {"tenders": (), "financial_status": FinancialStatus.REFUNDED},
            Directives(),
            "77.00",
            "financial_status",
            "refunded",
            "order is refunded and names no payment",
        ),
        # A rule that marks the order as unpaid does not make the channel's word another.
        ({"tenders": ()}, Directives(unpaid_by="R17"), "77.00", "financial_status", "paid", "names no payment"),
        ({"tenders": (tender("30.00"),)}, Directives(paid_by="R16"), "47.00", "rule", "R16", "no payment of 47.00 USD"),
    ],
)
def test_money_that_is_only_said_to_have_been_paid_is_a_payment_that_says_so(
    changes: dict[str, Any], directives: Directives, stated: str, field: str, value: str, says: str
) -> None:
    source = example_a(**changes)
    *told, (payment, left_out) = payments_of(source, directives)
    assert told == [(one, None) for one in source.tenders]
    assert (payment.external_id, payment.amount) == (STATED_TENDER, D(stated))
    assert left_out is not None
    assert (left_out.code, left_out.field, left_out.value) == ("PAYMENT_STATED", field, value)
    assert says in left_out.text
    assert "one payment of 2026-03-02" in left_out.text
    assert left_out.cure


def test_nothing_stands_for_money_that_was_not_paid_or_is_told() -> None:
    voided = tender("77.00", "t2", status=TenderStatus.VOIDED)
    assert payments_of(unpaid(), Directives()) == []
    assert payments_of(example_a(tenders=(voided,)), Directives()) == []
    assert payments_of(example_a(), Directives(paid_by="R16")) == [(example_a().tenders[0], None)]
    assert payments_of(FREE, Directives()) == []


def test_a_payment_that_is_only_stated_is_missing_for_the_first_reason_that_is_true() -> None:
    source = example_a(tenders=())
    ((payment, _),) = payments_of(source, Directives())
    result = mapped(source, configuration(MODE))
    view = LedgerView(written=[one.key for one in result.documents])
    for directives, settings, wanted in (
        (Directives(), configuration(MODE), None),
        (Directives(unpaid_by="R17"), configuration(MODE), "f"),
        (Directives(), configuration(MODE, books=SHUT), "h"),
    ):
        assert letter(why_no_payment(source, payment, settings, directives, result, view)) == wanted


def test_an_old_payment_is_out_of_scope() -> None:
    settings = configuration(MODE, start_date="2026-02-01", books=company(closed_through="2026-03-02"))
    source = example_a()
    result = mapped(source, configuration(MODE))
    view = LedgerView(written=[document.key for document in result.documents])
    reason = why_no_payment(source, source.tenders[0], settings, Directives(), result, view)
    assert letter(reason) == "h"


@pytest.mark.vector_core
def test_vector_04_a_blank_filter_that_does_not_follow_changes_misses_the_payment() -> None:
    settings = configuration(MODE, follow_changes=False)
    assert [one.kind.value for one in mapped(unpaid(), settings).documents] == ["invoice"]
    reason = why(example_a(), settings)
    assert reason is not None
    assert reason.code == "PAYMENT_NOT_FETCHED"


def test_the_mode_that_the_order_was_written_by_is_the_one_that_counts() -> None:
    settings = configuration("invoices_only")
    assert letter(why(example_a(invoice_mode=MODE), settings)) is None
    assert letter(why(example_a(invoice_mode="invoices_only"), configuration(MODE))) == "a"
    kept = mapped(example_a(), configuration(MODE)).model_copy(update={"kept_mode": "invoices_only", "documents": ()})
    paid = example_a().tenders[0]
    assert letter(why_no_payment(example_a(), paid, configuration(MODE), Directives(), kept, LedgerView())) == "a"


@pytest.mark.parametrize(
    ("mode", "code", "says", "has_key"),
    [
        ("summary_sales_receipt", "PAYMENT_IN_SUMMARY", "summary of 2026-03-02. Its money is booked there", True),
        ("summary_journal_entry", "PAYMENT_IN_SUMMARY", "summary of 2026-03-02. Its money is booked there", True),
        ("summary_invoice", "PAYMENT_NOT_IN_MODE", "summary of 2026-03-02. It is billed there", False),
        ("summary_payout", "PAYMENT_IN_PAYOUT", "Its money is booked there", False),
    ],
)
def test_money_of_a_summary_or_payout_is_said_to_be_there_and_never_asks_for_another_mode(
    mode: str, code: str, says: str, has_key: bool
) -> None:
    settings = configuration(mode)
    reason = why(example_a(), settings)
    assert reason is not None
    assert (reason.code, reason.field, reason.value) == (code, "mode", mode)
    assert says in reason.text
    assert "Choose a mode" not in reason.cure
    case = Case(example_a(), settings, Catalog(), Directives(), read_facts(example_a(), Directives(), None))
    key = summary_of(case, mapped(example_a(), settings))
    assert key == (summary_key(case, settings.connection.mode) if has_key else None)


def test_an_invoice_in_receipt_mode_has_payments_of_its_own() -> None:
    settings = configuration("sales_receipts", unpaid_in_receipt_mode="invoice")
    part = example_a(tenders=(tender("30.00"),), financial_status=FinancialStatus.PARTIALLY_PAID)
    assert letter(why(part, settings)) is None
    assert letter(why(part, settings, written=False)) == "c"


def test_a_payment_before_the_customers_horizon_is_out_of_scope() -> None:
    links = {"c1": CustomerLink("create", horizon=date(2026, 4, 1))}
    result = mapped(example_a(), configuration(MODE), Catalog(customer_links=links))
    view = LedgerView(written=[one.key for one in result.documents])
    reason = why_no_payment(example_a(), example_a().tenders[0], configuration(MODE), Directives(), result, view)
    assert reason is not None
    assert (reason.code, reason.field, reason.value) == ("PAYMENT_OUT_OF_SCOPE", "horizon", "2026-04-01")
    assert "2026-04-01" in reason.text


def test_a_filter_that_takes_the_paid_status_sees_the_payment_later() -> None:
    both = configuration(MODE, order_statuses=["pending", "paid"])
    assert letter(why(example_a(), both)) is None
    assert letter(why(unpaid(), configuration(MODE, order_statuses=["pending"]))) == "b"


@pytest.mark.parametrize("by_form", [False, True])
def test_a_sales_order_stands_for_the_invoice_only_where_the_mode_has_one(by_form: bool) -> None:
    mode = "sales_orders_invoices_payments_if_paid"
    result = mapped(example_a(), configuration(mode))
    written = [one.key for one in result.documents if one.kind in (DocumentKind.SALES_ORDER, DocumentKind.PAYMENT)]
    settings = configuration(mode if by_form else MODE)
    kept = result.model_copy(update={"kept_mode": ""})
    view = LedgerView(written=written)
    paid = example_a().tenders[0]
    assert letter(why_no_payment(example_a(), paid, settings, Directives(), kept, view)) == (None if by_form else "c")


def test_an_invoice_that_waits_says_what_it_waits_for() -> None:
    settings = configuration(MODE, products={"missing": "stop_and_queue"})
    hold = mapped(example_a(), settings).documents[0].hold
    assert hold is not None
    reason = why(example_a(), settings, written=False)
    assert reason is not None
    assert (reason.text, reason.cure) == (f"The invoice is not in the ledger: {hold.text}", hold.cure)
    assert (reason.field, reason.value) == (hold.field, hold.value)
    nothing = why(example_a(), configuration(MODE), written=False)
    assert nothing is not None
    assert nothing.text == "The invoice is not in the ledger yet."


def test_an_order_has_a_balance_while_a_cent_of_it_is_open_or_was_paid() -> None:
    settings = configuration(MODE)
    dollar = order(lines=(line("l", "A", "1.00"),), total=D("1.00"))
    taken_off = first_refund(lines=(), tax=D("0.00"), shipping=D("0.01"), transactions=())
    for source, wanted in (
        (dollar.model_copy(update={"tenders": (tender("1.00"),)}), None),
        (dollar.model_copy(update={"financial_status": FinancialStatus.PENDING}), None),
        (
            dollar.model_copy(update={"financial_status": FinancialStatus.PENDING, "refunds": (taken_off,)}),
            None,
        ),
        (
            dollar.model_copy(
                update={
                    "financial_status": FinancialStatus.PENDING,
                    "refunds": (taken_off.model_copy(update={"shipping": D("1.00")}),),
                }
            ),
            "d",
        ),
    ):
        assert letter(why(source, settings)) == wanted


def test_a_payment_before_the_horizon_says_nothing_of_one_after_it() -> None:
    early, late = tender("40.00", "t1"), tender("37.00", "t2", captured_on=date(2026, 3, 20))
    source = example_a(tenders=(early, late))
    links = {"c1": CustomerLink("create", horizon=date(2026, 3, 10))}
    settings = configuration(MODE)
    result = mapped(source, settings, Catalog(customer_links=links))
    view = LedgerView(written=[one.key for one in result.documents])
    found = [letter(why_no_payment(source, one, settings, Directives(), result, view)) for one in (early, late)]
    assert found == ["h", None]


@pytest.mark.parametrize(
    ("kind", "mode", "wanted"),
    [
        (DocumentKind.INVOICE, MODE, "g"),
        (DocumentKind.SALES_ORDER, MODE, "c"),
        (DocumentKind.SALES_ORDER, "sales_orders_invoices_payments_if_paid", "g"),
        (DocumentKind.ESTIMATE, "sales_orders_invoices_payments_if_paid", "g"),
    ],
)
def test_an_invoice_that_was_written_stays_there_while_the_order_is_held(
    kind: DocumentKind, mode: str, wanted: str
) -> None:
    settings = configuration(mode, books=NO_UF)
    held = mapped(example_a(), settings)
    assert (held.documents, held.reason and held.reason.code) == ((), "ACCOUNT_MISSING")
    key = document_key("tenant", "books-1", "shop-1", "order", "9001", kind)
    paid = example_a().tenders[0]
    reason = why_no_payment(example_a(), paid, settings, Directives(), held, LedgerView(written=[key]))
    assert letter(reason) == wanted
    nothing = why_no_payment(example_a(), paid, settings, Directives(), held, LedgerView())
    assert letter(nothing) == "c"


def test_what_a_ledger_says_at_length_is_cut_to_what_a_reason_holds() -> None:
    refused = Reason(code="LEDGER_REFUSED", text="x" * 4000)
    reason = why(example_a(), configuration(MODE), written=False, refused=refused)
    assert reason is not None
    assert len(reason.text) == 4000
    assert reason.text.startswith("The invoice is not in the ledger: xxx")
    assert (reason.field, reason.value) == ("invoice", "1001")
