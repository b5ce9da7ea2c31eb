"""Which accounts a document moves, by how much, in home currency."""

from decimal import Decimal
from typing import Any

import pytest
from beancount.core import account as beancount_account
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Rejected
from common.messages.transactions import Account, AccountRole, DocumentKind, DocumentLine, DocumentTax, LineKind
from ledger_writer.ledgers.beancount.accounts import AccountRefused, Chart, account_type, is_account_name
from ledger_writer.ledgers.beancount.postings import DocumentRefused, postings_of
from ledger_writer.ledgers.protocol import LedgerLink

D = Decimal
R = AccountRole
K = DocumentKind
CHART = Chart({})


def account(role: AccountRole, name: str = "") -> Account:
    return Account(role=role, name=name)


def line(role: AccountRole, amount: str, kind: LineKind = LineKind.PRODUCT, **more: Any) -> DocumentLine:
    return DocumentLine(kind=kind, account=account(role), amount=D(amount), **more)


def example_a(make: Any, kind: DocumentKind, **more: Any) -> Any:
    """The running example of the domain reference: 69.99 less 5.00, post 7.95, tax 4.06."""
    lines = (
        line(R.INCOME, "69.99"),
        line(R.SHIPPING_INCOME, "7.95", LineKind.SHIPPING),
        line(R.DISCOUNTS, "-5.00", LineKind.DISCOUNT),
    )
    taxes = (DocumentTax(title="State", account=account(R.TAX), amount=D("4.06")),)
    return make.document(kind, "77.00", lines=lines, taxes=taxes, **more)


def moved(document: Any, applications: Any = (), references: Any = None, home: str = "USD") -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for posting in postings_of(document, CHART, home, references or {}, applications):
        totals[posting.account] = totals.get(posting.account, D(0)) + posting.amount
    assert sum(totals.values()) == 0
    return totals


SALE = {
    "Income:Sales": D("-69.99"),
    "Income:Shipping": D("-7.95"),
    "Income:Discounts": D("5.00"),
    "Liabilities:SalesTax": D("-4.06"),
}
RETURN = {name: -amount for name, amount in SALE.items()}

FORMS = [
    (K.INVOICE, {"Assets:Receivable": D("77.00"), **SALE}),
    (K.SALES_RECEIPT, {"Assets:UndepositedFunds": D("77.00"), **SALE}),
    (K.CREDIT_MEMO, {"Assets:Receivable": D("-77.00"), **RETURN}),
    (K.REFUND_RECEIPT, {"Assets:UndepositedFunds": D("-77.00"), **RETURN}),
    (K.BILL, {"Liabilities:Payable": D("-77.00"), **RETURN}),
    (K.EXPENSE, {"Assets:Bank": D("-77.00"), **RETURN}),
]


@pytest.mark.parametrize(("kind", "expected"), FORMS, ids=[kind.value for kind, _ in FORMS])
def test_example_a_posts_as_the_reference_says(make: Any, kind: DocumentKind, expected: dict[str, Decimal]) -> None:
    assert moved(example_a(make, kind)) == expected


def test_a_tax_code_without_tax_posts_nothing(make: Any) -> None:
    taxes = (DocumentTax(title="Tax", account=account(R.TAX), amount=D("0.00"), tax_code="Out of state"),)
    document = make.document(K.INVOICE, "10.00", lines=(line(R.INCOME, "10.00"),), taxes=taxes)
    legs = postings_of(document, CHART, "USD", {}, ())
    assert [(leg.account, leg.amount) for leg in legs] == [
        ("Assets:Receivable", D("10.00")),
        ("Income:Sales", D("-10.00")),
    ]


def test_a_payment_moves_money_in_and_a_refund_of_it_out(make: Any) -> None:
    assert moved(make.document(K.PAYMENT)) == {"Assets:UndepositedFunds": D("77.00"), "Assets:Receivable": D("-77.00")}
    out = {"Assets:UndepositedFunds": D("-77.00"), "Assets:Receivable": D("77.00")}
    assert moved(make.document(K.REFUND_PAYMENT)) == out


def test_the_accounts_of_the_document_come_before_those_of_its_roles(make: Any) -> None:
    document = make.document(
        K.PAYMENT,
        deposit_to=account(R.CLEARING, "Assets:Clearing:Stripe"),
        receivable=account(R.RECEIVABLE, "Assets:Receivable:EU"),
    )
    assert set(moved(document)) == {"Assets:Clearing:Stripe", "Assets:Receivable:EU"}


def test_a_deposit_is_its_postings(make: Any) -> None:
    lines = (line(R.BANK, "209.91"), line(R.FEES, "7.93"), line(R.UNDEPOSITED_FUNDS, "-217.84"))
    assert moved(make.document(K.DEPOSIT, "209.91", lines=lines)) == {
        "Assets:Bank": D("209.91"),
        "Expenses:Fees": D("7.93"),
        "Assets:UndepositedFunds": D("-217.84"),
    }


def test_a_residue_that_beancount_would_let_pass_is_refused(make: Any) -> None:
    lines = (line(R.INCOME, "76.9951"),)
    with pytest.raises(DocumentRefused) as refused:
        postings_of(make.document(K.INVOICE, "77.00", lines=lines), CHART, "USD", {}, ())
    assert refused.value.refusal.reason.code == "TOTALS_MISMATCH"
    assert "0.0049" in refused.value.refusal.reason.text


@pytest.mark.parametrize(
    "name", ["Undeposited Funds", "assets:Cash", "Assets", "Assets:cash", "Assets::Cash", "Cash:Assets", "A" * 500]
)
def test_a_name_that_beancount_cannot_read_is_refused_with_the_name(make: Any, name: str) -> None:
    lines = (DocumentLine(kind=LineKind.PRODUCT, account=account(R.INCOME, name), amount=D("77.00")),)
    with pytest.raises(AccountRefused) as refused:
        postings_of(make.document(K.INVOICE, lines=lines), CHART, "USD", {}, ())
    reason = refused.value.refusal.reason
    assert (reason.code, reason.value) == ("ACCOUNT_INVALID", name)


# Beancount reads by a newer Unicode than Python's: what is a letter only there is refused here, which is the safe side.
KNOWN = st.characters(exclude_categories=["Cs", "Cn"])


@given(st.text(alphabet=st.one_of(st.sampled_from("Aa1-: _²Äßǅ資"), KNOWN), max_size=12))
def test_a_part_of_a_name_is_read_exactly_as_beancount_reads_it(part: str) -> None:
    name = f"Assets:{part}"
    assert is_account_name(name) == beancount_account.is_valid(name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Assets:Bank:Haupt-Konto", "Assets"),
        ("Liabilities:1776:Umsatzsteuer", "Liabilities"),
        ("Income:Erlöse:Österreich", "Income"),
        ("Expenses:Γενικά", "Expenses"),
        ("Equity:Opening", "Equity"),
    ],
)
def test_an_account_that_is_in_no_list_has_the_type_of_its_root(name: str, kind: str) -> None:
    assert account_type(name) == kind


@pytest.mark.parametrize("name", ["", "Income", "Income:sales", "Umsatz:Web", "Income:Web Shop", "Income:" + "A" * 490])
def test_a_name_that_no_account_can_have_is_refused_with_the_cure(name: str) -> None:
    with pytest.raises(Rejected) as refused:
        account_type(name)
    assert (refused.value.reason.code, refused.value.reason.value) == ("ACCOUNT_INVALID", name)
    assert "Assets:Bank:Main" in refused.value.reason.cure


def foreign(make: Any, kind: DocumentKind, amount: str, rate: str | None, **more: Any) -> Any:
    given = None if rate is None else D(rate)
    lines = more.pop("lines", (line(R.INCOME, amount),) if kind is not K.PAYMENT else ())
    return make.document(kind, amount, currency="EUR", exchange_rate=given, lines=lines, **more)


def test_a_payment_at_another_rate_books_the_gain(make: Any) -> None:
    invoice = foreign(make, K.INVOICE, "100.00", "1.10")
    assert moved(invoice) == {"Assets:Receivable": D("110.00"), "Income:Sales": D("-110.00")}
    payment = foreign(make, K.PAYMENT, "100.00", "1.12")
    links = {invoice.key: LedgerLink("x", details={"rate": "1.10"})}
    assert moved(payment, [(invoice.key, D("100.00"))], links) == {
        "Assets:UndepositedFunds": D("112.00"),
        "Assets:Receivable": D("-110.00"),
        "Income:Exchange": D("-2.00"),
    }


def test_what_stays_unapplied_is_owed_at_the_payments_own_rate(make: Any) -> None:
    payment = foreign(make, K.PAYMENT, "100.00", "1.12")
    links = {"i" * 32: LedgerLink("x", details={"rate": "1.10"})}
    assert moved(payment, [("i" * 32, D("50.00"))], links) == {
        "Assets:UndepositedFunds": D("112.00"),
        "Assets:Receivable": D("-111.00"),
        "Income:Exchange": D("-1.00"),
    }


def test_a_credit_memo_settles_at_the_invoices_rate(make: Any) -> None:
    memo = foreign(make, K.CREDIT_MEMO, "100.00", "1.12")
    links = {"i" * 32: LedgerLink("x", details={"rate": "1.10"})}
    assert moved(memo, [("i" * 32, D("100.00"))], links) == {
        "Income:Sales": D("112.00"),
        "Assets:Receivable": D("-110.00"),
        "Income:Exchange": D("-2.00"),
    }


def test_a_refund_of_a_payment_takes_back_what_was_owed_at_its_rate(make: Any) -> None:
    refund = foreign(make, K.REFUND_PAYMENT, "100.00", "1.15", lines=())
    links = {"p" * 32: LedgerLink("x", details={"rate": "1.12"})}
    assert moved(refund, [("p" * 32, D("100.00"))], links) == {
        "Assets:UndepositedFunds": D("-115.00"),
        "Assets:Receivable": D("112.00"),
        "Income:Exchange": D("3.00"),
    }


def test_a_payout_converted_at_another_rate_books_the_loss(make: Any) -> None:
    key = "g" * 32
    lines = (
        line(R.BANK, "96.80", LineKind.POSTING),
        line(R.FEES, "3.20", LineKind.POSTING),
        line(R.CLEARING, "-100.00", LineKind.GROUPED_DOCUMENT, document_key=key),
    )
    deposit = foreign(make, K.DEPOSIT, "96.80", "1.08", lines=lines)
    assert moved(deposit, (), {key: LedgerLink("x", details={"rate": "1.10"})}) == {
        "Assets:Bank": D("104.54"),
        "Expenses:Fees": D("3.46"),
        "Assets:Clearing": D("-110.00"),
        "Income:Exchange": D("2.00"),
    }


def test_without_a_rate_a_foreign_document_is_refused(make: Any) -> None:
    with pytest.raises(DocumentRefused) as refused:
        moved(foreign(make, K.INVOICE, "100.00", None))
    assert refused.value.refusal.reason.code == "EXCHANGE_RATE_MISSING"


@given(
    amounts=st.lists(st.integers(-10_000, 10_000).map(lambda cents: D(cents) / 100), min_size=1, max_size=8),
    rate=st.integers(1, 3_000_000).map(lambda micro: D(micro) / 1_000_000),
    paid_rate=st.integers(1, 3_000_000).map(lambda micro: D(micro) / 1_000_000),
    home=st.sampled_from(["USD", "JPY", "KWD"]),
    kind=st.sampled_from([K.INVOICE, K.SALES_RECEIPT, K.CREDIT_MEMO, K.REFUND_RECEIPT, K.PAYMENT, K.REFUND_PAYMENT]),
)
def test_any_foreign_document_balances_exactly(
    make: Any, amounts: list[Decimal], rate: Decimal, paid_rate: Decimal, home: str, kind: DocumentKind
) -> None:
    total = sum(amounts, D(0))
    has_lines = kind not in {K.PAYMENT, K.REFUND_PAYMENT}
    lines = tuple(line(R.INCOME, f"{amount:.2f}") for amount in amounts) if has_lines else ()
    document = foreign(make, kind, f"{total:.2f}", f"{rate:f}", lines=lines)
    links = {"a" * 32: LedgerLink("x", details={"rate": f"{paid_rate:f}"})}
    applications = [("a" * 32, abs(total))] if total > 0 else []
    postings = postings_of(document, CHART, home, links, applications)
    assert sum((posting.amount for posting in postings), D(0)) == 0
