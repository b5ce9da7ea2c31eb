"""Payments: one per tender, capped by what they pay for, and the reason for each that is missing (section 8)."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.orders import Tender, TenderKind
from common.messages.transactions import (
    Account,
    AccountRole,
    Application,
    Document,
    DocumentKind,
    LineKind,
    WantedState,
)
from common.money import ZERO
from mapper.mapping.applying import filling, open_balances
from mapper.mapping.case import Case
from mapper.mapping.configuration import Configuration
from mapper.mapping.notices import tip_unapplied
from mapper.mapping.reasons import Held, no_balance, overpaid
from mapper.mapping.refund_lines import paid_by_merchant, remitted_unpaid
from mapper.mapping.sales import fee_as_line

LIABILITY_DEPOSITS = "deposit_to_liability"
"""Capability of ledgers that take a liability as deposit-to account, so that a gift card can be a payment."""


def gifts_are_payments_in(configuration: Configuration) -> bool:
    """Whether a gift card is a tender of its own in this ledger, rather than a negative line on the invoice."""
    return configuration.ledger.can(LIABILITY_DEPOSITS)


def gifts_are_payments(case: Case) -> bool:
    """The same for the order being mapped."""
    return gifts_are_payments_in(case.configuration)


def tender_account(case: Case, method: str, external_id: str, kind: TenderKind) -> Account:
    """Deposit-to account of a tender or of the money that goes back to it."""
    if kind is TenderKind.MONEY:
        return case.deposit_account(method, external_id)
    return case.configuration.account(AccountRole.GIFT_CARDS)


def excess_as_tip(case: Case) -> Decimal:
    """What was paid beyond the total and should become a tip. Raises `Held` where overpayments stop the order."""
    excess = case.facts.captured - case.order.total
    policy = case.connection.overpayment_policy
    if excess <= 0 or policy == "unapplied":
        return ZERO
    if policy == "stop":
        raise Held(overpaid(case.facts.captured, case.order.total, case.currency))
    return excess


def payable_tenders(case: Case, *, fee: Decimal, with_gifts: bool) -> list[tuple[Tender, Decimal]]:
    """Tenders with the amount that reached the merchant.

    What the marketplace kept for tax, and a fee that is written on the order, never arrived: the last tenders are
    lower by it, as far as the channel states them with it. With `refund_policy = reduce_payment` money given back
    lowers the payment it belonged to.
    """
    facts = case.facts
    wanted = [(tender, tender.amount) for tender in facts.tenders if with_gifts or tender.kind is TenderKind.MONEY]
    unpaid = sum((remitted_unpaid(case, fact) for fact in facts.refunds), ZERO)
    withheld = case.order.tax_remitted - unpaid + fee
    stated = facts.captured + sum((fact.credit for fact in facts.refunds), ZERO) - case.order.total + withheld
    kept = min(withheld, stated)
    if kept > 0:
        wanted = _lowered(wanted, kept)
    if case.connection.refund_policy == "reduce_payment":
        wanted = _reduced_by_refunds(case, wanted)
    return [(tender, amount) for tender, amount in wanted if amount > 0]


def _lowered(tenders: list[tuple[Tender, Decimal]], by: Decimal) -> list[tuple[Tender, Decimal]]:
    """Less by what never arrived: the last money first, and gift cards, from which nobody keeps anything, last."""
    left = dict(enumerate(amount for _, amount in tenders))
    for index in sorted(left, key=lambda one: (tenders[one][0].kind is not TenderKind.MONEY, -one)):
        taken = min(by, left[index])
        left[index] -= taken
        by -= taken
    return [(tender, left[index]) for index, (tender, _) in enumerate(tenders)]


def _reduced_by_refunds(case: Case, tenders: list[tuple[Tender, Decimal]]) -> list[tuple[Tender, Decimal]]:
    left = dict(enumerate(amount for _, amount in tenders))
    for fact in case.facts.refunds:
        for transaction in paid_by_merchant(case, fact):
            rest = transaction.amount
            own = [i for i, (tender, _) in enumerate(tenders) if tender.external_id == transaction.tender_external_id]
            for index in (*own, *reversed(range(len(tenders)))):
                taken = min(rest, left[index])
                left[index] -= taken
                rest -= taken
    return [(tender, left[index]) for index, (tender, _) in enumerate(tenders)]


def plan_payments(case: Case, invoice: Document) -> None:
    """Add one payment per tender; what was paid beyond the invoice stays unapplied.

    Credit memos take nothing from payments: only what nobody paid is credited.
    """
    open_balance = max(invoice.total, ZERO)
    for tender, amount in payable_tenders(case, fee=fee_as_line(case), with_gifts=gifts_are_payments(case)):
        share = min(amount, open_balance)
        open_balance -= share
        case.documents.append(payment(case, tender, amount, share, invoice))
    _void_payments(case)


def plan_unapplied_payments(case: Case, order_form: Document | None) -> None:
    """Add one payment per tender before there is an invoice; `order_form` is what must be written first, if anything.

    A gift card settles an invoice of ours. Where there is none it has nothing to settle, in no ledger; and no fee
    stands on an order form.
    """
    for tender, amount in payable_tenders(case, fee=ZERO, with_gifts=False):
        case.documents.append(payment(case, tender, amount, ZERO, order_form))
    _void_payments(case)


def plan_payments_of_found(case: Case, found: Document) -> None:
    """Add one payment per tender, applied to an invoice that somebody else writes; unapplied where there is none.

    They don't depend on it: the money came in. A gift card and a fee are settled by whoever writes the invoice. So is
    a tip: no line of ours can say it, and what was paid above the balance stays unapplied.
    """
    tip = excess_as_tip(case)
    open_balance = found.total
    for tender, amount in payable_tenders(case, fee=ZERO, with_gifts=False):
        share = min(amount, open_balance)
        open_balance -= share
        notices = (tip_unapplied(tip, case.currency),) if tip and share < amount else ()
        document = payment(case, tender, amount, share, found)
        case.documents.append(document.model_copy(update={"depends_on": (), "notices": notices}))
    _void_payments(case)


def plan_payments_over(case: Case, invoices: Sequence[Document], order_form: Document) -> None:
    """Add one payment per tender, filling the part-invoices in turn; the rest waits unapplied for the next one."""
    waits_for = (order_form.key,) if order_form.wanted is WantedState.PRESENT else ()
    for tender, amount in payable_tenders(case, fee=fee_as_line(case), with_gifts=gifts_are_payments(case)):
        document = payment(case, tender, amount, ZERO, order_form)
        applications = filling(amount, open_balances(case, invoices))
        keys = tuple(one.document_key for one in applications) or waits_for
        case.documents.append(document.model_copy(update={"applications": applications, "depends_on": keys}))
    _void_payments(case)


def _void_payments(case: Case) -> None:
    for tender in case.facts.voided:
        key = case.key(DocumentKind.PAYMENT, "tender", tender.external_id)
        case.documents.append(case.void(DocumentKind.PAYMENT, key, "tender", tender.external_id, tender.captured_on))


def payment(case: Case, tender: Tender, amount: Decimal, share: Decimal, paid_for: Document | None) -> Document:
    """One payment of `amount`, of which `share` pays for the given document."""
    return Document(
        key=case.key(DocumentKind.PAYMENT, "tender", tender.external_id),
        kind=DocumentKind.PAYMENT,
        source_kind="tender",
        source_id=tender.external_id,
        number=None,
        **case.numbers_of_order(),
        date=tender.captured_on,
        currency=case.currency,
        exchange_rate=tender.exchange_rate or case.order.exchange_rate,
        total=amount,
        customer_key=case.customer.key if case.customer else None,
        deposit_to=tender_account(case, tender.method, tender.external_id, tender.kind),
        receivable=case.receivable(),
        payment_method=case.payment_method(tender.method, tender.external_id),
        reference=tender.reference or tender.external_id,
        applications=(Application(document_key=paid_for.key, amount=share),) if paid_for and share else (),
        depends_on=(paid_for.key,) if paid_for else (),
    )


def skipped_payment(case: Case, paid_for: Document) -> Document:
    """Records that nothing was owed; never written and no warning (section 8.3)."""
    return Document(
        key=case.key(DocumentKind.PAYMENT, "order", "no-balance"),
        kind=DocumentKind.PAYMENT,
        hold=no_balance(),
        source_kind="order",
        source_id=case.order.external_id,
        number=None,
        **case.numbers_of_order(),
        date=case.order.ordered_on,
        currency=case.currency,
        total=ZERO,
        customer_key=case.customer.key if case.customer else None,
        deposit_to=case.configuration.account(AccountRole.UNDEPOSITED_FUNDS),
        receivable=case.receivable(),
        depends_on=(paid_for.key,),
    )


def receipt_deposit(case: Case) -> tuple[Account, str, str, Sequence[str]]:
    """Deposit-to account, method and reference of a receipt: those of its largest payment in money.

    The last value names the accounts where there are several, for a notice: a receipt has one only.
    """
    money = [tender for tender in case.facts.tenders if tender.kind is TenderKind.MONEY]
    if not money:
        return case.configuration.account(AccountRole.UNDEPOSITED_FUNDS), "", "", ()
    largest = max(money, key=lambda tender: tender.amount)
    account = case.deposit_account(largest.method, largest.external_id)
    names: Sequence[str] = ()
    if len(money) > 1:
        names = sorted({case.deposit_account(tender.method, tender.external_id).name for tender in money})
    method = case.payment_method(largest.method, largest.external_id)
    return account, method, largest.reference, names if len(names) > 1 else ()


def unapplied_excess(case: Case, receipt: Document) -> None:
    """Money beyond a receipt's total: an unapplied payment, so that the deposit account agrees with the processor.

    The same for a gift card, where the ledger can write its payment.
    """
    withheld = case.order.tax_remitted + fee_as_line(case)
    money = sum((tender.amount for tender in case.facts.tenders if tender.kind is TenderKind.MONEY), ZERO)
    excess = money - max(receipt.total, ZERO)
    excess -= min(withheld, max(excess, ZERO))
    if excess > 0:
        tender = next(t for t in reversed(case.facts.tenders) if t.kind is TenderKind.MONEY)
        case.documents.append(payment(case, tender, excess, ZERO, receipt))
    gifts = [tender for tender in case.facts.tenders if tender.kind is not TenderKind.MONEY]
    if not gifts or not gifts_are_payments(case):
        return
    taken = sum((line.amount for line in receipt.lines if line.kind is LineKind.GIFT_CARD_REDEMPTION), ZERO)
    unused = sum((tender.amount for tender in gifts), ZERO) + taken
    if unused > 0:
        case.documents.append(payment(case, gifts[-1], unused, ZERO, receipt))
