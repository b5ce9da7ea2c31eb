"""Which rules belong to which entity."""

from __future__ import annotations

from sandbox.quickbooks_online.entities.accounts import AccountKind
from sandbox.quickbooks_online.entities.deposits import DepositKind
from sandbox.quickbooks_online.entities.expenses import EXPENSES
from sandbox.quickbooks_online.entities.items import ItemKind
from sandbox.quickbooks_online.entities.journal import JournalKind, TransferKind
from sandbox.quickbooks_online.entities.kind import Kind
from sandbox.quickbooks_online.entities.lists import (
    AttachableKind,
    CompanyCurrencyKind,
    CompanyInfoKind,
    ExchangeRateKind,
    NamedKind,
    PreferencesKind,
    TimeActivityKind,
    TreeKind,
)
from sandbox.quickbooks_online.entities.names import NameKind
from sandbox.quickbooks_online.entities.payments import PaymentKind
from sandbox.quickbooks_online.entities.sales import SALES_FORMS
from sandbox.quickbooks_online.entities.tax_lists import ReadOnlyKind, TaxAgencyKind

KINDS: dict[str, Kind] = {
    "Customer": NameKind("Customer"),
    "Vendor": NameKind("Vendor"),
    "Employee": NameKind("Employee"),
    "Item": ItemKind(),
    "Account": AccountKind(),
    "Term": NamedKind("Term"),
    "PaymentMethod": NamedKind("PaymentMethod"),
    "Class": TreeKind("Class"),
    "Department": TreeKind("Department"),
    "TaxAgency": TaxAgencyKind(),
    "TaxCode": ReadOnlyKind(),
    "TaxRate": ReadOnlyKind(),
    "CompanyCurrency": CompanyCurrencyKind(),
    "ExchangeRate": ExchangeRateKind(),
    "CompanyInfo": CompanyInfoKind(),
    "Preferences": PreferencesKind(),
    "TimeActivity": TimeActivityKind(),
    "Budget": ReadOnlyKind(),
    "Attachable": AttachableKind(),
    "Payment": PaymentKind(),
    "Deposit": DepositKind(),
    "JournalEntry": JournalKind(),
    "Transfer": TransferKind("Transfer", "FromAccountRef", "ToAccountRef"),
    "CreditCardPayment": TransferKind("CreditCardPayment", "BankAccountRef", "CreditCardAccountRef"),
    **EXPENSES,
    **SALES_FORMS,
}
