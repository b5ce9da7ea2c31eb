"""When a task runs next: pure, from its schedule and a moment. Cron expressions are in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

INTERVAL_MIN_S = 60
INTERVAL_MAX_S = 31 * 24 * 3600


class InvalidSchedule(ValueError):
    """The schedule is neither an interval within bounds nor a cron expression that ever comes true."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Exactly one of the two."""

    interval_s: int | None = None
    cron: str | None = None

    def __post_init__(self) -> None:
        if (self.interval_s is None) == (self.cron is None):
            raise InvalidSchedule("give either interval_s or cron")
        if self.interval_s is not None and not INTERVAL_MIN_S <= self.interval_s <= INTERVAL_MAX_S:
            raise InvalidSchedule(f"interval_s must be between {INTERVAL_MIN_S} and {INTERVAL_MAX_S}")


def next_run(schedule: Schedule, after: datetime) -> datetime:
    """The first moment later than `after`. A late run is not made up for: it runs once and goes on from there.

    Raises `InvalidSchedule` where a cron expression is wrong or never comes true.
    """
    if schedule.interval_s is not None:
        return after + timedelta(seconds=schedule.interval_s)
    try:
        return next(CronSim(schedule.cron or "", after))
    except CronSimError as error:
        raise InvalidSchedule(f"cron {schedule.cron!r} is not valid: {error}") from error
    except StopIteration as error:
        raise InvalidSchedule(f"cron {schedule.cron!r} never comes true") from error
