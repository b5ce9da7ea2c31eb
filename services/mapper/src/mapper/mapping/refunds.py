"""What goes back to the customer: refund receipts, credit memos, refund payments (section 11).

Amounts come from the channel's refund record, never recomputed. A refund that does not add up is held, not guessed.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from common.messages.base import Reason
from common.messages.orders import RefundTransaction, Tender, TenderKind
from common.messages.transactions import (
    Account,
    AccountRole,
    Application,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentTax,
    LineKind,
)
from common.money import ZERO
from mapper.mapping.applying import filling, open_balances
from mapper.mapping.balance import settle
from mapper.mapping.case import Case
from mapper.mapping.facts import RefundFact, RefundNature
from mapper.mapping.modes import RefundSteps
from mapper.mapping.numbers import document_number
from mapper.mapping.payments import gifts_are_payments, tender_account
from mapper.mapping.reasons import refunded_beyond_paid, totals_mismatch
from mapper.mapping.refund_lines import credited, paid_by_merchant, refund_parts, remitted_back
from mapper.mapping.sales import remitted_line
from mapper.mapping.tax import TaxCodes

UNEXPLAINED = frozenset({RefundNature.MISMATCH, RefundNature.BEYOND_PAID})
"""Held until a person has looked: nobody may guess."""
RETURNED = frozenset({RefundNature.MONEY, RefundNature.AMOUNT_ONLY})
"""Nothing but money that went back, for goods or as such."""
UNWRITTEN = frozenset({RefundNature.STOCK_ONLY})
"""No money and no claim changes; only goods came back."""


def plan_refunds(case: Case, steps: RefundSteps, original: Document | None) -> None:
    """Add the documents of every refund; `original` is the receipt or invoice they take back.

    With `refund_policy = reduce_payment` there is none for money where a payment can be lower instead.
    """
    if steps is RefundSteps.NOTHING:
        return
    excess = _overpaid(case)
    lowers = case.connection.refund_policy == "reduce_payment" and _has_payments(steps, original)
    for fact in case.facts.refunds:
        if fact.nature in UNWRITTEN or (lowers and fact.nature is not RefundNature.REMOVAL):
            continue
        if fact.nature is RefundNature.REMOVAL and (original is None or original.kind is DocumentKind.SALES_RECEIPT):
            continue
        if fact.nature in UNEXPLAINED:
            case.documents.append(_held_refund(case, steps, fact, original))
        elif steps is RefundSteps.UNAPPLIED:
            _refund_unapplied(case, fact)
        elif fact.nature is RefundNature.AMOUNT_ONLY and not fact.value and fact.returned <= excess:
            excess -= fact.returned
            _refund_unapplied(case, fact)
        else:
            _refund_sale(case, steps, fact, original)


def _overpaid(case: Case) -> Decimal:
    """What was paid beyond the order and is no part of its sale: the customer's own money until it goes back."""
    if case.connection.overpayment_policy != "unapplied":
        return ZERO
    payments = [one for one in case.documents if one.kind is DocumentKind.PAYMENT]
    return min(case.facts.captured - case.order.total, sum(_not_refunded(case, payments).values(), ZERO))


def _has_payments(steps: RefundSteps, original: Document | None) -> bool:
    """Whether what was received are payments: a receipt is its own, and other documents say nothing of money."""
    is_invoice = original is not None and original.kind is DocumentKind.INVOICE
    return steps is RefundSteps.UNAPPLIED or (steps is RefundSteps.RECEIPTS and is_invoice)


def _refund_sale(case: Case, steps: RefundSteps, fact: RefundFact, original: Document | None) -> None:
    lines, taxes, total = refund_body(case, fact)
    if _as_receipt(case, steps, fact):
        case.documents.append(_refund_receipt(case, fact, original, lines, taxes, total))
        return
    pays = steps is RefundSteps.RECEIPTS
    as_lines = pays and not gifts_are_payments(case)
    if as_lines:
        total += _add_gift_cards(case, fact, lines)
    memo = _credit_memo(case, fact, original, lines, taxes, total)
    case.documents.append(memo)
    if not pays:
        return
    for transaction in paid_by_merchant(case, fact):
        if transaction.amount and not (as_lines and transaction.kind is not TenderKind.MONEY):
            case.documents.append(
                _refund_payment(
                    case, fact, transaction, (Application(document_key=memo.key, amount=transaction.amount),)
                )
            )


def refund_body(case: Case, fact: RefundFact) -> tuple[list[DocumentLine], tuple[DocumentTax, ...], Decimal]:
    """Lines, taxes and total of what a refund takes back. Raises `Held` where they do not add up.

    Tax that the marketplace collected it gives back itself: as on the sale, it nets to nothing.
    """
    lines, taxes = refund_parts(case, fact)
    value = fact.value if fact.nature in (RefundNature.REMOVAL, RefundNature.PART_CREDIT) else fact.returned
    remitted = remitted_back(case, fact)
    left_out = remitted if case.connection.tax.remitted == "leave_out" else ZERO
    total = settle(case, value - left_out, lines, taxes, "refund")
    if remitted and not left_out:
        lines.append(remitted_line(case, remitted, TaxCodes(case)))
        total -= remitted
    return lines, taxes, total


def _as_receipt(case: Case, steps: RefundSteps, fact: RefundFact) -> bool:
    """Refund receipts where the ledger has them and all money goes back through one account."""
    if steps is not RefundSteps.RECEIPTS or fact.nature not in (RefundNature.MONEY, RefundNature.AMOUNT_ONLY):
        return False
    if not case.configuration.ledger.can("refund_receipt"):
        return False
    accounts = {
        _money_account(case, transaction).name
        for transaction in fact.refund.transactions
        if transaction.kind is TenderKind.MONEY and transaction.amount
    }
    return len(accounts) <= 1


def _money_account(case: Case, transaction: RefundTransaction) -> Account:
    """Account of the original tender: the money leaves from where it came in."""
    origin = _origin(case, transaction)
    return tender_account(case, origin.method, origin.external_id, transaction.kind)


def _money_method(case: Case, transaction: RefundTransaction) -> str:
    """The ledger's name of the way by which money goes back; a rule for the original tender holds for it too."""
    return case.payment_method(transaction.method, _origin(case, transaction).external_id)


def _origin(case: Case, transaction: RefundTransaction) -> Tender | RefundTransaction:
    """The tender by which the money came in; the transaction itself where the channel does not say."""
    return next((one for one in case.order.tenders if one.external_id == transaction.tender_external_id), transaction)


def _refund_receipt(
    case: Case,
    fact: RefundFact,
    original: Document | None,
    lines: list[DocumentLine],
    taxes: tuple[DocumentTax, ...],
    total: Decimal,
) -> Document:
    """Money that went back. What went to a gift card comes off as a line: the card is worth more again."""
    money = [one for one in fact.refund.transactions if one.kind is TenderKind.MONEY and one.amount]
    total += _add_gift_cards(case, fact, lines)
    largest = max(money, key=lambda one: one.amount, default=None)
    deposit_to = _money_account(case, largest) if largest else case.configuration.account(AccountRole.UNDEPOSITED_FUNDS)
    return Document(
        key=case.key(DocumentKind.REFUND_RECEIPT, "refund", fact.refund.external_id),
        kind=DocumentKind.REFUND_RECEIPT,
        **_header(case, fact),
        total=total,
        lines=tuple(lines),
        taxes=taxes,
        deposit_to=deposit_to,
        payment_method=_money_method(case, largest) if largest else "",
        reference=(largest.reference or largest.external_id) if largest else "",
        depends_on=(original.key,) if original else (),
    )


def _add_gift_cards(case: Case, fact: RefundFact, lines: list[DocumentLine]) -> Decimal:
    """Take what went to gift cards off as lines. Returns their sum, which is negative."""
    cards = gift_card_lines(case, fact)
    lines.extend(cards)
    return sum((line.amount for line in cards), ZERO)


def gift_card_lines(case: Case, fact: RefundFact) -> list[DocumentLine]:
    """What went to gift cards and store credit, taken off the money that left."""
    return [
        _gift_card_line(case, one)
        for one in fact.refund.transactions
        if one.kind is not TenderKind.MONEY and one.amount
    ]


def _gift_card_line(case: Case, transaction: RefundTransaction) -> DocumentLine:
    item = case.connection.products.gift_card_item
    return DocumentLine(
        kind=LineKind.GIFT_CARD_REDEMPTION,
        account=case.configuration.account(AccountRole.GIFT_CARDS),
        amount=-transaction.amount,
        description=transaction.reference or item,
        item_key=case.service_item(LineKind.GIFT_CARD_REDEMPTION, item, AccountRole.GIFT_CARDS),
        tax_code=case.configuration.never_taxed_code(),
    )


def _credit_memo(
    case: Case,
    fact: RefundFact,
    original: Document | None,
    lines: list[DocumentLine],
    taxes: tuple[DocumentTax, ...],
    total: Decimal,
) -> Document:
    """Lowers what the customer owes. Applied to the invoice for the part that was never paid.

    Of the invoices of several shipments the last one comes first, then those before it, as far as each is open.
    """
    invoices = [one for one in reversed(case.documents) if one.kind is DocumentKind.INVOICE]
    applications = filling(credited(case, fact), open_balances(case, invoices))
    waits_for = [original.key] if original else []
    waits_for.extend(one.document_key for one in applications)
    return Document(
        key=case.key(DocumentKind.CREDIT_MEMO, "refund", fact.refund.external_id),
        kind=DocumentKind.CREDIT_MEMO,
        **_header(case, fact),
        total=total,
        lines=tuple(lines),
        taxes=taxes,
        receivable=case.receivable(),
        applications=applications,
        depends_on=tuple(dict.fromkeys(waits_for)),
    )


def _refund_payment(
    case: Case, fact: RefundFact, transaction: RefundTransaction, applications: tuple[Application, ...]
) -> Document:
    """Money that leaves against a credit memo or an unapplied payment: Dr AR / Cr deposit-to."""
    return Document(
        key=case.key(DocumentKind.REFUND_PAYMENT, "refund", f"{fact.refund.external_id}/{transaction.external_id}"),
        kind=DocumentKind.REFUND_PAYMENT,
        **(_header(case, fact) | {"number": None}),
        total=transaction.amount,
        deposit_to=_money_account(case, transaction),
        receivable=case.receivable(),
        payment_method=_money_method(case, transaction),
        reference=transaction.reference or transaction.external_id,
        applications=applications,
        depends_on=tuple(application.document_key for application in applications),
    )


def _refund_unapplied(case: Case, fact: RefundFact) -> None:
    """Refund of payments that were never applied: no income is touched (rule 6)."""
    payments = {one.source_id: one for one in case.documents if one.kind is DocumentKind.PAYMENT}
    for transaction in paid_by_merchant(case, fact):
        own = payments.get(transaction.tender_external_id or "")
        if transaction.kind is not TenderKind.MONEY and (own is None or not gifts_are_payments(case)):
            continue  # a gift card was no payment; what was money and becomes store credit is the customer's already
        paid = own or next(iter(payments.values()), None)
        if not transaction.amount or paid is None:
            continue
        left = _not_refunded(case, payments.values())
        its_own_first = {key: left[key] for key in dict.fromkeys((paid.key, *left))}
        applications = filling(transaction.amount, its_own_first)
        document = _refund_payment(case, fact, transaction, applications)
        case.documents.append(document if applications else document.model_copy(update={"depends_on": (paid.key,)}))


def _not_refunded(case: Case, payments: Iterable[Document]) -> dict[str, Decimal]:
    """Payment's key → what of it neither pays for anything nor went back yet."""
    left = {one.key: one.total - sum((part.amount for part in one.applications), ZERO) for one in payments}
    for document in case.documents:
        if document.kind is DocumentKind.REFUND_PAYMENT:
            for part in document.applications:
                left[part.document_key] = left.get(part.document_key, ZERO) - part.amount
    return left


def _held_refund(case: Case, steps: RefundSteps, fact: RefundFact, original: Document | None) -> Document:
    receipt = steps is RefundSteps.RECEIPTS and case.configuration.ledger.can("refund_receipt")
    kind = DocumentKind.REFUND_RECEIPT if receipt else DocumentKind.CREDIT_MEMO
    return Document(
        key=case.key(kind, "refund", fact.refund.external_id),
        kind=kind,
        **(_header(case, fact) | {"hold": unexplained(case, fact)}),
        total=fact.returned,
        deposit_to=case.configuration.account(AccountRole.UNDEPOSITED_FUNDS) if receipt else None,
        receivable=None if receipt else case.receivable(),
        depends_on=(original.key,) if original else (),
    )


def unexplained(case: Case, fact: RefundFact) -> Reason:
    """Why a refund of one of the natures `UNEXPLAINED` can't be booked."""
    if fact.nature is RefundNature.BEYOND_PAID:
        return refunded_beyond_paid(case.facts.returned, case.facts.captured, case.currency)
    return totals_mismatch(fact.returned, fact.value, case.currency, "refund")


def _header(case: Case, fact: RefundFact) -> dict[str, Any]:
    """The order's header with the refund's own date, number and origin (rules 4, section 10)."""
    return case.sales_header() | {
        "source_kind": "refund",
        "source_id": fact.refund.external_id,
        "number": document_number(case, repeat=fact.ordinal, instead=case.directives.refund_number),
        "date": fact.refund.refunded_on,
        "note": fact.refund.note,
        "ship_date": None,
        "ship_method": "",
        "tracking_number": "",
    }
