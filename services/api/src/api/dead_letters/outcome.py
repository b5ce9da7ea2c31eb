"""What became of a replayed letter: pure, from what is known of its entity now."""

from datetime import datetime, timedelta
from enum import StrEnum

QUIET_AFTER = timedelta(minutes=15)
"""All attempts of a bug are over by then; a letter that has not come back was handled."""


class LetterOutcome(StrEnum):
    UNRESOLVED = "unresolved"
    PUBLISHED = "published"
    """On its way: neither proof nor another failure has come yet."""
    HANDLED = "handled"
    SUPERSEDED = "superseded"
    FAILED_AGAIN = "failed_again"
    ARCHIVED = "archived"


def outcome_of(
    *,
    status: str,
    revision: int,
    replayed_at: datetime | None,
    last_failed_at: datetime,
    seen_revision: int | None,
    now: datetime,
) -> tuple[LetterOutcome, int | None]:
    """The outcome, and for `superseded` the revision that made it so."""
    if status == "archived":
        return LetterOutcome.ARCHIVED, None
    if seen_revision is not None and seen_revision > revision:
        return LetterOutcome.SUPERSEDED, seen_revision
    if replayed_at is None:
        return LetterOutcome.UNRESOLVED, None
    if status == "unresolved" and last_failed_at >= replayed_at:
        return LetterOutcome.FAILED_AGAIN, None
    if seen_revision == revision or now - replayed_at >= QUIET_AFTER:
        return LetterOutcome.HANDLED, None
    return LetterOutcome.PUBLISHED, None
