"""Time as the ledger shows it: Pacific, with offset, to the second in MetaData and to the millisecond in envelopes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


class Clock:
    """The stand-in's clock; ``offset`` moves it so that expiry can be tested without waiting."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self._second = -1
        self._text = ""
        self._tail = ""
        self._day = date.min

    def utc(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def _refresh(self) -> datetime:
        now = self.utc()
        second = int(now.timestamp())
        if second != self._second:
            local = now.astimezone(PACIFIC)
            text = local.isoformat(timespec="seconds")
            self._second, self._text, self._tail, self._day = second, text[:19], text[19:], local.date()
        return now

    def stamp(self) -> str:
        """For MetaData: ``2026-01-31T05:58:07-08:00``."""
        self._refresh()
        return self._text + self._tail

    def envelope(self) -> str:
        """For the ``time`` of an answer: ``2026-01-31T05:58:07.300-08:00``."""
        now = self._refresh()
        return f"{self._text}.{now.microsecond // 1000:03d}{self._tail}"

    def today(self) -> date:
        """The company's current date; what TxnDate defaults to."""
        self._refresh()
        return self._day


def instant(text: str) -> int | None:
    """Seconds since the epoch of an ISO date or date-time; a missing offset means Pacific. None if it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PACIFIC)
    return int(moment.timestamp())
