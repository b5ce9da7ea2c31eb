"""Stripe's JSON as far as payouts go. Amounts are whole minor units; times are seconds since 1970."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Minor = Annotated[int, Field(strict=True, ge=-(10**13), le=10**13)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=253_402_300_799)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StripePayout(_Wire):
    id: str
    amount: Minor
    arrival_date: Seconds
    currency: str
    status: str
    automatic: bool = True
    reconciliation_status: str | None = None
    """Absent in API versions that don't tell yet."""


class StripeSource(_Wire):
    """The charge, refund or dispute behind a row, where it was expanded."""

    id: str
    object: str = ""
    charge: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


def _expanded(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class StripeBalanceTransaction(_Wire):
    id: str
    type: str
    reporting_category: str = ""
    amount: Minor
    net: Minor
    currency: str
    created: Seconds
    description: str | None = None
    source: Annotated[StripeSource | None, BeforeValidator(_expanded)] = None
