"""Change data capture: what changed or went away since a moment."""

from __future__ import annotations

from bisect import bisect_left

from sandbox.quickbooks_online.clock import instant
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.accounts import with_balance
from sandbox.quickbooks_online.faults import Fault, missing
from sandbox.quickbooks_online.schema import ENTITIES, entity_name, json_name
from sandbox.quickbooks_online.wire import dump

LARGEST = 1000
_LEFT_OUT = frozenset({"TaxAgency", "TimeActivity", "TaxCode", "TaxRate", "TaxService"})


def changes(company: Company, params: dict[str, str]) -> bytes:
    """The encoded answer to ``/cdc``; at most 1000 objects in all, oldest change first in each entity."""
    if not params.get("entities"):
        raise missing("entities")
    if not params.get("changedSince"):
        raise missing("changedSince")
    moment = instant(params["changedSince"].replace(" ", "+"))
    if moment is None:
        raise Fault("2060", f"Invalid date format for changedSince: {params['changedSince'][:40]}", "changedSince")
    parts: list[bytes] = []
    left = LARGEST
    for name in params["entities"].split(","):
        entity = entity_name(name.strip())
        if entity is None or entity in _LEFT_OUT or entity not in ENTITIES:
            raise Fault("4001", f"QueryValidationError: {name.strip()[:60]} is not supported by change data capture")
        objects = _objects(company, entity, moment)[:left]
        left -= len(objects)
        if objects:
            parts.append(
                b'{"%b":[%b],"startPosition":1,"maxResults":%d}'
                % (json_name(entity).encode(), b",".join(objects), len(objects))
            )
        else:
            parts.append(b"{}")
    return b'{"CDCResponse":[{"QueryResponse":[%b]}],"time":"%b"}' % (
        b",".join(parts),
        company.clock.envelope().encode(),
    )


def _objects(company: Company, entity: str, moment: int) -> list[bytes]:
    found = []
    for row in company.tables[entity].changed_since(moment):
        raw = dump(with_balance(company, row.doc)) if entity == "Account" else company.raw(row)
        found.append((row.stamp, raw))
    deletions = company.deletions
    for stamp, gone, doc in deletions[bisect_left(deletions, moment, key=lambda entry: entry[0]) :]:
        if gone == entity:
            found.append((stamp, dump(doc)))
    found.sort(key=lambda entry: entry[0])
    return [raw for _, raw in found]
