"""Who a document is for: the strategies of section 16, name rules, currencies and connected customers."""

from collections.abc import Callable
from typing import Final

from common.messages.base import Reason
from common.messages.control import CustomerStrategy
from common.messages.keys import shared_key
from common.messages.orders import Address, Customer, Order
from common.messages.transactions import CustomerWanted, DocumentKind, MissingPolicy
from mapper.mapping.case import Case
from mapper.mapping.catalog import CustomerLink, link_name
from mapper.mapping.names import normal, tidy
from mapper.mapping.notices import name_truncated
from mapper.mapping.reasons import customer_dismissed, customer_missing
from mapper.mapping.tax import TaxCodes

NO_CUSTOMER: Final = Customer()
NO_ADDRESS: Final = Address()
FORBIDDEN: Final = str.maketrans({":": " ", "\t": " ", "\n": " ", "\r": " "})
"""Characters that QuickBooks refuses in names (section 16.6)."""


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _last_first(last: str, first: str, *rest: str) -> str:
    given = _join(first, *rest)
    return f"{last}, {given}" if last and given else last or given


def _first_last(order: Order) -> str:
    customer = order.customer or NO_CUSTOMER
    return _join(customer.first_name, customer.last_name) or _billing(order).name


def _last_comma_first(order: Order) -> str:
    customer = order.customer or NO_CUSTOMER
    return _last_first(customer.last_name, customer.first_name) or _turned(_billing(order).name)


def _email(order: Order) -> str:
    return first_email(order.customer.emails) if order.customer else ""


def _billing(order: Order) -> Address:
    return order.billing_address or NO_ADDRESS


def _shipping(order: Order) -> Address:
    return order.shipping_address or NO_ADDRESS


def _shipping_company(order: Order) -> str:
    return _shipping(order).company


def _turned(name: str) -> str:
    """`Ada King Lovelace` → `Lovelace, Ada King`: addresses carry one name, its last word is the family name."""
    first, _, last = name.strip().rpartition(" ")
    return f"{last}, {first}" if first else last


def _billing_company(order: Order) -> str:
    return _billing(order).company or (order.customer.company if order.customer else "")


def _last_first_middle(order: Order) -> str:
    customer = order.customer or NO_CUSTOMER
    return _last_first(customer.last_name, customer.first_name, customer.middle_name) or _turned(_billing(order).name)


def _store_name_and_currency(order: Order) -> str:
    return _join(order.store_name or order.channel, order.currency)


def first_email(emails: tuple[str, ...]) -> str:
    """The first address; several may stand in one field, separated by commas (section 16.2)."""
    for field in emails:
        for address in field.split(","):
            if address.strip():
                return address.strip()
    return ""


S = CustomerStrategy
STRATEGIES: Final[dict[CustomerStrategy, Callable[[Order], str]]] = {
    S.FIRST_LAST: _first_last,
    S.LAST_FIRST: _last_comma_first,
    S.FIRST_LAST_EMAIL: lambda order: _join(_first_last(order), _email(order)),
    S.LAST_FIRST_EMAIL: lambda order: _join(_last_comma_first(order), _email(order)),
    S.LAST_FIRST_MIDDLE: _last_first_middle,
    S.BILLING_COMPANY_OR_FIRST_LAST: lambda order: _billing_company(order) or _first_last(order),
    S.BILLING_COMPANY_OR_LAST_FIRST: lambda order: _billing_company(order) or _last_comma_first(order),
    S.BILLING_COMPANY_OR_SINGLE: _billing_company,
    S.SHIPPING_COMPANY_OR_FIRST_LAST: lambda order: _shipping_company(order) or _first_last(order),
    S.SHIPPING_COMPANY_OR_LAST_FIRST: lambda order: _shipping_company(order) or _last_comma_first(order),
    S.SHIPPING_FIRST_LAST: lambda order: _shipping(order).name,
    S.SHIPPING_LAST_FIRST: lambda order: _turned(_shipping(order).name),
    S.SHIPPING_FULL_NAME: lambda order: _shipping(order).name,
    S.BILLING_FULL_NAME: lambda order: _billing(order).name,
    S.BILLING_EMAIL_AS_NAME: _email,
    S.EMAIL: _email,
    S.NAME_THEN_EMAIL: _first_last,
    S.STORE_TYPE: lambda order: order.store_type or order.channel,
    S.STORE_NAME_AND_CURRENCY: _store_name_and_currency,
    S.ORDER_NUMBER: lambda order: order.number,
    S.SINGLE: lambda _order: "",
}
"""Strategy → the name it reads from an order; empty means the single customer."""

FALLBACKS: Final = (
    _first_last,
    lambda order: _shipping(order).name,
    _billing_company,
    _shipping_company,
    _email,
)
"""What names an order whose strategy finds nothing (ledgers refuse a nameless customer, code 6080)."""
WITHOUT_FALLBACK: Final = frozenset({S.SINGLE, S.BILLING_COMPANY_OR_SINGLE})
OF_THE_STORE: Final = frozenset({S.SINGLE, S.STORE_TYPE, S.STORE_NAME_AND_CURRENCY})
"""Strategies whose customer is the store's, not the buyer's: no contact data belongs on it."""
OF_THE_BUYER: Final = frozenset(
    {
        S.FIRST_LAST,
        S.LAST_FIRST,
        S.FIRST_LAST_EMAIL,
        S.LAST_FIRST_EMAIL,
        S.LAST_FIRST_MIDDLE,
        S.BILLING_FULL_NAME,
        S.BILLING_EMAIL_AS_NAME,
        S.EMAIL,
        S.NAME_THEN_EMAIL,
    }
)
"""Strategies whose customer is the person who buys."""
COMPANY_FIRST: Final[dict[CustomerStrategy, Callable[[Order], str]]] = {
    S.BILLING_COMPANY_OR_FIRST_LAST: _billing_company,
    S.BILLING_COMPANY_OR_LAST_FIRST: _billing_company,
    S.SHIPPING_COMPANY_OR_FIRST_LAST: _shipping_company,
    S.SHIPPING_COMPANY_OR_LAST_FIRST: _shipping_company,
}
"""Strategies whose customer is the company that an order is for, and the person who buys where it names none."""
WITHOUT_CODES: Final = frozenset({"none", "tax_line"})
LINE_WORDS: Final = frozenset({"TAX", "NON"})
"""Whether a line is taxed, in the words of ledgers whose codes are the document's."""


def resolve_customer(case: Case) -> None:
    """Decide the customer of the order's documents; fills `case.customer`, and `case.customer_hold` where it waits."""
    order = case.order
    settings = case.connection.customers
    strategy = settings.strategy
    name = case.directives.customer_name or STRATEGIES[strategy](order)
    if not name and strategy not in WITHOUT_FALLBACK:
        name = next((found for found in (read(order) for read in FALLBACKS) if found), "")
    single = _single(case)
    name, match_field = _present_customer(case, _clean(name) or single)
    is_single = name == single
    source_id = _account(order)
    links = case.catalog.customer_links
    link = (links.get(link_name(source_id, order.currency)) or links.get(source_id)) if source_id else None
    name = _in_currency(case, name)
    name = _cut(case, name)
    match_key = _match_key(case, match_field, name, is_single=is_single)
    key = shared_key(case.connection.company_id, DocumentKind.CUSTOMER, match_key)
    if link is not None and link.customer_key:
        key = link.customer_key
    case.customer = _wanted(case, key, name, match_field, link, is_single=is_single)
    case.customer_hold = _hold(case, name, link, source_id)
    if link is not None:
        case.customer_horizon = link.horizon


def _account(order: Order) -> str | None:
    """The channel's id of the buyer; guests have none."""
    return order.customer.external_id if order.customer else None


def _single(case: Case) -> str:
    """Name of the customer that orders without one of their own share."""
    return _clean(case.connection.customers.single_name) or "Web Store"


def _present_customer(case: Case, name: str) -> tuple[str, str]:
    """Apply `missing = single` and the email strategies to what the ledger is known to have."""
    settings = case.connection.customers
    catalog = case.catalog
    match_field = "email" if settings.strategy is S.EMAIL and "@" in name else "display_name"
    known = normal(name) in (catalog.customer_emails if match_field == "email" else catalog.customers)
    if settings.strategy is S.NAME_THEN_EMAIL and known and not _same_email(case, name):
        name, known = f"{name} ({_email(case.order)})", False
    if settings.missing == "single" and not known:
        return _single(case), "display_name"
    return name, match_field


def _same_email(case: Case, name: str) -> bool:
    """Whether any address of the buyer is one of that customer's; who has none can't be told apart (section 16.2)."""
    fields = case.order.customer.emails if case.order.customer else ()
    own = {normal(address) for field in fields for address in field.split(",") if address.strip()}
    theirs = case.catalog.customer_addresses.get(normal(name))
    return not own or not theirs or not own.isdisjoint(theirs)


def _match_key(case: Case, match_field: str, name: str, *, is_single: bool) -> str:
    """By what orders share a customer. An account of the shop has one, whatever it is called later: the link to the
    ledger's customer, which the key stands for, wins over the name (section 16.7)."""
    order = case.order
    account = _account(order)
    if account and not is_single and _is_buyer(case):
        return "\x1f".join(("account", order.connection_id, account, order.currency))
    if match_field == "email":
        return f"email:{normal(name)}:{order.currency}"
    return f"name:{normal(name)}"


def _is_buyer(case: Case) -> bool:
    """Whether the customer is the person who buys, rather than a company, a store, or whom a rule names."""
    if case.directives.customer_name:
        return False
    strategy = case.connection.customers.strategy
    company = COMPANY_FIRST.get(strategy)
    return strategy in OF_THE_BUYER if company is None else not company(case.order)


def _clean(name: str) -> str:
    return tidy(name.translate(FORBIDDEN))


def _in_currency(case: Case, name: str) -> str:
    """A ledger customer has one currency for ever; orders in another one get a customer of their own (section 21.3)."""
    home = case.configuration.ledger.home_currency
    if case.currency == home or not case.configuration.ledger.multi_currency:
        return name
    if case.connection.customers.strategy is S.STORE_NAME_AND_CURRENCY:
        return name
    return f"{name} ({case.currency})"


def _cut(case: Case, name: str) -> str:
    limit = case.configuration.name_length
    if len(name) <= limit:
        return name
    case.notices.append(name_truncated(name, limit))
    return name[:limit].rstrip()


def _wanted(
    case: Case, key: str, name: str, match_field: str, link: CustomerLink | None, *, is_single: bool
) -> CustomerWanted:
    order = case.order
    source_id = _account(order)
    settings = case.connection.customers
    ledger_id = (link.ledger_id or None) if link is not None and link.link == "existing" else None
    stops = settings.missing == "stop" or _waits(case, link, source_id)
    missing = MissingPolicy.STOP if stops else MissingPolicy.CREATE
    if link is not None and link.link == "create":
        missing = MissingPolicy.CREATE
    shown = link.display_name if link is not None and link.display_name else name
    if settings.strategy in OF_THE_STORE or is_single:
        return CustomerWanted(
            key=key, display_name=shown, ledger_id=ledger_id, missing=missing, currency=order.currency
        )
    buyer = order.customer or NO_CUSTOMER
    return CustomerWanted(
        key=key,
        display_name=shown,
        match_field=match_field,
        ledger_id=ledger_id,
        missing=missing,
        first_name=buyer.first_name,
        last_name=buyer.last_name,
        company=buyer.company or _billing_company(order),
        email=first_email(buyer.emails),
        phone=buyer.phone or _billing(order).phone,
        currency=order.currency,
        taxable=not buyer.tax_exempt,
        customer_type=buyer.group,
        billing_address=order.billing_address,
        shipping_address=order.shipping_address,
        source_external_id=source_id,
        contact_at=order.created_at if settings.refresh_contact else None,
    )


def set_default_code(case: Case, codes: TaxCodes) -> None:
    """Give a buyer's customer the tax code of the order, which it has from then on if this order makes it (12.7).

    A store's own customer has buyers of all places, and `TAX` and `NON` are no codes that a customer could have.
    """
    customer, settings = case.customer, case.connection
    if customer is None or settings.customers.strategy in OF_THE_STORE or settings.tax.method in WITHOUT_CODES:
        return
    by_document = settings.tax.method == "tax_codes" and not case.configuration.codes_on_lines
    if case.order.tax_total:
        code = codes.document if by_document else codes.taxable
    else:
        code = (settings.tax.codes.get("default_untaxed") if by_document else "") or codes.non_taxable
    is_single = customer.display_name == _in_currency(case, _single(case))
    if code and code not in LINE_WORDS and customer.taxable and not is_single:
        case.customer = customer.model_copy(update={"tax_code": code})


def _waits(case: Case, link: CustomerLink | None, source_id: str | None) -> bool:
    """Whether a person has to connect the customer first; guests have no account that anybody could connect."""
    return link is None and source_id is not None and case.connection.customers.unconnected == "wait"


def _hold(case: Case, name: str, link: CustomerLink | None, source_id: str | None) -> Reason | None:
    if link is not None and link.link == "ignore":
        return customer_dismissed(name)
    if _waits(case, link, source_id) or (link is not None and link.link == "none"):
        return customer_missing(name)
    return None
