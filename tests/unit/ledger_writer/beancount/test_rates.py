"""Where the channel says no exchange rate, the books do (section 21.2)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.beancount.rates import Prices
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind, Refused, Written

D = Decimal
K = DocumentKind
PRICES = """
2026-01-05 price EUR 1.10 USD
2026/1/7 price EUR   1.12 USD ; noon
2026-01-07 price EUR 1.13 USD
2026-02-30 price EUR 9.00 USD
2026-01-06 price GBP 1,234.50 USD
2026-01-06 price CHF 1.05 EUR
2026-01-06 price SEK 0.00 USD
  2026-01-06 price NOK 0.09 USD
"""


@pytest.mark.parametrize(
    ("currency", "on", "rate"),
    [
        ("EUR", date(2026, 1, 4), None),
        ("EUR", date(2026, 1, 5), "1.10"),
        ("EUR", date(2026, 1, 6), "1.10"),
        ("EUR", date(2026, 1, 7), "1.13"),
        ("EUR", date(2027, 1, 1), "1.13"),
        ("GBP", date(2026, 1, 6), "1234.50"),
        ("CHF", date(2026, 1, 6), None),
        ("SEK", date(2026, 1, 6), None),
        ("NOK", date(2026, 1, 6), None),
    ],
)
def test_the_last_price_up_to_the_day_counts(currency: str, on: date, rate: str | None) -> None:
    assert Prices.read(PRICES, "USD").at(currency, on) == (None if rate is None else D(rate))


def foreign(make: Any, kind: DocumentKind, day: int, **more: Any) -> Any:
    return make.document(kind, "100.00", currency="EUR", date=date(2026, 1, day), exchange_rate=None, **more)


async def test_invoice_and_payment_of_a_channel_without_rates_have_those_of_their_days(
    company: Any, make: Any, op: Any
) -> None:
    (company.folder / "manual.beancount").write_text("2026-01-05 price EUR 1.10 USD\n2026-01-07 price EUR 1.12 USD\n")
    invoice, payment = foreign(make, K.INVOICE, 6), foreign(make, K.PAYMENT, 8)
    ahead = {invoice.key: LedgerLink(invoice.key, total=invoice.total)}
    applied = op(payment, references=ahead, applications=((invoice.key, D("100.00")),))
    outcomes = await company.write([op(invoice), applied])
    assert all(isinstance(one, Written) for one in outcomes.values()), outcomes
    assert [one.link.details["rate"] for one in outcomes.values()] == ["1.10", "1.12"]
    assert await company.balances() == {
        "Assets:UndepositedFunds": D("112.00"),
        "Income:Sales": D("-110.00"),
        "Income:Exchange": D("-2.00"),
        "Assets:Receivable": D("0.00"),
    }
    (company.folder / "manual.beancount").write_text("2026-01-05 price EUR 1.20 USD\n")
    link = outcomes[invoice.key].link
    void = op(invoice, OperationKind.VOID, link=link, previous=invoice, generation=1)
    assert isinstance((await company.write([void]))[invoice.key], Written), "what is reversed keeps its rate"
    assert (await company.balances())["Assets:Receivable"] == D("-110.00")


async def test_a_foreign_document_waits_where_the_books_have_no_rate_either(company: Any, make: Any, op: Any) -> None:
    (refused,) = (await company.write([op(foreign(make, K.INVOICE, 6))])).values()
    assert isinstance(refused, Refused)
    assert refused.reason.code == "EXCHANGE_RATE_MISSING"
    assert "(2026-01-06 price EUR 1.00 USD)" in refused.reason.cure


async def test_a_rate_that_the_channel_says_wins_over_the_books(company: Any, make: Any, op: Any) -> None:
    (company.folder / "manual.beancount").write_text("2026-01-05 price EUR 1.10 USD\n")
    plain = foreign(make, K.INVOICE, 6)
    said = plain.model_copy(update={"exchange_rate": D("1.15"), "key": "b" * 32})
    await company.write([op(plain), op(said)])
    assert (await company.balances())["Income:Sales"] == D("-225.00")
