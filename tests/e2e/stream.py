"""One quarter of a shop's orders as it would be told twice: as they were first seen, and as they ended."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.unit.mapper.samples import D, first_refund, line, order, refunded, tax, tender
from tests.unit.mapper.test_payouts import payout, payout_line

from common.messages.orders import (
    Customer,
    FinancialStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    Payout,
    Refund,
    RefundAdjustment,
    RefundLine,
    ShippingLine,
    Tender,
    TenderKind,
)

EURO_METHOD = "euro card"
BUYERS = ("Ada Lovelace", "Emmy Noether", "Mary Somerville")
MONTH_ENDS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30))


def _at(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


def paid(amount: str, on: date, number: int, ordinal: int = 1, **changes: Any) -> Tender:
    return tender(amount, f"t{number}-{ordinal}", captured_on=on, captured_at=_at(on), **changes)


def sold(number: int, on: date, *tenders: Tender, **changes: Any) -> Order:
    """Example A under a number of its own: 69.99 less 5.00, shipping 7.95, tax 4.06; total 77.00."""
    first, last = BUYERS[number % len(BUYERS)].split()
    received = sum((one.amount for one in tenders), D("0.00"))
    total: Decimal = changes.get("total", D("77.00"))
    status = FinancialStatus.PAID if received >= total else FinancialStatus.PARTIALLY_PAID
    values: dict[str, Any] = {
        "external_id": f"id{number}",
        "number": str(number),
        "ordered_on": on,
        "created_at": _at(on),
        "modified_at": _at(on),
        "customer": Customer(external_id=last, first_name=first, last_name=last),
        "lines": (
            line("l1", "HAMMER", "25.00", "2", taxes=(tax("2.90"),)),
            line("l2", "NAILS", "19.99", "1", taxes=(tax("1.16"),)),
        ),
        "discounts": (OrderDiscount(code="SAVE5", title="Save 5", amount=D("5.00")),),
        "shipping_lines": (ShippingLine(external_id="s1", title="Ground", amount=D("7.95"), discount=D("0.00")),),
        "taxes": (tax("4.06"),),
        "tax_total": D("4.06"),
        "total": D("77.00"),
        "tenders": tenders,
        "financial_status": status if received else FinancialStatus.PENDING,
    }
    return order(**(values | changes))


def plain(number: int, on: date, amount: str, **changes: Any) -> Order:
    """One thing without tax, shipping or discount, paid on the day."""
    changes.setdefault("lines", (line("l1", f"THING-{number % 4}", amount),))
    none: dict[str, Any] = {"discounts": (), "shipping_lines": (), "taxes": (), "tax_total": D("0.00")}
    tenders = changes.pop("tenders", (paid(amount, on, number),) if D(amount) else ())
    return sold(number, on, *tenders, **(none | {"total": D(amount)} | changes))


def euro(number: int, on: date, amount: str, **changes: Any) -> Order:
    """One thing that is sold in euros, of which one was worth 1.10 that day, and paid to the processor of euros."""
    tenders = (paid(amount, on, number, currency="EUR", method=EURO_METHOD),)
    return plain(number, on, amount, **({"tenders": tenders, "currency": "EUR", "exchange_rate": D("1.10")} | changes))


def returned(number: int, on: date, *, restock: bool = False) -> Refund:
    """One hammer of example A: 24.66."""
    back = refunded("24.66", f"rt{number}", tender_external_id=f"t{number}-1")
    lines = tuple(one.model_copy(update={"restock": restock}) for one in first_refund().lines)
    return first_refund(external_id=f"r{number}", refunded_on=on, created_at=_at(on), transactions=(back,), lines=lines)


def everything(number: int, on: date) -> Refund:
    """All of example A: 77.00."""
    lines = (
        RefundLine(line_external_id="l1", quantity=D(2), amount=D("46.42"), discount=D("3.58"), tax=D("2.90")),
        RefundLine(line_external_id="l2", quantity=D(1), amount=D("18.57"), discount=D("1.42"), tax=D("1.16")),
    )
    back = refunded("77.00", f"rt{number}", tender_external_id=f"t{number}-1")
    return first_refund(
        external_id=f"r{number}",
        refunded_on=on,
        created_at=_at(on),
        lines=lines,
        tax=D("4.06"),
        shipping=D("7.95"),
        transactions=(back,),
    )


def goodwill(number: int, on: date, amount: str) -> Refund:
    """Money back that no line explains."""
    back = refunded(amount, f"rt{number}", tender_external_id=f"t{number}-1")
    stated = (RefundAdjustment(title="Goodwill", amount=D(amount), tax=D("0.00")),)
    return first_refund(
        external_id=f"r{number}",
        refunded_on=on,
        created_at=_at(on),
        lines=(),
        tax=D("0.00"),
        adjustments=stated,
        transactions=(back,),
    )


def _changing() -> list[tuple[Order, Order]]:
    """Orders as first seen, and as they ended."""
    unpaid = sold(1002, date(2026, 1, 15))
    a, b = sold(1003, date(2026, 1, 20), paid("77.00", date(2026, 1, 20), 1003)), 1004
    whole = sold(b, date(2026, 1, 31), paid("77.00", date(2026, 1, 31), b))
    part = sold(1011, date(2026, 2, 25), paid("30.00", date(2026, 2, 25), 1011))
    stopped = sold(1012, date(2026, 2, 27), paid("30.00", date(2026, 2, 27), 1012))
    cancelled = sold(1009, date(2026, 2, 16))
    gone = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 4)}
    both = (paid("30.00", date(2026, 2, 25), 1011), paid("47.00", date(2026, 3, 3), 1011, 2))
    owed = euro(1042, date(2026, 2, 20), "45.45", tenders=(), financial_status=FinancialStatus.PENDING)
    later = paid("45.45", date(2026, 3, 2), 1042, currency="EUR", method=EURO_METHOD, exchange_rate=D("1.123"))
    settled = owed.model_copy(update={"tenders": (later,), "financial_status": FinancialStatus.PAID})
    sent_back = euro(1043, date(2026, 2, 22), "60.00")
    friendly = sold(1019, date(2026, 3, 25), paid("77.00", date(2026, 3, 25), 1019))
    return [
        (unpaid, sold(1002, date(2026, 1, 15), paid("77.00", date(2026, 2, 3), 1002))),
        (a, a.model_copy(update={"refunds": (returned(1003, date(2026, 2, 10)),)})),
        (whole, whole.model_copy(update={"refunds": (everything(b, date(2026, 3, 5)),)})),
        (part, sold(1011, date(2026, 2, 25), *both)),
        (stopped, stopped.model_copy(update=gone)),
        (cancelled, cancelled.model_copy(update=gone)),
        (owed, settled),
        (sent_back, sent_back.model_copy(update={"refunds": (goodwill(1043, date(2026, 3, 9), "20.00"),)})),
        (friendly, friendly.model_copy(update={"refunds": (goodwill(1019, date(2026, 4, 2), "10.00"),)})),
    ]


def _lasting() -> list[Order]:
    """Orders that are told once."""
    january, february, march = date(2026, 1, 25), date(2026, 2, 14), date(2026, 3, 14)
    card = paid("30.00", january, 1005, 2, kind=TenderKind.GIFT_CARD, method="gift_card")
    free = (line("l1", "THING-0", "25.00", amount=D("0.00"), discount=D("25.00")),)
    mug = (line("l1", "MUG", "13.55", taxes=(tax("1.35", "GST", "0.10"),)),)
    vat: dict[str, Any] = {"taxes": (tax("1.35", "GST", "0.10"),), "tax_total": D("1.35"), "tax_included": True}
    cheaper = (line("l1", "THING-1", "50.00", "2", amount=D("90.00"), discount=D("10.00")),)
    sales = [
        sold(1001, date(2026, 1, 10), paid("77.00", date(2026, 1, 10), 1001)),
        plain(1005, january, "80.00", tenders=(paid("50.00", january, 1005), card)),
        plain(1006, february, "50.00", lines=(line("l1", "CARD", "50.00", is_gift_card=True),)),
        sold(1007, february, paid("82.00", february, 1007), tips=D("5.00"), total=D("82.00")),
        plain(1008, february, "0.00", lines=free, financial_status=FinancialStatus.PAID),
        sold(1010, date(2026, 2, 20), paid("30.00", date(2026, 2, 20), 1010)),
        sold(1013, date(2026, 3, 6), paid("80.00", date(2026, 3, 6), 1013)),
        sold(1014, date(2026, 3, 8), financial_status=FinancialStatus.AUTHORIZED),
        plain(1015, march, "90.00", lines=cheaper),
        plain(1016, march, "14.90", lines=mug, **vat),
        sold(1017, march, paid("77.01", march, 1017), total=D("77.01"), rounding=D("0.01")),
        sold(1020, date(2026, 3, 28), paid("77.00", date(2026, 3, 28), 1020), tax_remitted=D("4.06")),
    ]
    sales += [euro(1040, january, "80.00"), euro(1041, march, "33.35")]
    sales += [plain(1030 + n, date(2026, 1 + n % 3, 3 + 2 * n), f"{11 + 7 * n}.{n}5") for n in range(9)]
    return sales


def first_seen() -> list[Order]:
    return [*(first for first, _ in _changing()), *_lasting()]


def changes() -> list[Order]:
    return [last for _, last in _changing()]


def payouts() -> list[Payout]:
    """Two settlements of card money; the first one crosses a month end."""
    first = [
        payout_line(
            "charge", "77.00", "2.53", order_number="1001", tender_external_id="t1001-1", occurred_on=date(2026, 1, 30)
        ),
        payout_line(
            "charge", "77.00", "2.53", order_number="1003", tender_external_id="t1003-1", occurred_on=date(2026, 2, 1)
        ),
    ]
    second = [
        payout_line(
            "charge", "77.00", "2.53", order_number="1002", tender_external_id="t1002-1", occurred_on=date(2026, 2, 11)
        ),
        payout_line("refund", "-24.66", order_number="1003", refund_external_id="r1003", occurred_on=date(2026, 2, 10)),
        payout_line("chargeback", "-15.00", occurred_on=date(2026, 2, 12)),
        payout_line("reserve_held", "-5.00", occurred_on=date(2026, 2, 12)),
    ]
    # Sold for 88.00 of the home currency, and worth 86.40 by the day it reaches the bank.
    foreign = payout_line(
        "charge", "86.40", "2.70", order_number="1040", tender_external_id="t1040-1", occurred_on=date(2026, 3, 5)
    )
    return [
        payout("83.70", foreign, external_id="po_3", paid_on=date(2026, 3, 6)),
        payout("148.94", *first, external_id="po_1", paid_on=date(2026, 2, 2)),
        payout("29.81", *second, external_id="po_2", paid_on=date(2026, 2, 14)),
    ]
