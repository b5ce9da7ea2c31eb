"""One entity's objects in memory, with the indexes that keep look-ups, pages and change feeds cheap."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.quickbooks_online.clock import instant

Doc = dict[str, Any]

INDEXED = (
    "DocNumber",
    "PaymentRefNum",
    "PrivateNote",
    "TxnDate",
    "CustomerRef",
    "VendorRef",
    "EntityRef",
    "DisplayName",
    "FullyQualifiedName",
    "Name",
    "Sku",
    "CompanyName",
    "PrimaryEmailAddr",
    "AccountType",
    "AccountSubType",
    "AcctNum",
    "Code",
    "ParentRef",
)


def natural(identifier: str) -> tuple[int, str]:
    """A sort key that puts "9" before "10"."""
    return (len(identifier), identifier)


def comparable(value: Any) -> str | None:
    """The text that a WHERE clause compares: the value of a reference, the address of an e-mail, folded case."""
    if isinstance(value, dict):
        value = value.get("value", value.get("Address"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value).casefold()


class Row:
    """One object: its document (replaced, never changed in place), when it changed, its encoded form once asked for."""

    __slots__ = ("created", "doc", "order", "raw", "stamp")

    def __init__(self, doc: Doc, order: tuple[str, tuple[int, str]]) -> None:
        meta = doc.get("MetaData") or {}
        self.doc = doc
        self.order = order
        self.stamp = instant(meta.get("LastUpdatedTime", "")) or 0
        self.created = instant(meta.get("CreateTime", "")) or 0
        self.raw: bytes | None = None


class Table:
    """Objects of one entity by id, by indexed field, by name and by time of change."""

    def __init__(self, name: str, fields: Iterable[str], named: str | None) -> None:
        self.name = name
        self.named = named
        self.rows: dict[str, Row] = {}
        self.ids: list[tuple[int, str]] = []
        self.by_name: list[tuple[str, tuple[int, str]]] = []
        self.by_time: list[tuple[int, tuple[int, str]]] = []
        self._stale_times = 0
        self.indexes: dict[str, dict[str, dict[str, None]]] = {field: {} for field in INDEXED if field in set(fields)}

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, identifier: str) -> Doc | None:
        row = self.rows.get(identifier)
        return None if row is None else row.doc

    def docs(self) -> Iterator[Doc]:
        return (row.doc for row in self.rows.values())

    def find(self, field: str, value: str) -> list[str]:
        """Ids of the objects whose indexed ``field`` equals ``value``, case ignored."""
        return list(self.indexes[field].get(value.casefold(), ()))

    def put(self, doc: Doc) -> Row | None:
        """Store ``doc`` in place of the object with its Id; returns the row that stood there."""
        identifier = doc["Id"]
        key = natural(identifier)
        previous = self.rows.get(identifier)
        row = Row(doc, (str(doc.get(self.named) or "") if self.named else "", key))
        if previous is None:
            insort(self.ids, key)
            if self.named:
                insort(self.by_name, row.order)
        elif self.named and previous.order != row.order:
            self._drop(self.by_name, previous.order)
            insort(self.by_name, row.order)
        self._reindex(identifier, previous.doc if previous else None, doc)
        if previous is None or previous.stamp != row.stamp:
            self._note_time(row.stamp, key, previous is not None)
        self.rows[identifier] = row
        return previous

    def remove(self, identifier: str) -> Row | None:
        """Forget the object; returns its row."""
        row = self.rows.pop(identifier, None)
        if row is not None:
            self._drop(self.ids, natural(identifier))
            if self.named:
                self._drop(self.by_name, row.order)
            self._reindex(identifier, row.doc, None)
        return row

    def changed_since(self, moment: int) -> list[Row]:
        """Rows whose LastUpdatedTime is at or after ``moment`` (epoch seconds), oldest change first."""
        start = bisect_left(self.by_time, (moment,))
        found = []
        for stamp, (_, identifier) in self.by_time[start:]:
            row = self.rows.get(identifier)
            if row is not None and row.stamp == stamp:
                found.append(row)
        return list(dict.fromkeys(found))

    def _note_time(self, stamp: int, key: tuple[int, str], replaces: bool) -> None:
        entry = (stamp, key)
        if self.by_time and self.by_time[-1] > entry:
            self.by_time.insert(bisect_right(self.by_time, entry), entry)
        else:
            self.by_time.append(entry)
        self._stale_times += replaces
        if self._stale_times > 1000 and self._stale_times > 3 * len(self.rows):
            self.by_time = sorted((row.stamp, natural(identifier)) for identifier, row in self.rows.items())
            self._stale_times = 0

    def _reindex(self, identifier: str, old: Doc | None, new: Doc | None) -> None:
        for field, index in self.indexes.items():
            before = old.get(field) if old else None
            after = new.get(field) if new else None
            if before == after:
                continue
            was, becomes = comparable(before), comparable(after)
            if was == becomes:
                continue
            if was is not None:
                entries = index.get(was)
                if entries is not None:
                    entries.pop(identifier, None)
                    if not entries:
                        del index[was]
            if becomes is not None:
                index.setdefault(becomes, {})[identifier] = None

    @staticmethod
    def _drop(ordered: list[Any], entry: Any) -> None:
        position = bisect_left(ordered, entry)
        if position < len(ordered) and ordered[position] == entry:
            del ordered[position]
