"""Tax as the channel charged it, in the form the ledger wants it (section 12).

Whatever the method, the amounts are the channel's; only codes and the place where they stand differ. The ledger's own
calculation never decides.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from common.messages.orders import Address, Order, OrderLine, TaxLine
from common.messages.transactions import Account, AccountRole, DocumentLine, DocumentTax, LineKind
from common.money import ZERO, prorate, quantize, tolerance
from mapper.mapping.case import Case
from mapper.mapping.names import place_name
from mapper.mapping.notices import tax_code_near, tax_not_expected

NO_ADDRESS: Final = Address()
UNTITLED: Final = "Tax"
BY_PLACE: Final = frozenset({"tax_codes", "inclusive"})
"""Methods whose codes go by where the goods go."""


class TaxCodes:
    """Codes of one order's lines, decided once per order."""

    __slots__ = ("_discount", "_shipping", "alone", "document", "never", "non_taxable", "on_lines", "taxable")

    def __init__(self, case: Case) -> None:
        settings = case.connection.tax
        taxed = case.order.tax_total != 0
        self.document: str | None = settings.document_code or None
        self.taxable: str | None = settings.taxable_code or None
        self.never: str | None = case.configuration.never_taxed_code()
        """Code of what no tax is ever on: gift cards, tips, fees."""
        mapped = _mapped_code(case, taxed=taxed)
        if case.configuration.codes_on_lines:
            self.taxable = mapped or self.taxable
        else:
            self.document = mapped or self.document
        self.alone = settings.method == "tax_codes" and not case.configuration.codes_on_lines and not taxed
        """Whether the document's code stands on it without any tax (section 12.2)."""
        self.on_lines = settings.method != "tax_line"
        """Whether lines are taxable. Where tax is a line itself, the ledger must not tax the others again."""
        self.non_taxable = self.never
        directives = case.directives
        self._shipping = directives.shipping_tax_code
        self._discount = directives.discount_tax_code
        if not self.on_lines:
            self.taxable = self.non_taxable
        elif settings.use_customer_code:
            self.taxable = self.non_taxable = None
        else:
            self._shipping = self._shipping or settings.shipping_code
            self._discount = self._discount or settings.discount_code

    def of_line(self, case: Case, line: OrderLine) -> str | None:
        if line.is_gift_card:
            return self.never
        if not line.taxes or not self.on_lines:
            return self.non_taxable
        directive = case.directives.lines.get(line.external_id)
        return (directive.tax_code if directive else "") or self.taxable

    def of_shipping(self, *, taxed: bool) -> str | None:
        return self._chosen(self._shipping, taxed=taxed)

    def of_discount(self, *, taxed: bool) -> str | None:
        return self._chosen(self._discount, taxed=taxed)

    def _chosen(self, code: str, *, taxed: bool) -> str | None:
        if not self.on_lines:
            return self.non_taxable
        return code or (self.taxable if taxed else self.non_taxable)


def _mapped_code(case: Case, *, taxed: bool) -> str:
    """The code of the order: a rule's, else that of its place; empty where the method asks for none."""
    method = case.connection.tax.method
    if method == "tax_codes" and case.directives.tax_item:
        return case.directives.tax_item
    return place_code(case, taxed=taxed) if method in BY_PLACE else ""


def place_code(case: Case, *, taxed: bool) -> str:
    """Code of the place the goods go to: zip, city, county, state, country, then the default for taxed or untaxed."""
    known = case.configuration.tax_codes
    if not known:
        return ""
    address = case.order.shipping_address or case.order.billing_address or NO_ADDRESS
    for place in map(place_name, _places(address)):
        code = known.get(place)
        if code:
            return code
        if place.startswith("county:"):
            _suggest_near(case, place, known)
    return known.get("default_taxed" if taxed else "default_untaxed", "")


def _places(address: Address) -> Iterable[str]:
    if address.postal_code:
        yield f"zip:{address.postal_code}"
    if address.city:
        yield f"city:{address.city},{address.region}"
    if address.county:
        yield f"county:{address.county},{address.region}"
    if address.region:
        yield f"state:{address.region}"
    if address.country:
        yield f"country:{address.country}"


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

    Lines that miss the total by rounding share it; a tax total without any breakdown becomes one untitled line. What
    still disagrees is left to the balance check.
    """
    stated = sum((tax.amount for tax in order.taxes), ZERO)
    if stated == order.tax_total and (order.taxes or not stated):
        return [tax for tax in order.taxes if tax.amount]
    grouped = group_taxes(_every_tax_line(order))
    difference = order.tax_total - sum((tax.amount for tax in grouped), ZERO)
    if not difference:
        return grouped
    if order.taxes:
        return list(order.taxes)
    if grouped and abs(difference) > tolerance(order.currency, len(order.lines)):
        return grouped
    # Rounded line by line, tax can come to a cent more than what was charged.
    return scaled_taxes(grouped, order.tax_total, order.currency)


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
    """Put the taxes where the method wants them: as lines (appended), or as the document's taxes (returned).

    An order without tax still names its document code, on a tax of nothing. Where nothing else is taxable, tax is a
    line: by the method `tax_line`, and of tax alone that goes back, which no ledger takes otherwise.
    """
    if not taxes:
        return (_code_alone(case, codes.document),) if codes.alone and codes.document else ()
    if not any(line.taxable and line.amount for line in lines):
        lines.extend(_tax_line(case, tax, codes) for tax in taxes)
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


def _code_alone(case: Case, code: str) -> DocumentTax:
    return DocumentTax(
        title=UNTITLED,
        account=case.configuration.account(AccountRole.TAX),
        amount=quantize(ZERO, case.currency),
        tax_code=code,
    )


def _tax_line(case: Case, tax: TaxLine, codes: TaxCodes) -> DocumentLine:
    ruled = case.directives.tax_item if case.connection.tax.method == "tax_line" else ""
    name = ruled or case.connection.products.tax_item
    return DocumentLine(
        kind=LineKind.TAX,
        account=tax_account(case, tax),
        amount=tax.amount,
        description=tax.title,
        item_key=case.service_item(LineKind.TAX, name, AccountRole.TAX),
        tax_code=codes.never,
    )


def warn_unexpected(case: Case) -> None:
    """Tax that should not be there is posted as charged and shown (section 12.6)."""
    order = case.order
    if not order.tax_total:
        return
    exempt = order.customer is not None and order.customer.tax_exempt
    if exempt or case.connection.tax.method == "none":
        case.notices.append(tax_not_expected(order.tax_total, order.currency))
