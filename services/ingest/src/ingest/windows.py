"""Which span of time a run fetches, and in which pieces. Pure: the caller says what time it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PIECE = timedelta(hours=24)
FIRST_LOOK = timedelta(days=1)
"""How far back a connection without start date looks at its first run."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in UTC."""

    start: datetime
    end: datetime


def scheduled(
    *,
    watermark: datetime | None,
    start_date: date | None,
    zone: ZoneInfo,
    now: datetime,
    overlap: timedelta,
    settle: timedelta,
) -> Window:
    """[watermark − overlap, now − settle]; without a watermark, from the start date's first moment on.

    The overlap catches what the channel listed late, the margin at the end what it has not listed yet.
    """
    end = now - settle
    if watermark is not None:
        start = watermark - overlap
    elif start_date is not None:
        start = datetime.combine(start_date, time.min, zone).astimezone(UTC)
    else:
        start = now - FIRST_LOOK
    return Window(min(start, end), end)


def pieces(window: Window) -> Iterator[Window]:
    """The window in spans of at most 24 hours, oldest first; none for an empty window."""
    start = window.start
    while start < window.end:
        end = min(start + PIECE, window.end)
        yield Window(start, end)
        start = end
