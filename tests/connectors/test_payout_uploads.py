"""Uploaded payout files: what they become, which column is wrong, and what a bad row costs."""

import gzip
import json
import tracemalloc
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.connectors.conftest import account

from common.messages.orders import Payout
from ingest.errors import NormalizationError
from ingest.payout_lines import KINDS, net_of
from ingest.payout_parts import FILE, PayoutPart, PayoutParts
from ingest.uploads import BY_NAME, payout_csv, settlement
from ingest.uploads.file import FileRefused, packed

D = Decimal
HEADER = "\t".join(
    (
        *("settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency"),
        *("transaction-type", "order-id", "marketplace-name", "amount-type", "amount-description", "amount"),
        *("posted-date", "posted-date-time", "sku"),
    )
)
PAYOUT_B = """order_number,amount,fee,type
1001,77.00,2.53,charge
1002,120.00,3.78,charge
1003,45.50,1.62,charge
1001,-24.66,0,refund
"""
OF_B = {"payout_id": "po-b", "paid_on": "2026-03-15", "currency": "USD", "net": "209.91"}


def read_all(form: str, raw: bytes, parameters: Mapping[str, str] | None = None) -> list[Payout]:
    known = BY_NAME[form]
    found = known.cut(packed(raw), parameters or {})
    parts = [PayoutParts(one.payout_id, (PayoutPart(FILE, "", one.raw),)) for one in found]
    return [known.normalize(part, account("America/New_York")) for part in parts]


def report(*rows: str, total: str = "0.00", currency: str = "USD", start: str = "2026-06-01 00:00:00 UTC") -> bytes:
    summary = f"189\t{start}\t{start}\t{start}\t{total}\t{currency}"
    return "\r\n".join((HEADER, summary, *rows, "")).encode()


def row(transaction: str, order: str, kind: str, description: str, amount: str, day: str = "2026-06-04") -> str:
    what = f"{transaction}\t{order}\tAmazon.com\t{kind}\t{description}\t{amount}"
    return f"189\t\t\t\t\t\t{what}\t{day}\t{day} 14:00:00 UTC\tA"


def test_example_b_of_a_csv_balances_to_the_cent() -> None:
    (payout,) = read_all("payout_csv", PAYOUT_B.encode(), OF_B)
    assert (payout.net, net_of(payout.lines)) == (D("209.91"), D("209.91"))
    assert [(line.kind, line.amount, line.fee, line.order_number) for line in payout.lines][-1] == (
        "refund", D("-24.66"), D("0.00"), "1001",
    )  # fmt: skip
    assert (payout.paid_on, payout.currency, payout.revision) == (date(2026, 3, 15), "USD", 0)


def test_the_same_csv_in_another_dress_is_the_same_payout() -> None:
    (plain,) = read_all("payout_csv", PAYOUT_B.encode(), OF_B)
    dressed = (
        "\ufeff" + PAYOUT_B.replace(",", ";").replace("order_number", "Order Number").replace("\n", "\r\n")
    ).encode()
    assert read_all("payout_csv", dressed, OF_B) == [plain]
    assert read_all("payout_csv", gzip.compress(PAYOUT_B.encode()), OF_B) == [plain]


def test_one_csv_holds_many_payouts_and_a_bad_row_costs_only_its_own() -> None:
    text = (
        "payout_id,paid_on,currency,net,order_number,amount,fee,type\n"
        "one,2026-03-15,USD,9.70,1,10.00,0.30,charge\n"
        "two,2026-03-16,USD,5.00,2,five,0.00,charge\n"
        "three,2026-03-17,USD,4.00,3,5.00,0.30,charge\n"
    )
    known = BY_NAME["payout_csv"]
    one, two, three = known.cut(packed(text.encode()), {})
    good = known.normalize(PayoutParts("one", (PayoutPart(FILE, "", one.raw),)), account())
    assert good.net == net_of(good.lines) == D("9.70")
    with pytest.raises(NormalizationError) as caught:
        known.normalize(PayoutParts("two", (PayoutPart(FILE, "", two.raw),)), account())
    assert (caught.value.reason.field, caught.value.reason.value) == ("row 3, column amount", "five")
    unbalanced = known.normalize(PayoutParts("three", (PayoutPart(FILE, "", three.raw),)), account())
    assert (unbalanced.net, net_of(unbalanced.lines)) == (D("4.00"), D("4.70")), "mapping says that it does not balance"


@pytest.mark.parametrize(
    ("text", "given", "field"),
    [
        ("order,amount,fee,type\n", OF_B, "order_number"),
        ("order_number,amount,type\n", OF_B, "fee"),
        (PAYOUT_B.replace("fee,type", "fee,type,colour", 1), OF_B, "colour"),
        (PAYOUT_B.replace("fee,type", "fee,type,type", 1), OF_B, "type"),
        (PAYOUT_B, {"payout_id": "x", "currency": "USD"}, "paid_on"),
        (PAYOUT_B, {**OF_B, "payout_id": "a/b"}, "payout_id"),
        ("order_number,amount,fee,type,net\n1,1.00,0,charge,1.00\n", OF_B, "net"),
        ("", OF_B, "file"),
        ("order_number,amount,fee,type\n", OF_B, "file"),
        ('order_number,amount,fee,type\n"1,1.00,0,charge\n', OF_B, "file"),
        ("order_number,amount,fee,type,reference\n1,1,000.00,0,charge,\n", OF_B, "6"),
    ],
)
def test_a_csv_that_nothing_can_be_made_of_is_refused_by_column(text: str, given: dict[str, str], field: str) -> None:
    with pytest.raises(FileRefused) as caught:
        payout_csv.cut(packed(text.encode()), given)
    assert caught.value.field == field
    assert caught.value.text


NEEDED = (
    "it needs the columns order_number, amount, fee, type; it may have payout_id, paid_on, currency, net, processor,"
)


@pytest.mark.parametrize(
    ("header", "value", "begins"),
    [
        ("order,amount,fee,type", "order, amount, fee, type", ""),
        ("order_number,amount,fee,type,hue", "hue", "remove it: "),
    ],
)
def test_a_csv_with_a_wrong_column_is_told_which_ones_it_needs(header: str, value: str, begins: str) -> None:
    with pytest.raises(FileRefused) as caught:
        payout_csv.cut(packed(f"{header}\n".encode()), OF_B)
    assert caught.value.value == value
    assert caught.value.cure == f"{begins}{NEEDED} reference, refund_id, tender_id, description, occurred_on"


def test_the_apis_document_names_every_column_and_type_of_the_csv() -> None:
    paths = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())["paths"]
    said = paths["/v1/connections/{connection_id}/payout-files"]["post"]["description"]
    named = (*payout_csv.REQUIRED, *payout_csv.OF_THE_PAYOUT, *payout_csv.OPTIONAL, *KINDS)
    assert [name for name in named if f"`{name}`" not in said] == []


def test_a_type_that_no_line_has_says_so_by_its_code() -> None:
    with pytest.raises(NormalizationError) as caught:
        read_all("payout_csv", b"order_number,amount,fee,type\n1,1.00,0,sale\n", OF_B)
    assert (caught.value.reason.code, caught.value.reason.value) == ("UNKNOWN_LINE_TYPE", "sale")
    assert caught.value.reason.cure.startswith("use one of adjustment, carried_forward, charge,")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("1,1.00,0,gift", "type"),
        ("1,1.005,0,charge", "amount"),
        ("1,NaN,0,charge", "amount"),
        ("1,1e400,0,charge", "amount"),
        ("1,24.66,0,refund", "amount"),
        (",1.00,0,charge", "order_number"),
        ("1,1.00,abc,charge", "fee"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(line: str, column: str) -> None:
    with pytest.raises(NormalizationError) as caught:
        read_all("payout_csv", f"order_number,amount,fee,type\n{line}\n".encode(), OF_B)
    assert caught.value.reason.field is not None
    assert "row 2" in caught.value.reason.field
    assert column in caught.value.reason.field
    assert caught.value.reason.cure


def test_a_settlement_sums_what_belongs_to_one_order() -> None:
    raw = report(
        row("Order", "1", "ItemPrice", "Principal", "10.00"),
        row("Order", "1", "ItemPrice", "Principal", "5.00"),
        row("Order", "1", "ItemPrice", "Tax", "1.24"),
        row("Order", "1", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-1.24"),
        row("Order", "1", "ItemFees", "Commission", "-2.25"),
        row("Refund", "1", "ItemPrice", "Principal", "-5.00"),
        row("Refund", "1", "ItemFees", "RefundCommission", "0.15"),
        row("other-transaction", "", "other-transaction", "Current Reserve Amount", "-3.00"),
        row("other-transaction", "", "other-transaction", "Previous Reserve Amount Balance", "1.00"),
        row("other-transaction", "", "other-transaction", "Something new", "-0.10"),
        total="5.80",
    )
    (payout,) = read_all(settlement.NAME, raw)
    assert payout.external_id == "189"
    assert {(line.kind, line.description): line.amount for line in payout.lines} == {
        ("charge", "Principal"): D("15.00"),
        ("charge", "Tax"): D("1.24"),
        ("charge", "Tax withheld"): D("-1.24"),
        ("fee", "Commission"): D("-2.10"),
        ("refund", "Refund"): D("-5.00"),
        ("reserve_held", "Reserve"): D("-3.00"),
        ("reserve_released", "Previous reserve"): D("1.00"),
        ("adjustment", "Something new"): D("-0.10"),
    }
    assert net_of(payout.lines) == payout.net == D("5.80")


def test_a_settlement_of_europe_has_commas_and_dotted_days() -> None:
    line = row("Order", "1", "ItemPrice", "Principal", "1.016,80", "04.06.2026")
    (payout,) = read_all(
        settlement.NAME, report(line, total="1.016,80", currency="EUR", start="01.06.2026 00:00:00 UTC")
    )
    assert payout.lines[0].amount == payout.net == D("1016.80")
    assert payout.lines[0].occurred_on == date(2026, 6, 4)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (report().replace(b"amount-type", b"price-type"), "amount-type"),
        (report().replace(b"deposit-date", b"x"), "deposit-date"),
        (HEADER.encode(), "file"),
        (report(row("Order", "1", "ItemPrice", "Principal", "1.00").replace("189", "190", 1)), "settlement-id"),
        (b"\x1f\x8b\x08broken", "file"),
        (b"x" * 40_000, "file"),
    ],
)
def test_a_report_that_is_no_settlement_is_refused_by_column(raw: bytes, field: str) -> None:
    with pytest.raises(FileRefused) as caught:
        settlement.cut(packed(raw), {})
    assert caught.value.field == field


def test_a_bad_amount_in_a_report_is_named_by_row() -> None:
    with pytest.raises(NormalizationError) as caught:
        read_all(settlement.NAME, report(row("Order", "1", "ItemPrice", "Principal", "ten")))
    assert caught.value.reason.field == "row 3, column amount"


def test_a_large_report_is_read_without_holding_it() -> None:
    many = (row("Order", str(number % 500), "ItemPrice", "Principal", "1.00") for number in range(40_000))
    raw = packed(report(*many, total="40000.00"))
    tracemalloc.start()
    (one,) = settlement.cut(raw, {})
    payout = settlement.normalize(PayoutParts("189", (PayoutPart(FILE, "", one.raw),)), account())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert net_of(payout.lines) == payout.net == D("40000.00")
    assert len(payout.lines) == 500
    assert peak < 3_000_000, f"{peak} bytes for a report of {len(gzip.decompress(raw))}"


def test_a_report_with_very_many_orders_is_summed_up_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "LINES_MAX", 10)
    many = (row("Order", str(number), "ItemPrice", "Principal", "1.00") for number in range(30))
    (payout,) = read_all(settlement.NAME, report(*many, total="30.00"))
    assert [(line.amount, line.order_number) for line in payout.lines] == [(D("30.00"), "")]
