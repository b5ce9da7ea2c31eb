"""Section 12 by its sentences: which code wins, what is never taxed, and whose amount counts."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    only,
    order,
    refunded,
    tax,
    tender,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.documents import CompanyChanged, CompanyStatus
from common.messages.orders import (
    Address,
    Order,
    OrderDiscount,
    RefundLine,
    ShippingLine,
    Surcharge,
    TaxLine,
    TenderKind,
)
from common.messages.transactions import AccountRole, Document, DocumentKind, DocumentLine, LineKind
from mapper.mapping.configuration import Ledger
from mapper.mapping.orders import map_order
from mapper.mapping.postings import trial_balance

DANE = Address(postal_code="53703", city="Madison", county="Dane", region="WI", country="US")
PLACES = {
    "zip:53703": "By zip",
    "city:Madison,WI": "By city",
    "county:Dane,WI": "By county",
    "state:WI": "By state",
    "country:US": "By country",
    "default_taxed": "Taxed",
    "default_untaxed": "Untaxed",
}
CODES = {"taxable_code": "T", "non_taxable_code": "N", "document_code": "DOC"}
UNTAXED = order(
    lines=(line("l1", "THING", "10.00"),), total=D("10.00"), tenders=(tender("10.00"),), shipping_address=DANE
)
BY_LINE = ledger(capabilities=ALL_CAPABILITIES | {"line_tax_codes"})
"""A company file outside the United States."""


def receipt(source: Order, **settings: Any) -> Document:
    return written_in(None, source, settings)


def written_in(file: Ledger | None, source: Order, settings: dict[str, Any]) -> Document:
    return only(mapped(source, configuration(tax=settings, file=file)), DocumentKind.SALES_RECEIPT)


def lines_of(document: Document, kind: LineKind) -> list[DocumentLine]:
    return [one for one in document.lines if one.kind is kind]


def codes_of(document: Document, kind: LineKind) -> list[str | None]:
    return [one.tax_code for one in lines_of(document, kind)]


def without(*places: str) -> dict[str, str]:
    return {place: code for place, code in PLACES.items() if place not in places}


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (1, "By zip"),
        (2, "By city"),
        (3, "By county"),
        (4, "By state"),
        (5, "By country"),
    ],
)
@pytest.mark.parametrize("charged", ["1.00", "0.00"])
def test_the_nearest_place_names_the_code_whether_or_not_there_is_tax(known: int, code: str, charged: str) -> None:
    codes = without(*list(PLACES)[: known - 1])
    taxed = UNTAXED.model_copy(
        update={
            "lines": (line("l1", "THING", "10.00", taxes=(tax("1.00"),)),),
            "taxes": (tax("1.00"),),
            "tax_total": D("1.00"),
            "total": D("11.00"),
            "tenders": (tender("11.00"),),
        }
    )
    written = receipt(taxed if D(charged) else UNTAXED, method="tax_codes", codes=codes, **CODES)
    assert [(one.tax_code, one.amount) for one in written.taxes] == [(code, D(charged))]


@pytest.mark.parametrize(
    "place",
    ["city: Madison , WI", "city:Madison,  WI ", " city :Madison,WI", "zip: 53703", "county:Dane , WI", "state: WI"],
)
def test_spaces_around_the_parts_of_a_place_say_nothing(place: str) -> None:
    spaced = DANE.model_copy(update={"city": " Madison ", "region": "WI "})
    source = UNTAXED.model_copy(update={"shipping_address": spaced})
    assert [one.tax_code for one in receipt(source, method="tax_codes", codes={place: "X"}).taxes] == ["X"]
    others = {"city:Mad ison,WI": "A", "state:W I": "B", "zip:5370 3": "C", "city:madison,WI": "D", "state:wi": "E"}
    assert receipt(source, method="tax_codes", codes=others).taxes == ()


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ({"default_taxed": "Taxed", "default_untaxed": "Untaxed"}, "Untaxed"),
        ({"default_taxed": "Taxed"}, "DOC"),
        ({}, "DOC"),
    ],
)
def test_an_order_without_tax_names_the_default_for_untaxed_ones_on_a_tax_of_nothing(
    codes: dict[str, str], code: str
) -> None:
    for mode, kind in (
        ("sales_receipts", DocumentKind.SALES_RECEIPT),
        ("invoices_only", DocumentKind.INVOICE),
        ("estimates", DocumentKind.ESTIMATE),
    ):
        settings = configuration(mode, tax={"method": "tax_codes", "codes": codes, **CODES})
        written = only(mapped(UNTAXED, settings), kind)
        (alone,) = written.taxes
        assert (alone.tax_code, alone.title, alone.account.role) == (code, "Tax", AccountRole.TAX)
        assert str(alone.amount) == "0.00"
        assert (written.total, codes_of(written, LineKind.PRODUCT)) == (D("10.00"), ["N"])
        assert "TAX" not in trial_balance([written])


def test_a_rules_code_stands_on_an_order_without_tax_and_on_its_refund_too() -> None:
    rules = compiled(rule("map_tax_item", "Reseller"))
    gone = RefundLine(line_external_id="l1", quantity=D(1), amount=D("10.00"), discount=D(0), tax=D(0), restock=True)
    back = first_refund(lines=(gone,), tax=D("0.00"), transactions=(refunded("10.00", "rt"),))
    source = UNTAXED.model_copy(update={"refunds": (back,)})
    result = map_order(source, configuration(tax={"method": "tax_codes", "codes": PLACES}), rules)
    assert kinds(result) == ["sales_receipt", "refund_receipt"]
    assert [[one.tax_code for one in document.taxes] for document in result.documents] == [["Reseller"], ["Reseller"]]


@pytest.mark.parametrize("method", ["tax_line", "override", "inclusive", "none"])
def test_other_methods_put_no_code_on_an_order_without_tax(method: str) -> None:
    assert receipt(UNTAXED, method=method, codes=PLACES, **CODES).taxes == ()
    assert receipt(UNTAXED, method="tax_codes", taxable_code="T", non_taxable_code="N").taxes == ()


def test_a_part_without_tax_of_an_order_with_tax_names_no_code() -> None:
    back = first_refund(lines=(), tax=D("0.00"), transactions=(refunded("5.00", "rt"),))
    settings = configuration(tax={"method": "tax_codes", "codes": PLACES, **CODES})
    assert only(mapped(example_a(refunds=(back,)), settings), DocumentKind.REFUND_RECEIPT).taxes == ()


@pytest.mark.parametrize(
    ("tax_settings", "code"),
    [
        ({"method": "tax_codes", "codes": PLACES}, "Untaxed"),
        ({"method": "tax_codes", "codes": PLACES, "non_taxable_code": "Zero"}, "Untaxed"),
        ({"method": "tax_codes", "codes": without("default_untaxed"), "non_taxable_code": "Zero"}, "Zero"),
        ({"method": "override", "codes": PLACES, "non_taxable_code": "Zero"}, "Zero"),
    ],
)
def test_a_new_customer_of_an_order_without_tax_has_the_first_code_that_does_not_tax(
    tax_settings: dict[str, Any], code: str
) -> None:
    (customer,) = mapped(UNTAXED, configuration(tax=tax_settings)).customers
    assert customer.tax_code == code


def test_outside_the_united_states_codes_stand_on_lines_and_the_document_has_none() -> None:
    settings = {"method": "tax_codes", "codes": without("zip:53703"), "taxable_code": "T", "non_taxable_code": "N"}
    written = written_in(BY_LINE, example_a(shipping_address=DANE), settings)
    assert codes_of(written, LineKind.PRODUCT) == ["By city", "By city"]
    assert codes_of(written, LineKind.SHIPPING) == ["Untaxed"]
    assert [one.tax_code for one in written.taxes] == [None]
    free = written_in(BY_LINE, UNTAXED, settings)
    assert (codes_of(free, LineKind.PRODUCT), free.taxes) == (["Untaxed"], ())
    ruled = map_order(
        example_a(shipping_address=DANE),
        configuration(tax=settings, file=BY_LINE),
        compiled(rule("map_tax_item", "Reverse charge")),
    )
    assert codes_of(ruled.documents[0], LineKind.PRODUCT) == ["Reverse charge", "Reverse charge"]
    assert ruled.customers[0].tax_code == "Reverse charge"
    as_override = written_in(BY_LINE, example_a(shipping_address=DANE), settings | {"method": "override"})
    assert codes_of(as_override, LineKind.PRODUCT) == ["T", "T"]


@pytest.mark.parametrize(("country", "able"), [("US", False), ("", False), ("GB", True), ("CA", True)])
def test_a_company_file_of_the_united_states_has_codes_for_documents(country: str, able: bool) -> None:
    said = CompanyChanged(
        tenant_id="t",
        revision=1,
        company_id="books-1",
        ledger="quickbooks_online",
        name="Books",
        external_id="1",
        status=CompanyStatus.CONNECTED,
        home_currency="USD",
        country=country,
        capabilities=("estimate", "line_tax_codes"),
    )
    assert Ledger.of(said).capabilities == ({"estimate", "line_tax_codes"} if able else {"estimate"})


PARTLY_TAXED = example_a(
    shipping_lines=(
        ShippingLine(external_id="s1", title="Ground", amount=D("5.00"), discount=D("0.00"), taxes=(tax("0.50"),)),
        ShippingLine(external_id="s2", title="Gift wrap", amount=D("2.95"), discount=D("0.00")),
    ),
    taxes=(tax("4.56"),),
    tax_total=D("4.56"),
    total=D("77.50"),
    tenders=(tender("77.50"),),
)


def test_each_shipping_charge_has_the_code_of_its_own_tax_unless_settings_or_a_rule_name_one() -> None:
    written = receipt(PARTLY_TAXED, **CODES)
    assert [(one.tax_code, one.taxable) for one in lines_of(written, LineKind.SHIPPING)] == [("T", True), ("N", False)]
    chosen = receipt(PARTLY_TAXED, shipping_code="S", discount_code="D", **CODES)
    assert codes_of(chosen, LineKind.SHIPPING) == ["S", "S"]
    assert codes_of(chosen, LineKind.DISCOUNT) == ["D"]
    rules = compiled(rule("map_shipping_tax_code", "RS"), rule("map_discount_tax_code", "RD"))
    ruled = map_order(PARTLY_TAXED, configuration(tax={"shipping_code": "S", "discount_code": "D", **CODES}), rules)
    assert codes_of(ruled.documents[0], LineKind.SHIPPING) == ["RS", "RS"]
    assert codes_of(ruled.documents[0], LineKind.DISCOUNT) == ["RD"]


@pytest.mark.parametrize(("shipping_tax", "code", "taxable"), [("0.50", "T", True), ("0.00", "N", False)])
def test_shipping_that_goes_back_has_the_code_of_the_tax_that_goes_back(
    shipping_tax: str, code: str, taxable: bool
) -> None:
    charged = D(shipping_tax)
    back = first_refund(
        lines=(),
        shipping=D("5.00"),
        shipping_tax=charged,
        tax=charged,
        transactions=(refunded(str(D("5.00") + charged), "rt"),),
    )
    result = mapped(PARTLY_TAXED.model_copy(update={"refunds": (back,)}), configuration(tax=CODES))
    (shipping,) = lines_of(only(result, DocumentKind.REFUND_RECEIPT), LineKind.SHIPPING)
    assert (shipping.tax_code, shipping.taxable, shipping.amount) == (code, taxable, D("5.00"))


def test_where_tax_is_a_line_nothing_is_taxed_again_whatever_settings_and_rules_say() -> None:
    rules = compiled(rule("map_shipping_tax_code", "RS"), rule("map_discount_tax_code", "RD"))
    settings = {"method": "tax_line", "shipping_code": "S", "discount_code": "D", **CODES}
    for by_customer in (False, True):
        tax_settings = settings | {"use_customer_code": by_customer}
        written = map_order(PARTLY_TAXED, configuration(tax=tax_settings), rules).documents[0]
        assert {(one.tax_code, one.taxable) for one in written.lines} == {("N", False)}


def test_the_customers_own_code_wins_over_settings_but_not_over_rules() -> None:
    settings = {"use_customer_code": True, "shipping_code": "S", "discount_code": "D", **CODES}
    written = receipt(PARTLY_TAXED, **settings)
    assert {one.tax_code for one in written.lines} == {None}
    rules = compiled(rule("map_shipping_tax_code", "RS"), rule("map_discount_tax_code", "RD"))
    ruled = map_order(PARTLY_TAXED, configuration(tax=settings), rules).documents[0]
    assert [one.tax_code for one in ruled.lines] == [None, None, "RS", "RS", "RD"]


GIFTS = order(
    lines=(line("l1", "CARD", "50.00", is_gift_card=True, taxes=(tax("5.00"),)), line("l2", "A", "10.00")),
    surcharges=(Surcharge(external_id="x", title="Wrap", amount=D("1.00"), taxes=(tax("0.10"),)),),
    taxes=(tax("5.10"),),
    tax_total=D("5.10"),
    tips=D("2.00"),
    merchant_fee=D("1.00"),
    total=D("68.11"),
    tenders=(tender("20.00", "g", kind=TenderKind.GIFT_CARD), tender("48.11", "m")),
)
NEVER = (
    LineKind.GIFT_CARD_SALE,
    LineKind.GIFT_CARD_REDEMPTION,
    LineKind.TIP,
    LineKind.FEE,
    LineKind.REMITTED_TAX,
    LineKind.ROUNDING,
)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"method": "override", "codes": PLACES, **CODES}, "N"),
        ({"method": "override", "use_customer_code": True, **CODES}, "N"),
        ({"method": "inclusive", "codes": PLACES, **CODES}, "Untaxed"),
        ({"method": "inclusive", "codes": without("default_untaxed"), **CODES}, "N"),
        ({"method": "inclusive", "codes": PLACES, "use_customer_code": True, **CODES}, "Untaxed"),
        ({"method": "override", "non_taxable_code": ""}, None),
    ],
)
def test_gift_cards_tips_fees_and_rounding_are_never_taxed(settings: dict[str, Any], code: str | None) -> None:
    source = GIFTS.model_copy(update={"tax_remitted": D("0.10")})
    written = only(
        mapped(source, configuration(tax=settings, fees={"on_order": "negative_line"})), DocumentKind.SALES_RECEIPT
    )
    for kind in NEVER:
        assert [(one.tax_code, one.taxable) for one in lines_of(written, kind)] == [(code, False)], kind


@pytest.mark.parametrize(("settings", "code"), [(CODES, "N"), ({"use_customer_code": True, **CODES}, "N")])
def test_a_gift_card_that_comes_back_was_never_taxed_either(settings: dict[str, Any], code: str) -> None:
    gone = RefundLine(line_external_id="l1", quantity=D(1), amount=D("50.00"), discount=D(0), tax=D("5.00"))
    wrap = RefundLine(line_external_id="l2", quantity=D(1), amount=D("10.00"), discount=D(0), tax=D(0))
    back = first_refund(
        lines=(gone, wrap), tax=D("5.00"), transactions=(refunded("65.00", "rt", tender_external_id="m"),)
    )
    source = GIFTS.model_copy(update={"refunds": (back,), "tenders": (tender("68.11", "m"),)})
    written = only(mapped(source, configuration(tax=settings)), DocumentKind.REFUND_RECEIPT)
    (card,) = lines_of(written, LineKind.GIFT_CARD_SALE)
    assert (card.tax_code, card.taxable, card.amount) == (code, False, D("50.00"))


def test_tax_alone_that_goes_back_is_a_line_because_nothing_is_taxable() -> None:
    rules = compiled(rule("map_tax_item", "Reseller"))
    back = first_refund(lines=(), tax=D("4.06"), transactions=(refunded("4.06", "rt"),))
    settings = configuration(tax={"method": "tax_codes", **CODES})
    result = map_order(example_a(refunds=(back,)), settings, rules)
    refund = only(result, DocumentKind.REFUND_RECEIPT)
    (alone,) = refund.lines
    assert (alone.kind, alone.amount, alone.tax_code, alone.taxable) == (LineKind.TAX, D("4.06"), "N", False)
    assert refund.taxes == ()
    names = {one.key: one.name for one in result.items}
    assert names[alone.item_key or ""] == "Sales tax", "a rule's code of the document is no item"
    assert trial_balance([refund]) == {"TAX": D("4.06"), "UF": D("-4.06")}


def test_a_rule_names_the_item_of_the_tax_where_tax_is_a_line() -> None:
    result = map_order(
        example_a(), configuration(tax={"method": "tax_line"}), compiled(rule("map_tax_item", "County tax"))
    )
    (charged,) = lines_of(result.documents[0], LineKind.TAX)
    assert {one.key: one.name for one in result.items}[charged.item_key or ""] == "County tax"
    assert (charged.amount, charged.description) == (D("4.06"), "State tax")


def test_a_line_of_nothing_bears_no_tax_either() -> None:
    bare = RefundLine(line_external_id="l1", quantity=D(0), amount=D("0.00"), discount=D(0), tax=D("2.90"))
    back = first_refund(lines=(bare,), tax=D("2.90"), transactions=(refunded("2.90", "rt"),))
    refund = only(mapped(example_a(refunds=(back,)), configuration(tax=CODES)), DocumentKind.REFUND_RECEIPT)
    assert [(one.kind, one.amount) for one in refund.lines if one.amount] == [(LineKind.TAX, D("2.90"))]
    assert refund.taxes == ()


def shown(*sold: Any, allowance: str) -> Order:
    return order(
        lines=sold,
        discounts=(OrderDiscount(code="X", amount=D(allowance)),),
        taxes=(tax("1.00"),),
        tax_total=D("1.00"),
        total=D("20.00") - D(allowance),
        tenders=(tender(str(D("20.00") - D(allowance))),),
    )


def test_a_discount_is_taxed_as_what_it_is_taken_off() -> None:
    source = shown(
        line("l1", "A", "10.00", amount=D("9.00"), discount=D("1.00"), taxes=(tax("1.00"),)),
        line("l2", "B", "12.00", amount=D("10.00"), discount=D("2.00")),
        allowance="3.00",
    )
    written = only(mapped(source, configuration(show_line_discounts=True, tax=CODES)), DocumentKind.SALES_RECEIPT)
    assert [(one.amount, one.tax_code, one.taxable) for one in lines_of(written, LineKind.DISCOUNT)] == [
        (D("-1.00"), "T", True),
        (D("-2.00"), "N", False),
        (D("-3.00"), "T", True),
    ]


SPLIT = (TaxLine(title="QST", amount=D("224.20"), rate=Decimal("0.09975")),) * 2


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("method", ["override", "tax_line"])
def test_tax_of_the_document_counts_where_that_of_its_lines_comes_to_a_cent_more(stated: bool, method: str) -> None:
    """9.975 % of 4495.16 is 448.39 on the document, and 448.40 summed over lines."""
    source = order(
        lines=tuple(line(f"l{number}", "DESK", "2247.58", taxes=(one,)) for number, one in enumerate(SPLIT)),
        taxes=(TaxLine(title="QST", amount=D("448.39"), rate=Decimal("0.09975")),) if stated else (),
        tax_total=D("448.39"),
        total=D("4943.55"),
        tenders=(tender("4943.55"),),
    )
    assert sum(one.amount for one in source.lines) == D("4495.16")
    assert sum(one.amount for one in SPLIT) == D("448.40")
    written = receipt(source, method=method)
    assert trial_balance([written]) == {"UF": D("4943.55"), "INC": D("-4495.16"), "TAX": D("-448.39")}
    assert lines_of(written, LineKind.ROUNDING) == []
    assert {one.title for one in written.taxes} == (set() if method == "tax_line" else {"QST"})


def test_tax_that_misses_its_lines_by_more_than_rounding_is_not_scaled() -> None:
    source = order(
        lines=(line("l1", "DESK", "100.00", taxes=(tax("9.97"),)),),
        tax_total=D("10.00"),
        total=D("110.00"),
        tenders=(tender("110.00"),),
    )
    result = mapped(source, configuration())
    assert result.reason is not None
    assert (result.reason.code, "109.97" in result.reason.text) == ("TOTALS_MISMATCH", True)
    near = source.model_copy(update={"tax_total": D("9.99"), "total": D("109.99"), "tenders": (tender("109.99"),)})
    assert [one.amount for one in receipt(near).taxes] == [D("9.99")]


def test_inclusive_tax_of_14_90_is_sent_as_it_was_charged_and_not_as_14_91() -> None:
    source = order(
        lines=(line("l1", "MUG", "13.55", taxes=(tax("1.35", "GST", "0.10"),)),),
        taxes=(tax("1.35", "GST", "0.10"),),
        tax_total=D("1.35"),
        total=D("14.90"),
        tax_included=True,
        tenders=(tender("14.90"),),
    )
    assert (D("13.55") * D("1.10")).quantize(D("0.01"), "ROUND_HALF_UP") == D("14.91"), "what a ledger would make of it"
    written = receipt(source, method="inclusive")
    assert trial_balance([written]) == {"UF": D("14.90"), "INC": D("-13.55"), "TAX": D("-1.35")}
