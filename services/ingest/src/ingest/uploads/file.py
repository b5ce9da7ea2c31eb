"""An uploaded file, read row by row whatever its size: bounded when unpacked, in its lines, and in its rows. Pure."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from common.messages.orders import Payout
from ingest.channel import Account
from ingest.errors import NormalizationError
from ingest.payout_parts import PayoutParts

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
LINE_CHARS_MAX = 32_768
PAYOUTS_MAX = 500
ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAGIC = b"\x1f\x8b"


class FileRefused(Exception):
    """A file that nothing can be made of: the column (or parameter), what stood there, and the cure."""

    def __init__(self, text: str, field: str, value: str = "", cure: str = "") -> None:
        super().__init__(text)
        self.text, self.field, self.value, self.cure = text, field, value[:120], cure


@dataclass(frozen=True, slots=True)
class CutPayout:
    """The part of a file that is one payout, compressed with gzip."""

    payout_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file."""

    name: str
    title: str
    cut: Callable[[bytes, Mapping[str, str]], tuple[CutPayout, ...]]
    """(file compressed with gzip, parameters of the upload) → its payouts. Raises `FileRefused`."""
    normalize: Callable[[PayoutParts, Account], Payout]
    """Pure. Raises `NormalizationError`; the payout has revision 0."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file; `number` is the line it stands on, the header's being 1."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def refusal(self, column: str, text: str, cure: str, code: str = "UNREADABLE_PAYOUT") -> NormalizationError:
        """The error for one cell, by row and column."""
        value = self[column]
        return NormalizationError(
            f"row {self.number}, column {column}", value, cure, code=code,
            text=f"row {self.number}: {column} is {value[:120]!r}, {text}",
        )  # fmt: skip


def packed(raw: bytes) -> bytes:
    """The file compressed with gzip, as it is stored; one that came compressed stays as it came."""
    return raw if raw.startswith(_MAGIC) else gzip.compress(raw, 6, mtime=0)


def lines_of(raw: bytes, *, strict: bool = True) -> Iterator[tuple[int, str]]:
    """Numbered lines of a packed file without their ends; empty ones are left out.

    Raises `FileRefused` for what is no UTF-8 (where `strict`), no gzip, or too large.
    """
    try:
        yield from _decoded(raw, "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        raise FileRefused("the file is not text in UTF-8", "file", cure="save it as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        raise FileRefused(
            "the file can't be unpacked", "file", cure="send it again as gzip, or as plain text"
        ) from error


def _decoded(raw: bytes, errors: str) -> Iterator[tuple[int, str]]:
    with (
        gzip.GzipFile(fileobj=io.BytesIO(raw)) as unpacked,
        io.TextIOWrapper(unpacked, "utf-8-sig", errors, newline="") as text,
    ):
        read = 0
        for number, line in enumerate(iter(lambda: text.readline(LINE_CHARS_MAX), ""), start=1):
            read += len(line)
            if len(line) >= LINE_CHARS_MAX:
                raise FileRefused(f"line {number} is longer than {LINE_CHARS_MAX} characters", "file")
            if read > UNPACKED_BYTES_MAX:
                raise FileRefused(f"the file is larger than {UNPACKED_BYTES_MAX} bytes when unpacked", "file")
            if line.strip():
                yield number, line.rstrip("\r\n")
