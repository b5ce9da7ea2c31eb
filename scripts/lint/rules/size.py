"""Files of at most 400 lines (tests: 600), functions of at most 60, not counting functions defined inside them.

The accident: a file that nobody reads to its end, where the second half of a change is forgotten.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source, matches

LINES, TEST_LINES, FUNCTION_LINES = 400, 600, 60


def check(source: Source) -> Iterator[Finding]:
    """Refuse what is too long. Generated migrations may be as long as the schema is."""
    if not source.is_python or "/migrations/versions/" in source.path:
        return
    lines, allowed = source.text.count("\n"), TEST_LINES if matches(source.path, "tests") else LINES
    if lines > allowed:
        yield Finding(source.path, allowed, f"{lines} lines, at most {allowed}: cut it where its subject changes")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = _own_lines(node)
            if length > FUNCTION_LINES:
                found = f"{node.name} has {length} lines, at most {FUNCTION_LINES}: give its steps names"
                yield Finding(source.path, node.lineno, found)


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without those of the functions it defines: each of them is counted by itself."""
    inner = {
        line
        for node in ast.walk(function)
        if node is not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return (function.end_lineno or function.lineno) - function.lineno + 1 - len(inner)
