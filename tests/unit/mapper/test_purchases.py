"""Merchant fees as documents of their own, and purchase orders by vendor."""

import pytest
from tests.unit.mapper.samples import ALL_CAPABILITIES, D, configuration, example_a, kinds, ledger, mapped, only, unpaid

from common.messages.orders import Lifecycle
from common.messages.transactions import DocumentKind, SetOutcome
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


def test_each_vendor_gets_one_purchase_order_at_cost() -> None:
    result = mapped(example_a(), configuration(MODE), ITEMS)
    assert kinds(result) == ["sales_order", "purchase_order", "purchase_order", "invoice", "payment"]
    bought = [one for one in result.documents if one.kind is DocumentKind.PURCHASE_ORDER]
    assert [(one.note, one.total, one.number) for one in bought] == [
        ("Forge", D("20.00"), "1001"),
        ("Wire works", D("8.50"), "1001-1"),
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
    assert result.reason.code == "MODE_NOT_SUPPORTED"
