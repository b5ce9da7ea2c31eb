"""Mutants are made, named, left out, put in place and counted as decision 0013 says."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mutation.__main__ import sample
from mutation.mutants import Mutant, mutants_of_file
from mutation.report import explanations, interval
from mutation.settings import Exclusion, read_settings
from mutation.switching import CannotSwitch, LiveFunctions
from mutation.verdicts import Verdicts

SOURCE = '''
from functools import lru_cache


def fee(total, rate=2):
    """Not mutated."""
    if total > 10:
        return error("TOO_MUCH", "A fee is too much.", field="total")
    return total * rate


def adder(step):
    return lambda number: number + step


def error(code, text, field):
    return code, text, field


class Book:
    @property
    def pages(self):
        return 3

    @lru_cache
    def twice(self):
        return self.pages * 2


ADD_TWO = adder(2)
'''
WORDING = Exclusion("wording", "for people", frozenset({"error"}), frozenset({1}), frozenset({"text"}))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "subject.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.fixture
def subject(written: Path) -> Any:
    spec = importlib.util.spec_from_file_location("subject", written)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop("subject", None)
    return module


def made(path: Path) -> dict[str, Mutant]:
    return {one.key.partition(": ")[2]: one for one in mutants_of_file(path, "subject", [WORDING])}


def test_a_mutant_is_named_by_its_function_and_the_lines_before_and_after(written: Path) -> None:
    mutant = made(written)["return total * rate -> return total / rate"]
    assert mutant.key == "subject.fee: return total * rate -> return total / rate"
    assert (mutant.function, list(mutant.lines)) == ("fee", [9])


def test_a_mutant_of_a_condition_needs_tests_of_its_head_only(written: Path) -> None:
    assert list(made(written)["if total > 10: -> if total >= 10:"].lines) == [7]


def test_wording_is_left_out_by_its_rule_and_codes_are_not(written: Path) -> None:
    excluded = {key: one.excluded_by for key, one in made(written).items() if "TOO_MUCH" in key}
    assert {key for key, rule in excluded.items() if rule == "wording"} == {
        key for key in excluded if any(words in key for words in ("XXA fee", "a fee is", "A FEE IS"))
    }
    assert any("XXTOO_MUCHXX" in key and rule is None for key, rule in excluded.items())


def test_live_functions_change_wherever_they_are_referred_to(written: Path, subject: Any) -> None:
    mutants = made(written)
    live = LiveFunctions([written])
    kept = subject.fee
    live.switch(mutants["return total * rate -> return total / rate"])
    assert kept(8) == 4
    live.switch(mutants["def fee(total, rate=2): -> def fee(total, rate=3):"])
    assert kept(8) == 24
    live.switch(mutants["return lambda number: number + step -> return lambda number: number - step"])
    assert subject.ADD_TWO(5) == 3
    book = subject.Book()
    assert book.twice() == 6
    live.switch(mutants["return 3 -> return 4"])
    assert book.twice() == 8, "what was remembered of the old code is forgotten"


def test_a_function_that_is_not_loaded_can_not_be_changed(written: Path) -> None:
    mutant = made(written)["return total * rate -> return total / rate"]
    with pytest.raises(CannotSwitch):
        LiveFunctions([written]).switch(mutant)


def test_a_sample_draws_every_module_by_its_share_and_can_be_drawn_again(written: Path) -> None:
    mutants = list(made(written).values())
    others = [Mutant(f"{one.key}!", "other", *_rest(one)) for one in mutants]
    drawn = sample([*mutants, *others, *[Mutant(f"{one.key}?", "other", *_rest(one)) for one in mutants]], 9, seed=4)
    assert [one.module for one in drawn].count("other") == 6
    again = sample([*mutants, *others, *[Mutant(f"{one.key}?", "other", *_rest(one)) for one in mutants]], 9, seed=4)
    assert drawn == again


def _rest(one: Mutant) -> tuple[Any, ...]:
    return one.function, one.path, one.lines, one.source, one.excluded_by


def test_the_interval_of_a_sample_holds_its_share() -> None:
    low, high = interval(360, 400)
    assert (low, high) == (0.8667, 0.9257)
    assert interval(0, 0) == [0.0, 1.0]


def test_an_interrupted_run_goes_on_and_a_changed_one_starts_anew(written: Path, tmp_path: Path) -> None:
    first, second = list(made(written).values())[:2]
    path = tmp_path / "verdicts.jsonl"
    verdicts = Verdicts(path, "state 1", keep_kills=False)
    verdicts.add(first, "killed")
    verdicts.add(second, "survived")
    verdicts.close()
    path.write_text(path.read_text(encoding="utf-8") + '{"mutant": "cut o', encoding="utf-8")
    resumed = Verdicts(path, "state 1", keep_kills=False)
    assert (resumed.get(first), resumed.get(second)) == ("killed", "survived")
    resumed.close()
    again = Verdicts(path, "state 2", keep_kills=True)
    assert (again.get(first), again.get(second)) == ("killed", None)
    again.close()
    anew = Verdicts(path, "state 3", keep_kills=False)
    assert anew.get(first) is None
    anew.close()


def test_every_explained_survivor_is_still_a_mutant_of_the_code() -> None:
    settings = read_settings()
    explained = set(explanations())
    known: set[str] = set()
    for path, module in settings.files():
        if any(key.startswith(f"{module}.") for key in explained):
            known |= {one.key for one in mutants_of_file(path, module, settings.excluded)}
    assert explained <= known, "these lines are gone: take their entries out of docs/mutation-survivors.toml"
