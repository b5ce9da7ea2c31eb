"""Orders, settings and catalogs whose combinations pass by every decision of the core."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
    company,
    example_a,
    first_refund,
    line,
    order,
    refunded,
    second_refund,
    tax,
    tender,
    unpaid,
)

from common.messages.control import CompanySettings
from common.messages.orders import (
    Address,
    Customer,
    Direction,
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    Refund,
    RefundAdjustment,
    RefundLine,
    ShippingLine,
    Surcharge,
    TaxLine,
    TenderKind,
    TenderStatus,
)
from common.messages.transactions import AccountRole
from mapper.mapping.catalog import Catalog, CatalogItem, CustomerLink, ItemIndex, ProductTarget
from mapper.mapping.configuration import Ledger
from mapper.mapping.history import FIRST_TIME, History

LATER = datetime(2026, 3, 20, 9, tzinfo=UTC)
BILLING = Address(
    name="Ada King Lovelace",
    company="Engines Ltd",
    line1="1 Main St",
    line2="Back door",
    city="Providence",
    county="Kent",
    region="RI",
    postal_code="02906",
    country="US",
    phone="401",
)
SHIPPING = Address(
    name="Charles Babbage",
    company="Difference Inc",
    line1="2 Side St",
    city="Madison",
    county="Dane",
    region="WI",
    postal_code="53703",
    country="US",
)
BUYER = Customer(
    external_id="c9",
    first_name="Ada",
    middle_name="King",
    last_name="Lovelace",
    company="Lovelace Works",
    emails=("ada@example.com", "second@example.com"),
    phone="402",
    tags=("vip", "b2b"),
    group="wholesale",
    vat_number="GB1",
    price_level="Wholesale",
)


RICH_LINES = (
    line(
        "l1",
        "LAMP",
        "30.00",
        "2",
        amount=D("54.00"),
        discount=D("6.00"),
        taxes=(tax("3.38"),),
        description="A lamp",
        class_name="Light",
        site="Main",
        uom="each",
        ship_date=date(2026, 3, 4),
        vendor="Lampmaker",
        product_id="p1",
        variant_id="v1",
        custom_fields={"engraving": "Ada"},
    ),
    line("l2", "GIFT", "25.00", is_gift_card=True),
    line("l3", "BULB", "1.333", "3", amount=D("4.00")),
)


def rich(**changes: Any) -> Order:
    """2 × 30.00 less 6.00 and a gift card of 25.00, post 10.00 less 2.00, wrap 4.00, tip 3.00, tax 5.10, less 5.00."""
    values: dict[str, Any] = {
        "external_id": "9002",
        "number": "2001",
        "revision": 7,
        "lines": RICH_LINES,
        "shipping_lines": (
            ShippingLine(external_id="s1", title="Ground", amount=D("8.00"), discount=D("2.00"), taxes=(tax("0.50"),)),
            ShippingLine(external_id="s2", amount=D("0.00"), discount=D("0.00")),
        ),
        "discounts": (OrderDiscount(code="SAVE5", amount=D("5.00")), OrderDiscount(title="None", amount=D("0.00"))),
        "surcharges": (
            Surcharge(external_id="x1", title="Wrap", amount=D("4.00"), taxes=(tax("0.25"),)),
            Surcharge(external_id="x2", title="Duty", amount=D("1.50")),
            Surcharge(external_id="x3", title="Free", amount=D("0.00")),
        ),
        "tips": D("3.00"),
        "taxes": (tax("4.13"), TaxLine(title="City tax", amount=D("0.97"), rate=D("0.01"), jurisdiction="City")),
        "tax_total": D("5.10"),
        "total": D("99.60"),
        "tenders": (
            tender("20.00", "t1", kind=TenderKind.GIFT_CARD, method="gift_card", reference="GC-1"),
            tender("49.60", "t2", method="Visa", fee=D("1.74")),
            tender("30.00", "t3", method="paypal", reference="", captured_on=date(2026, 3, 3)),
        ),
        "customer": BUYER,
        "billing_address": BILLING,
        "shipping_address": SHIPPING,
        "note": "Ring twice",
        "po_number": "PO-7",
        "terms": "Net 30",
        "ship_date": date(2026, 3, 5),
        "ship_method": "UPS",
        "tracking_number": "1Z",
        "reference_number": "REF-1",
        "class_name": "Web",
        "department": "East",
        "sales_rep": "Grace",
        "custom_fields": {"campaign": "spring"},
        "store_name": "Outlet",
        "store_type": "Shopify",
        "tags": ("new",),
    }
    values.update(changes)
    return order(**values)


def rich_refund(**changes: Any) -> Refund:
    """One lamp with its discount, a bulb on the shelf, 2.00 of the post, a fee kept back: 34.34."""
    values: dict[str, Any] = {
        "external_id": "r1",
        "created_at": LATER,
        "refunded_on": date(2026, 3, 20),
        "lines": (
            RefundLine(
                line_external_id="l1",
                quantity=D(1),
                amount=D("26.50"),
                discount=D("3.50"),
                tax=D("1.69"),
                taxes=(tax("1.69"),),
            ),
            RefundLine(
                line_external_id="l3",
                quantity=D(1),
                amount=D("1.33"),
                discount=D("0.00"),
                tax=D("0.00"),
                restock=True,
            ),
        ),
        "shipping": D("2.00"),
        "shipping_tax": D("0.13"),
        "tax": D("1.82"),
        "adjustments": (RefundAdjustment(title="Kept back", amount=D("-1.00"), tax=D("-0.06")),),
        "transactions": (
            refunded("10.59", "rt1", kind=TenderKind.GIFT_CARD, method="gift_card"),
            refunded("20.00", "rt2", method="Visa", tender_external_id="t2", reference="re_2"),
        ),
    }
    values.update(changes)
    return Refund(**values)


def money_only(amount: str, **changes: Any) -> Refund:
    values: dict[str, Any] = {
        "external_id": "r9",
        "created_at": LATER,
        "refunded_on": date(2026, 3, 20),
        "shipping": D("0.00"),
        "shipping_tax": D("0.00"),
        "tax": D("0.00"),
        "transactions": (refunded(amount, "rt9"),),
    }
    values.update(changes)
    return Refund(**values)


CANCELLED: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 9)}
PART_PAID: dict[str, Any] = {
    "tenders": (tender("40.00", "t1"),),
    "financial_status": FinancialStatus.PARTIALLY_PAID,
}
BOUGHT: dict[str, Any] = {
    "direction": Direction.PURCHASE,
    "vendor_name": "Forge",
    "external_id": "purchase:9001",
    "customer": None,
    "terms": "NET 30",
}
ORDERS: dict[str, Order] = {
    "plain": example_a(),
    "rich": rich(),
    "unpaid": unpaid(),
    "part-paid": example_a(**PART_PAID),
    "refunded": example_a(refunds=(first_refund(), second_refund())),
    "rich-refunded": rich(refunds=(rich_refund(),)),
    "amount-refunded": example_a(refunds=(money_only("7.00"),)),
    "tax-refunded": example_a(refunds=(money_only("7.00", tax=D("2.00")),)),
    "stock-only": example_a(refunds=(first_refund(transactions=()),)),
    "mismatched-refund": example_a(refunds=(first_refund(transactions=(refunded("50.00", "rt1"),)),)),
    "removed-unpaid": unpaid(refunds=(first_refund(transactions=()),)),
    "rich-removed": rich(tenders=(), financial_status=FinancialStatus.PENDING, refunds=(rich_refund(transactions=()),)),
    "part-credit": example_a(
        **PART_PAID | {"refunds": (first_refund(transactions=(refunded("4.66", "rt1"),)),)},
    ),
    "cancelled-unpaid": unpaid(**CANCELLED),
    "cancelled-part-paid": example_a(**PART_PAID, **CANCELLED),
    "cancelled-refunded": example_a(
        **PART_PAID | CANCELLED | {"refunds": (first_refund(),)},
    ),
    "zero": order(lines=(line("l1", "FREE", "0.00"),), total=D("0.00")),
    "overpaid": example_a(tenders=(tender("50.00", "t1"), tender("40.00", "t2", method="cash"))),
    "voided-tender": example_a(
        tenders=(tender("77.00", "t0", status=TenderStatus.VOIDED), tender("77.00", "t1")),
    ),
    "stated-as-paid": example_a(tenders=(), reference_number="REF-9"),
    "marketplace-tax": example_a(tax_remitted=D("4.06"), tenders=(tender("72.94"),)),
    "off-by-a-cent": example_a(total=D("77.01"), tenders=(tender("77.01"),), rounding=D("0.01")),
    "off-by-much": example_a(total=D("78.50"), tenders=(tender("78.50"),)),
    "guest": example_a(customer=None, billing_address=None, shipping_address=SHIPPING),
    "no-names": example_a(customer=Customer(emails=("x@example.com",)), billing_address=None),
    "no-sku": order(lines=(line("l1", "", "10.00", name="Nameless"),), total=D("10.00"), tenders=(tender("10.00"),)),
    "euro": example_a(currency="EUR", exchange_rate=D("1.0832"), tenders=(tender("77.00", currency="EUR"),)),
    "foreign-tender": example_a(tenders=(tender("77.00", currency="EUR"),)),
    "negative": example_a(total=D("-1.00")),
    "negative-quantity": order(lines=(line("l1", "A", "10.00", "-1"),), total=D("-0.00")),
    "fraction": order(lines=(line("l1", "A", "10.001"),), total=D("10.00")),
    "fraction-total": order(lines=(line("l1", "A", "10.00"),), total=D("10.001")),
    "unknown-currency": example_a(currency="XYZ"),
    "draft": example_a(lifecycle=Lifecycle.DRAFT),
    "authorized": unpaid(),
    "early": example_a(ordered_on=date(2025, 12, 30), tenders=(tender("77.00", captured_on=date(2025, 12, 30)),)),
    "closed": example_a(ordered_on=date(2026, 1, 15)),
    "marked": example_a(do_not_import=True),
    "own-mode": example_a(invoice_mode="estimates"),
    "wrong-mode": example_a(invoice_mode="papyrus"),
    "shipped": example_a(fulfillment_status=FulfillmentStatus.FULFILLED),
    "fee-of-channel": example_a(merchant_fee=D("2.53")),
    "bought": unpaid(**BOUGHT),
    "bought-cancelled": unpaid(**BOUGHT | CANCELLED),
}

FEEDS = ("purchase_orders", "bills", "purchase_orders_bills", "expenses")
ITEMS = (
    CatalogItem("i1", "HAMMER", "Tools:HAMMER", sku="H-1", preferred_vendor="Smith", purchase_cost=D("11.00")),
    CatalogItem("i2", "NAILS", "NAILS", sku="NAILS", preferred_vendor="Smith", purchase_cost=D("7.50")),
    CatalogItem("i3", "LAMP", "Home:LAMP", preferred_vendor="Lampmaker", details={"barcode": "LAMP"}),
    CatalogItem("i4", "LAMP", "Office:LAMP"),
    CatalogItem("i5", "BULB", "BULB", active=False, details={"part_number": "BULB"}),
    CatalogItem("i6", "SAVE5", "SAVE5"),
    CatalogItem("i7", "Product BULB", "Product BULB", sku="OTHER"),
)


def catalog(**changes: Any) -> Catalog:
    return Catalog(revision=3, items=ItemIndex(ITEMS), **changes)


@dataclass(frozen=True)
class Case:
    """One order in one world. `settings` are changes of the connection's."""

    order: str
    mode: str = "sales_receipts"
    settings: dict[str, Any] = field(default_factory=dict)
    books: CompanySettings | None = None
    file: dict[str, Any] = field(default_factory=dict)
    catalog: Catalog | None = None
    history: History = FIRST_TIME


WAITS = {"unconnected": "wait"}
IF_PAID = "invoices_payments_if_paid"
STAGED = "sales_orders_invoices_payments_if_paid"
ALL_MODES = (
    "none",
    "sales_receipts",
    "invoices_only",
    IF_PAID,
    "sales_orders",
    "sales_orders_payments_if_paid",
    STAGED,
    "sales_orders_invoices_po",
    "estimates",
    "summary_sales_receipt",
    "summary_sales_order",
    "summary_payout",
    "journal_entries",
    "payments_only",
    "credit_memos_only",
    "bills",
)
PLAIN_LEDGER = {"capabilities": ALL_CAPABILITIES - {"deposit_to_liability", "refund_receipt"}}
RETURNS = company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"})
EVERY_CODE = {
    "taxable_code": "T",
    "non_taxable_code": "N",
    "document_code": "DOC",
    "shipping_code": "SC",
    "discount_code": "DC",
}
PLACES = {
    "zip:02906": "ZIP",
    "city:Madison,WI": "MAD",
    "county:Dane,WI": "DANE",
    "state:RI": "RI",
    "country:US": "US",
    "default_taxed": "TAXED",
    "default_untaxed": "UNTAXED",
}


STRATEGIES = (
    "first_last",
    "last_first",
    "first_last_email",
    "last_first_email",
    "last_first_middle",
    "billing_company_or_first_last",
    "billing_company_or_last_first",
    "billing_company_or_single",
    "shipping_company_or_first_last",
    "shipping_company_or_last_first",
    "shipping_first_last",
    "shipping_last_first",
    "shipping_full_name",
    "billing_full_name",
    "billing_email_as_name",
    "email",
    "name_then_email",
    "store_type",
    "store_name_and_currency",
    "order_number",
    "single",
)
LINKS = {
    "existing": CustomerLink("existing", "k9", "L9", "Ada of the books"),
    "create": CustomerLink("create", "k9", display_name="Ada anew"),
    "ignore": CustomerLink("ignore", "k9"),
    "none": CustomerLink("none", "k9"),
    "horizon": CustomerLink("existing", "k9", "L9", "Ada", horizon=date(2026, 3, 10)),
}


def _modes_and_orders() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for mode in ALL_MODES:
        for name in ("plain", "rich-refunded", "part-credit", "cancelled-unpaid", "cancelled-part-paid"):
            found[f"mode-{mode}-{name}"] = Case(name, mode)
    for name in ORDERS:
        for mode in ("sales_receipts", IF_PAID, STAGED):
            found[f"order-{name}-{mode}"] = Case(name, mode)
    for name in ("rich", "rich-refunded", "overpaid", "cancelled-refunded"):
        found[f"plain-ledger-{name}"] = Case(name, IF_PAID, file=PLAIN_LEDGER)
        found[f"returns-account-{name}"] = Case(name, IF_PAID, books=RETURNS)
        found[f"line-discounts-{name}"] = Case(name, "sales_receipts", {"show_line_discounts": True}, file=PLAIN_LEDGER)
    return found


def _purchases() -> dict[str, Case]:
    found = {f"purchase-{mode}-{name}": Case(name, mode) for mode in FEEDS for name in ("bought", "bought-cancelled")}
    for mode in FEEDS:
        found[f"purchase-{mode}-items"] = Case("bought", mode, catalog=catalog())
    return found


def _taxes() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for method in ("tax_codes", "tax_line", "override", "inclusive", "none"):
        for name in ("plain", "rich-refunded"):
            found[f"tax-{method}-{name}"] = Case(name, IF_PAID, {"tax": {"method": method}})
            found[f"tax-{method}-coded-{name}"] = Case(
                name, IF_PAID, {"tax": {"method": method, "codes": PLACES, **EVERY_CODE}}
            )
        found[f"tax-{method}-untaxed"] = Case(
            "zero", IF_PAID, {"tax": {"method": method, "codes": PLACES, **EVERY_CODE}}
        )
        found[f"tax-{method}-remitted"] = Case("marketplace-tax", IF_PAID, {"tax": {"method": method}})
        found[f"tax-{method}-left-out"] = Case(
            "marketplace-tax", IF_PAID, {"tax": {"method": method, "remitted": "leave_out"}}
        )
        found[f"tax-{method}-of-customer"] = Case(
            "rich", IF_PAID, {"tax": {"method": method, "use_customer_code": True}}
        )
    for place in PLACES:
        found[f"tax-place-{place.partition(':')[0]}"] = Case(
            "rich", IF_PAID, {"tax": {"method": "tax_codes", "codes": {place: "X", "county:Dane County,WI": "NEAR"}}}
        )
        found[f"tax-billing-place-{place.partition(':')[0]}"] = Case(
            "plain", IF_PAID, {"tax": {"method": "tax_codes", "codes": {place: "X"}}}
        )
    return found


def _customers_and_money() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for strategy in STRATEGIES:
        for name in ("rich", "guest", "no-names"):
            found[f"customer-{strategy}-{name}"] = Case(name, "invoices_only", {"customers": {"strategy": strategy}})
    for on_order in ("negative_line", "bill", "expense"):
        fees = {"on_order": on_order, "percent": D("2.9"), "fixed": D("0.30"), "payee": "Stripe"}
        for mode in ("sales_receipts", IF_PAID):
            found[f"fee-{on_order}-{mode}"] = Case("plain", mode, {"fees": fees})
            found[f"fee-of-channel-{on_order}-{mode}"] = Case("fee-of-channel", mode, {"fees": fees})
            found[f"fee-of-tender-{on_order}-{mode}"] = Case("rich", mode, {"fees": fees})
    for policy in ("unapplied", "tip", "stop"):
        for mode in ("sales_receipts", IF_PAID):
            found[f"overpaid-{policy}-{mode}"] = Case("overpaid", mode, {"overpayment_policy": policy})
    return found


def _products() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for missing in ("stop_and_queue", "create_non_inventory", "create_inventory", "fallback_item"):
        for match in ("name", "sku", "part_number", "barcode"):
            for name in ("plain", "rich"):
                found[f"product-{missing}-{match}-{name}"] = Case(
                    name, "invoices_only", {"products": {"missing": missing, "match_field": match}}, catalog=catalog()
                )
        found[f"product-{missing}-no-sku"] = Case("no-sku", "invoices_only", {"products": {"missing": missing}})
    return found


def _connections_and_maps() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for link, target in LINKS.items():
        found[f"connected-{link}"] = Case(
            "rich-refunded", IF_PAID, {"customers": WAITS}, catalog=Catalog(customer_links={"c9": target})
        )
    found["connected-not-yet"] = Case("rich", IF_PAID, {"customers": WAITS})
    for missing in ("create", "single", "stop"):
        for known in (set(), {"ada lovelace"}):
            found[f"customer-missing-{missing}-{len(known)}"] = Case(
                "rich", "invoices_only", {"customers": {"missing": missing}}, catalog=Catalog(customers=known)
            )
    for name, product in {
        "name": ProductTarget("Tools:HAMMER"),
        "id": ProductTarget("Anything", "i2"),
        "twice": ProductTarget("LAMP"),
        "inactive": ProductTarget("BULB"),
        "absent": ProductTarget("Nowhere"),
    }.items():
        for key in ("lamp", "id:v1", "id:p1", "title:product lamp"):
            found[f"mapped-{name}-{key.partition(':')[2] or 'sku'}"] = Case(
                "rich",
                "invoices_only",
                {"products": {"missing": "stop_and_queue"}},
                catalog=catalog(product_map={key: product}),
            )
        found[f"mapped-{name}-create"] = Case("rich", "invoices_only", catalog=catalog(product_map={"lamp": product}))
    return found


def _numbers_and_histories() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for policy in ("mirror", "next"):
        for custom in (True, False):
            found[f"number-{policy}-{custom}"] = Case(
                "rich-refunded",
                IF_PAID,
                {"numbers": {"policy": policy, "prefix": "WEB-"}},
                file={"custom_numbers": custom, "name": "quickbooks_desktop"},
            )
    found["number-cut"] = Case(
        "rich-refunded", STAGED, {"numbers": {"prefix": "LONGPREFIX"}}, file={"name": "quickbooks_desktop"}
    )
    for mode in ("sales_receipts", IF_PAID, STAGED, "sales_orders_payments_if_paid"):
        for name in ("rich-refunded", "part-credit", "cancelled-refunded"):
            found[f"reduced-{mode}-{name}"] = Case(name, mode, {"refund_policy": "reduce_payment"})
    for name in ("unpaid", "part-paid", "plain", "cancelled-unpaid"):
        found[f"unpaid-as-invoice-{name}"] = Case(name, settings={"unpaid_in_receipt_mode": "invoice"})
        found[f"invoiced-before-{name}"] = Case(
            name, settings={"unpaid_in_receipt_mode": "invoice"}, history=History(mapped=True, invoiced=True)
        )
    for earlier in ("", "void", "credit"):
        found[f"cancelled-as-{earlier or 'new'}"] = Case(
            "cancelled-unpaid", IF_PAID, {"unpaid_cancel": "credit_memo"}, history=History(True, True, earlier)
        )
    found["cancelled-after-closing"] = Case(
        "cancelled-unpaid", IF_PAID, books=company(closed_through=date(2026, 3, 5)), history=History(True, True)
    )
    closed = company(closed_through=date(2026, 3, 2))
    for name in ("plain", "refunded", "early", "closed"):
        found[f"closed-{name}"] = Case(name, IF_PAID, books=closed)
        found[f"closed-mapped-{name}"] = Case(name, IF_PAID, books=closed, history=History(mapped=True))
        found[f"closed-ledger-{name}"] = Case(name, IF_PAID, file={"closed_through": date(2026, 2, 1)})
    return found


def _single_settings() -> dict[str, Case]:
    found: dict[str, Case] = {}
    found["skip-missing-original"] = Case("refunded", IF_PAID, {"missing_original": "skip"})
    found["skip-mapped-original"] = Case("refunded", IF_PAID, {"missing_original": "skip"}, history=History(True))
    found["zero-left-out"] = Case("zero", settings={"sync_zero_total_orders": False})
    found["tips-are-income"] = Case("rich", settings={"tips_to": "income"})
    found["deposit-accounts"] = Case(
        "rich-refunded",
        IF_PAID,
        {"deposit_accounts": {"VISA ": "Card clearing", "paypal": "Account UF"}, "payment_methods": {"visa": "Visa!"}},
    )
    found["deposit-accounts-receipt"] = Case("rich", settings={"deposit_accounts": {"visa": "Card", "paypal": "PP"}})
    found["terms"] = Case("plain", IF_PAID, {"terms_days": 30, "class_name": "Shop", "department": "Web"})
    for able in (PLAIN_LEDGER["capabilities"], frozenset({"invoice", "estimate"}), frozenset[str]()):
        for mode in ("sales_orders", "estimates"):
            found[f"{mode}-with-{len(able)}-capabilities"] = Case("plain", mode, file={"capabilities": able})
    found["euro-allowed"] = Case("euro", IF_PAID, file={"multi_currency": True})
    found["tolerance-stated"] = Case("off-by-much", settings={"rounding_tolerance": D("2.00")})
    found["statuses-miss"] = Case("plain", settings={"order_statuses": ("pending",)})
    found["statuses-meet"] = Case("plain", settings={"order_statuses": ("paid", "fulfilled")})
    found["store-filtered"] = Case("rich", settings={"store_filter": ("Main",)})
    found["store-let-through"] = Case("rich", settings={"store_filter": ("outlet",)})
    found["disabled"] = Case("plain", settings={"enabled": False})
    found["fees-twice"] = Case("plain", settings={"fees": {"on_order": "bill"}, "payouts": {"enabled": True}})
    found["no-account"] = Case("plain", books=company(accounts={}))
    found["vendors"] = Case("rich", "sales_orders_invoices_po", catalog=catalog())
    found["vendors-plain"] = Case(
        "plain", "sales_orders_invoices_po", {"products": {"match_field": "sku"}}, catalog=catalog()
    )
    found["merged-refunds"] = Case("refunded", "summary_sales_receipt", {"merge_refunds": True})
    return found


CASES = (
    _modes_and_orders()
    | _purchases()
    | _taxes()
    | _customers_and_money()
    | _products()
    | _connections_and_maps()
    | _numbers_and_histories()
    | _single_settings()
)


def file_of(case: Case) -> Ledger:
    values: dict[str, Any] = {
        "name": "beancount",
        "home_currency": "USD",
        "capabilities": ALL_CAPABILITIES,
    }
    return Ledger(**values | case.file)
