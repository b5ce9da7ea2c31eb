"""Currencies of documents: which one, at what rate, and the accounts that hold it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

ONE = Decimal(1)
NAMES = {
    "USD": "United States Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "JPY": "Japanese Yen",
    "CHF": "Swiss Franc",
    "SEK": "Swedish Krona",
    "DKK": "Danish Krone",
    "NOK": "Norwegian Krone",
    "PLN": "Polish Zloty",
    "MXN": "Mexican Peso",
    "INR": "Indian Rupee",
    "SGD": "Singapore Dollar",
    "HKD": "Hong Kong Dollar",
}


def reference(code: str) -> dict[str, str]:
    return {"value": code, "name": NAMES.get(code, code)}


def home(company: Company) -> str:
    return company.settings.home_currency


def enabled(company: Company, code: str) -> bool:
    """Whether ``code`` is the home currency or one of the company's foreign currencies."""
    if code == home(company):
        return True
    return company.settings.multi_currency and bool(company.tables["CompanyCurrency"].find("Code", code))


def settle_currency(company: Company, doc: Doc, party: Doc | None) -> None:
    """Fill CurrencyRef (and ExchangeRate where several currencies are on) of a document.

    Raises 2220 for a currency the company does not use, 2020 where one has to be named, 6000 for another currency
    than the customer's or vendor's.
    """
    sent = doc.get("CurrencyRef")
    if not company.settings.multi_currency:
        if sent is not None and sent["value"] != home(company):
            raise Fault("2220", f"Currency {sent['value']} is not enabled: multicurrency is off", "CurrencyRef")
        doc["CurrencyRef"] = reference(home(company))
        doc.pop("ExchangeRate", None)
        return
    if sent is None:
        raise missing("CurrencyRef")
    code = sent["value"]
    if not enabled(company, code):
        raise Fault("2220", f"Currency {code} is not one of the company's currencies", "CurrencyRef")
    if party is not None:
        own = (party.get("CurrencyRef") or {}).get("value", home(company))
        if own != code:
            raise business(f"The transaction currency {code} differs from the currency {own} of the name on it.")
    doc["CurrencyRef"] = reference(code)
    if code == home(company):
        doc["ExchangeRate"] = ONE
    elif doc.get("ExchangeRate") is None:
        doc["ExchangeRate"] = rate_on(company, code, date.fromisoformat(doc["TxnDate"]))
    elif doc["ExchangeRate"] <= 0:
        raise Fault("2090", "ExchangeRate must be above zero", "ExchangeRate")


def rate_on(company: Company, code: str, day: date) -> Decimal:
    """Home units for one ``code`` on ``day``: the latest rate entered for that day or before it.

    Raises 6000 when no rate has been entered.
    """
    if code == home(company):
        return ONE
    best: tuple[str, Decimal] | None = None
    for doc in company.tables["ExchangeRate"].docs():
        applies = doc["SourceCurrencyCode"] == code and doc["AsOfDate"] <= day.isoformat()
        if applies and (best is None or doc["AsOfDate"] > best[0]):
            best = (doc["AsOfDate"], doc["Rate"])
    if best is None:
        raise business(f"No exchange rate of {code} is known on {day.isoformat()}.", "ExchangeRate")
    return best[1]


def rate_of(doc: Doc) -> Decimal:
    rate = doc.get("ExchangeRate")
    return rate if isinstance(rate, Decimal) else ONE
