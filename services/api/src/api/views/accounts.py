"""Tenants, API keys and the audit log."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from api.bodies import Body
from api.security import Scope
from api.views.base import View

Name = Annotated[str, Field(min_length=1, max_length=200)]


class TenantCreate(Body):
    name: Name = Field(examples=["Example Shop Ltd"])


class Tenant(View):
    tenant_id: str
    name: str
    created_at: datetime


class Purged(View):
    """What was removed here. The other services remove their part when the message reaches them.

    `GET /v1/tenants/{tenant_id}/purge` has what they report.
    """

    tenant_id: str
    removed: dict[str, int]


class PurgedByService(View):
    """What one service has removed, by table, and when it last did."""

    service: str
    removed: dict[str, int]
    purged_at: datetime


class Purge(View):
    """How far the removal of a tenant is: `complete` once every service has reported."""

    tenant_id: str
    deleted_at: datetime
    complete: bool
    services: tuple[PurgedByService, ...]


class Rebuild(View):
    """The mirror fills again as the owners answer. `removed`: rows that were emptied first, of the read model only."""

    request_id: str
    removed: dict[str, int]


class ApiKeyCreate(Body):
    name: Name = Field(examples=["bookkeeping frontend"])
    scopes: list[Scope] = Field(min_length=1, max_length=10, examples=[["read", "write", "sync"]])
    expires_at: AwareDatetime | None = None


class ApiKeyRotate(Body):
    grace_s: int = Field(default=3600, ge=0, le=7 * 24 * 3600)
    """How long the old key goes on working."""


class ApiKey(View):
    key_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class ApiKeyCreated(ApiKey):
    key: str = Field(description="The key itself, shown this once only.")


class AuditEntry(View):
    entry_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
