"""What went back on a custom store's order. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.orders import OrderDiscount, OrderLine, Refund, RefundAdjustment, RefundLine, Tender
from common.money import ZERO, minor_unit, prorate, quantize
from ingest.channel import Account
from ingest.channels.custom.wire import CustomOrder, CustomRefund, CustomRefundLine
from ingest.errors import NormalizationError
from ingest.giving_back import Returns
from ingest.text import identifier, long
from ingest.totals import amount, local_date, require_explained, spread_tax, sum_amounts


def read_refunds(
    order: CustomOrder,
    tenders: Sequence[Tender],
    lines: Sequence[OrderLine],
    discounts: Sequence[OrderDiscount],
    currency: str,
    account: Account,
) -> tuple[Refund, ...]:
    """Every refund, oldest first. Raises `NormalizationError` where one does not add up or returns an unknown line."""
    returns = Returns(tenders)
    off = prorate(sum_amounts(item.amount for item in discounts), [line.amount for line in lines], currency)
    shares = {line.external_id: share for line, share in zip(lines, off, strict=True)}
    reader = _Reader(
        currency, account, {line.external_id: line for line in lines}, shares, included=order.prices_include_tax
    )
    ordered = sorted(order.refunds, key=lambda refund: (refund.created_at, refund.external_id))
    return tuple(reader.read(refund, returns) for refund in ordered)


class _Reader:
    def __init__(
        self,
        currency: str,
        account: Account,
        lines: dict[str, OrderLine],
        shares: dict[str, Decimal],
        *,
        included: bool,
    ) -> None:
        self._currency = currency
        self._account = account
        self._lines = lines
        self._shares = shares
        """Line → its share in discounts of the whole order."""
        self._included = included
        self._zero = quantize(ZERO, currency)

    def read(self, refund: CustomRefund, returns: Returns) -> Refund:
        place, currency = f"refunds.{refund.external_id}", self._currency
        money = amount(refund.amount, currency, f"{place}.amount")
        lines = tuple(self._line(row, place) for row in refund.lines)
        shipping_tax = amount(refund.shipping_tax, currency, f"{place}.shipping_tax")
        shipping = amount(refund.shipping, currency, f"{place}.shipping") - (shipping_tax if self._included else ZERO)
        adjustments: list[RefundAdjustment] = []
        if not lines and not shipping:
            adjustments.append(RefundAdjustment(title="Refund of an amount", amount=money, tax=self._zero))
        preferred = identifier(refund.payment_external_id) if refund.payment_external_id else None
        identity = identifier(refund.external_id)
        result = Refund(
            external_id=identity,
            created_at=refund.created_at,
            refunded_on=local_date(refund.created_at, self._account.zone),
            lines=lines,
            shipping=shipping,
            shipping_tax=shipping_tax,
            tax=sum_amounts(line.tax for line in lines) + shipping_tax,
            adjustments=tuple(adjustments),
            transactions=returns.give(identity, money, preferred=preferred) if money else (),
            note=long(refund.reason),
        )
        if money:
            require_explained(result, money, currency, self._account.tolerance(currency, len(lines)), f"{place}.amount")
        return result

    def _line(self, row: CustomRefundLine, place: str) -> RefundLine:
        identity = identifier(row.line_external_id)
        original = self._lines.get(identity)
        if original is None:
            raise NormalizationError(
                f"{place}.lines.line_external_id", identity, "name a line of the order, by its external_id"
            )
        tax = amount(row.tax, self._currency, f"{place}.lines.tax")
        net = amount(row.amount, self._currency, f"{place}.lines.amount") - (tax if self._included else ZERO)
        return RefundLine(
            line_external_id=identity,
            quantity=row.quantity,
            amount=net,
            discount=self._discount(row, original, net),
            tax=tax,
            taxes=spread_tax(tax, original.taxes, self._currency),
            restock=row.restock,
        )

    def _discount(self, row: CustomRefundLine, original: OrderLine, net: Decimal) -> Decimal:
        """What goes back of the line's own discount, and of the order's where the amount is lower by its share."""
        if not original.quantity:
            return self._zero
        part = row.quantity / original.quantity
        own = quantize(original.discount * part, self._currency)
        shared = self._shares[original.external_id] * part
        off = quantize((original.amount + original.discount) * part, self._currency) - net
        # Each of several refunds of a line is rounded on its own.
        return off if own < off <= own + shared + minor_unit(self._currency) and shared else own
