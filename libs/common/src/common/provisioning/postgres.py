"""One database, and in it one login role and one schema per service. No role can see another's schema.

Everything may be run again: it changes only what is not yet as it should be, and sets the passwords it is given.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from common.topology import SERVICES

IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]{0,62}$")
SCRAM_ITERATIONS = 4096
IDLE_IN_TRANSACTION = "60s"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('tillbook.provisioning', 0))"


def schema_of(service: str) -> str:
    """The schema a service owns; its Python package has the same name."""
    return service.replace("-", "_")


async def provision_database(
    admin_url: str,
    database: str,
    *,
    services: Iterable[str] = SERVICES,
    passwords: Mapping[str, str] | None = None,
    role_prefix: str = "",
) -> dict[str, str]:
    """Make the database, the roles and the schemas. Returns service → URL, with the role's name and password.

    `admin_url`: of a role that may create databases and roles; it need not be a superuser.
    `passwords`: service → password; a service without one gets a new random password each time.
    `role_prefix`: set where several databases of one server must not share roles.
    Raises ValueError for a name Postgres would not take unquoted, asyncpg.PostgresError for what the server refuses.
    """
    known = passwords or {}
    wanted = {service: known.get(service) or secrets.token_urlsafe(24) for service in services}
    roles = {service: role_prefix + schema_of(service) for service in wanted}
    for name in (database, *roles.values()):
        check_identifier(name)
    await create_database(admin_url, database)
    connection = await asyncpg.connect(database_url(admin_url, database), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute(LOCK)  # roles belong to the whole server: two programs must not meet here
            for service, role in roles.items():
                await ensure_role(connection, role, wanted[service], search_path=schema_of(service))
                await ensure_schema(connection, schema_of(service), role)
            await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")  # no common ground
            await admit_only(connection, database, roles.values())
    finally:
        await connection.close()
    return {service: role_url(admin_url, database, role, wanted[service]) for service, role in roles.items()}


def check_identifier(name: str) -> None:
    """Names are written into statements unquoted. Raises ValueError for one that would need quotes."""
    if not IDENTIFIER.match(name):
        message = f"{name!r} can't name a database or role: use lower-case letters, digits and _, at most 63"
        raise ValueError(message)


async def create_database(admin_url: str, database: str, *, template: str = "template1") -> None:
    """Create the database unless it exists."""
    check_identifier(database)
    check_identifier(template)
    connection = await asyncpg.connect(admin_url, timeout=10)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await connection.execute(f"CREATE DATABASE {database} TEMPLATE {template}")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return  # somebody else was a moment faster
    finally:
        await connection.close()


async def ensure_role(connection: asyncpg.Connection, role: str, password: str, *, search_path: str) -> None:
    """A role that can log in and nothing else, and that sees its own schema only."""
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    verifier = scram_verifier(password)  # so that the password itself reaches neither the server nor its log
    await connection.execute(
        f"{'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD '{verifier}'"
    )
    await connection.execute(f"ALTER ROLE {role} SET search_path = {search_path}")
    await connection.execute(f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'")


async def ensure_schema(connection: asyncpg.Connection, schema: str, role: str) -> None:
    """A schema that belongs to the role and to nobody else."""
    superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if not superuser:
        # Managed servers give no superuser, and a schema can be given only to a role one belongs to.
        await connection.execute(f"GRANT {role} TO CURRENT_USER")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
    await connection.execute(f"ALTER SCHEMA {schema} OWNER TO {role}")
    await connection.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")


async def admit_only(connection: asyncpg.Connection, database: str, roles: Iterable[str]) -> None:
    """Nobody but these roles (and administrators) may connect to the database."""
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    for role in roles:
        await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}")


def scram_verifier(password: str) -> str:
    """What Postgres stores instead of a password (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def database_url(admin_url: str, database: str) -> str:
    """The administrator's URL of another database."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))


def role_url(admin_url: str, database: str, role: str, password: str) -> str:
    """A role's URL of a database."""
    parts = urlsplit(admin_url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}", path=f"/{database}"))
