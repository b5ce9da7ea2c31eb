"""Answers to why and what if: payments that are missing, orders that are previewed, rules that are tried."""

from typing import Annotated

from pydantic import Field

from api.bodies import Body
from api.views.base import View
from common.internal.mapper import AppliedRule, PlannedDocument
from common.internal.mapper_checks import PaymentState
from common.internal.mapper_rules import Definition
from common.messages.base import Identifier, Reason
from common.messages.transactions import SetOutcome


class PaymentsOfOrder(View):
    """Every captured payment of an order, and what stands for money that it is only said to have been paid; those not
    in the ledger with the first reason that is true."""

    order_id: str
    company_id: str
    missing: int
    payments: list[PaymentState]


class PreviewedDocument(View):
    document: PlannedDocument
    would: str
    """create, update (it is there, and is brought in line), void, wait (see `blocked_by`), or nothing: it is there as
    it is wanted, or is not wanted."""
    state: str | None
    """State of the document now; null where there is none yet."""
    blocked_by: Reason | None
    """What keeps it from being written."""
    ledger_id: str


class OrderPreview(View):
    """What an order would become now: fetched order → after rules → documents → what would happen. Posts nothing."""

    order_id: str
    number: str
    outcome: SetOutcome
    reason: Reason | None
    rules: list[AppliedRule]
    documents: list[PreviewedDocument]


class DraftRuleBody(Body):
    """A rule as it would be saved. With the id of a saved rule it stands in for that one."""

    rule_id: str = Field(default="", max_length=128)
    name: Annotated[str, Field(min_length=1, max_length=200)] = "draft"
    enabled: bool = True
    priority: int = Field(default=100, ge=0, le=1_000_000)
    definition: Definition = Field(
        examples=[
            {
                "action": "map_deposit_account",
                "value": "PayPal Clearing",
                "conditions": [{"field": "payment_method", "comparison": "contains", "value": "PayPal"}],
            }
        ]
    )


class DryRunRequest(Body):
    order_ids: Annotated[list[Identifier], Field(min_length=1, max_length=50)]
    drafts: list[DraftRuleBody] = Field(default_factory=list, max_length=20)
    only_drafts: bool = False
    """Leave the saved rules out."""
