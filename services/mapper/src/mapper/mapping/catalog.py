"""What the ledger's lists and the mapping tables say, held in memory per company file, for look-ups without a query.

Products follow section 17.1-17.4: an explicit map first, then a stored link, then one field of the ledger's items.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from common.messages.documents import CatalogEntry
from mapper.mapping.names import normal

MATCH_FIELDS = ("name", "sku", "part_number", "barcode")


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """One item of the ledger."""

    ledger_id: str
    name: str
    full_name: str
    active: bool = True
    sku: str = ""
    item_type: str = ""
    preferred_vendor: str = ""
    purchase_cost: Decimal | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: CatalogEntry) -> "CatalogItem":
        return cls(
            ledger_id=entry.ledger_id,
            name=entry.name,
            full_name=entry.full_name or entry.name,
            active=entry.active,
            sku=entry.sku,
            item_type=entry.object_type,
            preferred_vendor=entry.details.get("preferred_vendor", ""),
            purchase_cost=_decimal(entry.details.get("purchase_cost")),
            details=entry.details,
        )


def _decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


@dataclass(frozen=True, slots=True)
class ProductTarget:
    """Where a mapping table sends a product: an item's name in the ledger, or its id."""

    item_name: str
    ledger_id: str = ""


@dataclass(frozen=True, slots=True)
class CustomerLink:
    """How a person connected a source customer (section 29)."""

    link: str
    """existing, create, ignore or none."""
    customer_key: str = ""
    ledger_id: str = ""
    display_name: str = ""
    horizon: date | None = None


class ItemIndex:
    """Items of one company file by the fields they can be matched on; shared by its connections."""

    __slots__ = ("_by_field", "_by_leaf", "_items")

    def __init__(self, items: Iterable[CatalogItem] = ()) -> None:
        self._items: dict[str, CatalogItem] = {}
        self._by_field: dict[str, dict[str, list[CatalogItem]]] = {name: {} for name in MATCH_FIELDS}
        self._by_leaf: dict[str, list[CatalogItem]] = {}
        self.put(items)

    def put(self, items: Iterable[CatalogItem]) -> None:
        """Add items, or replace those of the same ledger id."""
        new = list(items)
        replaced = any(item.ledger_id in self._items for item in new)
        self._items.update((item.ledger_id, item) for item in new)
        if replaced:
            self._by_field = {name: {} for name in MATCH_FIELDS}
            self._by_leaf = {}
        for item in self._items.values() if replaced else new:
            self._index(item)

    def _index(self, item: CatalogItem) -> None:
        full = normal(item.full_name)
        self._by_field["name"].setdefault(full, []).append(item)
        leaf = full.rpartition(":")[2]
        if leaf != full:
            self._by_leaf.setdefault(leaf, []).append(item)
        for match_field, text in (
            ("sku", item.sku),
            ("part_number", item.details.get("part_number")),
            ("barcode", item.details.get("barcode")),
        ):
            if text:
                self._by_field[match_field].setdefault(normal(text), []).append(item)

    def find(self, match_field: str, key: str) -> list[CatalogItem]:
        """Items whose field equals the key; by name also the items with that leaf below any parent (17.2)."""
        wanted = normal(key)
        found = self._by_field.get(match_field, {}).get(wanted, [])
        if found or match_field != "name":
            return found
        return self._by_leaf.get(wanted, [])

    def by_id(self, ledger_id: str | None) -> CatalogItem | None:
        return self._items.get(ledger_id) if ledger_id else None

    def bundle_price(self, item: CatalogItem) -> Decimal | None:
        """What the members of a bundle cost together; None where it is none, or the price of one is not known."""
        members = item.details.get("members")
        if not members:
            return None
        total = Decimal(0)
        for member in members.split(","):
            ledger_id, _, quantity = member.partition(" ")
            known = self._items.get(ledger_id)
            price = _decimal(known.details.get("unit_price")) if known is not None else None
            each = _decimal(quantity)
            if price is None or each is None:
                return None
            total += price * each
        return total

    def __len__(self) -> int:
        return len(self._items)


def match_keys(entry: CatalogEntry) -> set[str]:
    """Every normal form by which a product could now find this item."""
    texts = (
        entry.name,
        entry.full_name,
        entry.full_name.rpartition(":")[2],
        entry.sku,
        entry.details.get("part_number"),
        entry.details.get("barcode"),
    )
    return {normal(text) for text in texts if text}


def link_name(source_id: str, currency: str) -> str:
    """What a connection of a source customer is kept under: one for each currency, or one for all of them."""
    return f"{source_id}\x1f{currency}" if currency else source_id


@dataclass(slots=True)
class Catalog:
    """Items, product maps and customer connections of one company file, as seen from one connection."""

    revision: int = 0
    items: ItemIndex = field(default_factory=ItemIndex)
    product_map: dict[str, ProductTarget] = field(default_factory=dict)
    """Normal form of `sku`, or `id:<product or variant id>`, or `title:<title>` → target."""
    customers: set[str] = field(default_factory=set)
    """Normal forms of the display names of active customers; filled only where settings ask for it."""
    customer_emails: set[str] = field(default_factory=set)
    customer_addresses: dict[str, frozenset[str]] = field(default_factory=dict)
    """Normal form of a display name → the addresses of that customer."""
    customer_links: dict[str, CustomerLink] = field(default_factory=dict)
    """`link_name` of a source customer → how it is connected."""

    def find_items(self, match_field: str, key: str) -> list[CatalogItem]:
        return self.items.find(match_field, key)

    def active_item(self, match_field: str, key: str) -> CatalogItem | None:
        """The one active item whose field equals the key; None where there is none or more than one."""
        active = [item for item in self.find_items(match_field, key) if item.active]
        return active[0] if len(active) == 1 else None

    def target(self, sku: str, product_id: str, variant_id: str, title: str) -> ProductTarget | None:
        """The explicit map's answer: by SKU, then variant id, product id and title."""
        product_map = self.product_map
        if not product_map:
            return None
        if sku:
            found = product_map.get(normal(sku))
            if found is not None:
                return found
        for identifier in (variant_id, product_id):
            found = product_map.get(f"id:{identifier}") if identifier else None
            if found is not None:
                return found
        return product_map.get(f"title:{normal(title)}") if title else None
