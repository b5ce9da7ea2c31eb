"""Which stock quantities go to a channel, and when (domain reference, section 19.4): ahead of the task that sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

SENT_AT_ONCE_MAX: Final = 60
"""Up to so many changed items go out in one request; more are queued and sent in batches."""
BATCH: Final = 50


@dataclass(slots=True)
class InventoryQueue:
    """SKUs whose quantity changed, with the newest quantity each. The queue empties itself batch by batch."""

    waiting: dict[str, Decimal] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """SKU → the channel's reason; the others go on."""

    @property
    def must_batch(self) -> bool:
        """Whether there is more than one request may carry."""
        return len(self.waiting) > SENT_AT_ONCE_MAX

    def changed(self, quantities: Mapping[str, Decimal]) -> None:
        """Take in changes; a later quantity of the same SKU replaces the earlier one and forgets its refusal."""
        for sku, quantity in quantities.items():
            self.waiting[sku] = quantity
            self.refused.pop(sku, None)

    def next_batch(self) -> dict[str, Decimal]:
        """What to send now, oldest change first; empty once everything has been answered."""
        size = BATCH if self.must_batch else SENT_AT_ONCE_MAX
        return dict(list(self.waiting.items())[:size])

    def answered(self, sent: Mapping[str, Decimal], refused: Mapping[str, str]) -> None:
        """Record an answer. What changed again while it was under way stays in the queue."""
        for sku, quantity in sent.items():
            if self.waiting.get(sku) == quantity:
                del self.waiting[sku]
        self.refused.update({sku: reason for sku, reason in refused.items() if sku in sent})
