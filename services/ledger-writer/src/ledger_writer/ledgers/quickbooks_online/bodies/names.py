"""Customers, vendors and items."""

from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole, CustomerWanted, ItemWanted
from ledger_writer.ledgers.protocol import ErrorClass
from ledger_writer.ledgers.quickbooks_online.bodies.base import (
    Body,
    Books,
    Content,
    address,
    email,
    listed,
    notice,
    ref,
)
from ledger_writer.ledgers.quickbooks_online.names import cannot, clean

DISPLAY_NAME_MAX: Final = 500
ITEM_NAME_MAX: Final = 100

ITEM_TYPES: Final = {"service": "Service", "non_inventory": "NonInventory", "inventory": "Inventory"}


def customer(wanted: CustomerWanted, books: Books, *, suffix: str = "") -> Body:
    """A new customer. `suffix` makes the name free where a vendor or employee has it."""
    name, notices = _name(wanted.display_name, DISPLAY_NAME_MAX - len(suffix), "customer")
    content: Content = {"DisplayName": f"{name}{suffix}"}
    if suffix:
        notices = (
            *notices,
            notice(
                "NAME_SUFFIXED",
                f"another kind of name in QuickBooks is already called {name!r}: the customer is {name + suffix!r}",
                "Rename one of the two in QuickBooks if you like; the link stays.",
                field_name="display_name",
                value=name,
            ),
        )
    parts = {"GivenName": wanted.first_name, "FamilyName": wanted.last_name, "CompanyName": wanted.company}
    content |= {field: clean(text, 100) for field, text in parts.items() if clean(text, 100)}
    if wanted.currency and books.profile.multi_currency:
        content["CurrencyRef"] = ref(wanted.currency)
    if books.profile.united_states and books.profile.uses_sales_tax:
        content["Taxable"] = wanted.taxable
    code: tuple[Reason, ...] = ()
    if has_code(wanted, books):
        found, code = listed(books.names, "tax_codes", wanted.tax_code, "DefaultTaxCodeRef", "tax code")
        content |= found
    contact, dropped = _contact(wanted)
    return Body("Customer", content | contact, (*notices, *code, *_type_left_out(wanted), *dropped))


def _type_left_out(wanted: CustomerWanted) -> tuple[Reason, ...]:
    """Customer types are a list whose entries only QuickBooks itself makes; which there are is not read."""
    if not wanted.customer_type:
        return ()
    return (
        notice(
            "CUSTOMER_TYPE_LEFT_OUT",
            f"the customer type {wanted.customer_type!r} was not written: types are given in QuickBooks itself",
            "Choose the type on the customer in QuickBooks if you need it there.",
            field_name="customer_type",
            value=wanted.customer_type,
        ),
    )


def has_code(wanted: CustomerWanted, books: Books) -> bool:
    """Whether a new customer gets a tax code. Automatic sales tax goes by the customer's address instead."""
    return bool(wanted.tax_code) and books.profile.uses_sales_tax and not books.profile.automatic_tax


def customer_contact(wanted: CustomerWanted) -> Body:
    """The parts of a customer that may be refreshed: never the name, never the currency."""
    contact, dropped = _contact(wanted)
    return Body("Customer", contact, dropped)


def vendor(wanted: CustomerWanted, books: Books, *, suffix: str = "") -> Body:
    name, notices = _name(wanted.display_name, DISPLAY_NAME_MAX - len(suffix), "vendor")
    content: Content = {"DisplayName": f"{name}{suffix}"}
    if clean(wanted.company, 100):
        content["CompanyName"] = clean(wanted.company, 100)
    if wanted.currency and books.profile.multi_currency:
        content["CurrencyRef"] = ref(wanted.currency)
    contact, dropped = _contact(wanted)
    contact.pop("ShipAddr", None)  # vendors have none
    return Body("Vendor", content | contact, (*notices, *dropped))


def item(wanted: ItemWanted, books: Books) -> Body:
    """A new item. Inventory items start at zero, on the first day that is open for documents."""
    item_type = ITEM_TYPES.get(wanted.item_type)
    if item_type is None:
        raise cannot(
            ErrorClass.CONFIG,
            "ITEM_TYPE_UNKNOWN",
            f"QuickBooks items can't be made as {wanted.item_type!r}",
            f"Choose one of {', '.join(ITEM_TYPES)}.",
            "item_type",
        )
    name, notices = _name(wanted.name, ITEM_NAME_MAX, "item")
    income = books.names.account(wanted.income_account)
    content: Content = {"Name": name, "Type": item_type, "IncomeAccountRef": ref(income.ledger_id)}
    if wanted.sku:
        content["Sku"] = wanted.sku[:100]
    if wanted.description:
        content["Description"] = wanted.description[:4000]
    if wanted.unit_price is not None and wanted.unit_price >= 0:
        content["UnitPrice"] = wanted.unit_price
    if wanted.purchase_cost is not None:
        content["PurchaseCost"] = wanted.purchase_cost
    if books.profile.united_states and books.profile.uses_sales_tax:
        content["Taxable"] = wanted.taxable
    if item_type == "Inventory":
        content |= _stock(books)
    elif cost := books.names.find("accounts", books.account_names.get(AccountRole.COST_OF_GOODS, "")):
        # Without an account for its cost an item can be sold but not bought, and purchase orders refuse it.
        content["ExpenseAccountRef"] = ref(cost.ledger_id)
    return Body("Item", content, notices)


def item_contents(wanted: ItemWanted) -> Body:
    """What may be refreshed of an item: price and texts, never its name or accounts."""
    content: Content = {}
    if wanted.sku:
        content["Sku"] = wanted.sku[:100]
    if wanted.description:
        content["Description"] = wanted.description[:4000]
    if wanted.unit_price is not None and wanted.unit_price >= 0:
        content["UnitPrice"] = wanted.unit_price
    return Body("Item", content)


def _stock(books: Books) -> Content:
    def account(role: AccountRole) -> dict[str, str]:
        return ref(books.names.account(Account(role=role, name=books.account_names.get(role, ""))).ledger_id)

    return {
        "TrackQtyOnHand": True,
        "QtyOnHand": Decimal(0),
        "InvStartDate": books.inventory_start.isoformat(),
        "AssetAccountRef": account(AccountRole.INVENTORY),
        "ExpenseAccountRef": account(AccountRole.COST_OF_GOODS),
    }


def _contact(wanted: CustomerWanted) -> tuple[Content, tuple[Reason, ...]]:
    content: Content = {}
    notices: tuple[Reason, ...] = ()
    if wanted.email:
        usable = email(wanted.email)
        if usable:
            content["PrimaryEmailAddr"] = {"Address": usable}
        else:
            notices = (email_dropped(wanted.email),)
    if wanted.phone:
        content["PrimaryPhone"] = {"FreeFormNumber": wanted.phone[:30]}
    if wanted.billing_address is not None and (billing := address(wanted.billing_address)):
        content["BillAddr"] = billing
    if wanted.shipping_address is not None and (shipping := address(wanted.shipping_address)):
        content["ShipAddr"] = shipping
    return content, notices


def email_dropped(given: str) -> Reason:
    return notice(
        "EMAIL_DROPPED",
        f"{given!r} is not an e-mail address that QuickBooks takes; it was left out",
        "Correct the address in the order and resend, or leave it.",
        field_name="email",
        value=given,
    )


def _name(given: str, longest: int, what: str) -> tuple[str, tuple[Reason, ...]]:
    whole = clean(given, len(given))
    name = clean(given, longest)
    if not name:
        raise cannot(
            ErrorClass.DATA,
            "NAME_MISSING",
            f"the {what} has no name",
            "Use another customer strategy or map the product.",
            "name",
        )
    if name == whole:
        return name, ()
    return name, (
        notice(
            "NAME_TRUNCATED",
            f"the {what}'s name was cut to {len(name)} characters",
            "Shorten it in the order or with a rule if the cut name is not clear.",
            field_name="name",
            value=given,
        ),
    )
