"""Lines, shipping, fees and taxes of a WooCommerce order; all of it is net of tax already. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from common.messages.orders import OrderLine, ShippingLine, Surcharge, TaxLine
from common.money import ZERO, quantize
from ingest.channel import Account
from ingest.channels.woocommerce.wire import WooCharge, WooLine, WooOrder, WooTax
from ingest.text import identifier, short, unescaped
from ingest.totals import amount, find_rounding, plain, sum_amounts, unit_price


def read_lines(order: WooOrder, account: Account, currency: str, total: Decimal) -> dict[str, Any]:
    """Lines, shipping, fees and taxes, which must add up to the total or the order is refused."""
    rates = _tax_names(order)
    lines = tuple(_line(line, currency, rates, f"line_items[{n}]") for n, line in enumerate(order.line_items))
    shipping = tuple(
        _shipping(row, currency, rates, f"shipping_lines[{n}]") for n, row in enumerate(order.shipping_lines)
    )
    fees = tuple(_fee(row, currency, rates, f"fee_lines[{n}]") for n, row in enumerate(order.fee_lines))
    taxes = _order_taxes(order, currency, rates)
    tax_total = amount(order.total_tax, currency, "total_tax")
    if taxes:
        tax_total = sum_amounts(tax.amount for tax in taxes)
    elif tax_total:
        taxes = (TaxLine(title="Tax", amount=tax_total),)
    rounding = find_rounding(
        currency=currency,
        total=total,
        tax=tax_total,
        tips=ZERO,
        lines=lines,
        shipping=shipping,
        discounts=(),
        surcharges=fees,
        allowed=account.tolerance(currency, len(lines)),
        field="total",
    )
    return {
        "lines": lines,
        "shipping_lines": shipping,
        "surcharges": fees,
        "taxes": taxes,
        "tax_total": tax_total,
        "rounding": rounding,
    }


def _tax_names(order: WooOrder) -> dict[str, tuple[str, Decimal | None]]:
    """Rate id → title and fraction; lines know their rates only by id."""
    return {
        row.rate_id: (
            unescaped(row.label or row.rate_code) or "Tax",
            None if row.rate_percent is None else plain(row.rate_percent / 100),
        )
        for row in order.tax_lines
    }


def _taxes(
    rows: Iterable[WooTax], currency: str, rates: dict[str, tuple[str, Decimal | None]], place: str
) -> tuple[TaxLine, ...]:
    found = []
    for row in rows:
        value = amount(row.total, currency, f"{place}.taxes.total")
        if value:
            title, rate = rates.get(row.id, ("Tax", None))
            found.append(TaxLine(title=title, amount=value, rate=rate))
    return tuple(found)


def _line(line: WooLine, currency: str, rates: dict[str, tuple[str, Decimal | None]], place: str) -> OrderLine:
    before = amount(line.subtotal, currency, f"{place}.subtotal")
    net = amount(line.total, currency, f"{place}.total")
    return OrderLine(
        external_id=identifier(line.id),
        sku=short(line.sku),
        name=unescaped(line.name),
        quantity=plain(line.quantity),
        unit_price=unit_price(before, line.quantity),
        amount=net,
        discount=before - net,
        taxes=_taxes(line.taxes, currency, rates, place),
        product_id=short(line.product_id),
        variant_id="" if line.variation_id in {None, "0"} else short(line.variation_id),
    )


def _shipping(row: WooCharge, currency: str, rates: dict[str, tuple[str, Decimal | None]], place: str) -> ShippingLine:
    return ShippingLine(
        external_id=identifier(row.id),
        title=unescaped(row.method_title),
        amount=amount(row.total, currency, f"{place}.total"),
        discount=quantize(ZERO, currency),
        taxes=_taxes(row.taxes, currency, rates, place),
    )


def _fee(row: WooCharge, currency: str, rates: dict[str, tuple[str, Decimal | None]], place: str) -> Surcharge:
    return Surcharge(
        external_id=identifier(row.id),
        title=unescaped(row.name),
        amount=amount(row.total, currency, f"{place}.total"),
        taxes=_taxes(row.taxes, currency, rates, place),
    )


def _order_taxes(order: WooOrder, currency: str, rates: dict[str, tuple[str, Decimal | None]]) -> tuple[TaxLine, ...]:
    found = []
    for row in order.tax_lines:
        value = amount(row.tax_total + row.shipping_tax_total, currency, "tax_lines.tax_total")
        if value:
            title, rate = rates[row.rate_id]
            found.append(TaxLine(title=title, amount=value, rate=rate, jurisdiction=unescaped(row.rate_code)))
    return tuple(found)
