"""What a look-up found: ours, somebody else's, or a collision (domain reference, sections 10, 16.5, 17 and 23.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.messages.base import Reason
from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted, MissingPolicy
from ledger_writer.ledgers.protocol import Found, LedgerLink, Operation
from ledger_writer.planning.content import Wanted
from ledger_writer.planning.dependencies import WORD


@dataclass(frozen=True, slots=True)
class Same:
    """It is there already: link it."""

    link: LedgerLink
    applied: tuple[tuple[str, Decimal], ...] | None = None
    """As `Found` has it."""


@dataclass(frozen=True, slots=True)
class Absent:
    """It is not there: create it, as `wanted`, whose name may have been made unique."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Unclear:
    """Only a person can tell."""

    reason: Reason


Verdict = Same | Absent | Unclear

_ORDER_FORMS = frozenset({DocumentKind.SALES_ORDER, DocumentKind.ESTIMATE})
_OF_NOBODY = frozenset({DocumentKind.DEPOSIT, DocumentKind.JOURNAL_ENTRY})
DUPLICATE_REFERENCE = "PAYMENT_DUPLICATE_REFERENCE"
_NAME_SUFFIXES = (" (C)", "-1", "-2", "-3", "-4", "-5")


def judge(operation: Operation, found: Sequence[Found], linked: frozenset[str], *, duplicate: bool = False) -> Verdict:
    """Decide what the candidates of one operation mean.

    `linked` holds ledger ids that already belong to another of our documents. `duplicate` says that the ledger has
    refused the number as taken, so that finding nothing of ours is a collision and not an absence.
    """
    wanted = operation.wanted
    if isinstance(wanted, CustomerWanted):
        return _judge_partner(operation.kind, wanted, found)
    if isinstance(wanted, ItemWanted):
        return _judge_item(wanted, found)
    return _judge_document(operation, wanted, found, linked, duplicate=duplicate)


def _judge_document(
    operation: Operation, wanted: Document, found: Sequence[Found], linked: frozenset[str], *, duplicate: bool
) -> Verdict:
    live = [one for one in found if one.active and one.link.ledger_id not in linked]
    ours = [one for one in live if one.mark == wanted.mark]
    if len(ours) == 1:
        return Same(ours[0].link, ours[0].applied)
    if len(ours) > 1:
        return Unclear(_collision(operation, wanted, f"{len(ours)} documents in the ledger carry its mark"))
    # Another mark belongs to another shop's order of the same number: never linked, and no obstacle by itself.
    unmarked = [one for one in live if one.mark is None]
    # A deposit or journal entry is nobody's as a whole: whom it names stands on its lines.
    names = wanted.customer_key if operation.kind not in _OF_NOBODY else None
    customer = operation.references.get(names) if names is not None else None
    expected_customer = customer.ledger_id if customer is not None else ""
    if operation.kind is DocumentKind.PAYMENT:
        unmarked = _payments_to_judge(wanted, unmarked, expected_customer)
    if not unmarked:
        if duplicate:
            return Unclear(_collision(operation, wanted, "the ledger says that its number is taken"))
        return Absent(wanted)
    one = unmarked[0]
    if operation.kind in _ORDER_FORMS and one.memo_number not in {"", wanted.memo_number, wanted.number}:
        return Unclear(_order_not_found(wanted, one))
    same = [one for one in unmarked if one.customer == expected_customer and one.link.total == wanted.total]
    # Of the payments of an order the amount tells which one it is.
    if len(same) == 1 and (len(unmarked) == 1 or operation.kind is DocumentKind.PAYMENT):
        return Same(same[0].link, same[0].applied)
    if _has_reference(one, wanted) and one.customer == expected_customer:
        return Unclear(_duplicate_reference(wanted, len(same)))
    if len(unmarked) > 1:
        return Unclear(_collision(operation, wanted, f"{len(unmarked)} documents in the ledger have its number"))
    return Unclear(_collision(operation, wanted, "one with its number has another customer or total"))


def _payments_to_judge(wanted: Document, unmarked: Sequence[Found], customer: str) -> list[Found]:
    """Payments of the customer with the reference; where there are none, those with the order's number (section 8.10).

    Customers number their cheques: the reference of another one's payment says nothing.
    """
    referring = [one for one in unmarked if _has_reference(one, wanted)]
    return [one for one in referring if one.customer == customer] or [
        one for one in unmarked if one not in referring or one.memo_number == wanted.memo_number
    ]


def _has_reference(found: Found, wanted: Document) -> bool:
    return wanted.reference != "" and found.reference.casefold() == wanted.reference.casefold()


def _duplicate_reference(wanted: Document, equal: int) -> Reason:
    why = f"{equal} of its customer's payments in the ledger have the reference {wanted.reference!r} and its amount"
    if not equal:
        why = f"a payment of its customer in the ledger has the reference {wanted.reference!r} and another amount"
    return Reason(
        code=DUPLICATE_REFERENCE,
        text=f"Payment {wanted.shown_number} was not written: {why}.",
        cure="Link that payment by hand if it is the same, or change its reference in the ledger, and resend.",
        field="reference",
        value=wanted.reference,
    )


def _collision(operation: Operation, wanted: Document, why: str) -> Reason:
    number = wanted.shown_number
    return Reason(
        code="NUMBER_COLLISION",
        text=f"{WORD[operation.kind].capitalize()} {number} was not written: {why}.",
        cure="Link it by hand if it is the same, or give the connection a number prefix and resend.",
        field="number",
        value=number,
    )


def _order_not_found(wanted: Document, found: Found) -> Reason:
    """The invoice that closes a sales order finds it by its number, which the memo has to repeat (section 10)."""
    return Reason(
        code="SO_NOT_FOUND",
        text=f"{WORD[wanted.kind].capitalize()} {wanted.shown_number} can't be told from the one in the"
        f" ledger: that one has {found.memo_number!r} in its memo."[:4000],
        cure="Put the order's number into its memo, or link it by hand, and resend.",
        field="memo",
        value=found.memo_number[:500],
    )


def _keeps(found: Found, wanted: CustomerWanted) -> bool:
    """Whether documents in the wanted currency can be of this customer or vendor, which has one for ever (16.11)."""
    return not found.currency or not wanted.currency or found.currency == wanted.currency


def _other_currency(kind: DocumentKind, wanted: CustomerWanted, found: Found) -> Reason:
    word = WORD[kind]
    return Reason(
        code=f"{kind.value.upper()}_CURRENCY_DIFFERS",
        text=f"{word.capitalize()} {wanted.display_name!r} is kept in {found.currency} in the ledger, and its documents"
        f" are in {wanted.currency}.",
        cure=f"Connect the {word} to one that is kept in {wanted.currency}, or rename that one and resend.",
        field=word,
        value=wanted.display_name,
    )


def _judge_partner(kind: DocumentKind, wanted: CustomerWanted, found: Sequence[Found]) -> Verdict:
    """A customer, or a vendor: they share one space of names in the ledger."""
    partners = [one for one in found if one.kind_in_ledger in {"", kind.value}]
    word, code = WORD[kind], kind.value.upper()
    active = [one for one in partners if one.active]
    if wanted.ledger_id is not None:
        chosen = [one for one in active if one.link.ledger_id == wanted.ledger_id]
        if chosen:
            return Same(chosen[0].link)
    strangers = [one for one in active if not _keeps(one, wanted)]
    active = [one for one in active if _keeps(one, wanted)]
    if strangers and not active:
        return Unclear(_other_currency(kind, wanted, strangers[0]))
    if len(active) == 1:
        return Same(active[0].link)
    if len(active) > 1:
        return Unclear(
            Reason(
                code=f"{code}_AMBIGUOUS",
                text=f"{len(active)} {word}s in the ledger match {wanted.display_name!r}.",
                cure=f"Connect the {word} by hand.",
                field=word,
                value=wanted.display_name,
            )
        )
    if partners:
        return Unclear(
            Reason(
                code=f"{code}_INACTIVE",
                text=f"{word.capitalize()} {wanted.display_name!r} is inactive in the ledger.",
                cure=f"Make it active again and resend, or connect another {word}.",
                field=word,
                value=wanted.display_name,
            )
        )
    if wanted.missing is MissingPolicy.STOP:
        return Unclear(
            Reason(
                code=f"{code}_MISSING",
                text=f"{word.capitalize()} {wanted.display_name!r} is not in the ledger, and missing ones are not"
                " created.",
                cure=f"Connect the {word}, or let the connection create missing ones.",
                field=word,
                value=wanted.display_name,
            )
        )
    return Absent(_with_free_name(wanted, found))


def _with_free_name(wanted: CustomerWanted, found: Sequence[Found]) -> CustomerWanted:
    """Vendors and employees share the customers' name space: a taken name gets a suffix."""
    taken = {one.link.name.casefold() for one in found}
    if wanted.display_name.casefold() not in taken:
        return wanted
    for suffix in _NAME_SUFFIXES:
        name = wanted.display_name + suffix
        if name.casefold() not in taken:
            return wanted.model_copy(update={"display_name": name})
    return wanted


def _judge_item(wanted: ItemWanted, found: Sequence[Found]) -> Verdict:
    active = [one for one in found if one.active]
    if wanted.ledger_id is not None:
        chosen = [one for one in active if one.link.ledger_id == wanted.ledger_id]
        if chosen:
            return Same(chosen[0].link)
    if len(active) == 1:
        return Same(active[0].link)
    if len(active) > 1:
        code, text = "PRODUCT_AMBIGUOUS", f"{len(active)} items in the ledger match {wanted.name!r}."
    elif found:
        code, text = "PRODUCT_INACTIVE", f"Item {wanted.name!r} is inactive in the ledger."
    elif wanted.missing is MissingPolicy.STOP:
        code, text = "PRODUCT_MISSING", f"Item {wanted.name!r} is not in the ledger."
    else:
        return Absent(wanted)
    cure = "Map the product to an item of the ledger."
    return Unclear(Reason(code=code, text=text, cure=cure, field="item", value=wanted.sku or wanted.name))
