"""Verdicts on disk, written one by one, so that an interrupted run goes on where it was."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mutation.mutants import Mutant
from mutation.settings import ROOT, Settings

DEAD: Final = frozenset({"killed", "timeout"})


def fingerprint(settings: Settings) -> str:
    """Changes with every file that can change a verdict: the code, the tests, this tool, the packages."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    folders = [*settings.sources, *settings.tests, "libs/common/src", "scripts/mutation"]
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def name_of(mutant: Mutant) -> str:
    """The key, and a mark that changes with the function: a verdict is about one text of it."""
    return f"{mutant.key} @{hashlib.sha256(mutant.source.encode()).hexdigest()[:12]}"


class Verdicts:
    """The verdicts of one state of the code and its tests."""

    def __init__(self, path: Path, state: str, *, keep_kills: bool) -> None:
        self._known: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if lines and json.loads(lines[0])["state"] == state:
            self._known = _read(lines[1:])
        elif lines and keep_kills:
            self._known = {name: verdict for name, verdict in _read(lines[1:]).items() if verdict in DEAD}
        self.carried = len(self._known)
        self._stream = path.open("w", encoding="utf-8")
        self._write({"state": state})
        for name, verdict in self._known.items():
            self._write({"mutant": name, "verdict": verdict})

    def get(self, mutant: Mutant) -> str | None:
        """The verdict on a mutant, where there is one."""
        return self._known.get(name_of(mutant))

    def add(self, mutant: Mutant, verdict: str) -> None:
        """Keep a verdict."""
        self._known[name_of(mutant)] = verdict
        self._write({"mutant": name_of(mutant), "verdict": verdict})

    def close(self) -> None:
        """Nothing more is to come."""
        self._stream.close()

    def _write(self, line: Mapping[str, str]) -> None:
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()


def _read(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            break  # the line that was being written when the run was cut off
        found[entry["mutant"]] = entry["verdict"]
    return found
