"""Arithmetic that every channel shares: exact minor units, tax taken out of prices, balance at the border."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from common.messages.orders import OrderDiscount, OrderLine, Refund, ShippingLine, Surcharge, TaxLine
from common.money import UnknownCurrency, exponent, minor_unit, prorate, quantize
from ingest.errors import NormalizationError

ZERO = Decimal(0)
_UNIT_PRICE_STEP = Decimal("0.000001")
_AMOUNT_MAX = Decimal("1e13")


def known_currency(code: str, field: str) -> str:
    """The code, if ISO 4217 lists it. Raises `NormalizationError`."""
    try:
        exponent(code)
    except UnknownCurrency as error:
        raise NormalizationError(
            field,
            code,
            "set the shop to an ISO 4217 currency, or correct the order's currency in the channel",
            code="UNKNOWN_CURRENCY",
            text=f"{field} is {code!r}, which is not a currency of ISO 4217",
        ) from error
    return code


def amount(value: Decimal, currency: str, field: str) -> Decimal:
    """Round half up to the minor unit. Raises `NormalizationError` for what is no amount of money."""
    if not value.is_finite() or abs(value) >= _AMOUNT_MAX:
        raise NormalizationError(field, value, "correct the amount in the channel", code="UNREADABLE_AMOUNT")
    return quantize(value, currency)


def unit_price(total: Decimal, quantity: Decimal) -> Decimal:
    """Price of one piece to six places; the line's amount stays authoritative."""
    if quantity == 0:
        return total
    return plain((total / quantity).quantize(_UNIT_PRICE_STEP, rounding=ROUND_HALF_UP))


def plain(value: Decimal) -> Decimal:
    """The number without trailing zeros and without an exponent."""
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def net_share(part: Decimal, gross: Decimal, tax: Decimal, currency: str) -> Decimal:
    """The part of a tax-inclusive amount that is not tax, given the tax in the whole `gross` amount."""
    if gross == 0 or tax == 0:
        return part
    return quantize(part * (gross - tax) / gross, currency)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """Calendar date of a moment where the shop keeps its books."""
    return at.astimezone(zone).date()


def sum_amounts(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def spread_tax(tax: Decimal, taxes: Sequence[TaxLine], currency: str) -> tuple[TaxLine, ...]:
    """The tax of a part of a line, by rate, in proportion to the taxes of the whole."""
    if not tax or not taxes:
        return ()
    shares = prorate(tax, [row.amount for row in taxes], currency)
    return tuple(row.model_copy(update={"amount": share}) for row, share in zip(taxes, shares, strict=True))


def sum_taxes(taxes: Iterable[TaxLine]) -> Decimal:
    return sum((tax.amount for tax in taxes), ZERO)


def find_rounding(
    *,
    currency: str,
    total: Decimal,
    tax: Decimal,
    tips: Decimal,
    lines: Sequence[OrderLine],
    shipping: Sequence[ShippingLine],
    discounts: Sequence[OrderDiscount],
    surcharges: Sequence[Surcharge],
    allowed: Decimal,
    field: str,
) -> Decimal:
    """What is missing between the parts and the total the channel charged, if rounding explains it.

    Raises `NormalizationError` with `TOTALS_MISMATCH` and both numbers when the difference is more than `allowed`:
    nothing is ever plugged.
    """
    parts = (
        sum_amounts(line.amount for line in lines)
        + sum_amounts(line.amount for line in shipping)
        - sum_amounts(discount.amount for discount in discounts)
        + sum_amounts(surcharge.amount for surcharge in surcharges)
        + tax
        + tips
    )
    difference = total - parts
    if abs(difference) > allowed:
        raise totals_mismatch(field, total, parts, currency)
    return difference or minor_unit(currency) * 0


def totals_mismatch(
    field: str, stated: Decimal, added: Decimal, currency: str, *, what: str = "order"
) -> NormalizationError:
    """The error for a total that does not equal the sum of its parts; it names both."""
    return NormalizationError(
        field,
        stated,
        f"compare the {what} in the channel with its lines; resend it after it is corrected there",
        code="TOTALS_MISMATCH",
        text=(
            f"the {what}'s total is {stated:f} {currency}, its lines, shipping, discounts and tax add up to"
            f" {added:f} {currency}"
        ),
    )


def given_back(refund: Refund) -> Decimal:
    """What a refund's lines, shipping and adjustments add up to, with tax."""
    return (
        sum_amounts(line.amount + line.tax for line in refund.lines)
        + refund.shipping
        + refund.shipping_tax
        + sum_amounts(item.amount + item.tax for item in refund.adjustments)
    )


def require_explained(refund: Refund, paid_back: Decimal, currency: str, allowed: Decimal, field: str) -> None:
    """Raise `NormalizationError` where lines and adjustments don't explain the money that went back.

    A difference up to `allowed` is left to the rounding line of the document.
    """
    added = given_back(refund)
    if abs(added - paid_back) <= allowed:
        return
    raise NormalizationError(
        field,
        paid_back,
        "compare the refund in the channel with the money that went back; resend the order after it is corrected there",
        code="TOTALS_MISMATCH",
        text=(
            f"the refund returned {paid_back:f} {currency}, its lines, shipping and adjustments add up to"
            f" {added:f} {currency}"
        ),
    )
