"""How many examples a property is tried on: as many as the profile says, unless each of them is dear."""

from hypothesis import settings


def percent_of_the_examples(percent: int) -> settings:
    """Settings for a property whose every example takes long: a share of the examples of the chosen profile.

    A number of its own would be the same in `make test-nightly`.
    """
    return settings(max_examples=max(1, settings().max_examples * percent // 100))
