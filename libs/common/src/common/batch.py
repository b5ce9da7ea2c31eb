"""What one transaction writes and sends, collected first and flushed in bulk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from common.bulk import Upsert
from common.database import Connection
from common.messages.base import State
from common.outbox import OutboxRow, StoredRow, insert, packed_rows
from common.packs import encode_member


@dataclass(slots=True)
class Batch:
    """Collects rows, statements and outgoing states; `flush` writes them in the caller's open transaction.

    Order of the flush: bulk upserts (tables in order of first use), then statements as they were recorded, then the
    outbox. Nothing reaches the database before, so what a failing state recorded can simply be dropped.
    """

    correlation_id: str = ""
    traceparent: str | None = None
    body: bytes = b""
    """JSON of the state in hand as it came, so that storing it doesn't cost encoding it again."""
    backfill: bool = False
    """Whether the states came through the queue for bulk work."""
    _rows: dict[str, tuple[Upsert, list[Sequence[Any]]]] = field(default_factory=dict)
    _statements: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    _outgoing: list[OutboxRow] = field(default_factory=list)
    _listed: list[tuple[type[State], str, bytes]] = field(default_factory=list)
    """Contract, tenant and pack member of states that only the read model takes in."""
    _after_commit: list[Callable[[], None]] = field(default_factory=list)

    def upsert(self, table: Upsert, values: Mapping[str, Any]) -> None:
        """Write one row with its table's bulk statement; of two rows with one key the later wins."""
        self._rows.setdefault(table.statement, (table, []))[1].append(table.row(values))

    def execute(self, statement: str, *arguments: Any) -> None:
        """Run a statement after the upserts; for changes that no bulk row expresses."""
        self._statements.append((statement, arguments))

    def publish(
        self,
        state: State,
        *,
        backfill: bool = False,
        correlation_id: str | None = None,
        traceparent: str | None = None,
        body: bytes | None = None,
        revision: int | None = None,
    ) -> None:
        """Send a state when the transaction commits.

        `body` saves encoding it again if the caller has its JSON; `revision` goes with a body that has another one than
        the state.
        """
        content = body if body is not None else state.encoded()
        cause = correlation_id if correlation_id is not None else self.correlation_id
        trace = traceparent or self.traceparent
        if state.read_model_only:
            self._listed.append((type(state), state.tenant_id, encode_member(content, cause, trace)))
            return
        self._outgoing.append(
            OutboxRow(
                type=state.type,
                entity_key=state.key,
                revision=state.revision if revision is None else revision,
                body=content,
                correlation_id=cause,
                traceparent=trace,
                backfill=backfill,
            )
        )

    def send(self, row: OutboxRow) -> None:
        """Send a raw message (a retry, a dead letter) when the transaction commits."""
        self._outgoing.append(row)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run something cheap and harmless to lose after the commit, such as waking a worker."""
        self._after_commit.append(action)

    @contextmanager
    def part(self, correlation_id: str, traceparent: str | None, body: bytes) -> Iterator[None]:
        """Record on behalf of one state: if the block raises, what it recorded is dropped and the rest stays."""
        rows = {statement: len(held) for statement, (_, held) in self._rows.items()}
        marks = len(self._statements), len(self._outgoing), len(self._listed), len(self._after_commit)
        self.correlation_id, self.traceparent, self.body = correlation_id, traceparent, body
        try:
            yield
        except Exception:
            for statement, (_, held) in self._rows.items():
                del held[rows.get(statement, 0) :]
            del self._statements[marks[0] :]
            del self._outgoing[marks[1] :]
            del self._listed[marks[2] :]
            del self._after_commit[marks[3] :]
            raise

    async def flush(self, connection: Connection) -> list[StoredRow]:
        """Write everything. Returns the outbox rows to publish once the transaction has committed."""
        for table, rows in self._rows.values():
            if rows:
                await table.write(connection, rows)
        for statement, arguments in self._statements:
            await connection.execute(statement, *arguments)
        listed: dict[tuple[type[State], str], list[bytes]] = {}
        for contract, tenant_id, member in self._listed:
            listed.setdefault((contract, tenant_id), []).append(member)
        packs = (packed_rows(contract, tenant_id, members) for (contract, tenant_id), members in listed.items())
        return await insert(connection, [*self._outgoing, *chain.from_iterable(packs)])

    def committed(self) -> None:
        for action in self._after_commit:
            action()
