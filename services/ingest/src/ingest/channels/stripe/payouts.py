"""A payout of Stripe from its balance transactions. Pure.

Stripe knows charges, not orders: a line carries the charge's id as reference (shops keep it with the payment), the
payment intent's as tender, and an order number where the shop wrote one into the metadata.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from common.messages.orders import Payout, PayoutLine
from common.money import exponent
from ingest.channel import Account
from ingest.channels.stripe.wire import StripeBalanceTransaction, StripePayout, StripeSource
from ingest.errors import NormalizationError, OutOfScope
from ingest.payout_lines import payout_currency, status_of
from ingest.payout_parts import CHARGE, PayoutParts
from ingest.reading import unreadable
from ingest.text import identifier, short
from ingest.totals import local_date

NAME: Final = "stripe"
_PLACES: Final[Mapping[str, int]] = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Currencies that Stripe counts in other units than ISO 4217 does."""
_NUMBERS: Final = ("order_number", "order_name", "order", "order_id")
"""Keys of metadata under which shops write an order's number, best first."""

KINDS: Final[Mapping[str, str]] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "payment_reversal": "refund",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback_reversal",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "fee": "fee",
    "network_cost": "fee",
    "tax_fee": "fee",
    "tax": "fee",
    "application_fee": "fee",
    "application_fee_refund": "fee",
    "reserve_transaction": "reserve",
    "reserved_funds": "reserve",
    "risk_reserved_funds": "reserve",
    "connect_reserved_funds": "reserve",
    "advance": "loan",
    "advance_funding": "loan",
    "anticipation_repayment": "loan",
    "financing_payout": "loan",
    "financing_paydown": "loan",
    "payout": "transfer",
    "payout_cancel": "transfer",
    "payout_failure": "transfer",
    "payout_reversal": "transfer",
    "transfer": "transfer",
    "transfer_cancel": "transfer",
    "transfer_failure": "transfer",
    "transfer_refund": "transfer",
    "transfer_reversal": "transfer",
    "topup": "transfer",
    "topup_reversal": "transfer",
}
"""Reporting category, else type → kind of line. The set is open: any other is an adjustment under its own name, for
which the settings name an account."""


def normalize_payout(parts: PayoutParts, account: Account) -> Payout:
    """One payout. Raises `NormalizationError`, or `OutOfScope` while Stripe is still reconciling it."""
    try:
        head = StripePayout.model_validate(parts.head())
        rows = [StripeBalanceTransaction.model_validate(row) for row in parts.rows("data")]
        charges = [StripeSource.model_validate(body) for body in parts.bodies(CHARGE)]
    except ValidationError as error:
        raise unreadable(error) from error
    if not head.automatic:
        raise NormalizationError(
            "automatic", "false", "upload what is in it as a payout CSV", code="PAYOUT_NOT_ITEMISED",
            text="the payout was made by hand, and Stripe does not say what is in such a payout",
        )  # fmt: skip
    if head.reconciliation_status == "in_progress":
        raise OutOfScope("PAYOUT_NOT_RECONCILED", "Stripe has not finished listing what is in the payout")
    currency = payout_currency(head.currency)
    known = {source.id: source for source in (*charges, *(row.source for row in rows if row.source is not None))}
    lines: list[PayoutLine] = []
    for row in rows:
        # The transfer to the bank is listed with what it consists of.
        if row.type != "payout" or row.source is None or row.source.id != head.id:
            lines.extend(_lines(row, currency, known, account))
    return Payout(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=parts.payout_id,
        processor=NAME,
        currency=currency,
        paid_on=datetime.fromtimestamp(head.arrival_date, UTC).date(),
        status=status_of(head.status),
        net=_amount(head.amount, currency, "amount"),
        lines=tuple(lines),
    )


def _lines(
    row: StripeBalanceTransaction, currency: str, known: Mapping[str, StripeSource], account: Account
) -> list[PayoutLine]:
    place = f"data.{row.id}"
    if row.currency.upper() != currency:
        raise NormalizationError(
            f"{place}.currency", row.currency, "fetch the payout again", code="CURRENCY_MISMATCH",
            text=f"the payout is in {currency}, {row.id} in {row.currency.upper()}",
        )  # fmt: skip
    amount, net = _amount(row.amount, currency, f"{place}.amount"), _amount(row.net, currency, f"{place}.net")
    kind = KINDS.get(row.reporting_category) or KINDS.get(row.type, "adjustment")
    if kind == "reserve":
        kind = "reserve_held" if amount < 0 else "reserve_released"
    charge = _charge_of(row, known)
    is_refund = kind == "refund"
    line = PayoutLine(
        external_id=identifier(row.id),
        kind=kind,
        amount=amount,
        fee=amount - net,
        order_number=_order_number(row, charge),
        tender_external_id="" if is_refund or charge is None else identifier(charge.payment_intent or ""),
        refund_external_id=identifier(row.source.id) if is_refund and row.source is not None else "",
        reference="" if charge is None else short(charge.id),
        description=""
        if kind in {"charge", "refund"}
        else short((row.reporting_category or row.type).replace("_", " ")),
        occurred_on=local_date(datetime.fromtimestamp(row.created, UTC), account.zone),
    )
    return _with_dispute_fee(line) if kind in {"chargeback", "chargeback_reversal"} and line.fee else [line]


def _with_dispute_fee(line: PayoutLine) -> list[PayoutLine]:
    none = line.fee - line.fee
    fee = {"external_id": identifier(f"{line.external_id}:fee"), "kind": "dispute_fee", "description": "dispute fee"}
    return [
        line.model_copy(update={"fee": none}),
        line.model_copy(update={**fee, "amount": -line.fee, "fee": none}),
    ]


def _charge_of(row: StripeBalanceTransaction, known: Mapping[str, StripeSource]) -> StripeSource | None:
    """The charge behind a row: its source, or what its source is about."""
    source = row.source
    if source is None or not source.id.startswith(("ch_", "py_", "re_", "pyr_", "dp_", "du_")):
        return None
    return known.get(source.charge or "") if source.charge else source


def _order_number(row: StripeBalanceTransaction, charge: StripeSource | None) -> str:
    for source in (row.source, charge):
        for name in _NUMBERS if source is not None else ():
            value: Any = source.metadata.get(name) if source is not None else None
            if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
                return short(str(value).strip().removeprefix("#"))
    return ""


def _amount(minor: int, currency: str, field: str) -> Decimal:
    """Minor units as Stripe counts them, in the currency's own decimals."""
    places = exponent(currency)
    value = Decimal(minor).scaleb(-_PLACES.get(currency, places))
    exact = value.quantize(Decimal(1).scaleb(-places))
    if exact != value:
        raise NormalizationError(field, minor, "fetch the payout again", code="UNREADABLE_AMOUNT")
    return exact
