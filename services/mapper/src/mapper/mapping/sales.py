"""The lines of a sale: products, shipping, discounts, gift cards, tips, surcharges, fees, remitted tax (section 13)."""

from dataclasses import dataclass
from decimal import Decimal

from common.messages.orders import Order, OrderLine, TenderKind
from common.messages.transactions import AccountRole, DocumentLine, DocumentTax, LineKind
from common.money import ZERO, quantize
from mapper.mapping.balance import settle
from mapper.mapping.case import Case
from mapper.mapping.customers import set_default_code
from mapper.mapping.modes import Situation
from mapper.mapping.pricing import in_default_unit, warn_of_kept_price
from mapper.mapping.products import line_account, resolve_item
from mapper.mapping.tax import TaxCodes, charged_taxes, post_taxes, without_remitted

MAX_PLACES = 12


@dataclass(frozen=True, slots=True)
class Sale:
    """What stands on the sales form. `total` = Σ lines + Σ taxes, in the order's currency."""

    lines: tuple[DocumentLine, ...]
    taxes: tuple[DocumentTax, ...]
    total: Decimal


def sale_of(
    case: Case,
    order: Order,
    *,
    redeem_gifts: bool,
    redeemed: Decimal = ZERO,
    tip_excess: Decimal = ZERO,
    with_fee: bool = True,
) -> Sale:
    """Every line of the order as it should be invoiced or receipted.

    `redeem_gifts` takes gift cards off as negative lines (receipts, and ledgers that allow no liability as deposit-to
    account), less what of them was `redeemed` on other parts of the order. `tip_excess` is an overpayment that the
    connection books as a tip. `with_fee` lets the merchant fee stand on it, where settings say so. Raises `Held` where
    the parts miss the order's total by more than rounding, or an account is not set.
    """
    codes = TaxCodes(case)
    set_default_code(case, codes)
    lines: list[DocumentLine] = []
    for line in order.lines:
        add_product(case, line, codes, lines)
    _add_shipping(case, order, codes, lines)
    _add_discounts(case, order, codes, lines)
    _add_extras(case, order, codes, lines, tip_excess)
    charged = charged_taxes(order)
    left_out = ZERO
    remitted = order.tax_remitted
    if remitted and case.connection.tax.remitted == "leave_out":
        charged, left_out = without_remitted(charged, remitted, order.currency), remitted
    taxes = post_taxes(case, charged, codes, lines)
    total = settle(case, order.total + tip_excess - left_out, lines, taxes)
    if remitted and not left_out:
        lines.append(remitted_line(case, remitted, codes))
        total -= remitted
    fee = fee_as_line(case) if with_fee else ZERO
    if fee:
        lines.append(_fee_line(case, fee, codes))
        total -= fee
    if redeem_gifts:
        total -= _add_redemptions(case, codes, lines, total, redeemed)
    return Sale(lines=tuple(lines), taxes=taxes, total=total)


def add_product(case: Case, line: OrderLine, codes: TaxCodes, lines: list[DocumentLine]) -> None:
    """One product line, net of its discount; gross with a discount line of its own if the connection shows them."""
    if case.directives.lines:
        warn_of_kept_price(case, line)
    if line.uom:
        line = in_default_unit(case, line)
    shows_discount = bool(line.discount) and case.connection.show_line_discounts
    amount = line.amount + line.discount if shows_discount else line.amount
    taxed = bool(line.taxes) and codes.on_lines and not line.is_gift_card
    lines.append(
        DocumentLine(
            kind=LineKind.GIFT_CARD_SALE if line.is_gift_card else LineKind.PRODUCT,
            account=line_account(case, line),
            amount=amount,
            description=line.description or line.name,
            item_key=resolve_item(case, line),
            quantity=line.quantity,
            unit_price=unit_price(line, amount, case.currency),
            taxable=taxed,
            tax_code=codes.of_line(case, line),
            tax_amount=_tax_of(line) if taxed else None,
            class_name=line.class_name,
            site=line.site or case.connection.site,
            uom=line.uom,
            service_date=line.ship_date,
            source_line_id=line.external_id,
        )
    )
    if shows_discount:
        lines.append(
            discount_line(case, -line.discount, line.name, codes, taxed=taxed, source_line_id=line.external_id)
        )


def unit_price(line: OrderLine, amount: Decimal, currency: str) -> Decimal | None:
    """Price that times the quantity is the amount to the cent; None where there is none, then the amount speaks."""
    quantity = line.quantity
    price = line.unit_price
    product = quantity * price
    if product == amount or quantize(product, currency) == amount:
        return price
    if not quantity:
        return None
    price = amount / quantity
    if price * quantity == amount and _places(price) <= MAX_PLACES:
        return price
    return None


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else MAX_PLACES + 1


def _tax_of(line: OrderLine) -> Decimal:
    total = ZERO
    for tax in line.taxes:
        total += tax.amount
    return total


def _add_shipping(case: Case, order: Order, codes: TaxCodes, lines: list[DocumentLine]) -> None:
    if not order.shipping_lines:
        return
    item = case.directives.shipping_item or case.connection.products.shipping_item
    account = case.configuration.account(AccountRole.SHIPPING_INCOME)
    shows_discounts = case.connection.show_line_discounts
    for shipping in order.shipping_lines:
        discount = shipping.discount if shows_discounts else ZERO
        if not shipping.amount and not discount and not case.directives.free_shipping:
            continue
        taxed = bool(shipping.taxes) and codes.on_lines
        lines.append(
            DocumentLine(
                kind=LineKind.SHIPPING,
                account=account,
                amount=shipping.amount + discount,
                description=shipping.title or order.ship_method or item,
                item_key=case.service_item(LineKind.SHIPPING, item, AccountRole.SHIPPING_INCOME),
                taxable=taxed,
                tax_code=codes.of_shipping(taxed=taxed),
                class_name=case.directives.shipping_class,
                source_line_id=shipping.external_id,
            )
        )
        if discount:
            lines.append(
                discount_line(case, -discount, shipping.title, codes, taxed=taxed, source_line_id=shipping.external_id)
            )


def _add_discounts(case: Case, order: Order, codes: TaxCodes, lines: list[DocumentLine]) -> None:
    taxed = bool(order.tax_total) and codes.on_lines
    lines.extend(
        discount_line(case, -discount.amount, discount.code or discount.title, codes, taxed=taxed)
        for discount in order.discounts
        if discount.amount
    )


def discount_line(
    case: Case, amount: Decimal, description: str, codes: TaxCodes, *, taxed: bool, source_line_id: str = ""
) -> DocumentLine:
    """Discounts given; `amount` is negative on a sale. A coupon's own item is used where the ledger has it.

    `taxed`: whether there is tax on what it is taken off.
    """
    item = case.directives.discount_item
    if not item and description and any(found.active for found in case.catalog.find_items("name", description)):
        item = description
    item = item or case.connection.products.discount_item
    return DocumentLine(
        kind=LineKind.DISCOUNT,
        account=case.configuration.account(AccountRole.DISCOUNTS),
        amount=amount,
        description=description or item,
        item_key=case.service_item(LineKind.DISCOUNT, item, AccountRole.DISCOUNTS),
        taxable=taxed,
        tax_code=codes.of_discount(taxed=taxed),
        class_name=case.directives.discount_class,
        source_line_id=source_line_id,
    )


def _add_extras(case: Case, order: Order, codes: TaxCodes, lines: list[DocumentLine], tip_excess: Decimal) -> None:
    products = case.connection.products
    tips = order.tips + tip_excess
    if tips:
        role = AccountRole.TIPS if case.connection.tips_to == "liability" else AccountRole.INCOME
        lines.append(_extra(case, LineKind.TIP, role, products.tip_item, tips, products.tip_item, codes.never))
    for surcharge in order.surcharges:
        if not surcharge.amount:
            continue
        lines.append(
            _extra(
                case,
                LineKind.SURCHARGE,
                AccountRole.INCOME,
                products.surcharge_item,
                surcharge.amount,
                surcharge.title,
                codes.taxable if surcharge.taxes else codes.non_taxable,
                taxable=bool(surcharge.taxes) and codes.on_lines,
            )
        )


def _extra(
    case: Case,
    kind: LineKind,
    role: AccountRole,
    item: str,
    amount: Decimal,
    description: str,
    tax_code: str | None,
    *,
    taxable: bool = False,
) -> DocumentLine:
    return DocumentLine(
        kind=kind,
        account=case.configuration.account(role),
        amount=amount,
        description=description or item,
        item_key=case.service_item(kind, item, role),
        taxable=taxable,
        tax_code=tax_code,
    )


def remitted_line(case: Case, remitted: Decimal, codes: TaxCodes) -> DocumentLine:
    """Takes the tax that the marketplace pays itself off again: net zero on the tax account (section 12.5)."""
    return _extra(
        case,
        LineKind.REMITTED_TAX,
        AccountRole.TAX,
        case.connection.products.tax_item,
        -remitted,
        "Tax collected and paid by the marketplace",
        codes.never,
    )


def fee_on_order(case: Case) -> Decimal:
    """The merchant fee of the order: the channel's, else that of its payments, else percent × total + fixed."""
    order = case.order
    if order.merchant_fee is not None:
        return order.merchant_fee
    stated = [tender.fee for tender in case.facts.tenders if tender.fee is not None]
    if stated:
        return sum(stated, ZERO)
    directives, fees = case.directives, case.connection.fees
    percent = fees.percent if directives.fee_percent is None else directives.fee_percent
    fixed = fees.fixed if directives.fee_fixed is None else directives.fee_fixed
    if percent is None and fixed is None:
        return ZERO
    return quantize(order.total * (percent or ZERO) / 100 + (fixed or ZERO), order.currency)


def fee_as_line(case: Case) -> Decimal:
    """The merchant fee that stands on the sale as a negative line; zero where none does.

    There is a fee once the order is paid, and only where a processor took money for it: before that the customer owes
    the whole total, and a gift card costs no fee.
    """
    if case.connection.fees.on_order != "negative_line" or case.facts.situation is not Situation.PAID:
        return ZERO
    if all(tender.kind is not TenderKind.MONEY for tender in case.facts.tenders):
        return ZERO
    return fee_on_order(case)


def _fee_line(case: Case, fee: Decimal, codes: TaxCodes) -> DocumentLine:
    item = case.directives.fee_item or case.connection.products.fee_item
    return _extra(case, LineKind.FEE, AccountRole.FEES, item, -fee, item, codes.never)


def _add_redemptions(
    case: Case, codes: TaxCodes, lines: list[DocumentLine], due: Decimal, redeemed: Decimal
) -> Decimal:
    """Take gift cards and store credit off, at most down to nothing. Returns what was taken off."""
    item = case.connection.products.gift_card_item
    total = ZERO
    for tender in case.facts.tenders:
        if tender.kind is TenderKind.MONEY:
            continue
        used = min(redeemed, tender.amount)
        redeemed -= used
        amount = min(tender.amount - used, due - total)
        if amount <= 0:
            continue
        lines.append(
            _extra(
                case,
                LineKind.GIFT_CARD_REDEMPTION,
                AccountRole.GIFT_CARDS,
                item,
                -amount,
                tender.reference or item,
                codes.never,
            )
        )
        total += amount
    return total
