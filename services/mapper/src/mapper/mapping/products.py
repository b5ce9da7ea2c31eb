"""Which item of the ledger a line is: maps, matches and what to do about a product that is missing (section 17)."""

from common.messages.base import Reason
from common.messages.keys import shared_key
from common.messages.orders import Direction, OrderLine
from common.messages.transactions import Account, AccountRole, DocumentKind, ItemWanted, LineKind, MissingPolicy
from common.money import quantize, tolerance
from mapper.mapping.case import Case
from mapper.mapping.catalog import CatalogItem
from mapper.mapping.names import normal, tidy
from mapper.mapping.notices import bundle_price_differs, sku_missing, stock_cost_unreliable
from mapper.mapping.reasons import (
    mapped_item_missing,
    product_ambiguous,
    product_inactive,
    product_missing,
    product_name_taken,
)

KNOWN_ITEMS_MAX = 20_000
"""Items remembered per configuration: the same products are sold again and again."""
ITEMS_ARE_NAMES = "items_are_names"
"""Capability of a ledger without a list of items."""
BUNDLED = "members"
"""Fact of a bundle: its items."""
STOCK_ITEM = "inventory"
"""Type of the items whose cost the ledger books itself."""
CREATED_AS = {"create_non_inventory": "non_inventory", "create_inventory": "inventory"}


def line_account(case: Case, line: OrderLine) -> Account:
    """Income account of a line; gift cards are a liability until they are used."""
    if line.is_gift_card:
        return case.configuration.account(AccountRole.GIFT_CARDS)
    directive = case.directives.lines.get(line.external_id)
    if directive is not None and directive.income_account:
        return Account(role=AccountRole.INCOME, name=directive.income_account)
    return case.configuration.account(AccountRole.INCOME)


def resolve_item(case: Case, line: OrderLine) -> str | None:
    """Key of the line's item; the set carries the item from now on.

    None where the product must be mapped first; `case.product_hold` then says which. Order of section 17.4: explicit
    mapping of the channel's SKU, then of what rules made of it, field match; then the policy for missing products.
    """
    known = case.line_items.get(line.external_id, "")
    if known != "":
        return known
    directive = case.directives.lines.get(line.external_id)
    key = _resolve(case, line, directive.source_sku if directive is not None else "")
    case.line_items[line.external_id] = key
    return key


def resolve_returned_item(case: Case, line: OrderLine) -> str | None:
    """The same for a line that a rule sends to another item when it comes back."""
    return _resolve(case, line)


def _resolve(case: Case, line: OrderLine, source_sku: str = "") -> str | None:
    settings = case.connection.products
    if line.is_gift_card:
        return case.service_item(LineKind.GIFT_CARD_SALE, settings.gift_card_item, AccountRole.GIFT_CARDS)
    target = case.catalog.product_map.get(normal(source_sku)) if source_sku else None
    target = target or case.catalog.target(line.sku, line.product_id, line.variant_id, line.name)
    if target is not None:
        return _named(case, line, target.item_name, target.ledger_id)
    if not line.sku:
        return _without_sku(case, line)
    found = case.catalog.find_items(settings.match_field, line.sku)
    active = [item for item in found if item.active]
    if len(active) == 1:
        _warn_of(case, line, active[0])
        return _matched(case, line, active[0])
    if len(active) > 1:
        names = ", ".join(item.full_name for item in active[:5])
        _stop(case, product_ambiguous(line.sku, names))
        return None
    if found:
        _stop(case, product_inactive(found[0].full_name))
        return None
    return _missing(case, line)


def _named(case: Case, line: OrderLine, name: str, ledger_id: str) -> str | None:
    """An item that a map or a rule names outright. It must exist; creating it needs the policy to allow that.

    A ledger without a list of items has every item that somebody names.
    """
    found = case.catalog.find_items("name", name)
    if len(found) == 1 and not found[0].active:
        _stop(case, product_inactive(found[0].full_name))
        return None
    if len(found) > 1:
        _stop(case, product_ambiguous(name, ", ".join(item.full_name for item in found[:5])))
        return None
    resolved = ledger_id or (found[0].ledger_id if found else "")
    if not resolved and not _items_are_names(case) and case.connection.products.missing == "stop_and_queue":
        _stop(case, mapped_item_missing(line.sku or line.name, name))
        return None
    if found:
        _warn_of(case, line, found[0])
    shown = found[0].full_name if found else name
    return _want(case, line, f"name:{normal(shown)}", shown, "name", resolved)


def _warn_of(case: Case, line: OrderLine, item: CatalogItem) -> None:
    _warn_of_cost(case, item)
    if BUNDLED in item.details:
        _warn_of_bundle(case, line, item)


def _warn_of_bundle(case: Case, line: OrderLine, item: CatalogItem) -> None:
    """The ledger prices a bundle by its members; what the order says beyond rounding is an adjustment there.

    The members' prices are in the ledger's own currency, which says nothing of an order in another.
    """
    if case.currency != case.configuration.ledger.home_currency:
        return
    price = case.catalog.items.bundle_price(item)
    if price is None:
        return
    members = quantize(price * line.quantity, case.currency)
    if abs(members - line.amount) > case.configuration.tolerance(tolerance(case.currency, 1)):
        case.notices.append(bundle_price_differs(item.full_name, line.amount, members, case.currency))


def _warn_of_cost(case: Case, item: CatalogItem) -> None:
    """The ledger books the cost of stock itself; without a cost, or with less than nothing on hand, that is a guess."""
    if item.item_type.casefold() != STOCK_ITEM:
        return
    on_hand = item.details.get("quantity_on_hand", "")
    if not item.purchase_cost or on_hand.startswith("-"):
        case.notices.append(stock_cost_unreliable(item.full_name, on_hand=on_hand))


def _matched(case: Case, line: OrderLine, item: CatalogItem) -> str:
    match_field = case.connection.products.match_field
    # The key is made from what the order says, so that it stays the same whether the item was there before or not.
    if match_field == "name":
        return _want(case, line, f"name:{normal(item.full_name)}", item.full_name, "name", item.ledger_id)
    return _want(case, line, f"{match_field}:{normal(line.sku)}", item.full_name, match_field, item.ledger_id)


def _missing(case: Case, line: OrderLine) -> str | None:
    settings = case.connection.products
    if settings.missing == "stop_and_queue":
        _stop(case, product_missing(line.sku, line.name, listed=not _items_are_names(case)))
        return None
    if settings.missing == "fallback_item":
        return case.service_item(LineKind.PRODUCT, settings.fallback_item, AccountRole.INCOME)
    if settings.match_field == "name":
        return _want(case, line, f"name:{normal(line.sku)}", line.sku, "name", "")
    name = line.name or line.sku
    taken = [item for item in case.catalog.find_items("name", name) if normal(item.sku) != normal(line.sku)]
    if taken:
        _stop(case, product_name_taken(name, taken[0].sku))
        return None
    return _want(case, line, f"{settings.match_field}:{normal(line.sku)}", name, settings.match_field, "")


def _without_sku(case: Case, line: OrderLine) -> str | None:
    settings = case.connection.products
    if settings.missing == "stop_and_queue":
        _stop(case, product_missing("", line.name, listed=not _items_are_names(case)))
        return None
    case.notices.append(sku_missing(line.name))
    return case.service_item(LineKind.PRODUCT, settings.fallback_item, AccountRole.INCOME)


def _stop(case: Case, reason: Reason) -> None:
    if case.product_hold is None:
        case.product_hold = reason


def _want(case: Case, line: OrderLine, match_key: str, name: str, match_field: str, ledger_id: str) -> str:
    account = line_account(case, line)
    said = (line.sku, line.name, line.unit_price, bool(line.taxes), case.order.direction)
    identity = (match_key, name, ledger_id, account.name, *said)
    known = case.configuration.known_items
    item = known.get(identity)
    if item is None:
        item = _item_wanted(case, line, match_key, name, match_field, ledger_id, account)
        if len(known) >= KNOWN_ITEMS_MAX:
            known.clear()
        known[identity] = item
    case.items.setdefault(item.key, item)
    return item.key


def _item_wanted(
    case: Case, line: OrderLine, match_key: str, name: str, match_field: str, ledger_id: str, account: Account
) -> ItemWanted:
    policy = case.connection.products.missing
    # What a purchase says of a product is its cost; nothing of how it is sold.
    bought = case.order.direction is Direction.PURCHASE
    return ItemWanted(
        key=shared_key(case.connection.company_id, DocumentKind.ITEM, match_key),
        name=tidy(name)[:500],
        sku=line.sku,
        match_field=match_field,
        ledger_id=ledger_id or None,
        missing=_policy(case),
        item_type=CREATED_AS.get(policy, "non_inventory"),
        income_account=account,
        description=line.name,
        unit_price=line.unit_price if line.unit_price >= 0 and not bought else None,
        purchase_cost=line.unit_price if bought else None,
        taxable=bought or bool(line.taxes),
    )


def _policy(case: Case) -> MissingPolicy:
    policy = case.connection.products.missing
    if policy == "create_inventory":
        return MissingPolicy.CREATE_INVENTORY
    # What is wanted by its name was named by somebody, where no list could say that there is no such item.
    if policy == "create_non_inventory" or _items_are_names(case):
        return MissingPolicy.CREATE
    return MissingPolicy.STOP


def _items_are_names(case: Case) -> bool:
    return case.configuration.ledger.can(ITEMS_ARE_NAMES)
