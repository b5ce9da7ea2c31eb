"""aio_pika is imported by common/broker.py only.

The accident: a handler acknowledges, publishes without confirms, or opens a channel of its own, and a message is lost
in a way that no test of the runtime can see.
"""

from collections.abc import Iterator

from lint.source import Finding, Source, matches

HOME = "libs/common/src/common/broker.py"
LIBRARIES = ("aio_pika", "aiormq", "pamqp")


def check(source: Source) -> Iterator[Finding]:
    """Refuse the import anywhere else in what ships."""
    if not (source.is_python and matches(source.path, "libs", "services")) or source.path == HOME:
        return
    for line, module in source.imports():
        if module.split(".")[0] in LIBRARIES:
            yield Finding(source.path, line, f"{module} belongs in {HOME}: use what it offers, or extend it there")
