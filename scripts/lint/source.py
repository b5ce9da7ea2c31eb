"""What a rule looks at and what it says."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One file that belongs to the project. `path` is relative to its root, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file."""
        return ast.parse(self.text, self.path)

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every imported module with its line, also imports inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.lineno, node.module


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule at one place."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def project_files(root: Path) -> Iterator[Source]:
    """Every text file that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True,
        cwd=root,
        capture_output=True,
        text=True,
    )
    for path in listing.stdout.splitlines():
        try:
            yield Source(path, (root / path).read_text())
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # binary, or deleted and not yet committed


def matches(path: str, *patterns: str) -> bool:
    """Does the path lie below one of the folders, or is it one of the files?"""
    return any(path == pattern or path.startswith(pattern.rstrip("/") + "/") for pattern in patterns)
