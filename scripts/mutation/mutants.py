"""The population: every mutant of the mutated files, made by mutmut's operators, each with a name that stays."""

import hashlib
import pickle
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import libcst as cst
from libcst.metadata import (
    CodeRange,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    WhitespaceInclusivePositionProvider,
)
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from mutation.settings import ROOT, Exclusion, Settings

FOLLOWED_DECORATORS: Final = frozenset({"property", "staticmethod", "classmethod", "cache", "lru_cache"})
"""mutmut leaves decorated functions alone because it renames them; these are changed in place, so they can stay."""

Parents = Mapping[cst.CSTNode, cst.CSTNode]
Positions = Mapping[cst.CSTNode, CodeRange]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function.

    `key` names it by its function and the lines before and after, so that it outlives moves of the code. A test that
    runs none of `lines`, those of the smallest statement around the change, can't see it. `source` is the changed
    function, in its class where it has one.
    """

    key: str
    module: str
    function: str
    path: Path
    lines: range
    source: str
    excluded_by: str | None


def mutants_of(settings: Settings) -> Iterator[Mutant]:
    """All mutants in a fixed order, those that a rule leaves out included and marked.

    Making them takes half a minute, so those of unchanged files are kept in build/mutation.
    """
    tool = hashlib.sha256(Path(__file__).read_bytes() + repr(settings.excluded).encode()).digest()
    for path, module in settings.files():
        state = hashlib.sha256(tool + str(path).encode() + path.read_bytes()).hexdigest()[:16]
        kept = ROOT / "build" / "mutation" / "made" / f"{module}-{state}.pickle"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            for stale in kept.parent.glob(f"{module}-*.pickle"):
                stale.unlink()
            made = tuple(mutants_of_file(path, module, settings.excluded))
            kept.write_bytes(pickle.dumps(made))
        yield from pickle.loads(kept.read_bytes())  # noqa: S301 - our own file


def mutants_of_file(path: Path, module: str, exclusions: Sequence[Exclusion]) -> Iterator[Mutant]:
    """The mutants of one file."""
    code = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(code))
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    text = _Text(wrapper.visit(visitor), code, wrapper.resolve(WhitespaceInclusivePositionProvider))
    positions: Positions = wrapper.resolve(PositionProvider)
    parents: Parents = wrapper.resolve(ParentNodeProvider)
    seen: Counter[str] = Counter()
    for mutation in visitor.mutations:
        outer = mutation.contained_by_top_level_function
        if not isinstance(outer, cst.FunctionDef):
            continue  # a constant of the module or of a class: it is read once, when the module is imported
        changed = text.replaced(mutation.original_node, mutation.mutated_node)
        owner = _class_of(outer, parents)
        function = f"{owner}.{outer.name.value}" if owner else outer.name.value
        key = f"{module}.{function}: {describe(text.lines, changed)}"
        seen[key] += 1
        first, last = positions[outer].start.line - 1, positions[outer].end.line + len(changed) - len(text.lines)
        body = "\n".join(changed[first:last]) + "\n"
        yield Mutant(
            key=key if seen[key] == 1 else f"{key} (#{seen[key]})",
            module=module,
            function=function,
            path=path,
            lines=_statement(mutation.original_node, outer, positions, parents),
            source=f"class {owner}:\n{body}" if owner else body,
            excluded_by=_excluded_by(mutation.original_node, mutation.mutated_node, parents, exclusions),
        )


def describe(before: Sequence[str], after: Sequence[str]) -> str:
    """The lines that changed, as `before -> after`."""
    most = min(len(before), len(after))
    start = next((i for i in range(most) if before[i] != after[i]), most)
    end = next((i for i in range(most - start) if before[-1 - i] != after[-1 - i]), most - start)
    gone = " ".join(line.strip() for line in before[start : len(before) - end])
    come = " ".join(line.strip() for line in after[start : len(after) - end])
    return f"{gone} -> {come}"


class _Text:
    """A file's lines, in which a node can be replaced. Much quicker than writing the whole tree again."""

    def __init__(self, tree: cst.Module, code: str, spans: Positions) -> None:
        self.lines = code.split("\n")
        self._tree = tree
        self._spans = spans

    def replaced(self, node: cst.CSTNode, mutated: cst.CSTNode) -> list[str]:
        """The lines with one node replaced."""
        if isinstance(node, cst.BaseCompoundStatement):  # its inner lines are indented by what is around them
            changed = cst.ensure_type(deep_replace(self._tree, node, mutated), cst.Module)
            return changed.code.split("\n")
        start, end = self._spans[node].start, self._spans[node].end
        head = self.lines[start.line - 1][: start.column]
        tail = self.lines[end.line - 1][end.column :]
        middle = f"{head}{self._tree.code_for_node(mutated)}{tail}".split("\n")
        return [*self.lines[: start.line - 1], *middle, *self.lines[end.line :]]


class _Visitor(MutationVisitor):
    """mutmut's, but it enters properties and cached functions too."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return not all(_decorator(decorator) in FOLLOWED_DECORATORS for decorator in node.decorators)
        return super()._skip_node_and_children(node)


def _decorator(node: cst.Decorator) -> str:
    called = node.decorator.func if isinstance(node.decorator, cst.Call) else node.decorator
    return called.value if isinstance(called, cst.Name) else ""


def _class_of(outer: cst.CSTNode, parents: Parents) -> str:
    node: cst.CSTNode | None = parents.get(outer)
    while node is not None and not isinstance(node, cst.ClassDef):
        node = parents.get(node)
    return node.name.value if node is not None else ""


def _statement(node: cst.CSTNode, outer: cst.FunctionDef, positions: Positions, parents: Parents) -> range:
    """Lines of the smallest statement around a node; of a compound statement only its head, of a signature the body."""
    inner: cst.CSTNode = node
    while not isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        inner, node = node, parents[node]
    if node is outer or isinstance(inner, cst.BaseSuite):
        return range(positions[outer].start.line, positions[outer].end.line + 1)
    body = getattr(node, "body", None)
    if isinstance(node, cst.BaseCompoundStatement) and isinstance(body, cst.CSTNode) and body in positions:
        last = max(positions[node].start.line, positions[inner].end.line)
        return range(positions[node].start.line, last + 1)
    return range(positions[node].start.line, positions[node].end.line + 1)


def _excluded_by(node: cst.CSTNode, mutated: cst.CSTNode, parents: Parents, rules: Sequence[Exclusion]) -> str | None:
    """The rule that leaves a changed text out, if there is one."""
    if not isinstance(node, cst.SimpleString) or not isinstance(mutated, cst.SimpleString):
        return None
    inner: cst.CSTNode = node
    outer = parents.get(node)
    while outer is not None and not isinstance(outer, cst.BaseCompoundStatement):
        if isinstance(outer, cst.Call) and isinstance(inner, cst.Arg):
            for rule in rules:
                if _callee(outer) in rule.calls and _argument_matches(outer, inner, rule):
                    return rule.name
        inner, outer = outer, parents.get(outer)
    return None


def _callee(call: cst.Call) -> str:
    if isinstance(call.func, cst.Attribute):
        return call.func.attr.value
    return call.func.value if isinstance(call.func, cst.Name) else ""


def _argument_matches(call: cst.Call, argument: cst.Arg, rule: Exclusion) -> bool:
    if not rule.positions and not rule.keywords:
        return True
    if argument.keyword is not None:
        return argument.keyword.value in rule.keywords
    return call.args.index(argument) in rule.positions
