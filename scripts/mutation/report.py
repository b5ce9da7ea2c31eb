"""`build/reports/mutation.json`: what was tried, what lived, and why it may live."""

import json
import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mutation.mutants import Mutant
from mutation.settings import ROOT, Settings
from mutation.verdicts import DEAD

EXPLAINED: Final = ROOT / "docs" / "mutation-survivors.toml"


def explanations(path: Path = EXPLAINED) -> dict[str, str]:
    """Why a mutant may live, by its key.

    Raises:
        ValueError: one is explained twice, or without a word.
    """
    found: dict[str, str] = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["survivors"]:
        for key in entry["mutants"]:
            if key in found or not entry["why"].strip():
                raise ValueError(f"{path.name}: {key!r} is explained twice or not at all; keep one entry with a reason")
            found[key] = entry["why"]
    return found


def build(
    settings: Settings, population: Sequence[Mutant], tried: Mapping[str, str], seed: int | None, carried: int
) -> dict[str, Any]:
    """The report. `tried` holds verdicts by key; `seed` is None for the whole population.

    Mutants that could not be put in place count neither as killed nor as survived.
    """
    wanted = [mutant for mutant in population if mutant.excluded_by is None]
    counts = Counter(tried.values())
    judged = sum(count for verdict, count in counts.items() if verdict != "impossible")
    killed = sum(counts[verdict] for verdict in DEAD)
    reasons = explanations()
    survivors = [mutant for mutant in wanted if tried.get(mutant.key) in {"survived", "untested"}]
    left_out = Counter(mutant.excluded_by for mutant in population if mutant.excluded_by is not None)
    report: dict[str, Any] = {
        "killed_ratio": round(killed / judged, 4) if judged else 0.0,
        "wanted_ratio": settings.wanted_ratio,
        "mutants": judged,
        "population": len(wanted),
        "sample": None if seed is None else {"size": len(tried), "seed": seed, "stratified_by": "module"},
        "interval_95": interval(killed, judged) if seed is not None else None,
        "verdicts": dict(sorted(counts.items())),
        "kills_carried_over": carried,
        "left_out": {rule.name: {"mutants": left_out[rule.name], "reason": rule.reason} for rule in settings.excluded},
        "modules": _by_module(wanted, tried),
        "unexplained": sum(mutant.key not in reasons for mutant in survivors),
        "survivors": [
            {
                "mutant": mutant.key,
                "file": mutant.path.relative_to(ROOT).as_posix(),
                "line": mutant.lines.start,
                "verdict": tried[mutant.key],
                "why": reasons.get(mutant.key),
            }
            for mutant in survivors
        ],
    }
    return report


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write the report for people and programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def interval(killed: int, judged: int) -> list[float]:
    """The 95 % interval of the ratio in the population (Wilson's score)."""
    if judged == 0:
        return [0.0, 1.0]
    z = 1.96
    share = killed / judged
    middle = (share + z * z / (2 * judged)) / (1 + z * z / judged)
    half = z / (1 + z * z / judged) * math.sqrt(share * (1 - share) / judged + z * z / (4 * judged * judged))
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def _by_module(wanted: Sequence[Mutant], tried: Mapping[str, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for mutant in wanted:
        row = found.setdefault(mutant.module, {"population": 0, "killed": 0, "survived": 0})
        row["population"] += 1
        verdict = tried.get(mutant.key)
        row["killed"] += verdict in DEAD
        row["survived"] += verdict in {"survived", "untested"}
    return found
