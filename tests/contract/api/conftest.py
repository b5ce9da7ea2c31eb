"""A running gateway for the contract tests, with a tenant that has one of everything."""

from collections.abc import Iterator

import pytest
from tests.integration.api.gateway import Gateway, running

from sandbox.fresh import FreshDatabase, FreshVhost


@pytest.fixture(scope="module")
def gateway(module_postgres_database: FreshDatabase, module_rabbitmq_vhost: FreshVhost) -> Iterator[Gateway]:
    """A gateway with its neighbours."""
    with running(
        module_postgres_database, module_rabbitmq_vhost, progress_interval_s=0.05, stream_max_s=0.2
    ) as started:
        yield started
