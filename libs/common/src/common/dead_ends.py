"""Ways on which no queue takes messages: the topology is not the one this release needs.

What goes there rests for a while and holds up nothing else. Rests grow, so that a backlog of any size that nobody can
take costs one try a minute.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from common.backoff import Backoff
from common.broker import Unroutable
from common.telemetry import OUTBOX_UNROUTABLE

log = structlog.get_logger(__name__)

_REST_FIRST_S = 5.0
_REST_MOST_S = 60.0


class Way(NamedTuple):
    """Where a row of the outbox goes: all rows that share it reach the same queues, or none."""

    type: str
    backfill: bool
    exchange: str
    routing_key: str

    @property
    def name(self) -> str:
        """As the sweeper's statement spells it."""
        return f"{self.type}|{int(self.backfill)}|{self.exchange}|{self.routing_key}"


@dataclass(slots=True)
class _Rest:
    backoff: Backoff = field(default_factory=lambda: Backoff(_REST_FIRST_S, _REST_MOST_S))
    until_s: float = 0.0


class DeadEnds:
    """The ways of one outbox that lead nowhere."""

    def __init__(self) -> None:
        self._rests: dict[Way, _Rest] = {}

    def __contains__(self, way: Way) -> bool:
        return way in self._rests

    def resting(self, tried: Collection[Way]) -> list[str]:
        """Names of the ways to leave out now: those whose rest is not over, and those of `tried`."""
        now_s = time.monotonic()
        return [way.name for way, rest in self._rests.items() if way in tried or rest.until_s > now_s]

    def add(self, way: Way, error: Unroutable) -> None:
        """No queue took what went there."""
        rest = self._rests.setdefault(way, _Rest())
        rest_s = rest.backoff.failed()
        rest.until_s = time.monotonic() + rest_s
        OUTBOX_UNROUTABLE.labels(way.type).set(1)
        log.error("outbox_unroutable", type=way.type, error=str(error), retry_in_s=rest_s)

    def remove(self, way: Way) -> None:
        """It leads somewhere, perhaps again."""
        if self._rests.pop(way, None) is None:
            return
        if all(other.type != way.type for other in self._rests):
            OUTBOX_UNROUTABLE.labels(way.type).set(0)
        log.info("outbox_routable_again", type=way.type)
