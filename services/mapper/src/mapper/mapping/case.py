"""One order being mapped, with everything that decides about it and what it has needed so far."""

from datetime import date
from typing import Any

from common.messages.base import Reason
from common.messages.control import ConnectionSettings
from common.messages.keys import document_key
from common.messages.orders import Order
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    Document,
    DocumentKind,
    ItemWanted,
    LineKind,
    WantedState,
)
from common.money import ZERO
from mapper.mapping.catalog import Catalog
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import Directives
from mapper.mapping.facts import Facts


class Case:
    """Collects the customer, items and notices that documents of one order need. Lives for one `map_order`."""

    __slots__ = (
        "catalog",
        "configuration",
        "connection",
        "currency",
        "customer",
        "customer_hold",
        "customer_horizon",
        "directives",
        "documents",
        "facts",
        "items",
        "line_items",
        "notices",
        "order",
        "prefix",
        "product_hold",
        "vendors",
    )

    def __init__(
        self, order: Order, configuration: Configuration, catalog: Catalog, directives: Directives, facts: Facts
    ) -> None:
        self.order = order
        self.configuration = configuration
        self.connection: ConnectionSettings = configuration.connection
        self.catalog = catalog
        self.directives = directives
        self.facts = facts
        self.currency = order.currency
        self.prefix = directives.prefix or self.connection.numbers.prefix
        self.items: dict[str, ItemWanted] = {}
        self.vendors: dict[str, CustomerWanted] = {}
        self.line_items: dict[str, str | None] = {}
        """Order line's external id → item key; None where no item was found."""
        self.customer: CustomerWanted | None = None
        self.customer_hold: Reason | None = None
        self.customer_horizon: date | None = None
        self.product_hold: Reason | None = None
        self.notices: list[Reason] = []
        self.documents: list[Document] = []

    def key(self, kind: DocumentKind, source_kind: str = "order", part: str = "", ordinal: int = 0) -> str:
        """Document key (section 23.1). Parts of an order carry its id too: channels may number them per order."""
        order = self.order
        source = f"{order.external_id}/{part}" if part else order.external_id
        return document_key(
            order.tenant_id, self.connection.company_id, order.connection_id, source_kind, source, kind, ordinal
        )

    def service_item(self, kind: LineKind, name: str, role: AccountRole, *, taxable: bool = False) -> str:
        """Key of the item for a line that is no product; the set carries the item from now on."""
        item = self.configuration.service_item(kind, name, lambda: self.configuration.account(role), taxable=taxable)
        self.items[item.key] = item
        return item.key

    def vendor(self, name: str, currency: str) -> str:
        """Key of the vendor of that name; the set carries it from now on."""
        vendor = self.configuration.vendor(name, currency)
        self.vendors[vendor.key] = vendor
        return vendor.key

    def receivable(self) -> Account:
        if self.directives.receivable:
            return Account(role=AccountRole.RECEIVABLE, name=self.directives.receivable)
        return self.configuration.account(AccountRole.RECEIVABLE)

    def deposit_account(self, method: str, external_id: str) -> Account:
        """Where the money of a tender or refund transaction lands: rule, then connection, then undeposited funds."""
        ruled = self.directives.deposit_accounts.get(external_id)
        if ruled:
            return self.configuration.named_deposit_account(ruled, method)
        return self.configuration.deposit_account(method)

    def payment_method(self, method: str, external_id: str) -> str:
        return self.directives.payment_methods.get(external_id) or self.configuration.payment_method(method)

    def sales_header(self) -> dict[str, Any]:
        """Fields that every sales form of the order shares. Addresses always come from the order (section 16.9)."""
        order = self.order
        connection = self.connection
        emails = order.customer.emails if order.customer else ()
        return {
            "source_kind": "order",
            "source_id": order.external_id,
            **self.numbers_of_order(),
            "lookup_days": connection.numbers.lookup_days,
            "note": order.note,
            "date": order.ordered_on,
            "currency": order.currency,
            "exchange_rate": order.exchange_rate,
            "customer_key": self.customer.key if self.customer else None,
            "billing_address": order.billing_address,
            "shipping_address": order.shipping_address,
            "email": emails[0] if emails else "",
            "class_name": order.class_name or connection.class_name,
            "department": order.department or connection.department,
            "ship_date": order.ship_date,
            "ship_method": order.ship_method,
            "tracking_number": order.tracking_number,
            "po_number": order.po_number,
            "sales_rep": order.sales_rep or connection.sales_rep,
            "template": self.directives.template,
            "custom_fields": order.custom_fields,
            "hold": self.customer_hold or self.product_hold,
            "notices": self.take_notices(),
        }

    def take_notices(self) -> tuple[Reason, ...]:
        """Notices since the last document; they belong to the one being built now."""
        if not self.notices:
            return ()
        taken = tuple(dict.fromkeys(self.notices))
        self.notices.clear()
        return taken

    def numbers_of_order(self) -> dict[str, Any]:
        """What goes into the memo, and the order's number where that is another: a rule may write the memo."""
        number = self.order.number or self.order.external_id
        memo = self.directives.memo
        return {"memo_number": memo or number, "order_number": number if memo and memo != number else ""}

    def void(self, kind: DocumentKind, key: str, source_kind: str, source_id: str, on: date) -> Document:
        """A document that should have no effect; its content no longer matters."""
        return Document(
            key=key,
            kind=kind,
            wanted=WantedState.VOID,
            source_kind=source_kind,
            source_id=source_id,
            number=None,
            **self.numbers_of_order(),
            date=on,
            currency=self.currency,
            total=ZERO,
            customer_key=self.customer.key if self.customer else None,
        )
