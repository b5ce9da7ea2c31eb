"""How long to wait before the same is tried again: twice as long after each failure, up to a limit."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """The pauses, in seconds, of one thing that is tried until it works."""

    first_s: float = 0.2
    most_s: float = 5.0
    _next_s: float = field(default=0.0, init=False)

    def failed(self) -> float:
        """Seconds to wait after one more failure."""
        wait_s = self._next_s or self.first_s
        self._next_s = min(wait_s * 2, self.most_s)
        return wait_s

    def worked(self) -> None:
        """It worked: the next failure is a first one again."""
        self._next_s = 0.0
