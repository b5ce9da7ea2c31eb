"""No path of one person's machine and no host of a package registry in any file.

The accident: it works here and nowhere else; or a mirror that is gone next year is written into the lock file.
"""

import re
from collections.abc import Iterator

from lint.source import Finding, Source

ITSELF = "scripts/lint/rules/banned_words.py"
BANNED = re.compile(
    r"(?<![\w.-])/(work|root|home|Users)/[\w.-]+"  # somebody's folder
    r"|/tmp/(bash_jobs|tb)\b"
    r"|\b(pypi|test\.pypi)\.org\b|\bpythonhosted\.org\b|\bregistry\.npmjs\.org\b|\bdeb\.debian\.org\b|\barchive\.ubuntu\.com\b"
    r"|^\s*--(extra-)?index-url|^\s*--find-links",
    re.MULTILINE,
)


def check(source: Source) -> Iterator[Finding]:
    """Refuse the words wherever they stand."""
    if source.path == ITSELF:
        return
    for found in BANNED.finditer(source.text):
        line = source.text.count("\n", 0, found.start()) + 1
        yield Finding(source.path, line, f"{found.group().strip()!r} is true of one machine or registry only")
