"""The border: a document's parts add up to what the source says, to the cent, or it is not written.

Σ document totals + gift redemptions + fee lines + remitted tax = order total. Within the tolerance a rounding line is
added, shown and counted; nothing else is ever plugged.
"""

from decimal import Decimal

from common.messages.transactions import AccountRole, DocumentLine, DocumentTax, LineKind
from common.money import ZERO, tolerance
from mapper.mapping.case import Case
from mapper.mapping.notices import rounding_added
from mapper.mapping.reasons import Held, totals_mismatch


def sum_parts(lines: list[DocumentLine], taxes: tuple[DocumentTax, ...]) -> Decimal:
    total = ZERO
    for line in lines:
        total += line.amount
    for tax in taxes:
        total += tax.amount
    return total


def allowed_difference(case: Case) -> Decimal:
    return case.configuration.tolerance(tolerance(case.currency, len(case.order.lines)))


def settle(
    case: Case,
    stated: Decimal,
    lines: list[DocumentLine],
    taxes: tuple[DocumentTax, ...],
    what: str = "order",
    *,
    with_item: bool = True,
) -> Decimal:
    """Make the parts equal what is stated, by a rounding line at most, and return the stated total.

    Without its item the rounding line posts to its account itself. Raises `Held` (TOTALS_MISMATCH) where the difference
    is more than rounding.
    """
    computed = sum_parts(lines, taxes)
    difference = stated - computed
    if difference:
        if abs(difference) > allowed_difference(case):
            raise Held(totals_mismatch(stated, computed, case.currency, what))
        lines.append(rounding_line(case, difference, with_item=with_item))
        case.notices.append(rounding_added(difference, case.currency))
    return stated


def rounding_line(case: Case, amount: Decimal, *, with_item: bool) -> DocumentLine:
    """A line for a rounding difference: item Rounding → the account for rounding differences."""
    item = case.connection.products.rounding_item
    return DocumentLine(
        kind=LineKind.ROUNDING,
        account=case.configuration.account(AccountRole.ROUNDING),
        amount=amount,
        description=item,
        item_key=case.service_item(LineKind.ROUNDING, item, AccountRole.ROUNDING) if with_item else None,
        tax_code=case.configuration.never_taxed_code(),
    )
