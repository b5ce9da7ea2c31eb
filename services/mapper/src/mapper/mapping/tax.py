"""Tax as the channel charged it, in the form the ledger wants it (section 12).

Whatever the method, the amounts are the channel's; only codes and the place where they stand differ. The ledger's own
calculation never decides.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from common.messages.orders import Address, Order, OrderLine, TaxLine
from common.messages.transactions import Account, AccountRole, DocumentLine, DocumentTax, LineKind
from common.money import ZERO, prorate
from mapper.mapping.case import Case
from mapper.mapping.names import tidy
from mapper.mapping.notices import tax_code_near, tax_not_expected

NO_ADDRESS: Final = Address()
UNTITLED: Final = "Tax"


class TaxCodes:
    """Codes of one order's lines, decided once per order."""

    __slots__ = ("discount", "document", "non_taxable", "on_lines", "shipping", "taxable")

    def __init__(self, case: Case) -> None:
        settings = case.connection.tax
        taxed = case.order.tax_total != 0
        self.document: str | None = settings.document_code or None
        self.taxable: str | None = settings.taxable_code or None
        self.non_taxable: str | None = settings.non_taxable_code or None
        if settings.method == "tax_codes":
            self.document = case.directives.tax_item or place_code(case, taxed=taxed) or self.document
        elif settings.method == "inclusive":
            self.taxable = place_code(case, taxed=taxed) or self.taxable
            self.non_taxable = settings.codes.get("default_untaxed") or self.non_taxable
        self.on_lines = settings.method != "tax_line"
        """Whether lines are taxable. Where tax is a line itself, the ledger must not tax the others again."""
        if not self.on_lines:
            self.taxable = self.non_taxable
        if settings.use_customer_code:
            self.taxable = self.non_taxable = None
        shipping_taxed = self.on_lines and any(line.taxes for line in case.order.shipping_lines)
        self.shipping: str | None = (
            case.directives.shipping_tax_code
            or settings.shipping_code
            or (self.taxable if shipping_taxed else self.non_taxable)
        )
        self.discount: str | None = (
            case.directives.discount_tax_code or settings.discount_code or (self.taxable if taxed else self.non_taxable)
        )

    def of_line(self, case: Case, line: OrderLine) -> str | None:
        if not line.taxes or not self.on_lines:
            return self.non_taxable
        directive = case.directives.lines.get(line.external_id)
        return (directive.tax_code if directive else "") or self.taxable


def place_code(case: Case, *, taxed: bool) -> str:
    """Code of the place the goods go to: zip, city, county, state, country, then the default for taxed or untaxed."""
    codes = case.connection.tax.codes
    if not codes:
        return ""
    address = case.order.shipping_address or case.order.billing_address or NO_ADDRESS
    known = {tidy(place): code for place, code in codes.items()}
    for place in _places(address):
        code = known.get(place)
        if code:
            return code
        if place.startswith("county:"):
            _suggest_near(case, place, known)
    return known.get("default_taxed" if taxed else "default_untaxed", "")


def _places(address: Address) -> Iterable[str]:
    region = tidy(address.region)
    if address.postal_code:
        yield f"zip:{tidy(address.postal_code)}"
    if address.city:
        yield f"city:{tidy(address.city)},{region}"
    if address.county:
        yield f"county:{tidy(address.county)},{region}"
    if region:
        yield f"state:{region}"
    if address.country:
        yield f"country:{tidy(address.country)}"


def _suggest_near(case: Case, place: str, known: dict[str, str]) -> None:
    """`Dane` and `Dane County` are different names; say so instead of guessing."""
    county, _, region = place.removeprefix("county:").partition(",")
    for candidate in known:
        if not candidate.startswith("county:"):
            continue
        other, _, other_region = candidate.removeprefix("county:").partition(",")
        if other_region == region and (other.startswith(f"{county} ") or county.startswith(f"{other} ")):
            case.notices.append(tax_code_near(county, other))
            return


def charged_taxes(order: Order) -> list[TaxLine]:
    """Tax by rate over the whole order: the channel's own sum where it agrees with the total, else that of the lines.

    A tax total without any breakdown becomes one untitled line. What still disagrees is left to the balance check.
    """
    stated = sum((tax.amount for tax in order.taxes), ZERO)
    if stated == order.tax_total and (order.taxes or not stated):
        return [tax for tax in order.taxes if tax.amount]
    grouped = group_taxes(_every_tax_line(order))
    if sum((tax.amount for tax in grouped), ZERO) == order.tax_total:
        return grouped
    if not order.taxes and not grouped:
        return [TaxLine(title=UNTITLED, amount=order.tax_total)]
    return list(order.taxes) or grouped


def _every_tax_line(order: Order) -> Iterable[TaxLine]:
    for line in order.lines:
        yield from line.taxes
    for shipping in order.shipping_lines:
        yield from shipping.taxes
    for surcharge in order.surcharges:
        yield from surcharge.taxes


def group_taxes(taxes: Iterable[TaxLine]) -> list[TaxLine]:
    """Sum tax lines of one title, rate and jurisdiction, in the order they first appear."""
    sums: dict[tuple[str, Decimal | None, str], Decimal] = {}
    for tax in taxes:
        identity = (tax.title, tax.rate, tax.jurisdiction)
        sums[identity] = sums.get(identity, ZERO) + tax.amount
    return [
        TaxLine(title=title, amount=amount, rate=rate, jurisdiction=jurisdiction)
        for (title, rate, jurisdiction), amount in sums.items()
        if amount
    ]


def without_remitted(taxes: list[TaxLine], remitted: Decimal, currency: str) -> list[TaxLine]:
    """Leave out what the marketplace pays itself: the line of that amount, else a share of every line."""
    for index, tax in enumerate(taxes):
        if tax.amount == remitted:
            return taxes[:index] + taxes[index + 1 :]
    shares = prorate(remitted, [tax.amount for tax in taxes], currency)
    reduced = (tax.model_copy(update={"amount": tax.amount - share}) for tax, share in zip(taxes, shares, strict=True))
    return [tax for tax in reduced if tax.amount]


def scaled_taxes(taxes: Sequence[TaxLine], total: Decimal, currency: str) -> list[TaxLine]:
    """The same rates with another total, split in proportion; one untitled line where there is no pattern."""
    if not total:
        return []
    if not taxes:
        return [TaxLine(title=UNTITLED, amount=total)]
    shares = prorate(total, [tax.amount for tax in taxes], currency)
    return [tax.model_copy(update={"amount": share}) for tax, share in zip(taxes, shares, strict=True) if share]


def tax_account(case: Case, tax: TaxLine) -> Account:
    return case.configuration.account(AccountRole.TAX, tax.jurisdiction)


def post_taxes(
    case: Case, taxes: Sequence[TaxLine], codes: TaxCodes, lines: list[DocumentLine]
) -> tuple[DocumentTax, ...]:
    """Put the taxes where the method wants them: as lines (appended), or as the document's taxes (returned)."""
    if not taxes:
        return ()
    settings = case.connection.tax
    if settings.method == "tax_line":
        name = case.directives.tax_item or case.connection.products.tax_item
        lines.extend(
            DocumentLine(
                kind=LineKind.TAX,
                account=tax_account(case, tax),
                amount=tax.amount,
                description=tax.title,
                item_key=case.service_item(LineKind.TAX, name, AccountRole.TAX),
                tax_code=codes.non_taxable,
            )
            for tax in taxes
        )
        return ()
    return tuple(
        DocumentTax(
            title=tax.title or UNTITLED,
            account=tax_account(case, tax),
            amount=tax.amount,
            rate=tax.rate,
            tax_code=codes.document,
        )
        for tax in taxes
    )


def warn_unexpected(case: Case) -> None:
    """Tax that should not be there is posted as charged and shown (section 12.6)."""
    order = case.order
    if not order.tax_total:
        return
    exempt = order.customer is not None and order.customer.tax_exempt
    if exempt or case.connection.tax.method == "none":
        case.notices.append(tax_not_expected(order.tax_total, order.currency))
