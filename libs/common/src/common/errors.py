"""Errors that say what to do about them. Anything else that is raised is a bug.

`Retryable` may work later, `Rejected` never will without a person. Every class builds its own sentence and carries
its facts as attributes, so that a log line, a dead letter and an HTTP answer can show the same thing.
"""

from common.messages.base import Reason


class TillbookError(Exception):
    """Every error raised on purpose."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Retryable(TillbookError):
    """Try again later: nothing is wrong with the input."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class UpstreamUnavailable(Retryable):
    """Another system did not answer, or answered that it can't right now."""


class RateLimited(Retryable):
    """Another system asked us to slow down."""


class NotYetArrived(Retryable):
    """Something this state refers to has not reached us yet."""


class StatementTooSlow(Retryable):
    """A statement ran into its time-out though the database answers: it does too much, or waits for a lock."""


class Rejected(TillbookError):
    """Trying again can't help. `reason` is what a person reads."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{reason.code}: {reason.text}")
        self.reason = reason


class InvalidMessage(Rejected):
    """A message that doesn't have the shape of its contract."""


class UpstreamRefused(Rejected):
    """Another system understood the request and refused it for good."""


class InfrastructureLost(TillbookError):
    """The database or the broker went away: nobody's attempt, consumption pauses until it is back."""
