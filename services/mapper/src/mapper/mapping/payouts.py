"""A payout as one ledger deposit: it groups what its charges and refunds became, and adds fees (section 14).

Amounts of payout lines are signed as the merchant sees them (refunds negative), fees positive; the first thing checked
is that they come to the net.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.keys import document_key
from common.messages.orders import Payout
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    Inputs,
    LineKind,
    SetOutcome,
    TransactionSet,
)
from common.money import ZERO
from mapper.mapping.configuration import Configuration
from mapper.mapping.filter_reasons import connection_disabled
from mapper.mapping.history import IN_PAYOUT
from mapper.mapping.modes import SETTLED_MODES
from mapper.mapping.payout_accounts import FAILED, OTHERS, TRANSFER, money_account, other_account
from mapper.mapping.payout_matching import CHARGES, REFUNDS, Candidates, Grouped, match_documents
from mapper.mapping.payout_reasons import (
    amounts_differ,
    not_automatic,
    not_paid,
    payout_mode,
    payouts_off,
    unbalanced,
)
from mapper.mapping.reasons import Held, fees_conflict
from mapper.mapping.settled_sales import SalesSource, described_lines, settled_sales
from mapper.mapping.settlements import Settled, as_itself, fee_payee, postings_of, settle_payout, with_payee

M = TransactionMode
DEPOSIT_MODES: Final = frozenset(
    {
        M.SALES_RECEIPTS,
        M.INVOICES_PAYMENTS_IF_PAID,
        M.SALES_ORDERS_INVOICES_PAYMENTS_IF_PAID,
        M.SALES_ORDERS_INVOICES_PO,
    }
)
REPORTED: Final = frozenset({"paid", FAILED})
"""Statuses of payouts that become documents: one that failed was at the bank, by what its processor had said."""
NO_SALES: Final = SalesSource()
NOTHING: Final = Settled(())


def map_payout(
    payout: Payout,
    configuration: Configuration,
    candidates: Candidates,
    source: SalesSource = NO_SALES,
    *,
    kept_mode: str = "",
) -> TransactionSet:
    """The deposit of one payout, or the settlement that it is, or why there is none yet. Pure; revision 0.

    `source`: orders of a settlement's sales; deposits group documents, and need those that have none of their own.
    `kept_mode`: the mode by which it was written; a changed setting is for payouts that are not (decision 0011).
    """
    kept = kept_mode if configuration.company.approved_at is not None else ""
    mode = M(kept or configuration.connection.mode)
    try:
        settled = _settled(payout, configuration, candidates, source, mode)
    except Held as held:
        return _answer(payout, configuration, SetOutcome.HELD, held.reason)
    if isinstance(settled, Reason):
        return _answer(payout, configuration, SetOutcome.FILTERED, settled)
    return _answer(payout, configuration, SetOutcome.MAPPED, None, settled, mode.value)


def _settled(
    payout: Payout, configuration: Configuration, candidates: Candidates, source: SalesSource, mode: TransactionMode
) -> Settled | Reason:
    connection = configuration.connection
    if not connection.enabled:
        return connection_disabled(connection.name)
    if not connection.payouts.enabled:
        return payouts_off()
    if payout.status not in REPORTED:
        return not_paid(payout.status)
    if connection.fees.on_order != "none":
        raise Held(fees_conflict())
    computed = sum((line.amount - line.fee for line in payout.lines), ZERO)
    if computed != payout.net:
        raise Held(unbalanced(payout.net, computed, payout.currency))
    if mode in SETTLED_MODES:
        return settle_payout(payout, configuration, source, candidates, mode)
    if mode not in DEPOSIT_MODES:
        raise Held(payout_mode(mode.value))
    payee = fee_payee(payout, configuration)
    documents = [_deposit(payout, configuration, candidates, source, payee)]
    if payout.net < 0 and connection.payouts.negative == "debited" and payout.status != FAILED:
        documents.append(_debit(payout, configuration))
    return with_payee(tuple(documents), payee, configuration)


def _deposit(
    payout: Payout,
    configuration: Configuration,
    candidates: Candidates,
    source: SalesSource,
    payee: CustomerWanted | None,
) -> Document:
    left = _left_to_payouts(payout, configuration, candidates, source)
    rest = tuple(line for line in payout.lines if line.external_id not in left)
    grouped = match_documents(payout.model_copy(update={"lines": rest}), candidates, configuration)
    lines = [_grouped_line(one) for one in grouped]
    lines.extend(_exchange_differences(grouped, configuration))
    lines.extend(postings_of([line for parts in left.values() for line in parts]))
    lines.extend(_other_lines(payout, configuration))
    bank = configuration.payout_account(payout.currency)
    if payout.net < 0:
        # A deposit can't be negative: what is missing stands on the shortfall account until it is paid or carried.
        lines.append(_posting(configuration.account(AccountRole.SHORTFALL), payout.net, "Payout shortfall"))
    title, total = f"Payout {payout.external_id}", max(payout.net, ZERO)
    if payout.status == FAILED:
        lines.append(_posting(money_account(payout, configuration), total, f"{title} failed"))
        total = ZERO
    lines.append(_posting(bank, total, title))
    difference = sum((line.amount for line in lines), ZERO)
    if difference:
        raise Held(amounts_differ(difference, payout.currency))
    return Document(
        **_header(payout, configuration, DocumentKind.DEPOSIT),
        total=total,
        customer_key=payee.key if payee is not None else None,
        lines=tuple(lines),
        deposit_to=bank,
        depends_on=tuple(one.document.key for one in grouped),
    )


def _left_to_payouts(
    payout: Payout, configuration: Configuration, candidates: Candidates, source: SalesSource
) -> Mapping[str, Sequence[DocumentLine]]:
    """Payout line's id → what it sold, for orders that only a payout accounts for: of an earlier mode, or by a rule."""
    orders = [one for one in source.orders if candidates.elsewhere.get(one.external_id) == IN_PAYOUT]
    if not orders:
        return {}
    left = dict(settled_sales(payout, configuration, replace(source, orders=orders)).lines)
    for line in described_lines(payout, orders):
        left[line.external_id] = (as_itself(line, payout, configuration),)
    return left


def _debit(payout: Payout, configuration: Configuration) -> Document:
    """What a payout below zero takes from the bank: it makes up for the deposit's shortfall (section 14, example C)."""
    title = f"Payout {payout.external_id}"
    lines = (
        _posting(configuration.account(AccountRole.SHORTFALL), -payout.net, title),
        _posting(configuration.payout_account(payout.currency), payout.net, title),
    )
    return Document(**_header(payout, configuration, DocumentKind.JOURNAL_ENTRY), total=-payout.net, lines=lines)


def _header(payout: Payout, configuration: Configuration, kind: DocumentKind) -> dict[str, Any]:
    connection = configuration.connection
    return {
        "key": document_key(
            payout.tenant_id, connection.company_id, payout.connection_id, "payout", payout.external_id, kind
        ),
        "kind": kind,
        "hold": None if connection.payouts.automatic else not_automatic(),
        "source_kind": "payout",
        "source_id": payout.external_id,
        "number": None,
        "memo_number": payout.external_id,
        "date": payout.paid_on,
        "currency": payout.currency,
        "exchange_rate": payout.exchange_rate,
        "reference": payout.external_id,
        "notices": (not_paid(payout.status),) if payout.status == FAILED else (),
    }


def _grouped_line(one: Grouped) -> DocumentLine:
    document = one.document
    if document.deposit_to is None:
        raise ValueError(f"document {document.key} ({document.kind}) is no money that could be deposited")
    return DocumentLine(
        kind=LineKind.GROUPED_DOCUMENT,
        account=document.deposit_to,
        amount=-one.worth * one.sign,
        description=document.source_number,
        document_key=document.key,
    )


def _exchange_differences(grouped: Sequence[Grouped], configuration: Configuration) -> list[DocumentLine]:
    """What the money was worth when it was paid out, less what it stood at: a loss is a debit (section 21.5)."""
    difference = sum((one.worth * one.sign - one.paid for one in grouped), ZERO)
    account = configuration.account(AccountRole.EXCHANGE) if difference else None
    return [_posting(account, difference, "Exchange difference")] if account is not None else []


def _other_lines(payout: Payout, configuration: Configuration) -> list[DocumentLine]:
    """One line per fee kind and per other kind; debits positive."""
    sums: dict[tuple[Account, str], Decimal] = {}
    fees = sum((line.fee for line in payout.lines), ZERO)
    if fees:
        sums[configuration.account(AccountRole.FEES), "Processing fees"] = fees
    for line in payout.lines:
        if line.kind in CHARGES or line.kind in REFUNDS:
            continue
        account = other_account(line, payout, configuration)
        own = line.description if line.kind not in OTHERS and line.kind != TRANSFER else ""
        title = own or line.kind.replace("_", " ").capitalize()
        sums[account, title] = sums.get((account, title), ZERO) - line.amount
    return [_posting(account, amount, title) for (account, title), amount in sums.items() if amount]


def _posting(account: Account, amount: Decimal, description: str) -> DocumentLine:
    return DocumentLine(kind=LineKind.POSTING, account=account, amount=amount, description=description)


def _answer(
    payout: Payout,
    configuration: Configuration,
    outcome: SetOutcome,
    reason: Reason | None,
    settled: Settled = NOTHING,
    kept_mode: str = "",
) -> TransactionSet:
    connection = configuration.connection
    return TransactionSet(
        tenant_id=payout.tenant_id,
        revision=0,
        company_id=connection.company_id,
        connection_id=payout.connection_id,
        source_kind="payout",
        source_id=payout.external_id,
        source_number=payout.external_id,
        inputs=Inputs(
            source_revision=payout.revision,
            connection_revision=configuration.connection_revision,
            company_revision=configuration.company_revision,
        ),
        outcome=outcome,
        reason=reason,
        date=payout.paid_on,
        currency=payout.currency,
        source_total=payout.net,
        kept_mode=kept_mode,
        after_posting=connection.after_posting,
        customers=settled.customers,
        vendors=settled.vendors,
        items=settled.items,
        documents=settled.documents,
    )
