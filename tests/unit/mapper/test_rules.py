"""Rules R1 to R27 of the domain reference, comparisons, order, scopes, and what is refused."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
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
    tax,
    tender,
    unpaid,
)

from common.messages.orders import Address, FinancialStatus, FulfillmentStatus, Order
from common.messages.transactions import DocumentKind, LineKind, SetOutcome, TransactionSet
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex
from mapper.rules.compiling import RuleRefused, compile_rule, compile_rules
from mapper.rules.engine import Change, CompiledRules
from mapper.rules.model import Rule


def rule(action: str, value: str = "", *conditions: tuple[str, str, str], **more: Any) -> Rule:
    return Rule.model_validate(
        {
            "name": more.pop("name", action),
            "action": action,
            "value": value,
            "conditions": [
                {"field": field, "comparison": comparison, "value": wanted} for field, comparison, wanted in conditions
            ],
            **more,
        }
    )


def compiled(*rules: Rule) -> CompiledRules:
    return compile_rules(rules, connection_id="shop-1", revision=1)


def run(
    source: Order, *rules: Rule, mode: str = "sales_receipts", catalog: Catalog | None = None, **changes: Any
) -> TransactionSet:
    return mapped(source, configuration(mode, **changes), catalog=catalog, rules=compiled(*rules))


def names_of(result: TransactionSet) -> dict[str, str]:
    return {item.key: item.name for item in result.items}


@pytest.mark.vector_core
class TestVector30:
    """Each rule of the table with what the table expects."""

    def test_r1_amazon_orders_become_receipts(self) -> None:
        r1 = rule("map_transaction_type", "sales_receipts", ("store_type", "equals", "Amazon"))
        assert kinds(run(example_a(store_type="amazon"), r1, mode="invoices_only")) == ["sales_receipt"]
        assert kinds(run(example_a(store_type="eBay"), r1, mode="invoices_only")) == ["invoice"]

    def test_r2_paypal_lands_in_its_clearing_account(self) -> None:
        r2 = rule("map_deposit_account", "PayPal Clearing", ("payment_method", "contains", "PayPal"))
        source = example_a(tenders=(tender("30.00", "t1", method="paypal express"), tender("47.00", "t2")))
        result = run(source, r2, mode="invoices_payments_if_paid")
        accounts = [one.deposit_to.name for one in result.documents if one.deposit_to]
        assert accounts == ["PayPal Clearing", "Account UF"]

    def test_r3_needs_both_conditions(self) -> None:
        r3 = rule(
            "map_deposit_account",
            "Amazon Visa",
            ("store_type", "equals", "Amazon"),
            ("payment_method", "equals", "Visa"),
        )
        visa = (tender("77.00", method="VISA"),)
        both = only(run(example_a(store_type="Amazon", tenders=visa), r3), DocumentKind.SALES_RECEIPT)
        one = only(run(example_a(store_type="eBay", tenders=visa), r3), DocumentKind.SALES_RECEIPT)
        assert both.deposit_to is not None
        assert one.deposit_to is not None
        assert (both.deposit_to.name, one.deposit_to.name) == ("Amazon Visa", "Account UF")

    def test_r4_canadian_invoices_use_their_receivable(self) -> None:
        r4 = rule("map_ar_account", "Accounts Receivable – CAD", ("currency", "equals", "CAD"))
        source = example_a(currency="CAD", tenders=(tender("77.00", currency="CAD"),))
        result = run(source, r4, mode="invoices_only", file=ledger(multi_currency=True))
        assert result.documents[0].receivable is not None
        assert result.documents[0].receivable.name == "Accounts Receivable – CAD"

    def test_r5_pounds_go_to_undeposited_pounds(self) -> None:
        r5 = rule("map_deposit_account", "Undeposited GBP", ("currency", "equals", "GBP"))
        source = example_a(currency="GBP", tenders=(tender("77.00", currency="GBP"),))
        receipt = only(run(source, r5, file=ledger(multi_currency=True)), DocumentKind.SALES_RECEIPT)
        assert receipt.deposit_to is not None
        assert receipt.deposit_to.name == "Undeposited GBP"

    def test_r6_digital_goods_are_not_imported_and_the_rule_is_named(self) -> None:
        r6 = rule("do_not_import", "", ("sku", "contains", "DIGITAL"), name="R6")
        source = order(lines=(line("l1", "DIGITAL-1", "5.00"),), total=D("5.00"), tenders=(tender("5.00"),))
        result = run(source, r6)
        assert result.outcome is SetOutcome.FILTERED
        assert result.reason is not None
        assert (result.reason.code, result.reason.value) == ("DO_NOT_IMPORT", "R6")
        assert run(example_a(), r6).outcome is SetOutcome.MAPPED

    def test_r7_only_other_stores_sync(self) -> None:
        r7 = Rule.model_validate(
            {
                "name": "R7",
                "action": "do_not_import",
                "conditions": [{"field": "store_name", "comparison": "in_list", "values": ["Amazon", "eBay"]}],
            }
        )
        assert run(example_a(store_name="ebay"), r7).outcome is SetOutcome.FILTERED
        assert run(example_a(store_name="Own shop"), r7).outcome is SetOutcome.MAPPED

    def test_r8_every_shipping_method_is_one_item_with_its_real_name(self) -> None:
        result = run(example_a(), rule("map_shipping_method", "Shipping & handling"))
        shipping = next(one for one in result.documents[0].lines if one.kind is LineKind.SHIPPING)
        assert names_of(result)[shipping.item_key or ""] == "Shipping & handling"
        assert shipping.description == "Ground"

    def test_r9_every_coupon_is_one_item(self) -> None:
        result = run(example_a(), rule("map_discount", "Coupons"))
        discount = next(one for one in result.documents[0].lines if one.kind is LineKind.DISCOUNT)
        assert names_of(result)[discount.item_key or ""] == "Coupons"
        assert discount.description == "SAVE5"

    def test_r10_free_shipping_changes_the_total_and_is_held_for_paid_orders(self) -> None:
        r10 = rule("map_shipping_amount", "0", ("total", "more_than", "50"), name="R10")
        held = run(example_a(), r10)
        assert held.outcome is SetOutcome.HELD
        assert held.reason is not None
        assert (held.reason.code, held.reason.value) == ("AMOUNT_CHANGED_BY_RULE", "R10")
        free = run(unpaid(), r10, mode="invoices_only")
        assert free.documents[0].total == D("69.05")
        shipping = [one.amount for one in free.documents[0].lines if one.kind is LineKind.SHIPPING]
        assert shipping == [D("0.00")], "people see that it was free"
        allowed = run(
            example_a(), r10.model_copy(update={"allow_total_change": True}), mode="invoices_payments_if_paid"
        )
        payment = only(allowed, DocumentKind.PAYMENT)
        assert [one.amount for one in payment.applications] == [D("69.05")]
        assert run(example_a(), rule("map_shipping_amount", "0", ("total", "more_than", "300"))).outcome is (
            SetOutcome.MAPPED
        )
        # Leave of one rule is no leave of another.
        both = run(example_a(), r10.model_copy(update={"allow_total_change": True}), rule("remove_tax", name="T"))
        assert both.reason is not None
        assert (both.reason.code, both.reason.value) == ("AMOUNT_CHANGED_BY_RULE", "T")

    def test_r11_surcharges_add_an_amount_or_a_percentage(self) -> None:
        """Deferred for orders from the ledger; the arithmetic is the same."""
        amounts = []
        for value in ("1.50", "10%"):
            r11 = rule("add_shipping_surcharge", value, ("ship_via", "contains", "USPS"), allow_total_change=True)
            result = run(example_a(ship_method="USPS Priority"), r11)
            lines = result.documents[0].lines
            amounts.append(next(one.amount for one in lines if one.kind is LineKind.SHIPPING))
        assert amounts == [D("9.45"), D("8.75")]

    def test_r12_a_prefix_is_stripped_from_the_sku(self) -> None:
        r12 = rule("strip_sku", "FBA-", ("sku", "starts_with", "FBA-"))
        source = order(lines=(line("l1", "FBA-123", "5.00"),), total=D("5.00"), tenders=(tender("5.00"),))
        assert [item.name for item in run(source, r12).items] == ["123"]

    def test_r13_a_pack_becomes_its_pieces_at_the_same_amount(self) -> None:
        r13 = rule("multiply_quantity", "6", ("sku", "ends_with", "-6PK"))
        source = order(lines=(line("l1", "SODA-6PK", "9.00", "2"),), total=D("18.00"), tenders=(tender("18.00"),))
        sold = run(source, r13).documents[0].lines[0]
        assert (sold.quantity, sold.unit_price, sold.amount) == (D(12), D("1.5"), D("18.00"))

    def test_r14_goods_that_come_back_go_to_one_item_and_the_sale_stays(self) -> None:
        r14 = rule("map_sku", "RETURNS", ("financial_status", "contains", "refund"))
        source = example_a(financial_status=FinancialStatus.PARTIALLY_REFUNDED, refunds=(first_refund(),))
        result = run(source, r14)
        receipt, refund = result.documents
        names = names_of(result)
        assert [names[one.item_key or ""] for one in receipt.lines[:2]] == ["HAMMER", "NAILS"]
        assert names[refund.lines[0].item_key or ""] == "RETURNS"

    def test_r15_a_prefix_separates_channels_with_equal_numbers(self) -> None:
        r15 = rule("add_prefix", "AZ", ("store_type", "equals", "Amazon"))
        assert run(example_a(store_type="Amazon", number="1200"), r15).documents[0].number == "AZ1200"
        assert run(example_a(number="1200"), r15).documents[0].number == "1200"

    def test_r16_the_invoice_waits_for_fulfilment(self) -> None:
        r16 = rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled"))
        mode = "sales_orders_invoices_payments_if_paid"
        before = run(example_a(), r16, mode=mode)
        assert kinds(before) == ["sales_order", "payment"]
        assert before.documents[1].applications == ()
        after = run(example_a(fulfillment_status=FulfillmentStatus.FULFILLED), r16, mode=mode)
        assert kinds(after) == ["sales_order", "invoice", "payment"]
        assert after.documents[1].closes == (after.documents[0].key,)
        assert after.documents[2].key == before.documents[1].key
        assert [one.document_key for one in after.documents[2].applications] == [after.documents[1].key]

    def test_r17_the_payment_waits_until_fulfilment(self) -> None:
        r17 = rule("mark_as_unpaid", "", ("fulfillment_status", "equals", "unfulfilled"))
        mode = "invoices_payments_if_paid"
        assert kinds(run(example_a(), r17, mode=mode)) == ["invoice"]
        fulfilled = example_a(fulfillment_status=FulfillmentStatus.FULFILLED)
        assert kinds(run(fulfilled, r17, mode=mode)) == ["invoice", "payment"]

    def test_r18_taxable_lines_use_the_code(self) -> None:
        r18 = rule("map_line_tax_code", "AVA", ("total_tax", "more_than", "0"))
        source = order(
            lines=(line("l1", "A", "10.00", taxes=(tax("1.00"),)), line("l2", "B", "5.00")),
            tax_total=D("1.00"),
            taxes=(tax("1.00"),),
            total=D("16.00"),
            tenders=(tender("16.00"),),
        )
        assert [one.tax_code for one in run(source, r18).documents[0].lines] == ["AVA", "NON"]

    def test_r19_shipping_has_a_code_of_its_own_in_one_state(self) -> None:
        r19 = rule("map_shipping_tax_code", "SHP", ("total_tax", "more_than", "0"), ("ship_state", "equals", "RI"))
        there = example_a(shipping_address=Address(region="RI"))
        lines = run(there, r19).documents[0].lines
        assert {one.kind: one.tax_code for one in lines}[LineKind.SHIPPING] == "SHP"
        elsewhere = run(example_a(shipping_address=Address(region="MA")), r19).documents[0].lines
        assert {one.kind: one.tax_code for one in elsewhere}[LineKind.SHIPPING] == "NON"

    def test_r20_the_discount_of_an_untaxed_order_is_not_taxable(self) -> None:
        r20 = rule("map_discount_tax_code", "OUT", ("total_tax", "equals", "0"))
        source = example_a(
            lines=(line("l1", "HAMMER", "25.00", "2"), line("l2", "NAILS", "19.99")),
            taxes=(),
            tax_total=D("0.00"),
            total=D("72.94"),
            tenders=(tender("72.94"),),
        )
        lines = run(source, r20).documents[0].lines
        assert {one.kind: one.tax_code for one in lines}[LineKind.DISCOUNT] == "OUT"

    def test_r21_a_company_matches_the_ledgers_spelling(self) -> None:
        r21 = rule("map_billing_company", "ABC, Inc.", ("billing_company", "contains", "ABC"))
        source = example_a(billing_address=Address(company="The abc company"))
        result = run(source, r21, customers={"strategy": "billing_company_or_first_last"})
        assert [one.display_name for one in result.customers] == ["ABC, Inc."]

    def test_r22_a_fee_of_percent_and_cents(self) -> None:
        percent = rule("map_merchant_fee_percent", "2.2", ("payment_method", "equals", "PayPal"), name="a")
        cents = rule("map_merchant_fee_cents", "0.30", ("payment_method", "equals", "PayPal"), name="b")
        source = example_a(tenders=(tender("77.00", method="PayPal"),))
        result = run(source, percent, cents, fees={"on_order": "negative_line"})
        fee = next(one for one in result.documents[0].lines if one.kind is LineKind.FEE)
        assert fee.amount == D("-1.99")

    def test_r23_a_unit_of_measure_converts_and_keeps_the_amount(self) -> None:
        r23 = rule("map_uom", "each", ("description", "contains", "each"))
        item = CatalogItem("7", "PEN", "PEN", details={"uom": "box", "uom:each": "10"})
        source = order(
            lines=(line("l1", "PEN", "1.00", "10", description="Pens, each"),),
            total=D("10.00"),
            tenders=(tender("10.00"),),
        )
        sold = run(source, r23, catalog=Catalog(items=ItemIndex([item]))).documents[0].lines[0]
        assert (sold.quantity, sold.unit_price, sold.amount, sold.uom) == (D(1), D(10), D("10.00"), "box")

    def test_r24_a_price_level_takes_the_ledgers_price(self) -> None:
        r24 = rule("map_price_level", "Wholesale", ("store_name", "equals", "Wholesale"))
        item = CatalogItem("7", "PEN", "PEN", details={"price:Wholesale": "0.80"})
        source = order(
            lines=(line("l1", "PEN", "1.00", "10"), line("l2", "CAP", "2.00")),
            store_name="Wholesale",
            total=D("12.00"),
            financial_status=FinancialStatus.PENDING,
        )
        result = run(source, r24, mode="invoices_only", catalog=Catalog(items=ItemIndex([item])))
        assert [one.amount for one in result.documents[0].lines] == [D("8.00"), D("2.00")]
        assert [one.code for one in result.documents[0].notices] == ["PRICE_LEVEL_MISSING"]
        paid = source.model_copy(
            update={
                "lines": source.lines[:1],
                "total": D("10.00"),
                "tenders": (tender("10.00"),),
                "financial_status": FinancialStatus.PAID,
            }
        )
        held = run(paid, r24, catalog=Catalog(items=ItemIndex([item])))
        assert held.reason is not None
        assert (held.reason.code, held.reason.value) == ("AMOUNT_CHANGED_BY_RULE", r24.name)
        free = r24.model_copy(update={"allow_total_change": True})
        assert run(paid, free, catalog=Catalog(items=ItemIndex([item]))).documents[0].total == D("8.00")

    def test_r25_a_refund_takes_the_processors_number(self) -> None:
        r25 = rule(
            "map_order_number",
            "",
            ("reference_number", "is_not_empty", ""),
            ("is_refund", "equals", "true"),
            copy_from="reference_number",
        )
        source = example_a(reference_number="ch_77", refunds=(first_refund(),))
        receipt, refund = run(source, r25).documents
        assert (receipt.number, refund.number) == ("1001", "ch_77")

    def test_r26_rules_for_orders_from_the_ledger_leave_orders_to_the_ledger_alone(self) -> None:
        r26 = rule("do_not_export", "", ("class", "is_not", "ShipStation"), direction="from_ledger")
        assert run(example_a(), r26).outcome is SetOutcome.MAPPED
        assert compiled(r26).rules == ()

    def test_r27_a_product_without_sku_is_matched_by_title(self) -> None:
        r27 = rule(
            "map_sku",
            "Metal Chalkboard",
            ("sku_missing", "equals", "true"),
            ("name", "contains", "Metal Chalkboard"),
        )
        source = order(
            lines=(line("l1", "", "5.00", name="Metal Chalkboard, large"),), total=D("5.00"), tenders=(tender("5.00"),)
        )
        assert [item.name for item in run(source, r27).items] == ["Metal Chalkboard"]


@pytest.mark.vector_core
def test_vector_31_a_later_rule_sees_what_an_earlier_one_did() -> None:
    strip = rule("strip_sku", "FBA-", ("sku", "starts_with", "FBA-"), priority=1, name="strip")
    product = rule("map_sku", "Hammer, 500 g", ("sku", "equals", "123"), priority=2, name="map")
    source = order(lines=(line("l1", "FBA-123", "5.00"),), total=D("5.00"), tenders=(tender("5.00"),))
    assert [item.name for item in run(source, strip, product).items] == ["Hammer, 500 g"]
    late = strip.model_copy(update={"priority": 3})
    assert [item.name for item in run(source, late, product).items] == ["123"]


@pytest.mark.parametrize(
    ("comparison", "value", "store", "wanted"),
    [
        ("equals", " AMAZON ", "amazon", True),
        ("equals", "*", "anything", True),
        ("equals", "*", "", False),
        ("is_not", "*", "", True),
        ("contains", "*", "Amazon", True),
        ("contains", "*", "", False),
        ("not_contains", "*", "Amazon", True),
        ("not_contains", "*", "5*", False),
        ("starts_with", "*", "Amazon", False),
        ("ends_with", "*", "5*", True),
        ("is_not", "Amazon", "ebay", True),
        ("contains", "zon", "Amazon", True),
        ("not_contains", "zon", "Amazon", False),
        ("starts_with", "ama", "Amazon", True),
        ("ends_with", "ZON", "Amazon", True),
        ("is_empty", "", "", True),
        ("is_not_empty", "", "x", True),
        ("regex", "^a.*n$", "Amazon", True),
        ("more_than", "10", "not a number", False),
        ("more_than", "10", "11", True),
        ("less_than", "10", "9.99", True),
    ],
)
def test_comparisons_ignore_case_and_spaces(comparison: str, value: str, store: str, wanted: bool) -> None:
    excluded = rule("do_not_import", "", ("store_name", comparison, value))
    result = run(example_a(store_name=store), excluded)
    assert (result.outcome is SetOutcome.FILTERED) is wanted


def test_dates_and_ranges_compare_as_such() -> None:
    assert run(example_a(), rule("do_not_import", "", ("order_date", "before", "2026-03-03"))).documents == ()
    assert run(example_a(), rule("do_not_import", "", ("order_date", "after", "2026-03-03"))).documents != ()
    between = Rule.model_validate(
        {
            "name": "between",
            "action": "do_not_import",
            "conditions": [{"field": "total", "comparison": "between", "values": ["70", "77.0"]}],
        }
    )
    assert run(example_a(), between).outcome is SetOutcome.FILTERED


def test_groups_nest_and_scopes_stop() -> None:
    nested = Rule.model_validate(
        {
            "name": "nested",
            "action": "do_not_import",
            "match": "any",
            "conditions": [
                {"field": "store_name", "comparison": "equals", "value": "Elsewhere"},
                {
                    "match": "all",
                    "conditions": [
                        {"field": "sku", "comparison": "equals", "value": "NAILS"},
                        {"field": "total", "comparison": "more_than", "value": "70"},
                    ],
                },
            ],
        }
    )
    assert run(example_a(), nested).outcome is SetOutcome.FILTERED
    first = rule("map_sku", "ONE", ("sku", "equals", "HAMMER"), priority=1, stop=True)
    second = rule("map_sku", "TWO", priority=2)
    assert {item.name for item in run(example_a(), first, second).items} >= {"ONE", "TWO"}
    assert "TWO" not in {
        item.name
        for item in run(example_a(lines=(line("l1", "HAMMER", "69.99", taxes=(tax("4.06"),)),)), first, second).items
    }


def test_rules_read_the_merchants_note_and_the_gift_message_which_no_document_shows_by_itself() -> None:
    source = example_a(note="Ring twice", private_note="Likely fraud", gift_message="For Ada")
    (plain,) = run(source).documents
    assert not [text for text in ("Likely fraud", "For Ada") if text in plain.model_dump_json()]
    memo = rule("map_memo", "{number}: {gift_message}", ("private_note", "contains", "fraud"))
    (receipt,) = run(source, memo).documents
    assert receipt.memo_number == "1001: For Ada"


def test_templates_copy_what_the_order_says() -> None:
    memo = rule("map_memo", "{channel}-{number}/{sku}")
    assert run(example_a(), memo).documents[0].memo_number == "shopify-1001/HAMMER"


def test_rules_of_other_connections_do_not_run() -> None:
    other = rule("do_not_import", "", connections=["shop-2"])
    ours = rule("do_not_import", "", connections=["shop-1"])
    assert run(example_a(), other).outcome is SetOutcome.MAPPED
    assert run(example_a(), ours).outcome is SetOutcome.FILTERED
    assert run(example_a(), ours.model_copy(update={"enabled": False})).outcome is SetOutcome.MAPPED


def test_a_dry_run_shows_before_and_after_per_rule() -> None:
    trace: list[Change] = []
    rules = compiled(
        rule("strip_sku", "HAM", ("sku", "starts_with", "HAM"), rule_id="1", name="strip"),
        rule("map_ar_account", "Other receivable", rule_id="2", name="receivable"),
    )
    source = example_a()
    rules.apply(source, trace)
    assert trace == [
        Change("2", "receivable", "ar_account", "", "Other receivable"),
        Change("1", "strip", "sku", "HAMMER", "MER"),
    ]
    assert source == example_a()


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (rule("map_sku", "X", ("sku_orginal", "equals", "1")), "did you mean sku_original"),
        (rule("map_memo", "{numbr}"), "did you mean number"),
        (rule("map_transaction_type", "recipes"), "'recipes' is not a transaction mode"),
        (rule("do_not_import", "", ("total", "more_than", "many")), "'many' is not a number"),
        (rule("do_not_import", "", ("order_date", "before", "soon")), "'soon' is not a date"),
        (rule("do_not_import", "", ("sku", "regex", "(?=a)b")), "not a regular expression of RE2"),
        (rule("do_not_import", "", ("sku", "regex", r"(a)\1")), "not a regular expression of RE2"),
        (rule("do_not_import", "", ("sku", "regex", "(a{1,500}){1,500}")), "not a regular expression of RE2"),
        (rule("do_not_import", "", ("sku", "regex", "(")), "not a regular expression of RE2"),
        (rule("do_not_import", "", ("sku", "equals", "")), "needs a value"),
        (rule("multiply_quantity", "0"), "above zero"),
        (rule("split_sku", "-"), "write the delimiter and the side"),
        (rule("map_currency", "ZZZ"), "not an ISO 4217 currency"),
    ],
)
def test_a_broken_rule_is_refused_with_its_cure(broken: Rule, says: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        compile_rule(broken)
    assert says in refusal.value.reason.text
    assert says in refusal.value.reason.cure


def test_an_empty_value_needs_to_be_said() -> None:
    with pytest.raises(RuleRefused) as refused:
        compile_rule(rule("map_memo", ""))
    assert (refused.value.reason.field, refused.value.reason.value) == ("value", "")
    assert "say `clear`" in refused.value.reason.cure
    cleared = rule("map_terms", "", clear=True)
    assert run(example_a(terms="NET 30"), cleared, mode="invoices_only").documents[0].terms == ""


def test_of_thousands_of_rules_the_right_one_applies() -> None:
    """Half map one product each, half must be looked at for every order. `make bench-rules` says how long it takes."""
    size = 5000
    mapping = [rule("map_sku", f"NEW{n}", ("sku", "equals", f"OLD{n}"), name=f"map {n}") for n in range(size // 2)]
    others = [
        rule("map_class", f"Class {n}", ("store_name", "contains", f"store {n}"), name=f"class {n}")
        for n in range(size // 2)
    ]
    rules = compiled(*mapping, *others)
    source = example_a(lines=(line("l1", "OLD7", "69.99", taxes=(tax("4.06"),)),))
    ruled, _ = rules.apply(source)
    assert (ruled.store_name, [one.sku for one in ruled.lines]) == (source.store_name, ["NEW7"])
