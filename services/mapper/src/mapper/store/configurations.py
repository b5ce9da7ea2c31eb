"""What a connection's orders are mapped by: read once per change, kept in memory, checked by revision every batch."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import asyncpg

from common.database import Connection
from common.messages.control import CompanySettings, ConnectionSettings, CustomerConnected, CustomerStrategy
from common.messages.documents import CatalogEntry, CompanyChanged
from mapper.mapping.catalog import Catalog, CatalogItem, CustomerLink, ItemIndex, ProductTarget, link_name
from mapper.mapping.configuration import Configuration, Ledger
from mapper.mapping.names import normal
from mapper.mapping.orders import NO_RULES
from mapper.rules.compiling import compile_rules
from mapper.rules.engine import CompiledRules
from mapper.store.rules import read_enabled_rules

ConnectionKey = tuple[str, str]
"""(tenant id, connection id)"""

_VERSIONS = """
SELECT s.tenant_id, s.scope_id AS connection_id, s.company_id, s.revision AS connection_revision,
       coalesce(k.revision, 0) AS company_revision, coalesce(c.revision, 0) AS ledger_revision,
       coalesce(c.catalog_revision, 0) AS catalog_revision, coalesce(c.links_revision, 0) AS links_revision,
       coalesce(r.revision, 0) AS rules_revision
FROM unnest($1::text[], $2::text[]) AS wanted (tenant_id, connection_id)
JOIN settings s ON s.tenant_id = wanted.tenant_id AND s.scope = 'connection' AND s.scope_id = wanted.connection_id
LEFT JOIN settings k ON k.tenant_id = s.tenant_id AND k.scope = 'company' AND k.scope_id = s.company_id
                    AND NOT k.deleted
LEFT JOIN companies c ON c.tenant_id = s.tenant_id AND c.company_id = s.company_id
LEFT JOIN rule_sets r ON r.tenant_id = s.tenant_id
WHERE NOT s.deleted
"""

_BODIES = """
SELECT s.body AS connection_body, coalesce(k.body, '') AS company_body, coalesce(c.body, '') AS ledger_body
FROM settings s
LEFT JOIN settings k ON k.tenant_id = s.tenant_id AND k.scope = 'company' AND k.scope_id = s.company_id
LEFT JOIN companies c ON c.tenant_id = s.tenant_id AND c.company_id = s.company_id
WHERE s.tenant_id = $1 AND s.scope = 'connection' AND s.scope_id = $2
"""

_CATALOG = """
SELECT list_name, body FROM catalog
WHERE tenant_id = $1 AND company_id = $2 AND list_name = ANY($3::text[]) AND catalog_revision > $4
"""

_MAPS = """
SELECT source_key, target FROM maps
WHERE tenant_id = $1 AND connection_id = ANY($2::text[]) AND map_name = 'products'
ORDER BY connection_id <> '*'
"""

_LINKS = "SELECT customer_key, body FROM customer_links WHERE tenant_id = $1 AND connection_id = $2"

_Seen = tuple[int, int]
"""(revision of the settings, of the links): a map saved before the settings raised no company file's links."""

ANY_CONNECTION = "*"
"""A map's entry under this connection holds for all of them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that decides about a connection's orders besides the orders.

    `configuration` is None while the company file's settings or the paired company are not known yet.
    """

    connection: ConnectionSettings
    configuration: Configuration | None
    rules: CompiledRules
    catalog: Catalog


@dataclass(slots=True)
class _Items:
    revision: int = 0
    index: ItemIndex = field(default_factory=ItemIndex)
    customers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    addresses: dict[str, frozenset[str]] = field(default_factory=dict)
    customers_revision: int = 0
    _people: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Ledger id → name and addresses of an active customer."""

    def put_customers(self, entries: Iterable[CatalogEntry]) -> None:
        """Take in what changed; who was renamed or made inactive is known by the old name no longer."""
        gone = False
        for entry in entries:
            gone |= self._people.pop(entry.ledger_id, None) is not None
            if entry.active:
                emails = frozenset(normal(email) for email in entry.email.split(",") if email.strip())
                self._people[entry.ledger_id] = normal(entry.name), emails
                self.customers.add(normal(entry.name))
                self.addresses[normal(entry.name)] = emails
                self.emails |= emails
        if gone:
            # Others may share the name or address of the one that went.
            self.customers = {name for name, _ in self._people.values()}
            self.addresses = dict(self._people.values())
            self.emails = {email for _, emails in self._people.values() for email in emails}


class Configurations:
    """The process's memory of configurations. Safe to share: a stale entry is recognised by its revisions."""

    def __init__(self) -> None:
        self._settings: dict[ConnectionKey, tuple[tuple[int, int, int], ConnectionSettings, Configuration | None]] = {}
        self._rules: dict[ConnectionKey, tuple[int, CompiledRules]] = {}
        self._links: dict[ConnectionKey, tuple[_Seen, dict[str, ProductTarget], dict[str, CustomerLink]]] = {}
        self._items: dict[tuple[str, str], _Items] = {}

    async def load(self, connection: Connection, keys: Iterable[ConnectionKey]) -> dict[ConnectionKey, Prepared]:
        """Configurations of these connections as they stand now; connections without settings are left out.

        The caller holds the tenants' configuration lock, shared or alone.
        """
        wanted = sorted(set(keys))
        tenants, connections = [key[0] for key in wanted], [key[1] for key in wanted]
        rows = await connection.fetch(_VERSIONS, tenants, connections)
        return {(row["tenant_id"], row["connection_id"]): await self._prepare(connection, row) for row in rows}

    async def _prepare(self, connection: Connection, row: asyncpg.Record) -> Prepared:
        key = (row["tenant_id"], row["connection_id"])
        settings, configuration = await self._configuration(connection, key, row)
        rules = await self._compiled(connection, key, row["rules_revision"])
        catalog = await self._catalog(connection, key, row, settings)
        return Prepared(settings, configuration, rules, catalog)

    async def _configuration(
        self, connection: Connection, key: ConnectionKey, row: asyncpg.Record
    ) -> tuple[ConnectionSettings, Configuration | None]:
        revisions = (row["connection_revision"], row["company_revision"], row["ledger_revision"])
        known = self._settings.get(key)
        if known is not None and known[0] == revisions:
            return known[1], known[2]
        (bodies,) = await connection.fetch(_BODIES, *key)
        settings = ConnectionSettings.model_validate_json(bodies["connection_body"])
        configuration = None
        if bodies["company_body"] and bodies["ledger_body"] and row["company_revision"]:
            configuration = Configuration(
                settings,
                CompanySettings.model_validate_json(bodies["company_body"]),
                Ledger.of(CompanyChanged.model_validate_json(bodies["ledger_body"])),
                revisions[0],
                revisions[1],
            )
        self._settings[key] = (revisions, settings, configuration)
        return settings, configuration

    async def _compiled(self, connection: Connection, key: ConnectionKey, revision: int) -> CompiledRules:
        if revision == 0:
            return NO_RULES
        known = self._rules.get(key)
        if known is None or known[0] != revision:
            rules = await read_enabled_rules(connection, key[0])
            known = (revision, compile_rules(rules, connection_id=key[1], revision=revision))
            self._rules[key] = known
        return known[1]

    async def _catalog(
        self, connection: Connection, key: ConnectionKey, row: asyncpg.Record, settings: ConnectionSettings
    ) -> Catalog:
        company_id = row["company_id"]
        items = await self._refreshed_items(connection, key[0], company_id, row["catalog_revision"], settings)
        seen = row["connection_revision"], row["links_revision"]
        product_map, links = await self._refreshed_links(connection, key, seen)
        return Catalog(
            revision=row["catalog_revision"],
            items=items.index,
            product_map=product_map,
            customers=items.customers,
            customer_emails=items.emails,
            customer_addresses=items.addresses,
            customer_links=links,
        )

    async def _refreshed_items(
        self, connection: Connection, tenant_id: str, company_id: str, revision: int, settings: ConnectionSettings
    ) -> _Items:
        items = self._items.setdefault((tenant_id, company_id), _Items())
        if items.revision < revision:
            rows = await connection.fetch(_CATALOG, tenant_id, company_id, ["items"], items.revision)
            items.index.put(CatalogItem.of(CatalogEntry.model_validate_json(row["body"])) for row in rows)
            items.revision = max(items.revision, revision)
        if _asks_for_customers(settings) and items.customers_revision < revision:
            rows = await connection.fetch(_CATALOG, tenant_id, company_id, ["customers"], items.customers_revision)
            items.put_customers(CatalogEntry.model_validate_json(row["body"]) for row in rows)
            items.customers_revision = max(items.customers_revision, revision)
        return items

    async def _refreshed_links(
        self, connection: Connection, key: ConnectionKey, seen: _Seen
    ) -> tuple[dict[str, ProductTarget], dict[str, CustomerLink]]:
        known = self._links.get(key)
        if known is None or known[0] != seen:
            maps = await connection.fetch(_MAPS, key[0], [ANY_CONNECTION, key[1]])
            product_map = {row["source_key"]: ProductTarget(row["target"]) for row in maps}
            links: dict[str, CustomerLink] = {}
            for row in await connection.fetch(_LINKS, *key):
                state = CustomerConnected.model_validate_json(row["body"])
                if state.source_external_id is not None:
                    links[link_name(state.source_external_id, state.currency)] = CustomerLink(
                        state.link, state.customer_key, state.ledger_id or "", state.display_name, state.horizon
                    )
            known = (seen, product_map, links)
            self._links[key] = known
        return known[1], known[2]


def _asks_for_customers(settings: ConnectionSettings) -> bool:
    return settings.customers.missing == "single" or settings.customers.strategy is CustomerStrategy.NAME_THEN_EMAIL
