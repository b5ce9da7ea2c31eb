"""Intuit's rate limits as sliding windows per realm, off until they are set."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field

WINDOW_S = 60.0


@dataclass(slots=True)
class LimitSettings:
    """Requests allowed; None means no limit. ``scale`` multiplies all of them, for tests that run faster than life.

    ``as_xml`` lets the refusal come as XML, as the gateway has done.
    """

    per_minute: int | None = None
    per_second: int | None = None
    batches_per_minute: int | None = None
    concurrent: int | None = None
    reports_per_minute: int | None = None
    scale: float = 1.0
    as_xml: bool = False

    @classmethod
    def published(cls, scale: float = 1.0) -> LimitSettings:
        return cls(500, 10, 40, None, 200, scale)

    def public(self) -> dict[str, object]:
        return asdict(self)


@dataclass(slots=True)
class Windows:
    """What one realm did lately; times are monotonic seconds."""

    minute: deque[float] = field(default_factory=deque)
    second: deque[float] = field(default_factory=deque)
    batches: deque[float] = field(default_factory=deque)
    reports: deque[float] = field(default_factory=deque)
    running: int = 0


def admit(settings: LimitSettings, windows: Windows, now: float, kind: str) -> bool:
    """Count a request of ``kind`` ("batch", "report", other) if every window has room; a refused one is not counted."""
    checks = [(windows.minute, WINDOW_S, settings.per_minute), (windows.second, 1.0, settings.per_second)]
    if kind == "batch":
        checks.append((windows.batches, WINDOW_S, settings.batches_per_minute))
    elif kind == "report":
        checks.append((windows.reports, WINDOW_S, settings.reports_per_minute))
    for window, length, limit in checks:
        if limit is None:
            continue
        while window and window[0] <= now - length:
            window.popleft()
        if len(window) >= limit * settings.scale:
            return False
    if settings.concurrent is not None and windows.running >= settings.concurrent * settings.scale:
        return False
    for window, _, limit in checks:
        if limit is not None:
            window.append(now)
    return True
