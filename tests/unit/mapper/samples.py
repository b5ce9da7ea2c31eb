"""Orders, settings and ledgers of the worked examples, built field by field so that each test shows what it changes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from common.messages.control import CompanySettings, ConnectionSettings, TransactionMode
from common.messages.orders import (
    Address,
    Customer,
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    OrderLine,
    Refund,
    RefundLine,
    RefundTransaction,
    ShippingLine,
    TaxLine,
    Tender,
)
from common.messages.transactions import AccountRole, Document, DocumentKind, TransactionSet
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration, Ledger
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.orders import map_order

D = Decimal
ALL_CAPABILITIES = frozenset(
    {
        "invoice",
        "sales_receipt",
        "sales_order",
        "estimate",
        "credit_memo",
        "refund_receipt",
        "refund_payment",
        "deposit",
        "journal_entry",
        "bill",
        "expense",
        "purchase_order",
        "multi_currency",
        "next_number",
        "creates_items",
        "edits_posted",
        "deposit_to_liability",
        "deposits_across_currencies",
    }
)
ACCOUNTS = {
    role: f"Account {role.value}" for role in AccountRole if role not in (AccountRole.CLEARING, AccountRole.RETURNS)
}
"""Every role but returns, so that refunds reverse income as in the worked examples."""
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDER_DAY = date(2026, 3, 2)


def connection(mode: TransactionMode | str = TransactionMode.SALES_RECEIPTS, **changes: Any) -> ConnectionSettings:
    values: dict[str, Any] = {
        "connection_id": "shop-1",
        "channel": "shopify",
        "name": "Main shop",
        "company_id": "books-1",
        "start_date": date(2026, 1, 1),
        "mode": TransactionMode(mode),
        "products": {"missing": "create_non_inventory"},
    }
    values.update(changes)
    return ConnectionSettings.model_validate(values, strict=False)


def company(**changes: Any) -> CompanySettings:
    values: dict[str, Any] = {
        "company_id": "books-1",
        "name": "Books",
        "ledger": "beancount",
        "closed_through": date(2025, 12, 31),
        "accounts": ACCOUNTS,
    }
    values.update(changes)
    return CompanySettings.model_validate(values, strict=False)


def ledger(**changes: Any) -> Ledger:
    values: dict[str, Any] = {
        "name": "beancount",
        "home_currency": "USD",
        "multi_currency": False,
        "capabilities": ALL_CAPABILITIES,
    }
    values.update(changes)
    return Ledger(**values)


def configuration(
    mode: TransactionMode | str = TransactionMode.SALES_RECEIPTS,
    *,
    books: CompanySettings | None = None,
    file: Ledger | None = None,
    **changes: Any,
) -> Configuration:
    return Configuration(connection(mode, **changes), books or company(), file or ledger(), 1, 1)


def line(external_id: str, sku: str, price: str, quantity: str = "1", **changes: Any) -> OrderLine:
    values: dict[str, Any] = {
        "external_id": external_id,
        "sku": sku,
        "name": f"Product {sku}",
        "quantity": D(quantity),
        "unit_price": D(price),
        "amount": D(price) * D(quantity),
        "discount": D("0.00"),
    }
    values.update(changes)
    return OrderLine(**values)


def tax(amount: str, title: str = "State tax", rate: str | None = "0.0625") -> TaxLine:
    return TaxLine(title=title, amount=D(amount), rate=None if rate is None else D(rate))


def tender(amount: str, external_id: str = "t1", **changes: Any) -> Tender:
    values: dict[str, Any] = {
        "external_id": external_id,
        "method": "card",
        "amount": D(amount),
        "currency": "USD",
        "captured_at": NOON,
        "captured_on": ORDER_DAY,
        "reference": f"ch_{external_id}",
    }
    values.update(changes)
    return Tender(**values)


def order(**changes: Any) -> Order:
    """A bare order; give it lines and a total."""
    values: dict[str, Any] = {
        "tenant_id": "tenant",
        "revision": 1,
        "connection_id": "shop-1",
        "external_id": "9001",
        "channel": "shopify",
        "number": "1001",
        "financial_status": FinancialStatus.PAID,
        "fulfillment_status": FulfillmentStatus.UNFULFILLED,
        "lifecycle": Lifecycle.OPEN,
        "created_at": NOON,
        "modified_at": NOON,
        "ordered_on": ORDER_DAY,
        "currency": "USD",
        "total": D("0.00"),
        "tax_total": D("0.00"),
        "tips": D("0.00"),
        "tax_remitted": D("0.00"),
        "lines": (),
        "rounding": D("0.00"),
        "customer": Customer(external_id="c1", first_name="Ada", last_name="Lovelace", emails=("ada@example.com",)),
        "billing_address": Address(
            name="Ada Lovelace", line1="1 Main St", city="Providence", region="RI", country="US"
        ),
    }
    values.update(changes)
    return Order(**values)


def example_a(**changes: Any) -> Order:
    """Order 1001: 2 × 25.00 + 1 × 19.99, coupon 5.00, shipping 7.95, tax 6.25 % of 64.99 = 4.06; total 77.00."""
    values: dict[str, Any] = {
        "lines": (
            line("l1", "HAMMER", "25.00", "2", taxes=(tax("2.90"),)),
            line("l2", "NAILS", "19.99", "1", taxes=(tax("1.16"),)),
        ),
        "discounts": (OrderDiscount(code="SAVE5", title="Save 5", amount=D("5.00")),),
        "shipping_lines": (ShippingLine(external_id="s1", title="Ground", amount=D("7.95"), discount=D("0.00")),),
        "taxes": (tax("4.06"),),
        "tax_total": D("4.06"),
        "total": D("77.00"),
        "tenders": (tender("77.00"),),
    }
    values.update(changes)
    return order(**values)


def unpaid(**changes: Any) -> Order:
    return example_a(tenders=(), financial_status=FinancialStatus.PENDING, **changes)


def first_refund(**changes: Any) -> Refund:
    """One hammer of example A, restocked: 25.00 less coupon share 1.79, tax 1.45: 24.66."""
    values: dict[str, Any] = {
        "external_id": "r1",
        "created_at": datetime(2026, 3, 10, 9, tzinfo=UTC),
        "refunded_on": date(2026, 3, 10),
        "lines": (
            RefundLine(
                line_external_id="l1",
                quantity=D(1),
                amount=D("23.21"),
                discount=D("1.79"),
                tax=D("1.45"),
                restock=True,
            ),
        ),
        "shipping": D("0.00"),
        "shipping_tax": D("0.00"),
        "tax": D("1.45"),
        "transactions": (refunded("24.66", "rt1"),),
    }
    values.update(changes)
    return Refund(**values)


def second_refund(**changes: Any) -> Refund:
    """The rest of example A: 44.99 less 3.21, shipping 7.95, tax 2.61: 52.34."""
    values: dict[str, Any] = {
        "external_id": "r2",
        "created_at": datetime(2026, 3, 12, 9, tzinfo=UTC),
        "refunded_on": date(2026, 3, 12),
        "lines": (
            RefundLine(
                line_external_id="l1",
                quantity=D(1),
                amount=D("23.21"),
                discount=D("1.79"),
                tax=D("1.45"),
                restock=True,
            ),
            RefundLine(
                line_external_id="l2",
                quantity=D(1),
                amount=D("18.57"),
                discount=D("1.42"),
                tax=D("1.16"),
                restock=True,
            ),
        ),
        "shipping": D("7.95"),
        "shipping_tax": D("0.00"),
        "tax": D("2.61"),
        "transactions": (refunded("52.34", "rt2"),),
    }
    values.update(changes)
    return Refund(**values)


def refunded(amount: str, external_id: str, **changes: Any) -> RefundTransaction:
    values: dict[str, Any] = {
        "external_id": external_id,
        "method": "card",
        "amount": D(amount),
        "tender_external_id": "t1",
    }
    values.update(changes)
    return RefundTransaction(**values)


def mapped(
    source: Order, settings: Configuration, catalog: Catalog | None = None, history: History = FIRST_TIME, **more: Any
) -> TransactionSet:
    return map_order(source, settings, catalog=catalog, history=history, **more)


def kinds(result: TransactionSet) -> list[str]:
    """Kind of every document, with how it is wanted where that is not simply present."""
    return [
        one.kind.value + ("" if one.wanted.value == "present" else f" {one.wanted.value}") for one in result.documents
    ]


def only(result: TransactionSet, kind: DocumentKind) -> Document:
    found = [one for one in result.documents if one.kind is kind]
    assert len(found) == 1, f"expected one {kind}, found {kinds(result)} ({result.reason})"
    return found[0]
