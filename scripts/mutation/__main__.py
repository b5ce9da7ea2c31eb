"""`make mutation`: change the pure core in thousands of small ways and see whether the tests notice.

    make mutation                                   all mutants; goes on where it was interrupted
    make mutation ARGS="--sample 400 --seed 1"      a random sample, each module by its share
    make mutation ARGS="--again"                    after new tests: try what was left alive, keep the kills
    make mutation ARGS="--only mapper.mapping.tax"  one module or function

Exit status 1: fewer than the wanted share were killed. 2: the tests fail without any mutant.
"""

import argparse
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from mutation.mutants import Mutant, mutants_of
from mutation.report import build, write
from mutation.settings import ROOT, read_settings
from mutation.trying import try_mutants
from mutation.verdicts import Verdicts, fingerprint


def main() -> int:
    """Run it. Returns the exit status."""
    asked = _arguments()
    settings = read_settings()
    population = [mutant for mutant in mutants_of(settings) if mutant.key.startswith(asked.only)]
    wanted = [mutant for mutant in population if mutant.excluded_by is None]
    chosen = sample(wanted, asked.sample, asked.seed) if asked.sample else wanted
    verdicts = Verdicts(ROOT / "build" / "mutation" / "verdicts.jsonl", fingerprint(settings), keep_kills=asked.again)
    left = [mutant for mutant in chosen if verdicts.get(mutant) is None]
    known = len(chosen) - len(left)
    print(f"{len(wanted)} mutants, {len(chosen)} chosen, {known} known, {len(left)} to try", flush=True)
    progress = _Progress(len(left))

    def heard(mutant: Mutant, verdict: str) -> None:
        verdicts.add(mutant, verdict)
        progress.tell(mutant, verdict)

    if left:
        paths = [path for path, _ in settings.files()]
        tests = [*settings.tests, *(f"--deselect={test}" for test in settings.too_slow)]
        status = try_mutants(left, paths, tests, asked.jobs, heard)
        if status:
            return 2
    verdicts.close()
    tried = {mutant.key: verdicts.get(mutant) or "" for mutant in chosen}
    seed = asked.seed if asked.sample else None
    report = build(settings, population, tried, seed, verdicts.carried if asked.again else 0)
    write(report, ROOT / "build" / "reports" / "mutation.json")
    print(f"killed {report['killed_ratio']:.2%} of {report['mutants']}: {report['verdicts']}")
    print(f"{report['unexplained']} survivors without an explanation; see build/reports/mutation.json")
    return 0 if report["killed_ratio"] >= settings.wanted_ratio else 1


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """A seeded random sample in which each module has its share, the largest remainders first."""
    strata: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        strata[mutant.module].append(mutant)
    size = min(size, len(mutants))
    exact = {module: size * len(found) / len(mutants) for module, found in strata.items()}
    shares = {module: int(share) for module, share in exact.items()}
    by_remainder = sorted(exact, key=lambda module: (shares[module] - exact[module], module))
    for module in by_remainder[: size - sum(shares.values())]:
        shares[module] += 1
    draw = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
    chosen = {mutant.key for module in sorted(strata) for mutant in draw.sample(strata[module], shares[module])}
    return [mutant for mutant in mutants if mutant.key in chosen]


class _Progress:
    """A line for each mutant left alive, and every now and then how far it is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._alive = 0
        self._start = self._told = time.monotonic()

    def tell(self, mutant: Mutant, verdict: str) -> None:
        """Say what became of a mutant."""
        self._done += 1
        if verdict in {"survived", "untested"}:
            self._alive += 1
            print(f"{verdict}: {mutant.path.relative_to(ROOT)}:{mutant.lines.start} {mutant.key}", flush=True)
        now = time.monotonic()
        if now - self._told > 20 or self._done == self._total:
            self._told = now
            pace = self._done / (now - self._start)
            print(f"{self._done}/{self._total} tried, {self._alive} alive, {pace:.1f} a second", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="try a random sample of N mutants")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default 1)")
    parser.add_argument("--again", action="store_true", help="keep earlier kills of unchanged functions")
    parser.add_argument("--only", default="", metavar="NAME", help="a module or function, by the start of its name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants tried at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
