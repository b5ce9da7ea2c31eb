"""Internal HTTP of mapper for people who ask why, what if, or want their rules and maps back.

POST   /internal/missing-payments                PaymentQuestion      → PaymentAnswer
POST   /internal/money                           MoneyQuestion        → MoneyAnswer (accounts and payouts of documents)
POST   /internal/rules/dry-run                   DryRun               → DryRunResult (nothing is saved)
POST   /internal/restore                         Restore              → Restored (all of it, or nothing with reasons)
GET    /internal/rules.csv ?tenant_id                                 → text/csv
POST   /internal/rules.csv                       text/csv             → RulesRead (nothing is saved)
PUT    /internal/rules.csv ?tenant_id            text/csv             → RulesImported
GET    /internal/maps/{map_name}.csv ?tenant_id&connection_id         → text/csv
PUT    /internal/maps/{map_name}.csv ?tenant_id  text/csv             → MapSaved
"""

from datetime import date
from typing import Annotated

import orjson
from pydantic import BeforeValidator, Field

from common.internal.base import Shape, TenantRequest
from common.internal.mapper import AppliedRule, MapEntry
from common.internal.mapper_rules import Definition
from common.messages.base import Amount, Identifier, Reason, ShortText
from common.messages.transactions import SetOutcome


def _as_json(value: object) -> object:
    """A contract takes its enums by name from JSON only; a body reaches its model as what JSON was parsed into."""
    return Reason.model_validate_json(orjson.dumps(value)) if isinstance(value, dict) else value


class PaymentQuestion(TenantRequest):
    """What only the writing side knows comes along, so that mapper can go through the checks of section 8."""

    company_id: Identifier
    order_key: Identifier
    written: tuple[Identifier, ...] = Field(default=(), max_length=1000)
    """Keys of the order's documents that are in the ledger."""
    refused: Annotated[Reason | None, BeforeValidator(_as_json)] = None
    """Why the invoice was refused, if it was."""
    references: tuple[ShortText, ...] = Field(default=(), max_length=1000)
    """References that kept payments of the order out of the ledger, because it has other payments of them."""


class PaymentState(Shape):
    """One payment of an order, and the first reason that keeps it out of the ledger."""

    tender_id: str
    method: str
    amount: Amount
    currency: str
    captured_on: date
    reference: str = ""
    document_keys: tuple[Identifier, ...] = ()
    """Documents that carry the money: a payment, or the sales receipt itself."""
    in_ledger: bool
    reason: Reason | None = None
    """Why it is not in the ledger, with the field and value that keep it out. Null where nothing does."""
    notice: Reason | None = None
    """Said of a payment (`tender_id` is `stated-as-paid`) that stands for what the channel or a rule says was paid,
    where the channel names no payment of it; else, of one in a written summary, which that is. Whether it is in the
    ledger is another matter."""


class PaymentAnswer(Shape):
    payments: tuple[PaymentState, ...]


class MoneyDocument(Shape):
    """A receipt, payment or refund that is in the ledger."""

    document_key: Identifier
    connection_id: Identifier
    source_kind: Identifier = "order"
    """order, payout or summary."""
    source_id: Identifier


class MoneyQuestion(TenantRequest):
    company_id: Identifier
    documents: tuple[MoneyDocument, ...] = Field(max_length=500)


class MoneyPlace(Shape):
    """Where the money of a document lies, and the payout that it belongs to as far as one has been reported."""

    document_key: Identifier
    account: str
    account_role: str
    method: str = ""
    reference: str = ""
    payout_id: str | None = None
    payout_on: date | None = None
    payout_outcome: SetOutcome | None = None
    payout_reason: Reason | None = None
    deposit_key: str | None = None
    """The deposit that groups the document, where the payout has become one."""
    deposit_hold: Reason | None = None


class MoneyAnswer(Shape):
    """Documents that mapper does not know (linked by hand, of another company file) are left out."""

    places: tuple[MoneyPlace, ...]


class DraftRule(Shape):
    """A rule that is tried before it is saved. With the id of a saved rule it stands in for that one."""

    rule_id: str = Field(default="", max_length=128)
    name: ShortText
    enabled: bool = True
    priority: int = Field(default=100, ge=0, le=1_000_000)
    definition: Definition


class DryRun(TenantRequest):
    order_keys: tuple[Identifier, ...] = Field(min_length=1, max_length=50)
    drafts: tuple[DraftRule, ...] = Field(default=(), max_length=20)
    only_drafts: bool = False
    """Leave the saved rules out."""


class RuleRun(Shape):
    """What one rule did to one order, in the order the rules run."""

    rule_id: str
    name: str
    priority: int
    matched: bool
    changes: tuple[AppliedRule, ...] = ()
    """Before → after, one per line or payment that it matched."""


class OrderRun(Shape):
    order_key: Identifier
    number: str
    rules: tuple[RuleRun, ...]
    """Rules that matched, and drafts that did not."""
    not_matched: int
    """Saved rules that did not match."""
    total_before: Amount
    total_after: Amount
    currency: str


class DryRunResult(Shape):
    orders: tuple[OrderRun, ...]
    missing: tuple[Identifier, ...] = ()
    """Order keys that mapper does not know."""


class RulesRead(Shape):
    """Rules as a table has them, checked and not saved."""

    rules: tuple[DraftRule, ...]


class RulesImported(Shape):
    created: int
    replaced: int
    unchanged: int = 0
    """Rules that are there just as the table has them; the orders are not mapped again for those."""


class Restore(TenantRequest):
    """Rules and maps of a back-up. A rule of the same name is replaced, a map's entry of the same source too."""

    rules: tuple[DraftRule, ...] = Field(default=(), max_length=5000)
    entries: tuple[MapEntry, ...] = Field(default=(), max_length=100_000)
    """Of the map `products`."""
    dry_run: bool = True


class Restored(Shape):
    """`problems`: what can't be used; as long as there are any, nothing is saved."""

    rules_created: int = 0
    rules_replaced: int = 0
    rules_unchanged: int = 0
    entries_saved: int = 0
    entries_unchanged: int = 0
    problems: tuple[Reason, ...] = ()
