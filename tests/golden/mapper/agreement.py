"""Results compared with files, so that a review sees what a change of the core changes.

`TILLBOOK_GOLDEN=write` rewrites every expectation; read the difference before committing it.
"""

import os
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

EXPECTED = Path(__file__).parent / "expected"
WRITES = os.environ.get("TILLBOOK_GOLDEN") == "write"
OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS


def plain(value: Any) -> Any:
    """A model as the JSON it is sent as, without what is left at its default."""
    if isinstance(value, BaseModel):
        return orjson.loads(value.model_dump_json(exclude_defaults=True))
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    return value if isinstance(value, bool | int | None) else str(value)


def expectation(name: str, value: Any, folder: Path = EXPECTED) -> tuple[str, str]:
    """What was found, and what the file says; both as text."""
    found = orjson.dumps(plain(value), option=OPTIONS).decode()
    path = folder / f"{name}.json"
    if WRITES:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    return found, path.read_text(encoding="utf-8")
