"""The lines and taxes of a refund, as the channel's refund record states them (section 11, rules 1 and 3)."""

from collections.abc import Iterable
from decimal import Decimal

from common.messages.orders import OrderLine, RefundLine, RefundTransaction, TaxLine, TenderKind
from common.messages.transactions import AccountRole, DocumentLine, DocumentTax, LineKind
from common.money import ZERO, quantize
from mapper.mapping.case import Case
from mapper.mapping.facts import RefundFact, RefundNature, money_back, remitted_part
from mapper.mapping.products import line_account, resolve_item, resolve_returned_item
from mapper.mapping.sales import discount_line
from mapper.mapping.tax import (
    TaxCodes,
    charged_taxes,
    group_taxes,
    post_taxes,
    scaled_taxes,
    without_remitted,
)


def refund_parts(case: Case, fact: RefundFact) -> tuple[list[DocumentLine], tuple[DocumentTax, ...]]:
    codes = TaxCodes(case)
    refund = fact.refund
    lines: list[DocumentLine] = []
    sold = {line.external_id: line for line in case.order.lines}
    for external_id, sku in case.directives.refund_skus.items():
        sold[external_id] = sold[external_id].model_copy(update={"sku": sku})
    for refunded in refund.lines:
        _add_refunded(case, refunded, sold.get(refunded.line_external_id), codes, lines)
    if refund.shipping:
        lines.append(_shipping_line(case, refund.shipping, codes, taxed=bool(refund.shipping_tax) and codes.on_lines))
    lines.extend(
        _returns_line(case, adjustment.amount + adjustment.tax, adjustment.title)
        for adjustment in refund.adjustments
        if adjustment.amount or adjustment.tax
    )
    if fact.nature is RefundNature.AMOUNT_ONLY:
        unexplained = fact.returned - fact.value
        if unexplained:
            lines.append(_returns_line(case, unexplained, "Refund"))
    taxes = _refunded_taxes(case, fact)
    if case.connection.tax.remitted == "leave_out":
        taxes = without_remitted(taxes, remitted_back(case, fact), case.currency)
    return lines, post_taxes(case, taxes, codes, lines)


def remitted_back(case: Case, fact: RefundFact) -> Decimal:
    """Of the tax given back, what the marketplace had collected and gives back itself."""
    return remitted_part(case.order, fact.refund.tax)


def remitted_unpaid(case: Case, fact: RefundFact) -> Decimal:
    """Of that tax, what the customer had not paid yet: it lowers the open balance, and nobody gives it back."""
    return max(remitted_back(case, fact) - fact.returned, ZERO) if fact.credit else ZERO


def credited(case: Case, fact: RefundFact) -> Decimal:
    """What a refund takes off the invoice: its credit without the tax that was never owed to the merchant."""
    return fact.credit - remitted_unpaid(case, fact)


def paid_by_merchant(case: Case, fact: RefundFact) -> tuple[RefundTransaction, ...]:
    """The money that went back, less what it states of the tax that the marketplace gave back: the last money first."""
    rest = remitted_back(case, fact) - (fact.returned - money_back(fact.refund))
    paid: list[RefundTransaction] = []
    for one in reversed(fact.refund.transactions):
        taken = min(rest, one.amount) if one.kind is TenderKind.MONEY else ZERO
        rest -= taken
        paid.append(one.model_copy(update={"amount": one.amount - taken}) if taken else one)
    return tuple(reversed(paid))


def _add_refunded(
    case: Case, refunded: RefundLine, sold: OrderLine | None, codes: TaxCodes, lines: list[DocumentLine]
) -> None:
    discount = _separate_discount(case, refunded, sold)
    gift_card = sold is not None and sold.is_gift_card
    taxed = bool(refunded.tax) and codes.on_lines and not gift_card
    # Ledgers post by the item's own account, so a line has to name that one: goods that go back on the shelf take
    # income back, and those that don't are returns.
    of_goods = sold is not None and (_restocks(refunded, sold) or sold.external_id in case.directives.refund_skus)
    account = line_account(case, sold) if sold and of_goods else case.configuration.account(AccountRole.RETURNS)
    lines.append(
        DocumentLine(
            kind=LineKind.GIFT_CARD_SALE if gift_card else LineKind.PRODUCT,
            account=account,
            amount=refunded.amount + discount,
            description=(sold.description or sold.name) if sold else "",
            item_key=_returned_item(case, refunded, sold),
            quantity=refunded.quantity,
            taxable=taxed,
            tax_code=codes.of_line(case, sold) if sold and (taxed or gift_card) else codes.non_taxable,
            tax_amount=refunded.tax or None,
            class_name=sold.class_name if sold else "",
            site=(sold.site if sold else "") or case.connection.site,
            uom=sold.uom if sold else "",
            source_line_id=refunded.line_external_id,
        )
    )
    if discount:
        title = sold.name if sold else ""
        lines.append(
            discount_line(case, -discount, title, codes, taxed=taxed, source_line_id=refunded.line_external_id)
        )


def _separate_discount(case: Case, refunded: RefundLine, sold: OrderLine | None) -> Decimal:
    """The share of the discount that stood on a line of its own when the goods were sold, and so goes back there."""
    if not refunded.discount:
        return ZERO
    if case.connection.show_line_discounts:
        return refunded.discount
    if not case.order.discounts:
        return ZERO
    netted = ZERO
    if sold is not None and sold.discount and sold.quantity:
        netted = quantize(sold.discount * refunded.quantity / sold.quantity, case.currency)
    return max(refunded.discount - netted, ZERO)


def _returned_item(case: Case, refunded: RefundLine, sold: OrderLine | None) -> str | None:
    """The item itself where goods go back on the shelf, else one without stock (rule 3)."""
    if sold is not None and sold.external_id in case.directives.refund_skus:
        return resolve_returned_item(case, sold)
    if sold is not None and _restocks(refunded, sold):
        return resolve_item(case, sold)
    return case.service_item(LineKind.PRODUCT, case.connection.products.no_restock_item, AccountRole.RETURNS)


def _restocks(refunded: RefundLine, sold: OrderLine) -> bool:
    """Whether the refund is written with the very item that was sold."""
    return refunded.restock or sold.is_gift_card


def _shipping_line(case: Case, amount: Decimal, codes: TaxCodes, *, taxed: bool) -> DocumentLine:
    item = case.directives.shipping_item or case.connection.products.shipping_item
    return DocumentLine(
        kind=LineKind.SHIPPING,
        account=case.configuration.account(AccountRole.SHIPPING_INCOME),
        amount=amount,
        description=item,
        item_key=case.service_item(LineKind.SHIPPING, item, AccountRole.SHIPPING_INCOME),
        taxable=taxed,
        tax_code=codes.of_shipping(taxed=taxed),
        class_name=case.directives.shipping_class,
    )


def _returns_line(case: Case, amount: Decimal, title: str) -> DocumentLine:
    item = case.connection.products.refund_adjustment_item
    return DocumentLine(
        kind=LineKind.REFUND_ADJUSTMENT,
        account=case.configuration.account(AccountRole.RETURNS),
        amount=amount,
        description=title or item,
        item_key=case.service_item(LineKind.REFUND_ADJUSTMENT, item, AccountRole.RETURNS),
        tax_code=case.configuration.never_taxed_code(),
    )


def _refunded_taxes(case: Case, fact: RefundFact) -> list[TaxLine]:
    """Tax given back by rate: as the refund's lines say it, the rest in the proportions of the sale."""
    refund = fact.refund
    by_line = group_taxes(_line_taxes(refund.lines))
    stated = sum((tax.amount for tax in by_line), ZERO)
    rest = refund.tax - stated
    if not rest:
        return by_line
    if by_line and stated > refund.tax:
        return scaled_taxes(by_line, refund.tax, case.currency)
    return group_taxes([*by_line, *scaled_taxes(charged_taxes(case.order), rest, case.currency)])


def _line_taxes(lines: Iterable[RefundLine]) -> Iterable[TaxLine]:
    for line in lines:
        yield from line.taxes
