"""What went back on a Shopify order: goods, shipping, stated adjustments and money. Pure.

Shopify writes an edit's removal as a refund without transactions. Such a removal is taken out of the sale itself,
unless the customer has already paid for it: then it stays a refund and waits for its money.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from common.messages.orders import Refund, RefundAdjustment, RefundLine, RefundTransaction, TaxLine
from common.money import ZERO, prorate, quantize
from ingest.channel import Account
from ingest.channels.shopify.money import Book
from ingest.channels.shopify.payments import tender_kind
from ingest.channels.shopify.wire import ShopifyLine, ShopifyOrder, ShopifyRefund, ShopifyRefundLine
from ingest.errors import IncompleteOrder, NormalizationError
from ingest.parts import Part, Parts, Source
from ingest.text import identifier, long, short
from ingest.totals import local_date, net_share, require_explained, sum_amounts

_CURE = "fetch the order again, or resend it from the channel"


@dataclass(frozen=True, slots=True)
class Removal:
    """Units of a line that an edit took out of the sale; amounts as stated, after all discounts."""

    quantity: Decimal
    net: Decimal
    tax: Decimal


def collect(parts: Parts, stored: Part, order: ShopifyOrder) -> tuple[ShopifyRefund, ...]:
    """Every refund known, oldest first. Raises `IncompleteOrder` where order and refunds contradict each other."""
    known = {refund.id: refund for refund in order.refunds or ()}
    for part in parts.refunds:
        refund = ShopifyRefund.model_validate(part.body)
        if refund.id in known:
            continue
        if order.refunds is not None and stored.version > part.version:
            if stored.source is Source.API:
                continue  # the fetched order is newer and does not have it any more
            raise IncompleteOrder(f"the order does not list its refund {refund.id}", _CURE)
        known[refund.id] = refund
    status = (order.financial_status or "").lower()
    if status in {"refunded", "partially_refunded"} and not known:
        raise IncompleteOrder(f"the order is {status} and its refunds are not known", _CURE)
    return tuple(sorted(known.values(), key=lambda refund: (refund.at, refund.id)))


def money_back(refund: ShopifyRefund, book: Book) -> Decimal:
    """What the refund returned: successful refund transactions only."""
    return sum_amounts(
        book.moved(row.amount, row.amount_set, row.currency, f"refunds.{refund.id}.transactions.{row.id}")
        for row in refund.transactions
        if row.moved and row.kind.lower() == "refund"
    )


def is_waiting(refund: ShopifyRefund) -> bool:
    """Whether its money has not moved (yet): it is left out until it has."""
    return bool(refund.transactions) and not any(row.moved for row in refund.transactions)


def is_removal(refund: ShopifyRefund) -> bool:
    return bool(refund.refund_line_items) and not refund.transactions and not refund.order_adjustments


def removals(refunds: Iterable[ShopifyRefund], book: Book, *, included: bool) -> dict[str, Removal]:
    """Units per line that edits took out, added up."""
    found: dict[str, Removal] = {}
    for refund in refunds:
        for row in refund.refund_line_items:
            net, tax = _stated(row, refund, book, included=included)
            held = found.get(row.line_item_id, Removal(ZERO, ZERO, ZERO))
            found[row.line_item_id] = Removal(held.quantity + row.quantity, held.net + net, held.tax + tax)
    return found


class RefundReader:
    """Turns refunds of one order into the contract's shape."""

    def __init__(
        self,
        book: Book,
        account: Account,
        lines: Mapping[str, ShopifyLine],
        identity: Mapping[str, str],
        *,
        included: bool,
    ) -> None:
        self._book = book
        self._account = account
        self._lines = lines
        self._identity = identity
        self._included = included

    def read(self, refunds: Iterable[ShopifyRefund]) -> tuple[Refund, ...]:
        """All refunds. Lines whose money followed in a refund of its own are joined with it."""
        read: list[Refund] = []
        unpaid: list[Refund] = []
        for refund in refunds:
            if is_waiting(refund):
                continue
            result = self._one(refund, unpaid)
            if result.lines and not refund.transactions:
                unpaid.append(result)
            else:
                read.append(result)
        return tuple(sorted([*read, *unpaid], key=lambda refund: (refund.created_at, refund.external_id)))

    def _one(self, refund: ShopifyRefund, unpaid: list[Refund]) -> Refund:
        book, zero = self._book, quantize(ZERO, self._book.currency)
        lines = tuple(self._line(row, refund) for row in refund.refund_line_items)
        shipping, shipping_tax = self._shipping(refund)
        adjustments = list(self._adjustments(refund))
        money = money_back(refund, book)
        if refund.transactions and not lines and not shipping and not adjustments:
            partner = next((r for r in unpaid if _worth(r) == money), None)
            if partner is not None:
                unpaid.remove(partner)
                lines = partner.lines
            else:
                # Nothing is stated but the money: an amount-only refund.
                adjustments.append(RefundAdjustment(title="Refund of an amount", amount=money, tax=zero))
        result = Refund(
            external_id=identifier(refund.id),
            created_at=refund.at,
            refunded_on=local_date(refund.at, self._account.zone),
            lines=lines,
            shipping=shipping,
            shipping_tax=shipping_tax,
            tax=sum_amounts(line.tax for line in lines) + shipping_tax,
            adjustments=tuple(adjustments),
            transactions=self._transactions(refund),
            note=long(refund.note),
        )
        if refund.transactions:
            allowed = self._account.tolerance(book.currency, len(lines))
            require_explained(result, money, book.currency, allowed, f"refunds.{refund.id}")
        return result

    def _line(self, row: ShopifyRefundLine, refund: ShopifyRefund) -> RefundLine:
        line = self._lines.get(row.line_item_id)
        if line is None:
            raise IncompleteOrder(f"refund {refund.id} returns line {row.line_item_id}, which the order lacks", _CURE)
        book = self._book
        net, tax = _stated(row, refund, book, included=self._included)
        gross = quantize(
            book.read(line.price, line.price_set, f"line_items.{line.id}.price") * row.quantity, book.currency
        )
        stated = net + tax if self._included else net
        discount = max(gross - stated, quantize(ZERO, book.currency))
        if self._included:
            discount = net_share(discount, stated, tax, book.currency)
        return RefundLine(
            line_external_id=identifier(row.line_item_id),
            quantity=row.quantity,
            amount=net,
            discount=discount,
            tax=tax,
            taxes=_spread(tax, line, book.currency),
            restock=(row.restock_type or "") in {"return", "cancel", "legacy_restock"}
            or bool(refund.restock and not row.restock_type),
        )

    def _shipping(self, refund: ShopifyRefund) -> tuple[Decimal, Decimal]:
        book, place = self._book, f"refunds.{refund.id}"
        net = tax = quantize(ZERO, book.currency)
        stated = [item for item in refund.order_adjustments if item.kind == "shipping_refund"]
        for item in stated:
            net -= book.read(item.amount, item.amount_set, f"{place}.order_adjustments.amount")
            tax -= book.find_or_zero(item.tax_amount, item.tax_amount_set, f"{place}.order_adjustments.tax_amount")
        if not stated:
            for row in refund.refund_shipping_lines or ():
                part = book.find_or_zero(None, row.subtotal_amount_set, f"{place}.refund_shipping_lines.subtotal")
                part_tax = book.find_or_zero(None, row.tax_amount_set, f"{place}.refund_shipping_lines.tax")
                net += part - (part_tax if self._included else ZERO)
                tax += part_tax
        return net, tax

    def _adjustments(self, refund: ShopifyRefund) -> Iterable[RefundAdjustment]:
        book, place = self._book, f"refunds.{refund.id}"
        for item in refund.order_adjustments:
            if item.kind == "shipping_refund":
                continue
            yield RefundAdjustment(
                title=short(item.reason) or short(item.kind),
                amount=-book.read(item.amount, item.amount_set, f"{place}.order_adjustments.amount"),
                tax=-book.find_or_zero(item.tax_amount, item.tax_amount_set, f"{place}.order_adjustments.tax_amount"),
            )
        duties = book.find_or_zero(None, refund.total_duties_set, f"{place}.total_duties_set")
        if duties:
            yield RefundAdjustment(title="Duties", amount=duties, tax=quantize(ZERO, book.currency))

    def _transactions(self, refund: ShopifyRefund) -> tuple[RefundTransaction, ...]:
        return tuple(
            RefundTransaction(
                external_id=identifier(row.id),
                method=short(row.gateway) or "unknown",
                kind=tender_kind(row.gateway),
                amount=self._book.moved(row.amount, row.amount_set, row.currency, f"refunds.{refund.id}.transactions"),
                reference=short(row.authorization) or row.id,
                tender_external_id=self._parent(row.parent_id),
            )
            for row in refund.transactions
            if row.moved and row.kind.lower() == "refund"
        )

    def _parent(self, transaction_id: str | None) -> str | None:
        if transaction_id is None:
            return None
        return self._identity.get(transaction_id, identifier(transaction_id))


def _worth(refund: Refund) -> Decimal:
    return sum_amounts(line.amount + line.tax for line in refund.lines)


def _stated(row: ShopifyRefundLine, refund: ShopifyRefund, book: Book, *, included: bool) -> tuple[Decimal, Decimal]:
    """Net amount and tax as the channel states them; they are never recomputed."""
    place = f"refunds.{refund.id}.refund_line_items"
    subtotal = book.find(row.subtotal, row.subtotal_set, f"{place}.subtotal")
    if subtotal is None:
        raise NormalizationError(
            f"{place}.subtotal",
            None,
            "fetch the refund with a current API version, which states the amounts",
            code="DETAILS_MISSING",
            text=f"refund {refund.id} does not say what its lines are worth",
        )
    tax = book.find_or_zero(row.total_tax, row.total_tax_set, f"{place}.total_tax")
    return (subtotal - tax if included else subtotal), tax


def _spread(tax: Decimal, line: ShopifyLine, currency: str) -> tuple[TaxLine, ...]:
    rows = line.tax_lines or ()
    if not tax or not rows:
        return ()
    shares = prorate(tax, [row.price for row in rows], currency)
    return tuple(
        TaxLine(title=short(row.title) or "Tax", amount=share, rate=row.rate)
        for row, share in zip(rows, shares, strict=True)
    )
