"""Who is calling and what they may do: bearer keys, scopes, and the tenant that every query is bound to.

A key is `tb_<key id>_<secret>`. Only a hash of the secret is stored: it is 256 random bits, so that a fast hash gives
nothing away. The operator's first key comes from the settings; it belongs to no tenant.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from api.settings import ApiSettings
from api.store import keys
from common.problems import Problem
from common.runtime import Runtime

_SCHEME = "tb"


class Scope(StrEnum):
    READ = "read"
    """See everything of the tenant."""
    WRITE = "write"
    """Change settings, connections, company files, rules and links; dismiss warnings."""
    SYNC = "sync"
    """Start runs and resend."""
    ADMIN = "admin"
    """Make and revoke keys, see the audit log."""
    OPERATOR = "operator"
    """Tenants and dead letters; belongs to no tenant."""


TENANT_SCOPES: frozenset[Scope] = frozenset(Scope) - {Scope.OPERATOR}


@dataclass(frozen=True, slots=True)
class Principal:
    """`tenant_id` is None for operators, who never see a tenant's data through tenant routes."""

    key_id: str
    tenant_id: str | None
    scopes: frozenset[Scope]

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
        return self.tenant_id or f"operator {self.key_id}"


@dataclass(frozen=True, slots=True)
class TenantPrincipal:
    """A caller of a tenant's routes."""

    key_id: str
    tenant_id: str


def new_secret() -> str:
    return secrets.token_hex(32)


def key_text(key_id: str, secret: str) -> str:
    """What the caller keeps; shown once."""
    return f"{_SCHEME}_{key_id.removeprefix('key_')}_{secret}"


def secret_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def split_key(text: str) -> tuple[str, str] | None:
    """(key id, secret) of a presented key; None where it is not one of ours."""
    scheme, _, rest = text.partition("_")
    identity, _, secret = rest.partition("_")
    if scheme != _SCHEME or not identity.isalnum() or not secret.isalnum() or len(text) > 200:
        return None
    return f"key_{identity}", secret


_bearer = HTTPBearer(auto_error=False, scheme_name="apiKey", description="An API key of the tenant: `tb_…`")


async def authenticate(request: Request) -> Principal:
    """The caller behind the request; asked once per request. Raises a 401 problem."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        known = await _authenticate(request)
        request.state.principal = known
    return known


async def _authenticate(request: Request) -> Principal:
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not presented:
        raise _unauthorized("this route needs a key")
    runtime: Runtime = request.app.state.runtime
    settings: ApiSettings = request.app.state.settings
    if hmac.compare_digest(presented.encode(), settings.operator_key.get_secret_value().encode()):
        return Principal("operator", None, frozenset({Scope.OPERATOR}))
    parts = split_key(presented)
    if parts is None:
        raise _unauthorized("the key is not valid")
    key_id, secret = parts
    row = await keys.active(runtime.pool, key_id)
    if row is None or not hmac.compare_digest(row["secret_hash"], secret_hash(secret)):
        raise _unauthorized("the key is not valid, has expired or was revoked")
    return Principal(key_id, row["tenant_id"], frozenset(Scope(scope) for scope in row["scopes"]))


def _unauthorized(text: str) -> Problem:
    return Problem(
        401,
        "UNAUTHORIZED",
        text,
        cure="send the header `Authorization: Bearer tb_…` with a key that is still active",
        headers={"www-authenticate": "Bearer"},
    )


def require_scope(principal: Principal, scope: Scope) -> None:
    """Raises a 403 problem unless the caller's key has the scope."""
    if scope not in principal.scopes:
        raise Problem(
            403, "SCOPE_MISSING", f"this route needs the scope {scope.value!r}", cure="use a key that has this scope"
        )


def _for_tenant(scope: Scope) -> Callable[..., Awaitable[TenantPrincipal]]:
    async def dependency(request: Request, _: Annotated[object, Depends(_bearer)]) -> TenantPrincipal:
        principal = await authenticate(request)
        require_scope(principal, scope)
        if principal.tenant_id is None:
            raise Problem(403, "TENANT_NEEDED", "operators don't act inside a tenant", cure="use a key of the tenant")
        return TenantPrincipal(principal.key_id, principal.tenant_id)

    return dependency


async def _operator(request: Request, _: Annotated[object, Depends(_bearer)]) -> Principal:
    principal = await authenticate(request)
    require_scope(principal, Scope.OPERATOR)
    return principal


Reader = Annotated[TenantPrincipal, Depends(_for_tenant(Scope.READ))]
Writer = Annotated[TenantPrincipal, Depends(_for_tenant(Scope.WRITE))]
Syncer = Annotated[TenantPrincipal, Depends(_for_tenant(Scope.SYNC))]
Admin = Annotated[TenantPrincipal, Depends(_for_tenant(Scope.ADMIN))]
Operator = Annotated[Principal, Depends(_operator)]
