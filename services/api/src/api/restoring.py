"""A back-up seen from the company file that takes it in: ids moved, and what is not there named. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from api.views.backup import BackupEntry, BackupRule
from common.cures import FieldProblem
from common.internal.mapper import MapEntry
from common.internal.mapper_checks import DraftRule
from common.messages.control import ConnectionSettings

MISSING_MAX = 200


@dataclass(frozen=True, slots=True)
class Ledger:
    """Names of each reference list, casefolded. A list that the ledger does not keep is empty and checks nothing."""

    names: Mapping[str, frozenset[str]]

    def lacks(self, list_name: str, name: str) -> bool:
        known = self.names.get(list_name, frozenset())
        return bool(name) and bool(known) and name.casefold() not in known


def moved(settings: ConnectionSettings, connection_id: str, channel: str, company_id: str) -> ConnectionSettings:
    """Settings of one connection as they stand on another one."""
    return settings.model_copy(update={"connection_id": connection_id, "channel": channel, "company_id": company_id})


def unmapped(
    settings: Iterable[ConnectionSettings], names: Mapping[str, str], channels: Mapping[str, str]
) -> list[FieldProblem]:
    """Connections of the file that have no place here, or one of another channel. `channels`: of own connections."""
    wrong = []
    taken: set[str] = set()
    for each in settings:
        target = names.get(each.connection_id, each.connection_id)
        field = f"body.connections.{each.connection_id}"
        if target not in channels:
            cure = "name one of your connections that takes its settings"
            wrong.append(FieldProblem(field=field, value=target, cure=cure))
        elif channels[target] != each.channel:
            cure = f"name a connection of the channel {each.channel}: this one is of {channels[target]}"
            wrong.append(FieldProblem(field=field, value=target, cure=cure))
        elif target in taken:
            wrong.append(FieldProblem(field=field, value=target, cure="only one of them can take these settings"))
        taken.add(target)
    known = {each.connection_id for each in settings}
    wrong += [
        FieldProblem(field=f"body.connections.{old}", value=new, cure="the back-up has no such connection")
        for old, new in names.items()
        if old not in known
    ]
    return wrong


def taken_unasked(
    settings: Iterable[ConnectionSettings], names: Mapping[str, str], places: Mapping[str, str], company_id: str
) -> list[FieldProblem]:
    """Connections of the file that are here, feed another company file, and were not asked for by name.

    `places`: connection → company file that it points at.
    """
    return [
        FieldProblem(
            field=f"body.connections.{one}",
            value=one,
            cure=f"it belongs to the company file {places[one]}: to move it, name it as its own place"
            f" ({one} → {one}); else name another connection for its settings, or take it out of backup.connections",
        )
        for one in (each.connection_id for each in settings)
        if one not in names and places.get(one, company_id) != company_id
    ]


def mapped_rules(rules: Iterable[BackupRule], names: Mapping[str, str]) -> tuple[DraftRule, ...]:
    """Rules with the connections they are limited to by their names here."""
    return tuple(_mapped(rule, names) for rule in rules)


def _mapped(rule: BackupRule, names: Mapping[str, str]) -> DraftRule:
    definition = dict(rule.definition)
    limited = definition.get("connections")
    if isinstance(limited, list):
        definition["connections"] = [names.get(one, one) if isinstance(one, str) else one for one in limited]
    return DraftRule(name=rule.name, enabled=rule.enabled, priority=rule.priority, definition=definition)


def mapped_entries(entries: Iterable[BackupEntry], names: Mapping[str, str]) -> tuple[MapEntry, ...]:
    """Rows of a map by the names of the connections here; those of connections that are not restored are left out."""
    return tuple(
        MapEntry(connection_id=names.get(one.connection_id, "*"), source=one.source, target=one.target)
        for one in entries
        if one.connection_id == "*" or one.connection_id in names
    )


def missing_in(
    ledger: Ledger, settings: Iterable[ConnectionSettings], entries: Iterable[BackupEntry]
) -> list[FieldProblem]:
    """What the file names that the ledger has not, at most 200."""
    found = []
    for field, list_name, name in (*_named_by_settings(settings), *_named_by_entries(entries)):
        if ledger.lacks(list_name, name):
            cure = f"make it in the ledger, or choose another of its {list_name.replace('_', ' ')}"
            found.append(FieldProblem(field=field, value=name, cure=cure))
            if len(found) == MISSING_MAX:
                break
    return found


def _named_by_settings(settings: Iterable[ConnectionSettings]) -> Iterator[tuple[str, str, str]]:
    for number, each in enumerate(settings):
        place = f"backup.connections.{number}"
        for method, name in each.payment_methods.items():
            yield f"{place}.payment_methods.{method}", "payment_methods", name
        yield f"{place}.class_name", "classes", each.class_name
        yield f"{place}.department", "departments", each.department
        for where, code in each.tax.codes.items():
            yield f"{place}.tax.codes.{where}", "tax_codes", code
        for name in ("document_code", "shipping_code", "discount_code"):
            yield f"{place}.tax.{name}", "tax_codes", getattr(each.tax, name)


def _named_by_entries(entries: Iterable[BackupEntry]) -> Iterator[tuple[str, str, str]]:
    for number, one in enumerate(entries):
        yield f"backup.maps.products.{number}.target", "items", one.target
