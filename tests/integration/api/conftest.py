"""One gateway for all tests of a module; each test makes its own tenants."""

from collections.abc import Iterator

import pytest
from tests.integration.api.gateway import Gateway, Shop, running

from sandbox.fresh import FreshDatabase, FreshVhost


@pytest.fixture(scope="module")
def gateway(module_postgres_database: FreshDatabase, module_rabbitmq_vhost: FreshVhost) -> Iterator[Gateway]:
    """A running gateway with its neighbours."""
    with running(module_postgres_database, module_rabbitmq_vhost) as started:
        yield started


@pytest.fixture
def shop(gateway: Gateway) -> Shop:
    """A tenant with an approved company file and a connection that points at it."""
    return gateway.shop()
