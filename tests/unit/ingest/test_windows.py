"""Windows of runs: from the watermark back by the overlap, up to a little before now, in pieces of a day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ingest.windows import PIECE, Window, pieces, scheduled

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TWO_MINUTES = timedelta(minutes=2)


def window(watermark: datetime | None, start_date: date | None = None, zone: str = "UTC") -> Window:
    return scheduled(
        watermark=watermark, start_date=start_date, zone=ZoneInfo(zone), now=NOW, overlap=HOUR, settle=TWO_MINUTES
    )


def test_a_window_overlaps_the_last_one_and_ends_before_now() -> None:
    mark = NOW - timedelta(hours=3)
    assert window(mark) == Window(mark - HOUR, NOW - TWO_MINUTES)


def test_the_first_window_starts_with_the_start_dates_first_local_moment() -> None:
    assert window(None, date(2026, 5, 1), "America/New_York").start == datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert window(None).start == NOW - timedelta(days=1)


def test_a_start_date_in_the_future_makes_an_empty_window() -> None:
    future = window(None, date(2026, 6, 1))
    assert list(pieces(future)) == []


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.integers(0, 40 * 24 * 60))  # noqa: DTZ001
def test_pieces_cover_the_window_without_gap_or_overlap(start: datetime, minutes: int) -> None:
    whole = Window(start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + timedelta(minutes=minutes))
    cut = list(pieces(whole))
    assert all(timedelta(0) < piece.end - piece.start <= PIECE for piece in cut)
    assert [piece.start for piece in cut[1:]] == [piece.end for piece in cut[:-1]]
    if cut:
        assert (cut[0].start, cut[-1].end) == (whole.start, whole.end)
    else:
        assert minutes == 0
