"""The fifty vectors of the domain reference (section 33): each a story that asserts its published numbers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.e2e.books import Stage

Story = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector. `deferred`: it needs an adapter that does not exist yet, and runs on the pure core until it does."""

    number: int
    name: str
    story: Story
    deferred: bool = False

    @property
    def id(self) -> str:
        return f"v{self.number:02}-{self.name}"


VECTORS: dict[int, Vector] = {}


def vector(number: int, *, deferred: bool = False) -> Callable[[Story], Story]:
    """Make a coroutine function the story of a vector. Raises ValueError for a number that has one already."""

    def register(story: Story) -> Story:
        if number in VECTORS:
            raise ValueError(f"vector {number} is told twice")
        VECTORS[number] = Vector(number, getattr(story, "__name__", str(number)), story, deferred)
        return story

    return register
