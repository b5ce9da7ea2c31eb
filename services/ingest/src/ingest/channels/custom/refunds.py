"""What went back on a custom store's order. Pure."""

from collections.abc import Sequence

from common.messages.orders import OrderLine, Refund, RefundAdjustment, RefundLine, TaxLine, Tender
from common.money import ZERO, prorate, quantize, tolerance
from ingest.channel import Account
from ingest.channels.custom.wire import CustomOrder, CustomRefund, CustomRefundLine
from ingest.errors import NormalizationError
from ingest.giving_back import Returns
from ingest.text import identifier, long
from ingest.totals import amount, local_date, refund_mismatch, sum_amounts


def read_refunds(
    order: CustomOrder, tenders: Sequence[Tender], lines: Sequence[OrderLine], currency: str, account: Account
) -> tuple[Refund, ...]:
    """Every refund, oldest first. Raises `NormalizationError` where one does not add up or returns an unknown line."""
    returns = Returns(tenders)
    reader = _Reader(currency, account, {line.external_id: line for line in lines}, included=order.prices_include_tax)
    ordered = sorted(order.refunds, key=lambda refund: (refund.created_at, refund.external_id))
    return tuple(reader.read(refund, returns) for refund in ordered)


class _Reader:
    def __init__(self, currency: str, account: Account, lines: dict[str, OrderLine], *, included: bool) -> None:
        self._currency = currency
        self._account = account
        self._lines = lines
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
        explained = (
            sum_amounts(line.amount + line.tax for line in lines)
            + shipping
            + shipping_tax
            + sum_amounts(item.amount for item in adjustments)
        )
        if money and explained != money:
            if abs(explained - money) > tolerance(currency, len(lines)):
                raise refund_mismatch(f"{place}.amount", money, explained, currency)
            adjustments.append(RefundAdjustment(title="Rounding", amount=money - explained, tax=self._zero))
        preferred = identifier(refund.payment_external_id) if refund.payment_external_id else None
        identity = identifier(refund.external_id)
        return Refund(
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

    def _line(self, row: CustomRefundLine, place: str) -> RefundLine:
        identity = identifier(row.line_external_id)
        original = self._lines.get(identity)
        if original is None:
            raise NormalizationError(
                f"{place}.lines.line_external_id", identity, "name a line of the order, by its external_id"
            )
        tax = amount(row.tax, self._currency, f"{place}.lines.tax")
        net = amount(row.amount, self._currency, f"{place}.lines.amount") - (tax if self._included else ZERO)
        discount = self._zero
        if original.quantity:
            discount = quantize(original.discount * row.quantity / original.quantity, self._currency)
        return RefundLine(
            line_external_id=identity,
            quantity=row.quantity,
            amount=net,
            discount=discount,
            tax=tax,
            taxes=_spread(row, original, self._currency),
            restock=row.restock,
        )


def _spread(row: CustomRefundLine, original: OrderLine, currency: str) -> tuple[TaxLine, ...]:
    if not row.tax or not original.taxes:
        return ()
    shares = prorate(quantize(row.tax, currency), [tax.amount for tax in original.taxes], currency)
    return tuple(
        TaxLine(title=tax.title, amount=share, rate=tax.rate) for tax, share in zip(original.taxes, shares, strict=True)
    )
