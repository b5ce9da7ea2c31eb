"""The pauses between attempts."""

from common.backoff import Backoff


def test_pauses_double_up_to_the_limit_and_begin_again_once_it_worked() -> None:
    backoff = Backoff(first_s=1.0, most_s=5.0)
    assert [backoff.failed() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.worked()
    assert backoff.failed() == 1.0
