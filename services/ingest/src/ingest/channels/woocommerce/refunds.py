"""What went back on a WooCommerce order. Pure.

The order lists its refunds by id and amount only; goods, shipping and tax come from the refunds themselves, which
have to be fetched. Quantities and amounts on their lines are negative.
"""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.orders import OrderLine, Refund, RefundAdjustment, RefundLine, Tender
from common.money import ZERO, quantize
from ingest.channel import Account
from ingest.channels.woocommerce.wire import WooLine, WooOrder, WooRefund
from ingest.errors import IncompleteOrder
from ingest.giving_back import Returns
from ingest.parts import Parts
from ingest.signatures import moment
from ingest.text import identifier, long, unescaped
from ingest.totals import amount, local_date, require_explained, spread_tax, sum_amounts

_CURE = "add REST API keys to the connection, so that refunds can be fetched"


def read_refunds(
    order: WooOrder,
    parts: Parts,
    tenders: Sequence[Tender],
    lines: Sequence[OrderLine],
    currency: str,
    account: Account,
) -> tuple[Refund, ...]:
    """Every refund the order lists, oldest first. Raises `IncompleteOrder` where one is not known in detail."""
    if not order.refunds:
        return ()
    listed = parts.refund_list.body if parts.refund_list is not None else ()
    known = [WooRefund.model_validate(row) for row in listed]
    known += [WooRefund.model_validate(part.body) for part in parts.refunds]
    by_id = {refund.id: refund for refund in known}
    missing = [head.id for head in order.refunds if head.id not in by_id]
    if missing:
        raise IncompleteOrder(f"what refund {missing[0]} gave back is not known", _CURE)
    returns = Returns(tenders)
    reader = _Reader(currency, account, {line.external_id: line for line in lines})
    wanted = sorted((by_id[head.id] for head in order.refunds), key=lambda refund: (refund.date_created_gmt, refund.id))
    return tuple(reader.read(refund, returns) for refund in wanted)


class _Reader:
    def __init__(self, currency: str, account: Account, lines: dict[str, OrderLine]) -> None:
        self._currency = currency
        self._account = account
        self._lines = lines
        self._zero = quantize(ZERO, currency)

    def read(self, refund: WooRefund, returns: Returns) -> Refund:
        place = f"refunds.{refund.id}"
        money = amount(refund.amount, self._currency, f"{place}.amount")
        lines = tuple(self._line(row, place) for row in refund.line_items if row.quantity or row.total or row.total_tax)
        shipping = -self._sum(refund.shipping_lines, "total", place)
        shipping_tax = -self._sum(refund.shipping_lines, "total_tax", place)
        adjustments = [
            RefundAdjustment(
                title=unescaped(row.name) or "Fee",
                amount=-amount(row.total, self._currency, f"{place}.fee_lines.total"),
                tax=-amount(row.total_tax, self._currency, f"{place}.fee_lines.total_tax"),
            )
            for row in refund.fee_lines
            if row.total or row.total_tax
        ]
        if not lines and not shipping and not shipping_tax and not adjustments:
            adjustments.append(RefundAdjustment(title="Refund of an amount", amount=money, tax=self._zero))
        at = moment(refund.date_created_gmt)
        result = Refund(
            external_id=identifier(refund.id),
            created_at=at,
            refunded_on=local_date(at, self._account.zone),
            lines=lines,
            shipping=shipping,
            shipping_tax=shipping_tax,
            tax=sum_amounts(line.tax for line in lines) + shipping_tax,
            adjustments=tuple(adjustments),
            transactions=returns.give(identifier(refund.id), money) if money else (),
            note=long(refund.reason),
        )
        allowed = self._account.tolerance(self._currency, len(lines))
        require_explained(result, money, self._currency, allowed, f"{place}.amount")
        return result

    def _line(self, row: WooLine, place: str) -> RefundLine:
        meta = {item.key: str(item.value) for item in row.meta_data or ()}
        original_id = identifier(meta.get("_refunded_item_id", row.id))
        original = self._lines.get(original_id)
        if original is None:
            raise IncompleteOrder(f"{place} returns line {original_id}, which the order lacks", _CURE)
        quantity = abs(row.quantity)
        net = -amount(row.total, self._currency, f"{place}.line_items.total")
        tax = -amount(row.total_tax, self._currency, f"{place}.line_items.total_tax")
        discount = self._zero
        if original.quantity:
            discount = quantize(original.discount * quantity / original.quantity, self._currency)
        return RefundLine(
            line_external_id=original_id,
            quantity=quantity,
            amount=net,
            discount=discount,
            tax=tax,
            taxes=spread_tax(tax, original.taxes, self._currency),
            restock=meta.get("_restock_refunded_items", "") in {"yes", "1", "true"},
        )

    def _sum(self, rows: Sequence[object], field: str, place: str) -> Decimal:
        values = (amount(getattr(row, field), self._currency, f"{place}.shipping_lines.{field}") for row in rows)
        return self._zero + sum_amounts(values)
