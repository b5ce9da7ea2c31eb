"""`except Exception` only where something is raised again, or where the list below says why not.

The accident: a bug is caught together with the fault it was written for, the message is acknowledged, and an order is
missing from the books without a reason.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source, matches

COMMON = "libs/common/src/common"
ALLOWED: dict[tuple[str, str], str] = {
    (f"{COMMON}/group_commit.py", "_commit_group"): "handed to the callers, who wait for it",
    (f"{COMMON}/handling.py", "_handle"): "the batch runs again state by state, which finds the culprit",
    (f"{COMMON}/handling.py", "_one_by_one"): "decided on and sent on",
    (f"{COMMON}/handling.py", "_handle_one"): "the border of the runtime: decided on and sent on",
    (f"{COMMON}/runtime.py", "keep_running"): "logged with its traceback; the loop must outlive one bad pass",
    ("services/ingest/src/ingest/intake.py", "_read"): "logged; the order is kept with its reason and read again later",
    ("services/ingest/src/ingest/intake.py", "_glance"): "logged; a list without a number, instead of an order lost",
    ("services/ingest/src/ingest/runner.py", "_work"): "logged with its traceback; counted as an attempt of the run",
    ("services/ingest/src/ingest/payout_intake.py", "_read"): "logged; kept with its reason, read again with a run",
    ("services/ingest/src/ingest/workers.py", "_read_again"): "logged; the one that stumbles stays due, others go on",
    ("services/ingest/src/ingest/workers.py", "publish_again"): "logged; the rebuild goes on without it",
    ("services/ingest/src/ingest/payout_rebuild.py", "publish_payouts"): "logged; the rebuild goes on without it",
    ("services/ingest/src/ingest/workers.py", "parts_of"): "logged; fetched again with the next attempt, others go on",
    ("services/ingest/src/ingest/reopening.py", "take_up"): "logged; the delivery stays kept and due, others go on",
    ("services/mapper/src/mapper/worker.py", "_batch"): "one by one, which finds the culprit, and that is held",
    ("services/mapper/src/mapper/worker.py", "replay_page"): "one by one, which finds the culprit; logged and left out",
    ("services/ledger-writer/src/ledger_writer/replaying.py", "replay_page"): "logged; the rebuild goes on without it",
    ("services/ledger-writer/src/ledger_writer/lanes/upkeep.py", "announce"): "logged; its lane tells of it later",
    ("services/mapper/src/mapper/setting_aside.py", "set_aside"): "logged; an unreadable row can't be listed",
    ("sandbox/src/sandbox/fresh/databases.py", "make_template"): "raised again where the service's URL is asked for",
    (
        "services/ledger-writer/src/ledger_writer/lanes/lane.py",
        "_pass",
    ): "logged; the document that caused it is set aside, and the ledger is opened again",
    (
        "services/ledger-writer/src/ledger_writer/lanes/work.py",
        "_outcomes",
    ): "logged with its traceback; the documents it was busy with are looked up",
}
"""(file, function) -> why swallowing is right there. An entry that is no longer needed is a finding as well."""

BROAD = {"Exception", "BaseException"}


def check(source: Source) -> Iterator[Finding]:
    """Refuse handlers that swallow everything, in what ships and in the sandbox."""
    if not (source.is_python and matches(source.path, "libs", "services", "sandbox")):
        return
    unused = {function for path, function in ALLOWED if path == source.path}
    for function, handler in handlers(source.tree, "module"):
        if is_broad(handler.type) and not raises(handler):
            if (source.path, function) not in ALLOWED:
                message = f"{function} catches everything: name the errors, or raise again"
                yield Finding(source.path, handler.lineno, message)
            unused.discard(function)
    for function in unused:
        yield Finding(source.path, 1, f"{function} no longer catches everything: take it off the list of this rule")


def handlers(node: ast.AST, function: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every `except` with the name of the innermost function around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ExceptHandler):
            yield function, child
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from handlers(child, inner)


def is_broad(caught: ast.expr | None) -> bool:
    """Does it catch bugs too?"""
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(name is None or (isinstance(name, ast.Name) and name.id in BROAD) for name in names)


def raises(handler: ast.ExceptHandler) -> bool:
    """Does the handler end in an error again? Any `raise` inside counts."""
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))
