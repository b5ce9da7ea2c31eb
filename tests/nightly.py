"""What a run of the properties tried, printed and written to `build/reports/test-nightly.json`: `-p tests.nightly`."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

REPORT = Path("build/reports/test-nightly.json")

_TRIED = re.compile(r"(\d+) passing, (\d+) failing, and (\d+) invalid")


@dataclass
class Property:
    """One property: examples that held, that broke it, and that were no examples (an assumption did not hold)."""

    name: str
    outcome: str = ""
    seconds: float = 0.0
    held: int = 0
    broke: int = 0
    invalid: int = 0


_properties: dict[str, Property] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep how a property ended, and what hypothesis counted of it."""
    report: pytest.TestReport = yield
    if call.when == "call":
        statistics = getattr(item, "hypothesis_statistics", "")
        counts = [sum(map(int, column)) for column in zip(*_TRIED.findall(statistics), strict=True)] or [0, 0, 0]
        _properties[item.nodeid] = Property(item.nodeid, report.outcome, round(call.duration, 1), *counts)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each property, dearest first, and write them all."""
    rows = sorted(_properties.values(), key=lambda row: -row.seconds)
    whole = {
        "properties": len(rows),
        "fewest_examples": min((row.held for row in rows), default=0),
        "failed": sum(row.outcome != "passed" for row in rows),
        "seconds": round(sum(row.seconds for row in rows), 1),
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({**whole, "tried": [asdict(row) for row in rows]}, indent=2) + "\n")
    terminalreporter.section("properties")
    for row in rows:
        terminalreporter.write_line(f"{row.outcome:<8}{row.held:>7}{row.seconds:>8.1f} s  {row.name}")
    terminalreporter.write_line(", ".join(f"{name} {value}" for name, value in whole.items()))
