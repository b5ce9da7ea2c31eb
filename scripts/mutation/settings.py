"""What `[tool.tillbook.mutation]` in pyproject.toml says: the code that is mutated, the tests, and what is left out."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A kind of mutant that is not made: texts inside the arguments of calls to `calls`.

    `positions` and `keywords` name the arguments; both empty means all of them.
    """

    name: str
    reason: str
    calls: frozenset[str]
    positions: frozenset[int]
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of mutation testing. Paths are relative to the project's root."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    too_slow: tuple[str, ...]
    wanted_ratio: float
    excluded: tuple[Exclusion, ...]

    def files(self) -> list[tuple[Path, str]]:
        """Every file that is mutated, with the name of its module."""
        found = []
        for source in self.sources:
            package_root = Path(source.partition("/src/")[0]) / "src"
            folder = ROOT / source
            for path in sorted(folder.rglob("*.py")):
                parts = path.relative_to(ROOT / package_root).with_suffix("").parts
                found.append((path, ".".join(part for part in parts if part != "__init__")))
        return found


def read_settings() -> Settings:
    """The settings in force.

    Raises:
        KeyError: pyproject.toml lacks one of them.
    """
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["tillbook"]["mutation"]
    return Settings(
        sources=tuple(table["sources"]),
        tests=tuple(table["tests"]),
        too_slow=tuple(table["too_slow"]),
        wanted_ratio=float(table["wanted_ratio"]),
        excluded=tuple(
            Exclusion(
                name=rule["name"],
                reason=rule["reason"],
                calls=frozenset(rule["calls"]),
                positions=frozenset(rule.get("positions", ())),
                keywords=frozenset(rule.get("keywords", ())),
            )
            for rule in table["excluded"]
        ),
    )
