"""Orders, their timeline, and documents."""

from datetime import date, datetime

from api.columns import Column
from api.views.base import View
from common.internal.ingest import OrderHistory
from common.internal.ledger_writer import DocumentView
from common.internal.mapper import PayoutMembership, SetView
from common.internal.mapper_checks import PaymentState
from common.messages.base import Amount, Reason
from common.messages.documents import DocumentState
from common.messages.orders import Direction
from common.messages.transactions import DocumentKind


class OrderSummary(View):
    order_id: str
    """Use this in paths."""
    order_key: str
    """`connection_id/external_id`."""
    connection_id: str
    external_id: str
    channel: str
    number: str
    direction: Direction
    """`purchase`: what the merchant bought."""
    status: str
    """`financial/fulfillment/lifecycle`."""
    ordered_on: date | None
    currency: str
    total: Amount | None
    received_at: datetime
    revision: int
    company_id: str | None
    column: Column
    """The column of the overview that the order is counted in."""
    reason: Reason | None
    """Why it is not (or not quite) in the ledger."""
    documents: int
    documents_in_ledger: int


class Document(View):
    """A document, customer or item as it stands in one company file."""

    document_key: str
    company_id: str
    connection_id: str
    order_id: str | None
    source_kind: str
    source_id: str
    source_number: str
    source_revision: int
    kind: DocumentKind
    state: DocumentState
    column: Column
    reason: Reason | None
    notices: list[Reason]
    blocked_by: str | None
    number: str
    name: str
    date: date | None
    amount: Amount | None
    currency: str
    ledger_id: str
    ledger_url: str
    attempts: int
    first_seen_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


class DocumentDetail(Document):
    blocks: int
    """Documents that wait for this one."""
    history: DocumentView | None
    """Every attempt; null where ledger-writer does not answer right now."""


class OrderDetail(OrderSummary):
    documents_found: list[Document]


class Unavailable(View):
    """A part of the answer that could not be had right now."""

    part: str
    text: str


class TimelineEntry(View):
    """One thing that happened to the order, in the words of the page that shows it."""

    at: datetime
    stage: str
    """raw, normalized, mapped, planned, written or paid_out."""
    text: str
    document_key: str | None = None
    kind: str | None = None
    outcome: str | None = None
    reason: Reason | None = None
    duration_ms: int | None = None
    ledger_id: str = ""


class Timeline(View):
    """The whole story of one order: what came, what it became, and every write with its reason."""

    order: OrderSummary
    entries: list[TimelineEntry]
    source: OrderHistory | None
    sets: list[SetView] | None
    documents: list[DocumentView] | None
    payments: list[PaymentState] | None
    """Captured payments; those that are not in the ledger with the first reason that keeps them out."""
    payouts: list[PayoutMembership] | None
    """Payouts that the order's money came with."""
    unavailable: list[Unavailable]
