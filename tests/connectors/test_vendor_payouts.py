"""Every payout, balance transaction and settlement the vendors published, through normalisation, with the outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import orjson
import pytest
from tests.connectors.conftest import account
from tests.vendor_data import FOLDER, has, needs

from common.messages.orders import Payout
from ingest.channels.shopify.payouts import normalize_payout as read_shopify
from ingest.channels.stripe.payouts import normalize_payout as read_stripe
from ingest.errors import NormalizationError, OutOfScope
from ingest.payout_lines import net_of
from ingest.payout_parts import FILE, HEAD, PayoutPart, PayoutParts, page
from ingest.uploads import settlement
from ingest.uploads.file import packed

VENDORS = ("shopify", "stripe", "amazon-settlement")
pytestmark = [pytest.mark.vendor, needs(*VENDORS)]


@dataclass(frozen=True, slots=True)
class Case:
    """`outcome`: net and what the lines come to, or the code of the reason."""

    name: str
    read: Callable[[], Payout]
    outcome: str
    why: str


def shopify(file: str, index: int | None, *, rows: bool) -> Callable[[], Payout]:
    def read() -> Payout:
        body = orjson.loads((FOLDER / "shopify/fixtures" / file).read_bytes())
        head = body["payout"] if index is None else body["payouts"][index]
        listed = (
            (FOLDER / "shopify/fixtures/payouts_transactions.json").read_bytes() if rows else b'{"transactions": []}'
        )
        identity = str(head["id"])
        parts = (PayoutPart(HEAD, "", orjson.dumps(head)), page(0, listed))
        return read_shopify(PayoutParts(identity, parts), account())

    return read


def stripe() -> Payout:
    fixtures = FOLDER / "stripe/fixtures"
    row = orjson.loads((fixtures / "balance_transaction.json").read_bytes())
    row["source"] = orjson.loads((fixtures / "charge.json").read_bytes())
    parts = (
        PayoutPart(HEAD, "", (fixtures / "payout.json").read_bytes()), page(0, orjson.dumps({"data": [row]})),
    )  # fmt: skip
    return read_stripe(PayoutParts("po", parts), account())


def amazon(file: str) -> Callable[[], Payout]:
    def read() -> Payout:
        (one,) = settlement.cut(packed((FOLDER / "amazon-settlement/fixtures" / file).read_bytes()), {})
        return settlement.normalize(PayoutParts(one.payout_id, (PayoutPart(FILE, "", one.raw),)), account())

    return read


def cases() -> list[Case]:
    found = [
        Case("shopify payout.json with its transactions", shopify("payout.json", None, rows=True),
             "paid 41.90 of 81.38",
             "the published sample does not balance: the deposit is held with PAYOUT_UNBALANCED"),
        Case("stripe payout.json with a charge", stripe, "pending 11.00 of 1.00",
             "in transit: kept, and sent on when it is paid"),
        Case("amazon usd", amazon("synthetic-v2-usd.txt"), "paid 38.31 of 38.31", "balances"),
        Case("amazon eur", amazon("synthetic-v2-eur-comma-negative-total.txt"), "paid -42.51 of -42.51",
             "balances, and takes money from the bank"),
        Case("amazon jpy", amazon("synthetic-v2-jpy-zero-decimal.txt"), "paid 2397 of 2397", "balances"),
    ]  # fmt: skip
    if (FOLDER / "shopify/fixtures/payouts.json").is_file():
        listed = orjson.loads((FOLDER / "shopify/fixtures/payouts.json").read_bytes())["payouts"]
        status = {"paid": "paid", "failed": "failed", "canceled": "failed"}
        for index, head in enumerate(listed):
            found.append(
                Case(
                    f"shopify payouts.json {head['id']}",
                    shopify("payouts.json", index, rows=False),
                    f"{status.get(head['status'], 'pending')} {head['amount']} of 0",
                    f"{head['status']}, and no transactions were published for it",
                )
            )
    return found


def outcome_of(case: Case) -> str:
    try:
        payout = case.read()
    except (NormalizationError, OutOfScope) as error:
        return error.reason.code
    return f"{payout.status} {payout.net:f} of {net_of(payout.lines):f}"


def test_print_what_became_of_every_payout(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n\npayouts the vendors published")
        for case in cases():
            print(f"  {case.name:<50} {outcome_of(case):<24} {case.why}")
    assert len(cases()) >= 5


@pytest.mark.parametrize("case", cases() if has(*VENDORS) else [], ids=lambda case: case.name)
def test_a_published_payout_is_read_as_the_table_says(case: Case) -> None:
    assert outcome_of(case) == case.outcome, case.why


def test_no_kind_of_line_is_lost_in_the_published_settlement() -> None:
    payout = amazon("synthetic-v2-usd.txt")()
    by_kind: dict[str, Decimal] = {}
    for line in payout.lines:
        by_kind[line.kind] = by_kind.get(line.kind, Decimal(0)) + line.amount
    assert set(by_kind) == {"charge", "refund", "fee", "adjustment", "reserve_held", "reserve_released"}
    assert by_kind["reserve_held"] == Decimal("-75.00")
    assert by_kind["adjustment"] == Decimal("11.25")
