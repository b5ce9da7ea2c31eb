"""What rules decided about one order beyond the order's own fields (section 22)."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from common.messages.control import TransactionMode


@dataclass(slots=True)
class LineDirective:
    """What rules said about one line."""

    income_account: str = ""
    tax_code: str = ""
    price_level: str = ""
    price_level_by: str = ""
    """The rule that named the level, where it may not change the total."""
    source_sku: str = ""
    """The channel's SKU, where a rule gave the line another one."""


@dataclass(slots=True)
class Directives:
    """Filled by the rules engine, read by the mapping; without rules every order shares `NO_DIRECTIVES`."""

    mode: TransactionMode | None = None
    excluded_by: str | None = None
    no_invoice_by: str | None = None
    unpaid_by: str | None = None
    paid_by: str | None = None
    changed_by: str | None = None
    """The first rule that changed an amount without leave to change totals."""
    prefix: str = ""
    memo: str = ""
    customer_name: str = ""
    receivable: str = ""
    fee_item: str = ""
    fee_percent: Decimal | None = None
    fee_fixed: Decimal | None = None
    fee_account: str = ""
    shipping_item: str = ""
    shipping_tax_code: str = ""
    shipping_class: str = ""
    free_shipping: bool = False
    """A rule made shipping free: its line stays, so that people see it."""
    discount_item: str = ""
    discount_tax_code: str = ""
    discount_class: str = ""
    tax_item: str = ""
    template: str = ""
    failures: dict[str, str] = field(default_factory=dict)
    """Name of a rule whose expression could not be evaluated → why; it was passed over."""
    refund_skus: dict[str, str] = field(default_factory=dict)
    """Line's external id → SKU it comes back under."""
    refund_number: str = ""
    lines: dict[str, LineDirective] = field(default_factory=dict)
    """Line's external id → directive."""
    deposit_accounts: dict[str, str] = field(default_factory=dict)
    """Tender's external id → account name."""
    payment_methods: dict[str, str] = field(default_factory=dict)


NO_DIRECTIVES: Final = Directives()
"""Shared and never written to."""
