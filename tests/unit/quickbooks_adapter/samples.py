"""Orders as documents, for every test of the adapter: the running example A and its neighbours."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from common.messages.keys import document_key
from common.messages.orders import Address
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentTax,
    ItemWanted,
    LineKind,
)
from ledger_writer.ledgers.protocol import LedgerLink, Operation, OperationKind
from ledger_writer.ledgers.quickbooks_online.bodies.base import Books
from ledger_writer.ledgers.quickbooks_online.names import Named, NamedList, Names
from ledger_writer.ledgers.quickbooks_online.profile import Profile

CUSTOMER = "c" * 32
VENDOR = "d" * 32
ITEM = "e" * 32
SHIPPING = "f" * 32
GIFT = "a1" * 16
DISCOUNT = "b1" * 16

ACCOUNTS = (
    Named("4", "Undeposited Funds", type="Other Current Asset", sub_type="UndepositedFunds"),
    Named("33", "Accounts Payable (A/P)", type="Accounts Payable"),
    Named("35", "Checking", type="Bank"),
    Named("41", "Mastercard", type="Credit Card"),
    Named("79", "Sales of Product Income", type="Income"),
    Named("80", "Cost of Goods Sold", type="Cost of Goods Sold"),
    Named("81", "Inventory Asset", type="Other Current Asset", sub_type="Inventory"),
    Named("84", "Accounts Receivable (A/R)", type="Accounts Receivable"),
    Named("86", "Discounts given", type="Income"),
    Named("94", "Merchant Clearing", type="Other Current Asset"),
    Named("96", "Merchant Fees", type="Expense"),
)
TAX_CODES = (
    Named("2", "California", sales_rates=("3",)),
    Named("3", "Tucson", sales_rates=("1", "2")),
    Named("12", "20.0% S", sales_rates=("21",)),
    Named("15", "Exempt", sales_rates=("27",)),
)


def books(**changes: Any) -> Books:
    """A US company with one currency; keyword arguments change its profile."""
    return Books(
        profile=Profile(**changes),
        names=Names(
            {
                "accounts": NamedList(ACCOUNTS),
                "tax_codes": NamedList(TAX_CODES),
                "payment_methods": NamedList((Named("1", "Cash"), Named("3", "Visa"))),
                "terms": NamedList((Named("3", "Net 30"),)),
                "classes": NamedList((Named("5000", "Online"),)),
                "departments": NamedList((Named("7", "Store 2"),)),
            }
        ),
        account_names={
            AccountRole.INVENTORY: "Inventory Asset",
            AccountRole.COST_OF_GOODS: "Cost of Goods Sold",
            AccountRole.RECEIVABLE: "Accounts Receivable (A/R)",
            AccountRole.PAYABLE: "Accounts Payable (A/P)",
        },
    )


def account(role: AccountRole, name: str) -> Account:
    return Account(role=role, name=name)


INCOME = account(AccountRole.INCOME, "Sales of Product Income")
FUNDS = account(AccountRole.UNDEPOSITED_FUNDS, "Undeposited Funds")
CHECKING = account(AccountRole.BANK, "Checking")
FEES = account(AccountRole.FEES, "Merchant Fees")
RECEIVABLE = account(AccountRole.RECEIVABLE, "Accounts Receivable (A/R)")
DISCOUNTS = account(AccountRole.DISCOUNTS, "Discounts given")
TAXES = account(AccountRole.TAX, "")


def line(kind: LineKind = LineKind.PRODUCT, amount: str = "0", item: str | None = ITEM, **more: Any) -> DocumentLine:
    given: dict[str, Any] = {"account": INCOME, **more}
    for name in ("quantity", "unit_price"):
        if isinstance(given.get(name), str):
            given[name] = Decimal(given[name])
    return DocumentLine(kind=kind, amount=Decimal(amount), item_key=item, **given)


def example_lines() -> tuple[DocumentLine, ...]:
    """2 × 25.00 + 19.99, coupon 5.00, shipping 7.95; the tax of 4.06 stands beside them."""
    return (
        line(amount="50.00", quantity="2", unit_price="25.00", taxable=True, description="Enamel mug"),
        line(amount="19.99", quantity="1", unit_price="19.99", taxable=True, description="Tea towel"),
        line(LineKind.DISCOUNT, "-5.00", DISCOUNT, account=DISCOUNTS, description="WELCOME5", taxable=True),
        line(LineKind.SHIPPING, "7.95", SHIPPING, description="Ground"),
    )


def key_of(kind: DocumentKind, source: str = "1001", ordinal: int = 0) -> str:
    return document_key("t1", "co1", "shop1", "order", source, kind, ordinal)


def document(kind: DocumentKind, total: str = "77.00", **more: Any) -> Document:
    """Example A in any kind; keyword arguments replace what they name."""
    sales = kind in {
        DocumentKind.INVOICE,
        DocumentKind.SALES_RECEIPT,
        DocumentKind.ESTIMATE,
        DocumentKind.CREDIT_MEMO,
        DocumentKind.REFUND_RECEIPT,
    }
    source = str(more.pop("source_id", "1001"))
    given: dict[str, Any] = {
        "key": key_of(kind, source, int(more.get("ordinal", 0))),
        "kind": kind,
        "source_kind": "order",
        "source_id": source,
        "number": source,
        "memo_number": source,
        "date": date(2026, 3, 14),
        "currency": "USD",
        "total": Decimal(total),
        "customer_key": CUSTOMER,
    }
    if sales:
        given["lines"] = example_lines()
        given["taxes"] = (
            DocumentTax(title="California", account=TAXES, amount=Decimal("4.06"), rate=Decimal("0.0625")),
        )
    if kind in (DocumentKind.SALES_RECEIPT, DocumentKind.REFUND_RECEIPT, DocumentKind.PAYMENT):
        given["deposit_to"] = FUNDS
    return Document(**(given | more))


def address(**more: str) -> Address:
    given = {
        "name": "Ada Fenn",
        "line1": "12 Mill Lane",
        "line2": "Flat 3",
        "city": "Bayshore",
        "region": "CA",
        "postal_code": "94326",
        "country": "US",
    }
    return Address(**(given | more))


def customer(name: str = "Ada Fenn", **more: Any) -> CustomerWanted:
    return CustomerWanted(key=CUSTOMER, display_name=name, **more)


def item(name: str = "MUG-1", **more: Any) -> ItemWanted:
    return ItemWanted(key=ITEM, name=name, income_account=INCOME, **more)


REFERENCES: Mapping[str, LedgerLink] = {
    CUSTOMER: LedgerLink("58", details={"entity": "Customer"}),
    VENDOR: LedgerLink("56", details={"entity": "Vendor"}),
    ITEM: LedgerLink("11"),
    SHIPPING: LedgerLink("20"),
    GIFT: LedgerLink("21"),
    DISCOUNT: LedgerLink("22"),
}


def operation(
    wanted: Document | CustomerWanted | ItemWanted,
    kind: DocumentKind | None = None,
    *,
    how: OperationKind = OperationKind.CREATE,
    link: LedgerLink | None = None,
    references: Mapping[str, LedgerLink] | None = None,
    applications: tuple[tuple[str, Decimal], ...] = (),
    attempt: str = "g1",
) -> Operation:
    """One operation with everything resolved that the samples refer to."""
    if kind is None:
        kind = wanted.kind if isinstance(wanted, Document) else DocumentKind.CUSTOMER
        kind = DocumentKind.ITEM if isinstance(wanted, ItemWanted) else kind
    return Operation(
        document_key=wanted.key,
        kind=kind,
        operation=how,
        wanted=wanted,
        idempotency_key=f"{wanted.key}{how.value[0]}{attempt}",
        link=link,
        references={**REFERENCES, **(references or {})},
        applications=applications,
    )
