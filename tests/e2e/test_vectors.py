"""The fifty test vectors of the domain reference, through the running services: `pytest -m vector` runs exactly these.

One tenant plays them all, several at a time, each in a company file of its own: one after the other they would wait for
the services most of the time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from tests.e2e.books import Stage
from tests.e2e.vectors import people, returns, rules, sales, settling, trouble  # noqa: F401 - they register their vectors
from tests.e2e.vectors.registry import VECTORS, Vector

from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 6
ALL = [VECTORS[number] for number in sorted(VECTORS)]
Playing = Mapping[int, "asyncio.Task[int]"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def playing(product: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Playing]:
    """The vectors that are asked for, begun in their order."""
    cases = (item for item in request.session.items if isinstance(item, pytest.Function) and "vector" in item.keywords)
    chosen = [case.callspec.params["vector"] for case in cases]
    asked = {vector.number for vector in chosen if isinstance(vector, Vector)}
    gate = asyncio.Semaphore(AT_ONCE)

    async def play(vector: Vector, stage: Stage) -> int:
        async with gate:
            await vector.story(stage)
        return vector.number

    async with Stage.of(product) as stage:
        tasks = {one.number: asyncio.create_task(play(one, stage), name=one.id) for one in ALL if one.number in asked}
        yield tasks
        # None is cut off: a request that ends in the middle is an error in a service's log, and that fails the run.
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def test_there_are_fifty_vectors() -> None:
    assert sorted(VECTORS) == list(range(1, 51))


@pytest.mark.vector
@pytest.mark.slow
@pytest.mark.parametrize("vector", ALL, ids=lambda one: one.id)
async def test_vector(playing: Playing, vector: Vector) -> None:
    assert await playing[vector.number] == vector.number
