"""One company (realm): its objects, counters, ledger and settings, changed in all-or-nothing steps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.accounting.ledger import Ledger, Posting
from sandbox.quickbooks_online.clock import Clock
from sandbox.quickbooks_online.faults import bad_reference
from sandbox.quickbooks_online.schema import ENTITIES
from sandbox.quickbooks_online.table import Doc, Row, Table, natural
from sandbox.quickbooks_online.wire import dump

NAME_ENTITIES = frozenset({"Customer", "Vendor", "Employee"})
LIST_ENTITIES = NAME_ENTITIES | {
    "Item",
    "Account",
    "Class",
    "Department",
    "Term",
    "PaymentMethod",
    "TaxCode",
    "TaxRate",
    "TaxAgency",
    "CompanyCurrency",
}
OTHER_ENTITIES = frozenset(
    {"RecurringTransaction", "Attachable", "ExchangeRate", "CompanyInfo", "Preferences", "TimeActivity", "Budget"}
)
NON_POSTING = frozenset({"Estimate", "PurchaseOrder"})
TXN_ENTITIES = frozenset(ENTITIES) - LIST_ENTITIES - OTHER_ENTITIES - {"TaxService"}

_LABEL = {"Customer": "DisplayName", "Vendor": "DisplayName", "Employee": "DisplayName", "TaxAgency": "DisplayName"}
_ORDER = {
    "Customer": "FullyQualifiedName",
    "Vendor": "DisplayName",
    "Employee": "DisplayName",
    "Item": "FullyQualifiedName",
    "Account": "FullyQualifiedName",
    "Class": "FullyQualifiedName",
    "Department": "FullyQualifiedName",
    "TaxAgency": "DisplayName",
}


@dataclass(slots=True)
class CompanySettings:
    """What an operator may set about a company from outside Intuit's interface.

    ``tax_model``: "us" (TAX/NON lines, rate on the document), "us_automated" (rate from the ship-to state) or
    "global" (a code on each line). ``subscription``: "active" or "lapsed". ``close_password`` turns 6200 into 6210.
    """

    name: str = "Cedar Lane Garden & Design"
    country: str = "US"
    home_currency: str = "USD"
    tax_model: str = "us"
    multi_currency: bool = False
    subscription: str = "active"
    close_password: bool = False
    warn_duplicate_numbers: bool = True
    costing: str = "average"
    negative_stock: bool = True
    automated_rates: dict[str, str] = field(default_factory=lambda: {"CA": "8", "AZ": "7.1", "": "0"})


class Company:
    """All state of one realm. Every change goes through ``put``, ``remove`` or ``post`` inside ``step()``."""

    def __init__(self, realm: str, settings: CompanySettings, clock: Clock) -> None:
        self.realm = realm
        self.settings = settings
        self.clock = clock
        self.tables: dict[str, Table] = {
            name: Table(
                name, spec.fields, _ORDER.get(name, "Name" if name in LIST_ENTITIES and "Name" in spec.fields else None)
            )
            for name, spec in ENTITIES.items()
            if name != "TaxService"
        }
        self.ledger = Ledger()
        self.sequences: dict[str, int] = {}
        self.doc_numbers: dict[str, int] = {}
        self.applied: dict[str, dict[str, Decimal]] = {}
        self.deposited: dict[str, str] = {}
        self.layers: dict[str, Any] = {}
        self.movements: dict[str, Any] = {}
        self.deletions: list[tuple[int, str, Doc]] = []
        self.answers: OrderedDict[str, tuple[str, int, bytes]] = OrderedDict()
        self.files: dict[str, bytes] = {}
        self.special: dict[str, str] = {}
        self.events: list[tuple[str, str, str]] = []
        self.listener: Callable[[str, list[tuple[str, str, str]]], None] | None = None
        self._undo: list[Callable[[], object]] = []

    @contextmanager
    def step(self) -> Iterator[None]:
        """Everything inside happens, or, when it raises, nothing of it did."""
        self._undo.clear()
        self.events.clear()
        try:
            yield
            if self.listener is not None and self.events:
                self.listener(self.realm, list(self.events))
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            self.events.clear()
            raise
        finally:
            self._undo.clear()

    def put(self, entity: str, doc: Doc) -> None:
        table = self.tables[entity]
        previous = table.put(doc)
        if previous is None:
            self._undo.append(lambda: table.remove(doc["Id"]))
        else:
            before = previous.doc
            self._undo.append(lambda: table.put(before))

    def remove(self, entity: str, identifier: str) -> None:
        table = self.tables[entity]
        row = table.remove(identifier)
        if row is not None:
            before = row.doc
            self._undo.append(lambda: table.put(before))

    def post(self, txn: str, posting: Posting | None) -> None:
        """Replace what transaction ``txn`` posted (None takes it out of the books) and carry balances over."""
        previous = self.ledger.replace(txn, posting)
        self._undo.append(lambda: self.ledger.replace(txn, previous))

    def set_entry(self, mapping: dict[str, Any], key: str, value: Any) -> None:
        """Set or (None) delete one entry of a mapping of this company, undone with the step."""
        before = mapping.get(key)

        def undo() -> None:
            if before is None:
                mapping.pop(key, None)
            else:
                mapping[key] = before

        self._undo.append(undo)
        if value is None:
            mapping.pop(key, None)
        else:
            mapping[key] = value

    def note_deletion(self, entity: str, doc: Doc) -> None:
        from_stamp = Row(doc, ("", natural(doc["Id"]))).stamp
        self.deletions.append((from_stamp, entity, doc))
        self._undo.append(self.deletions.pop)

    def next_id(self, entity: str) -> str:
        """Names share one sequence, transactions another, every other list has its own; numbers are never reused."""
        key = "name" if entity in NAME_ENTITIES else "txn" if entity in TXN_ENTITIES else entity
        self.sequences[key] = self.sequences.get(key, 0) + 1
        return str(self.sequences[key])

    def reserve_id(self, entity: str, identifier: str) -> None:
        """Keep the sequence of ``entity`` above an id that was given by a seed."""
        if identifier.isdigit():
            key = "name" if entity in NAME_ENTITIES else "txn" if entity in TXN_ENTITIES else entity
            self.sequences[key] = max(self.sequences.get(key, 0), int(identifier))

    def get(self, entity: str, identifier: str) -> Doc | None:
        return self.tables[entity].get(identifier)

    def label(self, entity: str, doc: Doc) -> str:
        """The name that references to ``doc`` show."""
        if entity in ("Account", "Item", "Class", "Department"):
            return str(doc.get("FullyQualifiedName") or doc.get("Name"))
        return str(doc.get(_LABEL.get(entity, "Name")) or doc.get("DocNumber") or "")

    def resolve(self, entity: str, reference: dict[str, str], element: str, *, named: bool = True) -> Doc:
        """The active object behind ``reference``; its display name is written into the reference.

        Raises ``Fault`` 2500 when there is none or it is inactive.
        """
        doc = self.tables[entity].get(reference["value"])
        if doc is None or doc.get("Active") is False:
            raise bad_reference(f"{entity}s", reference["value"], element)
        if named:
            reference["name"] = self.label(entity, doc)
        return doc

    def raw(self, row: Row) -> bytes:
        """The encoded document; encoded once for each change."""
        if row.raw is None:
            row.raw = dump(row.doc)
        return row.raw

    @property
    def preferences(self) -> Doc:
        return self.tables["Preferences"].rows["1"].doc

    def close_date(self) -> date | None:
        text = self.preferences.get("AccountingInfoPrefs", {}).get("BookCloseDate")
        return date.fromisoformat(text) if text else None

    def event(self, entity: str, identifier: str, operation: str) -> None:
        """Remember a change for the webhooks: Create, Update, Delete, Void, Emailed."""
        self.events.append((entity, identifier, operation))
