"""Filters, products, tax codes and numbers: what settings decide about an order."""

from datetime import date
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    ledger,
    line,
    mapped,
    only,
    order,
    tax,
    tender,
    unpaid,
)

from common.messages.orders import Address, FinancialStatus, Lifecycle, Order, TenderStatus
from common.messages.transactions import AccountRole, DocumentKind, LineKind, MissingPolicy, SetOutcome
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex, ProductTarget


@pytest.mark.parametrize(
    ("source", "changes", "code"),
    [
        (example_a(lifecycle=Lifecycle.DRAFT), {}, "DRAFT"),
        (example_a(custom_fields={"test": "True"}), {}, "TEST_ORDER"),
        (example_a(do_not_import=True), {}, "DO_NOT_IMPORT"),
        (example_a(), {"enabled": False}, "CONNECTION_DISABLED"),
        (example_a(store_name="Outlet"), {"store_filter": ["Main"]}, "STORE_FILTERED"),
        (example_a(), {"start_date": "2026-03-03"}, "BEFORE_START_DATE"),
        (example_a(), {"books": company(closed_through=date(2026, 3, 31))}, "CLOSED_PERIOD"),
        (unpaid(), {"order_statuses": ["Paid"]}, "STATUS_FILTERED"),
        (example_a(), {"mode": "none"}, "MODE_NONE"),
        (example_a(refunds=(first_refund(),)), {"missing_original": "skip"}, "ORIGINAL_MISSING"),
    ],
)
def test_each_filter_names_itself(source: Order, changes: dict[str, Any], code: str) -> None:
    result = mapped(source, configuration(changes.pop("mode", "sales_receipts"), **changes))
    assert result.outcome is SetOutcome.FILTERED
    assert result.reason is not None
    assert result.reason.code == code
    assert result.documents == ()


@pytest.mark.vector_core
def test_vector_45_the_status_filter_says_what_it_saw_and_what_it_wants() -> None:
    result = mapped(unpaid(native_status="On hold"), configuration(order_statuses=["paid", "shipped"]))
    assert result.reason is not None
    assert (
        result.reason.text == "The order is On hold, pending, unfulfilled; the status filter lets paid, shipped pass."
    )


@pytest.mark.parametrize("status", [" PAID ", "unfulfilled", "processing"])
def test_any_of_the_three_statuses_lets_an_order_pass(status: str) -> None:
    settings = configuration(order_statuses=[status])
    assert mapped(example_a(native_status="Processing"), settings).outcome is SetOutcome.MAPPED


def test_a_refunded_order_still_passes_the_filter_that_let_it_in() -> None:
    source = example_a(financial_status=FinancialStatus.REFUNDED, refunds=(first_refund(),))
    assert mapped(source, configuration(order_statuses=["paid"])).outcome is SetOutcome.MAPPED
    for status in ("pending", "cancelled"):
        cancelled = example_a(lifecycle=Lifecycle.CANCELLED)
        result = mapped(cancelled, configuration("invoices_only", order_statuses=[status]))
        assert result.outcome is SetOutcome.MAPPED, status


def test_orders_of_the_start_date_itself_are_taken() -> None:
    assert mapped(example_a(), configuration(start_date="2026-03-02")).outcome is SetOutcome.MAPPED


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (example_a(total=D("-1.00")), "VALUE_REFUSED"),
        (example_a(total=D("77.001")), "VALUE_REFUSED"),
        (order(lines=(line("l", "A", "1.00", "-1"),), total=D("1.00")), "VALUE_REFUSED"),
        (example_a(currency="ZZZ"), "CURRENCY_UNKNOWN"),
        (example_a(tenders=(tender("77.00", currency="EUR"),)), "TENDER_CURRENCY_DIFFERS"),
    ],
)
def test_values_that_no_ledger_can_hold_are_refused_by_name(source: Order, code: str) -> None:
    result = mapped(source, configuration())
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == code


@pytest.mark.parametrize("role", [AccountRole.INCOME, AccountRole.TAX, AccountRole.UNDEPOSITED_FUNDS])
def test_a_missing_account_names_its_role_and_where_to_set_it(role: AccountRole) -> None:
    books = company(accounts={one: name for one, name in ACCOUNTS.items() if one is not role})
    result = mapped(example_a(), configuration(books=books))
    assert result.reason is not None
    assert (result.reason.code, result.reason.field) == ("ACCOUNT_MISSING", f"accounts.{role.value}")
    assert "company settings" in result.reason.cure


# ---------------------------------------------------------------------------------------------------------- products

TOOLS = [CatalogItem("1", "hammer", "Tools:Hammer"), CatalogItem("2", "hammer", "Toys:Hammer")]


def hold_of(items: list[CatalogItem], **products: Any) -> str | None:
    catalog = Catalog(items=ItemIndex(items))
    hold = mapped(example_a(), configuration(products=products), catalog).documents[0].hold
    return hold.code if hold else None


@pytest.mark.vector_core
def test_vector_33_a_leaf_that_stands_twice_needs_its_full_name() -> None:
    nails = CatalogItem("3", "NAILS", "NAILS")
    assert hold_of([*TOOLS, nails], missing="stop_and_queue") == "PRODUCT_AMBIGUOUS"
    assert hold_of([TOOLS[0], nails], missing="stop_and_queue") is None
    full = example_a(lines=(line("l1", "tools:hammer", "69.99", taxes=(tax("4.06"),)),))
    result = mapped(full, configuration(products={"missing": "stop_and_queue"}), Catalog(items=ItemIndex(TOOLS)))
    assert result.documents[0].hold is None
    assert [item.ledger_id for item in result.items if item.sku] == ["1"]


def test_products_that_are_missing_inactive_or_taken_stop_the_order_by_name() -> None:
    assert hold_of([], missing="stop_and_queue") == "PRODUCT_MISSING"
    assert hold_of([CatalogItem("1", "HAMMER", "HAMMER", active=False)], missing="stop_and_queue") == "PRODUCT_INACTIVE"
    twins = [CatalogItem("1", "a", "a", sku="HAMMER"), CatalogItem("2", "b", "b", sku="HAMMER")]
    assert hold_of(twins, missing="create_non_inventory", match_field="sku") == "PRODUCT_AMBIGUOUS"
    taken = [CatalogItem("1", "Product HAMMER", "Product HAMMER", sku="OTHER")]
    assert hold_of(taken, missing="create_non_inventory", match_field="sku") == "PRODUCT_NAME_TAKEN"


def test_a_map_wins_over_the_match_and_must_lead_somewhere() -> None:
    items = ItemIndex(
        [CatalogItem("1", "HAMMER", "HAMMER"), CatalogItem("2", "Big", "Big"), CatalogItem("3", "NAILS", "NAILS")]
    )
    settings = configuration(products={"missing": "stop_and_queue"})
    result = mapped(example_a(), settings, Catalog(items=items, product_map={"hammer": ProductTarget("big")}))
    assert result.items[0].name == "Big"
    dead = mapped(example_a(), settings, Catalog(items=items, product_map={"hammer": ProductTarget("Gone")}))
    assert dead.documents[0].hold is not None
    assert dead.documents[0].hold.field == "products.map"
    by_name = configuration(
        products={"missing": "stop_and_queue"}, file=ledger(capabilities=ALL_CAPABILITIES | {"items_are_names"})
    )
    named = mapped(example_a(), by_name, Catalog(items=items, product_map={"hammer": ProductTarget("Gone")}))
    assert (named.documents[0].hold, named.items[0].name) == (None, "Gone")


@pytest.mark.parametrize("missing", ["stop_and_queue", "fallback_item"])
def test_a_product_is_mapped_to_any_name_where_the_ledger_keeps_no_list_of_items(missing: str) -> None:
    by_name = configuration(
        products={"missing": missing}, file=ledger(capabilities=ALL_CAPABILITIES | {"items_are_names"})
    )
    named = mapped(example_a(), by_name, Catalog(product_map={"hammer": ProductTarget("Big")}))
    # Nobody could make the item first: refused as missing, the map would lead nowhere.
    assert {item.name: item.missing for item in named.items}["Big"] is MissingPolicy.CREATE
    hammer = [CatalogItem("1", "HAMMER", "HAMMER")]
    listed = mapped(example_a(), configuration(products={"missing": missing}), Catalog(items=ItemIndex(hammer)))
    assert {item.name: item.missing for item in listed.items}["HAMMER"] is MissingPolicy.STOP


def test_the_cure_of_a_missing_product_can_be_done_in_the_ledger_that_it_is_missing_from() -> None:
    sold = order(lines=(line("l1", "", "5.00", name="Mug"),), total=D("5.00"), tenders=(tender("5.00"),))
    for capabilities, makes in ((ALL_CAPABILITIES, True), (ALL_CAPABILITIES | {"items_are_names"}, False)):
        settings = configuration(products={"missing": "stop_and_queue"}, file=ledger(capabilities=capabilities))
        for source in (example_a(), sold):
            hold = mapped(source, settings).documents[0].hold
            assert hold is not None
            assert hold.code == "PRODUCT_MISSING"
            assert ("create the item in the ledger" in hold.cure) is makes
            assert ("products.missing" in hold.cure) is not makes


def test_lines_without_sku_go_by_title_or_to_the_last_resort() -> None:
    source = order(
        lines=(line("l1", "", "5.00", name="Mug", product_id="p7"),), total=D("5.00"), tenders=(tender("5.00"),)
    )
    by_id = Catalog(product_map={"id:p7": ProductTarget("Big mug", "9")})
    assert mapped(source, configuration(), by_id).items[0].ledger_id == "9"
    by_title = Catalog(product_map={"title:mug": ProductTarget("Small mug", "8")})
    assert mapped(source, configuration(), by_title).items[0].ledger_id == "8"
    last = mapped(source, configuration())
    assert last.items[0].name == "unknown_do_not_delete"
    assert [one.code for one in last.documents[0].notices] == ["SKU_MISSING"]


# --------------------------------------------------------------------------------------------------------------- tax

CODES = {
    "zip:02906": "ZIP",
    "city:Providence,RI": "CITY",
    "county:Dane,WI": "COUNTY",
    "state:RI": "STATE",
    "country:US": "COUNTRY",
    "default_taxed": "DEFAULT",
}


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        (Address(postal_code="02906", city="Providence", region="RI", country="US"), "ZIP"),
        (Address(postal_code="1", city=" Providence ", region="RI", country="US"), "CITY"),
        (Address(county="Dane", region="WI", country="US"), "COUNTY"),
        (Address(city="Newport", region="RI", country="US"), "STATE"),
        (Address(region="MA", country="US"), "COUNTRY"),
        (Address(country="CA"), "DEFAULT"),
    ],
)
def test_the_most_exact_place_decides_the_code(address: Address, wanted: str) -> None:
    settings = configuration(tax={"method": "tax_codes", "codes": CODES})
    receipt = only(mapped(example_a(shipping_address=address), settings), DocumentKind.SALES_RECEIPT)
    assert receipt.taxes[0].tax_code == wanted
    assert [one.tax_code for one in receipt.lines] == ["TAX", "TAX", "NON", "TAX"]


def test_a_near_county_is_suggested_and_never_taken() -> None:
    settings = configuration(tax={"method": "tax_codes", "codes": CODES})
    source = example_a(shipping_address=Address(county="Dane County", region="WI"))
    receipt = only(mapped(source, settings), DocumentKind.SALES_RECEIPT)
    assert receipt.taxes[0].tax_code == "DEFAULT"
    assert [one.code for one in receipt.notices] == ["TAX_CODE_NEAR_MATCH"]


def test_tax_can_be_a_line_and_unexpected_tax_is_posted_and_shown() -> None:
    receipt = only(mapped(example_a(), configuration(tax={"method": "tax_line"})), DocumentKind.SALES_RECEIPT)
    assert receipt.taxes == ()
    assert [one.amount for one in receipt.lines if one.kind is LineKind.TAX] == [D("4.06")]
    assert receipt.total == D("77.00")
    none = only(mapped(example_a(), configuration(tax={"method": "none"})), DocumentKind.SALES_RECEIPT)
    assert none.total == D("77.00")
    assert [one.code for one in none.notices] == ["TAX_CHARGED"]


# ----------------------------------------------------------------------------------------------------------- numbers


def test_long_numbers_are_cut_in_the_number_and_whole_in_the_memo() -> None:
    source = example_a(number="2026-03-02-000000000001001", refunds=(first_refund(), first_refund(external_id="r2")))
    file = ledger(name="quickbooks_online")
    result = mapped(source, configuration(file=file, numbers={"prefix": "AZ"}))
    receipt = only(result, DocumentKind.SALES_RECEIPT)
    assert receipt.number == "AZ2026-03-02-00000000"
    assert receipt.memo_number == "2026-03-02-000000000001001"
    assert receipt.memo.startswith("2026-03-02-000000000001001 [tb:")
    assert [one.number for one in result.documents[1:]] == ["AZ2026-03-02-00000000", "AZ2026-03-02-000000-1"]


@pytest.mark.vector_core
def test_vector_11_next_number_leaves_the_invoice_to_the_ledger_and_keeps_the_memo() -> None:
    settings = configuration("sales_orders_invoices_payments_if_paid", numbers={"policy": "next"})
    sales_order, invoice, _ = mapped(example_a(number="3001"), settings).documents
    assert (sales_order.number, sales_order.memo_number) == ("3001", "3001")
    assert (invoice.number, invoice.memo_number) == (None, "3001")
    assert invoice.notices == ()
    assert invoice.lookup_days == 7


def test_how_far_a_document_is_looked_for_goes_with_every_form_of_the_order() -> None:
    settings = configuration(numbers={"policy": "next", "lookup_days": 30})
    result = mapped(example_a(refunds=(first_refund(),)), settings)
    assert [(one.kind.value, one.number, one.lookup_days) for one in result.documents] == [
        ("sales_receipt", None, 30),
        ("refund_receipt", None, 30),
    ]


def test_a_ledger_that_assigns_no_numbers_is_reported() -> None:
    settings = configuration(file=ledger(assigns_numbers=False), numbers={"policy": "next"})
    receipt = only(mapped(example_a(), settings), DocumentKind.SALES_RECEIPT)
    assert [one.code for one in receipt.notices] == ["NEXT_NUMBER_UNAVAILABLE"]


def test_terms_give_a_due_date_and_voided_payments_are_voided() -> None:
    invoice = only(mapped(unpaid(terms="NET 30"), configuration("invoices_only", terms_days=30)), DocumentKind.INVOICE)
    assert (invoice.due_date, invoice.terms) == (date(2026, 4, 1), "NET 30")
    bounced = unpaid().model_copy(update={"tenders": (tender("77.00", status=TenderStatus.VOIDED),)})
    result = mapped(bounced, configuration("invoices_payments_if_paid"))
    assert [one.kind.value for one in result.documents] == ["invoice"]
