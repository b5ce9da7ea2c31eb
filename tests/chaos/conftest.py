"""A product of its own, on servers of its own, for tests that kill both.

`fragile`   the running Stack on private servers; what dies is started again, the servers by the test
`world`     a fresh tenant on it
`poisoned`  a connection whose orders the mapper can't handle, with some already on their way
"""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.chaos.poison import Poisoned
from tests.e2e.world import World

from sandbox.infrastructure import CannotProvision, Infrastructure, StateFolder
from sandbox.stack import Stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fragile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The product, old enough for its broker to be killed."""
    state = StateFolder.at(tmp_path_factory.mktemp("servers"), StateFolder.default().downloads)
    infrastructure = Infrastructure(state, private=True)
    try:
        async with Stack(f"chaos_{uuid.uuid4().hex[:8]}", infrastructure=infrastructure).running() as stack:
            await stack.settled()
            yield stack
    except CannotProvision as problem:
        pytest.exit(str(problem), returncode=3)
    finally:
        infrastructure.destroy()


@pytest_asyncio.fixture(loop_scope="session")
async def world(fragile: Stack) -> AsyncIterator[World]:
    """A tenant of this test. What the test before killed is back."""
    for replica in fragile.processes.values():
        await replica.wait_ready(within_s=120)
    async with World.of(fragile) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def poisoned(fragile: Stack) -> AsyncIterator[Poisoned]:
    """Asked for by every test here: a bug is retried for more than a minute before its message is parked."""
    async with World.of(fragile) as opened:
        yield await Poisoned.sown(opened)
