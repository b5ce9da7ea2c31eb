"""Accounts that the ledger opens by itself: receivable and payable per currency, exchange differences."""

from __future__ import annotations

from sandbox.quickbooks_online.accounting.currency import home, reference
from sandbox.quickbooks_online.accounting.ledger import ZERO
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.table import Doc

TYPES: dict[str, tuple[str, str]] = {
    "Bank": ("Asset", "Checking"),
    "Accounts Receivable": ("Asset", "AccountsReceivable"),
    "Other Current Asset": ("Asset", "OtherCurrentAssets"),
    "Fixed Asset": ("Asset", "OtherFixedAssets"),
    "Other Asset": ("Asset", "OtherLongTermAssets"),
    "Accounts Payable": ("Liability", "AccountsPayable"),
    "Credit Card": ("Liability", "CreditCard"),
    "Other Current Liability": ("Liability", "OtherCurrentLiabilities"),
    "Long Term Liability": ("Liability", "OtherLongTermLiabilities"),
    "Equity": ("Equity", "OpeningBalanceEquity"),
    "Income": ("Revenue", "ServiceFeeIncome"),
    "Other Income": ("Revenue", "OtherMiscellaneousIncome"),
    "Cost of Goods Sold": ("Expense", "SuppliesMaterialsCogs"),
    "Expense": ("Expense", "OtherMiscellaneousServiceCost"),
    "Other Expense": ("Expense", "OtherMiscellaneousExpense"),
}
"""Account type → (classification, detail type used when none is sent)."""


def open_account(
    company: Company,
    name: str,
    kind: str,
    sub: str,
    *,
    currency: str | None = None,
    parent: str | None = None,
    identifier: str | None = None,
) -> str:
    """Add an account the way the ledger does it by itself; returns its id."""
    now = company.clock.stamp()
    above = company.get("Account", parent) if parent else None
    doc: Doc = {
        "Name": name,
        "SubAccount": above is not None,
        "FullyQualifiedName": f"{above['FullyQualifiedName']}:{name}" if above else name,
        "Active": True,
        "Classification": TYPES[kind][0],
        "AccountType": kind,
        "AccountSubType": sub,
        "CurrentBalance": ZERO,
        "CurrentBalanceWithSubAccounts": ZERO,
        "CurrencyRef": reference(currency or home(company)),
        "domain": "QBO",
        "sparse": False,
        "Id": identifier or company.next_id("Account"),
        "SyncToken": "0",
        "MetaData": {"CreateTime": now, "LastUpdatedTime": now},
    }
    if above is not None:
        doc["ParentRef"] = {"value": above["Id"]}
    company.reserve_id("Account", doc["Id"])
    company.put("Account", doc)
    return str(doc["Id"])


def control_account(company: Company, kind: str, code: str) -> str:
    """Id of the receivable or payable account of a currency ("ar" or "ap"), opened when first needed."""
    key = kind if code == home(company) else f"{kind}:{code}"
    found = company.special.get(key)
    if found is not None:
        return found
    title = "Accounts Receivable (A/R)" if kind == "ar" else "Accounts Payable (A/P)"
    type_, sub = (
        ("Accounts Receivable", "AccountsReceivable") if kind == "ar" else ("Accounts Payable", "AccountsPayable")
    )
    identifier = open_account(company, f"{title} - {code}", type_, sub, currency=code)
    company.set_entry(company.special, key, identifier)
    return identifier


def gain_or_loss(company: Company) -> str:
    """The account for exchange differences, opened when first needed."""
    found = company.special.get("exchange")
    if found is None:
        found = open_account(company, "Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss")
        company.set_entry(company.special, "exchange", found)
    return found
