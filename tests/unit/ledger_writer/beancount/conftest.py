"""Operations on a Beancount company, and the outside judge."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from common.messages.control import CompanySettings
from ledger_writer.ledgers.beancount import LEDGER
from ledger_writer.ledgers.beancount.adapter import folder_of, pair, report
from ledger_writer.ledgers.protocol import (
    CompanyFile,
    LedgerLink,
    LedgerSession,
    Operation,
    OperationKind,
    Outcome,
    PairingRequest,
    Written,
)


def operation(wanted: Any, kind: OperationKind = OperationKind.CREATE, **more: Any) -> Operation:
    return Operation(wanted.key, wanted.kind, kind, wanted, "idempotency", **more)


@dataclass
class Company:
    """A paired company file whose bookmark is kept as a lane would keep it."""

    root: Path
    home_currency: str = "USD"
    settings: CompanySettings | None = None
    bookmark: dict[str, str] = field(default_factory=dict)
    may_send: Callable[[], bool] = lambda: True

    @property
    def folder(self) -> Path:
        return folder_of(self.root, "ten", "com")

    @property
    def file(self) -> CompanyFile:
        return CompanyFile(
            tenant_id="ten",
            company_id="com",
            external_id="com",
            home_currency=self.home_currency,
            country="",
            preferences={},
            secrets={},
            settings=self.settings,
            bookmark=self.bookmark,
            data_dir=self.root,
            may_send=self.may_send,
        )

    async def pair(self, **more: Any) -> Any:
        request = PairingRequest("ten", "com", 'The "Mug" shop', self.home_currency, {}, {}, self.root, **more)
        return await pair(request)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LedgerSession]:
        context: AbstractAsyncContextManager[LedgerSession] = LEDGER.open(self.file)
        async with context as session:
            yield session

    async def write(self, operations: Sequence[Operation], *, records: bool = True) -> dict[str, Outcome]:
        """Open, write, and (as a lane does) keep the bookmark with the outcomes."""
        async with self.open() as session:
            outcomes = {key: outcome async for key, outcome in session.write(operations)}
            if records:
                self.bookmark = dict(session.bookmark())  # type: ignore[attr-defined]
        return outcomes

    async def link(self, wanted: Any, **more: Any) -> LedgerLink:
        """Write one document and return where it is."""
        outcome = (await self.write([operation(wanted, **more)]))[wanted.key]
        assert isinstance(outcome, Written), outcome
        return outcome.link

    async def balances(self, as_of: date | None = None) -> dict[str, Decimal]:
        return {row.account: row.balance for row in await report(self.file, as_of)}

    def journal(self, name: str = "2026-01") -> str:
        return (self.folder / "journal" / f"{name}.beancount").read_text()

    def check(self) -> None:
        """Books that Beancount itself accepts, with every posting key once."""
        program = Path(sys.executable).with_name("bean-check")
        result = subprocess.run(
            [program, "--no-cache", self.folder / "main.beancount"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        texts = [path.read_text() for path in (self.folder / "journal").glob("*.beancount")]
        keys = [line for text in texts for line in text.splitlines() if line.startswith("  posting-key:")]
        assert len(keys) == len(set(keys))


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = Company(tmp_path)
    await made.pair()
    yield made
    made.check()


@pytest.fixture
def op() -> Any:
    return operation
