"""What the bookkeeper keeps beside our journal: `manual.beancount` and whatever it includes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

MANUAL: Final = "manual.beancount"
_INCLUDED = re.compile(r'^include[ \t]+"([^"\n]+)"', re.MULTILINE)
_WILDCARDS: Final = frozenset("*?[")
_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of all files together: years of a bank's statements, and no device that never ends."""
_FILES_MAX: Final = 1000

_Stamp = tuple[int, int]


class OwnEntries:
    """The text of those files, read again when one of them has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[_Stamp, str]] = {}

    def text(self) -> str:
        """All of it, one file after the other; a file that can't be read, or is beyond the bounds, is left out."""
        before, self._read = self._read, {}
        waiting, room = [(self._folder / MANUAL).resolve()], _BYTES_MAX
        while waiting:
            path = waiting.pop()
            if path in self._read or not path.is_file():
                continue
            try:
                status = path.stat()
                if status.st_size > room or len(self._read) >= _FILES_MAX:
                    log.warning("own_entries_left_out", file=path.name, bytes=status.st_size)
                    continue
                room -= status.st_size
                stamp = (status.st_mtime_ns, status.st_size)
                known = before.get(path)
                text = known[1] if known and known[0] == stamp else path.read_text(encoding="utf-8", errors="replace")
                self._read[path] = (stamp, text)
                waiting.extend(_included(path, text))
            except (OSError, ValueError) as error:  # a value error is of a pattern that no file can match
                log.warning("own_entries_left_out", file=path.name, error=type(error).__name__)
        return "\n".join(text for _, text in self._read.values())


def _included(path: Path, text: str) -> Iterator[Path]:
    """Files that an `include` names, as Beancount finds them: beside the file that says so, with wildcards."""
    for pattern in _INCLUDED.findall(text):
        wanted = path.parent / pattern
        if _WILDCARDS.isdisjoint(pattern):
            yield wanted.resolve()
            continue
        for found in sorted(Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor)))):
            yield found.resolve()
