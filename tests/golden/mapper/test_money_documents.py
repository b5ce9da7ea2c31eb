"""Deposits of payouts, summaries of days, part-invoices of shipments, and why a payment is missing."""

from datetime import date
from typing import Any

import pytest
from tests.golden.mapper.agreement import expectation
from tests.golden.mapper.cases import IF_PAID, LATER, ORDERS, PLAIN_LEDGER, RETURNS, rich, rich_refund
from tests.unit.mapper.samples import ACCOUNTS, ORDER_DAY, D, company, configuration, example_a, ledger, mapped, tender
from tests.unit.mapper.test_payouts import (
    BY_DESCRIPTION,
    CHARGES,
    MARKETPLACE,
    NEGATIVE,
    OLD,
    REFUND,
    SALES,
    deposited,
    payout,
    payout_line,
    sale,
    settled,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.control import TransactionMode
from common.messages.orders import FulfillmentStatus, Order, Payout, PayoutLine, TenderKind
from common.messages.transactions import AccountRole, SetOutcome
from mapper.mapping.catalog import Catalog
from mapper.mapping.directives import Directives
from mapper.mapping.history import History
from mapper.mapping.missing_payments import LedgerView, why_no_payment
from mapper.mapping.orders import NO_RULES, map_order
from mapper.mapping.postings import trial_balance
from mapper.mapping.summaries import map_summary, memberships

EXTRAS = (
    payout_line("fee", "-5.00", description="Subscription"),
    payout_line("adjustment", "-2.00", description=" Promotion "),
    payout_line("adjustment", "3.00"),
    payout_line("loan", "-10.00"),
    payout_line("transfer", "-1.00"),
    payout_line("reserve_held", "-20.00"),
    payout_line("reserve_released", "20.00"),
)
SIX = {"adjustments": {"promotion": "DISC", "Adjustment": "RND", "LOAN": "CFWD"}}


def net_of(lines: tuple[PayoutLine, ...]) -> str:
    return str(sum((one.amount - one.fee for one in lines), D(0)))


def of(*lines: PayoutLine, **more: Any) -> Payout:
    return payout(net_of(lines), *lines, **more)


def charge(amount: str, **more: Any) -> PayoutLine:
    return payout_line("charge", amount, **more)


TWINS = (sale("1007", "10.00"), sale("1007", "10.00").model_copy(update={"external_id": "id1007b"}))
ACROSS = (
    charge("410.25", occurred_on=date(2026, 7, 30)),
    charge("1.00", fee="0.25", occurred_on=date(2026, 7, 12)),
    payout_line("refund", "-10.25", occurred_on=date(2026, 6, 30)),
    charge("289.75", occurred_on=date(2026, 8, 2)),
    charge("5.00", occurred_on=date(2026, 9, 1), description="Late"),
)
PAYOUTS: dict[str, tuple[Payout, tuple[Order, ...]]] = {
    "usual": (of(*CHARGES, REFUND, exchange_rate=D("1.1"), revision=4), SALES),
    "extras": (of(*CHARGES, *EXTRAS), SALES),
    "incomplete": (of(*CHARGES, REFUND), SALES[:1]),
    "not-for-import": (of(*CHARGES), tuple(one.model_copy(update={"do_not_import": True}) for one in SALES)),
    "negative": (of(*NEGATIVE), (sale("1004", "30.00"), OLD)),
    "unbalanced": (payout("1.00", *CHARGES), SALES),
    "wrong-amount": (of(charge("99.00", order_number="1002"), charge("45.00", order_number="1003")), SALES),
    "by-tender": (of(charge("120.00", tender_external_id="t1002")), SALES),
    "by-reference": (of(charge("120.00", reference=" CH_T1002 ")), SALES),
    "by-order-id": (of(charge("120.00", order_external_id="id1002")), SALES),
    "unnamed": (of(charge("120.00"), charge("1.00", reference="odd"), charge("2.00", order_external_id="idX")), SALES),
    "twins": (of(charge("10.00", order_number="1007"), charge("10.00", order_number="1007")), TWINS),
    "one-of-twins": (of(charge("11.00", order_number="1007")), TWINS),
    "refund-by-order": (of(payout_line("refund", "-24.66", order_number="1001")), SALES),
    "refund-by-transaction": (of(payout_line("refund", "-24.66", tender_external_id="r1")), SALES),
    "refund-unknown": (of(payout_line("refund", "-9.00", order_number="1009")), SALES),
    "empty": (payout("0.00"), ()),
    "marketplace": (of(*MARKETPLACE), ()),
    "across": (of(*ACROSS, paid_on=date(2026, 8, 5)), ()),
    "nothing-in-its-month": (of(*ACROSS[:2], paid_on=date(2026, 8, 5)), ()),
    "short": (of(payout_line("fee", "-5.00")), ()),
    "odd-kind": (of(payout_line("gift", "5.00", description="Odd")), ()),
}
MODES = ("sales_receipts", IF_PAID, "journal_entries", "summary_payout", "estimates", "summary_invoice")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PAYOUTS)
def test_a_payout_becomes_what_its_file_says(name: str, mode: str) -> None:
    source, orders = PAYOUTS[name]
    adjustments = SIX if name in {"extras", "short"} else {"adjustments": BY_DESCRIPTION}
    result, _ = deposited(source, settled(mode, payouts=adjustments, books=RETURNS), *orders)
    assert sum(trial_balance(list(result.documents)).values()) == 0
    found, expected = expectation(f"payouts/{name}-{mode}", result)
    assert found == expected


@pytest.mark.parametrize("name", ["off", "by-hand", "fees-twice", "no-bank", "own-bank-and-payee"])
def test_settings_of_payouts_decide_as_their_file_says(name: str) -> None:
    no_bank = company(accounts={role: text for role, text in ACCOUNTS.items() if role is not AccountRole.BANK})
    settings = {
        "off": configuration("sales_receipts"),
        "by-hand": settled("sales_receipts", payouts={"automatic": False}, after_posting="hold"),
        "fees-twice": settled("sales_receipts", fees={"on_order": "bill"}),
        "no-bank": settled("sales_receipts", books=no_bank),
        "own-bank-and-payee": settled(
            "sales_receipts", payouts={"bank_account": "Assets:Bank:Payouts", "fee_payee": "Processor"}, books=no_bank
        ),
    }[name]
    sets = [mapped(one, settled("sales_receipts")) for one in SALES]
    assert all(one.outcome is SetOutcome.MAPPED for one in sets)
    result, _ = deposited(of(*CHARGES), settings, *SALES)
    found, expected = expectation(f"payouts/settings-{name}", result)
    assert found == expected


EURO = example_a(
    external_id="o5", number="5", currency="EUR", exchange_rate=D("1.08"), tenders=(tender("77.00", currency="EUR"),)
)
DAYS: dict[str, tuple[Order, ...]] = {
    "one": (ORDERS["plain"],),
    "rich": (rich(), rich(external_id="9003", number="2002")),
    "rich-refunded": (rich(refunds=(rich_refund(),)), ORDERS["plain"]),
    "refunded": (ORDERS["refunded"], rich()),
    "euro": (EURO,),
    "unpaid": (ORDERS["unpaid"],),
    "cancelled": (ORDERS["cancelled-part-paid"], ORDERS["plain"]),
    "marked": (ORDERS["marked"], ORDERS["plain"]),
    "wrong": (ORDERS["off-by-much"], ORDERS["plain"]),
    "gift": (example_a(tenders=(tender("20.00", "g", kind=TenderKind.GIFT_CARD), tender("57.00"))),),
    "store": (rich(store_name="Outlet"),),
}


@pytest.mark.parametrize("mode", ["summary_sales_receipt", "summary_invoice", "summary_sales_order"])
@pytest.mark.parametrize("merge", [False, True], ids=["apart", "merged"])
@pytest.mark.parametrize("name", DAYS)
def test_a_day_becomes_what_its_file_says(name: str, mode: str, merge: bool) -> None:
    orders = DAYS[name]
    file = ledger(multi_currency=True)
    settings = configuration(mode, merge_refunds=merge, file=file, show_line_discounts=merge, class_name="Shop")
    found: dict[str, Any] = {}
    members = memberships(orders[0], settings, NO_RULES)
    for member in members:
        for finished in (True, False):
            result = map_summary(
                member,
                "tenant",
                orders,
                settings,
                NO_RULES,
                Catalog(),
                mode=TransactionMode(mode),
                finished=finished,
            )
            found[f"{member.summary_id} {finished}"] = result
    text, expected = expectation(
        f"days/{name}-{mode}-{merge}", {"members": [f"{one}" for one in members], "results": found}
    )
    assert text == expected


SHIPPED = {
    "nothing": {},
    "one-hammer": {"l1": D(1)},
    "hammers": {"l1": D(2)},
    "some-of-both": {"l1": D(1), "l2": D(1)},
    "everything": {"l1": D(2), "l2": D(1)},
}
EARLIER: dict[str, History] = {
    "first": History(),
    "after-one": History(mapped=True, invoiced=True, shipments=({"l1": D(1)},)),
    "after-nails": History(mapped=True, invoiced=True, shipments=({"l2": D(1)},)),
    "after-two": History(mapped=True, invoiced=True, shipments=({"l1": D(1)}, {"l2": D(1)})),
    "invoiced": History(mapped=True, invoiced=True),
}
DEFERS = rule("do_not_create_invoice", "", ("fulfillment_status", "equals", "unfulfilled"))


@pytest.mark.parametrize("earlier", EARLIER)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipment_is_invoiced_as_its_file_says(name: str, earlier: str) -> None:
    shipped = SHIPPED[name]
    for base in ("plain", "refunded"):
        source = ORDERS[base]
        lines = tuple(
            one.model_copy(update={"fulfilled_quantity": shipped.get(one.external_id)}) for one in source.lines
        )
        done = name == "everything"
        status = FulfillmentStatus.FULFILLED if done else FulfillmentStatus.PARTIAL
        source = source.model_copy(update={"lines": lines, "fulfillment_status": status})
        result = map_order(
            source,
            configuration("sales_orders_invoices_payments_if_paid", file=ledger(**PLAIN_LEDGER) if done else None),
            compiled(DEFERS),
            history=EARLIER[earlier],
        )
        assert sum(trial_balance([one for one in result.documents if one.hold is None]).values()) == 0
        found, expected = expectation(f"shipments/{name}-{earlier}-{base}", result)
        assert found == expected


NO_UF = company(accounts={role: name for role, name in ACCOUNTS.items() if role is not AccountRole.UNDEPOSITED_FUNDS})
GIFT = example_a(tenders=(tender("77.00", "g", kind=TenderKind.GIFT_CARD, method="gift"),))
MISSING: dict[str, tuple[Order, dict[str, Any], dict[str, Any]]] = {
    "mode": (ORDERS["plain"], {"mode": "invoices_only"}, {}),
    "mode-of-rule": (ORDERS["plain"], {}, {"directives": Directives(mode=TransactionMode.ESTIMATES)}),
    "not-followed": (ORDERS["plain"], {"follow_changes": False}, {}),
    "status": (ORDERS["plain"], {"order_statuses": ("pending", "voided")}, {}),
    "not-written": (ORDERS["plain"], {}, {"written": ()}),
    "refused": (ORDERS["plain"], {}, {"written": (), "refused": ORDERS["plain"]}),
    "staged": (ORDERS["plain"], {"mode": "sales_orders_payments_if_paid"}, {"written": ()}),
    "balance": (ORDERS["zero"], {}, {}),
    "reference": (ORDERS["plain"], {}, {"references": ("ch_t1",)}),
    "rule": (ORDERS["plain"], {}, {"directives": Directives(unpaid_by="R17")}),
    "account": (ORDERS["plain"], {"books": NO_UF}, {}),
    "account-of-rule": (ORDERS["plain"], {"books": NO_UF}, {"directives": Directives(deposit_accounts={"t1": "X"})}),
    "gift": (GIFT, {"file": ledger(**PLAIN_LEDGER)}, {}),
    "gift-paid": (GIFT, {}, {}),
    "start": (ORDERS["plain"], {"start_date": date(2026, 3, 3)}, {}),
    "start-day": (ORDERS["plain"], {"start_date": ORDER_DAY}, {}),
    "closed": (ORDERS["plain"], {"books": company(closed_through=ORDER_DAY)}, {}),
    "closed-before": (ORDERS["plain"], {"books": company(closed_through=date(2026, 3, 1))}, {}),
    "none": (ORDERS["plain"], {}, {}),
    "held": (ORDERS["off-by-much"], {}, {"written": ()}),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_payment_is_explained_as_its_file_says(name: str) -> None:
    source, changes, more = MISSING[name]
    mode = changes.get("mode", IF_PAID)
    settings = configuration(mode, **{key: value for key, value in changes.items() if key != "mode"})
    usual = configuration(mode if name in {"staged", "mode"} else IF_PAID)
    result = mapped(source, usual)
    written = more.get("written", tuple(one.key for one in result.documents))
    refused = mapped(ORDERS["wrong-mode"], usual).reason if "refused" in more else None
    view = LedgerView(written=written, refused=refused, references=more.get("references", ()))
    paid = source.tenders[0] if source.tenders else tender("77.00", captured_at=LATER)
    reason = why_no_payment(source, paid, settings, more.get("directives", Directives()), result, view)
    found, expected = expectation(f"missing-payments/{name}", reason)
    assert found == expected
