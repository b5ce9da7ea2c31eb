"""A tenant's rules as rows, and the count of their changes that tells caches apart."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from common.database import Connection, affected
from mapper.rules.model import Rule

_ENABLED = "SELECT rule_id, name, priority, definition FROM rules WHERE tenant_id = $1 AND enabled"
_PAGE = """
SELECT rule_id, name, enabled, priority, definition, revision, updated_at FROM rules
WHERE tenant_id = $1 AND (priority, rule_id) > ($2, $3) ORDER BY priority, rule_id LIMIT $4
"""
_ONE = """
SELECT rule_id, name, enabled, priority, definition, revision, updated_at FROM rules
WHERE tenant_id = $1 AND rule_id = $2
"""
_ALL = """
SELECT rule_id, name, enabled, priority, definition, revision, updated_at FROM rules
WHERE tenant_id = $1 ORDER BY priority, name, rule_id
"""
_NAME_TAKEN = "SELECT EXISTS (SELECT FROM rules WHERE tenant_id = $1 AND name = $2 AND rule_id <> $3)"
_COUNT = "SELECT count(*) FROM rules WHERE tenant_id = $1"
_WRITE = """
INSERT INTO rules AS r (tenant_id, rule_id, name, enabled, priority, definition, revision)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
ON CONFLICT (tenant_id, rule_id) DO UPDATE
SET name = excluded.name, enabled = excluded.enabled, priority = excluded.priority,
    definition = excluded.definition, revision = excluded.revision, updated_at = now()
RETURNING rule_id, name, enabled, priority, definition, revision, updated_at
"""
_DELETE = "DELETE FROM rules WHERE tenant_id = $1 AND rule_id = $2"
_CHANGED = """
INSERT INTO rule_sets AS s (tenant_id, revision) VALUES ($1, 1)
ON CONFLICT (tenant_id) DO UPDATE SET revision = s.revision + 1
"""

HELD_IN_COLUMNS = frozenset({"rule_id", "name", "enabled", "priority"})


def definition_of(rule: Rule) -> dict[str, Any]:
    """What is stored as the rule's definition: everything but what has a column."""
    return rule.model_dump(mode="json", exclude=set(HELD_IN_COLUMNS), exclude_defaults=True)


def rule_of(row: asyncpg.Record) -> Rule:
    return Rule.model_validate(
        {
            **orjson.loads(row["definition"]),
            "rule_id": row["rule_id"],
            "name": row["name"],
            "priority": row["priority"],
            "enabled": row.get("enabled", True),
        }
    )


async def read_enabled_rules(connection: Connection, tenant_id: str) -> list[Rule]:
    return [rule_of(row) for row in await connection.fetch(_ENABLED, tenant_id)]


async def read_rules(connection: Connection, tenant_id: str) -> list[asyncpg.Record]:
    """Every rule of a tenant in the order they run."""
    rows: list[asyncpg.Record] = await connection.fetch(_ALL, tenant_id)
    return rows


async def rule_page(connection: Connection, tenant_id: str, after: tuple[int, str], limit: int) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(_PAGE, tenant_id, *after, limit)
    return rows


async def read_rule(connection: Connection, tenant_id: str, rule_id: str) -> asyncpg.Record | None:
    return await connection.fetchrow(_ONE, tenant_id, rule_id)


def is_stored(rule: Rule, row: asyncpg.Record) -> bool:
    """Whether the row says what the rule does, whatever its identifier."""
    return rule_of(row).model_copy(update={"rule_id": ""}) == rule.model_copy(update={"rule_id": ""})


async def is_name_taken(connection: Connection, tenant_id: str, name: str, rule_id: str) -> bool:
    """Whether a rule other than `rule_id` has the name. The caller holds the tenant's configuration lock alone."""
    return bool(await connection.fetchval(_NAME_TAKEN, tenant_id, name, rule_id))


async def count_rules(connection: Connection, tenant_id: str) -> int:
    return int(await connection.fetchval(_COUNT, tenant_id))


async def write_rule(connection: Connection, tenant_id: str, rule: Rule, revision: int) -> asyncpg.Record:
    """Store a rule and count the change. The caller holds the tenant's configuration lock alone."""
    (row,) = await connection.fetch(
        _WRITE,
        tenant_id,
        rule.rule_id,
        rule.name,
        rule.enabled,
        rule.priority,
        orjson.dumps(definition_of(rule)).decode(),
        revision,
    )
    await connection.execute(_CHANGED, tenant_id)
    written: asyncpg.Record = row
    return written


async def delete_rules(connection: Connection, tenant_id: str, rule_ids: Sequence[str]) -> int:
    """Remove rules and count the change. Returns how many there were."""
    removed = 0
    for rule_id in rule_ids:
        removed += affected(await connection.execute(_DELETE, tenant_id, rule_id))
    if removed:
        await connection.execute(_CHANGED, tenant_id)
    return removed


def updated_at(row: asyncpg.Record) -> datetime:
    moment: datetime = row["updated_at"]
    return moment
