"""The order while rules run on it: what they changed so far, and what they see of it."""

from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, Final

from common.messages.orders import FinancialStatus, Order, OrderLine, Tender
from mapper.mapping.directives import Directives, LineDirective
from mapper.mapping.names import normal
from mapper.rules.fields import Field, Scope, text_of

STEPS_MAX: Final = 10_000
"""Evaluations and loop steps of all expressions on one order: about a tenth of a second."""
BEFORE_REFUND = {
    FinancialStatus.PARTIALLY_REFUNDED: FinancialStatus.PAID,
    FinancialStatus.REFUNDED: FinancialStatus.PAID,
}


class Working:
    """An order with replaceable parts. `of_refund` says that lines are looked at as goods that came back.

    Rules about refunds must not rewrite the sale: while a sale's lines are looked at, the order is not yet refunded.
    """

    __slots__ = ("_cache", "_made", "directives", "lines", "of_refund", "order", "original", "steps_left", "tenders")

    def __init__(self, order: Order, *, of_refund: bool = False) -> None:
        self.original = order
        self.order = order
        self.lines: list[OrderLine] = list(order.lines)
        self.tenders: list[Tender] = list(order.tenders)
        self.directives = Directives()
        self.of_refund = of_refund
        self.steps_left = STEPS_MAX
        self._cache: dict[tuple[str, int, bool], str] = {}
        self._made: dict[Hashable, Any] = {}

    def count(self, scope: Scope) -> int:
        if scope is Scope.LINE:
            return len(self.lines)
        return len(self.tenders) if scope is Scope.PAYMENT else 1

    def raw(self, field: Field, index: int, *, for_line: bool = False) -> Any:
        """The field's value now, of the line or tender at `index`."""
        if field.scope is Scope.LINE:
            source = self.original.lines if field.name == "sku_original" else self.lines
            return field.read(source[index])
        if field.scope is Scope.PAYMENT:
            return field.read(self.tenders[index])
        if field.name == "is_refund":
            return self.of_refund
        if field.name == "financial_status" and for_line and not self.of_refund:
            return BEFORE_REFUND.get(self.order.financial_status, self.order.financial_status)
        return field.read(self.order)

    def text(self, field: Field, index: int, *, for_line: bool = False) -> str:
        """The value in normal form, remembered until something changes."""
        key = (field.name, index if field.scope is not Scope.ORDER else 0, for_line)
        known = self._cache.get(key)
        if known is None:
            known = normal(text_of(self.raw(field, index, for_line=for_line)))
            self._cache[key] = known
        return known

    def remembered(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once until something changes."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _forget(self) -> None:
        self._cache.clear()
        self._made.clear()

    def spend(self, steps: int) -> bool:
        """Take steps of expressions from the order's budget; false where they are used up."""
        self.steps_left -= steps
        return self.steps_left >= 0

    def set_order(self, **changes: Any) -> None:
        self.order = self.order.model_copy(update=changes)
        self._forget()

    def set_line(self, index: int, **changes: Any) -> None:
        if "sku" in changes:
            self.line_directive(index).source_sku = self.original.lines[index].sku
        self.lines[index] = self.lines[index].model_copy(update=changes)
        self._forget()

    def line_directive(self, index: int) -> LineDirective:
        return self.directives.lines.setdefault(self.lines[index].external_id, LineDirective())

    def change_total(self, difference: Decimal, rule: str, *, allowed: bool) -> None:
        """Record that a rule changed amounts; the total follows (section 22.12)."""
        if not difference:
            return
        if not allowed:
            self.directives.changed_by = self.directives.changed_by or rule
        self.set_order(total=self.order.total + difference)

    def result(self) -> Order:
        """The order as the rules left it."""
        lines = tuple(self.lines)
        return self.order if lines == self.order.lines else self.order.model_copy(update={"lines": lines})
