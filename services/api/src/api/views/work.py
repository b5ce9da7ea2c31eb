"""Overview, warnings, resend and dismissal, tasks and runs."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from api.bodies import Body
from api.schedules import INTERVAL_MAX_S, INTERVAL_MIN_S
from api.views.base import View
from common.messages.base import Amount, Identifier, Reason, Severity, ShortText
from common.messages.control import TaskKind

RANGE_DAYS_MAX = 31
NUMBERS_MAX = 500
RESEND_MAX = 10_000

Numbers = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=NUMBERS_MAX)]
Keys = Annotated[list[Identifier], Field(max_length=1000)]


class SideTotals(View):
    currency: str
    source: Amount
    """In scope."""
    ledger: Amount
    """Of documents: what stands in the ledger, also of those that are held or wait to be changed. Of orders: those that
    are in the ledger as a whole."""


class OverviewRow(View):
    """source = in_ledger + warnings + dismissed + not_tried + in_progress + waiting."""

    name: str
    source: int
    in_ledger: int
    warnings: int
    dismissed: int
    not_tried: int
    in_progress: int
    waiting: int
    out_of_scope: int
    """Beside the others, not in the sum."""
    notices: int
    """In the ledger with a notice, counted in `in_ledger` too."""
    totals: list[SideTotals]


class Overview(View):
    company_id: str
    rows: list[OverviewRow]
    first_warning: str | None
    """Row to work on first; fixing a lower one before it only makes more warnings."""
    warnings_below: int
    attention: list[Reason]
    """What keeps everything out of the ledger, first things first: an approval that is pending, a pause, a sign-in."""
    last_synchronisation: datetime | None
    counted_at: datetime


class Cause(View):
    """A setting or name that entities lack or have wrong: one, however many orders say so."""

    field: str | None
    """The setting, e.g. `accounts.INC`, or the field of the document."""
    value: str | None
    """What is missing or wrong, e.g. the name of an account that is gone."""
    text: str
    entities: int


class WarningGroup(View):
    code: str
    severity: Severity
    text: str
    """The oldest one's reason."""
    cure: str
    entities: int
    kinds: list[str]
    """Kinds of documents, or `order` where no document could be made."""
    blocks: int
    """Documents that wait for one of these."""
    first_seen_at: datetime | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    causes: list[Cause]
    """What is behind them, most frequent first, at most 20; empty where a reason names nothing."""


class Warnings(View):
    company_id: str
    total: int
    groups: list[WarningGroup]


class NoticeGroup(View):
    code: str
    text: str
    """One of them."""
    cure: str
    entities: int
    """Documents that are in the ledger and say so."""
    causes: list[Cause]
    """As of warnings."""


class Notices(View):
    company_id: str
    groups: list[NoticeGroup]


class ResendRequest(Body):
    """Bring these up to date from current source data, rules and settings, and try them now."""

    company_id: Identifier
    document_keys: Keys = Field(default_factory=list)
    order_ids: Annotated[list[str], Field(max_length=1000)] = Field(default_factory=list)
    code: Annotated[str, Field(max_length=64)] | None = Field(default=None, examples=["PRODUCT_MISSING"])
    """Every warning with this code."""
    all_warnings: bool = False
    refetch: bool = False
    """Ask the channel for the orders again first."""
    cascade: bool = False
    """Send what these depend on first; else a document whose dependency is not in the ledger is refused."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        chosen = [bool(self.document_keys or self.order_ids), self.code is not None, self.all_warnings]
        if sum(chosen) != 1:
            raise ValueError("choose documents and orders, or a code, or all warnings")
        return self


class DismissRequest(Body):
    company_id: Identifier
    document_keys: Keys = Field(default_factory=list)
    order_ids: Annotated[list[str], Field(max_length=1000)] = Field(default_factory=list)
    """Orders that are warnings, by themselves or through their documents."""
    code: Annotated[str, Field(max_length=64)] | None = None
    dismissed: bool = True
    """False takes a dismissal back."""
    note: ShortText = ""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if bool(self.document_keys or self.order_ids) == (self.code is not None):
            raise ValueError("choose documents and orders, or a code")
        return self


class Dismissed(View):
    documents: int
    orders: int


class SyncRequest(Body):
    """Fetch by date range or, for orders, by number, whatever the schedule says."""

    connection_id: Identifier
    what: Literal["orders", "payouts", "summary"] = "orders"
    """`payouts`: those paid out in the range, of a connection that has payouts switched on. `summary`: the orders of
    one day, of a connection that writes summaries; `date_to` may be left out."""
    date_from: date | None = Field(default=None, examples=["2026-11-01"])
    date_to: date | None = Field(default=None, examples=["2026-11-20"])
    """Inclusive, in the connection's time zone."""
    by: Literal["created", "modified"] = "created"
    order_numbers: Numbers = Field(default_factory=list, examples=[["1001", "1002"]])
    """Orders that are named are taken whatever the status filter, the start date and their customer's horizon say, now
    and when they change; the item's `reason` (`LET_THROUGH`) tells what would have kept them out."""
    force: bool = False
    """Take orders that a `do_not_import` rule, or the shop's own mark, would leave out."""

    @model_validator(mode="before")
    @classmethod
    def _day(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("what") == "summary" and given.get("date_to") is None:
            return {**given, "date_to": given.get("date_from")}
        return given

    @model_validator(mode="after")
    def _range_or_numbers(self) -> Self:
        if self.what != "orders":
            if self.order_numbers:
                raise ValueError(f"{self.what} are asked for by date alone: leave order_numbers out")
            if self.by != "created":
                raise ValueError(f"{self.what} have one date only: leave `by` out")
        has_range = self.date_from is not None and self.date_to is not None
        if (self.date_from is None) != (self.date_to is None):
            raise ValueError("give both date_from and date_to")
        if has_range == bool(self.order_numbers):
            raise ValueError("give either a date range or order numbers")
        if self.date_from is not None and self.date_to is not None:
            days = (self.date_to - self.date_from).days + 1
            if days < 1:
                raise ValueError("date_to is before date_from")
            if days > RANGE_DAYS_MAX:
                raise ValueError(f"the range is {days} days long: ask for at most {RANGE_DAYS_MAX} at once")
            if self.what == "summary" and days > 1:
                raise ValueError("a summary is of one day: choose one")
        return self


class RunTrigger(StrEnum):
    TASK = "task"
    MANUAL = "manual"
    RESEND = "resend"


class RunState(StrEnum):
    FETCHING = "fetching"
    """Ingest is still listing orders; the total may grow."""
    WORKING = "working"
    """Everything is listed, something is still on its way."""
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemResult(StrEnum):
    SYNCED = "synced"
    ALREADY_IN_LEDGER = "already_in_ledger"
    FILTERED = "filtered"
    BLOCKED = "blocked"
    """Waits for something the reason names, such as a payment."""
    HELD = "held"
    """The company file is paused, disconnected, or its first sync is not approved."""
    DISMISSED = "dismissed"
    FAILED = "failed"
    NOT_FOUND = "not_found"
    IN_PROGRESS = "in_progress"


class Run(View):
    run_id: str
    trigger: RunTrigger
    kind: TaskKind | None
    state: RunState
    connection_id: str | None
    company_id: str | None
    task_id: str | None
    requested_at: datetime
    requested_by: str
    fetched_at: datetime | None
    failed: Reason | None
    total: int
    done: int
    results: dict[ItemResult, int]


class RunSummary(View):
    """A run in a list; ask for the run itself to see its progress."""

    run_id: str
    trigger: RunTrigger
    kind: TaskKind | None
    connection_id: str | None
    company_id: str | None
    task_id: str | None
    requested_at: datetime
    requested_by: str
    fetched_at: datetime | None
    failed: Reason | None
    cancelled: bool


class RunItem(View):
    order_id: str | None
    document_key: str | None
    number: str
    revision: int
    result: ItemResult
    reason: Reason | None


class ScheduleBody(Body):
    """Exactly one of the two. Cron expressions are in UTC."""

    interval_s: Annotated[int, Field(ge=INTERVAL_MIN_S, le=INTERVAL_MAX_S)] | None = None
    cron: Annotated[str, Field(max_length=100)] | None = Field(default=None, examples=["45 5 * * *"])


class TaskCreate(ScheduleBody):
    connection_id: Identifier
    kind: TaskKind


class TaskChange(ScheduleBody):
    """What is left out stays as it is."""

    active: bool | None = None


class Task(View):
    task_id: str
    connection_id: str
    kind: TaskKind
    interval_s: int | None
    cron: str | None
    active: bool
    next_run_at: AwareDatetime | None
    last_run_id: str | None
    last_run_at: AwareDatetime | None
    last_result: str | None
    """running, fetched, failed or cancelled; null where it never ran."""
    last_failed: Reason | None
