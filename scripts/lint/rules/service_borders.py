"""A service imports `common` and itself.

The accident: one service reads another's tables or calls its code, so they can no longer be deployed apart, and a
change in one breaks the other where nobody looks. import-linter says the same of the import graph; this rule also reads
files that nothing imports yet, and names of modules inside strings.
"""

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Source

HOMES = {
    "services/ingest/": "ingest",
    "services/mapper/": "mapper",
    "services/ledger-writer/": "ledger_writer",
    "services/api/": "api",
    "libs/common/": "common",
    "libs/cli/": "cli",
}
ALLOWED = {"cli": {"cli"}}
OURS = {*HOMES.values(), "sandbox"}
DYNAMIC = re.compile(r"^(import_module|__import__|find_spec)$")


def check(source: Source) -> Iterator[Finding]:
    """Refuse imports of a neighbour, static or by name."""
    home = next((package for folder, package in HOMES.items() if source.path.startswith(folder)), None)
    if not source.is_python or home is None:
        return
    allowed = ALLOWED.get(home, {home, "common"})
    for line, module in (*source.imports(), *dynamic_imports(source)):
        package = module.split(".")[0]
        if package in OURS - allowed:
            yield Finding(source.path, line, f"{home} imports {package}: share messages and `common`, nothing else")


def dynamic_imports(source: Source) -> Iterator[tuple[int, str]]:
    """Modules that are imported by a name in a string."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if DYNAMIC.match(called) and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value
