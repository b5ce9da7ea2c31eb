"""Paths of the API that hold what a person typed."""

from urllib.parse import quote

from cli.problems import CommandFailed, Exit


def segment(text: str) -> str:
    """One segment of a path: an order's number may hold `#`, `?` or `/`, and may be nothing but dots.

    Raises `CommandFailed` for no text at all.
    """
    if not text:
        raise CommandFailed("an id or number is empty", Exit.REFUSED, cure="name one, as `list` shows it")
    escaped = quote(text, safe="")
    return escaped.replace(".", "%2E") if not escaped.strip(".") else escaped
