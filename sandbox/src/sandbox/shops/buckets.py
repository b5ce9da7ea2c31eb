"""The leaky bucket vendors ration requests with."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Holds up to `size` points and gets `leak_per_s` of them back each second; starts with all of them."""

    def __init__(self, size: float, leak_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.size, self.leak_per_s, self._clock = size, leak_per_s, clock
        self._available, self._at = size, clock()

    @property
    def available(self) -> float:
        """Points that can be taken now."""
        now = self._clock()
        self._available = min(self.size, self._available + (now - self._at) * self.leak_per_s)
        self._at = now
        return self._available

    def take(self, points: float) -> bool:
        """Take points, or none of them where there are too few."""
        if self.available < points:
            return False
        self._available -= points
        return True

    def wait_s(self, points: float) -> float:
        """Seconds until that many points will be there."""
        return max(0.0, (points - self.available) / self.leak_per_s)
