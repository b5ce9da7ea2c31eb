"""Which tax code stands where: by the place, by default, on discounts, and what is suggested (section 12)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import D, configuration, line, mapped, only, order, tax, tender

from common.messages.orders import Address, Order, OrderDiscount
from common.messages.transactions import Document, DocumentKind, LineKind

ELSEWHERE = Address(city="Paris", country="FR")
DEFAULTS = {"state:RI": "RI", "default_taxed": "TAXED", "default_untaxed": "UNTAXED"}
CODES = {"taxable_code": "T", "non_taxable_code": "N", "document_code": "DOC"}


def receipt(source: Order, **settings: Any) -> Document:
    return only(mapped(source, configuration(tax=settings)), DocumentKind.SALES_RECEIPT)


def sold(charged: str, **changes: Any) -> Order:
    """10.00 less 1.00, with that much tax; shipped to a place that settings do not know."""
    taxes = (tax(charged),) if D(charged) else ()
    total = D("9.00") + D(charged)
    values: dict[str, Any] = {
        "lines": (line("l1", "A", "10.00", taxes=taxes),),
        "discounts": (OrderDiscount(code="X", amount=D("1.00")),),
        "taxes": taxes,
        "tax_total": D(charged),
        "total": total,
        "tenders": (tender(str(total)),),
        "shipping_address": ELSEWHERE,
    }
    return order(**(values | changes))


def code_of(document: Document, kind: LineKind) -> str | None:
    (found,) = [one for one in document.lines if one.kind is kind]
    return found.tax_code


@pytest.mark.parametrize(
    ("charged", "document", "discount"), [("1.00", "TAXED", "T"), ("0.90", "TAXED", "T"), ("0.00", "UNTAXED", "N")]
)
def test_an_unknown_place_has_the_default_and_a_discount_the_code_of_what_it_is_taken_off(
    charged: str, document: str, discount: str
) -> None:
    written = receipt(sold(charged), method="tax_codes", codes=DEFAULTS, **CODES)
    assert [one.tax_code for one in written.taxes] == [document]
    assert code_of(written, LineKind.DISCOUNT) == discount


@pytest.mark.parametrize(
    ("charged", "product", "discount"), [("1.00", "TAXED", "TAXED"), ("0.00", "UNTAXED", "UNTAXED")]
)
def test_prices_with_tax_in_them_name_the_default_on_their_lines(charged: str, product: str, discount: str) -> None:
    written = receipt(sold(charged), method="inclusive", codes=DEFAULTS, **CODES)
    assert (code_of(written, LineKind.PRODUCT), code_of(written, LineKind.DISCOUNT)) == (product, discount)


def test_goods_taxed_at_nothing_have_the_default_of_untaxed_orders() -> None:
    free = sold("0.00", lines=(line("l1", "A", "10.00", taxes=(tax("0.00", rate="0"),)),))
    assert code_of(receipt(free, method="inclusive", codes=DEFAULTS, **CODES), LineKind.PRODUCT) == "UNTAXED"


def test_where_no_default_is_set_the_documents_own_code_stands() -> None:
    (charged,) = receipt(sold("1.00"), method="tax_codes", codes={"state:RI": "RI"}, **CODES).taxes
    assert charged.tax_code == "DOC"


def test_a_code_that_the_method_does_not_ask_for_suggests_no_county() -> None:
    source = sold("1.00", shipping_address=Address(county="Dane", region="WI"))
    for method, codes in (("tax_codes", ["TAX_CODE_NEAR_MATCH"]), ("override", []), ("tax_line", [])):
        written = receipt(source, method=method, codes={"county:Dane County,WI": "D"}, **CODES)
        assert [one.code for one in written.notices] == codes


@pytest.mark.parametrize(
    ("address", "place", "suggested"),
    [
        (Address(county="Dane", region="WI"), "county:Dane County,WI", True),
        (Address(county="Dane County", region="WI"), "county:Dane,WI", True),
        (Address(county="Dane", region="WI"), "county:Dane County,MN", False),
        (Address(county="Dane", region="WI"), "county:Kent,WI", False),
        (Address(county="Dane", region="WI"), "county:Danetown,WI", False),
        (Address(county="Dane", region="Wisconsin, US"), "county:Dane County,Wisconsin, US", True),
    ],
)
def test_a_county_is_suggested_that_is_called_alike_in_the_same_state(
    address: Address, place: str, suggested: bool
) -> None:
    written = receipt(sold("1.00", shipping_address=address), method="tax_codes", codes={place: "D"}, **CODES)
    near = [one.value for one in written.notices if one.code == "TAX_CODE_NEAR_MATCH"]
    assert near == ([address.county] if suggested else [])
