"""One running product for all end-to-end tests; every test makes a tenant of its own on it.

`product`   the running Stack: four services, the sample shops, the QuickBooks stand-in
`world`     a fresh tenant on it (`world.py`)
"""

import json
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.e2e.world import World

from common.topology import SERVICES
from sandbox.infrastructure import CannotProvision
from sandbox.stack import Stack

pytest.register_assert_rewrite("tests.e2e.books", "tests.e2e.vectors")

PROVOKED = "SUBSCRIPTION_ENDED"
"""A company that may not be written to any more is an error that a person must see, and a vector lets it happen."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product() -> AsyncIterator[Stack]:
    """The product with one replica of each service. Whatever the tests do to it, no service may log an error."""
    try:
        async with Stack(f"e2e_{uuid.uuid4().hex[:8]}").running() as stack:
            yield stack
            errors = list(logged_errors(stack))
            assert not errors, f"{len(errors)} errors in the services' logs, such as {errors[:5]}"
    except CannotProvision as problem:
        pytest.exit(str(problem), returncode=3)


def logged_errors(stack: Stack) -> Iterator[str]:
    """What the services called an error, and tracebacks that bypassed their logging."""
    for service in SERVICES:
        for log in (stack.folder / "logs").glob(f"{service}-*.log"):
            for line in log.read_text().splitlines():
                if line.startswith("Traceback"):
                    yield f"{log.stem}: a traceback"
                elif line.startswith("{") and is_error(json.loads(line)):
                    yield f"{log.stem}: {line[:1500]}"


def is_error(logged: dict[str, object]) -> bool:
    return logged.get("level") in {"error", "critical"} and logged.get("code") != PROVOKED


@pytest_asyncio.fixture(loop_scope="session")
async def world(product: Stack) -> AsyncIterator[World]:
    """A tenant of this test."""
    async with World.of(product) as opened:
        yield opened
