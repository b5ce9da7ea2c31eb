"""Real servers for every test above unit level. They are started by the first test that asks for them.

`infrastructure`      administrator URLs of the Postgres and RabbitMQ that all tests share
`postgres_database`   a fresh database: every service's role, schema and tables; `.url_for(service)`, `.admin_url`
`rabbitmq_vhost`      a fresh virtual host: `.url`; `await .declare()` for the topology, `await .users()` for the users
`own_infrastructure`  a pair of servers for one test that kills them: `.up()`, `.crash(rabbitmq=True)`
`module_postgres_database`, `module_rabbitmq_vhost`   the same, shared by the tests of one module

The servers stop with the last test run that uses them, unless `python -m sandbox.infrastructure up` keeps them.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from sandbox.fresh import Databases, FreshDatabase, FreshVhost, Vhosts
from sandbox.infrastructure import CannotProvision, Endpoints, Infrastructure, StateFolder, borrowed

Result = TypeVar("Result")

# Properties: the same few examples in every ordinary run, other ones by the thousand in `make test-nightly`.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("quick")


def complete(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a thread, beside the test's own event loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def infrastructure() -> Iterator[Endpoints]:
    """Administrator URLs of both servers."""
    try:
        with borrowed() as endpoints:
            yield endpoints
    except CannotProvision as problem:
        pytest.exit(str(problem), returncode=3)


@pytest.fixture
def own_infrastructure(tmp_path: Path) -> Iterator[Infrastructure]:
    """Servers that no other test uses, not started yet, gone at the end. Takes about ten seconds."""
    own = Infrastructure(StateFolder.at(tmp_path / "servers", StateFolder.default().downloads), private=True)
    yield own
    own.destroy()


@pytest.fixture(scope="session")
def databases(infrastructure: Endpoints) -> Databases:
    """The maker of fresh databases, its template ready."""
    made = Databases(infrastructure.postgres_url)
    complete(made.prepare())
    return made


@pytest.fixture(scope="session")
def vhosts(infrastructure: Endpoints) -> Vhosts:
    """The maker of fresh virtual hosts."""
    made = Vhosts(infrastructure)
    complete(made.remove_leftovers())
    return made


@contextmanager
def fresh_database(databases: Databases) -> Iterator[FreshDatabase]:
    """A database for as long as a fixture lives."""
    database = complete(databases.create())
    yield database
    complete(databases.drop(database.name))


@contextmanager
def fresh_vhost(vhosts: Vhosts) -> Iterator[FreshVhost]:
    """A virtual host for as long as a fixture lives."""
    vhost = complete(vhosts.create())
    yield vhost
    complete(vhosts.remove(vhost.name))


@pytest.fixture
def postgres_database(databases: Databases) -> Iterator[FreshDatabase]:
    """A database for one test."""
    with fresh_database(databases) as database:
        yield database


@pytest.fixture(scope="module")
def module_postgres_database(databases: Databases) -> Iterator[FreshDatabase]:
    """A database for all tests of a module."""
    with fresh_database(databases) as database:
        yield database


@pytest.fixture
def rabbitmq_vhost(vhosts: Vhosts) -> Iterator[FreshVhost]:
    """A virtual host for one test."""
    with fresh_vhost(vhosts) as vhost:
        yield vhost


@pytest.fixture(scope="module")
def module_rabbitmq_vhost(vhosts: Vhosts) -> Iterator[FreshVhost]:
    """A virtual host for all tests of a module."""
    with fresh_vhost(vhosts) as vhost:
        yield vhost
