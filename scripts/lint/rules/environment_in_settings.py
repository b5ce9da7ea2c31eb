"""The environment is read by settings classes only.

The accident: a variable that is read somewhere deep inside has no type, no default that anybody sees, is missing from
the documentation, and is found out about in production.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source, matches

READING = {"environ", "environb", "getenv"}


def check(source: Source) -> Iterator[Finding]:
    """Refuse `os.environ`, `os.getenv` and their imports in what ships."""
    if not (source.is_python and matches(source.path, "libs", "services")):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            found = isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in READING
        elif isinstance(node, ast.ImportFrom):
            found = node.module == "os" and any(alias.name in READING for alias in node.names)
        else:
            continue
        if found:
            yield Finding(source.path, node.lineno, "the environment is read by a pydantic-settings class only")
