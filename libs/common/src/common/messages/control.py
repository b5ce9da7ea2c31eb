"""Contracts that api publishes: settings in full, and what a person or a schedule asked for."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from common.messages.base import Identifier, ShortText, State
from common.messages.settings import (
    CompanySettings,
    ConnectionSettings,
    CustomerSettings,
    CustomerStrategy,
    FeeSettings,
    NumberSettings,
    PayoutSettings,
    ProductSettings,
    TaxSettings,
    TransactionMode,
)

__all__ = [
    "CompanySettings",
    "ConnectionSettings",
    "CustomerConnected",
    "CustomerSettings",
    "CustomerStrategy",
    "DocumentDismissed",
    "FeeSettings",
    "NumberSettings",
    "PayoutSettings",
    "ProductSettings",
    "ResendRequested",
    "SettingsChanged",
    "StateRequested",
    "TaskKind",
    "TaskRequested",
    "TaxSettings",
    "TenantDeleted",
    "TenantPurged",
    "TransactionMode",
]


class SettingsChanged(State):
    """A full snapshot of the settings of one connection or one company file."""

    type: ClassVar[str] = "settings.changed.v1"
    packed_max: ClassVar[int] = 5

    scope: Literal["connection", "company"]
    scope_id: Identifier
    connection: ConnectionSettings | None = None
    company: CompanySettings | None = None
    deleted: bool = False

    @property
    def key(self) -> str:
        return f"{self.scope}/{self.scope_id}"


class TaskKind(StrEnum):
    ORDERS_TO_LEDGER = "orders_to_ledger"
    REFUNDS = "refunds"
    PAYMENTS_TO_LEDGER = "payments_to_ledger"
    PAYOUTS = "payouts"
    SUMMARY = "summary"
    LIST_REFRESH = "list_refresh"
    LEDGER_CHECK = "ledger_check"
    WEBHOOK_CHECK = "webhook_check"
    MANUAL = "manual"


class TaskRequested(State):
    """A run that ingest should carry out. `revision` rises when the run is cancelled or restarted."""

    type: ClassVar[str] = "task.requested.v1"
    packed_max: ClassVar[int] = 5

    run_id: Identifier
    kind: TaskKind
    connection_id: Identifier
    requested_at: AwareDatetime
    window_start: AwareDatetime | None = None
    """None on a scheduled run: ingest continues from its own watermark."""
    window_end: AwareDatetime | None = None
    by: Literal["created", "modified"] = "modified"
    order_numbers: Annotated[tuple[ShortText, ...], Field(max_length=500)] = ()
    force: bool = False
    backfill: bool = False
    cancelled: bool = False

    @property
    def key(self) -> str:
        return self.run_id


class ResendRequested(State):
    """Bring these up to date from current source data, rules and settings, and try them now."""

    type: ClassVar[str] = "resend.requested.v1"
    packed_max: ClassVar[int] = 1

    resend_id: Identifier
    company_id: Identifier
    order_keys: Annotated[tuple[Identifier, ...], Field(max_length=1000)] = ()
    """`connection_id/external_id` of the orders the documents come from."""
    document_keys: Annotated[tuple[Identifier, ...], Field(max_length=1000)] = ()
    refetch: bool = False
    cascade: bool = False
    only_map: bool = False
    """Map them again, by a new transaction mode too, and leave it at that: nothing held is overridden."""

    @property
    def key(self) -> str:
        return self.resend_id


class DocumentDismissed(State):
    """A person hid a warning, or took that back. `revision` rises with each change of mind."""

    type: ClassVar[str] = "document.dismissed.v1"

    company_id: Identifier
    document_key: Identifier
    dismissed: bool
    note: ShortText = ""

    @property
    def key(self) -> str:
        return self.document_key


class CustomerConnected(State):
    """How a source customer relates to the ledger (section 29)."""

    type: ClassVar[str] = "customer.connected.v1"

    company_id: Identifier
    connection_id: Identifier
    customer_key: Identifier
    source_external_id: Identifier | None
    link: Literal["existing", "create", "ignore", "none"]
    ledger_id: Identifier | None = None
    display_name: ShortText = ""
    currency: ShortText = ""
    """Of the customer: orders in another currency have one of their own. Empty: it holds for all."""
    horizon: date | None = None
    """None: everything. Documents before it are out of scope."""

    @property
    def key(self) -> str:
        return f"{self.company_id}/{self.customer_key}"


class StateRequested(State):
    """Asks an owner to publish its entities again, so that a mirror can be rebuilt."""

    type: ClassVar[str] = "state.requested.v1"
    packed_max: ClassVar[int] = 1

    request_id: Identifier
    entity: Identifier
    """Type name of the states wanted, e.g. `documents.changed.v1`."""

    @property
    def key(self) -> str:
        return self.request_id


class TenantDeleted(State):
    """Every service removes what it holds of this tenant (design 12)."""

    type: ClassVar[str] = "tenant.deleted.v1"
    packed_max: ClassVar[int] = 1

    @property
    def key(self) -> str:
        return self.tenant_id


class TenantPurged(State):
    """What one service has removed of a deleted tenant so far."""

    type: ClassVar[str] = "tenant.purged.v1"
    packed_max: ClassVar[int] = 1

    service: Identifier
    removed: dict[Identifier, int]
    """Rows per table."""

    @property
    def key(self) -> str:
        return f"{self.tenant_id}/{self.service}"
