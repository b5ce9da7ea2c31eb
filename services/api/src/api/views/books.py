"""Clearing accounts, the log of what was done, and how much was written."""

import datetime as dt
from enum import StrEnum

from pydantic import Field

from api.views.base import View
from common.messages.base import Amount, Reason
from common.messages.transactions import DocumentKind


class ClearingStatus(StrEnum):
    AWAITING_PAYOUT = "awaiting_payout"
    """No payout that speaks of it has been reported yet. Not an error: gateways pay out later, some report nowhere."""
    PAYOUT_INCOMPLETE = "payout_incomplete"
    """Its payout is here and can't be deposited yet; `reason` says why."""
    DEPOSIT_WAITING = "deposit_waiting"
    """The deposit is made and not in the ledger yet."""
    PAYOUTS_OFF = "payouts_off"
    """Payouts of the connection are switched off."""
    BY_HAND = "by_hand"
    """A summary's money, which no payout takes out."""


class ClearingItem(View):
    """The money of one receipt, payment or refund that lies in a clearing account."""

    document_key: str
    kind: DocumentKind
    number: str
    order_id: str | None
    """Null: it is for a summary."""
    order_number: str
    """Of a summary: its id."""
    date: dt.date
    age_days: int
    currency: str
    amount: Amount
    """Negative: a refund."""
    account: str
    account_role: str
    method: str
    reference: str
    status: ClearingStatus
    reason: Reason | None
    """Why it is still there."""
    payout_id: str | None
    payout_on: dt.date | None
    ledger_id: str
    ledger_url: str


class ClearingAge(View):
    currency: str
    age: str = Field(examples=["8-30 days"])
    documents: int
    amount: Amount


class ClearingReport(View):
    """What lies in clearing accounts and undeposited funds, oldest first, and why it is still there."""

    company_id: str
    as_of: dt.date
    ages: list[ClearingAge]
    """Sums of everything, not of this page: of whatever account the money was received on but not deposited from."""
    items: list[ClearingItem]
    """A page may be shorter than the limit although more follow: go on while there is a cursor."""
    next_cursor: str | None


class LogTab(StrEnum):
    ERRORS = "errors"
    ORDERS = "orders"
    INFO = "info"


class LogEntry(View):
    """One thing that was done, or tried, for one entity."""

    at: dt.datetime
    direction: str = Field(examples=["to_ledger", "from_channel"])
    trigger: str = Field(examples=["task", "manual", "resend", "webhook"])
    run_id: str | None
    connection_id: str
    company_id: str | None
    entity: str = Field(examples=["invoice", "customer", "order"])
    number: str
    order_id: str | None
    document_key: str | None
    action: str = Field(examples=["created", "linked", "updated", "skipped", "failed", "received"])
    code: str | None
    message: str
    cure: str
    duration_ms: int | None
    ledger_said: str
    """What the ledger itself said to the newest attempt that failed, with its id of the request; without secrets."""
    ledger_id: str
    ledger_url: str


class UsageMonth(View):
    month: dt.date
    """Its first day."""
    documents: int
    """What counts."""
    kinds: dict[DocumentKind, int]
    """Kind of document → how many of it; kinds without any are left out."""


class Usage(View):
    company_id: str
    months: list[UsageMonth]
    """Every month that was asked for, oldest first."""
