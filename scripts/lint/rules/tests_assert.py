"""Every test asserts something.

The accident: a test that only calls the code stays green when the result is wrong.
"""

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Source, matches

ASSERTS = re.compile(r"^(assert_|check_|expect_|raises$|warns$|fail$|until|settled$|call_and_validate$|validate)")


def check(source: Source) -> Iterator[Finding]:
    """Refuse tests without `assert`, `pytest.raises`, or a call named like one (`until_...` times out)."""
    if not (source.is_python and matches(source.path, "tests")):
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        if not any(asserts(inner) for inner in ast.walk(node)):
            yield Finding(source.path, node.lineno, f"{node.name} asserts nothing")


def asserts(node: ast.AST) -> bool:
    """Can this piece of a test fail it?"""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return bool(ASSERTS.match(called))
