"""Trying mutants: one test run is collected once, then a fork for each mutant runs the tests that pass by its lines."""

import gc
import math
import os
import pickle
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import coverage
import hypothesis
import pytest

from mutation.mutants import Mutant
from mutation.switching import CannotSwitch, LiveFunctions

SURVIVED: Final = 0
KILLED: Final = 1
IMPOSSIBLE: Final = 3
VERDICTS: Final = {SURVIVED: "survived", KILLED: "killed", IMPOSSIBLE: "impossible"}
MEMORY_BYTES: Final = 4 << 30
PROPERTY_EXAMPLES: Final = 10

Report = Callable[[Mutant, str], None]


@dataclass(slots=True)
class Covering:
    """Which tests pass by which lines, and how long each takes (CPU seconds)."""

    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Node ids, the quickest first."""
        lines = self.tests.get(str(mutant.path), {})
        found = {test for line in mutant.lines for test in lines.get(line, ())}
        return sorted(found, key=lambda test: (self.seconds.get(test, 0.0), test))


class Trial:
    """A pytest plugin that runs mutants where pytest would run tests."""

    def __init__(self, mutants: Sequence[Mutant], paths: Iterable[Path], jobs: int, report: Report) -> None:
        self._mutants = mutants
        self._files = [str(path) for path in paths]
        self._jobs = jobs
        self._report = report
        self._live = LiveFunctions(())
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests can't be collected")
        items = {item.nodeid: item for item in session.items}
        self._live = LiveFunctions(Path(name) for name in self._files)
        covering = self._cover(items)
        gc.freeze()  # the forks share this memory as long as nobody sweeps through it
        running: dict[int, Mutant] = {}
        for mutant in self._mutants:
            tests = covering.tests_of(mutant)
            if not tests:
                self._report(mutant, "untested")
                continue
            while len(running) >= self._jobs:
                self._collect(running)
            limit = math.ceil(10 + 5 * sum(covering.seconds[test] for test in tests))
            pid = os.fork()
            if pid == 0:
                self._child(mutant, [items[test] for test in tests], limit)
            running[pid] = mutant
        while running:
            self._collect(running)
        return True

    def _collect(self, running: dict[int, Mutant]) -> None:
        pid, status = os.wait()
        self._report(running.pop(pid), VERDICTS.get(os.waitstatus_to_exitcode(status), "timeout"))

    def _child(self, mutant: Mutant, items: Sequence[pytest.Item], limit: int) -> None:
        """Never returns: the exit status is the verdict."""
        try:
            _silence()
            _bound(limit)
            gc.disable()
            try:
                self._live.switch(mutant)
            except CannotSwitch:
                os._exit(IMPOSSIBLE)
            os._exit(KILLED if self._fails(items) else SURVIVED)
        except BaseException:  # noqa: BLE001 - whatever the mutant broke, and be it pytest: it was noticed
            os._exit(KILLED)

    def _fails(self, items: Sequence[pytest.Item]) -> bool:
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return True
        return False

    def _cover(self, items: Mapping[str, pytest.Item]) -> Covering:
        """Run all tests unchanged in a fork, so that the caches of this process stay empty. They must pass."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._measure(list(items.values()), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            told = stream.read()
        _, status = os.waitpid(pid, 0)
        if status:
            raise pytest.UsageError(f"a test fails without any mutant: {told.decode() or 'pytest itself'}")
        covering: Covering = pickle.loads(told)  # noqa: S301 - written by our own fork
        return covering

    def _measure(self, items: Sequence[pytest.Item], writing: int) -> None:
        try:
            _silence()
            watch = coverage.Coverage(data_file=None, config_file=False, include=self._files)
            seconds: dict[str, float] = {}
            watch.start()
            for item, following in zip(items, [*items[1:], None], strict=True):
                watch.switch_context(item.nodeid)
                start = time.process_time()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                seconds[item.nodeid] = time.process_time() - start
                if self._failed:
                    os.write(writing, item.nodeid.encode())
                    os._exit(KILLED)
            watch.stop()
            data = watch.get_data()
            found = Covering(seconds=seconds)
            for name in data.measured_files():
                found.tests[name] = {line: set(tests) for line, tests in data.contexts_by_lineno(name).items()}
            with os.fdopen(writing, "wb") as stream:
                pickle.dump(found, stream)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a fork must end here
            os._exit(KILLED)


def try_mutants(
    mutants: Sequence[Mutant], paths: Iterable[Path], tests: Sequence[str], jobs: int, report: Report
) -> int:
    """Try mutants with `jobs` forks at a time; `report` hears each verdict. Returns pytest's exit status.

    Verdicts: killed, timeout, survived, untested (no test passes by), impossible (no live function to change).
    """
    # The same examples, so that a verdict can be had again; failing ones are not made smaller: nobody reads them.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation", max_examples=PROPERTY_EXAMPLES, derandomize=True, database=None, deadline=None, phases=phases
    )
    hypothesis.settings.load_profile("mutation")
    arguments = ["-q", "-p", "no:cacheprovider", "--capture=no", "--tb=no", "--disable-warnings"]
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning", *tests]  # hypothesis is imported above, on purpose
    return int(pytest.main(arguments, plugins=[Trial(mutants, paths, jobs, report)]))


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _bound(seconds: int) -> None:
    """A mutant that never ends, or that eats the memory, is ended by the system."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
