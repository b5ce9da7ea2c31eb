"""The rules, each `Source → findings`."""

from collections.abc import Callable, Iterator

from lint.rules import (
    banned_words,
    broad_except,
    broker_in_one_place,
    environment_in_settings,
    no_float,
    pure_core,
    service_borders,
    size,
    tests_assert,
)
from lint.source import Finding, Source

Rule = Callable[[Source], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    banned_words.check,
    broad_except.check,
    broker_in_one_place.check,
    environment_in_settings.check,
    no_float.check,
    pure_core.check,
    service_borders.check,
    size.check,
    tests_assert.check,
)
