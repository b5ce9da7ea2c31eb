"""The pure core of each service does no I/O and asks no clock and no chance.

The accident: a mapping that reads the clock or a table gives another answer on the second run; a resend then changes
books that were right, and no golden file can hold it still.
"""

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Source, matches

PURE = (
    "services/mapper/src/mapper/mapping",
    "services/mapper/src/mapper/rules",
    "services/ledger-writer/src/ledger_writer/planning",
    "services/ingest/src/ingest/uploads",
    *(f"services/ingest/src/ingest/{name}.py" for name in (
        "giving_back", "parts", "payout_lines", "payout_parts", "reading", "text", "totals", "windows",
    )),
    "libs/common/src/common/money.py",
)  # fmt: skip
SHELL = ("__init__", "client", "settings", "webhook")
"""What a channel has beside its normalisation. Every other module of a channel is part of it, and pure."""
NORMALISATION = re.compile(rf"^services/ingest/src/ingest/channels/[^/]+/(?!({'|'.join(SHELL)})\.py)")
IO = {
    "aio_pika", "aiofiles", "asyncio", "asyncpg", "fastapi", "http", "httpx", "logging", "os", "pathlib",
    "prometheus_client", "pydantic_settings", "random", "secrets", "shutil", "socket", "sqlalchemy", "sqlmodel",
    "starlette", "structlog", "subprocess", "tempfile", "threading", "time", "urllib3", "uvicorn",
}  # fmt: skip
OURS = {
    "common.batch", "common.broker", "common.database", "common.handling", "common.http", "common.outbox",
    "common.recovery", "common.runtime", "common.settings", "common.telemetry",
}  # fmt: skip
CLOCK = {"now", "utcnow", "today"}


def check(source: Source) -> Iterator[Finding]:
    """Refuse imports that do I/O, calls that ask the clock, and coroutines."""
    if not source.is_python or not (matches(source.path, *PURE) or NORMALISATION.match(source.path)):
        return
    for line, module in source.imports():
        if module.split(".")[0] in IO or ".".join(module.split(".")[:2]) in OURS:
            yield Finding(source.path, line, f"{module} in the pure core: take values, give values")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield Finding(source.path, node.lineno, "a coroutine in the pure core: there is nothing to wait for")
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if (name in CLOCK and isinstance(node.func, ast.Attribute)) or name in {"open", "print", "input"}:
                yield Finding(source.path, node.lineno, f"{name}() in the pure core: let the caller pass the value")
