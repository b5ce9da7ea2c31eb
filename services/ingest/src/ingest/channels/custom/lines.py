"""Lines, shipping, fees, discounts and taxes of a custom store's order, net of tax. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from common.messages.orders import OrderDiscount, OrderLine, ShippingLine, Surcharge, TaxLine
from common.money import ZERO, quantize
from ingest.channels.custom.wire import CustomLine, CustomOrder, CustomTax
from ingest.text import identifier, short
from ingest.totals import amount, local_date, net_share, plain, sum_amounts, sum_taxes, unit_price


class LineReader:
    """Takes tax out of prices where they contain it, and puts each line in its place."""

    def __init__(self, order: CustomOrder, currency: str, zone: ZoneInfo) -> None:
        self._order = order
        self._zone = zone
        self._currency = currency
        self._included = order.prices_include_tax
        self._zero = quantize(ZERO, currency)
        self._line_discounts = self._zero

    def lines(self) -> tuple[list[OrderLine], Decimal, list[Surcharge]]:
        """Goods, tips (from lines and from `tip`), and lines that are fees."""
        goods: list[OrderLine] = []
        fees: list[Surcharge] = []
        tips = amount(self._order.tip, self._currency, "tip")
        for position, line in enumerate(self._order.lines):
            place = f"lines[{position}]"
            read = self._line(line, line.external_id or str(position + 1), place)
            if line.kind == "tip":
                tips += read.amount + sum_taxes(read.taxes)
            elif line.kind == "fee":
                fees.append(
                    Surcharge(external_id=read.external_id, title=read.name, amount=read.amount, taxes=read.taxes)
                )
            else:
                goods.append(read)
        return goods, tips, fees

    def _line(self, line: CustomLine, identity: str, place: str) -> OrderLine:
        currency = self._currency
        gross = amount(line.unit_price * line.quantity, currency, f"{place}.unit_price")
        discount = amount(line.discount, currency, f"{place}.discount")
        self._line_discounts += discount
        taxes = self._taxes(line.taxes, place)
        net = gross - discount
        if self._included:
            tax = sum_taxes(taxes)
            if net:
                discount = net_share(discount, net, tax, currency)
            elif discount:
                rate = sum((tax.rate or ZERO for tax in line.taxes), ZERO)
                discount = quantize(discount / (1 + rate), currency)
            net -= tax
        return OrderLine(
            external_id=identifier(identity),
            sku=short(line.sku),
            name=short(line.name),
            description=line.description,
            product_id=line.product_id,
            variant_id=line.variant_id,
            quantity=plain(line.quantity),
            fulfilled_quantity=None if line.fulfilled_quantity is None else plain(line.fulfilled_quantity),
            ship_date=local_date(line.shipped_at, self._zone) if line.shipped_at else None,
            unit_price=plain(line.unit_price) if not self._included else unit_price(net + discount, line.quantity),
            amount=net,
            discount=discount,
            taxes=taxes,
            uom=line.uom,
            class_name=line.class_name,
            site=line.site,
            lot=line.lot,
            is_gift_card=line.kind == "gift_card",
        )

    def shipping(self) -> tuple[ShippingLine, ...]:
        found = []
        for position, row in enumerate(self._order.shipping):
            net, taxes = self._charge(row.amount, row.taxes, f"shipping[{position}]")
            found.append(
                ShippingLine(
                    external_id=str(position + 1), title=short(row.name), amount=net, discount=self._zero, taxes=taxes
                )
            )
        return tuple(found)

    def fees(self) -> tuple[Surcharge, ...]:
        found = []
        for position, row in enumerate(self._order.fees):
            net, taxes = self._charge(row.amount, row.taxes, f"fees[{position}]")
            found.append(Surcharge(external_id=f"fee:{position + 1}", title=short(row.name), amount=net, taxes=taxes))
        return tuple(found)

    def discounts(self) -> tuple[OrderDiscount, ...]:
        """What `totals.discount` states beyond the lines' own discounts. Call after `lines`.

        `discounts` repeats by name what may already stand on the lines, so its amounts alone prove nothing.
        """
        whole = [item for item in self._order.discounts if item.scope == "order" and item.amount]
        stated = self._order.totals.discount
        if stated is not None:
            rest = amount(stated, self._currency, "totals.discount") - self._line_discounts
        elif self._line_discounts:
            rest = self._zero
        else:
            rest = sum_amounts(amount(item.amount, self._currency, "discounts.amount") for item in whole)
        if rest <= 0:
            return ()
        if sum_amounts(item.amount for item in whole) == rest:
            return tuple(
                OrderDiscount(
                    code=short(item.code),
                    title=short(item.code) or "Discount",
                    amount=quantize(item.amount, self._currency),
                )
                for item in whole
            )
        return (OrderDiscount(title="Discount", amount=rest),)

    def _charge(self, gross: Decimal, rows: Iterable[CustomTax], place: str) -> tuple[Decimal, tuple[TaxLine, ...]]:
        taxes = self._taxes(rows, place)
        net = amount(gross, self._currency, f"{place}.amount")
        return (net - sum_taxes(taxes) if self._included else net), taxes

    def _taxes(self, rows: Iterable[CustomTax], place: str) -> tuple[TaxLine, ...]:
        return tuple(
            TaxLine(
                title=short(row.name) or "Tax",
                jurisdiction=row.jurisdiction,
                amount=amount(row.amount, self._currency, f"{place}.taxes.amount"),
                rate=plain(row.rate) if row.rate is not None else None,
            )
            for row in rows
        )


def sum_by_rate(groups: Iterable[Iterable[TaxLine]]) -> tuple[TaxLine, ...]:
    """Tax by title, rate and jurisdiction over everything, without what comes to nothing."""
    sums: dict[tuple[str, Decimal | None, str], Decimal] = {}
    for taxes in groups:
        for tax in taxes:
            key = (tax.title, tax.rate, tax.jurisdiction)
            sums[key] = sums.get(key, ZERO) + tax.amount
    return tuple(
        TaxLine(title=title, rate=rate, jurisdiction=place, amount=value)
        for (title, rate, place), value in sums.items()
        if value
    )
