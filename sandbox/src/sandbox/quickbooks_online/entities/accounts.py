"""The chart of accounts."""

from __future__ import annotations

from sandbox.quickbooks_online.accounting.control import TYPES
from sandbox.quickbooks_online.accounting.currency import enabled, home, reference
from sandbox.quickbooks_online.accounting.ledger import ZERO
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Kind, Write, require
from sandbox.quickbooks_online.entities.names import inactive_name, plain_name
from sandbox.quickbooks_online.faults import Fault, business
from sandbox.quickbooks_online.table import Doc

SUB_TYPES: dict[str, str] = {
    "UndepositedFunds": "Other Current Asset",
    "Inventory": "Other Current Asset",
    "PrepaidExpenses": "Other Current Asset",
    "SalesOfProductIncome": "Income",
    "DiscountsRefundsGiven": "Income",
    "NonProfitIncome": "Income",
    "OtherPrimaryIncome": "Income",
    "UnappliedCashPaymentIncome": "Income",
    "GlobalTaxPayable": "Other Current Liability",
    "SalesTaxPayable": "Other Current Liability",
    "LoanPayable": "Other Current Liability",
    "NotesPayable": "Long Term Liability",
    "RetainedEarnings": "Equity",
    "OpeningBalanceEquity": "Equity",
    "OwnersEquity": "Equity",
    "Savings": "Bank",
    "CashOnHand": "Bank",
    "MoneyMarket": "Bank",
    "BankCharges": "Expense",
    "AdvertisingPromotional": "Expense",
    "CostOfLabor": "Expense",
    "OfficeGeneralAdministrativeExpenses": "Expense",
    "BadDebts": "Expense",
    "ExchangeGainOrLoss": "Other Expense",
    "EquipmentRentalCos": "Cost of Goods Sold",
    "ShippingFreightDeliveryCos": "Cost of Goods Sold",
} | {sub: kind for kind, (_, sub) in TYPES.items()}

_SYSTEM = ("UndepositedFunds", "AccountsReceivable", "AccountsPayable", "RetainedEarnings", "OpeningBalanceEquity",
           "GlobalTaxPayable", "Inventory")  # fmt: skip
_DIGITS = 20


class AccountKind(Kind):
    kept = ("Active", "CurrencyRef", "AccountType", "AccountSubType")

    def complete(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        require(doc, "Name")
        doc["Name"] = doc["Name"].strip()
        if '"' in doc["Name"] or ":" in doc["Name"] or not doc["Name"]:
            raise Fault("2040", 'Name of an account must not be empty or contain " or :', "Name")
        self._type(doc, previous)
        doc.setdefault("Active", True)
        self._parent(company, doc)
        self._unique(company, doc, previous)
        self._activity(write)
        self._number(company, doc, previous)
        code = (doc.get("CurrencyRef") or {}).get("value") or home(company)
        if not enabled(company, code):
            raise Fault("2220", f"Currency {code} is not enabled in this company", "CurrencyRef")
        doc["CurrencyRef"] = reference(code)
        doc["CurrentBalance"] = ZERO
        doc["CurrentBalanceWithSubAccounts"] = ZERO

    def _type(self, doc: Doc, previous: Doc | None) -> None:
        kind, sub = doc.get("AccountType"), doc.get("AccountSubType")
        if kind is None:
            if sub is None:
                raise Fault(
                    "2020", "Required parameter AccountType or AccountSubType is missing in the request", "AccountType"
                )
            kind = SUB_TYPES.get(sub)
            if kind is None:
                raise Fault("2170", f"{sub} is not a known account detail type", "AccountSubType")
            doc["AccountType"] = kind
        if kind not in TYPES:
            raise Fault("2170", f"{kind} accounts cannot be created", "AccountType")
        if sub is None or (
            previous is not None and previous["AccountType"] != kind and sub == previous["AccountSubType"]
        ):
            doc["AccountSubType"] = sub = TYPES[kind][1]
        if SUB_TYPES.get(sub, kind) != kind:
            raise Fault("6430", f"Detail type {sub} does not belong to account type {kind}", "AccountSubType")
        doc["Classification"] = TYPES[kind][0]

    def _parent(self, company: Company, doc: Doc) -> None:
        reference_ = doc.get("ParentRef")
        doc["SubAccount"] = reference_ is not None
        doc["FullyQualifiedName"] = doc["Name"]
        if reference_ is not None:
            parent = company.resolve("Account", reference_, "ParentRef", named=False)
            if parent["AccountType"] != doc["AccountType"]:
                raise Fault("700", "A sub-account has the type of its parent", "ParentRef")
            doc["ParentRef"] = {"value": parent["Id"]}
            doc["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{doc['Name']}"
            if doc["FullyQualifiedName"].count(":") > 4:
                raise Fault("6180", "Accounts can be nested five levels deep", "ParentRef")

    def _unique(self, company: Company, doc: Doc, previous: Doc | None) -> None:
        for other in company.tables["Account"].find("FullyQualifiedName", doc["FullyQualifiedName"]):
            if previous is None or other != previous["Id"]:
                raise Fault("6240", f"The name supplied already exists. : Another account has this name. Id={other}")

    def _activity(self, write: Write) -> None:
        doc, previous, company = write.doc, write.previous, write.company
        was = previous is None or previous.get("Active") is not False
        if doc["Active"] == was:
            return
        if was:
            if doc["AccountSubType"] in _SYSTEM and doc.get("Id") in company.special.values():
                raise business(f"{doc['Name']} is a system account and cannot be made inactive.", "Active")
            doc["Name"] = inactive_name(company, doc["Name"], "Name", "Account")
        else:
            doc["Name"] = plain_name(doc["Name"])
        head = doc["FullyQualifiedName"].rpartition(":")
        doc["FullyQualifiedName"] = f"{head[0]}:{doc['Name']}" if head[1] else doc["Name"]

    def _number(self, company: Company, doc: Doc, previous: Doc | None) -> None:
        number = doc.get("AcctNum")
        if number is None:
            return
        limit = _DIGITS
        if len(number) > limit:
            raise Fault(
                "2050",
                "String length specified does not match the supported length. "
                f"Min:0 Max:{limit} supported. Supplied length:{len(number)}",
                "AcctNum",
            )
        if ":" in number:
            raise Fault("2040", "AcctNum must not contain a colon", "AcctNum")
        if company.preferences["AccountingInfoPrefs"].get("UseAccountNumbers") is not True:
            return
        for other in company.tables["Account"].find("AcctNum", number):
            if previous is None or other != previous["Id"]:
                raise Fault("6240", f"The account number supplied already exists. : Id={other}")


def with_balance(company: Company, doc: Doc) -> Doc:
    """The account as it is read: CurrentBalance from the ledger, in the sign of its classification.

    Receivables, money and costs show debits as positive; liabilities and equity show credits as positive.
    """
    sign = -1 if doc["Classification"] in ("Liability", "Equity", "Revenue") else 1
    own = company.ledger.balances.get(doc["Id"], ZERO) * sign
    if doc["Classification"] in ("Revenue", "Expense"):
        own = ZERO
    below = ZERO
    for child in company.tables["Account"].find("ParentRef", doc["Id"]):
        part = company.get("Account", child)
        if part is not None:
            below += with_balance(company, part)["CurrentBalanceWithSubAccounts"]
    return {**doc, "CurrentBalance": own, "CurrentBalanceWithSubAccounts": own + below}
