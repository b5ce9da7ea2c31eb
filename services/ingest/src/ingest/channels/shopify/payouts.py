"""A payout of Shopify Payments from its balance transactions. Pure.

`net` of a transaction is what reached the balance, so the fee is what lies between `amount` and `net`, whatever sign
the fee itself is written with.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from common.messages.orders import Payout, PayoutLine
from ingest.channel import Account
from ingest.errors import NormalizationError, OutOfScope
from ingest.payout_lines import in_places, payout_currency, status_of
from ingest.payout_parts import PayoutParts
from ingest.reading import Moment, unreadable
from ingest.text import identifier, short
from ingest.totals import ZERO, local_date

PROCESSOR: Final = "shopify_payments"
_CURE: Final = "fetch the payout again; if it stays so, ask Shopify"

KINDS: Final[Mapping[str, str]] = {
    "charge": "charge",
    "refund": "refund",
    "dispute": "chargeback",
    "dispute_withdrawal": "chargeback",
    "chargeback": "chargeback",
    "dispute_reversal": "chargeback_reversal",
    "chargeback_won": "chargeback_reversal",
    "reserve": "reserve",
    "reserved_funds": "reserve",
    "reserved_funds_reversal": "reserve",
    "reserved_funds_withdrawal": "reserve",
    "application_fee_refund": "fee",
    "shopify_fee": "fee",
    "stripe_fee": "fee",
    "referral_fee": "fee",
    "referral_fee_tax": "fee",
    "charge_adjustment": "adjustment",
    "advance": "loan",
    "advance_funding": "loan",
    "lending_capital_remittance": "loan",
    "lending_capital_remittance_reversal": "loan",
    "lending_capital_refund": "loan",
    "lending_capital_refund_reversal": "loan",
    "transfer": "transfer",
    "transfer_cancel": "transfer",
    "transfer_failure": "transfer",
    "transfer_refund": "transfer",
    "payout": "transfer",
    "payout_failure": "transfer",
    "payout_cancellation": "transfer",
    "balance_transfer_inbound": "transfer",
    "balance_transfer_outbound": "transfer",
}
"""Type of a balance transaction → kind of line. The set is open: any other type is an adjustment under its own name,
for which the settings name an account."""


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ShopifyPayout(_Wire):
    """`GET shopify_payments/payouts.json`, the fields that are read."""

    id: Text
    status: str
    day: Annotated[str, Field(alias="date")]
    currency: str
    amount: Decimal


class ShopifyBalanceTransaction(_Wire):
    """`GET shopify_payments/balance/transactions.json`, the fields that are read."""

    id: Text
    type: str
    test: bool = False
    currency: str
    amount: Decimal
    net: Decimal
    source_id: Text | None = None
    source_type: str | None = None
    source_order_id: Text | None = None
    source_order_transaction_id: Text | None = None
    adjustment_reason: str | None = None
    processed_at: Moment


def normalize_payout(parts: PayoutParts, account: Account) -> Payout:
    """One payout. Raises `NormalizationError`, or `OutOfScope` for a test payout."""
    try:
        head = ShopifyPayout.model_validate(parts.head())
        rows = [ShopifyBalanceTransaction.model_validate(row) for row in parts.rows("transactions")]
    except ValidationError as error:
        raise unreadable(error) from error
    currency = payout_currency(head.currency)
    if any(row.test for row in rows):
        raise OutOfScope("TEST_PAYOUT", "the payout holds test transactions, which never reach a bank")
    # The transfer to the bank is listed with what it consists of.
    inside = [row for row in rows if not (row.type == "payout" and row.source_id in {head.id, None})]
    return Payout(
        tenant_id=account.tenant_id,
        revision=0,
        connection_id=account.connection_id,
        external_id=parts.payout_id,
        processor=PROCESSOR,
        currency=currency,
        paid_on=_day(head.day),
        status=status_of(head.status),
        net=in_places(head.amount, currency, "amount"),
        lines=tuple(line for row in inside for line in _lines(row, currency, account)),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NormalizationError("date", text, _CURE) from error


def _lines(row: ShopifyBalanceTransaction, currency: str, account: Account) -> list[PayoutLine]:
    place = f"transactions.{row.id}"
    if row.currency.upper() != currency:
        raise NormalizationError(
            f"{place}.currency", row.currency, _CURE, code="CURRENCY_MISMATCH",
            text=f"the payout is in {currency}, transaction {row.id} in {row.currency}",
        )  # fmt: skip
    amount = in_places(row.amount, currency, f"{place}.amount")
    fee = amount - in_places(row.net, currency, f"{place}.net")
    kind = KINDS.get(row.type, "adjustment")
    if kind == "reserve":
        kind = "reserve_held" if amount < 0 else "reserve_released"
    is_refund = kind == "refund"
    transaction = identifier(row.source_order_transaction_id or "")
    description = row.adjustment_reason or row.type.replace("_", " ")
    line = PayoutLine(
        external_id=identifier(row.id),
        kind=kind,
        amount=amount,
        fee=fee,
        order_external_id=identifier(row.source_order_id or ""),
        tender_external_id="" if is_refund else transaction,
        refund_external_id=transaction if is_refund else "",
        description="" if kind in {"charge", "refund"} else short(description),
        occurred_on=local_date(row.processed_at, account.zone),
    )
    if kind not in {"chargeback", "chargeback_reversal"} or not fee:
        return [line]
    disputed = line.model_copy(update={"fee": amount * ZERO})
    charged = line.model_copy(
        update={
            "external_id": identifier(f"{row.id}:fee"),
            "kind": "dispute_fee",
            "amount": -fee,
            "fee": amount * ZERO,
            "description": "dispute fee",
        }
    )
    return [disputed, charged]
