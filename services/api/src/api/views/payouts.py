"""Payouts: what came, and what it became."""

from datetime import date, datetime

from api.views.base import View
from common.internal.ingest import PayoutHistory
from common.internal.mapper import SetView
from common.messages.base import Amount, Reason


class PayoutRow(View):
    payout_id: str
    """Use this in paths, behind the connection."""
    connection_id: str
    """The connection whose orders it pays out."""
    source_id: str
    """The connection it came through: a processor's, or the same."""
    format: str
    """shopify, stripe, amazon_settlement_v2 or payout_csv."""
    via: str
    """api, webhook or upload."""
    revision: int
    status: str
    """pending, paid or failed; empty where the payout could not be read."""
    paid_on: date | None
    currency: str
    net: Amount | None
    lines: int
    received_at: datetime
    outcome: str
    """refused (see `reason`), waiting (not mapped yet), or what mapping said: mapped, held, filtered."""
    reason: Reason | None
    """Why it is no deposit, or why the deposit is not in the ledger."""
    document_key: str | None
    document_state: str | None
    ledger_id: str


class PayoutPart(View):
    """A document of the payout that is not in the ledger."""

    order_number: str
    document_key: str
    kind: str
    state: str
    reason: Reason | None


class PayoutDetail(View):
    payout: PayoutRow
    unwritten: list[PayoutPart]
    """What its deposit groups, or would group, and the ledger does not have; each with its own reason."""
    source: PayoutHistory
    """The payout as it was sent on, line by line, and the raw parts it was read from."""
    sets: list[SetView]
    """What it became, in each company file."""
