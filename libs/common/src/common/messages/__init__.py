"""Every contract that travels over the broker. `CONTRACTS` is the whole public interface between the services."""

from common.messages.base import State
from common.messages.control import (
    CustomerConnected,
    DocumentDismissed,
    ResendRequested,
    SettingsChanged,
    StateRequested,
    TaskRequested,
    TenantDeleted,
    TenantPurged,
)
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.fetching import OrderListed, TaskProgress
from common.messages.orders import Order, Payout, Product
from common.messages.transactions import TransactionSet, TransactionsListed

CONTRACTS: tuple[type[State], ...] = (
    Order,
    OrderListed,
    Payout,
    Product,
    TaskProgress,
    TransactionSet,
    TransactionsListed,
    DocumentChanged,
    CatalogEntry,
    CompanyChanged,
    SettingsChanged,
    TaskRequested,
    ResendRequested,
    DocumentDismissed,
    CustomerConnected,
    StateRequested,
    TenantDeleted,
    TenantPurged,
)
BY_TYPE: dict[str, type[State]] = {contract.type: contract for contract in CONTRACTS}

__all__ = ["BY_TYPE", "CONTRACTS"]
