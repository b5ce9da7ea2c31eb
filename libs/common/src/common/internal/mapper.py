"""Internal HTTP of mapper: sets of one order, previews, rules and maps.

GET    /internal/sets ?tenant_id&connection_id&source_kind&source_id  → SetList
POST   /internal/preview                         PreviewRequest       → PreviewResult (nothing is written)
POST   /internal/connections/{connection_id}/payouts/{payout_id}/preview TenantRequest → PayoutPreview
GET    /internal/payouts/of-order ?tenant_id&connection_id&external_id → PayoutMemberships
GET    /internal/rules ?tenant_id&cursor&limit                        → RulePage
POST   /internal/rules                           RuleSave             → RuleView (201)
GET    /internal/rules/{rule_id} ?tenant_id                           → RuleView
PUT    /internal/rules/{rule_id}                 RuleSave             → RuleView (409 where `revision` is stale)
DELETE /internal/rules/{rule_id} ?tenant_id                           → 204
GET    /internal/maps/{map_name} ?tenant_id&connection_id&cursor&limit → MapPage
PUT    /internal/maps/{map_name}                 MapSave              → MapSaved (upsert; an empty target removes)
GET    /internal/unmatched-products ?tenant_id&connection_id&cursor&limit → UnmatchedPage
"""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field

from common.internal.base import Shape, TenantRequest
from common.internal.mapper_rules import Definition
from common.messages.base import Amount, Identifier, Reason, ShortText
from common.messages.transactions import AccountRole, DocumentKind, Inputs, LineKind, SetOutcome, WantedState


class MapName(StrEnum):
    PRODUCTS = "products"
    """The channel's SKU or name → the ledger's item."""


class PlannedLine(Shape):
    kind: LineKind
    description: str
    item: str = ""
    quantity: str = ""
    amount: Amount
    account_role: AccountRole
    account: str
    tax_code: str = ""


class PlannedDocument(Shape):
    """A document as it should be in the ledger, with the names a bookkeeper knows."""

    key: Identifier
    kind: DocumentKind
    number: str | None
    memo_number: str
    due_date: date | None = None
    date: date
    currency: str
    total: Amount
    customer: str = ""
    wanted: WantedState
    hold: Reason | None = None
    notices: tuple[Reason, ...] = ()
    lines: tuple[PlannedLine, ...] = ()
    deposit_to: str = ""
    depends_on: tuple[str, ...] = ()
    unchanged: bool = False
    """Of a preview: whether it is what the order was last mapped to, so that nothing new is asked of the ledger."""


class AppliedRule(Shape):
    """A rule that changed the order."""

    rule_id: str
    name: str
    field: str
    before: str
    after: str


class SetView(Shape):
    """The transaction set of one source entity in one company file."""

    company_id: Identifier
    connection_id: Identifier
    source_kind: Identifier
    source_id: Identifier
    source_number: str
    revision: int
    mapped_at: AwareDatetime
    inputs: Inputs
    outcome: SetOutcome
    reason: Reason | None = None
    documents: tuple[PlannedDocument, ...] = ()
    rules: tuple[AppliedRule, ...] = ()


class SetList(Shape):
    sets: tuple[SetView, ...]


class PreviewRequest(TenantRequest):
    """Map these orders with the current settings, rules and catalog, and show what would be written."""

    company_id: Identifier
    order_keys: tuple[Identifier, ...] = Field(max_length=100)


class PreviewOrder(Shape):
    """`revision` 0: mapper has not received this order."""

    order_key: Identifier
    number: str
    revision: int
    outcome: SetOutcome
    reason: Reason | None = None
    documents: tuple[PlannedDocument, ...] = ()
    rules: tuple[AppliedRule, ...] = ()


class PreviewResult(Shape):
    orders: tuple[PreviewOrder, ...]
    missing: tuple[Identifier, ...] = ()
    """Order keys that mapper does not know."""


class PayoutPreview(Shape):
    """What a payout would become now, as if deposits were switched on and made by themselves."""

    external_id: Identifier
    revision: int
    outcome: SetOutcome
    reason: Reason | None = None
    documents: tuple[PlannedDocument, ...] = ()


class PayoutMembership(Shape):
    """A payout that an order's money came with."""

    payout_id: Identifier
    processor: str
    paid_on: date
    currency: str
    net: Amount
    amounts: tuple[Amount, ...]
    """Of the lines that speak of the order, as the payout signs them."""
    kinds: tuple[str, ...]
    """Kinds of the same lines, in the same order."""
    mapped_at: AwareDatetime
    outcome: SetOutcome
    reason: Reason | None = None
    document_keys: tuple[Identifier, ...] = ()


class PayoutMemberships(Shape):
    payouts: tuple[PayoutMembership, ...]


class RuleSave(TenantRequest):
    name: ShortText
    enabled: bool = True
    priority: int = Field(default=100, ge=0, le=1_000_000)
    definition: Definition
    revision: int | None = None
    """Revision that was read before the change; None for a new rule."""
    rule_id: Identifier | None = None
    """Of a new rule: the same identifier again makes no second one, and answers with the one that is there."""


class RuleView(Shape):
    rule_id: Identifier
    name: str
    enabled: bool
    priority: int
    definition: Definition
    """What differs from the defaults."""
    revision: int
    updated_at: AwareDatetime


class RulePage(Shape):
    items: tuple[RuleView, ...]
    next_cursor: str | None = None


class MapEntry(Shape):
    """One row of a map, e.g. of `products`: the channel's SKU or name → item of the ledger."""

    connection_id: Identifier
    source: ShortText
    target: ShortText = ""
    """Full name of the ledger's object; empty in a save removes the entry."""


class MapPage(Shape):
    items: tuple[MapEntry, ...]
    next_cursor: str | None = None


class MapSave(TenantRequest):
    entries: tuple[MapEntry, ...] = Field(min_length=1, max_length=1000)


class MapSaved(Shape):
    saved: int
    removed: int
    orders_affected: int
    """Orders that will be mapped again."""


class UnmatchedProduct(Shape):
    """A product that keeps orders out of the ledger until it is mapped."""

    connection_id: Identifier
    sku: str
    name: str
    orders: int
    first_seen_at: AwareDatetime


class UnmatchedPage(Shape):
    items: tuple[UnmatchedProduct, ...]
    next_cursor: str | None = None
