"""Payouts of Shopify Payments and Stripe: read the same way every time, to the cent, from pages as the APIs give."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from tests.connectors.conftest import SECRET, account

from common.messages.orders import Payout
from ingest.channel import ChannelClient, PaysOut
from ingest.channels.shopify import CHANNEL as SHOPIFY
from ingest.channels.shopify.payouts import normalize_payout as read_shopify
from ingest.channels.stripe import CHANNEL as STRIPE
from ingest.channels.stripe.payouts import normalize_payout as read_stripe
from ingest.channels.stripe.settings import StripeCredentials
from ingest.channels.stripe.webhook import parse, verify
from ingest.errors import BodyUnreadable, NormalizationError, OutOfScope, SignatureInvalid
from ingest.payout_lines import net_of
from ingest.payout_parts import CHARGE, HEAD, PayoutPart, PayoutParts, page
from sandbox.shops.app import make_app
from sandbox.shops.faults import Fault
from sandbox.shops.life import ShopLife
from sandbox.shops.payouts import payouts_of
from sandbox.shops.store import Credentials, ShopStore
from sandbox.shops.stripe_rest import event

D = Decimal
NOW = datetime.now(UTC)


def shop(kind: str, orders: int = 120) -> ShopStore:
    """A shop whose whole life is over, so that every payout has arrived."""
    life = ShopLife(3, kind, "us", NOW.date() - timedelta(days=40), orders_per_day=20)  # type: ignore[arg-type]
    store = ShopStore("north", life, orders, Credentials("shpat", "ck", "cs", "whsec"), "unlimited")
    store.advance()
    return store


def client_of(store: ShopStore) -> ChannelClient:
    transport = httpx.ASGITransport(make_app([store]))
    if store.life.kind == "shopify":
        login = {"shop_domain": "north.myshopify.com", "webhook_secret": "s", "access_token": "shpat"}
        known = SHOPIFY.credentials.model_validate({**login, "base_url": "http://shops/north"})
        return SHOPIFY.connect(known, transport)
    login = {"secret_key": "sk_test_north", "orders_connection": "con", "base_url": "http://shops/north/stripe"}
    return STRIPE.connect(STRIPE.credentials.model_validate(login), transport)


async def fetched(store: ShopStore) -> list[Payout]:
    client = client_of(store)
    assert isinstance(client, PaysOut)
    read = read_shopify if store.life.kind == "shopify" else read_stripe
    found = []
    try:
        async for heads in client.payouts(NOW.date() - timedelta(days=60), NOW.date() + timedelta(days=7)):
            for head in heads:
                parts = PayoutParts(head.payout_id, await client.payout_parts(head))
                payout = read(parts, account("America/New_York"))
                assert read(parts, account("America/New_York")) == payout
                assert head.is_paid == (payout.status == "paid")
                found.append(payout)
    finally:
        await client.close()
    return sorted(found, key=lambda payout: payout.paid_on)


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "custom"])
async def test_every_payout_of_a_life_balances_and_nothing_is_paid_out_twice(kind: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("ingest.channels.shopify.client.PAGE_SIZE", 3)
    monkeypatch.setattr("ingest.channels.shopify.client.BALANCE_PAGE_SIZE", 4)
    monkeypatch.setattr("ingest.channels.stripe.client.PAGE_SIZE", 3)
    store = shop(kind)
    expected = payouts_of(store)
    payouts = await fetched(store)
    assert [payout.paid_on for payout in payouts] == [one.arrives for one in expected]
    assert [payout.net for payout in payouts] == [D(one.amount).scaleb(-2) for one in expected]
    for payout, one in zip(payouts, expected, strict=True):
        assert net_of(payout.lines) == payout.net
        assert [line.kind for line in payout.lines].count("refund") == sum(m.amount < 0 for m in one.movements)
        assert len(payout.lines) == len(one.movements)
    lines = [line.external_id for payout in payouts for line in payout.lines]
    assert len(lines) == len(set(lines)) > 20


async def test_a_throttled_payout_api_is_waited_for() -> None:
    for kind in ("shopify", "woocommerce"):
        store = shop(kind, 30)
        store.faults.add(Fault("throttle", path="payouts", seconds=0.01))
        store.faults.add(Fault("throttle", path="balance", seconds=0.01))
        assert [payout.net for payout in await fetched(store)] == [
            D(one.amount).scaleb(-2) for one in payouts_of(store)
        ]
        assert not store.faults.waiting


async def test_a_refund_finds_its_order_by_a_charge_that_was_paid_out_before() -> None:
    store = shop("woocommerce")
    payouts = await fetched(store)
    numbers = {held.snapshot.number for held in store.orders.values()}
    refunds = [line for payout in payouts for line in payout.lines if line.kind == "refund"]
    assert refunds
    assert {line.order_number for line in refunds} <= numbers
    assert all(line.refund_external_id.startswith("re_") for line in refunds)


def shopify(*rows: dict[str, Any], amount: str = "0.00", **head: Any) -> PayoutParts:
    top = {"id": 7, "status": "paid", "date": "2026-03-15", "currency": "USD", "amount": amount, **head}
    usual = {"currency": "USD", "fee": "0.00", "processed_at": "2026-03-13T23:30:00-04:00", "test": False}
    listed = [{**usual, "net": row["amount"], "id": number, **row} for number, row in enumerate(rows, start=1)]
    return PayoutParts("7", (PayoutPart(HEAD, "", orjson.dumps(top)), page(0, orjson.dumps({"transactions": listed}))))


def stripe(
    *rows: dict[str, Any], amount: int = 0, charges: tuple[dict[str, Any], ...] = (), **head: Any
) -> PayoutParts:
    top = {"id": "po_7", "status": "paid", "arrival_date": 1773532800, "currency": "usd", "amount": amount, **head}
    usual = {"currency": "usd", "created": 1773400000, "source": None}
    listed = [{**usual, "net": row["amount"], "id": f"txn_{number}", **row} for number, row in enumerate(rows, start=1)]
    return PayoutParts(
        "po_7",
        (
            PayoutPart(HEAD, "", orjson.dumps(top)),
            page(0, orjson.dumps({"data": listed})),
            *(PayoutPart(CHARGE, charge["id"], orjson.dumps(charge)) for charge in charges),
        ),
    )


def kinds(payout: Payout) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.kind, line.amount, line.fee) for line in payout.lines]


def test_each_type_of_shopify_becomes_its_kind_of_line() -> None:
    payout = read_shopify(
        shopify(
            {"type": "payout", "amount": "-100.00", "source_id": 7},
            {
                "type": "charge",
                "amount": "100.00",
                "net": "96.80",
                "source_order_id": 11,
                "source_order_transaction_id": 12,
            },
            {"type": "refund", "amount": "-20.00", "source_order_id": 11, "source_order_transaction_id": 13},
            {"type": "dispute", "amount": "-11.50", "net": "-26.50"},
            {"type": "dispute_reversal", "amount": "11.50", "net": "26.50"},
            {"type": "reserve", "amount": "-42.00"},
            {"type": "reserve", "amount": "42.00"},
            {"type": "debit", "amount": "-1.00"},
            {"type": "payout_failure", "amount": "5.00"},
        ),
        account("America/New_York"),
    )
    assert kinds(payout) == [
        ("charge", D("100.00"), D("3.20")),
        ("refund", D("-20.00"), D("0.00")),
        ("chargeback", D("-11.50"), D("0.00")),
        ("dispute_fee", D("-15.00"), D("0.00")),
        ("chargeback_reversal", D("11.50"), D("0.00")),
        ("dispute_fee", D("15.00"), D("0.00")),
        ("reserve_held", D("-42.00"), D("0.00")),
        ("reserve_released", D("42.00"), D("0.00")),
        ("adjustment", D("-1.00"), D("0.00")),
        ("transfer", D("5.00"), D("0.00")),
    ]
    charge, refund = payout.lines[:2]
    assert (charge.order_external_id, charge.tender_external_id, charge.refund_external_id) == ("11", "12", "")
    assert (refund.order_external_id, refund.tender_external_id, refund.refund_external_id) == ("11", "", "13")
    assert charge.occurred_on == date(2026, 3, 13), "the shop's day, not the day in UTC"
    assert payout.lines[-2].description == "debit"


def test_each_type_of_stripe_becomes_its_kind_of_line() -> None:
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {"order_number": "#1001"}}
    payout = read_stripe(
        stripe(
            {"type": "payout", "amount": -5000, "source": {"id": "po_7", "object": "payout"}},
            {"type": "charge", "reporting_category": "charge", "amount": 10000, "net": 9680, "source": charge},
            {"type": "refund", "amount": -2000, "source": {"id": "re_1", "object": "refund", "charge": "ch_0"}},
            {"type": "adjustment", "reporting_category": "dispute", "amount": -4550, "net": -6050, "source": "dp_1"},
            {"type": "stripe_fee", "reporting_category": "fee", "amount": -100},
            {"type": "reserved_funds", "amount": -500},
            {"type": "adjustment", "reporting_category": "other_adjustment", "amount": 30},
            charges=({"id": "ch_0", "object": "charge", "metadata": {"order_id": 999}},),
        ),
        account(),
    )
    assert kinds(payout) == [
        ("charge", D("100.00"), D("3.20")),
        ("refund", D("-20.00"), D("0.00")),
        ("chargeback", D("-45.50"), D("0.00")),
        ("dispute_fee", D("-15.00"), D("0.00")),
        ("fee", D("-1.00"), D("0.00")),
        ("reserve_held", D("-5.00"), D("0.00")),
        ("adjustment", D("0.30"), D("0.00")),
    ]
    sale, refund = payout.lines[:2]
    assert (sale.order_number, sale.reference, sale.tender_external_id) == ("1001", "ch_1", "pi_1")
    assert (refund.order_number, refund.reference, refund.refund_external_id) == ("999", "ch_0", "re_1")
    assert payout.lines[-1].description == "other adjustment"


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [("jpy", 500, "500"), ("isk", 50000, "500"), ("kwd", 1250, "1.250"), ("mga", 7, "7.00"), ("usd", -1, "-0.01")],
)
def test_stripe_counts_minor_units_of_its_own(currency: str, minor: int, amount: str) -> None:
    parts = stripe({"type": "charge", "amount": minor, "currency": currency}, amount=minor, currency=currency)
    assert read_stripe(parts, account()).net == D(amount)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (shopify({"type": "charge", "amount": "1.00", "test": True}), "TEST_PAYOUT"),
        (shopify({"type": "charge", "amount": "1.00", "currency": "EUR"}), "CURRENCY_MISMATCH"),
        (shopify(currency="XYZ"), "UNKNOWN_CURRENCY"),
        (shopify(status="levitating"), "UNKNOWN_STATUS"),
        (shopify(amount="1.005"), "UNREADABLE_AMOUNT"),
        (shopify(date="soon"), "UNREADABLE_ORDER"),
        (PayoutParts("7", ()), "DETAILS_MISSING"),
        (PayoutParts("7", (PayoutPart(HEAD, "", b"{"),)), "UNREADABLE_PAYOUT"),
        (PayoutParts("7", (PayoutPart(HEAD, "", b"{}"),)), "UNREADABLE_ORDER"),
    ],
)
def test_a_shopify_payout_that_can_not_be_read_says_why(parts: PayoutParts, code: str) -> None:
    with pytest.raises((NormalizationError, OutOfScope)) as caught:
        read_shopify(parts, account())
    assert caught.value.reason.code == code


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (stripe(automatic=False), "PAYOUT_NOT_ITEMISED"),
        (stripe(reconciliation_status="in_progress"), "PAYOUT_NOT_RECONCILED"),
        (stripe({"type": "charge", "amount": 1, "currency": "eur"}), "CURRENCY_MISMATCH"),
        (stripe(status="levitating"), "UNKNOWN_STATUS"),
        (stripe({"type": "charge", "amount": 1.5}), "UNREADABLE_ORDER"),
        (stripe(currency="isk", amount=1050), "UNREADABLE_AMOUNT"),
    ],
)
def test_a_stripe_payout_that_can_not_be_read_says_why(parts: PayoutParts, code: str) -> None:
    with pytest.raises((NormalizationError, OutOfScope)) as caught:
        read_stripe(parts, account())
    assert caught.value.reason.code == code


def test_a_signed_event_announces_its_payout_and_a_forged_or_old_one_is_refused() -> None:
    store = shop("woocommerce", 30)
    row = payouts_of(store)[0]
    headers, body = event(store, row, NOW)
    known = StripeCredentials(
        secret_key=SecretStr(SECRET), webhook_secret=SecretStr("whsec_stripe_north"), orders_connection="con"
    )
    verify(headers, body, known, NOW)
    delivery = parse(headers, body)
    assert delivery.payout is not None
    assert (delivery.payout.payout_id, delivery.topic) == (f"po_{row.id}", "payout.paid")
    signed = headers["stripe-signature"]
    rolled = {"stripe-signature": signed.replace(",v1=", f",v1={'0' * 64},v0=abc,v1=")}
    verify(rolled, body, known, NOW)
    without = known.model_copy(update={"webhook_secret": None})
    for given, content, credentials, now, code in (
        (headers, body + b" ", known, NOW, "SIGNATURE_INVALID"),
        (headers, body, known, NOW + timedelta(seconds=301), "SIGNATURE_OUTDATED"),
        (headers, body, known, NOW - timedelta(seconds=301), "SIGNATURE_OUTDATED"),
        (headers, body, without, NOW, "WEBHOOK_SECRET_MISSING"),
        ({}, body, known, NOW, "SIGNATURE_MISSING"),
        ({"stripe-signature": "t=x,v1=y"}, body, known, NOW, "SIGNATURE_MALFORMED"),
        ({"stripe-signature": signed.split(",")[0]}, body, known, NOW, "SIGNATURE_MALFORMED"),
        ({"stripe-signature": f"{signed.split(',')[0]},v1=ü"}, body, known, NOW, "SIGNATURE_INVALID"),
    ):
        with pytest.raises(SignatureInvalid) as refused:
            verify(given, content, credentials, now)
        assert refused.value.code == code
    for broken in (b"", b"[]", b'{"type": "payout.paid"}', b'{"type": "payout.paid", "data": {"object": {"id": 5}}}'):
        with pytest.raises(BodyUnreadable):
            parse({}, broken)
    assert parse({}, b'{"type": "charge.succeeded"}').payout is None
