"""Internal HTTP of every owner: how much of a tenant it holds, so that mirrors can be compared with their owners.

GET    /internal/counts ?tenant_id                                    → EntityCounts (ingest, mapper, ledger-writer)
"""

from common.internal.base import Shape


class EntityCount(Shape):
    """States of one type that a service holds of one company file and connection, its own or mirrored ones."""

    entity: str
    """Type of the states, e.g. `order.normalized.v1`."""
    company_id: str = ""
    connection_id: str = ""
    """Empty where entities of this type belong to no company file or no connection."""
    rows: int
    revisions: int
    """Sum of their revisions: it differs where as many are there and one is stale. 0 where they aren't compared."""


class EntityCounts(Shape):
    counts: tuple[EntityCount, ...]
