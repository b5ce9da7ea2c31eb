"""Merchant fees as documents of their own, and purchase orders by vendor."""

from decimal import Decimal

import pytest
from tests.unit.mapper.samples import ALL_CAPABILITIES, D, configuration, example_a, kinds, ledger, mapped, only, unpaid
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import Lifecycle
from common.messages.transactions import AccountRole, DocumentKind, MissingPolicy, SetOutcome
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex
from mapper.mapping.postings import trial_balance

FEES = {"percent": D("2.9"), "fixed": D("0.30")}
MODE = "sales_orders_invoices_po"
ITEMS = Catalog(
    items=ItemIndex(
        [
            CatalogItem("1", "HAMMER", "HAMMER", preferred_vendor="Forge", purchase_cost=D("10.00")),
            CatalogItem("2", "NAILS", "NAILS", preferred_vendor="Wire works", purchase_cost=D("8.50")),
        ]
    )
)


@pytest.mark.parametrize(("on_order", "kind", "credit"), [("expense", "expense", "BANK"), ("bill", "bill", "AP")])
def test_a_fee_can_be_an_expense_or_a_bill(on_order: str, kind: str, credit: str) -> None:
    for mode, sales in (("sales_receipts", ["sales_receipt"]), ("invoices_payments_if_paid", ["invoice", "payment"])):
        result = mapped(example_a(), configuration(mode, fees={"on_order": on_order, **FEES}))
        assert kinds(result) == [*sales, kind]
        fee = only(result, DocumentKind(kind))
        assert trial_balance([fee]) == {"FEES": D("2.53"), credit: D("-2.53")}
        assert fee.depends_on == (result.documents[0].key,)
    assert kinds(mapped(unpaid(), configuration("invoices_payments_if_paid", fees={"on_order": on_order, **FEES}))) == [
        "invoice"
    ]


@pytest.mark.parametrize(("fee", "booked"), [("0.00", []), ("0.50", [D("0.50")])])
def test_a_fee_of_nothing_is_no_expense(fee: str, booked: list[Decimal]) -> None:
    result = mapped(example_a(merchant_fee=D(fee)), configuration("sales_receipts", fees={"on_order": "expense"}))
    assert [one.total for one in result.documents if one.kind is DocumentKind.EXPENSE] == booked


def test_each_vendor_gets_one_purchase_order_at_cost() -> None:
    result = mapped(example_a(), configuration(MODE), ITEMS)
    assert kinds(result) == ["sales_order", "purchase_order", "purchase_order", "invoice", "payment"]
    bought = [one for one in result.documents if one.kind is DocumentKind.PURCHASE_ORDER]
    assert [(one.note, one.total, one.number, one.custom_fields) for one in bought] == [
        ("Forge", D("20.00"), "1001", {"vendor": "Forge"}),
        ("Wire works", D("8.50"), "1001-1", {"vendor": "Wire works"}),
    ]
    assert trial_balance(bought) == {}
    cancelled = mapped(unpaid(lifecycle=Lifecycle.CANCELLED), configuration(MODE), ITEMS)
    assert kinds(cancelled) == ["sales_order closed", "purchase_order closed", "purchase_order closed", "invoice void"]
    assert kinds(mapped(example_a(), configuration(MODE))) == ["sales_order", "invoice", "payment"]


def test_a_ledger_without_purchase_orders_refuses_the_mode() -> None:
    file = ledger(capabilities=ALL_CAPABILITIES - {"purchase_order"})
    result = mapped(example_a(), configuration(MODE, file=file), ITEMS)
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert (result.reason.code, result.reason.field, result.reason.value) == ("MODE_NOT_SUPPORTED", "mode", MODE)


def test_bills_expenses_and_purchase_orders_name_their_vendor() -> None:
    paid_to = {"on_order": "bill", "payee": "Card Co.", **FEES}
    for on_order in ("bill", "expense"):
        result = mapped(example_a(), configuration("invoices_payments_if_paid", fees=paid_to | {"on_order": on_order}))
        (vendor,) = result.vendors
        fee = only(result, DocumentKind(on_order))
        assert (vendor.display_name, vendor.currency, vendor.missing) == ("Card Co.", "USD", MissingPolicy.CREATE)
        assert (fee.customer_key, fee.hold) == (vendor.key, None)
    bought = mapped(example_a(), configuration(MODE), ITEMS)
    assert [one.display_name for one in bought.vendors] == ["Forge", "Wire works"]
    assert [one.customer_key for one in bought.documents if one.kind is DocumentKind.PURCHASE_ORDER] == [
        one.key for one in bought.vendors
    ]
    assert {one.key for one in bought.vendors}.isdisjoint(one.key for one in bought.customers)


def test_a_vendor_is_made_where_a_customer_would_be() -> None:
    stop = mapped(example_a(), configuration(MODE, customers={"missing": "stop"}), ITEMS)
    assert {one.missing for one in stop.vendors} == {MissingPolicy.STOP}


def test_a_bill_without_a_payee_waits_and_the_sale_goes_on() -> None:
    result = mapped(example_a(), configuration("sales_receipts", fees={"on_order": "bill", **FEES}))
    bill = only(result, DocumentKind.BILL)
    assert bill.hold is not None
    assert (bill.hold.code, bill.hold.field) == ("VENDOR_MISSING", "fees.payee")
    assert bill.hold.cure
    assert only(result, DocumentKind.SALES_RECEIPT).hold is None
    assert result.vendors == ()
    assert (
        only(
            mapped(example_a(), configuration("sales_receipts", fees={"on_order": "expense", **FEES})),
            DocumentKind.EXPENSE,
        ).hold
        is None
    )


def test_products_are_bought_in_the_ledgers_currency() -> None:
    file = ledger(multi_currency=True)
    euros = example_a(currency="EUR", exchange_rate=D("1.10"))
    euros = euros.model_copy(update={"tenders": (euros.tenders[0].model_copy(update={"currency": "EUR"}),)})
    result = mapped(euros, configuration(MODE, file=file), ITEMS)
    bought = [one for one in result.documents if one.kind is DocumentKind.PURCHASE_ORDER]
    assert [(one.currency, one.exchange_rate, one.total) for one in bought] == [
        ("USD", None, D("20.00")),
        ("USD", None, D("8.50")),
    ]
    paid_to = {"on_order": "bill", "payee": "Card Co.", **FEES}
    foreign = mapped(euros, configuration("sales_receipts", file=file, fees=paid_to))
    assert [(one.display_name, one.currency) for one in foreign.vendors] == [("Card Co. (EUR)", "EUR")]
    bill = only(foreign, DocumentKind.BILL)
    assert (bill.currency, bill.exchange_rate) == ("EUR", D("1.10"))


def test_a_product_is_bought_only_where_its_vendor_and_its_cost_are_known() -> None:
    items = [
        CatalogItem("1", "HAMMER", "HAMMER", preferred_vendor="Forge"),
        CatalogItem("2", "NAILS", "NAILS", purchase_cost=D("8.50")),
    ]
    assert kinds(mapped(example_a(), configuration(MODE), Catalog(items=ItemIndex(items)))) == [
        "sales_order",
        "invoice",
        "payment",
    ]


def test_purchase_orders_carry_the_orders_number_even_where_the_ledger_numbers_invoices() -> None:
    result = mapped(example_a(), configuration(MODE, numbers={"policy": "next"}), ITEMS)
    assert [(one.kind.value, one.number) for one in result.documents] == [
        ("sales_order", "1001"),
        ("purchase_order", "1001"),
        ("purchase_order", "1001-1"),
        ("invoice", None),
        ("payment", None),
    ]


def test_a_rule_names_the_account_of_a_fee() -> None:
    settings = configuration("sales_receipts", fees={"on_order": "expense", **FEES})
    result = mapped(example_a(), settings, rules=compiled(rule("map_bill_expense_account", "Card costs")))
    fee = only(result, DocumentKind.EXPENSE)
    assert [(one.account.role, one.account.name) for one in fee.lines] == [(AccountRole.FEES, "Card costs")]
