"""Price levels and units of measure that the ledger knows (section 18)."""

from decimal import Decimal, InvalidOperation

from common.messages.orders import Order, OrderLine
from common.money import ZERO, quantize
from mapper.mapping.case import Case
from mapper.mapping.catalog import Catalog
from mapper.mapping.directives import Directives
from mapper.mapping.notices import price_kept

PRICE = "price:"
"""Detail of a catalog item: `price:<level>` → custom price in that level."""
UNIT = "uom:"
"""Detail of a catalog item: `uom:<unit>` → how many of that unit make one default unit."""
DEFAULT_UNIT = "uom"


def with_price_levels(order: Order, directives: Directives, catalog: Catalog, match_field: str) -> Order:
    """Lines at the ledger's price where a rule names a level; the total follows.

    An item without a price in that level keeps the channel's price; the mapping warns of it.
    """
    if not any(one.price_level for one in directives.lines.values()):
        return order
    lines: list[OrderLine] = []
    change = ZERO
    for line in order.lines:
        directive = directives.lines.get(line.external_id)
        price = _level_price(line, directive.price_level, catalog, match_field) if directive is not None else None
        if directive is None or price is None or price == line.unit_price:
            lines.append(line)
            continue
        amount = quantize(price * line.quantity, order.currency) - line.discount
        change += amount - line.amount
        directives.changed_by = directives.changed_by or directive.price_level_by or None
        lines.append(line.model_copy(update={"unit_price": price, "amount": amount}))
    return order.model_copy(update={"lines": tuple(lines), "total": order.total + change})


def warn_of_kept_price(case: Case, line: OrderLine) -> None:
    """Say that a price level was asked for which the item does not have."""
    directive = case.directives.lines.get(line.external_id)
    if directive is None or not directive.price_level:
        return
    match_field = case.connection.products.match_field
    if _level_price(line, directive.price_level, case.catalog, match_field) is None:
        case.notices.append(price_kept(line.sku or line.name, directive.price_level))


def _level_price(line: OrderLine, level: str, catalog: Catalog, match_field: str) -> Decimal | None:
    if not level:
        return None
    item = catalog.active_item(match_field, line.sku)
    return _number(item.details.get(f"{PRICE}{level}")) if item is not None else None


def in_default_unit(case: Case, line: OrderLine) -> OrderLine:
    """The line in the item's default unit: 10 each of something sold by the box of 10 are 1 box at ten times the price.

    The amount stays the same to the cent.
    """
    item = case.catalog.active_item(case.connection.products.match_field, line.sku)
    factor = _number(item.details.get(f"{UNIT}{line.uom}")) if item is not None else None
    if item is None or not factor or factor <= 0:
        return line
    return line.model_copy(
        update={
            "quantity": _plain(line.quantity / factor),
            "unit_price": _plain(line.unit_price * factor),
            "uom": item.details.get(DEFAULT_UNIT, line.uom),
        }
    )


def _number(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def _plain(number: Decimal) -> Decimal:
    """At most twelve places, which is what a quantity or price may have."""
    return Decimal(f"{number.quantize(Decimal('0.000000000001')).normalize():f}")
