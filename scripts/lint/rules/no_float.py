"""No float where money is worked out.

The accident: 0.1 + 0.2 is not 0.3, so an invoice is a cent off its order, the balance check holds it, and nobody can
see why; or the check passes and the books are wrong by a cent a thousand times a day.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source, matches

PLACES = (
    "libs/common/src/common/money.py",
    "libs/common/src/common/messages",
    "services/ingest/src/ingest/totals.py",
    "services/mapper/src/mapper/mapping",
    "services/mapper/src/mapper/rules",
    "services/ledger-writer/src/ledger_writer/planning",
    "services/ledger-writer/src/ledger_writer/ledgers/beancount/journal.py",
    "services/ledger-writer/src/ledger_writer/ledgers/beancount/postings.py",
    "services/ledger-writer/src/ledger_writer/ledgers/beancount/rendering.py",
    "services/ledger-writer/src/ledger_writer/ledgers/quickbooks_online/bodies",
    "services/ledger-writer/src/ledger_writer/ledgers/quickbooks_online/numbers.py",
    "services/ledger-writer/src/ledger_writer/ledgers/quickbooks_online/wire.py",
)
"""Elsewhere a float is a number of seconds."""


def check(source: Source) -> Iterator[Finding]:
    """Refuse float literals and the name `float`."""
    if not (source.is_python and matches(source.path, *PLACES)):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Finding(source.path, node.lineno, f"{node.value} is a float: write Decimal({str(node.value)!r})")
        elif isinstance(node, ast.Name) and node.id == "float":
            yield Finding(source.path, node.lineno, "float where money is worked out: use Decimal")
