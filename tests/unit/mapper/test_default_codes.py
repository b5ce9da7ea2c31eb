"""Section 12.2 and 12.7: a rule's document code, and the code that a new customer has from its first order."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
    D,
    configuration,
    example_a,
    line,
    mapped,
    only,
    order,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import Customer, Order
from common.messages.transactions import DocumentKind
from mapper.mapping.orders import map_order

UNTAXED = order(lines=(line("l1", "THING", "10.00"),), total=D("10.00"))
PLACES = {"state:RI": "Rhode Island", "default_taxed": "Elsewhere"}
VAT = {"method": "inclusive", "taxable_code": "20.0% S", "non_taxable_code": "Exempt"}


@pytest.mark.parametrize(
    ("source", "tax", "code"),
    [
        (example_a(), {"method": "tax_codes", "codes": PLACES}, "Rhode Island"),
        (UNTAXED, {"method": "tax_codes", "codes": PLACES}, ""),
        (UNTAXED, {"method": "tax_codes", "codes": PLACES, "non_taxable_code": "Out of scope"}, "Out of scope"),
        (example_a(), VAT, "20.0% S"),
        (UNTAXED, VAT, "Exempt"),
        (example_a(), {**VAT, "method": "override"}, "20.0% S"),
        (example_a(), {}, ""),
        (example_a(), {**VAT, "method": "none"}, ""),
        (example_a(), {**VAT, "method": "tax_line"}, ""),
        (example_a(), {**VAT, "use_customer_code": True}, ""),
    ],
)
def test_a_new_customer_has_the_code_of_its_first_order(source: Order, tax: dict[str, Any], code: str) -> None:
    (customer,) = mapped(source, configuration("sales_receipts", tax=tax)).customers
    assert customer.tax_code == code


def test_a_stores_own_customer_and_an_exempt_one_have_none() -> None:
    exempt = example_a(customer=Customer(external_id="c1", first_name="Ada", tax_exempt=True))
    assert mapped(exempt, configuration("sales_receipts", tax=VAT)).customers[0].tax_code == ""
    for strategy in ("single", "store_type", "store_name_and_currency"):
        settings = configuration("sales_receipts", tax=VAT, customers={"strategy": strategy})
        assert mapped(example_a(), settings).customers[0].tax_code == ""
    fallback = configuration("sales_receipts", tax=VAT, customers={"missing": "single"})
    assert mapped(example_a(), fallback).customers[0].tax_code == ""


def test_a_rule_names_the_documents_code_before_any_place() -> None:
    rules = compiled(rule("map_tax_item", "Reseller", ("total_tax", "more_than", "0")))
    by_place = configuration("sales_receipts", tax={"method": "tax_codes", "codes": PLACES})
    result = map_order(example_a(), by_place, rules)
    assert {tax.tax_code for tax in only(result, DocumentKind.SALES_RECEIPT).taxes} == {"Reseller"}
    assert result.customers[0].tax_code == "Reseller"
    without = map_order(example_a(), by_place)
    assert {tax.tax_code for tax in only(without, DocumentKind.SALES_RECEIPT).taxes} == {"Rhode Island"}
    included = configuration("sales_receipts", tax={**VAT, "codes": PLACES})
    result = map_order(example_a(), included, rules)
    assert {one.tax_code for one in only(result, DocumentKind.SALES_RECEIPT).lines if one.taxable} == {"Rhode Island"}


def test_a_customer_is_of_the_kind_that_the_channel_or_a_rule_says() -> None:
    buyer = Customer(external_id="c1", first_name="Ada", group="Retail")
    settings = configuration("sales_receipts")
    assert mapped(example_a(customer=buyer), settings).customers[0].customer_type == "Retail"
    ruled = map_order(example_a(customer=buyer), settings, compiled(rule("map_customer_type", "Wholesale")))
    assert ruled.customers[0].customer_type == "Wholesale"
    single = configuration("sales_receipts", customers={"strategy": "single"})
    assert mapped(example_a(customer=buyer), single).customers[0].customer_type == ""
