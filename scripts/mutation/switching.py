"""Putting a mutant into the running program: the code of the live function is exchanged, wherever it is referred to."""

import ast
import functools
import gc
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

from mutation.mutants import Mutant

CACHED: Final = type(functools.cache(lambda: None))


class CannotSwitch(Exception):
    """No live function was found for a mutant: nothing can be said about it."""


class LiveFunctions:
    """The functions of some files as they are now, by file and qualified name."""

    def __init__(self, paths: Iterable[Path]) -> None:
        files = {str(path) for path in paths}
        self._by_code: dict[CodeType, list[FunctionType]] = {}
        self._by_name: dict[tuple[str, str], list[FunctionType]] = {}
        self._caches = []
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in files:
                self._by_code.setdefault(thing.__code__, []).append(thing)
                name = (thing.__code__.co_filename, thing.__code__.co_qualname)
                self._by_name.setdefault(name, []).append(thing)
            elif isinstance(thing, CACHED) and _file_of(thing.__wrapped__) in files:
                self._caches.append(thing)

    def switch(self, mutant: Mutant) -> None:
        """Make the mutant the code in force, in this process, for good. Raises CannotSwitch."""
        found = self._by_name.get((str(mutant.path), mutant.function))
        if not found:
            raise CannotSwitch(mutant.key)
        tree = ast.parse(mutant.source)
        definition = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        code = _code_named(compile(tree, str(mutant.path), "exec"), definition.name)
        old = found[0].__code__
        for function in found:
            self._exchange(function, code)
            namespace = function.__globals__
            if function.__defaults__:
                function.__defaults__ = tuple(_value(node, namespace) for node in definition.args.defaults)
            if function.__kwdefaults__:
                named = zip(definition.args.kwonlyargs, definition.args.kw_defaults, strict=True)
                function.__kwdefaults__ = {a.arg: _value(node, namespace) for a, node in named if node is not None}
        self._exchange_inner(old, code)
        for cache in self._caches:
            cache.cache_clear()

    def _exchange_inner(self, old: CodeType, new: CodeType) -> None:
        """Functions that the old one had made before, lambdas in a table for instance, are exchanged too."""
        for before, after in zip(_inner(old), _inner(new), strict=False):
            for function in self._by_code.get(before, ()):
                self._exchange(function, after)
            self._exchange_inner(before, after)

    @staticmethod
    def _exchange(function: FunctionType, code: CodeType) -> None:
        free = function.__code__.co_freevars
        if len(code.co_freevars) != len(free):
            if code.co_freevars:
                raise CannotSwitch(function.__qualname__)
            code = code.replace(co_freevars=free)
        function.__code__ = code


def _file_of(function: object) -> str:
    return function.__code__.co_filename if isinstance(function, FunctionType) else ""


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _code_named(code: CodeType, name: str) -> CodeType:
    for inner in _inner(code):
        if inner.co_name == name:
            return inner
        try:
            return _code_named(inner, name)
        except LookupError:
            continue
    raise LookupError(name)


def _value(node: ast.expr, namespace: dict[str, object]) -> object:
    return eval(compile(ast.Expression(node), "<default>", "eval"), namespace)  # noqa: S307 - our own source
