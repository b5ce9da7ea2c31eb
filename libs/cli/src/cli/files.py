"""Files that commands read and write; `-` stands for standard input and output."""

import sys
from pathlib import Path

from cli.problems import CommandFailed, Exit

_BYTES_MAX = 8 * 1024 * 1024


def write(path: Path, text: str) -> None:
    """Raises `CommandFailed` where the file can't be written."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{path} can't be written: {error.strerror}", Exit.NOT_RIGHT) from error


def read_text(path: Path) -> str:
    """Raises `CommandFailed` where the file can't be read, is too large, or is no text."""
    try:
        data = sys.stdin.buffer.read(_BYTES_MAX + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} can't be read: {error.strerror}", Exit.NOT_RIGHT) from error
    if len(data) > _BYTES_MAX:
        raise CommandFailed(f"{path} is larger than {_BYTES_MAX} bytes", Exit.NOT_RIGHT, cure="import it in parts")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path} is not UTF-8 text", Exit.NOT_RIGHT, cure="save it as UTF-8") from error
