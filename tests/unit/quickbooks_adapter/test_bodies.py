"""Every kind of document as QuickBooks wants it: amounts, references, conditions. The judge is `check`."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.messages.transactions import AccountRole, Document, DocumentKind, DocumentTax, LineKind
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink
from ledger_writer.ledgers.quickbooks_online.bodies import (
    ENTITIES,
    attachment,
    build,
    changed,
    closing,
    lists_needed,
)
from ledger_writer.ledgers.quickbooks_online.bodies.lines import SHIPPING_ITEM
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild
from ledger_writer.ledgers.quickbooks_online.numbers import dumps, loads

SALES = (
    DocumentKind.ESTIMATE,
    DocumentKind.INVOICE,
    DocumentKind.SALES_RECEIPT,
    DocumentKind.CREDIT_MEMO,
    DocumentKind.REFUND_RECEIPT,
)


def content_of(wanted: Document, **profile: Any) -> dict[str, Any]:
    return build(operation(wanted), samples.books(**profile)).content


def total_of(content: dict[str, Any]) -> Decimal:
    """What the document comes to as the ledger adds it up: lines, less discount, plus tax."""
    total = content.get("TxnTaxDetail", {}).get("TotalTax", Decimal(0))
    for part in content["Line"]:
        total += -part["Amount"] if part["DetailType"] == "DiscountLineDetail" else part["Amount"]
    return Decimal(total)


@pytest.mark.parametrize("kind", SALES)
def test_every_sales_form_comes_to_the_total_of_its_document(kind: DocumentKind) -> None:
    body = build(operation(document(kind)), samples.books())
    assert body.entity == ENTITIES[kind]
    assert total_of(body.content) == Decimal("77.00")
    assert body.notices == ()
    assert check.problems(body.entity, body.content) == []


def test_the_discount_is_one_positive_line_at_the_end() -> None:
    more = line(LineKind.DISCOUNT, "-2.00", samples.DISCOUNT, account=samples.DISCOUNTS, description="SPRING")
    lines = (samples.example_lines()[2], more, *samples.example_lines()[:2], samples.example_lines()[3])
    content = content_of(document(DocumentKind.INVOICE, "75.00", lines=lines))
    last = content["Line"][-1]
    assert last["DetailType"] == "DiscountLineDetail"
    assert last["Amount"] == Decimal("7.00")
    assert last["DiscountLineDetail"] == {"PercentBased": False, "DiscountAccountRef": {"value": "86"}}
    assert last["Description"] == "WELCOME5, SPRING"
    assert content["ApplyTaxAfterDiscount"] is True
    assert total_of(content) == Decimal("75.00")


def test_a_company_that_allows_no_discount_gets_it_as_an_item_line() -> None:
    content = content_of(document(DocumentKind.INVOICE), allow_discount=False)
    discount = content["Line"][2]
    assert discount["Amount"] == Decimal("-5.00")
    assert discount["SalesItemLineDetail"]["ItemRef"] == {"value": "22"}
    assert total_of(content) == Decimal("77.00")


def test_a_gift_card_redeemed_is_a_negative_line() -> None:
    lines = (*samples.example_lines(), line(LineKind.GIFT_CARD_REDEMPTION, "-30.00", samples.GIFT, quantity="1"))
    content = content_of(document(DocumentKind.SALES_RECEIPT, "47.00", lines=lines))
    gift = content["Line"][3]
    assert gift["Amount"] == Decimal("-30.00")
    assert "Qty" not in gift["SalesItemLineDetail"]
    assert total_of(content) == Decimal("47.00")


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "expected"),
    [
        ("2", "25.00", "50.00", {"Qty": Decimal(2), "UnitPrice": Decimal("25.00")}),
        ("3", "3.3333333", "10.00", {"Qty": Decimal(3), "UnitPrice": Decimal("3.3333333")}),
        ("3", "3.33", "10.00", {"Qty": Decimal(3)}),
        ("1", "-30.00", "-30.00", {"Qty": Decimal(1), "UnitPrice": Decimal("-30.00")}),
        ("1", None, "-30.00", {}),
        ("0", "5.00", "0.00", {}),
        (None, "5.00", "5.00", {}),
    ],
)
def test_the_price_is_sent_only_where_it_multiplies_out(
    quantity: str | None, price: str | None, amount: str, expected: dict[str, Decimal]
) -> None:
    lines = (line(amount=amount, quantity=quantity, unit_price=price),)
    content = content_of(document(DocumentKind.ESTIMATE, amount, lines=lines, taxes=()))
    detail = content["Line"][0]["SalesItemLineDetail"]
    assert {name: detail[name] for name in ("Qty", "UnitPrice") if name in detail} == expected


def test_shipping_without_an_item_uses_the_forms_own_field_where_the_company_allows_it() -> None:
    lines = (line(amount="10.00"), line(LineKind.SHIPPING, "5.00", None))
    wanted = document(DocumentKind.INVOICE, "15.00", lines=lines, taxes=(), tracking_number="1Z", ship_method="UPS")
    content = content_of(wanted, allow_shipping=True)
    assert content["Line"][1]["SalesItemLineDetail"]["ItemRef"] == {"value": SHIPPING_ITEM}
    assert content["TrackingNum"] == "1Z"
    with pytest.raises(CannotBuild, match="LINE_ITEM_MISSING"):
        content_of(wanted)


def test_us_lines_are_taxed_or_not_and_the_amount_is_the_channels() -> None:
    content = content_of(document(DocumentKind.INVOICE))
    codes = [part["SalesItemLineDetail"]["TaxCodeRef"]["value"] for part in content["Line"][:3]]
    assert codes == ["TAX", "TAX", "NON"]
    assert content["TxnTaxDetail"] == {"TotalTax": Decimal("4.06")}


def test_a_mapped_us_tax_code_is_named_unless_the_ledger_chooses_it_itself() -> None:
    taxes = (DocumentTax(title="CA", account=samples.TAXES, amount=Decimal("4.06"), tax_code="California"),)
    wanted = document(DocumentKind.INVOICE, taxes=taxes)
    assert content_of(wanted)["TxnTaxDetail"]["TxnTaxCodeRef"] == {"value": "2"}
    assert content_of(wanted, automatic_tax=True)["TxnTaxDetail"] == {"TotalTax": Decimal("4.06")}


def test_outside_the_us_every_line_has_a_code_and_the_amount_of_the_rate_is_sent() -> None:
    lines = (
        line(amount="13.55", taxable=True, tax_code="20.0% S"),
        line(LineKind.SHIPPING, "2.00", samples.SHIPPING, tax_code="Exempt"),
    )
    taxes = (DocumentTax(title="VAT", account=samples.TAXES, amount=Decimal("2.71")),)
    wanted = document(DocumentKind.INVOICE, "18.26", lines=lines, taxes=taxes, currency="GBP")
    content = content_of(wanted, country="GB", home_currency="GBP")
    assert content["GlobalTaxCalculation"] == "TaxExcluded"
    assert [part["SalesItemLineDetail"]["TaxCodeRef"]["value"] for part in content["Line"]] == ["12", "15"]
    assert content["TxnTaxDetail"]["TaxLine"] == [
        {
            "Amount": Decimal("2.71"),
            "DetailType": "TaxLineDetail",
            "TaxLineDetail": {"TaxRateRef": {"value": "21"}, "NetAmountTaxable": Decimal("13.55")},
        }
    ]
    assert check.problems("Invoice", content, united_states=False) == []


def test_outside_the_us_a_line_without_a_known_code_is_refused_before_it_is_sent() -> None:
    wanted = document(DocumentKind.INVOICE, currency="GBP")
    with pytest.raises(CannotBuild, match="TAX_CODE_MISSING"):
        content_of(wanted, country="GB", home_currency="GBP")


def test_outside_the_us_a_document_without_any_tax_says_so() -> None:
    wanted = document(DocumentKind.INVOICE, "10.00", lines=(line(amount="10.00"),), taxes=(), currency="GBP")
    content = content_of(wanted, country="GB", home_currency="GBP")
    assert content["GlobalTaxCalculation"] == "NotApplicable"
    assert "TxnTaxDetail" not in content


def test_tax_for_a_company_without_sales_tax_is_refused() -> None:
    with pytest.raises(CannotBuild, match="SALES_TAX_OFF"):
        content_of(document(DocumentKind.INVOICE), uses_sales_tax=False)


def test_a_foreign_document_needs_multi_currency() -> None:
    wanted = document(DocumentKind.INVOICE, currency="EUR", exchange_rate=Decimal("1.1"))
    with pytest.raises(CannotBuild, match="CURRENCY_NOT_ENABLED") as refused:
        content_of(wanted)
    assert refused.value.refused.error_class is ErrorClass.CONFIG
    content = content_of(wanted, multi_currency=True)
    assert content["CurrencyRef"] == {"value": "EUR"}
    assert content["ExchangeRate"] == Decimal("1.1")
    home = content_of(document(DocumentKind.INVOICE), multi_currency=True)
    assert "ExchangeRate" not in home


def test_the_memo_carries_the_mark_and_a_long_reference_in_full() -> None:
    reference = "pi_3NfG0vLkdIwHu7ix1a2b3c4d"
    wanted = document(DocumentKind.SALES_RECEIPT, reference=reference)
    content = content_of(wanted)
    assert content["PrivateNote"] == f"1001 [tb:{wanted.mark}]\n{reference}"
    assert content["PaymentRefNum"] == reference[:21]


def test_a_long_number_is_cut_and_the_memo_keeps_it_whole() -> None:
    number = "SHOP-2026-0000000000000001"
    content = content_of(document(DocumentKind.INVOICE, number=number, memo_number=number))
    assert content["DocNumber"] == number[:21]
    assert content["PrivateNote"].startswith(f"{number} [tb:")
    assert "DocNumber" not in content_of(document(DocumentKind.INVOICE, number=None))


def test_what_the_ledger_does_not_know_is_left_out_with_a_notice() -> None:
    wanted = document(DocumentKind.SALES_RECEIPT, payment_method="PayLater", email="not an address")
    body = build(operation(wanted), samples.books())
    assert {notice.code for notice in body.notices} == {"PAYMENT_METHOD_UNKNOWN", "EMAIL_DROPPED"}
    assert "PaymentMethodRef" not in body.content
    assert "BillEmail" not in body.content


def test_an_account_that_is_not_there_is_never_left_out() -> None:
    nowhere = samples.account(AccountRole.CLEARING, "Stripe")
    with pytest.raises(CannotBuild, match=r"ACCOUNT_MISSING.*'Stripe'") as refused:
        content_of(document(DocumentKind.SALES_RECEIPT, deposit_to=nowhere))
    assert refused.value.refused.reason.field == "accounts.CLR"


def test_a_refund_receipt_without_an_account_leaves_from_undeposited_funds() -> None:
    content = content_of(document(DocumentKind.REFUND_RECEIPT, deposit_to=None))
    assert content["DepositToAccountRef"] == {"value": "4"}


def test_an_invoice_closes_the_estimate_it_comes_from() -> None:
    estimate = document(DocumentKind.ESTIMATE)
    links = {estimate.key: LedgerLink("77", details={"entity": "Estimate"})}
    wanted = document(DocumentKind.INVOICE, closes=(estimate.key,))
    body = build(operation(wanted, references=links), samples.books())
    assert body.content["LinkedTxn"] == [{"TxnId": "77", "TxnType": "Estimate"}]
    with pytest.raises(CannotBuild, match="NOT_WRITTEN_YET") as refused:
        build(operation(wanted), samples.books())
    assert refused.value.refused.error_class is ErrorClass.DEPENDENCY


def test_class_location_and_custom_fields_go_where_the_company_tracks_them() -> None:
    wanted = document(
        DocumentKind.INVOICE, class_name="online", department="Store 2", custom_fields={"Crew #": "102", "Other": "x"}
    )
    books = samples.books(class_per_line=True, class_per_form=True, departments=True, custom_fields="1=Crew #")
    content = build(operation(wanted), books).content
    assert content["ClassRef"] == {"value": "5000"}
    assert content["Line"][0]["SalesItemLineDetail"]["ClassRef"] == {"value": "5000"}
    assert content["DepartmentRef"] == {"value": "7"}
    assert content["CustomField"] == [
        {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "102"}
    ]


def test_a_payment_names_what_it_pays_and_may_stay_unapplied() -> None:
    invoice = document(DocumentKind.INVOICE)
    links = {invoice.key: LedgerLink("130", details={"entity": "Invoice"})}
    wanted = document(DocumentKind.PAYMENT, "80.00", payment_method="visa", reference="ch_1")
    books = samples.books()
    applied = build(operation(wanted, references=links, applications=((invoice.key, Decimal("77.00")),)), books)
    assert applied.content["Line"] == [
        {"Amount": Decimal("77.00"), "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]}
    ]
    assert applied.content["TotalAmt"] == Decimal("80.00")
    assert applied.content["PaymentMethodRef"] == {"value": "3"}
    unapplied = build(operation(wanted), books)
    assert unapplied.content["Line"] == []
    with pytest.raises(CannotBuild, match="APPLIED_TOO_MUCH"):
        build(operation(wanted, references=links, applications=((invoice.key, Decimal("80.01")),)), books)


def test_money_back_on_an_unapplied_payment_is_a_purchase_on_receivables() -> None:
    wanted = document(DocumentKind.REFUND_PAYMENT, "20.00", deposit_to=samples.CHECKING, receivable=samples.RECEIVABLE)
    content = content_of(wanted)
    assert content["AccountRef"] == {"value": "35"}
    assert content["EntityRef"] == {"value": "58", "type": "Customer"}
    assert content["Line"][0]["AccountBasedExpenseLineDetail"]["AccountRef"] == {"value": "84"}
    assert check.problems("Purchase", content) == []


def deposit_lines(*grouped: tuple[str, str], bank: str, fees: str) -> Any:
    return (
        *(
            line(LineKind.GROUPED_DOCUMENT, amount, None, account=samples.FUNDS, document_key=key)
            for key, amount in grouped
        ),
        line(LineKind.POSTING, fees, None, account=samples.FEES, description="Merchant fees"),
        line(LineKind.POSTING, bank, None, account=samples.CHECKING),
    )


@pytest.mark.parametrize("named", [True, False])
def test_payout_b_is_a_deposit_of_documents_less_fees(named: bool) -> None:
    keys = {name: name * 8 for name in ("1001", "1002", "1003", "100r")}
    links = {
        keys["1001"]: LedgerLink("1", details={"entity": "SalesReceipt"}),
        keys["1002"]: LedgerLink("2", details={"entity": "SalesReceipt"}),
        keys["1003"]: LedgerLink("3", details={"entity": "Payment"}),
        keys["100r"]: LedgerLink("4", details={"entity": "RefundReceipt"}),
    }
    postings = (("1001", "-77.00"), ("1002", "-120.00"), ("1003", "-45.50"), ("100r", "24.66"))
    lines = deposit_lines(*((keys[name], amount) for name, amount in postings), bank="209.91", fees="7.93")
    wanted = document(
        DocumentKind.DEPOSIT, "209.91", lines=lines, customer_key=None, deposit_to=samples.CHECKING if named else None
    )
    content = build(operation(wanted, references=links), samples.books()).content
    assert content["DepositToAccountRef"] == {"value": "35"}
    assert [part["Amount"] for part in content["Line"]] == [
        Decimal(amount) for amount in ("77.00", "120.00", "45.50", "-24.66", "-7.93")
    ]
    assert content["Line"][2]["LinkedTxn"] == [{"TxnId": "3", "TxnType": "Payment", "TxnLineId": "0"}]
    assert content["Line"][4]["DepositLineDetail"] == {"AccountRef": {"value": "96"}}
    assert check.problems("Deposit", content) == []


@pytest.mark.parametrize("entity", ["Vendor", "Customer"])
def test_the_fees_of_a_payout_name_their_payee_and_nothing_else_does(entity: str) -> None:
    payee = {"v" * 8: LedgerLink("77", details={"entity": entity})}
    fee = line(LineKind.POSTING, "7.93", None, account=samples.FEES)
    held = line(LineKind.POSTING, "2.07", None, account=samples.account(AccountRole.RESERVE, "Checking"))
    bank = line(LineKind.POSTING, "-10.00", None, account=samples.CHECKING)
    given: dict[str, Any] = {"lines": (fee, held, bank), "customer_key": "v" * 8, "source_kind": "payout"}
    entry = document(DocumentKind.JOURNAL_ENTRY, "10.00", **given)
    first, *others = build(operation(entry, references=payee), samples.books()).content["Line"]
    assert first["JournalEntryLineDetail"]["Entity"] == {"Type": entity, "EntityRef": {"value": "77"}}
    assert all("Entity" not in one["JournalEntryLineDetail"] for one in others)
    new = line(LineKind.POSTING, "-20.00", None, account=samples.INCOME)
    bank = line(LineKind.POSTING, "12.07", None, account=samples.CHECKING)
    given["lines"] = (new, fee, bank)
    deposit = document(DocumentKind.DEPOSIT, "12.07", deposit_to=samples.CHECKING, **given)
    content = build(operation(deposit, references=payee), samples.books()).content
    assert [one["DepositLineDetail"].get("Entity") for one in content["Line"]] == [
        None,
        {"value": "77", "type": entity.upper()},
    ]
    assert check.problems("Deposit", content) == []
    nobody = deposit.model_copy(update={"customer_key": None})
    content = build(operation(nobody, references={}), samples.books()).content
    assert "Entity" not in content["Line"][1]["DepositLineDetail"]


def test_a_deposit_that_does_not_add_up_is_never_sent() -> None:
    wanted = document(
        DocumentKind.DEPOSIT, "70.00", lines=deposit_lines(bank="70.00", fees="-70.01"), deposit_to=samples.CHECKING
    )
    with pytest.raises(CannotBuild, match="NOT_BALANCED"):
        content_of(wanted)


def test_a_journal_entry_turns_signs_into_sides_and_names_the_customer_on_receivables() -> None:
    lines = (
        line(LineKind.POSTING, "77.00", None, account=samples.RECEIVABLE),
        line(LineKind.POSTING, "-77.00", None, account=samples.INCOME, description="Sales of the day"),
        line(LineKind.POSTING, "0.00", None, account=samples.FEES),
    )
    content = content_of(document(DocumentKind.JOURNAL_ENTRY, lines=lines))
    assert [part["JournalEntryLineDetail"]["PostingType"] for part in content["Line"]] == ["Debit", "Credit"]
    assert content["Line"][0]["JournalEntryLineDetail"]["Entity"] == {
        "Type": "Customer",
        "EntityRef": {"value": "58"},
    }
    assert check.problems("JournalEntry", content) == []
    with pytest.raises(CannotBuild, match="NOT_BALANCED"):
        content_of(document(DocumentKind.JOURNAL_ENTRY, lines=lines[:1]))


@pytest.mark.parametrize(
    ("kind", "entity"),
    [
        (DocumentKind.BILL, "Bill"),
        (DocumentKind.EXPENSE, "Purchase"),
        (DocumentKind.PURCHASE_ORDER, "PurchaseOrder"),
    ],
)
def test_the_buying_side_names_its_vendor(kind: DocumentKind, entity: str) -> None:
    wanted = document(
        kind,
        "20.00",
        lines=(line(amount="20.00", quantity="2", unit_price="10.00"),),
        customer_key=samples.VENDOR,
        deposit_to=samples.CHECKING,
    )
    body = build(operation(wanted), samples.books())
    assert body.entity == entity
    assert body.content["Line"][0]["ItemBasedExpenseLineDetail"]["Qty"] == Decimal(2)
    assert check.problems(entity, body.content) == []


def test_freight_stands_on_a_purchase_order_by_its_account_and_goods_by_their_item() -> None:
    goods = line(amount="20.00", quantity="2", unit_price="10.00")
    freight = line(LineKind.SHIPPING, "4.00", None, account=samples.FEES)
    given: dict[str, Any] = {"customer_key": samples.VENDOR}
    content = content_of(document(DocumentKind.PURCHASE_ORDER, "24.00", lines=(goods, freight), **given))
    assert [one["DetailType"] for one in content["Line"]] == [
        "ItemBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail",
    ]
    assert check.problems("PurchaseOrder", content) == []
    unknown = line(LineKind.PRODUCT, "20.00", None, quantity="2", unit_price="10.00")
    with pytest.raises(CannotBuild, match="LINE_ITEM_MISSING"):
        content_of(document(DocumentKind.PURCHASE_ORDER, "20.00", lines=(unknown,), **given))
    bill = content_of(document(DocumentKind.BILL, "20.00", lines=(unknown,), **given))
    assert bill["Line"][0]["DetailType"] == "AccountBasedExpenseLineDetail"


def test_an_item_that_a_purchase_makes_has_its_cost_and_no_price() -> None:
    content = build(operation(samples.item(unit_price=None, purchase_cost=Decimal("8.50"))), samples.books()).content
    assert (content["PurchaseCost"], "UnitPrice" in content) == (Decimal("8.50"), False)
    assert check.problems("Item", content) == []
    assert "PurchaseCost" not in build(operation(samples.item()), samples.books()).content


def test_a_merchant_fee_is_an_expense_on_an_account() -> None:
    wanted = document(
        DocumentKind.EXPENSE,
        "2.53",
        lines=(line(LineKind.FEE, "2.53", None, account=samples.FEES),),
        customer_key=samples.VENDOR,
        deposit_to=samples.CHECKING,
    )
    content = content_of(wanted)
    assert content["Line"][0]["AccountBasedExpenseLineDetail"] == {"AccountRef": {"value": "96"}}
    assert content["EntityRef"] == {"value": "56", "type": "Vendor"}


def of_customer(code: str, wanted: Document, **profile: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The body of a document whose customer has a tax code, and the lists that it needs."""
    details = {"entity": "Customer", **({"tax_code": code} if code else {})}
    references = {**samples.REFERENCES, samples.CUSTOMER: LedgerLink("58", details=details)}
    asked, books = operation(wanted, references=references), samples.books(**profile)
    return build(asked, books).content, lists_needed(asked, books)


def test_lines_without_a_code_take_the_customers_own_where_every_line_needs_one() -> None:
    wanted = document(DocumentKind.INVOICE)
    uncoded = tuple(one.model_copy(update={"tax_code": None}) for one in wanted.lines)
    wanted = wanted.model_copy(update={"lines": uncoded})
    content, needed = of_customer("12", wanted, country="GB")
    sold = [one["SalesItemLineDetail"] for one in content["Line"] if one["DetailType"] == "SalesItemLineDetail"]
    assert [one["TaxCodeRef"] for one in sold] == [{"value": "12"}] * len(sold)
    (rate,) = content["TxnTaxDetail"]["TaxLine"]
    assert (rate["Amount"], rate["TaxLineDetail"]["TaxRateRef"]) == (Decimal("4.06"), {"value": "21"})
    assert "tax_codes" in needed
    for code in ("", "99"):
        with pytest.raises(CannotBuild, match="TAX_CODE_MISSING"):
            of_customer(code, wanted, country="GB")
    own = uncoded[0].model_copy(update={"tax_code": "Exempt"})
    mixed, _ = of_customer("12", wanted.model_copy(update={"lines": (own, *uncoded[1:])}), country="GB")
    assert mixed["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "15"}
    at_home, needed = of_customer("12", wanted)
    assert at_home == of_customer("", wanted)[0]
    assert "tax_codes" not in needed
    untaxed = wanted.model_copy(update={"taxes": (), "total": wanted.total - Decimal("4.06")})
    assert of_customer("12", untaxed, country="GB")[0]["GlobalTaxCalculation"] == "NotApplicable"


@pytest.mark.parametrize(
    ("code", "profile", "given", "noticed"),
    [
        ("California", {}, {"value": "2"}, ""),
        ("20.0% S", {"country": "GB"}, {"value": "12"}, ""),
        ("", {}, None, ""),
        ("Nowhere", {}, None, "TAX_CODE_UNKNOWN"),
        ("California", {"automatic_tax": True}, None, ""),
        ("California", {"uses_sales_tax": False}, None, ""),
    ],
)
def test_a_new_customer_gets_the_tax_code_of_its_first_order(
    code: str, profile: dict[str, Any], given: dict[str, str] | None, noticed: str
) -> None:
    books, wanted = samples.books(**profile), operation(samples.customer(tax_code=code))
    body = build(wanted, books)
    assert body.content.get("DefaultTaxCodeRef") == given
    assert [notice.code for notice in body.notices] == [noticed] * bool(noticed)
    assert check.problems("Customer", body.content) == []
    assert ("tax_codes" in lists_needed(wanted, books)) == bool(given or noticed)
    assert "DefaultTaxCodeRef" not in build(wanted, books, update=True).content


def test_a_customers_type_is_left_out_and_said() -> None:
    body = build(operation(samples.customer(customer_type="Wholesale")), samples.books())
    assert "CustomerTypeRef" not in body.content
    assert [(one.code, one.value) for one in body.notices] == [("CUSTOMER_TYPE_LEFT_OUT", "Wholesale")]
    assert build(operation(samples.customer()), samples.books()).notices == ()


def test_a_customer_is_named_cleanly_and_says_what_was_changed() -> None:
    wanted = samples.customer(
        "Fenn: Ada\tJr.  ",
        email="nobody",
        phone="+1 555 0100",
        company="Fenn & Co",
        billing_address=samples.address(),
        currency="EUR",
    )
    body = build(operation(wanted), samples.books(multi_currency=True))
    assert body.content["DisplayName"] == "Fenn Ada Jr."
    assert body.content["CurrencyRef"] == {"value": "EUR"}
    assert body.content["BillAddr"] == {
        "Line1": "Ada Fenn",
        "Line2": "12 Mill Lane",
        "Line3": "Flat 3",
        "City": "Bayshore",
        "CountrySubDivisionCode": "CA",
        "PostalCode": "94326",
        "Country": "US",
    }
    assert [notice.code for notice in body.notices] == ["EMAIL_DROPPED"]
    suffixed = build(operation(samples.customer()), samples.books(), suffix=" (C)")
    assert suffixed.content["DisplayName"] == "Ada Fenn (C)"
    assert [notice.code for notice in suffixed.notices] == ["NAME_SUFFIXED"]


def test_a_long_item_name_is_cut_with_a_notice() -> None:
    body = build(operation(samples.item("X" * 130)), samples.books())
    assert len(body.content["Name"]) == 100
    assert [notice.code for notice in body.notices] == ["NAME_TRUNCATED"]


@pytest.mark.parametrize("item_type", ["service", "non_inventory", "inventory"])
def test_items_of_every_type_can_be_made(item_type: str) -> None:
    wanted = samples.item(item_type=item_type, sku="MUG-1", unit_price=Decimal("25.00"))
    body = build(operation(wanted), samples.books())
    assert check.problems("Item", body.content) == []
    if item_type == "inventory":
        assert body.content["AssetAccountRef"] == {"value": "81"}
        assert body.content["ExpenseAccountRef"] == {"value": "80"}


def test_an_update_never_touches_a_name() -> None:
    books = samples.books()
    renamed = build(operation(samples.customer("New Name", email="a@b.co")), books, update=True)
    assert renamed.content == {"PrimaryEmailAddr": {"Address": "a@b.co"}}
    item = build(operation(samples.item("NEW", unit_price=Decimal(3))), books, update=True)
    assert item.content == {"UnitPrice": Decimal(3)}


def test_a_sparse_update_sends_every_line_and_keeps_the_ids_of_those_that_stay() -> None:
    link = LedgerLink("130", "4", details={"entity": "Invoice", "lines": "1,2"})
    body = build(operation(document(DocumentKind.INVOICE)), samples.books())
    content = changed(body, link, "5")
    assert (content["Id"], content["SyncToken"], content["sparse"]) == ("130", "5", True)
    assert [part.get("Id") for part in content["Line"]] == ["1", "2", None, None]
    assert check.problems("Invoice", content, update=True) == []


def test_only_documents_that_post_nothing_can_be_closed() -> None:
    assert closing(DocumentKind.ESTIMATE) == {"TxnStatus": "Closed"}
    assert closing(DocumentKind.SALES_ORDER) == {"TxnStatus": "Closed"}
    assert closing(DocumentKind.PURCHASE_ORDER) == {"POStatus": "Closed"}
    assert closing(DocumentKind.INVOICE) is None


def test_a_kind_that_the_ledger_does_not_have_is_refused_with_a_cure() -> None:
    with pytest.raises(CannotBuild, match="KIND_NOT_SUPPORTED") as refused:
        content_of(document(DocumentKind.INVENTORY_ADJUSTMENT))
    assert refused.value.refused.reason.cure


def test_an_attachment_hangs_on_its_document() -> None:
    content = attachment("Deposit", "12", file_name="payout.csv", content_type="text/csv")
    assert check.problems("Attachable", content) == []


def test_amounts_travel_as_numbers_with_all_their_digits() -> None:
    written = dumps({"Amount": Decimal("1234567.10"), "Rate": Decimal("1E-7"), "Qty": Decimal("1E+2")})
    assert written == b'{"Amount":1234567.10,"Rate":0.0000001,"Qty":100}'
    assert loads(b'\xef\xbb\xbf{"TotalAmt": 0.1, "Balance": 362.07}') == {
        "TotalAmt": Decimal("0.1"),
        "Balance": Decimal("362.07"),
    }
    with pytest.raises(ValueError, match="NaN"):
        loads(b'{"TotalAmt": NaN}')
    with pytest.raises(ValueError, match="deeply"):
        loads(b"[" * 100_000)


def test_a_list_of_orders_that_a_memo_can_not_hold_says_where_they_all_are() -> None:
    orders = tuple(f"SHOP-{number:04}" for number in range(500))
    given: dict[str, Any] = {"source_kind": "summary", "note": ", ".join(orders[:354]), "orders": orders}
    wanted = document(DocumentKind.SALES_RECEIPT, **given)
    content = content_of(wanted)
    text = content["CustomerMemo"]["value"]
    assert text == ", ".join(orders[:87]) + " … 500 orders, all in the attached file"
    assert len(text) <= 1000 < len(text) + len(orders[87]) + 2
    assert check.problems("SalesReceipt", content) == []
    cut = content_of(document(DocumentKind.SALES_RECEIPT, orders_left_out=7, **given))["CustomerMemo"]["value"]
    assert cut.endswith(" … 507 orders, 500 of them in the attached file")
    assert len(cut) <= 1000
    noted = content_of(document(DocumentKind.SALES_RECEIPT, note="n" * 1001))
    assert noted["CustomerMemo"]["value"] == "n" * 1000
